package clients

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// shown is what describe-delivery-stream tells, as far as tours look at it.
type shown struct {
	DeliveryStreamDescription struct {
		DeliveryStreamStatus, DeliveryStreamARN, VersionId string
		DeliveryStreamEncryptionConfiguration              struct{ Status, KeyType string }
		Destinations                                       []struct {
			DestinationId                    string
			ExtendedS3DestinationDescription struct {
				Prefix            string
				CompressionFormat string
				BufferingHints    struct{ SizeInMBs, IntervalInSeconds int }
			}
		}
	}
}

func (c *cli) describe(name string) shown {
	c.t.Helper()
	var s shown
	c.firehose(&s, "describe-delivery-stream", "--delivery-stream-name", name)
	return s
}

// putAnswer is the answer of both puts.
type putAnswer struct {
	RecordId         string
	Encrypted        bool
	FailedPutCount   int
	RequestResponses []struct{ RecordId string }
}

func TestTheAWSCommandLineTakesTheTour(t *testing.T) {
	t.Parallel()
	s := start(t)
	c := newCLI(t, s)
	c.run("s3", "mb", "s3://cli-lake")
	c.create()
	c.list()
	c.tag()
	c.encrypt()
	c.putAll()
	c.update()
	c.as(map[string]string{"AWS_SECRET_ACCESS_KEY": "not the secret at all, by no means!!!!!"}).
		refused("InvalidSignatureException", "firehose", "list-delivery-streams")
	c.as(map[string]string{"AWS_ACCESS_KEY_ID": "AKIANOBODYKNOWSTHIS1"}).
		refused("UnrecognizedClientException", "firehose", "list-delivery-streams")
	c.as(map[string]string{"AWS_REGION": "eu-west-3", "AWS_DEFAULT_REGION": "eu-west-3"}).
		refused("InvalidSignatureException", "firehose", "list-delivery-streams")
	c.readBack()
	for _, name := range []string{"cli", "cli-legacy"} {
		c.firehose(nil, "delete-delivery-stream", "--delivery-stream-name", name, "--allow-force-delete")
	}
	eventually(t, "the streams are gone", func() bool {
		var l struct{ DeliveryStreamNames []string }
		c.firehose(&l, "list-delivery-streams")
		return len(l.DeliveryStreamNames) == 0
	})
}

// create makes a stream of each shape of S3, in the CLI's own notation.
func (c *cli) create() {
	c.t.Helper()
	var made struct{ DeliveryStreamARN string }
	c.firehose(&made, "create-delivery-stream", "--delivery-stream-name", "cli", "--delivery-stream-type", "DirectPut",
		"--extended-s3-destination-configuration", "RoleARN="+role+",BucketARN=arn:aws:s3:::cli-lake,CompressionFormat=GZIP,"+
			"Prefix=cli/,BufferingHints={SizeInMBs=1,IntervalInSeconds=1}", "--tags", "Key=team,Value=tour", "Key=bare")
	if want := "arn:aws:firehose:us-east-1:000000000000:deliverystream/cli"; made.DeliveryStreamARN != want {
		c.t.Errorf("made %s", made.DeliveryStreamARN)
	}
	c.firehose(&made, "create-delivery-stream", "--delivery-stream-name", "cli-legacy",
		"--s3-destination-configuration", "RoleARN="+role+",BucketARN=arn:aws:s3:::cli-lake")
	for _, name := range []string{"cli", "cli-legacy"} {
		eventually(c.t, name+" is ACTIVE", func() bool {
			return c.describe(name).DeliveryStreamDescription.DeliveryStreamStatus == "ACTIVE"
		})
	}
	d := c.describe("cli").DeliveryStreamDescription
	if to := d.Destinations[0].ExtendedS3DestinationDescription; to.CompressionFormat != "GZIP" || to.BufferingHints.IntervalInSeconds != 1 || d.VersionId != "1" {
		c.t.Errorf("described %+v", d)
	}
}

// list lists the streams page by page.
func (c *cli) list() {
	c.t.Helper()
	var page struct {
		DeliveryStreamNames    []string
		HasMoreDeliveryStreams bool
	}
	c.firehose(&page, "list-delivery-streams", "--limit", "1")
	if !slices.Equal(page.DeliveryStreamNames, []string{"cli"}) || !page.HasMoreDeliveryStreams {
		c.t.Errorf("first page %+v", page)
	}
	c.firehose(&page, "list-delivery-streams", "--limit", "1", "--exclusive-start-delivery-stream-name", "cli", "--delivery-stream-type", "DirectPut")
	if !slices.Equal(page.DeliveryStreamNames, []string{"cli-legacy"}) || page.HasMoreDeliveryStreams {
		c.t.Errorf("second page %+v", page)
	}
}

// tag sets, lists and removes tags.
func (c *cli) tag() {
	c.t.Helper()
	type tag struct{ Key, Value string }
	type page struct {
		Tags        []tag
		HasMoreTags bool
	}
	check := func(want []tag, more bool, args ...string) {
		c.t.Helper()
		var got page
		c.firehose(&got, append([]string{"list-tags-for-delivery-stream", "--delivery-stream-name", "cli"}, args...)...)
		if !slices.Equal(got.Tags, want) || got.HasMoreTags != more {
			c.t.Errorf("%v: tags %+v, want %+v", args, got, want)
		}
	}
	c.firehose(nil, "tag-delivery-stream", "--delivery-stream-name", "cli", "--tags", "Key=team,Value=other", "Key=a,Value=1")
	check([]tag{{"a", "1"}, {"bare", ""}}, true, "--limit", "2")
	check([]tag{{"team", "other"}}, false, "--limit", "2", "--exclusive-start-tag-key", "bare")
	c.firehose(nil, "untag-delivery-stream", "--delivery-stream-name", "cli", "--tag-keys", "a", "bare", "unknown")
	check([]tag{{"team", "other"}}, false)
}

// encrypt turns encryption on, puts, and turns it off.
func (c *cli) encrypt() {
	c.t.Helper()
	await := func(status string) {
		eventually(c.t, "encryption is "+status, func() bool {
			return c.describe("cli-legacy").DeliveryStreamDescription.DeliveryStreamEncryptionConfiguration.Status == status
		})
	}
	c.firehose(nil, "start-delivery-stream-encryption", "--delivery-stream-name", "cli-legacy",
		"--delivery-stream-encryption-configuration-input", "KeyType=AWS_OWNED_CMK")
	await("ENABLED")
	var answer putAnswer
	c.firehose(&answer, "put-record", "--delivery-stream-name", "cli-legacy", "--record", `{"Data":"sealed"}`)
	if !answer.Encrypted || answer.RecordId == "" {
		c.t.Errorf("put-record answered %+v", answer)
	}
	c.firehose(nil, "stop-delivery-stream-encryption", "--delivery-stream-name", "cli-legacy")
	await("DISABLED")
}

// putAll puts one record and then a batch.
func (c *cli) putAll() {
	c.t.Helper()
	var one, many putAnswer
	c.firehose(&one, "put-record", "--delivery-stream-name", "cli", "--record", `{"Data":"hello from a shell\n"}`)
	if one.RecordId == "" || one.Encrypted {
		c.t.Errorf("put-record answered %+v", one)
	}
	c.firehose(&many, "put-record-batch", "--delivery-stream-name", "cli", "--records", `[{"Data":"and\n"},{"Data":"another\n"}]`)
	if many.FailedPutCount != 0 || len(many.RequestResponses) != 2 || many.RequestResponses[1].RecordId == "" {
		c.t.Errorf("put-record-batch answered %+v", many)
	}
}

// update changes the destination once; the same update made again is one of a past version.
func (c *cli) update() {
	c.t.Helper()
	args := []string{"update-destination", "--delivery-stream-name", "cli", "--current-delivery-stream-version-id", "1",
		"--destination-id", destinationID, "--extended-s3-destination-update", "Prefix=late/,BufferingHints={IntervalInSeconds=2}"}
	c.firehose(nil, args...)
	d := c.describe("cli").DeliveryStreamDescription
	if to := d.Destinations[0].ExtendedS3DestinationDescription; d.VersionId != "2" || to.Prefix != "late/" || to.BufferingHints.SizeInMBs != 1 || to.BufferingHints.IntervalInSeconds != 2 {
		c.t.Errorf("after the update: %+v", d)
	}
	message := c.refused(conflict, append([]string{"firehose"}, args...)...)
	if want := "Cannot update firehose: cli since the current version id: 2 and specified version id: 1 do not match"; message != want {
		c.t.Errorf("got %q, want %q", message, want)
	}
	c.firehose(nil, "update-destination", "--delivery-stream-name", "cli-legacy", "--current-delivery-stream-version-id", "1",
		"--destination-id", destinationID, "--s3-destination-update", "CompressionFormat=Snappy")
}

// readBack copies the objects and holds them against what was put.
func (c *cli) readBack() {
	c.t.Helper()
	const want = "hello from a shell\nand\nanother\n"
	var got string
	eventually(c.t, "the objects hold what was put", func() bool {
		got = ""
		folder := c.t.TempDir()
		c.run("s3", "cp", "--recursive", "s3://cli-lake", folder)
		for _, first := range []string{"cli", "late"} { // by which prefix follows from when it was delivered
			objects, err := filepath.Glob(filepath.Join(folder, first, "*", "*", "*", "*", "*.gz"))
			if err != nil {
				c.t.Fatal(err)
			}
			for _, object := range objects {
				file, err := os.Open(object)
				if err != nil {
					c.t.Fatal(err)
				}
				got += string(unzip(c.t, file))
			}
		}
		return len(got) >= len(want)
	})
	if got != want {
		c.t.Errorf("the objects hold %q", got)
	}
	local := filepath.Join(c.t.TempDir(), "local")
	if err := os.WriteFile(local, []byte(want), 0o600); err != nil {
		c.t.Fatal(err)
	}
	c.run("s3", "cp", local, "s3://cli-lake/copies/local")
	if listed := c.run("s3", "ls", "s3://cli-lake/copies/"); !strings.Contains(listed, fmt.Sprint(len(want))+" local") {
		c.t.Errorf("listed %s", listed)
	}
}

// TestTheProgramAWSItselfWorks starts the AWS CLI as people do; the tours load it only once.
func TestTheProgramAWSItselfWorks(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("aws"); err != nil {
		t.Skipf("the AWS CLI is not installed here: %v", err)
	}
	cmd := exec.CommandContext(t.Context(), "aws", "firehose", "list-delivery-streams", "--output", "json")
	cmd.Env = environment(start(t))
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var l struct{ DeliveryStreamNames []string }
	if err := json.Unmarshal(out, &l); err != nil || l.DeliveryStreamNames == nil || len(l.DeliveryStreamNames) != 0 {
		t.Errorf("%v: %s", err, out)
	}
}

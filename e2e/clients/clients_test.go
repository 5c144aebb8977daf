package clients

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hydrant/e2e/server"
)

// start starts a server and returns the environment that points AWS's tools at it.
func start(t *testing.T) (*server.Server, []string) {
	t.Helper()
	s := server.Start(t, server.Options{Binary: server.Build(t), Data: t.TempDir()})
	return s, append(without(os.Environ(), "AWS_"),
		"AWS_ENDPOINT_URL="+s.Address.URL(),
		"AWS_ACCESS_KEY_ID="+s.Keys.AccessKeyID,
		"AWS_SECRET_ACCESS_KEY="+string(s.Keys.Secret),
		"AWS_REGION="+s.Address.Region,
		"AWS_DEFAULT_REGION="+s.Address.Region,
		"AWS_EC2_METADATA_DISABLED=true",
		"AWS_CONFIG_FILE=/dev/null",
		"AWS_SHARED_CREDENTIALS_FILE=/dev/null",
	)
}

func without(env []string, prefix string) (rest []string) {
	for _, v := range env {
		if !strings.HasPrefix(v, prefix) {
			rest = append(rest, v)
		}
	}
	return rest
}

func TestBoto3TakesTheTour(t *testing.T) {
	if out, err := exec.Command("python3", "-c", "import boto3").CombinedOutput(); err != nil {
		t.Skipf("python3 with boto3 is not installed here: %v %s", err, bytes.TrimSpace(out))
	}
	_, env := start(t)
	cmd := exec.CommandContext(t.Context(), "python3", "tour.py")
	cmd.Env = env
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Fatalf("the tour ended: %v", err)
	}
}

// cli runs the AWS CLI.
type cli struct {
	t   *testing.T
	env []string
}

// run returns what the command wrote; it must succeed.
func (c cli) run(args ...string) string {
	c.t.Helper()
	out, err := c.try(args...)
	if err != nil {
		c.t.Fatalf("aws %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

func (c cli) try(args ...string) (string, error) {
	cmd := exec.CommandContext(c.t.Context(), "aws", args...)
	cmd.Env = append(c.env, "AWS_MAX_ATTEMPTS=1", "AWS_PAGER=")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// refused runs a command that must fail with an error code.
func (c cli) refused(code string, args ...string) {
	c.t.Helper()
	if out, err := c.try(args...); err == nil || !strings.Contains(out, "("+code+")") {
		c.t.Errorf("aws %s: want %s, got %v\n%s", strings.Join(args, " "), code, err, out)
	}
}

func TestTheAWSCommandLineTakesTheTour(t *testing.T) {
	if _, err := exec.LookPath("aws"); err != nil {
		t.Skipf("the AWS CLI is not installed here: %v", err)
	}
	_, env := start(t)
	c := cli{t, env}
	c.run("s3", "mb", "s3://cli-lake")
	c.run("firehose", "create-delivery-stream", "--delivery-stream-name", "cli", "--extended-s3-destination-configuration",
		"RoleARN=arn:aws:iam::000000000000:role/tour,BucketARN=arn:aws:s3:::cli-lake,CompressionFormat=GZIP,"+
			"Prefix=cli/,BufferingHints={SizeInMBs=1,IntervalInSeconds=1}")
	eventually(t, "the stream is ACTIVE", func() bool {
		return strings.TrimSpace(c.run("firehose", "describe-delivery-stream", "--delivery-stream-name", "cli",
			"--query", "DeliveryStreamDescription.DeliveryStreamStatus", "--output", "text")) == "ACTIVE"
	})
	if out := c.run("firehose", "list-delivery-streams", "--output", "text"); !strings.Contains(out, "cli") {
		t.Errorf("listed %s", out)
	}
	hello := base64.StdEncoding.EncodeToString([]byte("hello from a shell\n"))
	c.putBase64(hello)
	c.refused("ResourceNotFoundException", "firehose", "put-record", "--delivery-stream-name", "nobody", "--record", "Data="+hello)
	c.refused("ResourceInUseException", "firehose", "create-delivery-stream", "--delivery-stream-name", "cli",
		"--extended-s3-destination-configuration", "RoleARN=arn:aws:iam::000000000000:role/tour,BucketARN=arn:aws:s3:::cli-lake")
	stranger := cli{t, append(env, "AWS_SECRET_ACCESS_KEY=not the secret at all, by no means!!!!!")}
	stranger.refused("InvalidSignatureException", "firehose", "list-delivery-streams")

	var listed string
	eventually(t, "an object is there", func() bool {
		listed, _ = c.try("s3", "ls", "--recursive", "s3://cli-lake")
		return strings.Contains(listed, "cli/")
	})
	fields := strings.Fields(listed)
	key, local := fields[len(fields)-1], filepath.Join(t.TempDir(), "object.gz")
	c.run("s3", "cp", "s3://cli-lake/"+key, local)
	if text, err := exec.Command("gzip", "-dc", local).Output(); err != nil || string(text) != "hello from a shell\n" {
		t.Errorf("the object holds %q, %v", text, err)
	}
	c.run("s3", "cp", local, "s3://cli-lake/copies/object.gz")
	c.run("firehose", "delete-delivery-stream", "--delivery-stream-name", "cli")
	eventually(t, "the stream is gone", func() bool {
		out, err := c.try("firehose", "describe-delivery-stream", "--delivery-stream-name", "cli")
		return err != nil && strings.Contains(out, "(ResourceNotFoundException)")
	})
}

// putBase64 puts one record. Version 1 of the CLI takes blobs as they are, version 2 in
// base64.
func (c cli) putBase64(data string) {
	c.t.Helper()
	args := []string{"firehose", "put-record", "--delivery-stream-name", "cli", "--output", "json"}
	if strings.HasPrefix(c.run("--version"), "aws-cli/1.") {
		raw, err := base64.StdEncoding.DecodeString(data)
		if err != nil {
			c.t.Fatal(err)
		}
		args = append(args, "--record", string(must(json.Marshal(map[string]string{"Data": string(raw)}))))
	} else {
		args = append(args, "--record", "Data="+data)
	}
	var answer struct{ RecordId string }
	if err := json.Unmarshal([]byte(c.run(args...)), &answer); err != nil || answer.RecordId == "" {
		c.t.Errorf("put-record answered %+v, %v", answer, err)
	}
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}

// eventually polls until done says true, for two minutes at most.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	timeout := time.After(2 * time.Minute)
	for tick := time.NewTicker(50 * time.Millisecond); !done(); {
		select {
		case <-timeout:
			t.Fatalf("never came true: %s", what)
		case <-tick.C:
		}
	}
}

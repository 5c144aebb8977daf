package kill

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/firehose"
	"github.com/aws/aws-sdk-go-v2/service/firehose/types"
	"github.com/go-json-experiment/json"

	"hydrant/e2e/server"
)

// small are the flags of a node that lets partitions have small buffers.
func small(t *testing.T, more ...string) []string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "hydrant.yaml")
	if err := os.WriteFile(path, []byte("delivery: {smallBuffers: true}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return append([]string{"--config", path}, more...)
}

// makeParted makes the stream parted, whose records lie in folders by their key.
func makeParted(t *testing.T, s *server.Server, mebibytes, seconds int32) {
	t.Helper()
	c := firehose.NewFromConfig(s.Config())
	_, err := c.CreateDeliveryStream(t.Context(), &firehose.CreateDeliveryStreamInput{
		DeliveryStreamName: aws.String("parted"),
		ExtendedS3DestinationConfiguration: &types.ExtendedS3DestinationConfiguration{
			BucketARN: aws.String("arn:aws:s3:::" + bucket), RoleARN: aws.String("arn:aws:iam::000000000000:role/kill"),
			Prefix: aws.String("parted/k=!{partitionKeyFromQuery:k}/"), ErrorOutputPrefix: aws.String("failed/!{firehose:error-output-type}/"),
			BufferingHints:                   &types.BufferingHints{SizeInMBs: &mebibytes, IntervalInSeconds: &seconds},
			CompressionFormat:                types.CompressionFormatGzip,
			DynamicPartitioningConfiguration: &types.DynamicPartitioningConfiguration{Enabled: aws.Bool(true)},
			ProcessingConfiguration: &types.ProcessingConfiguration{Enabled: aws.Bool(true), Processors: []types.Processor{
				processor(types.ProcessorTypeMetadataExtraction, map[types.ProcessorParameterName]string{
					types.ProcessorParameterNameMetadataExtractionQuery: "{k:.k}",
					types.ProcessorParameterNameJsonParsingEngine:       "JQ-1.6",
				}),
				processor(types.ProcessorTypeAppendDelimiterToRecord, nil),
			}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "parted is active", func() bool {
		d, err := c.DescribeDeliveryStream(t.Context(), &firehose.DescribeDeliveryStreamInput{DeliveryStreamName: aws.String("parted")})
		return err == nil && d.DeliveryStreamDescription.DeliveryStreamStatus == types.DeliveryStreamStatusActive
	})
}

func processor(kind types.ProcessorType, parameters map[types.ProcessorParameterName]string) types.Processor {
	p := types.Processor{Type: kind}
	for name, value := range parameters {
		p.Parameters = append(p.Parameters, types.ProcessorParameter{ParameterName: name, ParameterValue: &value})
	}
	return p
}

// misfits are what records have that no partition takes, in place of their key. The last is
// no JSON.
var misfits = []string{`"other":7,`, `"k":null,`, `"k":"",`, `"k":[7],`, `"k":{"k":7},`, `"k":07,`}

// parted is a record of the stream parted, without a line's end. One in 50 has no key. Half
// of the keys are taken in turn, so that all of them come soon.
func (l *load) parted(r *rand.Rand, id string, size int) []byte {
	key := r.IntN(l.keys)
	if r.IntN(2) == 0 {
		key = int(l.turn.Add(1)) % l.keys
	}
	member := fmt.Sprintf(`"k":%d,`, key)
	if r.IntN(50) == 0 {
		member = misfits[r.IntN(len(misfits))]
	}
	return fmt.Appendf(nil, `{"id":%q,%s"text":%q}`, id, member, l.filler(r, size))
}

// partedID is the id of a record in the folder of its key; false if the line is none, or lies
// in another one's folder.
func partedID(key string, line []byte) (id string, found bool) {
	var r struct {
		ID string `json:"id"`
		K  *int   `json:"k"`
	}
	if err := json.Unmarshal(line, &r); err != nil || r.K == nil {
		return "", false
	}
	return r.ID, strings.HasPrefix(key, fmt.Sprintf("parted/k=%d/", *r.K))
}

// misfitID is the id of a record without a key in the error output; false if the line is
// none, or if nothing is wrong with the record.
func misfitID(key string, line []byte) (id string, found bool) {
	var failure struct {
		ErrorCode string `json:"errorCode"`
		RawData   []byte `json:"rawData"`
	}
	err := json.Unmarshal(line, &failure)
	if err != nil || !strings.HasPrefix(key, "failed/processing-failed/") || failure.ErrorCode != "DynamicPartitioning.MetadataExtractionFailed" {
		return "", false
	}
	rest, found := bytes.CutPrefix(failure.RawData, []byte(`{"id":"`))
	name, rest, whole := bytes.Cut(rest, []byte(`",`))
	return string(name), found && whole && beginsAsMisfit(rest) && bytes.HasSuffix(rest, []byte(`"}`))
}

func beginsAsMisfit(b []byte) bool {
	for _, m := range misfits {
		if bytes.HasPrefix(b, []byte(m)) {
			return true
		}
	}
	return false
}

func TestTheCountTellsWhereARecordBelongs(t *testing.T) {
	failed := func(code, record string) string {
		line, err := json.Marshal(map[string]any{"attemptsMade": 1, "errorCode": code, "rawData": []byte(record)})
		if err != nil {
			t.Fatal(err)
		}
		return string(line) + "\n"
	}
	const noKey = "DynamicPartitioning.MetadataExtractionFailed"
	for name, test := range map[string]struct {
		key, body string
		good      int // records that count
		bad       bool
	}{
		"two records of a folder":       {"parted/k=7/o", `{"id":"parted.a","k":7}` + "\n" + `{"id":"parted.b","k":7}`, 2, false},
		"one of another folder":         {"parted/k=7/o", `{"id":"parted.a","k":7}` + "\n" + `{"id":"parted.b","k":70}`, 1, true},
		"no key, in the folder of zero": {"parted/k=0/o", `{"id":"parted.a"}`, 0, true},
		"half a record":                 {"parted/k=7/o", `{"id":"parted.a","k":7}` + "\n" + `{"id":"par`, 1, true},
		"no delimiter":                  {"parted/k=7/o", `{"id":"parted.a","k":7}{"id":"parted.b","k":7}`, 0, true},
		"of another stream":             {"parted/k=7/o", `{"id":"plain.a","k":7}`, 0, true},
		"misfits":                       {"failed/processing-failed/o", failed(noKey, `{"id":"parted.a","k":null,"text":""}`) + failed(noKey, `{"id":"parted.b","k":07,"text":""}`), 2, false},
		"no misfit":                     {"failed/processing-failed/o", failed(noKey, `{"id":"parted.a","k":7,"text":""}`), 0, true},
		"cut off":                       {"failed/processing-failed/o", failed(noKey, `{"id":"parted.a","k":null,"tex`), 0, true},
		"another failure":               {"failed/processing-failed/o", failed("Other", `{"id":"parted.a","k":null,"text":""}`), 0, true},
		"another error output":          {"failed/other/o", failed(noKey, `{"id":"parted.a","k":null,"text":""}`), 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			n := newCount()
			err := n.add(test.key, []byte(test.body))
			if good := n.streams["parted"] + n.misfits["parted"]; (err != nil) != test.bad || int(good) != test.good || len(n.times) != test.good {
				t.Errorf("%d records, %v", good, err)
			}
		})
	}
}

// openPartitions is how many there are, those included that are sealed and not yet delivered.
func openPartitions(t *testing.T, s *server.Server) int {
	t.Helper()
	open := -1
	err := s.Metrics(t.Context(), func(name string, _ map[string]string, value float64) {
		if name == "hydrant_partitions" {
			open = int(value)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return open
}

// partedVerdict is the verdict once all is delivered, of which no partition may remain. Some
// records must have been without a key.
func partedVerdict(t *testing.T, s *server.Server, book *notebook, store aws.Config) {
	t.Helper()
	eventually(t, "no partition is left", func() bool { return openPartitions(t, s) == 0 })
	n := countFailures(t, s, store)
	verdict(t, s, book, n, false)
	if n.misfits["parted"] == 0 && len(book.records) > 2000 {
		t.Error("the error output is empty")
	}
}

// countFailures counts the store once the error output holds all that the ledger says has
// failed, which is not pending while it is on its way there. If some of it never comes, the
// verdict will say so.
func countFailures(t *testing.T, s *server.Server, store aws.Config) count {
	t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(time.Second) {
		ledgers, err := s.Ledgers(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		n := countStore(t, store, bucket)
		if ledgers["parted"].Failed <= n.misfits["parted"] || time.Now().After(end) {
			return n
		}
	}
}

// soakPartitions kills the node with partitions in every state; halfway there are none, so
// that whatever they left behind meets new ones.
func soakPartitions(t *testing.T, s *server.Server, book *notebook) *server.Server {
	t.Helper()
	s = soak(t, s, book, kills(t), "parted")
	awaitDelivery(t, s)
	s.Kill()
	s = restart(t, s, func(*server.Server) {})
	return soak(t, s, book, (kills(t)+2)/3, "parted")
}

// Each record lands once, and in the folder of its key, however often the node is killed;
// those without a key land once in the error output.
func TestKilledNodesKeepPartitionsApart(t *testing.T) {
	s := server.Start(t, server.Options{Binary: server.Build(t), Data: t.TempDir(), Args: small(t)})
	makeBucket(t, s)
	makeParted(t, s, 1, 1)
	book := newNotebook()
	s = soakPartitions(t, s, book)
	awaitDelivery(t, s)
	partedVerdict(t, s, book, s.Config())
}

func TestKilledNodesKeepPartitionsApartInABadStore(t *testing.T) {
	store := newStore(t)
	o := store.options(t)
	o.Args = append(o.Args, small(t)...)
	s := server.Start(t, o)
	makeParted(t, s, 1, 1)
	book := newNotebook()
	store.SetFault(badStore())
	s = soakPartitions(t, s, book)
	store.SetFault(nil)
	awaitDelivery(t, s)
	t.Logf("faults of the store: %v, applied late at the end: %d", store.Fired(), store.ApplyLate())
	awaitSweep(t, store.config())
	partedVerdict(t, s, book, store.config())
	store.neverChanged(t)
}

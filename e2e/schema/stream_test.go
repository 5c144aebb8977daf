package schema

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/firehose"
	"github.com/aws/aws-sdk-go-v2/service/firehose/types"
)

// stream creates a stream that delivers nothing: its buffer takes minutes.
func (w *world) stream(name string, encryption *types.DeliveryStreamEncryptionConfigurationInput) {
	w.t.Helper()
	c := firehose.NewFromConfig(w.server.Config())
	_, err := c.CreateDeliveryStream(w.t.Context(), &firehose.CreateDeliveryStreamInput{
		DeliveryStreamName: &name, DeliveryStreamEncryptionConfigurationInput: encryption,
		ExtendedS3DestinationConfiguration: &types.ExtendedS3DestinationConfiguration{
			RoleARN: aws.String("arn:aws:iam::000000000000:role/firehose"), BucketARN: aws.String("arn:aws:s3:::events"),
			BufferingHints: &types.BufferingHints{IntervalInSeconds: aws.Int32(900), SizeInMBs: aws.Int32(64)},
		},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	for end := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		d, err := c.DescribeDeliveryStream(w.t.Context(), &firehose.DescribeDeliveryStreamInput{DeliveryStreamName: &name})
		if err == nil && d.DeliveryStreamDescription.DeliveryStreamStatus == types.DeliveryStreamStatusActive {
			return
		}
		if time.Now().After(end) {
			w.t.Fatalf("stream %s does not become active: %v", name, err)
		}
	}
}

func (w *world) put(stream string, data ...string) {
	w.t.Helper()
	var records []types.Record
	for _, d := range data {
		records = append(records, types.Record{Data: []byte(d)})
	}
	out, err := firehose.NewFromConfig(w.server.Config()).PutRecordBatch(w.t.Context(),
		&firehose.PutRecordBatchInput{DeliveryStreamName: &stream, Records: records})
	if err != nil || *out.FailedPutCount > 0 {
		w.t.Fatalf("put: %+v, %v", out, err)
	}
}

// A table is proposed of what producers have sent, in plain also where it lies encrypted.
func TestATableIsProposedOfAStream(t *testing.T) {
	w := newWorld(t)
	for name, encryption := range map[string]*types.DeliveryStreamEncryptionConfigurationInput{
		"plain.clicks": nil, "sealed.clicks": {KeyType: types.KeyTypeAwsOwnedCmk},
	} {
		w.stream(name, encryption)
		w.put(name, `{"old":true}`, `{"id":1,"at":"2026-01-15T10:15:00Z"}{"id":3000000000}`, `{"tags":["x"]}`+"\n", "no JSON")
		table := strings.ReplaceAll(name, ".", "_")
		want := "-- From 3 documents.\n-- Note: 1 of 3 records were left out, the first for this: record 3 of 3: "
		statement := "CREATE EXTERNAL TABLE `web`.`" + table + "` (\n  `id` bigint,\n  `at` timestamp,\n  `tags` array<string>\n)\n"
		if out := w.must("infer", name, "--database", "web", "--records", "3"); !strings.HasPrefix(out, want) || !strings.Contains(out, statement) {
			t.Errorf("proposed\n%swant\n%s…\n%s", out, want, statement)
		}
		if out := w.must("infer", name); !strings.Contains(out, "`old` boolean") {
			t.Errorf("the older records are not looked at:\n%s", out)
		}
	}
	w.file("plain.clicks", `{"of":"the file"}`)
	if out := w.must("infer", "plain.clicks"); !strings.Contains(out, "`of` string") {
		t.Errorf("a stream goes before the file of its name:\n%s", out)
	}
}

func TestWhatIsNeitherFileNorStreamIsSaid(t *testing.T) {
	w := newWorld(t)
	w.stream("empty", nil)
	w.stream("odd", nil)
	w.put("odd", "hello", "[1]")
	w.refuses(1, []string{"no such file", "Stream clicks does not exist", "hydrant streams --data " + w.data}, "infer", "clicks")
	w.refuses(1, []string{"no such file"}, "infer", "folder/clicks")
	w.refuses(1, []string{"Stream empty holds no records now", "hydrant pause --data " + w.data + " empty"}, "infer", "empty")
	w.refuses(1, []string{"stream odd: record 1 of 2: "}, "infer", "odd")
	w.refuses(2, []string{"--records is from 1 to 1000"}, "infer", "odd", "--records", "1001")
	w.server.Kill()
	w.refuses(1, []string{"no node answers", "hydrant serve --data " + w.data}, "infer", "odd")
	w.data = t.TempDir()
	w.refuses(1, []string{"no such file", "hydrant serve --data " + w.data}, "infer", "odd")
}

package conversion

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/firehose"
	"github.com/aws/aws-sdk-go-v2/service/firehose/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/go-json-experiment/json"

	"hydrant/e2e/server"
	hydrantaws "hydrant/internal/aws"
	"hydrant/internal/operate"
)

const (
	bucket   = "lake"
	database = "db"
	role     = "arn:aws:iam::000000000000:role/firehose"
)

// scene is a server with a bucket, tables and streams.
type scene struct {
	t      *testing.T
	server *server.Server
	binary string
	folder string
}

// open starts a server that allows small buffers.
func open(t *testing.T) *scene {
	t.Helper()
	path := filepath.Join(t.TempDir(), "hydrant.yaml")
	if err := os.WriteFile(path, []byte("delivery: {smallBuffers: true}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return openWith(t, server.Options{Args: []string{"--config", path}})
}

func openWith(t *testing.T, o server.Options) *scene {
	t.Helper()
	needJudge(t)
	s := &scene{t: t, binary: server.Build(t), folder: t.TempDir()}
	o.Binary, o.Data = s.binary, filepath.Join(s.folder, "data")
	s.server = server.Start(t, o)
	if _, err := s.store().CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String(bucket)}); err != nil {
		t.Fatal(err)
	}
	return s
}

// killed ends the process as kill -9 does, and starts the next one on the same data.
func (s *scene) killed() {
	s.t.Helper()
	s.server.Kill()
	s.server = server.Start(s.t, s.server.Again())
}

func (s *scene) firehose() *firehose.Client { return firehose.NewFromConfig(s.server.Config()) }

func (s *scene) store() *s3.Client {
	return s3.NewFromConfig(s.server.Config(), func(o *s3.Options) { o.UsePathStyle = true })
}

// hydrant runs a command of the binary on the server's data, and returns what it printed.
func (s *scene) hydrant(args ...string) string {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, s.binary, append(args, "--data", s.server.Again().Data)...)
	cmd.Dir, cmd.Env = s.folder, []string{"PATH=" + os.Getenv("PATH")}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		s.t.Fatalf("hydrant %s: %v\n%s%s", strings.Join(args, " "), err, out, stderr.String())
	}
	return string(out)
}

// table makes a table, or its next version, of columns as CREATE TABLE has them.
func (s *scene) table(name, columns string) {
	s.t.Helper()
	text := fmt.Sprintf("CREATE EXTERNAL TABLE %s.%s (\n%s\n) STORED AS PARQUET LOCATION 's3://lake/'", database, name, columns)
	if err := os.WriteFile(filepath.Join(s.folder, name+".sql"), []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	s.hydrant("schema", "create", name+".sql", "--create-database", "--replace")
}

// dropTable deletes a table by the call that AWS tools make.
func (s *scene) dropTable(name string) {
	s.t.Helper()
	keys := hydrantaws.KeyPair{AccessKeyID: s.server.Keys.AccessKeyID, Secret: s.server.Keys.Secret}
	c := hydrantaws.Client{
		Endpoint: s.server.Address.URL(), Service: "glue", Target: "AWSGlue", Region: s.server.Address.Region,
		Credentials: func(context.Context) (hydrantaws.KeyPair, error) { return keys, nil },
	}
	if err := c.Call(s.t.Context(), "DeleteTable", map[string]string{"DatabaseName": database, "Name": name}, nil); err != nil {
		s.t.Fatal(err)
	}
}

// The ends of a conversion: OpenX or Hive to Parquet or ORC.
type (
	input  = types.Deserializer
	output = types.Serializer
)

func openX() *input { return &input{OpenXJsonSerDe: &types.OpenXJsonSerDe{}} }

func hive() *input { return &input{HiveJsonSerDe: &types.HiveJsonSerDe{}} }

func toParquet(c types.ParquetCompression) *output {
	return &output{ParquetSerDe: &types.ParquetSerDe{Compression: c}}
}

func toORC(c types.OrcCompression) *output { return &output{OrcSerDe: &types.OrcSerDe{Compression: c}} }

// destination is that of a stream which converts by the table of its name and delivers after a
// second or a MB.
func destination(name string, in *input, out *output) *types.ExtendedS3DestinationConfiguration {
	return &types.ExtendedS3DestinationConfiguration{
		RoleARN: aws.String(role), BucketARN: aws.String("arn:aws:s3:::" + bucket),
		Prefix: aws.String(name + "/"), ErrorOutputPrefix: aws.String("errors/" + name + "/!{firehose:error-output-type}/"),
		BufferingHints: &types.BufferingHints{IntervalInSeconds: aws.Int32(1), SizeInMBs: aws.Int32(1)},
		DataFormatConversionConfiguration: &types.DataFormatConversionConfiguration{
			Enabled:                   aws.Bool(true),
			SchemaConfiguration:       &types.SchemaConfiguration{RoleARN: aws.String(role), DatabaseName: aws.String(database), TableName: &name},
			InputFormatConfiguration:  &types.InputFormatConfiguration{Deserializer: in},
			OutputFormatConfiguration: &types.OutputFormatConfiguration{Serializer: out},
		},
	}
}

// stream creates a stream and waits until it is active.
func (s *scene) stream(name string, d *types.ExtendedS3DestinationConfiguration) {
	s.t.Helper()
	_, err := s.firehose().CreateDeliveryStream(s.t.Context(), &firehose.CreateDeliveryStreamInput{DeliveryStreamName: &name, ExtendedS3DestinationConfiguration: d})
	if err != nil {
		s.t.Fatal(err)
	}
	s.until("the stream is active", func() bool {
		d, err := s.firehose().DescribeDeliveryStream(s.t.Context(), &firehose.DescribeDeliveryStreamInput{DeliveryStreamName: &name})
		return err == nil && d.DeliveryStreamDescription.DeliveryStreamStatus == types.DeliveryStreamStatusActive
	})
}

// put puts records and expects all of them to be taken.
func (s *scene) put(stream string, data ...string) {
	s.t.Helper()
	for batch := range slices.Chunk(data, 500) {
		var records []types.Record
		for _, d := range batch {
			records = append(records, types.Record{Data: []byte(d)})
		}
		out, err := s.firehose().PutRecordBatch(s.t.Context(), &firehose.PutRecordBatchInput{DeliveryStreamName: &stream, Records: records})
		if err != nil || *out.FailedPutCount > 0 {
			s.t.Fatalf("put: %+v, %v", out, err)
		}
	}
}

// state is what hydrant streams --json says of a stream.
func (s *scene) state(stream string) operate.Stream {
	s.t.Helper()
	var all struct {
		Streams []operate.Stream `json:"streams"`
	}
	text := s.hydrant("streams", "--json")
	if err := json.Unmarshal([]byte(text), &all); err != nil {
		s.t.Fatalf("%s: %v", text, err)
	}
	for _, one := range all.Streams {
		if one.Name == stream {
			return one
		}
	}
	s.t.Fatalf("there is no stream %s in %s", stream, text)
	return operate.Stream{}
}

// ledger is what the metrics say of a stream, which must add up.
func (s *scene) ledger(stream string) server.Ledger {
	s.t.Helper()
	all, err := s.server.Ledgers(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	if l := all[stream]; !l.AddsUp() {
		s.t.Fatalf("the ledger of %s does not add up: %+v", stream, l)
	}
	return all[stream]
}

// settled waits until the stream owes nothing, failure records included, which come of what is
// flushed first.
func (s *scene) settled(stream string) {
	s.t.Helper()
	s.hydrant("flush", stream)
	s.until("nothing is pending", func() bool { return s.ledger(stream).Pending == 0 })
	s.hydrant("flush", stream)
	s.until("no failure record is pending", func() bool {
		f := s.state(stream).Failures
		return f == nil || f.Pending.Records == 0
	})
}

// object is one of the bucket.
type object struct {
	key     string
	body    []byte
	headers *s3.GetObjectOutput
}

// objects are those under a prefix, by key.
func (s *scene) objects(prefix string) (all []object) {
	s.t.Helper()
	c := s.store()
	pages := s3.NewListObjectsV2Paginator(c, &s3.ListObjectsV2Input{Bucket: aws.String(bucket), Prefix: &prefix})
	for pages.HasMorePages() {
		page, err := pages.NextPage(s.t.Context())
		if err != nil {
			s.t.Fatal(err)
		}
		for _, o := range page.Contents {
			got, err := c.GetObject(s.t.Context(), &s3.GetObjectInput{Bucket: aws.String(bucket), Key: o.Key})
			if err != nil {
				s.t.Fatal(err)
			}
			body, err := io.ReadAll(got.Body)
			if err := got.Body.Close(); err != nil {
				s.t.Fatal(err)
			}
			if err != nil {
				s.t.Fatal(err)
			}
			all = append(all, object{*o.Key, body, got})
		}
	}
	return all
}

// until waits for something that happens in its own time.
func (s *scene) until(what string, done func() bool) {
	s.t.Helper()
	for end := time.Now().Add(2 * time.Minute); !done(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			s.t.Fatalf("waited in vain until %s", what)
		}
	}
}

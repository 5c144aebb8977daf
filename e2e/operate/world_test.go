package operate

import (
	"bytes"
	"context"
	"errors"
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
	"hydrant/internal/operate"
)

const (
	bucket    = "events"
	bucketARN = "arn:aws:s3:::" + bucket
	role      = "arn:aws:iam::000000000000:role/operate"
)

// slow makes buffers wait for longer than any test lasts.
var slow = &types.BufferingHints{SizeInMBs: aws.Int32(128), IntervalInSeconds: aws.Int32(900)}

// backedUp adds a backup, below backup/.
func backedUp(d *types.ExtendedS3DestinationConfiguration) {
	d.S3BackupMode = types.S3BackupModeEnabled
	d.S3BackupConfiguration = &types.S3DestinationConfiguration{
		BucketARN: aws.String(bucketARN), RoleARN: aws.String(role), BufferingHints: slow, Prefix: aws.String("backup/"),
	}
}

// decompressing makes documents of CloudWatch Logs, which come compressed, readable.
func decompressing(d *types.ExtendedS3DestinationConfiguration) {
	d.ProcessingConfiguration = &types.ProcessingConfiguration{
		Enabled: aws.Bool(true),
		Processors: []types.Processor{{
			Type: types.ProcessorTypeDecompression,
			Parameters: []types.ProcessorParameter{{
				ParameterName: types.ProcessorParameterNameCompressionFormat, ParameterValue: aws.String("GZIP"),
			}},
		}},
	}
}

// world is a node, and who operates it.
type world struct {
	t      *testing.T
	server *server.Server
	binary string
	data   string
	put    int // records so far, over all streams
}

// newWorld starts a node with a bucket. args are more flags of hydrant serve.
func newWorld(t *testing.T, args ...string) *world {
	t.Helper()
	w := &world{t: t, binary: server.Build(t), data: t.TempDir()}
	w.server = server.Start(t, server.Options{Binary: w.binary, Data: w.data, Args: args})
	return w
}

// store is the node's own object store, with its bucket made.
func (w *world) store() *s3.Client {
	w.t.Helper()
	c := s3.NewFromConfig(w.server.Config(), func(o *s3.Options) { o.UsePathStyle = true })
	if _, err := c.CreateBucket(w.t.Context(), &s3.CreateBucketInput{Bucket: aws.String(bucket)}); err != nil {
		w.t.Fatal(err)
	}
	return c
}

// restart kills the node as kill -9 does, and starts it again.
func (w *world) restart() {
	w.t.Helper()
	w.server.Kill()
	w.server = server.Start(w.t, w.server.Again())
}

// makeSlow makes a slow stream. change, if there is one, says what is not usual about it.
func (w *world) makeSlow(name string, change func(*types.ExtendedS3DestinationConfiguration)) {
	w.t.Helper()
	d := &types.ExtendedS3DestinationConfiguration{
		BucketARN: aws.String(bucketARN), RoleARN: aws.String(role), BufferingHints: slow,
		Prefix: aws.String(name + "/"), ErrorOutputPrefix: aws.String("failed/!{firehose:error-output-type}/"),
	}
	if change != nil {
		change(d)
	}
	c := firehose.NewFromConfig(w.server.Config())
	if _, err := c.CreateDeliveryStream(w.t.Context(), &firehose.CreateDeliveryStreamInput{
		DeliveryStreamName: &name, ExtendedS3DestinationConfiguration: d,
	}); err != nil {
		w.t.Fatal(err)
	}
	eventually(w.t, name+" is active", func() bool {
		d, err := c.DescribeDeliveryStream(w.t.Context(), &firehose.DescribeDeliveryStreamInput{DeliveryStreamName: &name})
		return err == nil && d.DeliveryStreamDescription.DeliveryStreamStatus == types.DeliveryStreamStatusActive
	})
}

// puts puts records, each a line of its own, and returns them. Lines that were put later are
// greater.
func (w *world) puts(stream string, n int) (lines []string) {
	w.t.Helper()
	records := make([]types.Record, n)
	for i := range records {
		w.put++
		lines = append(lines, fmt.Sprintf("record %06d of %s", w.put, stream))
		records[i].Data = []byte(lines[i] + "\n")
	}
	w.batch(stream, records)
	return lines
}

// batch puts records that must all be taken.
func (w *world) batch(stream string, records []types.Record) {
	w.t.Helper()
	in := &firehose.PutRecordBatchInput{DeliveryStreamName: &stream, Records: records}
	out, err := firehose.NewFromConfig(w.server.Config()).PutRecordBatch(w.t.Context(), in)
	if err != nil || *out.FailedPutCount != 0 {
		w.t.Fatalf("put: %v, %+v", err, out)
	}
}

// delivered is what the objects below a prefix hold, in order. Objects of the same second are
// listed in any order.
func delivered(t *testing.T, c *s3.Client, prefix string) (objects int, lines []string) {
	t.Helper()
	pages := s3.NewListObjectsV2Paginator(c, &s3.ListObjectsV2Input{Bucket: aws.String(bucket), Prefix: &prefix})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range page.Contents {
			objects++
			of := linesOf(t, c, *o.Key)
			if !slices.IsSorted(of) {
				t.Errorf("the lines of %s are out of order", *o.Key)
			}
			lines = append(lines, of...)
		}
	}
	slices.Sort(lines)
	return objects, lines
}

func linesOf(t *testing.T, c *s3.Client, key string) []string {
	t.Helper()
	o, err := c.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String(bucket), Key: &key})
	if err != nil {
		t.Fatal(err)
	}
	defer o.Body.Close()
	b, err := io.ReadAll(o.Body)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
}

// holds fails unless so many objects below a prefix hold these lines, each once.
func holds(t *testing.T, c *s3.Client, prefix string, objects int, lines []string) {
	t.Helper()
	n, got := delivered(t, c, prefix)
	if n != objects || !slices.Equal(got, lines) {
		t.Fatalf("%d objects with %d lines below %s, want %d with %d: %q", n, len(got), prefix, objects, len(lines), got[:min(len(got), 5)])
	}
}

// answer is what a command did.
type answer struct {
	out, err string
	code     int
}

// hydrant runs a command against the node of the world.
func (w *world) hydrant(command string, args ...string) answer {
	w.t.Helper()
	return run(w.t, w.binary, append([]string{command, "--data", w.data}, args...)...)
}

// patience is how long a command may take.
const patience = 2 * time.Minute

// run runs the binary. It gets nothing of the environment that AWS tools look at.
func run(t *testing.T, binary string, args ...string) answer {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) || ctx.Err() != nil {
		t.Fatalf("hydrant %s: %v %v", strings.Join(args, " "), err, ctx.Err())
	}
	return answer{out.String(), errs.String(), cmd.ProcessState.ExitCode()}
}

// must fails unless the command did what it was asked.
func (w *world) must(command string, args ...string) string {
	w.t.Helper()
	a := w.hydrant(command, args...)
	if a.code != 0 || a.err != "" {
		w.t.Fatalf("hydrant %s %v ended with %d:\n%s%s", command, args, a.code, a.out, a.err)
	}
	return a.out
}

// refuses fails unless the command ends with code 1 and says each of the words.
func (w *world) refuses(words []string, command string, args ...string) {
	w.t.Helper()
	a := w.hydrant(command, args...)
	if a.code != 1 {
		w.t.Fatalf("hydrant %s %v ended with %d:\n%s%s", command, args, a.code, a.out, a.err)
	}
	for _, word := range words {
		if !strings.Contains(a.err, word) {
			w.t.Errorf("hydrant %s %v does not say %q: %s", command, args, word, a.err)
		}
	}
}

// stream is what hydrant streams tells of one stream to programs.
func (w *world) stream(name string) operate.Stream {
	w.t.Helper()
	var all struct {
		Streams []operate.Stream `json:"streams"`
	}
	out := w.must("streams", "--json")
	if err := json.Unmarshal([]byte(out), &all); err != nil {
		w.t.Fatalf("%v:\n%s", err, out)
	}
	i := slices.IndexFunc(all.Streams, func(s operate.Stream) bool { return s.Name == name })
	if i < 0 {
		w.t.Fatalf("%s is not among:\n%s", name, out)
	}
	return all.Streams[i]
}

// row is the line of a stream in the table for people.
func (w *world) row(name string) string {
	w.t.Helper()
	out := w.must("streams")
	for line := range strings.Lines(out) {
		if strings.HasPrefix(line, name+" ") {
			return line
		}
	}
	w.t.Fatalf("%s has no line:\n%s", name, out)
	return ""
}

// eventually polls until done says true.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	timeout := time.After(patience)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-timeout:
			t.Fatalf("never came true: %s", what)
		case <-tick.C:
		}
	}
}

// write writes a file of the test.
func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "hydrant.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

package functions

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/firehose"
	"github.com/aws/aws-sdk-go-v2/service/firehose/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"hydrant/e2e/server"
)

// scene is a server, and what it takes to deploy functions and to read what is delivered.
type scene struct {
	t      *testing.T
	server *server.Server
	folder string
}

const bucket = "events"

func TestMain(m *testing.M) { server.Main(m) }

func open(t *testing.T) *scene {
	t.Helper()
	if out, err := exec.Command("aws", "--version").CombinedOutput(); err != nil {
		t.Skipf("the AWS CLI is not installed here: %v %s", err, bytes.TrimSpace(out))
	}
	folder := t.TempDir()
	s := &scene{t: t, folder: folder, server: server.Start(t, server.Options{Binary: server.Build(t), Data: filepath.Join(folder, "data")})}
	s.aws("s3", "mb", "s3://"+bucket)
	return s
}

// again starts the server anew on the same data.
func (s *scene) again() { s.server = server.Start(s.t, s.server.Again()) }

// aws runs the AWS CLI, which must succeed, and returns what it wrote.
func (s *scene) aws(args ...string) string {
	s.t.Helper()
	out, err := s.try(args...)
	if err != nil {
		s.t.Fatalf("aws %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// fails is aws for what must be refused.
func (s *scene) fails(args ...string) string {
	s.t.Helper()
	out, err := s.try(args...)
	if err == nil {
		s.t.Errorf("aws %s succeeds: %s", strings.Join(args, " "), out)
	}
	return out
}

func (s *scene) try(args ...string) (string, error) {
	cmd := exec.CommandContext(s.t.Context(), "aws", args...)
	cmd.Dir = s.folder
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + s.folder, "AWS_ENDPOINT_URL=" + s.server.Address.URL(),
		"AWS_ACCESS_KEY_ID=" + s.server.Keys.AccessKeyID, "AWS_SECRET_ACCESS_KEY=" + string(s.server.Keys.Secret),
		"AWS_DEFAULT_REGION=" + s.server.Address.Region, "AWS_EC2_METADATA_DISABLED=true", "AWS_PAGER=", "AWS_MAX_ATTEMPTS=1",
	}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// deploy creates a function of an executable and returns its ARN.
func (s *scene) deploy(name, bootstrap string, more ...string) string {
	s.t.Helper()
	return s.create(name, zipped(s.t, bootstrap), "provided.al2023", "bootstrap", more...)
}

// create creates a function of a zip file and returns its ARN.
func (s *scene) create(name string, code []byte, runtime, handler string, more ...string) string {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.folder, name+".zip"), code, 0o600); err != nil {
		s.t.Fatal(err)
	}
	arn := s.aws(append([]string{
		"lambda", "create-function", "--function-name", name, "--runtime", runtime, "--handler", handler,
		"--role", "arn:aws:iam::000000000000:role/function", "--zip-file", "fileb://" + name + ".zip",
		"--query", "FunctionArn", "--output", "text",
	}, more...)...)
	return strings.TrimSpace(arn)
}

// packages are the zip files made so far, by the path of their executable: under the race
// detector one takes seconds.
var packages = struct {
	mu  sync.Mutex
	zip map[string][]byte
}{zip: map[string][]byte{}}

// zipped is a zip file with an executable as its bootstrap, and the modules beside it if it is
// a script.
func zipped(t *testing.T, bootstrap string) []byte {
	t.Helper()
	packages.mu.Lock()
	defer packages.mu.Unlock()
	if z, ok := packages.zip[bootstrap]; ok {
		return z
	}
	p := pack(t)
	p.file(bootstrap, "bootstrap", 0o755)
	modules, err := filepath.Glob(filepath.Join(filepath.Dir(bootstrap), "*.py"))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range modules {
		p.file(m, filepath.Base(m), 0o644)
	}
	packages.zip[bootstrap] = p.bytes()
	return packages.zip[bootstrap]
}

// packer makes a zip file.
type packer struct {
	t *testing.T
	b bytes.Buffer
	*zip.Writer
}

func pack(t *testing.T) *packer {
	p := &packer{t: t}
	p.Writer = zip.NewWriter(&p.b)
	p.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestSpeed) })
	return p
}

// file adds a file under a name.
func (p *packer) file(path, name string, mode fs.FileMode) {
	p.t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		p.t.Fatal(err)
	}
	h := &zip.FileHeader{Name: name, Method: zip.Deflate}
	h.SetMode(mode)
	w, err := p.CreateHeader(h)
	if err == nil {
		_, err = w.Write(data)
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

func (p *packer) bytes() []byte {
	p.t.Helper()
	if err := p.Close(); err != nil {
		p.t.Fatal(err)
	}
	return p.b.Bytes()
}

func (s *scene) firehose() *firehose.Client { return firehose.NewFromConfig(s.server.Config()) }

// stream creates a stream whose records go through a function.
func (s *scene) stream(name, function string, retries int) {
	s.t.Helper()
	parameter := func(name types.ProcessorParameterName, value string) types.ProcessorParameter {
		return types.ProcessorParameter{ParameterName: name, ParameterValue: &value}
	}
	_, err := s.firehose().CreateDeliveryStream(s.t.Context(), &firehose.CreateDeliveryStreamInput{
		DeliveryStreamName: &name,
		ExtendedS3DestinationConfiguration: &types.ExtendedS3DestinationConfiguration{
			RoleARN: aws.String("arn:aws:iam::000000000000:role/firehose"), BucketARN: aws.String("arn:aws:s3:::" + bucket),
			Prefix: aws.String(name + "/"), BufferingHints: &types.BufferingHints{IntervalInSeconds: aws.Int32(1), SizeInMBs: aws.Int32(1)},
			ProcessingConfiguration: &types.ProcessingConfiguration{Enabled: aws.Bool(true), Processors: []types.Processor{{
				Type: types.ProcessorTypeLambda, Parameters: []types.ProcessorParameter{
					parameter(types.ProcessorParameterNameLambdaArn, function),
					parameter(types.ProcessorParameterNameLambdaNumberOfRetries, fmt.Sprint(retries)),
					parameter(types.ProcessorParameterNameBufferSizeInMb, "0.2"), parameter(types.ProcessorParameterNameBufferIntervalInSeconds, "1"),
				},
			}}},
		},
	})
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

// fates are what became of a stream's records.
type fates struct {
	delivered []string            // lines
	failed    map[string][]string // source records by error code
}

func (f *fates) count() int {
	n := len(f.delivered)
	for _, list := range f.failed {
		n += len(list)
	}
	return n
}

// read reads all objects of a stream.
func (s *scene) read(stream string) *fates {
	s.t.Helper()
	client := s3.NewFromConfig(s.server.Config(), func(o *s3.Options) { o.UsePathStyle = true })
	list, err := client.ListObjectsV2(s.t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String(bucket), Prefix: aws.String(stream + "/")})
	if err != nil {
		s.t.Fatal(err)
	}
	f := &fates{failed: map[string][]string{}}
	for _, o := range list.Contents {
		got, err := client.GetObject(s.t.Context(), &s3.GetObjectInput{Bucket: aws.String(bucket), Key: o.Key})
		if err != nil {
			s.t.Fatal(err)
		}
		body, err := io.ReadAll(got.Body)
		if err != nil {
			s.t.Fatal(err)
		}
		for line := range strings.Lines(string(body)) {
			if !strings.Contains(*o.Key, "/processing-failed/") {
				f.delivered = append(f.delivered, line)
				continue
			}
			var failure struct{ RawData, ErrorCode string }
			if err := json.Unmarshal([]byte(line), &failure); err != nil {
				s.t.Fatalf("%s: %v", line, err)
			}
			raw, err := base64.StdEncoding.DecodeString(failure.RawData)
			if err != nil {
				s.t.Fatal(err)
			}
			f.failed[failure.ErrorCode] = append(f.failed[failure.ErrorCode], string(raw))
		}
	}
	slices.Sort(f.delivered)
	return f
}

// until waits for something that happens in its own time.
func (s *scene) until(what string, done func() bool) {
	s.t.Helper()
	for end := time.Now().Add(2 * time.Minute); !done(); time.Sleep(300 * time.Millisecond) {
		if time.Now().After(end) {
			s.t.Fatalf("waited in vain until %s", what)
		}
	}
}

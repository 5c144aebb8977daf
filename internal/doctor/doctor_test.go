package doctor

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hydrant/internal/aws"
	"hydrant/internal/config"
	"hydrant/internal/identity"
	"hydrant/internal/journal/pebble"
	"hydrant/internal/node"
	"hydrant/internal/record"
)

// dead is an object store that nobody reaches. It tells of the first attempt.
type dead struct {
	once sync.Once
	seen chan struct{}
}

func (d *dead) RoundTrip(*http.Request) (*http.Response, error) {
	d.once.Do(func() { close(d.seen) })
	return nil, errors.New("no route")
}

const (
	batches    = 44
	perBatch   = 50
	recordSize = 500
)

// kept makes a data directory with a stream, undelivered records and a delivery under way, by
// running a node whose object store is out of reach. while is called before the node ends.
func kept(t *testing.T, while func(data string)) (data string) {
	t.Helper()
	c := config.Defaults()
	c.Data, c.Storage.MinFree = filepath.Join(t.TempDir(), "data"), 0
	store := &dead{seen: make(chan struct{})}
	n, err := node.Open(t.Context(), node.Options{Config: c, Version: "test", Logger: slog.New(slog.DiscardHandler), StoreTransport: store})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- n.Run(ctx) }()
	call := caller(t, n, c)
	call("CreateDeliveryStream", `{"DeliveryStreamName":"clicks","ExtendedS3DestinationConfiguration":{`+
		`"RoleARN":"arn:aws:iam::000000000000:role/r","BucketARN":"arn:aws:s3:::b","BufferingHints":{"SizeInMBs":1,"IntervalInSeconds":0}}}`)
	for !strings.Contains(call("DescribeDeliveryStream", `{"DeliveryStreamName":"clicks"}`), `"ACTIVE"`) {
	}
	for range batches {
		call("PutRecordBatch", `{"DeliveryStreamName":"clicks","Records":[`+records()+`]}`)
	}
	<-store.seen
	if while != nil {
		while(c.Data)
	}
	cancel()
	if err := errors.Join(<-ended, n.Close()); err != nil {
		t.Fatal(err)
	}
	return c.Data
}

// records are some that do not compress.
func records() string {
	var all []string
	raw := make([]byte, recordSize)
	for range perBatch {
		rand.Read(raw)
		all = append(all, `{"Data":"`+base64.StdEncoding.EncodeToString(raw)+`"}`)
	}
	return strings.Join(all, ",")
}

// caller returns a function that calls the node's Firehose API and wants success.
func caller(t *testing.T, n *node.Node, c config.Config) func(operation, body string) string {
	store, err := identity.Load(c.Data)
	if err != nil {
		t.Fatal(err)
	}
	root := store.Root()
	signer := aws.NewSigner(root.AccessKeyID, root.Secret, "", "firehose", c.Region)
	return func(operation, body string) string {
		t.Helper()
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-amz-json-1.1")
		r.Header.Set("X-Amz-Target", "Firehose_20150804."+operation)
		sum := sha256.Sum256([]byte(body))
		signer.Sign(r, hex.EncodeToString(sum[:]), time.Now())
		w := httptest.NewRecorder()
		n.AWS().ServeHTTP(w, r)
		if w.Code != http.StatusOK || strings.Contains(w.Body.String(), "ErrorCode") {
			t.Fatalf("%s: %d %.300s", operation, w.Code, w.Body)
		}
		return w.Body.String()
	}
}

// examined examines and wants no error.
func examined(t *testing.T, data string, repair bool) *Report {
	t.Helper()
	r, err := Examine(t.Context(), Options{Data: data, Repair: repair})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// tree is the content of all files of a folder, but for empty ones.
func tree(t *testing.T, folder string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		sum := sha256.Sum256(b)
		all[path] = hex.EncodeToString(sum[:])
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

var changing = []struct {
	is *regexp.Regexp
	as string
}{
	{regexp.MustCompile(`/\S+/data`), "DATA"},
	{regexp.MustCompile(`takes [0-9.]+ .iB`), "takes SIZE"},
	{regexp.MustCompile(`[0-9hms]+ ago`), "AGE ago"},
	{regexp.MustCompile(`[0-9]+ objects? prepared`), "N objects prepared"},
}

func TestAHealthyDirectorySaysWhatIsUndelivered(t *testing.T) {
	data := kept(t, nil)
	for _, object := range []string{"a", "b/c"} {
		path := filepath.Join(data, bucketsFolder, "shop", object)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte("12345"), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	before := tree(t, data)
	r := examined(t, data, false)
	if d := cmp.Diff(before, tree(t, data)); d != "" {
		t.Fatalf("examining changed the directory:\n%s", d)
	}
	var out strings.Builder
	if err := r.Print(&out, time.Now(), "hydrant doctor"); err != nil {
		t.Fatal(err)
	}
	got := out.String()
	for _, c := range changing {
		got = c.is.ReplaceAllString(got, c.as)
	}
	want, err := os.ReadFile("testdata/healthy.txt")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Fatal(d)
	}
	if !r.Healthy || len(r.Streams) != 1 {
		t.Fatalf("%+v", r)
	}
	q := r.Streams[0].Queues[0]
	all := record.Counts{Records: batches * perBatch, Bytes: batches * perBatch * recordSize}
	if q.Received != all || q.Pending != all || q.Kept != all || q.Plan == nil || q.Oldest == nil || time.Since(*q.Oldest) > time.Hour {
		t.Fatalf("%+v", q)
	}
}

// spoil overwrites n bytes in the middle of the largest file of the journal with a suffix.
func spoil(t *testing.T, data, suffix string, n int) (file string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(data, journalFolder, "*"+suffix))
	if err != nil || len(files) == 0 {
		t.Fatalf("no file *%s: %v", suffix, err)
	}
	file = slices.MaxFunc(files, func(a, b string) int { return int(fileSize(t, a) - fileSize(t, b)) })
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		b[len(b)/2+i] ^= 0x5a
	}
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return filepath.Base(file)
}

func fileSize(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// flushed opens and closes the engine, which turns its log into tables.
func flushed(t *testing.T, data string) {
	t.Helper()
	o := Options{Data: data, Logger: slog.New(slog.DiscardHandler)}
	e, err := pebble.Open(t.Context(), o.engine())
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
}

// A damaged directory is told of without touching it. What a repair leaves is what the
// examination announced, and a second repair finds nothing to do.
func TestDamageIsToldAndRepaired(t *testing.T) {
	for _, c := range []struct {
		name   string
		suffix string
		bytes  int
		lost   bool // entries are
	}{
		{"a flipped byte of a table is mended", ".sst", 1, false},
		{"a wiped block of a table is a loss", ".sst", 3000, true},
		{"a flipped byte of the log is mended", ".log", 1, false},
		{"a wiped piece of the log is a loss", ".log", 3000, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			data := filepath.Join(t.TempDir(), "crashed")
			kept(t, func(running string) {
				if err := os.CopyFS(data, os.DirFS(running)); err != nil {
					t.Fatal(err)
				}
			})
			if c.suffix == ".sst" {
				flushed(t, data)
			}
			file := spoil(t, data, c.suffix, c.bytes)
			before := tree(t, data)
			r := examined(t, data, false)
			if d := cmp.Diff(before, tree(t, data)); d != "" {
				t.Fatalf("examining changed the directory:\n%s", d)
			}
			if r.Healthy || len(r.Damage) == 0 || r.Damage[0].File != file {
				t.Fatalf("spoilt %s, found %+v", file, r.Damage)
			}
			var out bytes.Buffer
			if err := r.Print(&out, time.Now(), "hydrant doctor"); err != nil {
				t.Fatal(err)
			}
			for _, says := range []string{"is DAMAGED", file + ": ", "Next: hydrant doctor --repair"} {
				if !strings.Contains(out.String(), says) {
					t.Errorf("the report does not say %q:\n%s", says, &out)
				}
			}
			repaired(t, data, file, c.lost, r)
		})
	}
}

// repaired repairs and compares with what the examination found.
func repaired(t *testing.T, data, file string, lost bool, announced *Report) {
	t.Helper()
	r := examined(t, data, true)
	if len(r.Damage) != 0 || len(r.Repaired) == 0 || r.Repaired[0].File != file {
		t.Fatalf("repaired %+v, left %+v", r.Repaired, r.Damage)
	}
	if len(r.SetAside) == 0 || r.Repaired[0].Copy == "" {
		t.Fatalf("set aside: %+v, copy in %q", r.SetAside, r.Repaired[0].Copy)
	}
	if r.Healthy == lost {
		t.Fatalf("healthy after the repair: %v", r.Healthy)
	}
	before, after := announced.queues()[0], r.queues()[0]
	if d := cmp.Diff(before.Missing, after.Missing); d != "" {
		t.Fatalf("the repair lost other entries than announced:\n%s", d)
	}
	all := record.Counts{Records: batches * perBatch, Bytes: batches * perBatch * recordSize}
	sum := after.Kept
	for _, m := range after.Missing {
		sum = sum.Add(m.Lost)
	}
	if sum != all || (len(after.Missing) > 0) != lost {
		t.Fatalf("kept %+v and missing %+v are not %+v", after.Kept, after.Missing, all)
	}
	if again := examined(t, data, true); len(again.Repaired) != 0 {
		t.Fatalf("a second repair found %+v", again.Repaired)
	}
	var out bytes.Buffer
	if err := r.Print(&out, time.Now(), "hydrant doctor"); err != nil {
		t.Fatal(err)
	}
	for _, says := range []string{"Repaired:", "Set aside in"} {
		if !strings.Contains(out.String(), says) {
			t.Errorf("the report does not say %q:\n%s", says, &out)
		}
	}
}

func TestARunningNodeIsLeftAlone(t *testing.T) {
	kept(t, func(data string) {
		for _, repair := range []bool{false, true} {
			if _, err := Examine(t.Context(), Options{Data: data, Repair: repair}); !errors.Is(err, ErrRunning) {
				t.Errorf("repair %v: %v", repair, err)
			}
		}
	})
}

func TestADirectoryWithoutDataIsNamed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, data := range []string{t.TempDir(), filepath.Join(t.TempDir(), "absent")} {
		_, err := Examine(t.Context(), Options{Data: data})
		if !errors.Is(err, ErrNoData) || !strings.Contains(err.Error(), data) {
			t.Errorf("%s: %v", data, err)
		}
	}
	if _, err := Examine(t.Context(), Options{Data: file}); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("a file: %v", err)
	}
}

func TestWhatNobodyUnderstandsIsNamed(t *testing.T) {
	data := t.TempDir()
	o := Options{Data: data, Logger: slog.New(slog.DiscardHandler)}
	e, err := pebble.Open(t.Context(), o.engine())
	if err != nil {
		t.Fatal(err)
	}
	stray := record.Queue{Stream: record.StreamID{1, 2, 3}}
	tx := record.Tx{
		States: []record.StateWrite{
			{Key: "stream/x", Value: []byte(`{"name":"x","unheardOf":1}`)},
			{Key: "output/y/0/0", Value: []byte(`{}`)},
			{Key: "output/" + stray.String(), Value: []byte(`{"checkpoint":{"entry":2,"before":{"records":1,"bytes":1}}}`)},
			{Key: "ledger/z", Value: []byte(`[]`)},
			{Key: "later/w", Value: []byte{0}},
		},
		Appends: []record.Append{{Queue: stray, Arrival: time.Now(), Pieces: []record.Piece{
			{RawBytes: 1, Lengths: []uint32{1}, Stored: []byte("a")}, {RawBytes: 2, Lengths: []uint32{2}, Stored: []byte("bc")},
		}}},
	}
	if err := errors.Join(e.Apply(t.Context(), &tx), e.Close()); err != nil {
		t.Fatal(err)
	}
	r := examined(t, data, false)
	if len(r.Unreadable) != 3 || len(r.States) != 5 || r.Healthy {
		t.Fatalf("%+v", r)
	}
	if len(r.Strays) != 1 || r.Strays[0].Pending != (record.Counts{Records: 1, Bytes: 2}) {
		t.Fatalf("strays %+v", r.Strays)
	}
	var out bytes.Buffer
	if err := r.Print(&out, time.Now(), "hydrant doctor"); err != nil {
		t.Fatal(err)
	}
	for _, says := range []string{"State stream/x cannot be understood", "perhaps written by a newer version", "1 queue without a stream"} {
		if !strings.Contains(out.String(), says) {
			t.Errorf("the report does not say %q:\n%s", says, &out)
		}
	}
}

// Where records are processed, the ingest log is as far as the stage, and what it made as far
// as the output of the data.
func TestTheQueuesOfAProcessedStreamHaveTheirOwnReaders(t *testing.T) {
	data := t.TempDir()
	o := Options{Data: data, Logger: slog.New(slog.DiscardHandler)}
	e, err := pebble.Open(t.Context(), o.engine())
	if err != nil {
		t.Fatal(err)
	}
	source := record.Queue{Stream: record.StreamID{1, 2, 3}}
	made := source
	made.Output = record.Processed
	one := record.Piece{RawBytes: 1, RawCRC: crc32.ChecksumIEEE([]byte("a")), Lengths: []uint32{1}, Stored: []byte("a")}
	tx := record.Tx{
		States: []record.StateWrite{
			{Key: "output/" + source.String(), Value: []byte(`{"staged":true,"checkpoint":{"entry":2,"before":{"records":1,"bytes":1}}}`)},
			{Key: "stage/" + source.String(), Value: []byte(`{"checkpoint":{"entry":3,"before":{"records":2,"bytes":2}}}`)},
		},
		Appends: []record.Append{
			{Queue: source, Arrival: time.Now(), Pieces: []record.Piece{one, one, one}},
			{Queue: made, Arrival: time.Now(), Pieces: []record.Piece{one, one}},
		},
	}
	if err := errors.Join(e.Apply(t.Context(), &tx), e.Close()); err != nil {
		t.Fatal(err)
	}
	r := examined(t, data, false)
	if len(r.Strays) != 2 || r.Strays[0].Checkpoint.Entry != 3 || r.Strays[0].Pending.Records != 1 ||
		r.Strays[1].Checkpoint.Entry != 2 || r.Strays[1].Pending.Records != 1 || len(r.Unreadable) != 0 {
		t.Fatalf("%+v", r.Strays)
	}
}

// A manifest says how many objects are prepared, whatever else it holds.
func TestAPlanIsReadFromItsState(t *testing.T) {
	f := newFindings(new(Report))
	q := record.Queue{Stream: record.StreamID{1}}
	err := f.output(record.State{Key: "output/" + q.String(), Value: fmt.Appendf(nil,
		`{"checkpoint":{"entry":7,"index":2,"before":{"records":9,"bytes":99}},"delivered":{"records":9,"bytes":99},"objects":1,`+
			`"plan":{"version":3,"nonce":"00","made":"2026-01-15T10:00:00Z","begun":[{"bucket":"b","key":"k"}],`+
			`"manifest":{"to":{"entry":9},"objects":[{"bucket":"b","key":"k","size":1},{"bucket":"b","key":"l","size":2}]}}}`)})
	if err != nil {
		t.Fatal(err)
	}
	p := f.progress[q]
	want := &Plan{Version: 3, Made: time.Date(2026, 1, 15, 10, 0, 0, 0, time.UTC), Uploads: 1, Prepared: 2}
	if d := cmp.Diff(want, p.plan()); d != "" {
		t.Fatal(d)
	}
}

func FuzzParseQueue(f *testing.F) {
	f.Add(record.Queue{Stream: record.StreamID{1}, Output: 2, Shard: 3}.String())
	f.Add("//")
	f.Fuzz(func(t *testing.T, name string) {
		q, err := parseQueue(name)
		if err != nil {
			return
		}
		if again, err := parseQueue(q.String()); err != nil || again != q {
			t.Fatalf("%q is %v, then %v, %v", name, q, again, err)
		}
	})
}

package glue

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"log/slog"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/go-json-experiment/json"

	"hydrant/internal/aws"
	"hydrant/internal/journal"
	"hydrant/internal/journal/pebble"
	"hydrant/internal/record"
)

const (
	testKeyID  = "HYDRTESTTESTTESTTEST"
	testSecret = "test-secret-of-forty-characters-12345678"
	testRegion = "us-east-1"
	account    = "000000000000"
)

var testTime = time.Date(2026, 1, 15, 10, 15, 0, 500e6, time.UTC)

// testKeys knows one access key.
type testKeys struct{}

func (testKeys) Lookup(id string) (aws.Key, bool) {
	return aws.Key{Secret: testSecret, Owner: "root"}, id == testKeyID
}

var _ Log = journal.Engine(nil) // what it stands for

// world is a catalogue in a journal, behind a server.
type world struct {
	t      testing.TB
	disk   *vfs.MemFS
	engine *pebble.Engine
	log    Log // the engine, or what a test puts before it
	server *aws.Server
	full   bool
	*Service

	mu     sync.Mutex
	logged strings.Builder
	denied string   // an action and resource
	asked  []string // action and resource, in order
}

func newWorld(t testing.TB) *world {
	w := &world{t: t, disk: vfs.NewMem()}
	w.open()
	t.Cleanup(w.close)
	return w
}

func (w *world) close() {
	if err := w.engine.Close(); err != nil {
		w.t.Error(err)
	}
}

// open starts the catalogue from what is on disk.
func (w *world) open() {
	w.t.Helper()
	var err error
	w.engine, err = pebble.Open(w.t.Context(), pebble.Options{
		Dir: "/journal", FS: w.disk, MemTableBytes: 1 << 20, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.log = w.engine
	w.serve()
}

// serve begins the catalogue anew on its log.
func (w *world) serve() {
	w.t.Helper()
	logger := slog.New(slog.NewTextHandler(w, nil))
	s, err := Open(w.t.Context(), Options{
		Log: w.log, Partition: "aws", Region: testRegion, Account: account, Logger: logger,
		Now: func() time.Time { return testTime }, Full: func() bool { return w.full },
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.Service, w.server = s, w.api(s, func() time.Time { return testTime })
}

func (w *world) api(s *Service, now func() time.Time) *aws.Server {
	server := aws.NewServer(aws.Options{
		Partition: "aws", Region: testRegion, Account: account, Credentials: testKeys{}, Authorizer: w,
		Buffers: aws.NewBuffers(64<<20, time.Minute), Logger: slog.New(slog.NewTextHandler(w, nil)), Now: now,
	})
	server.Handle("glue", s.JSON())
	return server
}

// restart closes the journal and opens it again.
func (w *world) restart() {
	w.t.Helper()
	w.close()
	w.open()
}

// Write takes log lines.
func (w *world) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.logged.Write(p)
}

// Allow is the world's authorisation.
func (w *world) Allow(_ context.Context, _ aws.Principal, action, resource string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked = append(w.asked, action+" "+resource)
	if action+" "+resource == w.denied {
		return errors.New("no identity-based policy allows the " + action + " action")
	}
	return nil
}

// fields is a JSON object, and list an array.
type (
	fields = map[string]any
	array  = []any
)

// send sends a body and returns the answer as it is.
func (w *world) send(operation, body string) (status int, answer string) {
	w.t.Helper()
	r := httptest.NewRequestWithContext(w.t.Context(), "POST", "http://localhost:4573/", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", "AWSGlue."+operation)
	sum := sha256.Sum256([]byte(body))
	aws.NewSigner(testKeyID, testSecret, "", "glue", testRegion).Sign(r, hex.EncodeToString(sum[:]), testTime)
	rec := httptest.NewRecorder()
	w.server.ServeHTTP(rec, r)
	return rec.Code, rec.Body.String()
}

// call sends a request; code and message are empty if it succeeded.
func (w *world) call(operation string, in fields) (out fields, code, message string) {
	w.t.Helper()
	text, err := json.Marshal(in)
	if err != nil {
		w.t.Fatal(err)
	}
	status, answer := w.send(operation, string(text))
	if err := json.Unmarshal([]byte(answer), &out); err != nil {
		w.t.Fatalf("%s answered %q: %v", operation, answer, err)
	}
	if status == 200 {
		return out, "", ""
	}
	code, _ = out["__type"].(string)
	message, _ = out["Message"].(string)
	return nil, code, message
}

// must is call for what has to succeed.
func (w *world) must(operation string, in fields) fields {
	w.t.Helper()
	out, code, message := w.call(operation, in)
	if code != "" {
		w.t.Fatalf("%s %.300v: %s: %s", operation, in, code, message)
	}
	return out
}

// refused is call for what has to fail with a code.
func (w *world) refused(code, operation string, in fields) string {
	w.t.Helper()
	out, got, message := w.call(operation, in)
	if got != code {
		w.t.Errorf("%s %.300v: code %q (%s), answer %v; want %s", operation, in, got, message, out, code)
	}
	return message
}

// table is a small definition of a table.
func table(name string, columns ...string) fields {
	all := array{}
	for _, c := range columns {
		all = append(all, fields{"Name": c, "Type": "string"})
	}
	return fields{"Name": name, "StorageDescriptor": fields{"Columns": all}}
}

// make makes database db with tables.
func (w *world) make(tables ...fields) {
	w.t.Helper()
	w.must("CreateDatabase", fields{"DatabaseInput": fields{"Name": "db"}})
	for _, t := range tables {
		w.must("CreateTable", fields{"DatabaseName": "db", "TableInput": t})
	}
}

// stored counts the keys of the catalogue.
func (w *world) stored() (n int) {
	w.t.Helper()
	err := w.engine.States(w.t.Context(), "glue/", func(record.State) error { n++; return nil })
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

// boto3 finds a python that has boto3.
func boto3(t *testing.T) string {
	t.Helper()
	for _, python := range []string{"python3", filepath.Join("..", "..", "..", ".tools", "clients", "bin", "python")} {
		path, err := exec.LookPath(python)
		if err == nil && exec.CommandContext(t.Context(), path, "-c", "import boto3").Run() == nil {
			return path
		}
	}
	t.Skip("boto3 is not installed: it was not tried against the service")
	return ""
}

// TestBoto3Works runs testdata/boto3_walk.py.
func TestBoto3Works(t *testing.T) {
	python := boto3(t)
	w := newWorld(t)
	web := httptest.NewServer(w.api(w.Service, time.Now)) // boto3 signs with the machine's clock
	defer web.Close()
	home := t.TempDir()
	cmd := exec.CommandContext(t.Context(), python, filepath.Join("testdata", "boto3_walk.py"))
	cmd.Env = append(os.Environ(), "HOME="+home, "AWS_CONFIG_FILE="+filepath.Join(home, "config"),
		"AWS_SHARED_CREDENTIALS_FILE="+filepath.Join(home, "credentials"), "AWS_EC2_METADATA_DISABLED=true",
		"AWS_ENDPOINT_URL="+web.URL, "AWS_DEFAULT_REGION="+testRegion, "AWS_REGION="+testRegion,
		"AWS_ACCESS_KEY_ID="+testKeyID, "AWS_SECRET_ACCESS_KEY="+testSecret)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

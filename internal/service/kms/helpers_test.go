package kms

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"hydrant/internal/aws"
	"hydrant/internal/durable"
)

const (
	testKeyID  = "HYDRTESTTESTTESTTEST"
	testSecret = "test-secret-of-forty-characters-12345678"
	testRegion = "us-east-1"
	arnStart   = "arn:aws:kms:us-east-1:000000000000:"
)

var testTime = time.Date(2026, 1, 15, 10, 15, 0, 0, time.UTC)

// testKeys knows one access key.
type testKeys struct{}

func (testKeys) Lookup(id string) (aws.Key, bool) {
	return aws.Key{Secret: testSecret, Owner: "root"}, id == testKeyID
}

// world is a service behind a server, on a disk and with a clock of its own.
type world struct {
	t      testing.TB
	root   string
	disk   durable.Disk
	server *aws.Server
	*Service

	mu     sync.Mutex
	now    time.Time
	log    strings.Builder
	denied string   // an action
	asked  []string // action and resource, in order
}

func newWorld(t testing.TB) *world {
	w := &world{t: t, root: t.TempDir(), now: testTime}
	w.reopen()
	return w
}

func (w *world) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// Write takes log lines.
func (w *world) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.Write(p)
}

func (w *world) logged() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.String()
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func (w *world) options() Options {
	return Options{Root: w.root, Partition: "aws", Region: testRegion, Account: "000000000000", Logger: w.logger(), Now: w.clock}
}

// Allow is the world's authorisation.
func (w *world) Allow(_ context.Context, _ aws.Principal, action, resource string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked = append(w.asked, action+" "+resource)
	if action == w.denied {
		return errors.New("no identity-based policy allows the " + action + " action")
	}
	return nil
}

// reopen starts the service anew from what is on disk.
func (w *world) reopen() {
	w.t.Helper()
	s, err := open(w.options(), w.disk)
	if err != nil {
		w.t.Fatal(err)
	}
	w.Service = s
	w.server = aws.NewServer(aws.Options{
		Partition: "aws", Region: testRegion, Account: "000000000000", Credentials: testKeys{}, Authorizer: w,
		Buffers: aws.NewBuffers(64<<20, time.Minute), Logger: w.logger(), Now: func() time.Time { return testTime },
	})
	w.server.Handle("kms", s.JSON())
}

// fields is a JSON object.
type fields = map[string]any

// call sends a request; code and message are empty if it succeeded.
func (w *world) call(operation string, in fields) (out fields, code, message string) {
	w.t.Helper()
	text, err := json.Marshal(in)
	if err != nil {
		w.t.Fatal(err)
	}
	status, out := w.send(operation, string(text))
	if status == 200 {
		return out, "", ""
	}
	code, _ = out["__type"].(string)
	message, _ = out["message"].(string)
	return nil, code, message
}

func (w *world) send(operation, body string) (int, fields) {
	w.t.Helper()
	r := httptest.NewRequest("POST", "http://localhost:4573/", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", "TrentService."+operation)
	sum := sha256.Sum256([]byte(body))
	aws.NewSigner(testKeyID, testSecret, "", "kms", testRegion).Sign(r, hex.EncodeToString(sum[:]), testTime)
	rec := httptest.NewRecorder()
	w.server.ServeHTTP(rec, r)
	answer, err := io.ReadAll(rec.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	var out fields
	if err := json.Unmarshal(answer, &out); err != nil {
		w.t.Fatalf("%s answered %q: %v", operation, answer, err)
	}
	return rec.Code, out
}

// must is call for what has to succeed.
func (w *world) must(operation string, in fields) fields {
	w.t.Helper()
	out, code, message := w.call(operation, in)
	if code != "" {
		w.t.Fatalf("%s %v: %s: %s", operation, in, code, message)
	}
	return out
}

// refused is call for what has to fail with a code.
func (w *world) refused(code, operation string, in fields) string {
	w.t.Helper()
	out, got, message := w.call(operation, in)
	if got != code {
		w.t.Errorf("%s %v: code %q (%s), answer %v; want %s", operation, in, got, message, out, code)
	}
	return message
}

// newKey makes a key and returns its id.
func (w *world) newKey(in fields) string {
	w.t.Helper()
	return w.must("CreateKey", in)["KeyMetadata"].(fields)["KeyId"].(string)
}

func (w *world) metadata(name string) fields {
	w.t.Helper()
	return w.must("DescribeKey", fields{"KeyId": name})["KeyMetadata"].(fields)
}

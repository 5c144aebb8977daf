package logs

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"log/slog"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"hydrant/internal/aws"
)

const (
	testKeyID  = "HYDRTESTTESTTESTTEST"
	testSecret = "test-secret-of-forty-characters-12345678"
	testRegion = "us-east-1"
	arnStart   = "arn:aws:logs:us-east-1:000000000000:log-group:"
)

var testTime = time.Date(2026, 1, 15, 10, 15, 0, 0, time.UTC)

// millis is the start of the tests.
var millis = testTime.UnixMilli()

type testKeys struct{}

func (testKeys) Lookup(id string) (aws.Key, bool) {
	return aws.Key{Secret: testSecret, Owner: "root"}, id == testKeyID
}

// world is a service behind a server, with a disk and a clock of its own.
type world struct {
	t      testing.TB
	root   string
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

// reopen starts the service anew from what is on disk, as after a crash.
func (w *world) reopen() {
	w.t.Helper()
	logger := slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug}))
	s, err := Open(Options{
		Root: w.root, Partition: "aws", Region: testRegion, Account: "000000000000", Logger: logger, Now: w.clock,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.Service = s
	w.server = aws.NewServer(aws.Options{
		Partition: "aws", Region: testRegion, Account: "000000000000", Credentials: testKeys{}, Authorizer: w,
		Buffers: aws.NewBuffers(64<<20, time.Minute), Logger: logger, Now: func() time.Time { return testTime },
	})
	w.server.Handle("logs", s.JSON())
}

// fields is a JSON object.
type fields = map[string]any

// post sends one request and returns status and body.
func (w *world) post(operation string, body []byte) (int, string) {
	sum := sha256.Sum256(body)
	r := httptest.NewRequest("POST", "http://localhost/", strings.NewReader(string(body)))
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", "Logs_20140328."+operation)
	aws.NewSigner(testKeyID, testSecret, "", "logs", testRegion).Sign(r, hex.EncodeToString(sum[:]), testTime)
	rec := httptest.NewRecorder()
	w.server.ServeHTTP(rec, r)
	return rec.Code, rec.Body.String()
}

func (w *world) send(operation string, in fields) (int, string) {
	w.t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.post(operation, body)
}

// ask expects success and returns the answer.
func (w *world) ask(operation string, in fields) fields {
	w.t.Helper()
	status, body := w.send(operation, in)
	out := fields{}
	if err := json.Unmarshal([]byte(body), &out); err != nil || status != 200 {
		w.t.Fatalf("%s %v: %d %s", operation, in, status, body)
	}
	return out
}

// into is ask with the answer decoded.
func (w *world) into(out any, operation string, in fields) {
	w.t.Helper()
	status, body := w.send(operation, in)
	if err := json.Unmarshal([]byte(body), out); err != nil || status != 200 {
		w.t.Fatalf("%s %v: %d %s %v", operation, in, status, body, err)
	}
}

// refuse expects an error that has code and part of the text.
func (w *world) refuse(operation string, in fields, code, text string) {
	w.t.Helper()
	status, body := w.send(operation, in)
	if status == 200 || !strings.Contains(body, `"`+code+`"`) || !strings.Contains(body, text) {
		w.t.Errorf("%s %v: %d %s, want %s %q", operation, in, status, body, code, text)
	}
}

// make creates a group with streams.
func (w *world) make(group string, streams ...string) {
	w.t.Helper()
	w.ask("CreateLogGroup", fields{"logGroupName": group})
	for _, s := range streams {
		w.ask("CreateLogStream", fields{"logGroupName": group, "logStreamName": s})
	}
}

// say puts events, one millisecond apart from a time on.
func (w *world) say(group, stream string, from int64, messages ...string) {
	w.t.Helper()
	var events []Event
	for i, m := range messages {
		events = append(events, Event{time.UnixMilli(from + int64(i)), m})
	}
	if err := w.Put(context.Background(), group, stream, events); err != nil {
		w.t.Fatal(err)
	}
}

// read tells the messages of a stream in order.
func (w *world) read(group, stream string) []string {
	w.t.Helper()
	var out getOutput
	w.into(&out, "GetLogEvents", fields{"logGroupName": group, "logStreamName": stream, "startFromHead": true})
	return messages(out.Events)
}

func messages(events []eventOutput) []string {
	out := []string{}
	for _, e := range events {
		out = append(out, e.Message)
	}
	return out
}

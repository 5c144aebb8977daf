package lambda

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
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
	testRole   = "arn:aws:iam::000000000000:role/firehose"
	arnStart   = "arn:aws:lambda:us-east-1:000000000000:function:"

	// patience bounds every wait of the tests.
	patience = time.Minute
)

var testTime = time.Date(2026, 1, 15, 10, 15, 0, 0, time.UTC)

// testKeys knows one access key.
type testKeys struct{}

func (testKeys) Lookup(id string) (aws.Key, bool) {
	return aws.Key{Secret: testSecret, Owner: "root"}, id == testKeyID
}

// world is a service behind a server. Its timers fire when a test says so.
type world struct {
	t      testing.TB
	root   string
	disk   durable.Disk
	server *aws.Server
	buffer *aws.Buffers
	change func(*Options)
	*Service
	timers timers

	mu     sync.Mutex
	log    strings.Builder
	lines  []string // of all functions' logs: stream and text
	more   chan struct{}
	denied string // an action
}

func newWorld(t testing.TB, change ...func(*Options)) *world {
	w := &world{t: t, root: t.TempDir(), more: make(chan struct{}, 1), change: func(*Options) {}}
	if len(change) > 0 {
		w.change = change[0]
	}
	w.reopen()
	t.Cleanup(func() {
		if err := w.Service.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// reopen starts the service anew from what is on disk.
func (w *world) reopen() {
	w.t.Helper()
	if w.Service != nil {
		if err := w.Service.Close(); err != nil {
			w.t.Fatal(err)
		}
	}
	o := Options{
		Root: w.root, Partition: "aws", Region: testRegion, Account: "000000000000", Logger: w.logger(),
		Now: time.Now, Logs: w.keep,
	}
	w.change(&o)
	s, err := open(o, machine{
		disk: w.disk, after: w.timers.after, readable: []string{os.Args[0]},
		slack: math.MaxInt64, // the race detector reserves all there is
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.Service = s
	w.buffer = aws.NewBuffers(256<<20, time.Minute)
	w.server = aws.NewServer(aws.Options{
		Partition: "aws", Region: testRegion, Account: "000000000000", Credentials: testKeys{}, Authorizer: w,
		Buffers: w.buffer, Logger: w.logger(), Now: func() time.Time { return testTime },
	})
	w.server.Handle("lambda", s.REST())
}

func (w *world) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// Write takes log lines of the service.
func (w *world) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.Write(p)
}

// keep takes log lines of functions.
func (w *world) keep(_ context.Context, group, stream string, lines []Line) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, l := range lines {
		w.lines = append(w.lines, group+" "+stream+" "+l.Text)
	}
	select {
	case w.more <- struct{}{}:
	default:
	}
}

// logged returns the lines so far.
func (w *world) logged() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string(nil), w.lines...)
}

// awaitLines returns when n lines with a text in them have been logged, and those.
func (w *world) awaitLines(n int, text string) []string {
	w.t.Helper()
	deadline := time.After(patience)
	for {
		var found []string
		for _, line := range w.logged() {
			if strings.Contains(line, text) {
				found = append(found, line)
			}
		}
		if len(found) >= n {
			return found
		}
		select {
		case <-w.more:
		case <-deadline:
			w.t.Fatalf("%d lines with %q, want %d, in %q", len(found), text, n, w.logged())
		}
	}
}

// Allow is the world's authorisation.
func (w *world) Allow(_ context.Context, _ aws.Principal, action, _ string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if action == w.denied {
		return errors.New("no identity-based policy allows the " + action + " action")
	}
	return nil
}

// timers fire when told to.
type timers struct {
	mu  sync.Mutex
	set map[*timer]bool
}

type timer struct {
	d time.Duration
	f func()
}

func (ts *timers) after(d time.Duration, f func()) func() bool {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if ts.set == nil {
		ts.set = make(map[*timer]bool)
	}
	t := &timer{d, f}
	ts.set[t] = true
	return func() bool {
		ts.mu.Lock()
		defer ts.mu.Unlock()
		was := ts.set[t]
		delete(ts.set, t)
		return was
	}
}

// has says whether there is a timer of a duration.
func (ts *timers) has(d time.Duration) bool {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	for t := range ts.set {
		if t.d == d {
			return true
		}
	}
	return false
}

// fire fires all timers of a duration, and returns how many there were.
func (ts *timers) fire(d time.Duration) int {
	ts.mu.Lock()
	var due []*timer
	for t := range ts.set {
		if t.d == d {
			due = append(due, t)
			delete(ts.set, t)
		}
	}
	ts.mu.Unlock()
	for _, t := range due {
		t.f()
	}
	return len(due)
}

// fields is a JSON object.
type fields = map[string]any

// response is what came back of a request.
type response struct {
	status int
	header http.Header
	body   []byte
}

func (r response) code() string { return r.header.Get("X-Amzn-Errortype") }

func (r response) fields(t testing.TB) fields {
	t.Helper()
	var out fields
	if err := json.Unmarshal(r.body, &out); err != nil {
		t.Fatalf("%d %q: %v", r.status, r.body, err)
	}
	return out
}

// send sends a signed request.
func (w *world) send(method, path string, body []byte, headers ...string) response {
	w.t.Helper()
	r := httptest.NewRequest(method, "http://localhost:4573"+path, bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	sum := sha256.Sum256(body)
	aws.NewSigner(testKeyID, testSecret, "", "lambda", testRegion).Sign(r, hex.EncodeToString(sum[:]), testTime)
	rec := httptest.NewRecorder()
	w.server.ServeHTTP(rec, r)
	answer, err := io.ReadAll(rec.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return response{rec.Code, rec.Header(), answer}
}

// call sends a JSON request.
func (w *world) call(method, path string, in any) response {
	w.t.Helper()
	text, err := json.Marshal(in)
	if err != nil {
		w.t.Fatal(err)
	}
	if in == nil {
		text = nil
	}
	return w.send(method, path, text)
}

// must is call for what has to succeed.
func (w *world) must(method, path string, in any) fields {
	w.t.Helper()
	r := w.call(method, path, in)
	if r.status >= 300 {
		w.t.Fatalf("%s %s: %d %s %s", method, path, r.status, r.code(), r.body)
	}
	if len(r.body) == 0 {
		return nil
	}
	return r.fields(w.t)
}

const root = "/2015-03-31/functions"

// newFunction makes a function that runs the test binary in a mode.
func (w *world) newFunction(name, mode string, change ...func(fields)) fields {
	w.t.Helper()
	in := fields{
		"FunctionName": name, "Role": testRole, "Runtime": "provided.al2023", "Handler": "main",
		"Code": fields{"ZipFile": bootstrapZip(w.t)}, "MemorySize": 1024,
		"Environment": fields{"Variables": fields{"MODE": mode}},
	}
	for _, c := range change {
		c(in)
	}
	return w.must("POST", root, in)
}

// invoke calls a function in process.
func (w *world) invokeNow(name, payload string) Answer {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	a, err := w.Invoke(ctx, name, []byte(payload))
	if err != nil {
		w.t.Fatal(err)
	}
	return a
}

// soon is an Invoke whose result comes later.
func (w *world) soon(name, payload string) <-chan result {
	c := make(chan result, 1)
	go func() {
		a, err := w.Invoke(context.Background(), name, []byte(payload))
		c <- result{a, err}
	}()
	return c
}

func (w *world) await(c <-chan result) result {
	w.t.Helper()
	select {
	case r := <-c:
		return r
	case <-time.After(patience):
		w.t.Fatal("no result")
		return result{}
	}
}

// poll returns when ok does.
func (w *world) poll(what string, ok func() bool) {
	w.t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	deadline := time.After(patience)
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			w.t.Fatal("still not: " + what)
		}
	}
}

// pool returns the pool of a function.
func (w *world) pool(name string) *pool {
	w.t.Helper()
	f, err := w.find(target{name: name})
	if err != nil {
		w.t.Fatal(err)
	}
	return f.pool
}

// workers counts those that are alive.
func (p *pool) workers() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.alive)
}

// zipped makes a zip of files; a mode follows each name.
type zipped struct {
	name string
	mode fs.FileMode
	text string
}

func makeZip(t testing.TB, files ...zipped) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, f := range files {
		h := &zip.FileHeader{Name: f.name} // stored: there may be thousands
		if f.text != "" {
			h.Method = zip.Deflate
		}
		h.SetMode(f.mode)
		dst, err := z.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(dst, f.text); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// bootstrapZip is code that runs the test binary again.
func bootstrapZip(t testing.TB) []byte {
	return makeZip(t, zipped{"bootstrap", 0o755, "#!/bin/sh\n" + bootstrapScript(t)})
}

func bootstrapScript(t testing.TB) string {
	t.Helper()
	self, err := filepath.Abs(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("exec '%s'\n", self)
}

func mustJSON(t testing.TB, v any) []byte {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

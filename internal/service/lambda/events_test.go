package lambda

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"hydrant/internal/durable"
)

func (w *world) events(name string) *events {
	w.t.Helper()
	f, err := w.find(target{name: name})
	if err != nil {
		w.t.Fatal(err)
	}
	return f.events
}

// event sends a call that nobody waits for, and returns its id.
func (w *world) event(name, payload string, headers ...string) string {
	w.t.Helper()
	r := w.send("POST", root+"/"+name+"/invocations", []byte(payload), append(headers, "X-Amz-Invocation-Type", "Event")...)
	if r.status != 202 || len(r.body) != 0 || r.header["X-Amz-Function-Error"] != nil {
		w.t.Fatalf("%d %v %s", r.status, r.header, r.body)
	}
	return r.header.Get("X-Amzn-Requestid")
}

// settled returns when a function has no events any more.
func (w *world) settled(name string) {
	w.t.Helper()
	q := w.events(name)
	w.poll("no event is left", func() bool { return q.left() == 0 })
	if files, err := os.ReadDir(q.files.path); err != nil || len(files) > 0 {
		w.t.Errorf("files left: %v %v", files, err)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.bytes != 0 {
		w.t.Errorf("%d bytes are counted of no events", q.bytes)
	}
}

// soonTimer fires a timer as soon as it is set.
func (w *world) soonTimer(d time.Duration) {
	w.t.Helper()
	w.poll(fmt.Sprint("a timer of ", d), func() bool { return w.timers.fire(d) > 0 })
}

func (w *world) told(text string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Contains(w.log.String(), text)
}

func TestAnEventIsDoneThoughNobodyWaits(t *testing.T) {
	w := newWorld(t)
	w.newFunction("f", "print", func(in fields) { in["Publish"] = true })
	id := w.event("f", `{"a":1}`)
	w.awaitLines(1, "START RequestId: "+id+" Version: $LATEST")
	w.settled("f")
	id = w.event("f:1", "")
	w.awaitLines(1, "START RequestId: "+id+" Version: 1")
	w.settled("f")
	r := w.send("POST", "/2014-11-13/functions/f/invoke-async/", []byte("{}"))
	if r.status != 202 || string(r.body) != `{"Status":202}` {
		t.Errorf("%d %s", r.status, r.body)
	}
	w.settled("f")
}

func TestAFunctionThatFailsOnAnEventGetsItTwiceMore(t *testing.T) {
	w := newWorld(t)
	w.newFunction("f", "error")
	id := w.event("f", "{}")
	w.awaitLines(1, "END RequestId: "+id)
	w.soonTimer(time.Minute)
	w.awaitLines(2, "END RequestId: "+id)
	w.soonTimer(2 * time.Minute)
	w.awaitLines(3, "END RequestId: "+id)
	w.settled("f")
	if !w.told("an asynchronous call was given up: the function has failed on it") || !w.told(id) {
		t.Errorf("the log says %s", w.log.String())
	}
}

func TestAFunctionThatRecoversIsAskedNoMore(t *testing.T) {
	w := newWorld(t)
	w.newFunction("f", "error")
	id := w.event("f", "{}")
	w.awaitLines(1, "END RequestId: "+id)
	w.must("PUT", root+"/f/configuration", fields{"Environment": fields{"Variables": fields{"MODE": "echo"}}})
	w.soonTimer(time.Minute)
	w.awaitLines(2, "END RequestId: "+id)
	w.settled("f")
	if w.told("given up") {
		t.Error("it was given up")
	}
}

// The process ends before an event is done: the next one does it, with all that was sent
// along, and counts on.
func TestEventsOutliveTheProcess(t *testing.T) {
	w := newWorld(t)
	w.newFunction("f", "error")
	w.newFunction("stopped", "headers")
	w.must("PUT", "/2017-10-31/functions/stopped/concurrency", fields{"ReservedConcurrentExecutions": 0})
	id := w.event("f", "{}")
	waiting := w.event("stopped", `{"a":1}`, "X-Amz-Client-Context", "eyJhIjoxfQ==", "X-Amzn-Trace-Id", "Root=1-2-3", "X-Amz-Tenant-Id", "me")
	w.awaitLines(1, "END RequestId: "+id)
	w.poll("the failure is noted", func() bool {
		files, err := filepath.Glob(filepath.Join(w.events("f").files.path, "*"+eventEnding))
		if err != nil || len(files) != 1 {
			t.Fatalf("files %v: %v", files, err)
		}
		text, err := os.ReadFile(files[0])
		return err == nil && strings.Contains(string(text), `"Failures":1`)
	})
	w.reopen()
	if !w.told("asynchronous calls wait for the next start") || !w.told("asynchronous calls go on") {
		t.Errorf("the log says %s", w.log.String())
	}
	if n := len(w.logged()); n == 0 || w.events("f").left() != 1 {
		t.Errorf("%d events", w.events("f").left())
	}
	w.must("DELETE", "/2017-10-31/functions/stopped/concurrency", nil)
	w.timers.fire(resumeAfter)
	w.awaitLines(2, "END RequestId: "+id)
	w.soonTimer(2 * time.Minute)
	w.awaitLines(3, "END RequestId: "+id)
	w.awaitLines(1, "END RequestId: "+waiting)
	w.settled("f")
	w.settled("stopped")
}

func TestAnEventBringsWhatWasSentAlong(t *testing.T) {
	files := eventFiles{durable.Disk{}, filepath.Join(t.TempDir(), "events")}
	payload := []byte("{\n\"a\": \"\xff\"}\n\n")
	want := event{ID: "id", Qualifier: "live", Accepted: testTime, Failures: 2, Trace: "Root=1", ClientContext: `{"a":"\n"}`, Tenant: "me", file: "x.event"}
	if err := files.write(&want, payload); err != nil {
		t.Fatal(err)
	}
	all, err := files.read(func(path string, err error) { t.Error(path, err) })
	if err != nil || len(all) != 1 || *all[0] != want {
		t.Fatalf("got %+v %v, want %+v", all, err, want)
	}
	if got, err := files.payload(all[0]); err != nil || !bytes.Equal(got, payload) {
		t.Errorf("payload %q %v", got, err)
	}
}

func TestEventsThatCannotBeReadAreSaidToBe(t *testing.T) {
	w := newWorld(t)
	w.newFunction("f", "echo")
	folder := w.events("f").files.path
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"a.event": "{", "b.event": "{}\n", "c.event": strings.Repeat("x", maxHead+1), "d.event": ""} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	w.reopen()
	for _, name := range []string{"a.event", "b.event", "c.event", "d.event"} {
		if !w.told(filepath.Join(folder, name)) {
			t.Errorf("nobody is told of %s", name)
		}
		if _, err := os.Stat(filepath.Join(folder, name)); err != nil {
			t.Error(err)
		}
	}
	if n := w.events("f").left(); n != 0 {
		t.Errorf("%d events", n)
	}
}

func TestEventsThatDoNotFitAreRefused(t *testing.T) {
	w := newWorld(t)
	w.newFunction("f", "echo")
	event := []string{"X-Amz-Invocation-Type", "Event"}
	large := []byte(`"` + strings.Repeat("x", maxEventPayload-1) + `"`)
	if r := w.send("POST", root+"/f/invocations", large, event...); r.status != 413 || r.code() != "RequestTooLargeException" {
		t.Errorf("too large: %d %s", r.status, r.body)
	}
	if r := w.send("POST", root+"/no/invocations", nil, event...); r.status != 404 {
		t.Errorf("no function: %d %s", r.status, r.body)
	}
	q := w.events("f")
	for _, tt := range []struct {
		count int
		bytes int64
	}{{maxEvents, 0}, {0, maxEventBytes - maxHead}} {
		q.mu.Lock()
		q.count, q.bytes = tt.count, tt.bytes
		q.mu.Unlock()
		r := w.send("POST", root+"/f/invocations", []byte("{}"), event...)
		if r.status != 429 || r.code() != "TooManyRequestsException" || r.header.Get("Retry-After") == "" {
			t.Errorf("%+v: %d %s", tt, r.status, r.body)
		}
	}
	q.mu.Lock()
	q.count, q.bytes = 0, 0
	q.mu.Unlock()
	w.event("f", string(large[:2])+`"`)
	w.settled("f")
}

// An event that cannot be written is not accepted, and not counted.
func TestAnEventIsOnDiskWhenItIsAccepted(t *testing.T) {
	w := newWorld(t)
	w.newFunction("f", "echo")
	q := w.events("f")
	q.files.disk.Before = func(step durable.Step, path string) error {
		if strings.Contains(path, "events") {
			return errors.New("the disk is full")
		}
		return nil
	}
	r := w.send("POST", root+"/f/invocations", nil, "X-Amz-Invocation-Type", "Event")
	if r.status != 500 || r.code() != "ServiceException" || q.left() != 0 {
		t.Errorf("%d %s, %d events", r.status, r.body, q.left())
	}
}

func TestEventsWaitForAFunctionThatIsStopped(t *testing.T) {
	w := newWorld(t)
	w.newFunction("f", "echo")
	w.must("PUT", "/2017-10-31/functions/f/concurrency", fields{"ReservedConcurrentExecutions": 0})
	id := w.event("f", "{}")
	for _, pause := range []time.Duration{1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300} {
		w.soonTimer(pause * time.Second)
	}
	w.must("DELETE", "/2017-10-31/functions/f/concurrency", nil)
	w.soonTimer(lastBackOff)
	w.awaitLines(1, "END RequestId: "+id)
	w.settled("f")
}

func TestEventsAreDroppedAsTheirConfigurationSays(t *testing.T) {
	var later atomic.Int64 // seconds
	w := newWorld(t, func(o *Options) {
		o.Now = func() time.Time { return time.Now().Add(time.Duration(later.Load()) * time.Second) }
	})
	w.newFunction("f", "error", func(in fields) { in["Publish"] = true })
	const path = "/2019-09-25/functions/f/event-invoke-config"
	got := w.must("PUT", path, fields{"MaximumRetryAttempts": 0})
	if got["FunctionArn"] != arnStart+"f:$LATEST" || got["MaximumRetryAttempts"] != 0.0 || got["MaximumEventAgeInSeconds"] != nil {
		t.Errorf("got %v", got)
	}
	w.event("f", "{}")
	w.settled("f")
	if !w.told("failures=1") {
		t.Errorf("the log says %s", w.log.String())
	}
	got = w.must("POST", path+"?Qualifier=1", fields{"MaximumEventAgeInSeconds": 60})
	if got["FunctionArn"] != arnStart+"f:1" || got["MaximumRetryAttempts"] != nil || got["MaximumEventAgeInSeconds"] != 60.0 {
		t.Errorf("got %v", got)
	}
	w.must("PUT", "/2017-10-31/functions/f/concurrency", fields{"ReservedConcurrentExecutions": 0})
	w.event("f:1", "{}")
	w.poll("it waits", func() bool { return w.timers.has(time.Second) })
	later.Store(61)
	w.timers.fire(time.Second)
	w.settled("f")
	if !w.told("given up: it is too old") {
		t.Errorf("the log says %s", w.log.String())
	}
	w.reopen()
	if got := w.must("GET", path+"/list", nil)["FunctionEventInvokeConfigs"].([]any); len(got) != 2 {
		t.Errorf("got %v", got)
	}
	w.must("DELETE", path, nil)
	for _, r := range []response{w.call("GET", path, nil), w.call("DELETE", path, nil), w.call("GET", path+"?Qualifier=7", nil)} {
		if r.status != 404 {
			t.Errorf("%d %s", r.status, r.body)
		}
	}
	for _, in := range []fields{{"MaximumRetryAttempts": 3}, {"MaximumEventAgeInSeconds": 59},
		{"DestinationConfig": fields{"OnFailure": fields{"Destination": "arn:aws:sqs:us-east-1:000000000000:q"}}}} {
		if r := w.call("PUT", path, in); r.status != 400 {
			t.Errorf("%v: %d %s", in, r.status, r.body)
		}
	}
}

func TestEventsGoWithTheirFunctionOrVersion(t *testing.T) {
	w := newWorld(t)
	w.newFunction("f", "echo", func(in fields) { in["Publish"] = true })
	w.must("PUT", "/2017-10-31/functions/f/concurrency", fields{"ReservedConcurrentExecutions": 0})
	w.event("f:1", "{}")
	w.must("DELETE", root+"/f?Qualifier=1", nil)
	w.soonTimer(time.Second)
	w.settled("f")
	if !w.told("there is no such version any more") {
		t.Errorf("the log says %s", w.log.String())
	}
	w.event("f", "{}")
	w.poll("it waits", func() bool { return w.events("f").left() == 1 })
	w.must("DELETE", root+"/f", nil)
	w.newFunction("f", "echo")
	w.timers.fire(time.Second)
	if n := w.events("f").left(); n != 0 || len(w.logged()) != 0 {
		t.Errorf("%d events of a function that is gone: %q", n, w.logged())
	}
}

func FuzzDecodeEvent(f *testing.F) {
	f.Add([]byte(`{"ID":"a","Accepted":"2026-01-15T10:15:00Z"}` + "\n{}"))
	f.Add([]byte(`{"ID":"a","Qualifier":"../x"}` + "\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		e, err := decodeEvent(bytes.NewReader(text))
		if err != nil {
			if !errors.Is(err, errEvent) {
				t.Error(err)
			}
			return
		}
		if e.ID == "" || e.Qualifier != "" && !qualifierForm.MatchString(e.Qualifier) || e.Failures < 0 {
			t.Errorf("got %+v", e)
		}
	})
}

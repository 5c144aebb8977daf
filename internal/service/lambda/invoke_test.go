package lambda

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestAFunctionAnswersAgainAndAgainFromOneProcess(t *testing.T) {
	w := newWorld(t)
	w.newFunction("echo", "echo")
	for _, name := range []string{"echo", "echo:$LATEST", arnStart + "echo", arnStart + "echo:$LATEST", "000000000000:function:echo"} {
		a := w.invokeNow(name, `{"a": 1}`)
		if string(a.Payload) != `{"a": 1}` || a.FunctionError != "" || a.Version != "$LATEST" {
			t.Errorf("%s: got %q %+v", name, a.Payload, a)
		}
	}
	if n := w.pool("echo").workers(); n != 1 {
		t.Errorf("%d workers, want 1", n)
	}
}

// Each way to fail, and what the invoker is told.
func TestWhatGoesWrongInAFunctionIsItsAnswer(t *testing.T) {
	tests := []struct {
		mode string
		want string // ID stands for the request's
		left int    // workers afterwards
	}{
		{"error", `{"errorMessage":"bad","errorType":"E","stackTrace":["a"]}`, 1},
		{"crash", `{"errorType":"Runtime.ExitError","errorMessage":"RequestId: ID Error: Runtime exited with error: exit status 3"}`, 0},
		{"kill itself", `{"errorType":"Runtime.ExitError","errorMessage":"RequestId: ID Error: Runtime exited with error: signal: killed"}`, 0},
		{"exit 0", `{"errorType":"Runtime.ExitError","errorMessage":"RequestId: ID Error: Runtime exited without providing a reason"}`, 0},
		{"init error", `{"errorMessage":"no","errorType":"Init.No"}`, 0},
		{"large init error", `{"errorType":"Runtime.InitError","errorMessage":"The runtime reported an error during init in 7000000 bytes, more than the maximum allowed payload size (6291556 bytes)."}`, 0},
		{"exit in init", `{"errorType":"Runtime.ExitError","errorMessage":"RequestId: ID Error: Runtime exited with error: exit status 7"}`, 0},
		{"trailer", `{"errorMessage":"late"}`, 1},
		{"oversize", `{"errorType":"Function.ResponseSizeTooLarge","errorMessage":"Response payload size (6291566 bytes) exceeded maximum allowed payload size (6291556 bytes)."}`, 1},
	}
	for _, tt := range tests {
		t.Run(tt.mode, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.newFunction("f", tt.mode)
			for range 2 { // the second call shows that the worker lives on, or was replaced
				a := w.invokeNow("f", "{}")
				id := strings.Fields(string(a.Log))[2]
				if want := strings.Replace(tt.want, "ID", id, 1); string(a.Payload) != want || a.FunctionError != "Unhandled" {
					t.Errorf("got %q %q, want %q", a.FunctionError, a.Payload, want)
				}
				if n := w.pool("f").workers(); n != tt.left {
					t.Errorf("%d workers, want %d", n, tt.left)
				}
			}
		})
	}
}

func TestAnOversizeAnswerInChunksIsRefusedToo(t *testing.T) {
	w := newWorld(t)
	w.newFunction("f", "oversize")
	a := w.invokeNow("f", `"chunked"`)
	if !strings.Contains(string(a.Payload), "Response payload size (6291566 bytes)") {
		t.Errorf("got %q", a.Payload)
	}
	if !strings.Contains(string(a.Log), `told 413 {"errorMessage":"Exceeded maximum allowed payload size (6291556 bytes).","errorType":"RequestEntityTooLarge"}`) {
		t.Errorf("log %q", a.Log)
	}
}

func TestAProcessThatEndsAfterItsAnswerHasAnswered(t *testing.T) {
	w := newWorld(t)
	w.newFunction("f", "answer and exit")
	for range 3 {
		if a := w.invokeNow("f", "1"); string(a.Payload) != "1" || a.FunctionError != "" {
			t.Errorf("got %+v", a)
		}
	}
}

func TestACallThatTakesTooLongEndsItsProcessAndAllItStarted(t *testing.T) {
	w := newWorld(t)
	w.newFunction("f", "hang with child")
	call := w.soon("f", "{}")
	line := w.awaitLines(1, "child ")[0]
	var child int
	if _, err := fmt.Sscanf(line[strings.Index(line, "child "):], "child %d", &child); err != nil {
		t.Fatal(err)
	}
	if n := w.timers.fire(3 * time.Second); n != 1 {
		t.Fatalf("%d timers, want 1", n)
	}
	r := w.await(call)
	if r.err != nil || r.answer.FunctionError != "Unhandled" || !strings.HasSuffix(string(r.answer.Payload), `Task timed out after 3.00 seconds"}`) {
		t.Errorf("got %q %v", r.answer.Payload, r.err)
	}
	w.poll("the child is gone", func() bool {
		state, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", child))
		return err != nil || strings.Contains(string(state), ") Z ")
	})
	if n := w.pool("f").workers(); n != 0 {
		t.Errorf("%d workers are left", n)
	}
	w.awaitLines(1, "Task timed out after 3.00 seconds")
}

func TestASlowInitGetsASecondChanceInTheCallsOwnTime(t *testing.T) {
	w := newWorld(t)
	w.newFunction("f", "slow init")
	call := w.soon("f", "{}")
	w.awaitLines(1, "initialising")
	w.timers.fire(initLimit)
	w.awaitLines(2, "initialising")
	w.poll("the call's time runs", func() bool { return w.timers.fire(3*time.Second) == 1 })
	r := w.await(call)
	if r.err != nil || !strings.Contains(string(r.answer.Payload), "Task timed out after 3.00 seconds") {
		t.Errorf("got %q %v", r.answer.Payload, r.err)
	}
}

func TestASlowInitMayBeFasterTheSecondTime(t *testing.T) {
	asked := 0
	ask := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		if asked++; asked > 1 {
			rw.WriteHeader(http.StatusNoContent)
		}
	}))
	defer ask.Close()
	w := newWorld(t)
	w.newFunction("f", "", func(in fields) {
		in["Environment"] = fields{"Variables": fields{"MODE": "asks whether to be slow", "ASK": ask.URL}}
	})
	call := w.soon("f", "1")
	w.awaitLines(1, "initialising")
	w.timers.fire(initLimit)
	if r := w.await(call); r.err != nil || r.answer.FunctionError != "" || string(r.answer.Payload) != "1" {
		t.Errorf("got %q %v", r.answer.Payload, r.err)
	}
}

func TestAWorkerThatEndedWhileIdleIsReplacedUnseen(t *testing.T) {
	w := newWorld(t)
	w.newFunction("f", "echo")
	for range 3 {
		if a := w.invokeNow("f", "1"); string(a.Payload) != "1" {
			t.Errorf("got %+v", a)
		}
		p := w.pool("f")
		p.mu.Lock()
		idle := p.idle
		p.mu.Unlock()
		if len(idle) != 1 {
			t.Fatalf("%d idle workers, want 1", len(idle))
		}
		idle[0].process.kill()
		<-idle[0].process.exited
	}
}

func TestTwentyCallsAtOnceShareFiveWorkersAndComeBack(t *testing.T) {
	w := newWorld(t)
	w.newFunction("f", "gate")
	gate := filepath.Join(os.TempDir(), "hydrant-gate-"+nonce())
	t.Cleanup(func() { os.Remove(gate) })
	var calls []<-chan result
	payload := fmt.Sprintf("%q", gate)
	for range 20 {
		calls = append(calls, w.soon("f", payload))
	}
	w.awaitLines(5, "at the gate")
	p := w.pool("f")
	w.poll("15 calls wait", func() bool { p.mu.Lock(); defer p.mu.Unlock(); return len(p.queue) == 15 })
	if n := p.workers(); n != 5 {
		t.Errorf("%d workers, want 5", n)
	}
	if err := os.WriteFile(gate, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range calls {
		if r := w.await(c); r.err != nil || string(r.answer.Payload) != payload {
			t.Errorf("got %q %v", r.answer.Payload, r.err)
		}
	}
	w.poll("all workers are idle", func() bool { p.mu.Lock(); defer p.mu.Unlock(); return len(p.idle) == 5 })
	if n := w.timers.fire(usualIdle); n != 5 {
		t.Errorf("%d idle workers were to end, want 5", n)
	}
	if n := p.workers(); n != 0 {
		t.Errorf("%d workers are left", n)
	}
	if a := w.invokeNow("f", payload); string(a.Payload) != payload {
		t.Errorf("from zero: got %q", a.Payload)
	}
}

func TestAWaitingCallLeavesWithItsContext(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.MaxWorkers = 1 })
	w.newFunction("f", "hang")
	first := w.soon("f", "{}")
	w.awaitLines(1, "hanging")
	ctx, cancel := context.WithCancel(context.Background())
	gone := make(chan error, 1)
	go func() { _, err := w.Invoke(ctx, "f", nil); gone <- err }()
	p := w.pool("f")
	w.poll("a call waits", func() bool { p.mu.Lock(); defer p.mu.Unlock(); return len(p.queue) == 1 })
	cancel()
	if err := <-gone; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if p.leave(nil); len(p.queue) != 0 {
		t.Errorf("%d calls wait still", len(p.queue))
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	if r := w.await(first); !errors.Is(r.err, ErrClosed) {
		t.Errorf("a call under way was told %v and %q", r.err, r.answer.Payload)
	}
	if _, err := w.Invoke(context.Background(), "f", nil); !errors.Is(err, ErrClosed) {
		t.Errorf("a call after the end was told %v", err)
	}
}

func TestAProcessHasOnlyTheEnvironmentItIsGiven(t *testing.T) {
	t.Setenv("HYDRANT_SECRET", "leaked")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "leaked")
	w := newWorld(t, func(o *Options) {
		o.Session = func(role string) (map[string]string, error) {
			return map[string]string{"AWS_ACCESS_KEY_ID": "id of " + role}, nil
		}
	})
	w.newFunction("f", "environment", func(in fields) {
		in["Environment"] = fields{"Variables": fields{"MODE": "environment", "OWN": "x y=z", "TZ": "Europe/Berlin"}}
	})
	a := w.invokeNow("f", "{}")
	text := strings.ReplaceAll(strings.Trim(string(a.Payload), `"`), `\n`, "\n") + "\n"
	if strings.Contains(text, "leaked") {
		t.Errorf("secrets of the server in %s", text)
	}
	code := w.pool("f").rev.code
	for _, want := range []string{
		"_HANDLER=main\n", "LAMBDA_TASK_ROOT=" + code + "\n", "AWS_REGION=us-east-1\n", "AWS_LAMBDA_FUNCTION_NAME=f\n",
		"AWS_LAMBDA_FUNCTION_VERSION=$LATEST\n", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=1024\n", "AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/f\n",
		"OWN=x y=z\n", "TZ=Europe/Berlin\n", "AWS_ACCESS_KEY_ID=id of " + testRole + "\n", "AWS_LAMBDA_RUNTIME_API=127.0.0.1:",
	} {
		if !strings.Contains("\n"+text, "\n"+want) {
			t.Errorf("%q is not in %s", want, text)
		}
	}
	if !strings.Contains(string(a.Log), "cwd "+code+"\n") {
		t.Errorf("log %q", a.Log)
	}
}

func TestAProcessReachesNothingOfTheServersFiles(t *testing.T) {
	if landlock() == 0 {
		t.Skip("the kernel has no Landlock")
	}
	outside := t.TempDir()
	secret := filepath.Join(outside, "secret")
	if err := os.WriteFile(secret, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	w := newWorld(t)
	w.newFunction("read", "read")
	w.newFunction("write", "write")
	own := w.pool("read").rev.code
	for _, tt := range []struct{ name, path, want string }{
		{"read", secret, "permission denied"},
		{"read", filepath.Join(w.root, "functions", "read", "function.json"), "permission denied"},
		{"read", filepath.Join(w.pool("write").rev.code, "bootstrap"), "permission denied"},
		{"read", fmt.Sprintf("/proc/%d/environ", os.Getpid()), "permission denied"},
		{"read", filepath.Join(own, "bootstrap"), "<nil>"},
		{"read", "/etc/hosts", "<nil>"},
		{"write", filepath.Join(outside, "new"), "permission denied"},
		{"write", filepath.Join(w.pool("write").rev.code, "new"), "permission denied"},
		{"write", "/usr/new", "permission denied"},
		{"write", "$SCRATCH/new", "<nil>"},
	} {
		if a := w.invokeNow(tt.name, fmt.Sprintf("%q", tt.path)); !strings.HasSuffix(string(a.Payload), tt.want+`"`) {
			t.Errorf("%s %s: got %s, want %s", tt.name, tt.path, a.Payload, tt.want)
		}
	}
}

func TestALogHoldsTheOutputBetweenTheLinesOfThePlatform(t *testing.T) {
	w := newWorld(t)
	w.newFunction("f", "print")
	a := w.invokeNow("f", "{}")
	lines := strings.Split(string(a.Log), "\n")
	id := strings.Fields(lines[0])[2]
	want := []string{"START RequestId: " + id + " Version: $LATEST", "one", "two", "half and half", "no newline", "END RequestId: " + id}
	for i, text := range want {
		if i >= len(lines) || lines[i] != text {
			t.Fatalf("got %q, want %q first", lines, want)
		}
	}
	if report := lines[len(want)]; !strings.HasPrefix(report, "REPORT RequestId: "+id+"\tDuration: ") ||
		!strings.Contains(report, "\tMemory Size: 1024 MB\tMax Memory Used: ") || !strings.Contains(report, "\tInit Duration: ") {
		t.Errorf("got %q", report)
	}
	stored := w.awaitLines(1, "REPORT")
	if group, rest, _ := strings.Cut(stored[0], " "); group != "/aws/lambda/f" || !strings.Contains(rest, "/[$LATEST]") {
		t.Errorf("stored %q", stored)
	}
	if a := w.invokeNow("f", "{}"); strings.Contains(string(a.Log), "Init Duration") {
		t.Errorf("a warm call tells of an init: %q", a.Log)
	}
}

func TestAProcessWithTooMuchMemoryIsKilled(t *testing.T) {
	w := newWorld(t)
	w.newFunction("f", "memory", func(in fields) { in["MemorySize"] = 256 })
	a := w.invokeNow("f", "{}")
	if !strings.Contains(string(a.Payload), "signal: killed") || !strings.Contains(string(a.Log), "Memory of 256 MB exceeded") {
		t.Errorf("got %q, log %q", a.Payload, a.Log)
	}
}

func TestTheRuntimeAPIRefusesWhatIsOutOfTurn(t *testing.T) {
	w := newWorld(t)
	w.newFunction("f", "out of turn")
	a := w.invokeNow("f", "{}")
	if string(a.Payload) != `"first"` {
		t.Errorf("got %q", a.Payload)
	}
	const state = `403 {"errorMessage":"State transition from %s to %s failed for runtime. Error: State transition is not allowed","errorType":"InvalidStateTransition"}`
	for _, want := range []string{
		`400 {"errorMessage":"Invalid request ID","errorType":"InvalidRequestID"}`,
		`400 {"errorMessage":"Invalid function response mode","errorType":"InvalidFunctionResponseMode"}`,
		fmt.Sprintf(state, "Running", "InitError"), fmt.Sprintf(state, "Running", "Ready"), "200 pong",
		`202 {"status":"OK"}`, fmt.Sprintf(state, "ResponseSent", "InvocationResponse"),
	} {
		if !strings.Contains(string(a.Log), want+"\n") {
			t.Errorf("%s is not in %s", want, a.Log)
		}
	}
}

func TestAHandlerOnAmazonsLibraryRunsUnmodified(t *testing.T) {
	w := newWorld(t)
	w.newFunction("f", "handler")
	for _, tt := range []struct{ in, want, failure string }{
		{`{"Name":"you"}`, `{"arn":"` + arnStart + `f","function":"f","hello":"you"}`, ""},
		{`{"Name":"error"}`, `{"errorMessage":"no error","errorType":"wrapError"}`, "Unhandled"},
		{`{"Name":"panic"}`, `"errorMessage":"at the disco"`, "Unhandled"},
		{`{"Name":"again"}`, `"hello":"again"`, ""},
	} {
		a := w.invokeNow("f", tt.in)
		if tt.failure != a.FunctionError || !strings.Contains(string(a.Payload), tt.want) && tt.in != `{"Name":"error"}` {
			t.Errorf("%s: got %q %q", tt.in, a.FunctionError, a.Payload)
		}
	}
}

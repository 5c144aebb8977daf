package lambda

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// newStation returns a Runtime API without a process.
func newStation(t *testing.T) *runtimeAPI {
	t.Helper()
	a, err := newRuntimeAPI()
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- a.serve() }()
	t.Cleanup(func() {
		if err := a.close(); err != nil {
			t.Error(err)
		}
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return a
}

// conn is a connection of a process, by hand.
type conn struct {
	t *testing.T
	*net.TCPConn
	r *bufio.Reader
}

func dial(t *testing.T, a *runtimeAPI) *conn {
	t.Helper()
	c, err := net.Dial("tcp", a.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return &conn{t, c.(*net.TCPConn), bufio.NewReader(c)}
}

// ask sends the head of a request and what there is of its body.
func (c *conn) ask(method, path, rest string) {
	c.t.Helper()
	if _, err := fmt.Fprintf(c, "%s /2018-06-01/%s HTTP/1.1\r\nHost: x\r\n%s", method, path, rest); err != nil {
		c.t.Fatal(err)
	}
}

func (c *conn) answer() (int, string) {
	c.t.Helper()
	r, err := http.ReadResponse(c.r, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return r.StatusCode, string(body)
}

// give hands a call to the process that waits.
func give(t *testing.T, a *runtimeAPI, id, payload string) *turn {
	t.Helper()
	turn := &turn{call: &call{id: id, payload: []byte(payload)}, done: make(chan struct{})}
	select {
	case a.turns <- turn:
	case <-time.After(patience):
		t.Fatal("nobody waits for a call")
	}
	return turn
}

const next = "runtime/invocation/next"

func TestAProcessThatBreaksItsConnectionAsksAnew(t *testing.T) {
	a := newStation(t)
	first := dial(t, a)
	first.ask("GET", next, "\r\n")
	<-a.ready
	a.mu.Lock()
	before := a.asked
	a.mu.Unlock()
	if err := first.SetLinger(0); err != nil {
		t.Fatal(err)
	}
	first.Close()
	second := dial(t, a)
	second.ask("GET", next, "\r\n")
	select {
	case <-before:
	case <-time.After(patience):
		t.Fatal("the second request does not take the place of the first")
	}
	turn := give(t, a, "1", `"event"`)
	if status, body := second.answer(); status != 200 || body != `"event"` {
		t.Fatalf("got %d %q", status, body)
	}
	second.ask("POST", "runtime/invocation/1/response", "Content-Length: 2\r\n\r\n42")
	if status, body := second.answer(); status != 202 || body != `{"status":"OK"}` {
		t.Errorf("got %d %q", status, body)
	}
	select {
	case <-turn.done:
		t.Error("the turn is over before the process has asked for another")
	default:
	}
	second.ask("GET", next, "\r\n")
	select {
	case <-turn.done:
	case <-time.After(patience):
		t.Fatal("the turn is not over")
	}
	if body, failed, ok := a.outcome(turn); string(body) != "42" || failed || !ok {
		t.Errorf("got %q %v %v", body, failed, ok)
	}
}

func TestATruncatedAnswerIsNone(t *testing.T) {
	a := newStation(t)
	c := dial(t, a)
	c.ask("GET", next, "\r\n")
	turn := give(t, a, "1", "{}")
	c.answer()
	short := dial(t, a)
	short.ask("POST", "runtime/invocation/1/response", "Content-Length: 10\r\n\r\n42")
	if err := short.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if status, body := short.answer(); status != 400 || !strings.Contains(body, "TruncatedHTTPRequest") {
		t.Errorf("got %d %q", status, body)
	}
	if _, _, ok := a.outcome(turn); ok {
		t.Error("it counts as an answer")
	}
	c.ask("POST", "runtime/invocation/1/error", "Content-Length: 2\r\n\r\n{}")
	if status, _ := c.answer(); status != 202 {
		t.Errorf("an error after it: %d", status)
	}
	if body, failed, ok := a.outcome(turn); string(body) != "{}" || !failed || !ok {
		t.Errorf("got %q %v %v", body, failed, ok)
	}
}

func TestAnswersMayComeInChunksWithTrailers(t *testing.T) {
	a := newStation(t)
	c := dial(t, a)
	for i, tt := range []struct {
		trailers, body string
		failed         bool
	}{
		{"", "hello world", false},
		{"Lambda-Runtime-Function-Error-Type: \r\nLambda-Runtime-Function-Error-Body: \r\n", "hello world", false},
		{"Lambda-Runtime-Function-Error-Type: X.Y\r\nLambda-Runtime-Function-Error-Body: e30=\r\n", "{}", true},
		{"Lambda-Runtime-Function-Error-Type: X.Y\r\n", `{"errorType":"X.Y","errorMessage":"The function failed while it answered."}`, true},
	} {
		c.ask("GET", next, "\r\n")
		turn := give(t, a, fmt.Sprint(i), "{}")
		c.answer()
		c.ask("POST", fmt.Sprintf("runtime/invocation/%d/response", i), "Transfer-Encoding: chunked\r\n"+
			"Trailer: Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body\r\n\r\n"+
			"5\r\nhello\r\n6\r\n world\r\n0\r\n"+tt.trailers+"\r\n")
		if status, _ := c.answer(); status != 202 {
			t.Errorf("%q: status %d", tt.trailers, status)
		}
		if body, failed, _ := a.outcome(turn); string(body) != tt.body || failed != tt.failed {
			t.Errorf("%q: got %q %v", tt.trailers, body, failed)
		}
	}
}

func TestTheRuntimeAPIHasNoExtensions(t *testing.T) {
	a := newStation(t)
	c := dial(t, a)
	for _, tt := range [][2]string{{"GET", "runtime/restore/next"}, {"POST", "../2020-01-01/extension/register"}, {"PUT", "../2022-07-01/telemetry"}, {"DELETE", next}} {
		c.ask(tt[0], tt[1], "Content-Length: 0\r\n\r\n")
		if status, _ := c.answer(); status != 404 {
			t.Errorf("%v: status %d", tt, status)
		}
	}
}

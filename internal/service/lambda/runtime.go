package lambda

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// phase is where a worker's process stands. Its names are those of AWS, which refusals of
// calls out of turn contain.
type phase string

const (
	starting  phase = "Initializing"       // it has not asked for a call yet
	waiting   phase = "Ready"              // it waits for a call
	invoking  phase = "Running"            // it has a call
	answering phase = "InvocationResponse" // its answer is being read
	answered  phase = "ResponseSent"       // it has answered, and not asked for another call
	broken    phase = "InitError"          // it said that it cannot start
)

// turn is a call in the hands of a process.
type turn struct {
	*call
	deadline time.Time

	done chan struct{} // closed when the process has answered and asked for another call
	// What the process answered. Guarded by runtimeAPI.mu until done is closed or the
	// process has ended.
	answered bool
	body     []byte
	failed   bool
}

// runtimeAPI is what one worker's process talks to, at an address of its own (spec
// neighbours.md 2.3). It knows nothing of processes; worker tells it when its has ended.
type runtimeAPI struct {
	address  string
	listener net.Listener
	server   *http.Server
	turns    chan *turn    // to a process that waits
	ready    chan struct{} // closed when init is over, one way or the other
	closed   chan struct{}

	mu      sync.Mutex
	phase   phase
	turn    *turn
	asked   chan struct{} // of the request that waits for a call; nil: none does
	failure []byte        // what it said when it could not start; to be read when phase is broken
	hint    int           // bytes of the last answer of unknown length
}

const (
	runtimeRoot  = "/2018-06-01/"
	runtimeCalls = runtimeRoot + "runtime/invocation/"
)

// newRuntimeAPI listens.
func newRuntimeAPI() (*runtimeAPI, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for a function's process: %w", err)
	}
	a := &runtimeAPI{
		address: l.Addr().String(), listener: l, turns: make(chan *turn), ready: make(chan struct{}),
		closed: make(chan struct{}), phase: starting,
	}
	a.server = &http.Server{
		Handler: a, ReadHeaderTimeout: 10 * time.Second,
		ErrorLog: log.New(io.Discard, "", 0), // what the process does to its connections is its own business
	}
	return a, nil
}

// serve answers the process until close.
func (a *runtimeAPI) serve() error {
	if err := a.server.Serve(a.listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve the Runtime API: %w", err)
	}
	return nil
}

// close ends everything. It is called once.
func (a *runtimeAPI) close() error {
	close(a.closed)
	return a.server.Close()
}

// ServeHTTP is one request of the process.
func (a *runtimeAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rest, ours := strings.CutPrefix(r.URL.Path, runtimeCalls)
	id, what, _ := strings.Cut(rest, "/")
	get, post := r.Method == http.MethodGet, r.Method == http.MethodPost
	switch {
	case ours && get && rest == "next":
		a.next(w, r)
	case ours && post && what == "response":
		a.take(w, r, id, false)
	case ours && post && what == "error":
		a.take(w, r, id, true)
	case post && r.URL.Path == runtimeRoot+"runtime/init/error":
		a.initError(w, r)
	case get && r.URL.Path == runtimeRoot+"ping":
		reply(w, http.StatusOK, "pong")
	default:
		http.NotFound(w, r)
	}
}

// next gives the process a call, when there is one. Asking for it also says that the one
// before is over.
func (a *runtimeAPI) next(w http.ResponseWriter, r *http.Request) {
	asked := a.rest()
	if asked == nil {
		a.outOfTurn(w, waiting)
		return
	}
	select {
	case t := <-a.turns:
		if !a.accept(t, asked) {
			a.pass(t)
			return
		}
		if err := hand(w, t); err != nil {
			a.again(t)
		}
	case <-asked: // it has asked anew, on another connection
	case <-r.Context().Done(): // it broke the connection, and may ask anew
	case <-a.closed:
	}
}

// rest ends the turn there was, and returns a channel that is closed when the process asks
// again before it was given a call. Nil means that it has to answer first.
func (a *runtimeAPI) rest() chan struct{} {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch a.phase {
	case starting:
		close(a.ready)
	case answered:
		close(a.turn.done)
		a.turn = nil
	case waiting:
		if a.asked != nil {
			close(a.asked)
		}
	default:
		return nil
	}
	a.phase, a.asked = waiting, make(chan struct{})
	return a.asked
}

// accept takes a call for the request that asked; false means that another did since.
func (a *runtimeAPI) accept(t *turn, asked chan struct{}) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.asked != asked {
		return false
	}
	a.phase, a.turn, a.asked = invoking, t, nil
	return true
}

// again keeps a call for the process that broke the connection before it had all of it.
func (a *runtimeAPI) again(t *turn) {
	a.mu.Lock()
	mine := a.phase == invoking && a.turn == t
	if mine {
		a.phase, a.turn = waiting, nil
	}
	a.mu.Unlock()
	if mine {
		a.pass(t)
	}
}

// pass gives a call to who asks next.
func (a *runtimeAPI) pass(t *turn) {
	select {
	case a.turns <- t:
	case <-a.closed:
	}
}

// hand writes a call to the process.
func hand(w http.ResponseWriter, t *turn) error {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", fmt.Sprint(len(t.payload)))
	h.Set("Lambda-Runtime-Aws-Request-Id", t.id)
	h.Set("Lambda-Runtime-Deadline-Ms", fmt.Sprint(t.deadline.UnixMilli()))
	h.Set("Lambda-Runtime-Invoked-Function-Arn", t.arn)
	h.Set("Lambda-Runtime-Trace-Id", t.trace)
	if t.clientContext != "" {
		h.Set("Lambda-Runtime-Client-Context", t.clientContext)
	}
	if t.tenant != "" {
		h.Set("Lambda-Runtime-Aws-Tenant-Id", t.tenant)
	}
	w.WriteHeader(http.StatusOK)
	_, err := w.Write(t.payload)
	return err
}

// take takes the answer to a call, or the error in place of it.
func (a *runtimeAPI) take(w http.ResponseWriter, r *http.Request, id string, failed bool) {
	mode := r.Header.Get("Lambda-Runtime-Function-Response-Mode")
	a.mu.Lock()
	t, hint := a.turn, a.hint
	switch {
	case t == nil || t.id != id:
		a.mu.Unlock()
		refuseRuntime(w, http.StatusBadRequest, "InvalidRequestID", "Invalid request ID")
		return
	case a.phase != invoking:
		a.mu.Unlock()
		a.outOfTurn(w, answering)
		return
	case mode != "" && mode != "streaming":
		a.mu.Unlock()
		refuseRuntime(w, http.StatusBadRequest, "InvalidFunctionResponseMode", "Invalid function response mode")
		return
	}
	a.phase = answering
	a.mu.Unlock()

	body, size, err := readAnswer(r, hint)
	a.mu.Lock()
	switch {
	case err != nil:
		a.phase = invoking
	case size > MaxPayload:
		a.phase, t.answered, t.body, t.failed = answered, true, tooLargeAnswer(size), true
	default:
		if text := trailing(r.Trailer); text != nil {
			body, failed = text, true
		}
		a.phase, t.answered, t.body, t.failed = answered, true, body, failed
		if r.ContentLength < 0 {
			a.hint = len(body)
		}
	}
	a.mu.Unlock()
	switch {
	case err != nil:
		refuseRuntime(w, http.StatusBadRequest, "TruncatedHTTPRequest", "HTTP request detected as truncated")
	case size > MaxPayload:
		refuseRuntime(w, http.StatusRequestEntityTooLarge, "RequestEntityTooLarge",
			fmt.Sprintf("Exceeded maximum allowed payload size (%d bytes).", MaxPayload))
	default:
		reply(w, http.StatusAccepted, `{"status":"OK"}`)
	}
}

// initError takes why the process cannot start.
func (a *runtimeAPI) initError(w http.ResponseWriter, r *http.Request) {
	body, size, err := readAnswer(r, 0)
	if err != nil {
		refuseRuntime(w, http.StatusBadRequest, "TruncatedHTTPRequest", "HTTP request detected as truncated")
		return
	}
	if size > MaxPayload { // it cannot start all the same, and must not be told to try again
		body = tooLargeInitError(size)
	}
	a.mu.Lock()
	early := a.phase == starting
	if early {
		a.phase, a.failure = broken, body
	}
	a.mu.Unlock()
	if !early {
		a.outOfTurn(w, broken)
		return
	}
	reply(w, http.StatusAccepted, `{"status":"OK"}`)
	// Who waits for this ends the process, which should have its answer before. If it cannot
	// be had, the connection is gone, and so is the process.
	_ = http.NewResponseController(w).Flush()
	close(a.ready)
}

// initFailure is what the process said when it could not start, if it did so.
func (a *runtimeAPI) initFailure() (body []byte, said bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.failure, a.phase == broken
}

// outcome is what the process has answered so far, once it has ended.
func (a *runtimeAPI) outcome(t *turn) (body []byte, failed, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return t.body, t.failed, t.answered
}

func (a *runtimeAPI) outOfTurn(w http.ResponseWriter, to phase) {
	a.mu.Lock()
	from := a.phase
	a.mu.Unlock()
	refuseRuntime(w, http.StatusForbidden, "InvalidStateTransition",
		fmt.Sprintf("State transition from %s to %s failed for runtime. Error: State transition is not allowed", from, to))
}

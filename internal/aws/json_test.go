package aws

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

var uuid = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

func TestAnAnswerHasTheProtocolsHeaders(t *testing.T) {
	w := newWorld(t)
	seen := map[string]bool{}
	for _, c := range []struct {
		body, want string
		err        error
		status     int
	}{
		{`{}`, `{"ok":true}`, nil, 200},
		{`{}`, `{"__type":"ResourceNotFoundException","message":"Firehose \"x\" under account 1 not found."}`,
			fmt.Errorf("get: %w", Errorf("ResourceNotFoundException", "Firehose %q under account 1 not found.", "x")), 400},
		{`{}`, `{"__type":"InvalidKMSResourceException","message":"m","code":"KMS"}`,
			&Error{Code: "InvalidKMSResourceException", Message: "m", Status: 400, Extra: []Field{{"code", "KMS"}}}, 400},
		{`{}`, `{"__type":"AccessDeniedException","Message":"m"}`, Errorf("AccessDeniedException", "m"), 400},
		{`{}`, `{"__type":"SerializationException"}`, Errorf("SerializationException", ""), 400},
		{`{}`, `{"__type":"ServiceUnavailableException","message":"Slow down."}`, Errorf("ServiceUnavailableException", "Slow down."), 500},
		{`{}`, `{"__type":"InternalFailure"}`, errors.New("secret detail"), 500},
		{`{}`, "{\"__type\":\"X\",\"message\":\"\ufffd\"}", Errorf("X", "\xff"), 400},
	} {
		w.do = func(_ context.Context, call *Call) error {
			call.Out = append(call.Out, `{"ok":true}`...)
			return c.err
		}
		rec := w.ask(signed(putRequest(c.body), "firehose", hashOf(c.body)))
		if rec.Code != c.status || rec.Body.String() != c.want {
			t.Errorf("%v: %d %s", c.err, rec.Code, rec.Body)
		}
		h := rec.Result().Header
		id := h.Get("x-amzn-RequestId")
		if !uuid.MatchString(id) || seen[id] || len(h.Get("x-amz-id-2")) != 48 ||
			h.Get("Content-Type") != "application/x-amz-json-1.1" || h.Get("Content-Length") != fmt.Sprint(len(c.want)) {
			t.Errorf("%v: headers %v", c.err, h)
		}
		seen[id] = true
	}
	if log := w.log.String(); strings.Count(log, "secret detail") != 1 || strings.Contains(log, testSecret) {
		t.Errorf("log: %s", log)
	}
}

func TestAnOperationGetsABufferWithHeadroomAndKnowsWhoAsks(t *testing.T) {
	w := newWorld(t)
	w.do = func(_ context.Context, c *Call) error {
		if &c.Buffer[Headroom] != &c.Body[0] || len(c.Buffer) < Headroom+len(c.Body) {
			t.Error("the body is not behind the headroom")
		}
		clear(c.Buffer)
		if c.Operation != "PutRecord" || c.ARN() != "arn:aws:iam::000000000000:root" || c.AccessKeyID != testID || !uuid.MatchString(c.RequestID) {
			t.Errorf("call %+v", c)
		}
		if len(c.Out) != 0 {
			t.Error("Out is not empty")
		}
		c.Out = append(c.Out, "{}"...)
		return nil
	}
	for range 3 {
		if rec := w.ask(signed(putRequest("body"), "firehose", hashOf("body"))); rec.Code != 200 {
			t.Fatal(rec.Body)
		}
	}
	if used := w.buffers.Budget().Used(); used != 0 {
		t.Errorf("%d bytes are still lent", used)
	}
}

func TestActionInTheQuerySelectsTheOperation(t *testing.T) {
	for target, want := range map[string]string{
		"/?Action=ListDeliveryStreams": "ListDeliveryStreams", "/?Action=Nothing": "", "/": "", "/x?Action=PutRecord": "",
	} {
		w := newWorld(t)
		w.do = func(_ context.Context, c *Call) error { c.Out = append(c.Out, c.Operation...); return nil }
		r := httptest.NewRequest("POST", target, strings.NewReader("{}"))
		r.Header.Set("Content-Type", "text/plain")
		rec := w.ask(signed(r, "firehose", hashOf("{}")))
		if want != "" && rec.Body.String() != want || want == "" && rec.Body.String() != `{"__type":"UnknownOperationException"}` {
			t.Errorf("%s: %s", target, rec.Body)
		}
	}
}

func TestADeclaredBodyHashMustBeTheBodys(t *testing.T) {
	for declared, ok := range map[string]bool{
		hashOf("{}"): true, hashOf("{} "): false, unsignedPayload: false, streamTrailer: false, "x": false,
	} {
		w := newWorld(t)
		r := putRequest("{}")
		r.Header.Set("X-Amz-Content-Sha256", declared)
		rec := w.ask(signed(r, "firehose", declared))
		if ok != (rec.Code == 200) {
			t.Errorf("%s: %d %s", declared, rec.Code, rec.Body)
		}
	}
}

func TestARefusedHashCostsNoMemory(t *testing.T) {
	w := newWorld(t)
	r := putRequest("{}")
	r.Body = io.NopCloser(readerFunc(func([]byte) (int, error) {
		if used := w.buffers.Budget().Used(); used != 0 {
			t.Errorf("%d bytes are lent", used)
		}
		return 0, io.EOF
	}))
	r.Header.Set("X-Amz-Content-Sha256", hashOf("{}"))
	signed(r, "firehose", hashOf("another"))
	if code, _ := jsonError(t, w.ask(r)); code != "InvalidSignatureException" {
		t.Error(code)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestAPanicBecomesAnInternalFailureAndIsLoggedOnce(t *testing.T) {
	w := newWorld(t)
	w.do = func(context.Context, *Call) error { panic("lost my mind") }
	rec := w.ask(signed(putRequest("{}"), "firehose", hashOf("{}")))
	if rec.Code != 500 || rec.Body.String() != `{"__type":"InternalFailure"}` {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
	if log := w.log.String(); strings.Count(log, "lost my mind") != 1 || !strings.Contains(log, "json_test.go") {
		t.Errorf("log: %s", log)
	}
	if used := w.buffers.Budget().Used(); used != 0 {
		t.Errorf("%d bytes are still lent", used)
	}
}

func TestBodiesOfAnySizeUpToTheLimit(t *testing.T) {
	srv, w := listen(t)
	for _, size := range []int{0, 1, 700, 350_000, MaxBody, MaxBody + 1, 2 * MaxBody} {
		for _, chunked := range []bool{false, true} {
			body := bytes.Repeat([]byte("x"), size)
			w.do = func(_ context.Context, c *Call) error {
				c.Out = fmt.Appendf(c.Out, `{"n":%d}`, len(c.Body))
				return nil
			}
			r := putRequest("")
			r.RequestURI, r.Body, r.ContentLength = "", io.NopCloser(bytes.NewReader(body)), int64(size)
			if chunked {
				r.ContentLength = -1
			}
			r.URL.Host, r.Host = srv.Listener.Addr().String(), ""
			res, err := srv.Client().Do(signed(r, "firehose", hashOf(string(body))))
			if err != nil {
				t.Fatalf("%d bytes, chunked %v: %v", size, chunked, err)
			}
			answer := readAll(t, res)
			if size <= MaxBody && answer != fmt.Sprintf(`{"n":%d}`, size) ||
				size > MaxBody && (res.StatusCode != 413 || !strings.Contains(answer, "RequestEntityTooLargeException")) {
				t.Errorf("%d bytes, chunked %v: %d %.100s", size, chunked, res.StatusCode, answer)
			}
		}
	}
	if used := w.buffers.Budget().Used(); used != 0 {
		t.Errorf("%d bytes are still lent", used)
	}
}

func TestWhoeverIsRefusedCanSendTheBodyToItsEnd(t *testing.T) {
	body := strings.Repeat("x", MaxBody)
	for name, change := range map[string]func(*http.Request){
		"unsigned":          func(r *http.Request) { r.Header.Del("Authorization") },
		"wrong signature":   func(r *http.Request) { r.Header.Set("X-Amz-Content-Sha256", hashOf("another")) },
		"unknown operation": func(r *http.Request) { r.Header.Set("X-Amz-Target", "Firehose_20150804.Nothing") },
	} {
		w := newWorld(t)
		r := signed(putRequest(body), "firehose", hashOf(body))
		change(r)
		if rec := w.ask(r); rec.Code != 400 {
			t.Errorf("%s: %d %s", name, rec.Code, rec.Body)
		}
		if n, err := r.Body.Read(make([]byte, 1)); n != 0 || err != io.EOF {
			t.Errorf("%s: the body was not read to its end", name)
		}
	}
}

func TestWhoeverWaitsToContinueIsNotAskedTo(t *testing.T) {
	w := newWorld(t)
	r := putRequest("")
	r.Body = io.NopCloser(readerFunc(func([]byte) (int, error) { t.Error("the body was read"); return 0, io.EOF }))
	r.ContentLength = 10
	r.Header.Set("Expect", "100-continue")
	if rec := w.ask(r); rec.Code != 400 {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
}

func TestManyClientsShareALittleMemory(t *testing.T) {
	srv, w := listen(t)
	w.buffers.budget.total = 200 << 10 // no more than two of the largest bodies at once
	var clients sync.WaitGroup
	for i := range 16 {
		clients.Go(func() {
			for j := range 10 {
				body := strings.Repeat(fmt.Sprint(i, j), 1+(i*7919+j*104729)%20_000)
				r := putRequest(body)
				r.RequestURI, r.URL.Host, r.Host = "", srv.Listener.Addr().String(), ""
				res, err := srv.Client().Do(signed(r, "firehose", hashOf(body)))
				if err != nil {
					t.Error(err)
					return
				}
				if got := readAll(t, res); got != `{"got":"`+hex.EncodeToString([]byte(body))+`"}` {
					t.Errorf("client %d got another's answer: %.100s", i, got)
				}
			}
		})
	}
	clients.Wait()
	if used := w.buffers.Budget().Used(); used != 0 {
		t.Errorf("%d bytes are still lent", used)
	}
}

func TestWithoutAnS3ServiceErrorsAreJSON(t *testing.T) {
	s := NewServer(Options{Region: testRegion, Credentials: keyring{}, Logger: slog.New(slog.DiscardHandler), Now: time.Now})
	rec := httptest.NewRecorder()
	s.ServeHTTP(rec, httptest.NewRequest("GET", "/", nil))
	if code, _ := jsonError(t, rec); code != "UnknownOperationException" || rec.Code != 400 {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
}

// listen serves a world on loopback.
func listen(t *testing.T) (*httptest.Server, *world) {
	t.Helper()
	w := newWorld(t)
	srv := httptest.NewServer(w)
	t.Cleanup(srv.Close)
	return srv, w
}

func readAll(t *testing.T, res *http.Response) string {
	t.Helper()
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestWithoutMemoryEachOperationThrottlesInItsOwnWords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for op, want := range map[string]string{
			"PutRecord":           `500 {"__type":"ServiceUnavailableException","message":"Slow down."}`,
			"ListDeliveryStreams": `400 {"__type":"ThrottlingException","message":"Rate exceeded"}`,
		} {
			w := newWorld(t)
			all := get(t, w.buffers, MaxBody)
			w.buffers.budget.TryAcquire(w.buffers.budget.Total() - all.granted)
			r := putRequest("{}")
			r.Header.Set("X-Amz-Target", "Firehose_20150804."+op)
			rec := w.ask(signed(r, "firehose", hashOf("{}")))
			if got := fmt.Sprint(rec.Code, " ", rec.Body); got != want {
				t.Errorf("%s: %s", op, got)
			}
			if n, err := r.Body.Read(make([]byte, 1)); n != 0 || err == nil {
				t.Errorf("%s: the body was not read to its end", op)
			}
		}
	})
}

// pipeListener accepts the one connection it is given.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}
func (l *pipeListener) Close() error   { close(l.closed); return nil }
func (l *pipeListener) Addr() net.Addr { return &net.TCPAddr{} }

func TestAClientThatTricklesDoesNotKeepItsMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.now = testTime
		client, server := net.Pipe()
		l := &pipeListener{make(chan net.Conn, 1), make(chan struct{})}
		l.conns <- server
		srv := &http.Server{Handler: w}
		done := make(chan error)
		go func() { done <- srv.Serve(l) }()

		body := strings.Repeat("x", 64<<10)
		r := signed(putRequest(body), "firehose", hashOf(body))
		head := fmt.Sprintf("POST / HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n", r.Host, len(body))
		for name, values := range r.Header {
			head += name + ": " + values[0] + "\r\n"
		}
		began := time.Now()
		var trickle sync.WaitGroup
		trickle.Go(func() {
			io.WriteString(client, head+"\r\n")
			for range len(body) { // a byte a second, until the connection is closed
				if _, err := client.Write([]byte("x")); err != nil {
					return
				}
				<-time.After(time.Second)
			}
		})
		res, err := http.ReadResponse(bufio.NewReader(client), nil)
		if err != nil {
			t.Fatal(err)
		}
		if res.StatusCode != http.StatusRequestTimeout || time.Since(began) > 32*time.Second {
			t.Errorf("%d after %v", res.StatusCode, time.Since(began))
		}
		if used := w.buffers.Budget().Used(); used != 0 {
			t.Errorf("%d bytes are still lent", used)
		}
		client.Close()
		srv.Close()
		<-done
		trickle.Wait()
	})
}

func TestABodyThatEndsEarlyIsRefused(t *testing.T) {
	w := newWorld(t)
	r := putRequest("{}")
	r.ContentLength = 10
	code, message := jsonError(t, w.ask(signed(r, "firehose", hashOf("{}"))))
	if code != "SerializationException" || message != "The body ended after 2 of 10 bytes." {
		t.Errorf("%s %s", code, message)
	}
}

func TestRefusalOfAPermissionNamesCallerActionAndResource(t *testing.T) {
	w := newWorld(t)
	w.do = func(ctx context.Context, c *Call) error {
		return c.Allow(ctx, "arn:aws:firehose:us-east-1:000000000000:deliverystream/clicks")
	}
	w.keys[testID] = Key{Secret: testSecret, Owner: "user/alice"}
	rec := w.ask(signed(putRequest("{}"), "firehose", hashOf("{}")))
	want := `{"__type":"AccessDeniedException","Message":"User: arn:aws:iam::000000000000:user/alice is not authorized to perform: ` +
		`firehose:PutRecord on resource: arn:aws:firehose:us-east-1:000000000000:deliverystream/clicks because ` +
		`no identity-based policy allows the firehose:PutRecord action"}`
	if rec.Code != 400 || rec.Body.String() != want {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
	w.keys[testID] = Key{Secret: testSecret, Owner: "user/undecided"}
	if rec := w.ask(signed(putRequest("{}"), "firehose", hashOf("{}"))); rec.Code != 500 {
		t.Errorf("undecided: %d %s", rec.Code, rec.Body)
	}
	w.keys[testID] = Key{Secret: testSecret, Owner: "root"}
	if rec := w.ask(signed(putRequest("{}"), "firehose", hashOf("{}"))); rec.Code != 200 {
		t.Errorf("root: %d %s", rec.Code, rec.Body)
	}
}

// sink is a response writer without memory, for benchmarks.
type sink struct {
	header http.Header
	status int
}

func (s *sink) Header() http.Header         { return s.header }
func (s *sink) WriteHeader(status int)      { s.status = status }
func (s *sink) Write(p []byte) (int, error) { return len(p), nil }

// SetReadDeadline is there because connections have it.
func (s *sink) SetReadDeadline(time.Time) error { return nil }

func benchmarkCall(b *testing.B, size int) {
	w := newWorld(b)
	w.do = func(_ context.Context, c *Call) error { c.Out = append(c.Out, "{}"...); return nil }
	body := bytes.Repeat([]byte("x"), size)
	r := signed(putRequest(string(body)), "firehose", hashOf(string(body)))
	reader := bytes.NewReader(body)
	r.Body = io.NopCloser(reader)
	out := &sink{header: http.Header{}}
	b.ReportAllocs()
	b.SetBytes(int64(size))
	for b.Loop() {
		reader.Reset(body)
		w.ServeHTTP(out, r)
	}
	if out.status != 200 {
		b.Fatal(out.status)
	}
}

func BenchmarkPutRecord700B(b *testing.B)        { benchmarkCall(b, 700) }
func BenchmarkPutRecordBatch256KiB(b *testing.B) { benchmarkCall(b, 256<<10) }

// BenchmarkHashOnly256KiB is the part of BenchmarkPutRecordBatch256KiB that no server of
// signed requests can do without.
func BenchmarkHashOnly256KiB(b *testing.B) {
	body := make([]byte, 256<<10)
	b.ReportAllocs()
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		sha256.Sum256(body)
	}
}

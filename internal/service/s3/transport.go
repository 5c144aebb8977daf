package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
)

// TransportOption changes what NewTransport makes.
type TransportOption func(*transport)

// WithQuickETags lets objects and parts that come through the transport have an ETag that
// is no MD5, in the form <32 hex digits>-0, unless the request carries a Content-MD5.
func WithQuickETags() TransportOption { return func(t *transport) { t.quick = true } }

// NewTransport returns a way to send requests to h without a socket. The handler runs in
// a goroutine of its own, reads the request's body as it comes, and the answer's body is
// read as it is written; nothing is kept of a whole body.
//
// When the request's context ends, its body is closed and the handler's reads and writes
// fail. RoundTrip still waits for the handler to begin its answer or to return, and either
// ends the reading of the request's body: when RoundTrip returns, the body is closed and its
// memory the caller's again.
func NewTransport(h http.Handler, options ...TransportOption) http.RoundTripper {
	t := &transport{handler: h}
	for _, o := range options {
		o(t)
	}
	return t
}

type transport struct {
	handler http.Handler
	quick   bool
}

// RoundTrip sends one request.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx := r.Context()
	if t.quick {
		ctx = context.WithValue(ctx, quickTagsKey{}, true)
	}
	body := &requestBody{ctx: ctx, src: r.Body}
	if r.Body == nil {
		body.src = http.NoBody
	}
	if err := ctx.Err(); err != nil {
		return nil, errors.Join(err, body.Close())
	}
	in := r.Clone(ctx)
	in.Body, in.RequestURI, in.RemoteAddr = body, r.URL.RequestURI(), "in-process"
	if in.Host == "" {
		in.Host = r.URL.Host
	}
	if in.ContentLength == 0 && r.Body != nil && r.Body != http.NoBody {
		in.ContentLength = -1
	}
	a := newAnswer(r, body)
	stop := context.AfterFunc(ctx, a.cancel)
	go a.run(t.handler, in, stop)
	<-a.begun
	if err := ctx.Err(); err != nil && a.failure == nil {
		return nil, errors.Join(err, a.reader.Close())
	}
	if a.failure != nil {
		return nil, a.failure
	}
	return a.response(), nil
}

// requestBody is a request's body on its way into the handler. It ends with the context.
type requestBody struct {
	ctx   context.Context
	src   io.ReadCloser
	once  sync.Once
	close error
}

// Read reads on.
func (b *requestBody) Read(p []byte) (int, error) {
	if err := b.ctx.Err(); err != nil {
		return 0, err
	}
	return b.src.Read(p)
}

// Close closes the sender's body, once, and says each time how that went.
func (b *requestBody) Close() error {
	b.once.Do(func() { b.close = b.src.Close() })
	return b.close
}

// answer is the handler's http.ResponseWriter and the body of the http.Response. The
// handler's goroutine owns header, status and written; others may read the first two after
// begun is closed.
type answer struct {
	request *http.Request
	body    *requestBody
	header  http.Header
	sent    http.Header // header as it was when the answer began
	status  int
	length  int64 // as declared, or -1
	written int64
	begun   chan struct{}
	failure error // why there is no answer
	reader  *io.PipeReader
	writer  *io.PipeWriter
}

func newAnswer(r *http.Request, body *requestBody) *answer {
	a := &answer{request: r, body: body, header: make(http.Header), length: -1, begun: make(chan struct{})}
	a.reader, a.writer = io.Pipe()
	return a
}

// run lets the handler answer, and ends the answer.
func (a *answer) run(h http.Handler, in *http.Request, stop func() bool) {
	err := a.serve(h, in)
	stop()
	a.end(errors.Join(err, a.body.Close()))
}

// serve calls the handler. Its panic is the request's error, as it is net/http's.
func (a *answer) serve(h http.Handler, in *http.Request) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("answer %s %s: panic: %v", in.Method, in.URL.Path, p)
		}
	}()
	h.ServeHTTP(a, in)
	return nil
}

// end finishes the answer, or its body if it has begun.
func (a *answer) end(failure error) {
	if a.status == 0 && failure == nil {
		failure = a.body.ctx.Err()
	}
	if a.status == 0 && failure != nil {
		a.failure = failure
		close(a.begun)
		return
	}
	a.WriteHeader(http.StatusOK)
	if failure == nil && a.length >= 0 && a.written < a.length && a.hasBody() {
		failure = io.ErrUnexpectedEOF
	}
	a.writer.CloseWithError(failure) // nil is io.EOF to the reader
}

// cancel ends both bodies because the context ended.
func (a *answer) cancel() {
	_ = a.body.Close() // run reports it
	a.writer.CloseWithError(a.body.ctx.Err())
}

// Header is the answer's header, to be set before the answer begins.
func (a *answer) Header() http.Header { return a.header }

// WriteHeader begins the answer and ends the request's body. Further calls do nothing.
func (a *answer) WriteHeader(status int) {
	if a.status != 0 || status < 200 {
		return
	}
	a.status = status
	a.sent = make(http.Header, len(a.header))
	for name, values := range a.header {
		name = http.CanonicalHeaderKey(name)
		a.sent[name] = append(a.sent[name], values...)
	}
	if n, err := strconv.ParseInt(a.header.Get("Content-Length"), 10, 64); err == nil {
		a.length = n
	}
	_ = a.body.Close() // run reports it
	close(a.begun)
}

// Write passes bytes to the reader of the response's body and waits until it took them.
func (a *answer) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	a.written += int64(len(p))
	if !a.hasBody() {
		return len(p), nil
	}
	return a.writer.Write(p)
}

// Flush does nothing: what is written is on its way.
func (a *answer) Flush() { a.WriteHeader(http.StatusOK) }

func (a *answer) hasBody() bool {
	return a.request.Method != http.MethodHead && a.status != http.StatusNoContent && a.status != http.StatusNotModified
}

// response is the answer as its reader sees it.
func (a *answer) response() *http.Response {
	out := &http.Response{
		Status: strconv.Itoa(a.status) + " " + http.StatusText(a.status), StatusCode: a.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: a.sent, ContentLength: a.length, Body: a.reader, Request: a.request,
	}
	if !a.hasBody() {
		out.Body = http.NoBody
	}
	return out
}

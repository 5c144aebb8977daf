package s3fake

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// ErrDropped is what Transport returns where a socket would show a lost connection.
var ErrDropped = errors.New("connection lost")

// Transport reaches the store without a socket: the round trip runs the handler, in the
// goroutine of the client.
func (f *Fake) Transport() http.RoundTripper { return transport{f} }

type transport struct{ fake *Fake }

// RoundTrip serves r. It ends with the error of r's context if that ends first.
func (t transport) RoundTrip(r *http.Request) (resp *http.Response, err error) {
	ctx := r.Context()
	in := r.Clone(ctx)
	in.Body, err = slurp(r)
	if err != nil {
		return nil, err
	}
	w := &recorder{header: http.Header{}}
	defer func() {
		if p := recover(); p == http.ErrAbortHandler {
			resp, err = nil, ErrDropped
		} else if p != nil {
			panic(p)
		}
		if ctx.Err() != nil {
			resp, err = nil, ctx.Err()
		}
	}()
	t.fake.serve(w, in)
	return w.response(r), nil
}

// slurp reads and closes the body of a client's request.
func slurp(r *http.Request) (io.ReadCloser, error) {
	if r.Body == nil {
		return http.NoBody, nil
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, fmt.Errorf("read the request's body: %w", err)
	}
	return io.NopCloser(bytes.NewReader(b)), nil
}

// recorder keeps an answer.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (w *recorder) Header() http.Header         { return w.header }
func (w *recorder) WriteHeader(status int)      { w.status = status }
func (w *recorder) Write(b []byte) (int, error) { return w.body.Write(b) }

func (w *recorder) response(r *http.Request) *http.Response {
	return &http.Response{
		Status:     fmt.Sprintf("%d %s", w.status, http.StatusText(w.status)),
		StatusCode: w.status,
		Proto:      "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:        w.header,
		Body:          io.NopCloser(&w.body),
		ContentLength: int64(w.body.Len()),
		Request:       r,
	}
}

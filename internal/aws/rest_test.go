package aws

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// restWorld mounts a REST service that answers with what it got.
func restWorld(t *testing.T, mostBody int) *world {
	w := newWorld(t)
	w.Handle("lambda", &REST{
		Name: "lambda", MaxBody: mostBody,
		Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			caller, ok := CallerFrom(r.Context())
			body, verified := VerifiedBody(r)
			if !ok || !verified {
				t.Errorf("caller %v, body verified %v", ok, verified)
			}
			if err := caller.Authorize(r.Context(), "lambda:Try", "*"); err != nil {
				writeREST(rw, RESTError(err.(*Error)))
				return
			}
			streamed, err := io.ReadAll(r.Body)
			if err != nil || !bytes.Equal(streamed, body) {
				t.Errorf("the body reads as %d bytes (%v), and is %d", len(streamed), err, len(body))
			}
			rw.Header().Set("Path", r.URL.Path)
			rw.Write(body)
		}),
		Refuse: writeREST,
	})
	return w
}

func writeREST(w http.ResponseWriter, e *Error) {
	w.Header().Set("X-Amzn-ErrorType", e.Code)
	w.WriteHeader(e.Status)
	io.WriteString(w, e.Message)
}

func restRequest(path, body string) *http.Request {
	return httptest.NewRequest("POST", "http://localhost:4573"+path, strings.NewReader(body))
}

func TestARESTRequestReachesItsHandlerVerified(t *testing.T) {
	w := restWorld(t, 0)
	const path = "/functions/arn%3Aaws%3Alambda/invocations"
	for _, declared := range []bool{false, true} {
		r := restRequest(path, `{"a":1}`)
		if declared {
			r.Header.Set("X-Amz-Content-Sha256", hashOf(`{"a":1}`))
		}
		got := w.ask(signed(r, "lambda", hashOf(`{"a":1}`)))
		if got.Code != 200 || got.Body.String() != `{"a":1}` || got.Header().Get("Path") != "/functions/arn:aws:lambda/invocations" {
			t.Errorf("hash declared %v: %d %q, path %q", declared, got.Code, got.Body, got.Header().Get("Path"))
		}
		if len(got.Header().Get("X-Amzn-Requestid")) != 36 {
			t.Errorf("request id %q", got.Header().Get("X-Amzn-Requestid"))
		}
	}
	if used := w.buffers.Budget().Used(); used != 0 {
		t.Errorf("%d bytes are still lent", used)
	}
}

func TestARESTRequestIsRefusedInRESTsWords(t *testing.T) {
	tests := []struct {
		name   string
		tamper func(w *world, r *http.Request)
		status int
		code   string
	}{
		{"another body", func(_ *world, r *http.Request) {
			r.Body = io.NopCloser(strings.NewReader(`{"a":2}`))
		}, 403, "InvalidSignatureException"},
		{"another path", func(_ *world, r *http.Request) { r.RequestURI = "/other" }, 403, "InvalidSignatureException"},
		{"another hash than the body's", func(_ *world, r *http.Request) {
			r.Header.Set("X-Amz-Content-Sha256", hashOf("x"))
			signed(r, "lambda", hashOf("x"))
		}, 403, "InvalidSignatureException"},
		{"an unknown key", func(w *world, _ *http.Request) { delete(w.keys, testID) }, 403, "UnrecognizedClientException"},
		{"not allowed", func(w *world, _ *http.Request) {
			w.keys[testID] = Key{Secret: testSecret, Owner: "user/alice"}
		}, 403, "AccessDeniedException"},
		{"too large", func(_ *world, r *http.Request) { r.ContentLength = 1001 }, 413, "RequestEntityTooLargeException"},
		{"much too large", func(_ *world, r *http.Request) { r.ContentLength = 99 << 20 }, 413, "RequestEntityTooLargeException"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := restWorld(t, 1000)
			body := `{"a":1}`
			if tt.name == "too large" {
				body = strings.Repeat("x", 1001)
			}
			r := signed(restRequest("/functions/f", body), "lambda", hashOf(body))
			tt.tamper(w, r)
			got := w.ask(r)
			if got.Code != tt.status || got.Header().Get("X-Amzn-ErrorType") != tt.code {
				t.Errorf("got %d %s %q, want %d %s", got.Code, got.Header().Get("X-Amzn-ErrorType"), got.Body, tt.status, tt.code)
			}
			if used := w.buffers.Budget().Used(); used != 0 {
				t.Errorf("%d bytes are still lent", used)
			}
		})
	}
}

func TestABodyLargerThanAnyBufferIsReadWhereAllowed(t *testing.T) {
	w := restWorld(t, 2*MaxBody)
	body := strings.Repeat("x", MaxBody+1)
	got := w.ask(signed(restRequest("/functions", body), "lambda", hashOf(body)))
	if got.Code != 200 || got.Body.String() != body {
		t.Errorf("got %d and %d bytes", got.Code, got.Body.Len())
	}
	short := signed(restRequest("/functions", body), "lambda", hashOf(body))
	short.ContentLength++
	if got := w.ask(short); got.Header().Get("X-Amzn-ErrorType") != "SerializationException" {
		t.Errorf("a short body: %d %s", got.Code, got.Header().Get("X-Amzn-ErrorType"))
	}
	if used := w.buffers.Budget().Used(); used != 0 {
		t.Errorf("%d bytes are still lent", used)
	}
}

package aws

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// sending is an HTTP client whose requests a function answers, without a network.
type sending func(*http.Request) (*http.Response, error)

func (s sending) RoundTrip(r *http.Request) (*http.Response, error) { return s(r) }

// newClient is a client of the world's JSON service.
func (w *world) newClient(t testing.TB) *Client {
	return &Client{
		Endpoint: "http://firehose.example.com:4573", Service: "firehose", Target: "Firehose_20150804", Region: testRegion,
		Credentials: func(context.Context) (KeyPair, error) { return KeyPair{AccessKeyID: testID, Secret: testSecret}, nil },
		HTTP: &http.Client{Transport: sending(func(r *http.Request) (*http.Response, error) {
			return w.ask(arrived(t, r)).Result(), nil
		})},
		Now: func() time.Time { return testTime },
	}
}

func TestACallIsAcceptedByTheRealServer(t *testing.T) {
	w := newWorld(t)
	w.do = func(_ context.Context, c *Call) error {
		c.Out = append(c.Out, c.Body...)
		return nil
	}
	type text struct{ Data []byte }
	for _, endpoint := range []string{"http://firehose.example.com:4573", "https://firehose.example.com/"} {
		c := w.newClient(t)
		c.Endpoint = endpoint
		var out text
		if err := c.Call(t.Context(), "PutRecord", text{[]byte("hello")}, &out); err != nil || string(out.Data) != "hello" {
			t.Errorf("%s: %q, %v", endpoint, out.Data, err)
		}
		if err := c.Call(t.Context(), "ListDeliveryStreams", nil, nil); err != nil {
			t.Errorf("%s, with nothing to send: %v", endpoint, err)
		}
	}
}

func TestACallOfASessionIsAccepted(t *testing.T) {
	w := newWorld(t)
	w.keys[testID] = Key{Secret: testSecret, Token: "session", Owner: "root"}
	c := w.newClient(t)
	if err := c.Call(t.Context(), "PutRecord", nil, nil); codeOf(err) != "UnrecognizedClientException" {
		t.Errorf("without the token: %v", err)
	}
	c.Credentials = func(context.Context) (KeyPair, error) { return KeyPair{testID, testSecret, "session"}, nil }
	if err := c.Call(t.Context(), "PutRecord", nil, nil); err != nil {
		t.Error(err)
	}
}

// codeOf is the code of a refusal, empty for other errors.
func codeOf(err error) string {
	var e *RemoteError
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

func TestACallThatWasChangedOnItsWayIsRefused(t *testing.T) {
	for name, change := range map[string]func(*http.Request){
		"the body":      func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader("[]")) },
		"the operation": func(r *http.Request) { r.Header.Set("X-Amz-Target", "Firehose_20150804.PutRecordBatch") },
		"the host":      func(r *http.Request) { r.Host = "elsewhere.example.com" },
		"the date":      func(r *http.Request) { r.Header.Set("X-Amz-Date", "20260115T101501Z") },
	} {
		w := newWorld(t)
		c := w.newClient(t)
		c.HTTP.Transport = sending(func(r *http.Request) (*http.Response, error) {
			change(r)
			return w.ask(arrived(t, r)).Result(), nil
		})
		if err := c.Call(t.Context(), "PutRecord", nil, nil); codeOf(err) != "InvalidSignatureException" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTheErrorsOfAServiceComeBackAsTheyAre(t *testing.T) {
	w := newWorld(t)
	w.do = func(context.Context, *Call) error { return Errorf("LimitExceededException", "too much of %s", "it") }
	err := w.newClient(t).Call(t.Context(), "PutRecord", nil, nil)
	var e *RemoteError
	if !errors.As(err, &e) || *e != (RemoteError{"LimitExceededException", "too much of it", 400}) {
		t.Fatalf("got %v", err)
	}
	if want := "firehose:PutRecord: LimitExceededException: too much of it (status 400)"; err.Error() != want {
		t.Errorf("it reads %q", err)
	}
}

func TestACallEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c := newWorld(t).newClient(t)
	c.HTTP.Transport = sending(func(r *http.Request) (*http.Response, error) {
		cancel()
		<-r.Context().Done()
		return nil, r.Context().Err()
	})
	if err := c.Call(ctx, "PutRecord", nil, nil); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
}

func TestACallWithoutCredentialsIsNotSent(t *testing.T) {
	c, missing := newWorld(t).newClient(t), errors.New("nobody knows them")
	c.Credentials = func(context.Context) (KeyPair, error) { return KeyPair{}, missing }
	c.HTTP.Transport = sending(func(*http.Request) (*http.Response, error) {
		t.Error("sent")
		return nil, missing
	})
	if err := c.Call(t.Context(), "PutRecord", nil, nil); !errors.Is(err, missing) {
		t.Fatal(err)
	}
}

// A redirect would carry body and session token elsewhere.
func TestNoRedirectIsFollowed(t *testing.T) {
	var asked int
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++ }))
	defer elsewhere.Close()
	server := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
	defer server.Close()
	c := newWorld(t).newClient(t)
	c.Endpoint, c.HTTP = server.URL, server.Client()
	err := c.Call(t.Context(), "PutRecord", nil, nil)
	var e *RemoteError
	if !errors.As(err, &e) || e.Status != http.StatusTemporaryRedirect || asked > 0 {
		t.Fatalf("%v, and the other place was asked %d times", err, asked)
	}
}

// endless is a body without an end.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

// truncated is a body whose end is missing.
type truncated struct{}

func (truncated) Read(p []byte) (int, error) { return copy(p, `{"a":`), io.ErrUnexpectedEOF }

func TestWrongAnswersAreExplained(t *testing.T) {
	const html = "<html>Bad gateway</html>"
	tests := []struct {
		name   string
		status int
		kind   string // header Content-Type
		body   io.Reader
		is     error // nil: a *RemoteError without a code
		want   string
	}{
		{"HTML that says yes", 200, "text/html; charset=utf-8", strings.NewReader(html), ErrBadAnswer,
			"firehose:PutRecord: not an answer of an AWS service: status 200 with 24 bytes of text/html, no JSON from byte 0 on"},
		{"HTML that says no", 502, "text/html", strings.NewReader(html), nil,
			"firehose:PutRecord: status 502: the answer is 24 bytes of text/html"},
		{"nothing that says yes", 200, "", strings.NewReader(""), ErrBadAnswer, "0 bytes of unknown type"},
		{"nothing that says no", 503, "", strings.NewReader(""), nil, "status 503: the answer is 0 bytes of unknown type"},
		{"an error without a name", 400, "application/x-amz-json-1.1", strings.NewReader("{}"), nil, "status 400: the answer names no error"},
		{"half an object", 200, "application/x-amz-json-1.1", strings.NewReader(`{"A":"s`), ErrBadAnswer, "no JSON from byte"},
		{"another object", 200, "application/x-amz-json-1.1", strings.NewReader(`{"A":{"secret":1}}`), ErrBadAnswer,
			"other JSON than expected at byte 5"},
		{"a cut connection", 200, "application/x-amz-json-1.1", truncated{}, io.ErrUnexpectedEOF, "read the answer with status 200"},
		{"an answer without end", 200, "application/x-amz-json-1.1", endless{}, ErrBadAnswer, "status 200 with more than 4 MiB"},
		{"an error without end", 400, "application/x-amz-json-1.1", endless{}, ErrBadAnswer, "status 400 with more than 4 MiB"},
	}
	for _, tt := range tests {
		c := newWorld(t).newClient(t)
		c.HTTP.Transport = sending(func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: tt.status, Header: http.Header{"Content-Type": {tt.kind}}, Body: io.NopCloser(tt.body)}, nil
		})
		var out struct{ A string }
		err := c.Call(t.Context(), "PutRecord", nil, &out)
		var e *RemoteError
		if tt.is == nil && (!errors.As(err, &e) || e.Code != "" || e.Status != tt.status) || tt.is != nil && !errors.Is(err, tt.is) ||
			!strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestCodesAreFoundWhereverServicesPutThem(t *testing.T) {
	tests := []struct{ header, body, code, message string }{
		{"", `{"__type":"DisabledException","message":"m"}`, "DisabledException", "m"},
		{"", `{"__type":"com.amazonaws.kms#DisabledException","Message":"m"}`, "DisabledException", "m"},
		{"", `{"code":"DisabledException","message":"m","Message":"m"}`, "DisabledException", "m"},
		{"DisabledException:http://internal.amazon.com/coral/", `{"message":"m"}`, "DisabledException", "m"},
		{"DisabledException", "<html>", "DisabledException", "the answer is 6 bytes of unknown type"},
		{"", "{\"__type\":\"A\",\"message\":\"\xff\"}", "A", "\uFFFD"},
		{"", `{"__type":"A","message":"` + strings.Repeat("ü", 600) + `"}`, "A", strings.Repeat("ü", 512)},
	}
	for _, tt := range tests {
		e := decodeRefusal(400, http.Header{"X-Amzn-Errortype": {tt.header}}, []byte(tt.body), KeyPair{})
		if e.Code != tt.code || e.Message != tt.message {
			t.Errorf("%q, %s: %s, %q", tt.header, tt.body, e.Code, e.Message)
		}
	}
}

// Neither the keys nor what an answer holds is told by an error.
func TestNoErrorOfAClientTellsASecret(t *testing.T) {
	const secret, token, plaintext = "hunter2secret", "hunter2token", "hunter2plain"
	refusal := `{"__type":"InvalidSignatureException","message":"` + strings.Repeat("x", maxRemoteMessage-4) +
		` x-amz-security-token:` + token + `"}`
	for name, answer := range map[string]struct {
		status int
		body   string
	}{
		"a refusal that quotes": {403, strings.Replace(refusal, "xxxx", secret+" "+token, 1)},
		"a refusal cut short":   {403, refusal},
		"a plaintext misplaced": {200, `{"A":"` + plaintext + `","A":1}`},
		"a number misplaced":    {200, `{"N":"` + plaintext + `"}`},
	} {
		c := newWorld(t).newClient(t)
		c.Credentials = func(context.Context) (KeyPair, error) { return KeyPair{testID, secret, token}, nil }
		c.HTTP.Transport = sending(func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: answer.status, Body: io.NopCloser(strings.NewReader(answer.body))}, nil
		})
		var out struct {
			A string
			N int
		}
		if err := c.Call(t.Context(), "PutRecord", nil, &out); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", name, err)
		}
	}
	c := newWorld(t).newClient(t)
	c.Endpoint = "http://me:hunter2@[store"
	if err := c.Call(t.Context(), "PutRecord", nil, nil); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the endpoint: %v", err)
	}
}

// Whatever comes back is read, or refused in bounded words that are text.
func FuzzDecodeAnswer(f *testing.F) {
	f.Add(200, "", `{"Plaintext":"c2VjcmV0"}`)
	f.Add(400, "", `{"__type":"com.amazonaws.kms#DisabledException","message":"k is disabled."}`)
	f.Add(403, "AccessDenied:http://x", `{"Message":"no"}`)
	f.Add(502, "", "<html>")
	f.Add(500, "#:", "{\"__type\":\"\xff\",\"message\":{}}")
	f.Fuzz(func(t *testing.T, status int, kind, body string) {
		header := http.Header{"X-Amzn-Errortype": {kind}, "Content-Type": {kind}}
		var out struct {
			Plaintext []byte
			KeyID     string `json:"KeyId"`
		}
		if err := decodeAnswer(header, []byte(body), &out); err != nil && !errors.Is(err, ErrBadAnswer) {
			t.Fatal(err)
		}
		e := decodeRefusal(status, header, []byte(body), KeyPair{Secret: "secret", Token: "token"})
		if e.Status != status || e.Code == "" && e.Message == "" || len(e.Code) > maxRemoteCode || len(e.Message) > maxRemoteMessage {
			t.Fatalf("%+v", e)
		}
		if text := e.Error(); strings.ToValidUTF8(text, "") != text {
			t.Fatalf("%q is not text", text)
		}
	})
}

// A reply of a REST-JSON service comes back as it is, or as the refusal that it is.
func TestAPostIsAcceptedByTheRealServer(t *testing.T) {
	w := newWorld(t)
	var got, agent string
	w.Handle("lambda", &REST{
		Name: "lambda",
		Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				t.Error(err)
			}
			got, agent = r.URL.EscapedPath()+" "+string(body), r.Header.Get("X-Amz-Invocation-Type")
			if strings.Contains(got, "none") {
				rw.Header().Set("X-Amzn-ErrorType", "ResourceNotFoundException")
				rw.WriteHeader(http.StatusNotFound)
				_, _ = rw.Write([]byte(`{"Type":"User","Message":"Function not found"}`))
				return
			}
			rw.Header().Set("X-Amz-Function-Error", "Unhandled")
			_, _ = rw.Write([]byte("answer"))
		}),
		Refuse: func(rw http.ResponseWriter, e *Error) { t.Errorf("refused: %v", e) },
	})
	c := w.newClient(t)
	c.Service = "lambda"
	reply, err := c.Post(t.Context(), "/2015-03-31/functions/arn:aws:lambda%3Af/invocations", http.Header{"X-Amz-Invocation-Type": {"DryRun"}}, []byte(`{"a":1}`))
	if err != nil || reply.Status != 200 || string(reply.Body) != "answer" || reply.Header.Get("X-Amz-Function-Error") != "Unhandled" {
		t.Fatalf("%+v, %v", reply, err)
	}
	if got != `/2015-03-31/functions/arn:aws:lambda%3Af/invocations {"a":1}` || agent != "DryRun" {
		t.Errorf("the handler got %s, %s", got, agent)
	}
	var told *RemoteError
	if _, err := c.Post(t.Context(), "/none", nil, nil); !errors.As(err, &told) || told.Code != "ResourceNotFoundException" || told.Status != 404 {
		t.Errorf("%v", err)
	}
}

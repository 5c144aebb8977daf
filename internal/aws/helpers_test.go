package aws

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	testID     = "HYDRAAAAAAAAAAAAAAAA"
	testSecret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
	testRegion = "us-east-1"
)

var testTime = time.Date(2026, 1, 15, 10, 15, 0, 0, time.UTC)

// keyring is the identity of the tests.
type keyring map[string]Key

func (k keyring) Lookup(id string) (Key, bool) { key, ok := k[id]; return key, ok }

// judge is the authorisation of the tests: the root may do everything.
type judge struct{}

func (judge) Allow(_ context.Context, p Principal, action, _ string) error {
	switch p.Owner {
	case "root":
		return nil
	case "user/undecided":
		return ErrUndecided
	}
	return errors.New("no identity-based policy allows the " + action + " action")
}

// world is a server with an S3 service that answers with what it read, and a JSON service.
type world struct {
	*Server
	keys    keyring
	now     time.Time
	buffers *Buffers
	log     *lockedBuffer
	// do is what the JSON service's operations do.
	do Operation
	// s3 is what the S3 service does.
	s3 http.HandlerFunc
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{
		keys:    keyring{testID: {Secret: testSecret, Owner: "root"}},
		now:     testTime,
		buffers: NewBuffers(64<<20, time.Minute),
		log:     new(lockedBuffer),
		do: func(_ context.Context, c *Call) error {
			c.Out = append(append(append(c.Out, `{"got":"`...), hex.EncodeToString(c.Body)...), `"}`...)
			return nil
		},
		s3: func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				var e *Error
				if !errors.As(err, &e) {
					e = &Error{Code: "Unworded", Message: err.Error(), Status: 500}
				}
				writeXML(w, e)
				return
			}
			w.Write(body)
		},
	}
	w.Server = NewServer(Options{
		Partition: "aws", Region: testRegion, Account: "000000000000",
		Credentials: w.keys, Authorizer: judge{}, Buffers: w.buffers,
		Logger: slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Now:    func() time.Time { return w.now },
	})
	do := func(ctx context.Context, c *Call) error { return w.do(ctx, c) }
	w.Handle("firehose", NewJSON("firehose", "Firehose_20150804",
		map[string]Operation{"PutRecord": do, "PutRecordBatch": do, "ListDeliveryStreams": do},
		func(op string) *Error {
			if strings.HasPrefix(op, "Put") {
				return Errorf("ServiceUnavailableException", "Slow down.")
			}
			return Errorf("ThrottlingException", "Rate exceeded")
		}))
	w.Handle("s3", &S3{
		Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { w.s3(rw, r) }),
		Refuse:  func(rw http.ResponseWriter, _ *http.Request, e *Error) { writeXML(rw, e) },
	})
	return w
}

// writeXML writes an error as an S3 service would, in short.
func writeXML(w http.ResponseWriter, e *Error) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(e.Status)
	io.WriteString(w, "<Error><Code>"+e.Code+"</Code><Message>"+e.Message+"</Message>")
	for _, f := range e.Extra {
		io.WriteString(w, "<"+f.Name+">"+f.Value+"</"+f.Name+">")
	}
	io.WriteString(w, "</Error>")
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// ask sends a request straight to the server.
func (w *world) ask(r *http.Request) *httptest.ResponseRecorder {
	rec := httptest.NewRecorder()
	w.ServeHTTP(rec, r)
	return rec
}

// arrived makes of a request to send the one that a server gets, without a network between.
func arrived(t testing.TB, r *http.Request) *http.Request {
	t.Helper()
	got := httptest.NewRequest(r.Method, r.URL.RequestURI(), r.Body)
	got.Header = r.Header.Clone()
	got.Host = hostOf(r)
	got.ContentLength = r.ContentLength
	return got
}

// putRequest is an unsigned PutRecord as an SDK makes it.
func putRequest(body string) *http.Request {
	r := httptest.NewRequest("POST", "http://localhost:4573/", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", "Firehose_20150804.PutRecord")
	return r
}

// signed signs r with the test key for the service.
func signed(r *http.Request, service, payload string) *http.Request {
	NewSigner(testID, testSecret, "", service, testRegion).Sign(r, payload, testTime)
	return r
}

func hashOf(body string) string {
	sum := sha256.Sum256([]byte(body))
	return hex.EncodeToString(sum[:])
}

// jsonError reads the error of an answer.
func jsonError(t testing.TB, rec *httptest.ResponseRecorder) (code, message string) {
	t.Helper()
	var e struct {
		Type    string `json:"__type"`
		Message string `json:"message"`
	}
	if err := json.Unmarshal(rec.Body.Bytes(), &e); err != nil {
		t.Fatalf("answer %d %q: %v", rec.Code, rec.Body, err)
	}
	return e.Type, e.Message
}

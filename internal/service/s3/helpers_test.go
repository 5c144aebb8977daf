package s3

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"hydrant/internal/aws"
)

const (
	testKeyID  = "HYDRTESTTESTTESTTEST"
	testSecret = "test-secret-of-forty-characters-12345678"
)

// testKeys knows one access key.
type testKeys struct{}

func (testKeys) Lookup(id string) (aws.Key, bool) {
	return aws.Key{Secret: testSecret, Owner: "root"}, id == testKeyID
}

// allowAll allows everything but what it names.
type allowAll struct{ except map[string]bool }

func (a allowAll) Allow(_ context.Context, _ aws.Principal, action, _ string) error {
	if a.except[action] {
		return errors.New("no identity-based policy allows the " + action + " action")
	}
	return nil
}

// openStore opens a store in a folder of the test's own.
func openStore(t testing.TB, change ...func(*Options)) *Store {
	t.Helper()
	o := Options{Root: t.TempDir(), Logger: slog.New(slog.NewTextHandler(testLog{t}, nil))}
	for _, f := range change {
		f(&o)
	}
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// testLog writes log lines into the test's output.
type testLog struct{ t testing.TB }

func (l testLog) Write(p []byte) (int, error) {
	l.t.Log(strings.TrimSpace(string(p)))
	return len(p), nil
}

// serve puts a store behind signatures on a loopback port, and returns its URL.
func serve(t testing.TB, s *Store, refused ...string) string {
	t.Helper()
	except := make(map[string]bool)
	for _, action := range refused {
		except[action] = true
	}
	server := aws.NewServer(aws.Options{Region: s.region, Account: s.account, Credentials: testKeys{},
		Authorizer: allowAll{except}, Now: time.Now, Logger: slog.New(slog.NewTextHandler(testLog{t}, nil))})
	server.Handle("s3", &aws.S3{Handler: s, Refuse: s.Refuse})
	web := httptest.NewServer(server)
	t.Cleanup(web.Close)
	return web.URL
}

// client is an SDK client with the SDK's own defaults.
func client(t testing.TB, url string, change ...func(*sdk.Options)) *sdk.Client {
	t.Helper()
	o := sdk.Options{
		Region: "us-east-1", BaseEndpoint: &url, UsePathStyle: true, RetryMaxAttempts: 1,
		RequestChecksumCalculation: awssdk.RequestChecksumCalculationWhenSupported,
		ResponseChecksumValidation: awssdk.ResponseChecksumValidationWhenSupported,
		Credentials: awssdk.CredentialsProviderFunc(func(context.Context) (awssdk.Credentials, error) {
			return awssdk.Credentials{AccessKeyID: testKeyID, SecretAccessKey: testSecret}, nil
		}),
	}
	for _, f := range change {
		f(&o)
	}
	return sdk.New(o)
}

// plain is a client without signatures and checksums, for looking at single requests.
type plain struct {
	t testing.TB
	s http.Handler
}

// answered is what a plain request got.
type answered struct {
	status int
	header http.Header
	body   []byte
	code   string // of the error, if it is one
}

// do sends a request; headers are name, value, name, value.
func (p plain) do(method, target, body string, headers ...string) answered {
	p.t.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	p.s.ServeHTTP(w, r)
	a := answered{status: w.Code, header: make(http.Header), body: w.Body.Bytes()}
	for name, values := range w.Header() {
		a.header[http.CanonicalHeaderKey(name)] = values
	}
	var doc struct{ Code string }
	if w.Code >= 300 && len(a.body) > 0 {
		if err := xml.Unmarshal(a.body, &doc); err != nil {
			p.t.Fatalf("%s %s: %v in %q", method, target, err, a.body)
		}
		a.code = doc.Code
	}
	return a
}

// must is do for requests that have to succeed.
func (p plain) must(method, target, body string, headers ...string) answered {
	p.t.Helper()
	a := p.do(method, target, body, headers...)
	if a.status >= 300 {
		p.t.Fatalf("%s %s: %d %s", method, target, a.status, a.body)
	}
	return a
}

// bucketed is a plain client of a new store with the bucket "box".
func bucketed(t testing.TB, change ...func(*Options)) (*Store, plain) {
	t.Helper()
	s := openStore(t, change...)
	if err := s.CreateBucket(t.Context(), "box"); err != nil {
		t.Fatal(err)
	}
	return s, plain{t, s}
}

// content reads an SDK object to its end.
func content(t testing.TB, body io.ReadCloser) []byte {
	t.Helper()
	var b bytes.Buffer
	if _, err := b.ReadFrom(body); err != nil {
		t.Fatal(err)
	}
	if err := body.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// transportClient is an SDK HTTP client over a transport.
type transportClient struct{ http.RoundTripper }

func (c transportClient) Do(r *http.Request) (*http.Response, error) { return c.RoundTrip(r) }

func putInput(bucket, key, body string) *sdk.PutObjectInput {
	return &sdk.PutObjectInput{Bucket: &bucket, Key: &key, Body: strings.NewReader(body)}
}

func deleteInput(bucket string, keys ...string) *sdk.DeleteObjectsInput {
	var d types.Delete
	for _, key := range keys {
		d.Objects = append(d.Objects, types.ObjectIdentifier{Key: &key})
	}
	return &sdk.DeleteObjectsInput{Bucket: &bucket, Delete: &d}
}

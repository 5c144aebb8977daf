package s3_test

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"hydrant/internal/deliver"
	"hydrant/internal/dest/desttest"
	"hydrant/internal/dest/s3"
	"hydrant/internal/dest/s3/s3fake"
	"hydrant/internal/record"
)

var _ deliver.Destination = (*s3.Destination)(nil)

const (
	bucket = "lake"
	key    = "arn:aws:kms:us-east-1:123456789012:key/0a1b2c3d-0000-1111-2222-333344445555"
)

// first is the operation that a call of each method begins with.
var first = map[desttest.Method]s3fake.Operation{
	desttest.Put:      s3fake.PutObject,
	desttest.Begin:    s3fake.CreateUpload,
	desttest.Part:     s3fake.UploadPart,
	desttest.Complete: s3fake.CompleteUpload,
	desttest.Size:     s3fake.HeadObject,
	desttest.Sweep:    s3fake.ListUploads,
}

var faults = map[desttest.Trouble]s3fake.Fault{
	desttest.Refused:     s3fake.Refuse(500, "InternalError"),
	desttest.Denied:      s3fake.Refuse(403, "AccessDenied"),
	desttest.BucketGone:  s3fake.Refuse(404, "NoSuchBucket"),
	desttest.KeyRefused:  s3fake.Refuse(400, "KMS.DisabledException"),
	desttest.LostBefore:  s3fake.DropBefore(),
	desttest.FailedAfter: s3fake.DoThenFail(500),
	desttest.LostAfter:   s3fake.DoThenDrop(),
	desttest.Hang:        s3fake.Delay(time.Hour),
}

func harness(d *s3.Destination, f *s3fake.Fake) desttest.Harness {
	f.SetMinPart(5000)
	f.SetPage(2)
	return desttest.Harness{
		Destination: d, Bucket: bucket, PartSize: 5000, KMSKey: key,
		Stored: func(key string) (desttest.Stored, bool) {
			o, ok := f.Object(bucket, key)
			return desttest.Stored{
				Body: o.Body, Contents: o.Contents,
				KMSKey:      o.Header.Get("X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id"),
				ContentType: o.Header.Get("Content-Type"), ContentEncoding: o.Header.Get("Content-Encoding"),
			}, ok
		},
		Uploads: func(key string) (n int) {
			for _, u := range f.Uploads() {
				if u.Bucket == bucket && u.Key == key {
					n++
				}
			}
			return n
		},
		Trouble: func(m desttest.Method, trouble desttest.Trouble, met func()) {
			var once sync.Once
			f.SetFault(func(op s3fake.Op) (fault s3fake.Fault) {
				fault = s3fake.Pass()
				if op.Operation == first[m] {
					once.Do(func() {
						met()
						fault = faults[trouble]
					})
				}
				return fault
			})
		},
		Requests: func() (n int) {
			for _, fired := range f.Fired() {
				n += fired
			}
			return n
		},
	}
}

func open(t testing.TB, opt s3.Options) *s3.Destination {
	t.Helper()
	opt.Region, opt.PathStyle = "us-east-1", true
	opt.Credentials = s3.StaticCredentials("AKIDEXAMPLE", "very-secret", "")
	d, err := s3.New(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}

func TestDestinationInProcess(t *testing.T) {
	desttest.Run(t, func(t *testing.T) desttest.Harness {
		f := s3fake.New(bucket)
		return harness(open(t, s3.Options{Endpoint: "http://store.internal", Transport: f.Transport()}), f)
	})
}

func TestDestinationOverHTTP(t *testing.T) {
	desttest.Run(t, func(t *testing.T) desttest.Harness {
		f := s3fake.New(bucket)
		return harness(open(t, s3.Options{Endpoint: serve(t, f.Handler(), false).URL}), f)
	})
}

func TestDestinationOverTLS(t *testing.T) {
	desttest.Run(t, func(t *testing.T) desttest.Harness {
		f := s3fake.New(bucket)
		server := serve(t, f.Handler(), true)
		return harness(open(t, s3.Options{Endpoint: server.URL, CAFile: authority(t, server)}), f)
	})
}

func serve(t testing.TB, h http.Handler, secure bool) *httptest.Server {
	server := httptest.NewUnstartedServer(h)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	if secure {
		server.StartTLS()
	} else {
		server.Start()
	}
	t.Cleanup(server.Close)
	return server
}

// authority writes the certificate that a TLS server shows into a file.
func authority(t testing.TB, server *httptest.Server) string {
	file := filepath.Join(t.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(file, block, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// body is a record.Body of bytes.
type body string

func (b body) Size() int64               { return int64(len(b)) }
func (b body) Reader() io.ReadSeekCloser { return nopCloser{strings.NewReader(string(b))} }

type nopCloser struct{ io.ReadSeeker }

func (nopCloser) Close() error { return nil }

func object(key string) record.Object { return record.Object{Bucket: bucket, Key: key} }

func TestAServerThatNobodyVouchesForIsRefused(t *testing.T) {
	f := s3fake.New(bucket)
	server := serve(t, f.Handler(), true)
	if err := open(t, s3.Options{Endpoint: server.URL}).Put(t.Context(), object("k"), body("x")); err == nil {
		t.Fatal("an unknown authority was trusted")
	}
	if err := open(t, s3.Options{Endpoint: server.URL, SkipVerify: true}).Put(t.Context(), object("k"), body("x")); err != nil {
		t.Fatal(err)
	}
}

// headers records the headers of every request on its way.
type headers struct {
	http.RoundTripper
	seen []http.Header
}

func (h *headers) RoundTrip(r *http.Request) (*http.Response, error) {
	h.seen = append(h.seen, r.Header.Clone())
	return h.RoundTripper.RoundTrip(r)
}

func TestObjectsBelongToTheBucketsOwnerUnlessToldOtherwise(t *testing.T) {
	for _, c := range []struct {
		noACL bool
		want  string
	}{{false, "bucket-owner-full-control"}, {true, ""}} {
		f := s3fake.New(bucket)
		d := open(t, s3.Options{Endpoint: "http://store.internal", Transport: f.Transport(), NoACL: c.noACL})
		if err := d.Put(t.Context(), object("put"), body("x")); err != nil {
			t.Fatal(err)
		}
		id, err := d.Begin(t.Context(), object("upload"))
		if err != nil {
			t.Fatal(err)
		}
		p, err := d.Part(t.Context(), object("upload"), id, 1, body("x"))
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Complete(t.Context(), object("upload"), id, []record.Part{p}); err != nil {
			t.Fatal(err)
		}
		for _, o := range f.Objects(bucket) {
			if got := o.Header.Get("X-Amz-Acl"); got != c.want {
				t.Errorf("%s: ACL %q instead of %q", o.Key, got, c.want)
			}
		}
	}
}

func TestGoogleIsNotSentASignedAcceptEncoding(t *testing.T) {
	f := s3fake.New(bucket)
	for endpoint, signed := range map[string]bool{"https://storage.googleapis.com": false, "https://store.internal": true} {
		h := &headers{RoundTripper: f.Transport()}
		if err := open(t, s3.Options{Endpoint: endpoint, Transport: h}).Put(t.Context(), object("k"), body("x")); err != nil {
			t.Fatal(err)
		}
		auth := h.seen[0].Get("Authorization")
		if strings.Contains(auth, "accept-encoding") != signed {
			t.Errorf("%s: %s", endpoint, auth)
		}
		if h.seen[0].Get("Accept-Encoding") == "" {
			t.Errorf("%s: the header itself is gone", endpoint)
		}
	}
}

func TestBodiesAreHashedOnlyWhereNothingElseProtectsThem(t *testing.T) {
	f := s3fake.New(bucket)
	hashed := func(d *s3.Destination, h *headers) bool {
		if err := d.Put(t.Context(), object("k"), body("x")); err != nil {
			t.Fatal(err)
		}
		return h.seen[0].Get("X-Amz-Content-Sha256") != "UNSIGNED-PAYLOAD"
	}
	h := &headers{RoundTripper: f.Transport()}
	if hashed(open(t, s3.Options{Endpoint: "http://store.internal", Transport: h}), h) {
		t.Error("hashed in process")
	}
	for _, secure := range []bool{false, true} {
		h := &headers{}
		server := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			h.seen = append(h.seen, r.Header.Clone())
			f.Handler().ServeHTTP(w, r)
		}), secure)
		if hashed(open(t, s3.Options{Endpoint: server.URL, SkipVerify: true}), h) == secure {
			t.Errorf("TLS %v: hashed %v", secure, !secure)
		}
	}
}

// S3 may begin the answer to CompleteMultipartUpload with 200 and end it with an error.
func TestASuccessWithAnErrorInItIsAnError(t *testing.T) {
	for _, c := range []struct {
		name  string
		fault s3fake.Fault
		want  error
	}{
		{"error in the body", s3fake.Refuse(200, "InternalError"), nil},
		{"gone, in the body", s3fake.Refuse(200, "NoSuchUpload"), record.ErrUploadGone},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := s3fake.New(bucket)
			d := open(t, s3.Options{Endpoint: serve(t, f.Handler(), false).URL})
			id, part := begin(t, d, "k")
			f.SetFault(func(s3fake.Op) s3fake.Fault { return c.fault })
			err := d.Complete(t.Context(), object("k"), id, []record.Part{part})
			if err == nil || c.want != nil && !errors.Is(err, c.want) {
				t.Fatalf("got %v", err)
			}
			if len(f.Objects(bucket)) != 0 {
				t.Fatal("the object is there")
			}
		})
	}
}

func begin(t testing.TB, d *s3.Destination, key string) (string, record.Part) {
	t.Helper()
	id, err := d.Begin(t.Context(), object(key))
	if err != nil {
		t.Fatal(err)
	}
	p, err := d.Part(t.Context(), object(key), id, 1, body("part"))
	if err != nil {
		t.Fatal(err)
	}
	return id, p
}

// An answer that breaks off, or says nothing, is no success.
func TestASuccessWithoutSubstanceIsAnError(t *testing.T) {
	for name, answer := range map[string]string{
		"nothing":   "",
		"white":     "  \n \n",
		"cut":       `<?xml version="1.0" encoding="UTF-8"?><CompleteMultipartUploadResult><Bucket>b</Bucket>`,
		"not XML":   "welcome to this hotel",
		"no ETag":   `<?xml version="1.0" encoding="UTF-8"?><CompleteMultipartUploadResult><Bucket>b</Bucket></CompleteMultipartUploadResult>`,
		"something": `<?xml version="1.0" encoding="UTF-8"?><html/>`,
	} {
		t.Run(name, func(t *testing.T) {
			d := open(t, s3.Options{Endpoint: serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.WriteString(w, answer)
			}), false).URL})
			if err := d.Complete(t.Context(), object("k"), "id", []record.Part{{Number: 1, ETag: "x"}}); err == nil {
				t.Error("Complete believed it")
			}
			if _, err := d.Begin(t.Context(), object("k")); err == nil {
				t.Error("Begin believed it")
			}
			if _, err := d.Part(t.Context(), object("k"), "id", 1, body("x")); err == nil {
				t.Error("Part believed it")
			}
		})
	}
}

func TestARedirectIsAnErrorAndNotFollowed(t *testing.T) {
	var asked atomic.Int32
	server := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(http.StatusTemporaryRedirect)
	}), false)
	err := open(t, s3.Options{Endpoint: server.URL}).Put(t.Context(), object("k"), body("x"))
	if err == nil || asked.Load() != 1 {
		t.Fatal(err, asked.Load())
	}
}

func TestAnUploadThatVanishesDuringASweepIsNoError(t *testing.T) {
	f := s3fake.New(bucket)
	d := open(t, s3.Options{Endpoint: "http://store.internal", Transport: f.Transport()})
	begin(t, d, "k")
	begin(t, d, "k")
	f.SetFault(func(op s3fake.Op) s3fake.Fault {
		if op.Operation == s3fake.AbortUpload {
			return s3fake.Refuse(404, "NoSuchUpload")
		}
		return s3fake.Pass()
	})
	if n, err := d.Sweep(t.Context(), object("k")); n != 0 || err != nil {
		t.Fatal(n, err)
	}
}

// The sentinels promise that nothing was changed, so only sure answers may wear them.
func TestErrorCodesAreToldApart(t *testing.T) {
	for _, c := range []struct {
		status int
		code   string
		want   error
	}{
		{403, "SignatureDoesNotMatch", record.ErrDenied},
		{403, "RequestTimeTooSkewed", record.ErrDenied},
		{403, "", record.ErrDenied},
		{400, "ExpiredToken", record.ErrDenied},
		{404, "NoSuchBucket", record.ErrNoBucket},
		{404, "NoSuchUpload", record.ErrUploadGone},
		{404, "NoSuchKey", nil},
		{400, "InvalidPart", nil},
		{409, "OperationAborted", nil},
		{500, "InternalError", nil},
		{503, "SlowDown", nil},
	} {
		f := s3fake.New(bucket)
		f.SetFault(func(s3fake.Op) s3fake.Fault { return s3fake.Refuse(c.status, c.code) })
		d := open(t, s3.Options{Endpoint: "http://store.internal", Transport: f.Transport()})
		_, err := d.Part(t.Context(), object("k"), "id", 1, body("x"))
		for _, sentinel := range []error{record.ErrDenied, record.ErrNoBucket, record.ErrUploadGone} {
			if errors.Is(err, sentinel) != (sentinel == c.want) {
				t.Errorf("%d %s: %v", c.status, c.code, err)
			}
		}
		if err != nil && (!strings.Contains(err.Error(), "s3://lake/k") || strings.Contains(err.Error(), "very-secret")) {
			t.Errorf("%d %s: %v", c.status, c.code, err)
		}
	}
}

func TestOptionsThatCannotWorkAreRefused(t *testing.T) {
	notPEM := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(notPEM, []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	some := s3.StaticCredentials("a", "b", "")
	for name, opt := range map[string]s3.Options{
		"no region":             {Credentials: some},
		"no scheme":             {Region: "r", Credentials: some, Endpoint: "store:9000"},
		"other scheme":          {Region: "r", Credentials: some, Endpoint: "ftp://store"},
		"credentials in URL":    {Region: "r", Credentials: some, Endpoint: "http://me:very-secret@store"},
		"no such CA file":       {Region: "r", Credentials: some, CAFile: notPEM + ".not"},
		"CA file without certs": {Region: "r", Credentials: some, CAFile: notPEM},
	} {
		_, err := s3.New(t.Context(), opt)
		if err == nil || strings.Contains(err.Error(), "very-secret") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCredentialsComeFromTheEnvironmentWhenNoneAreGiven(t *testing.T) {
	for k, v := range map[string]string{
		"AWS_ACCESS_KEY_ID": "AKIDFROMENV", "AWS_SECRET_ACCESS_KEY": "x", "AWS_REGION": "eu-central-1",
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull,
	} {
		t.Setenv(k, v)
	}
	f := s3fake.New(bucket)
	h := &headers{RoundTripper: f.Transport()}
	d, err := s3.New(t.Context(), s3.Options{Endpoint: "http://store.internal", PathStyle: true, Transport: h})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Put(t.Context(), object("k"), body("x")); err != nil {
		t.Fatal(err)
	}
	if auth := h.seen[0].Get("Authorization"); !strings.Contains(auth, "AKIDFROMENV/") || !strings.Contains(auth, "/eu-central-1/s3/") {
		t.Error(auth)
	}
}

// In a bubble of synctest an hour of waiting takes no time, and nothing may be left running.
func TestDestinationAndFakeWorkInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := s3fake.New(bucket)
		d := open(t, s3.Options{Endpoint: "http://store.internal", Transport: f.Transport()})
		f.SetFault(func(op s3fake.Op) s3fake.Fault {
			if op.Operation != s3fake.PutObject {
				return s3fake.Pass()
			}
			return []s3fake.Fault{s3fake.Delay(time.Hour), s3fake.DoLater(time.Hour)}[(op.N-1)%2]
		})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := d.Put(ctx, object("slow"), body("x")); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		if err := d.Put(t.Context(), object("slow"), body("x")); err == nil {
			t.Fatal("no error")
		}
		if len(f.Objects(bucket)) != 0 {
			t.Fatal("done too early")
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if o := f.Objects(bucket); len(o) != 1 || o[0].Writes != 1 {
			t.Fatal(o)
		}
	})
}

// discard answers every request without keeping anything.
func discard(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	w.Header().Set("Etag", `"x"`)
}

// discardInProcess is discard without a socket.
type discardInProcess struct{}

func (discardInProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	defer r.Body.Close()
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: 200, Header: http.Header{"Etag": {`"x"`}}, Body: http.NoBody, Request: r}, nil
}

func BenchmarkPart(b *testing.B) {
	part := body(strings.Repeat("hydrant ", 1<<20))
	for name, opt := range map[string]s3.Options{
		"in process": {Endpoint: "http://store.internal", Transport: discardInProcess{}},
		"HTTP":       {Endpoint: serve(b, http.HandlerFunc(discard), false).URL},
		"TLS":        {Endpoint: serve(b, http.HandlerFunc(discard), true).URL, SkipVerify: true},
	} {
		b.Run(name, func(b *testing.B) {
			d := open(b, opt)
			start := cpu(b)
			b.SetBytes(part.Size())
			b.ReportAllocs()
			for b.Loop() {
				if _, err := d.Part(b.Context(), object("k"), "id", 1, part); err != nil {
					b.Fatal(err)
				}
			}
			spent := cpu(b) - start
			b.ReportMetric(spent.Seconds()*1000/(float64(part.Size())*float64(b.N)/1e6), "cpu-ms/MB")
		})
	}
}

func ExampleNew() {
	f := s3fake.New("lake")
	d, err := s3.New(context.Background(), s3.Options{
		Region: "us-east-1", Endpoint: "http://store.internal", PathStyle: true, Transport: f.Transport(),
		Credentials: s3.StaticCredentials("AKIDEXAMPLE", "secret", ""),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(d.Put(context.Background(), record.Object{Bucket: "lake", Key: "hello"}, body("world")))
	fmt.Println(f.Objects("lake")[0].Key)
	// Output:
	// <nil>
	// hello
}

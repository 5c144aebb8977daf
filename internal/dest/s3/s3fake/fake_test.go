package s3fake_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"hydrant/internal/dest/s3/s3fake"
)

// client is Amazon's own, with its own ideas of checksums and retries but for the latter.
func client(endpoint string, transport http.RoundTripper) *s3.Client {
	return s3.New(s3.Options{
		Region: "us-east-1", BaseEndpoint: &endpoint, UsePathStyle: true, Retryer: aws.NopRetryer{},
		Credentials:                credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", ""),
		HTTPClient:                 &http.Client{Transport: transport},
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenRequired,
	})
}

func put(t testing.TB, c *s3.Client, key, body string) error {
	t.Helper()
	_, err := c.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("b"), Key: &key, Body: bytes.NewReader([]byte(body))})
	return err
}

func get(t testing.TB, c *s3.Client, key string) string {
	t.Helper()
	out, err := c.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("b"), Key: &key})
	if err != nil {
		t.Fatal(err)
	}
	defer out.Body.Close()
	b, err := io.ReadAll(out.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestObjectsCanBeReadListedAndDeletedByAmazonsClient(t *testing.T) {
	f := s3fake.New("b")
	f.SetPage(3)
	server := httptest.NewServer(f.Handler())
	defer server.Close()
	for name, c := range map[string]*s3.Client{"socket": client(server.URL, nil), "in process": client("http://fake", f.Transport())} {
		t.Run(name, func(t *testing.T) {
			for i := range 8 {
				if err := put(t, c, fmt.Sprintf("%s/%d", name, i), fmt.Sprint("body ", i)); err != nil {
					t.Fatal(err)
				}
			}
			pages := s3.NewListObjectsV2Paginator(c, &s3.ListObjectsV2Input{Bucket: aws.String("b"), Prefix: aws.String(name)})
			for i := 0; pages.HasMorePages(); {
				page, err := pages.NextPage(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				for _, o := range page.Contents {
					if want := fmt.Sprint("body ", i); get(t, c, *o.Key) != want || *o.Size != int64(len(want)) {
						t.Errorf("object %d is %s", i, *o.Key)
					}
					i++
				}
			}
			if _, err := c.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: aws.String("b"), Key: aws.String(name + "/0")}); err != nil {
				t.Fatal(err)
			}
			if _, ok := f.Object("b", name+"/0"); ok {
				t.Error("deleted, and still there")
			}
		})
	}
}

func TestUnsignedRequestsAndOtherBodiesThanSignedAreRefused(t *testing.T) {
	f := s3fake.New("b")
	for sum, want := range map[string]int{"UNSIGNED-PAYLOAD": 200, "beef": 400, "STREAMING-UNSIGNED-PAYLOAD-TRAILER": 501, "unsigned": 403} {
		r := httptest.NewRequest(http.MethodPut, "/b/k", bytes.NewReader([]byte("x")))
		r.Header.Set("X-Amz-Content-Sha256", sum)
		if sum != "unsigned" {
			r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=a/20260705/us-east-1/s3/aws4_request, ...")
		}
		w := httptest.NewRecorder()
		f.Handler().ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("%s: status %d instead of %d", sum, w.Code, want)
		}
	}
	if len(f.Fired()) != 1 {
		t.Errorf("refused requests were counted: %v", f.Fired())
	}
}

// The fake counts what readers could have seen, even of objects that are gone.
func TestWritesAndContentsAreCountedBeyondDeletion(t *testing.T) {
	f := s3fake.New("b")
	c := client("http://fake", f.Transport())
	for _, body := range []string{"one", "one", "two"} {
		if err := put(t, c, "k", body); err != nil {
			t.Fatal(err)
		}
	}
	f.Delete("b", "k")
	if n := len(f.Objects("b")); n != 0 {
		t.Fatalf("%d objects are visible", n)
	}
	h := f.History("b")
	if len(h) != 1 || h[0].Writes != 3 || h[0].Contents != 2 || string(h[0].Body) != "two" {
		t.Fatalf("%+v", h)
	}
	if f.Received() != 9 {
		t.Errorf("received %d bytes", f.Received())
	}
}

func TestWhatIsDoneLateIsDoneOnce(t *testing.T) {
	f := s3fake.New("b")
	c := client("http://fake", f.Transport())
	f.SetFault(func(op s3fake.Op) s3fake.Fault { return s3fake.DoLater(time.Hour) })
	for range 2 {
		if err := put(t, c, "k", "x"); err == nil {
			t.Fatal("no error")
		}
	}
	if n := f.ApplyLate(); n != 2 {
		t.Errorf("%d were late", n)
	}
	if n := f.ApplyLate(); n != 0 {
		t.Errorf("%d were late twice", n)
	}
	if o, _ := f.Object("b", "k"); o.Writes != 2 {
		t.Errorf("%d writes", o.Writes)
	}
}

func TestALostConnectionIsAnErrorOfTheTransport(t *testing.T) {
	f := s3fake.New("b")
	c := client("http://fake", f.Transport())
	for _, fault := range []s3fake.Fault{s3fake.DropBefore(), s3fake.DoThenDrop()} {
		f.SetFault(func(s3fake.Op) s3fake.Fault { return fault })
		if err := put(t, c, string(fault.Kind), "x"); !errors.Is(err, s3fake.ErrDropped) {
			t.Errorf("%s: %v", fault.Kind, err)
		}
	}
	if o := f.Objects("b"); len(o) != 1 || o[0].Key != string(s3fake.KindDoThenDrop) {
		t.Errorf("%v", o)
	}
}

func TestPartsAreChecked(t *testing.T) {
	f := s3fake.New("b")
	f.SetMinPart(3)
	c := client("http://fake", f.Transport())
	ctx, b, k := context.Background(), aws.String("b"), aws.String("k")
	up, err := c.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: b, Key: k})
	if err != nil {
		t.Fatal(err)
	}
	type part struct {
		n    int32
		body string
	}
	tags := map[int32]string{}
	for _, p := range []part{{1, "long"}, {2, "s"}, {3, "last"}} {
		out, err := c.UploadPart(ctx, &s3.UploadPartInput{Bucket: b, Key: k, UploadId: up.UploadId, PartNumber: &p.n, Body: bytes.NewReader([]byte(p.body))})
		if err != nil {
			t.Fatal(err)
		}
		tags[p.n] = *out.ETag
	}
	tags[4] = tags[1]
	for _, try := range []struct {
		parts []int32
		code  string
	}{{nil, "MalformedXML"}, {[]int32{3, 1}, "InvalidPartOrder"}, {[]int32{1, 4}, "InvalidPart"}, {[]int32{2, 3}, "EntityTooSmall"}, {[]int32{1, 3}, ""}, {[]int32{1, 3}, "NoSuchUpload"}} {
		body := "<CompleteMultipartUpload>"
		for _, n := range try.parts {
			body += fmt.Sprintf("<Part><PartNumber>%d</PartNumber><ETag>%s</ETag></Part>", n, tags[n])
		}
		code := complete(t, f, *up.UploadId, body+"</CompleteMultipartUpload>")
		if code != try.code {
			t.Errorf("%v: %q instead of %q", try.parts, code, try.code)
		}
	}
	if got := get(t, c, "k"); got != "longlast" {
		t.Errorf("object is %q", got)
	}
}

// complete sends a body of our own and returns the error code, which the client's types
// could not all provoke.
func complete(t *testing.T, f *s3fake.Fake, upload, body string) string {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/b/k?uploadId="+upload, bytes.NewReader([]byte(body)))
	r.Header.Set("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD")
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=a/20260705/us-east-1/s3/aws4_request, ...")
	w := httptest.NewRecorder()
	f.Handler().ServeHTTP(w, r)
	_, after, found := bytes.Cut(w.Body.Bytes(), []byte("<Code>"))
	if !found {
		return ""
	}
	code, _, _ := bytes.Cut(after, []byte("</Code>"))
	return string(code)
}

// A seed decides by request, not by order, so that a run with goroutines can be repeated.
func TestChaosFollowsFromTheSeed(t *testing.T) {
	rule, same, other := s3fake.Chaos(1, 300, s3fake.DropBefore(), s3fake.DoThenDrop()), s3fake.Chaos(1, 300, s3fake.DropBefore(), s3fake.DoThenDrop()), s3fake.Chaos(2, 300, s3fake.DropBefore(), s3fake.DoThenDrop())
	counts, differ := map[s3fake.Kind]int{}, 0
	for i := range 10_000 {
		op := s3fake.Op{Operation: s3fake.PutObject, Bucket: "b", Key: fmt.Sprint("k", i/5), N: i%5 + 1}
		fault := rule(op)
		if same(op) != fault {
			t.Fatal("the same seed decides otherwise")
		}
		if other(op) != fault {
			differ++
		}
		counts[fault.Kind]++
	}
	if differ < 3000 {
		t.Errorf("another seed differs in %d of 10,000 only", differ)
	}
	for kind, want := range map[s3fake.Kind]int{s3fake.KindPass: 7000, s3fake.KindDropBefore: 1500, s3fake.KindDoThenDrop: 1500} {
		if n := counts[kind]; n < want*8/10 || n > want*12/10 {
			t.Errorf("%s: %d times instead of about %d", kind, n, want)
		}
	}
	if s3fake.Chaos(1, 1000)(s3fake.Op{}).Kind != s3fake.KindPass {
		t.Error("a fault without faults to choose from")
	}
}

func TestAMissingBucketIsSaidToBeMissing(t *testing.T) {
	f := s3fake.New("b")
	c := client("http://fake", f.Transport())
	f.DeleteBucket("b")
	var api smithy.APIError
	if err := put(t, c, "k", "x"); !errors.As(err, &api) || api.ErrorCode() != "NoSuchBucket" {
		t.Fatal(err)
	}
	if _, err := c.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("b")}); err != nil {
		t.Fatal(err)
	}
	if err := put(t, c, "k", "x"); err != nil {
		t.Fatal(err)
	}
}

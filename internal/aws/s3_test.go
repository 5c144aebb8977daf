package aws

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// objectRequest is an unsigned PUT of an object.
func objectRequest(body string) *http.Request {
	return httptest.NewRequest("PUT", "http://localhost:4573/bucket/a%20key", strings.NewReader(body))
}

func TestS3RefusalsComeInItsOwnWords(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(r *http.Request)
		status int
		want   string
	}{
		{"right", func(*http.Request) {}, 200, "body"},
		{"no signature", func(r *http.Request) { r.Header.Del("Authorization") }, 403, "<Code>AccessDenied</Code><Message>Access Denied"},
		{"unreadable", func(r *http.Request) { r.Header.Set("Authorization", "AWS id:signature") }, 400, "<Code>AuthorizationHeaderMalformed<"},
		{"key", replace(testID, "HYDRX"), 403, "<Code>InvalidAccessKeyId</Code><Message>The AWS Access Key Id you provided does not exist in our records.</Message><AWSAccessKeyId>HYDRX<"},
		{"region", replace("us-east-1", "eu-west-1"), 400, "'eu-west-1'. The region of this server is 'us-east-1'.</Message><Region>us-east-1</Region>"},
		{"service", replace("/s3/", "/glue/"), 400, "(firehose, s3), not 'glue'"},
		{"signature", replace("Signature=", "Signature=0"), 403, "<Code>SignatureDoesNotMatch<"},
		{"header added", func(r *http.Request) { r.Header.Set("X-Amz-Acl", "public-read") }, 403,
			"There were headers present in the request which were not signed</Message><HeadersNotSigned>x-amz-acl<"},
		{"body", func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader("Body")) }, 400, "<Code>XAmzContentSHA256Mismatch<"},
		{"body cut", func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader("bod")) }, 400, "<Code>IncompleteBody<"},
		{"no body", func(r *http.Request) { r.Body, r.ContentLength = http.NoBody, 0 }, 400, "<Code>XAmzContentSHA256Mismatch<"},
		{"token", func(r *http.Request) { r.Header.Set("X-Amz-Security-Token", "x") }, 400, "<Code>InvalidToken<"},
		{"payload missing", func(r *http.Request) {
			r.Header.Del("X-Amz-Content-Sha256")
			replace("x-amz-content-sha256;", "")(r)
		}, 400, "Missing required header for this request: x-amz-content-sha256"},
		{"payload unknown", func(r *http.Request) { r.Header.Set("X-Amz-Content-Sha256", "x") }, 400, "<ArgumentValue>x<"},
		{"two signatures", func(r *http.Request) { r.RequestURI = "/?X-Amz-Algorithm=x" }, 400, "<Code>InvalidArgument<"},
		{"presigned without all", func(r *http.Request) {
			r.Header.Del("Authorization")
			r.RequestURI = "/b?X-Amz-Algorithm=AWS4-HMAC-SHA256"
		}, 400, "<Code>AuthorizationQueryParametersError</Code><Message>The query string must include X-Amz-Credential"},
	} {
		w := newWorld(t)
		r := signed(objectRequest("body"), "s3", hashOf("body"))
		c.change(r)
		rec := w.ask(r)
		if rec.Code != c.status || !strings.Contains(rec.Body.String(), c.want) {
			t.Errorf("%s: %d %s", c.name, rec.Code, rec.Body)
		}
		if strings.Contains(w.log.String(), testSecret) {
			t.Errorf("%s: the log tells the secret", c.name)
		}
	}
}

func TestUnsignedPayloadsAreTakenOnTrust(t *testing.T) {
	rec := newWorld(t).ask(signed(objectRequest("whatever"), "s3", unsignedPayload))
	if rec.Code != 200 || rec.Body.String() != "whatever" {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
}

// streamed is a signed request whose body follows in chunks.
func streamed(data, mode, trailer string) *http.Request {
	r := objectRequest("")
	r.Header.Set("Content-Encoding", "gzip, aws-chunked")
	r.Header.Set("X-Amz-Decoded-Content-Length", fmt.Sprint(len(data)))
	if trailer != "" {
		r.Header.Set("X-Amz-Trailer", "x-amz-checksum-"+trailer)
	}
	signed(r, "s3", mode)
	w := &chunkWriter{}
	if mode != streamTrailer {
		w.seed = testSeed()
		_, w.seed.signature, _ = strings.Cut(r.Header.Get("Authorization"), "Signature=")
	}
	if data != "" {
		w.chunk(data)
	}
	w.chunk("")
	value := ""
	if trailer != "" {
		value = checksumOf(trailer, data)
		trailer = "x-amz-checksum-" + trailer
	}
	w.end(trailer, value)
	r.Body, r.ContentLength = io.NopCloser(&w.Buffer), int64(w.Len())
	return r
}

func TestStreamedBodiesReachTheHandlerWithoutTheirFraming(t *testing.T) {
	for _, c := range []struct{ mode, trailer string }{
		{streamSigned, ""}, {streamSignedTrailer, "crc64nvme"}, {streamTrailer, "crc32"},
	} {
		for _, data := range []string{"", "some data", randomText(10_000)} {
			w := newWorld(t)
			w.s3 = func(rw http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				if err != nil || string(body) != data || r.ContentLength != int64(len(data)) {
					t.Errorf("%s: %d bytes of %d, %v", c.mode, len(body), r.ContentLength, err)
				}
				if r.Header.Get("Content-Encoding") != "gzip" {
					t.Errorf("%s: encoding %q", c.mode, r.Header.Get("Content-Encoding"))
				}
				if c.trailer != "" && r.Trailer.Get("X-Amz-Checksum-"+c.trailer) != checksumOf(c.trailer, data) {
					t.Errorf("%s: trailer %v", c.mode, r.Trailer)
				}
				if caller, ok := CallerFrom(r.Context()); !ok || caller.Owner != "root" || caller.Authorize(r.Context(), "s3:PutObject", "*") != nil {
					t.Errorf("%s: caller %+v", c.mode, caller)
				}
			}
			if rec := w.ask(streamed(data, c.mode, c.trailer)); rec.Code != 200 {
				t.Errorf("%s: %d %s", c.mode, rec.Code, rec.Body)
			}
		}
	}
}

func TestStreamedBodiesThatAreWrongNeverEndWell(t *testing.T) {
	change := func(from, to string) func(*http.Request) {
		return func(r *http.Request) {
			b, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(strings.NewReader(strings.Replace(string(b), from, to, 1)))
		}
	}
	for _, c := range []struct {
		name, mode, trailer string
		change              func(*http.Request)
		status              int
		code                string
	}{
		{"data", streamSigned, "", change("some", "Some"), 403, "SignatureDoesNotMatch"},
		{"unsigned data", streamTrailer, "sha256", change("some", "Some"), 400, "BadDigest"},
		{"another trailer", streamTrailer, "sha256", change("sha256:", "sha1:"), 400, "MalformedTrailerError"},
		{"cut", streamTrailer, "sha256", change("\r\n\r\n", ""), 400, "IncompleteBody"},
		{"length missing", streamSigned, "", func(r *http.Request) {
			r.Header.Del("X-Amz-Decoded-Content-Length")
			replace("x-amz-decoded-content-length;", "")(r)
		}, 403, "SignatureDoesNotMatch"},
	} {
		w := newWorld(t)
		r := streamed("some data", c.mode, c.trailer)
		c.change(r)
		if rec := w.ask(r); rec.Code != c.status || !strings.Contains(rec.Body.String(), c.code) {
			t.Errorf("%s: %d %s", c.name, rec.Code, rec.Body)
		}
	}
	for name, header := range map[string]http.Header{
		"MissingContentLength":  {"X-Amz-Trailer": {"x-amz-checksum-crc32"}},
		"MalformedTrailerError": {"X-Amz-Decoded-Content-Length": {"0"}},
	} {
		r := objectRequest("")
		r.Header = header
		if rec := newWorld(t).ask(signed(r, "s3", streamTrailer)); !strings.Contains(rec.Body.String(), name) {
			t.Errorf("%s: %d %s", name, rec.Code, rec.Body)
		}
	}
}

// A handler that stops reading at the length it expects must learn of a wrong body, too.
func TestTheLastByteIsHeldBackUntilTheBodyProvedRight(t *testing.T) {
	for name, r := range map[string]*http.Request{
		"hash":    signed(objectRequest("tada"), "s3", hashOf("data")),
		"chunked": streamed("data", streamTrailer, "crc32"),
	} {
		if name == "chunked" {
			b, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(strings.NewReader(strings.Replace(string(b), "data", "tada", 1)))
		}
		w := newWorld(t)
		w.s3 = func(_ http.ResponseWriter, r *http.Request) {
			got := make([]byte, r.ContentLength)
			n, err := io.ReadFull(r.Body, got)
			var e *Error
			if n == 4 || !errors.As(err, &e) {
				t.Errorf("%s: %d bytes, %v", name, n, err)
			}
		}
		w.ask(r)
	}
}

func TestAPanicOfAnS3HandlerCutsTheConnection(t *testing.T) {
	w := newWorld(t)
	w.s3 = func(http.ResponseWriter, *http.Request) { panic("lost my mind") }
	defer func() {
		if p := recover(); p != http.ErrAbortHandler {
			t.Errorf("panic %v", p)
		}
		if log := w.log.String(); strings.Count(log, "lost my mind") != 1 {
			t.Errorf("log: %s", log)
		}
	}()
	w.ask(signed(objectRequest(""), "s3", emptyHash))
}

func TestTheRealSDKPutsAndGets(t *testing.T) {
	w := newWorld(t)
	w.verifier.now = time.Now
	stored := map[string]string{}
	w.s3 = func(rw http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("%s %s: %v", r.Method, r.URL, err)
			rw.WriteHeader(400)
			return
		}
		if r.Method == "PUT" {
			stored[r.URL.Path] = string(body)
			return
		}
		io.WriteString(rw, stored[r.URL.Path])
	}
	for _, start := range []func(http.Handler) *httptest.Server{httptest.NewServer, httptest.NewTLSServer} {
		srv := start(w)
		client := s3.New(s3.Options{
			Region: testRegion, BaseEndpoint: sdk.String(srv.URL), UsePathStyle: true, HTTPClient: srv.Client(),
			Credentials: credentials.NewStaticCredentialsProvider(testID, testSecret, ""),
		})
		for _, key := range []string{"plain", "a b/c+d", "über/€", "x%2Fy", "a//b", "!*'()~"} {
			for _, sum := range types.ChecksumAlgorithm("").Values() {
				if NewChecksum(strings.ToLower(string(sum))) == nil {
					continue
				}
				body := key + randomText(100_000)
				put := &s3.PutObjectInput{Bucket: sdk.String("b"), Key: sdk.String(key), ChecksumAlgorithm: sum, Body: strings.NewReader(body)}
				if _, err := client.PutObject(context.Background(), put); err != nil {
					t.Fatalf("%s %s: %v", key, sum, err)
				}
				if stored["/b/"+key] != body {
					t.Errorf("%s %s %s: %d bytes stored", srv.URL, key, sum, len(stored["/b/"+key]))
				}
			}
			got, err := client.GetObject(context.Background(), &s3.GetObjectInput{Bucket: sdk.String("b"), Key: sdk.String(key)})
			if err != nil {
				t.Fatalf("%s: %v", key, err)
			}
			got.Body.Close()
			presigned, err := s3.NewPresignClient(client).PresignPutObject(context.Background(), &s3.PutObjectInput{
				Bucket: sdk.String("b"), Key: sdk.String(key), Metadata: map[string]string{"a": "b c"}})
			if err != nil {
				t.Fatal(err)
			}
			r, err := http.NewRequest(presigned.Method, presigned.URL, strings.NewReader("presigned"))
			if err != nil {
				t.Fatal(err)
			}
			r.Header = presigned.SignedHeader
			res, err := srv.Client().Do(r)
			if err != nil {
				t.Fatal(err)
			}
			if answer := readAll(t, res); res.StatusCode != 200 || stored["/b/"+key] != "presigned" {
				t.Errorf("presigned %s: %d %s", key, res.StatusCode, answer)
			}
		}
		srv.Close()
	}
}

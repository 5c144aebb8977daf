package lambda

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// shop is an object store.
type shop struct {
	objects map[string]io.Reader
	closed  int
}

func (s *shop) fetch(_ context.Context, bucket, key, version string) (io.ReadCloser, error) {
	o, ok := s.objects[bucket+"/"+key+"@"+version]
	if !ok {
		return nil, errors.New("S3 Error Code: NoSuchKey.")
	}
	return shopped{o, s}, nil
}

type shopped struct {
	io.Reader
	shop *shop
}

func (s shopped) Close() error { s.shop.closed++; return nil }

func TestCodeComesFromTheObjectStore(t *testing.T) {
	s := &shop{objects: map[string]io.Reader{
		"b/one.zip@":   bytes.NewReader(script(t, "one")),
		"b/two.zip@v2": bytes.NewReader(script(t, "two")),
		"b/text@":      strings.NewReader("no zip"),
		"b/large@":     io.LimitReader(zeroes{}, maxZip+10),
		"b/broken@":    io.MultiReader(strings.NewReader("PK"), brokenReader{}),
	}}
	w := newWorld(t, func(o *Options) { o.Fetch = s.fetch })
	w.newFunction("f", "", func(in fields) { in["Code"] = fields{"S3Bucket": "b", "S3Key": "one.zip"} })
	if !w.says("f", "one") {
		t.Error("other code runs")
	}
	w.must("PUT", root+"/f/code", fields{"S3Bucket": "b", "S3Key": "two.zip", "S3ObjectVersion": "v2"})
	if !w.says("f", "two") {
		t.Error("other code runs")
	}
	for _, tt := range []struct{ key, message string }{
		{"none", "Error occurred while GetObject. S3 Error Code: NoSuchKey."},
		{"text", "Could not unzip uploaded file"},
		{"large", "smaller than 52428800 bytes"},
		{"broken", "Error occurred while GetObject. broken"},
	} {
		r := w.call("PUT", root+"/f/code", fields{"S3Bucket": "b", "S3Key": tt.key})
		if r.status != 400 || r.code() != "InvalidParameterValueException" || !strings.Contains(string(r.body), tt.message) {
			t.Errorf("%s: %d %s", tt.key, r.status, r.body)
		}
	}
	w.denied = "s3:GetObject"
	if r := w.call("PUT", root+"/f/code", fields{"S3Bucket": "b", "S3Key": "one.zip"}); r.status != 403 {
		t.Errorf("who may not read the object: %d %s", r.status, r.body)
	}
	if s.closed != 5 {
		t.Errorf("%d bodies closed, want 5", s.closed)
	}
	if n := len(w.fetching); n != 0 {
		t.Errorf("%d places for zips are taken", n)
	}
	if !w.says("f", "two") {
		t.Error("a failed change has changed the code")
	}
}

// brokenReader fails.
type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errors.New("broken") }

// presign signs as a node does.
func presign(r *http.Request, lasts time.Duration) (string, error) {
	return presignAt(r, lasts, testTime)
}

func presignAt(r *http.Request, lasts time.Duration, at time.Time) (string, error) {
	query := r.URL.Query()
	query.Set("X-Amz-Expires", fmt.Sprint(int(lasts.Seconds())))
	r.URL.RawQuery = query.Encode()
	nothing := sha256.Sum256(nil)
	keys := sdk.Credentials{AccessKeyID: testKeyID, SecretAccessKey: testSecret}
	link, _, err := v4.NewSigner().PresignHTTP(context.Background(), keys, r, hex.EncodeToString(nothing[:]), "lambda", testRegion, at)
	return link, err
}

// follow requests a link as anybody would.
func (w *world) follow(method, link string) response {
	w.t.Helper()
	rec := httptest.NewRecorder()
	w.server.ServeHTTP(rec, httptest.NewRequest(method, link, nil))
	return response{rec.Code, rec.Header(), rec.Body.Bytes()}
}

func (w *world) link(path string) string {
	w.t.Helper()
	code := w.must("GET", path, nil)["Code"].(fields)
	link, _ := code["Location"].(string)
	return link
}

func TestTheLinkOfGetFunctionLeadsToTheZip(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.Presign = presign })
	one, two := script(t, "one"), script(t, "two")
	c := w.newFunction("f", "", func(in fields) { in["Code"], in["Publish"] = fields{"ZipFile": one}, true })
	w.must("PUT", root+"/f/code", fields{"ZipFile": two})
	w.reopen()
	for path, want := range map[string][]byte{root + "/f": two, root + "/f?Qualifier=1": one} {
		r := w.follow("GET", w.link(path))
		if r.status != 200 || !bytes.Equal(r.body, want) || r.header.Get("Content-Type") != "application/zip" {
			t.Errorf("%s: %d %v, %d bytes", path, r.status, r.header, len(r.body))
		}
	}
	sum := sha256.Sum256(one)
	if got := base64.StdEncoding.EncodeToString(sum[:]); got != c["CodeSha256"] {
		t.Errorf("the zip has %s, and the function says %s", got, c["CodeSha256"])
	}
	w.must("DELETE", root+"/f", nil)
	if r := w.follow("GET", "http://localhost:4573"+root+"/f/code"); r.status == 200 {
		t.Error("no signature is needed")
	}
}

func TestALinkIsGoodForNothingElse(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.Presign = presign })
	w.newFunction("f", "echo", func(in fields) { in["Publish"] = true })
	w.newFunction("g", "echo")
	link := w.link(root + "/f?Qualifier=1")
	u, err := url.Parse(link)
	if err != nil || u.Query().Get("X-Amz-Expires") != "600" || strings.Contains(link, testSecret) {
		t.Fatalf("%s %v", link, err)
	}
	if r := w.follow("GET", link); r.status != 200 {
		t.Fatalf("the link itself: %d %s", r.status, r.body)
	}
	old, err := http.NewRequest("GET", "http://localhost:4573"+root+"/f/code", nil)
	if err != nil {
		t.Fatal(err)
	}
	late, err := presignAt(old, linkTime, testTime.Add(-linkTime-time.Second))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, method, link string }{
		{"another function", "GET", strings.Replace(link, "/f/code", "/g/code", 1)},
		{"another operation", "GET", strings.Replace(link, "/f/code", "/f/configuration", 1)},
		{"another method", "DELETE", strings.Replace(link, "/f/code", "/f", 1)},
		{"another version", "GET", strings.Replace(link, "Qualifier=1", "Qualifier=2", 1)},
		{"the newest", "GET", strings.Replace(link, "Qualifier=1&", "", 1)},
		{"for longer", "GET", strings.Replace(link, "Expires=600", "Expires=6000", 1)},
		{"another host", "GET", strings.Replace(link, "localhost", "elsewhere", 1)},
		{"a digit less", "GET", link[:len(link)-1]},
		{"too late", "GET", late},
	} {
		if tt.link == link {
			t.Fatalf("%s: not changed", tt.name)
		}
		if r := w.follow(tt.method, tt.link); r.status != 403 && r.status != 400 || r.code() == "" {
			t.Errorf("%s: %d %s", tt.name, r.status, r.body)
		}
	}
	w.denied = "lambda:GetFunction"
	if r := w.call("GET", root+"/f/code", nil); r.status != 403 {
		t.Errorf("who may not: %d %s", r.status, r.body)
	}
}

func TestThereIsNoLinkToWhatIsNotThere(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*Options)
		remove bool
	}{
		{"nobody signs", func(*Options) {}, false},
		{"signing fails", func(o *Options) {
			o.Presign = func(*http.Request, time.Duration) (string, error) { return "", errors.New("no key") }
		}, false},
		{"a zip that was not kept", func(o *Options) { o.Presign = presign }, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, tt.change)
			w.newFunction("f", "echo")
			if tt.remove {
				if err := os.Remove(w.pool("f").rev.code + ".zip"); err != nil {
					t.Fatal(err)
				}
			}
			if link := w.link(root + "/f"); link != "" {
				t.Errorf("got %s", link)
			}
			r := w.call("GET", root+"/f/code", nil)
			if tt.remove && r.status != 404 || !tt.remove && r.status != 200 {
				t.Errorf("%d %s", r.status, r.body)
			}
		})
	}
}

func TestTheAccountTellsWhatIsUsed(t *testing.T) {
	w := newWorld(t)
	size := w.newFunction("f", "echo", func(in fields) { in["Publish"] = true })["CodeSize"].(float64)
	w.newFunction("g", "echo")
	got := w.must("GET", "/2016-08-19/account-settings/", nil)
	if use := got["AccountUsage"].(fields); use["FunctionCount"] != 2.0 || use["TotalCodeSize"] != 3*size {
		t.Errorf("used %v, a zip has %v", use, size)
	}
	if most := got["AccountLimit"].(fields); most["TotalCodeSize"] != 80530636800.0 || most["CodeSizeZipped"] != 52428800.0 || most["CodeSizeUnzipped"] != 262144000.0 {
		t.Errorf("limits %v", most)
	}
}

func TestTheQuotaOfZipsIsOneOfAllVersions(t *testing.T) {
	w := newWorld(t)
	w.newFunction("f", "echo", func(in fields) { in["Publish"] = true })
	f, err := w.find(target{name: "f"})
	if err != nil {
		t.Fatal(err)
	}
	f.versions[0].Configuration.CodeSize = maxStored - f.Configuration.CodeSize - 1
	for _, r := range []response{
		w.call("PUT", root+"/f/code", fields{"ZipFile": script(t, "x")}),
		w.call("POST", root, fields{"FunctionName": "g", "Role": testRole, "Runtime": "provided", "Handler": "h", "Code": fields{"ZipFile": script(t, "x")}}),
	} {
		if r.status != 400 || r.code() != "CodeStorageExceededException" {
			t.Errorf("%d %s", r.status, r.body)
		}
	}
	w.must("PUT", root+"/f/configuration", fields{"Timeout": 4})
	if r := w.call("POST", root+"/f/versions", nil); r.code() != "CodeStorageExceededException" {
		t.Errorf("%d %s", r.status, r.body)
	}
	if entries, err := os.ReadDir(w.root + "/functions"); err != nil || len(entries) != 1 {
		t.Errorf("%d folders: %v", len(entries), err)
	}
}

package s3

import (
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"net/http/httptest"
)

// request is one line of a table: what is asked, and what is to come back.
type request struct {
	name    string
	method  string
	target  string
	body    string
	headers []string
	status  int
	code    string // of the error
	want    string // of the body; "-" for any
	answer  []string
}

func (r request) run(t *testing.T, p plain) {
	t.Helper()
	got := p.do(r.method, r.target, r.body, r.headers...)
	if got.status != r.status || got.code != r.code {
		t.Errorf("%s: %d %s %s, want %d %s", r.name, got.status, got.code, got.body, r.status, r.code)
	}
	if r.code == "" && r.want != "-" && string(got.body) != r.want {
		t.Errorf("%s: body %q, want %q", r.name, got.body, r.want)
	}
	for i := 0; i < len(r.answer); i += 2 {
		if v := got.header.Get(r.answer[i]); v != r.answer[i+1] {
			t.Errorf("%s: %s is %q, want %q", r.name, r.answer[i], v, r.answer[i+1])
		}
	}
	if got.header.Get("X-Amz-Request-Id") == "" {
		t.Errorf("%s: no request id", r.name)
	}
}

func TestReadsObeyRangesAndConditions(t *testing.T) {
	clock := time.Date(2026, 1, 15, 10, 0, 0, 500e6, time.UTC)
	_, p := bucketed(t, func(o *Options) { o.Now = func() time.Time { return clock } })
	p.must("PUT", "/box/k", "0123456789", "Content-Type", "t/x", "Cache-Control", "no-store", "X-Amz-Meta-Who", "me")
	p.must("PUT", "/box/empty", "")
	sum := md5.Sum([]byte("0123456789"))
	tag := `"` + hex.EncodeToString(sum[:]) + `"`
	const modified, earlier, later = "Thu, 15 Jan 2026 10:00:00 GMT", "Thu, 15 Jan 2026 09:59:59 GMT", "Thu, 15 Jan 2026 10:00:01 GMT"
	get := func(name string, status int, code, want string, headers ...string) request {
		return request{name: name, method: "GET", target: "/box/k", headers: headers, status: status, code: code, want: want}
	}
	whole := get("whole", 200, "", "0123456789")
	whole.answer = []string{"Etag", tag, "Content-Type", "t/x", "Cache-Control", "no-store", "X-Amz-Meta-Who", "me",
		"Last-Modified", modified, "Content-Length", "10", "Accept-Ranges", "bytes"}
	middle := get("middle", 206, "", "345", "Range", "bytes=3-5")
	middle.answer = []string{"Content-Range", "bytes 3-5/10", "Content-Length", "3"}
	tests := []request{
		whole, middle,
		get("open range", 206, "", "789", "Range", "bytes=7-"),
		get("range over the end", 206, "", "789", "Range", "bytes=7-100"),
		get("suffix", 206, "", "89", "Range", "bytes=-2"),
		get("suffix over the start", 206, "", "0123456789", "Range", "bytes=-20"),
		get("behind the end", 416, "InvalidRange", "", "Range", "bytes=10-"),
		get("suffix of nothing", 416, "InvalidRange", "", "Range", "bytes=-0"),
		get("huge range", 416, "InvalidRange", "", "Range", "bytes=99999999999999999999-"),
		get("backwards", 200, "", "0123456789", "Range", "bytes=5-3"),
		get("several ranges", 200, "", "0123456789", "Range", "bytes=0-1,3-4"),
		get("another unit", 200, "", "0123456789", "Range", "lines=1-2"),
		get("If-Match", 200, "", "0123456789", "If-Match", tag),
		get("If-Match in a list", 200, "", "0123456789", "If-Match", `"x", `+tag),
		get("If-Match fails", 412, "PreconditionFailed", "", "If-Match", `"x"`),
		get("If-None-Match", 304, "", "", "If-None-Match", tag),
		get("If-None-Match star", 304, "", "", "If-None-Match", "*"),
		get("If-None-Match fails", 200, "", "0123456789", "If-None-Match", `"x"`),
		get("If-Modified-Since", 304, "", "", "If-Modified-Since", modified),
		get("If-Modified-Since earlier", 200, "", "0123456789", "If-Modified-Since", earlier),
		get("If-Unmodified-Since", 412, "PreconditionFailed", "", "If-Unmodified-Since", earlier),
		get("If-Unmodified-Since later", 200, "", "0123456789", "If-Unmodified-Since", later),
		get("If-Match wins", 200, "", "0123456789", "If-Match", tag, "If-Unmodified-Since", earlier),
		get("If-None-Match wins", 200, "", "0123456789", "If-None-Match", `"x"`, "If-Modified-Since", modified),
		{name: "overrides", method: "GET", target: "/box/k?response-content-type=a/b&response-expires=never", status: 200, want: "0123456789",
			answer: []string{"Content-Type", "a/b", "Expires", "never"}},
		{name: "head", method: "HEAD", target: "/box/k", status: 200, answer: []string{"Content-Length", "10", "Etag", tag}},
		{name: "head of a range", method: "HEAD", target: "/box/k", headers: []string{"Range", "bytes=0-0"}, status: 206, answer: []string{"Content-Length", "1"}},
		{name: "head of nothing", method: "HEAD", target: "/box/x", status: 404},
		{name: "head fails a condition", method: "HEAD", target: "/box/k", headers: []string{"If-Match", `"x"`}, status: 412},
		{name: "empty", method: "GET", target: "/box/empty", status: 200},
		{name: "range of empty", method: "GET", target: "/box/empty", headers: []string{"Range", "bytes=0-"}, status: 416, code: "InvalidRange"},
		{name: "first part", method: "GET", target: "/box/k?partNumber=1", status: 206, want: "0123456789"},
		{name: "second part", method: "GET", target: "/box/k?partNumber=2", status: 416, code: "InvalidPartNumber"},
		{name: "a part of empty", method: "GET", target: "/box/empty?partNumber=1", status: 200},
		{name: "another version", method: "GET", target: "/box/k?versionId=x", status: 400, code: "InvalidArgument"},
		{name: "the null version", method: "GET", target: "/box/k?versionId=null", status: 200, want: "0123456789"},
	}
	for _, tt := range tests {
		tt.run(t, p)
	}
}

func TestPutsAreCheckedBeforeTheyAreSeen(t *testing.T) {
	_, p := bucketed(t)
	put := func(name string, status int, code string, headers ...string) request {
		return request{name: name, method: "PUT", target: "/box/k", body: "hello", headers: headers, status: status, code: code}
	}
	sum := md5.Sum([]byte("hello"))
	right := base64.StdEncoding.EncodeToString(sum[:])
	refused := []request{
		put("not base64", 400, "InvalidDigest", "Content-Md5", "xx"),
		put("another MD5", 400, "BadDigest", "Content-Md5", base64.StdEncoding.EncodeToString(make([]byte, 16))),
		put("another CRC32", 400, "BadDigest", "X-Amz-Checksum-Crc32", "AAAAAA=="),
		put("short CRC32", 400, "InvalidRequest", "X-Amz-Checksum-Crc32", "AAAA"),
		put("two checksums", 400, "InvalidRequest", "X-Amz-Checksum-Crc32", "NhCmhg==", "X-Amz-Checksum-Sha1", "qvTGHdzF6KLavt4PO0gs2a6pQ00="),
		put("encrypted", 501, "NotImplemented", "X-Amz-Server-Side-Encryption", "AES256"),
		put("glacier", 501, "NotImplemented", "X-Amz-Storage-Class", "GLACIER"),
		put("tagged", 501, "NotImplemented", "X-Amz-Tagging", "a=b"),
		put("public", 400, "AccessControlListNotSupported", "X-Amz-Acl", "public-read"),
		put("much metadata", 400, "MetadataTooLarge", "X-Amz-Meta-A", strings.Repeat("x", 2048)),
		put("If-Match of nothing", 404, "NoSuchKey", "If-Match", `"x"`),
		put("If-None-Match with a tag", 501, "NotImplemented", "If-None-Match", `"x"`),
		put("another's bucket", 403, "AccessDenied", "X-Amz-Expected-Bucket-Owner", "111111111111"),
		{name: "no bucket", method: "PUT", target: "/nobox/k", body: "x", status: 404, code: "NoSuchBucket"},
		{name: "long key", method: "PUT", target: "/box/" + strings.Repeat("k", 1025), status: 400, code: "KeyTooLongError"},
		{name: "not UTF-8", method: "PUT", target: "/box/%ff", status: 400, code: "InvalidURI"},
		{name: "bad query", method: "PUT", target: "/box/k?a=%zz", status: 400, code: "InvalidURI"},
	}
	for _, tt := range refused {
		tt.run(t, p)
		if got := p.do("GET", "/box/k", ""); got.code != "NoSuchKey" {
			t.Fatalf("%s: the object is there: %q", tt.name, got.body)
		}
	}
	accepted := []request{
		put("right MD5", 200, "", "Content-Md5", right),
		put("right CRC32", 200, "", "X-Amz-Checksum-Crc32", "NhCmhg=="),
		put("its own acl", 200, "", "X-Amz-Acl", "bucket-owner-full-control"),
		put("standard", 200, "", "X-Amz-Storage-Class", "STANDARD"),
		put("If-Match", 200, "", "If-Match", hex.EncodeToString(sum[:])),
	}
	for _, tt := range accepted {
		tt.run(t, p)
	}
	put("there already", 412, "PreconditionFailed", "If-None-Match", "*").run(t, p)
	put("another is there", 412, "PreconditionFailed", "If-Match", `"x"`).run(t, p)
}

func TestABodyThatBreaksOffLeavesNothing(t *testing.T) {
	s, p := bucketed(t)
	for _, length := range []int64{-1, 4, 100} {
		r := httptest.NewRequest("PUT", "/box/k", iotest.TimeoutReader(strings.NewReader("four")))
		r.ContentLength = length
		r.Body = http.MaxBytesReader(nil, r.Body, 1)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code < 400 {
			t.Errorf("length %d: %d", length, w.Code)
		}
	}
	r := httptest.NewRequest("PUT", "/box/k", strings.NewReader("four"))
	r.ContentLength = 5
	w := httptest.NewRecorder()
	if s.ServeHTTP(w, r); w.Code != 400 || !strings.Contains(w.Body.String(), "IncompleteBody") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if got := p.do("GET", "/box/k", ""); got.code != "NoSuchKey" {
		t.Errorf("%d %q", got.status, got.body)
	}
	if left := filesIn(t, s.stagingPath); len(left) > 0 {
		t.Errorf("staging holds %q", left)
	}
}

func TestBucketsAndWhatIsNotBuilt(t *testing.T) {
	for _, region := range []string{"us-east-1", "eu-west-1"} {
		_, p := bucketed(t, func(o *Options) { o.Region = region })
		again, location := request{status: 200, want: "-"}, `<LocationConstraint xmlns="`+namespace+`"></LocationConstraint>`
		if region != "us-east-1" {
			again, location = request{status: 409, code: "BucketAlreadyOwnedByYou"}, `>eu-west-1</LocationConstraint>`
		}
		again.name, again.method, again.target = "create again", "PUT", "/box"
		again.run(t, p)
		if got := p.must("GET", "/box?location", ""); !strings.Contains(string(got.body), location) {
			t.Errorf("%s: %s", region, got.body)
		}
	}
	_, p := bucketed(t)
	const constraint = `<CreateBucketConfiguration xmlns="` + namespace + `"><LocationConstraint>eu-west-3</LocationConstraint></CreateBucketConfiguration>`
	tests := []request{
		{name: "with a location", method: "PUT", target: "/other", body: constraint, status: 200, answer: []string{"Location", "/other"}},
		{name: "slash behind", method: "HEAD", target: "/other/", status: 200, answer: []string{"X-Amz-Bucket-Region", "us-east-1"}},
		{name: "not XML", method: "PUT", target: "/third", body: "<a", status: 400, code: "MalformedXML"},
		{name: "head of nothing", method: "HEAD", target: "/nobox", status: 404},
		{name: "delete nothing", method: "DELETE", target: "/nobox", status: 404, code: "NoSuchBucket"},
		{name: "versioning", method: "GET", target: "/box?versioning", status: 200, want: "-"},
		{name: "policy", method: "GET", target: "/box?policy", status: 404, code: "NoSuchBucketPolicy"},
		{name: "policy of nothing", method: "GET", target: "/nobox?policy", status: 404, code: "NoSuchBucket"},
		{name: "put a policy", method: "PUT", target: "/box?policy", body: "{}", status: 501, code: "NotImplemented"},
		{name: "acl", method: "GET", target: "/box?acl", status: 501, code: "NotImplemented"},
		{name: "versions", method: "GET", target: "/box?versions", status: 501, code: "NotImplemented"},
		{name: "put tags", method: "PUT", target: "/box/k?tagging", status: 501, code: "NotImplemented"},
		{name: "post a form", method: "POST", target: "/box", status: 405, code: "MethodNotAllowed"},
		{name: "patch", method: "PATCH", target: "/box/k", status: 405, code: "MethodNotAllowed"},
		{name: "list nothing", method: "GET", target: "/nobox?list-type=2", status: 404, code: "NoSuchBucket"},
		{name: "list backwards", method: "GET", target: "/box?max-keys=-1", status: 400, code: "InvalidArgument"},
		{name: "list somehow", method: "GET", target: "/box?encoding-type=x", status: 400, code: "InvalidArgument"},
		{name: "list from nowhere", method: "GET", target: "/box?list-type=2&continuation-token=x", status: 400, code: "InvalidArgument"},
		{name: "delete it", method: "DELETE", target: "/other", status: 204},
		{name: "gone", method: "HEAD", target: "/other", status: 404},
	}
	for _, tt := range tests {
		tt.run(t, p)
	}
	for _, name := range []string{"ab", "Box", "a..b", "-ab", "ab-", "192.168.0.1", "xn--a", "a_b", strings.Repeat("a", 64), "a-s3alias"} {
		request{name: name, method: "PUT", target: "/" + name, status: 400, code: "InvalidBucketName"}.run(t, p)
		request{name: name, method: "GET", target: "/" + name + "/k", status: 404, code: "NoSuchBucket"}.run(t, p)
	}
}

func TestDeleteObjectsAnswersForEach(t *testing.T) {
	_, p := bucketed(t)
	p.must("PUT", "/box/a", "1")
	p.must("PUT", "/box/a/b", "2")
	const list = `<Object><Key>a</Key></Object><Object><Key>absent</Key></Object><Object><Key>a/b</Key><VersionId>v</VersionId></Object>`
	got := p.must("POST", "/box?delete", `<Delete>`+list+`</Delete>`)
	var result struct {
		Deleted []struct{ Key string }
		Error   []struct{ Key, Code string }
	}
	if err := xml.Unmarshal(got.body, &result); err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(result) != "{[{a} {absent}] [{a/b NotImplemented}]}" {
		t.Errorf("%v", result)
	}
	if got := p.must("POST", "/box?delete", `<Delete><Quiet>true</Quiet><Object><Key>a/b</Key></Object></Delete>`); strings.Contains(string(got.body), "Deleted>") {
		t.Errorf("quiet says %s", got.body)
	}
	for name, body := range map[string]string{
		"none":      `<Delete></Delete>`,
		"too many":  `<Delete>` + strings.Repeat(`<Object><Key>k</Key></Object>`, 1001) + `</Delete>`,
		"too deep":  strings.Repeat("<Delete>", 20) + strings.Repeat("</Delete>", 20),
		"directive": `<!DOCTYPE x [<!ENTITY y "z">]><Delete><Object><Key>&y;</Key></Object></Delete>`,
	} {
		request{name: name, method: "POST", target: "/box?delete", body: body, status: 400, code: "MalformedXML"}.run(t, p)
	}
	request{name: "another MD5", method: "POST", target: "/box?delete", body: `<Delete>` + list + `</Delete>`, status: 400, code: "BadDigest",
		headers: []string{"Content-Md5", base64.StdEncoding.EncodeToString(make([]byte, 16))}}.run(t, p)
}

func TestCopiesKeepOrReplaceWhatIsKnown(t *testing.T) {
	_, p := bucketed(t)
	p.must("PUT", "/box/from", "hello", "Content-Type", "t/1", "X-Amz-Meta-A", "1", "X-Amz-Checksum-Crc32", "NhCmhg==")
	copyTo := func(name, key string, status int, code string, headers ...string) request {
		return request{name: name, method: "PUT", target: "/box/" + key, status: status, code: code, want: "-",
			headers: append([]string{"X-Amz-Copy-Source", "box/from"}, headers...)}
	}
	copyTo("plain", "to", 200, "").run(t, p)
	copyTo("onto itself", "from", 400, "InvalidRequest").run(t, p)
	copyTo("new metadata", "new", 200, "", "X-Amz-Metadata-Directive", "REPLACE", "Content-Type", "t/2").run(t, p)
	copyTo("source matches", "to", 200, "", "X-Amz-Copy-Source-If-Match", "5d41402abc4b2a76b9719d911017c592").run(t, p)
	copyTo("source does not match", "to", 412, "PreconditionFailed", "X-Amz-Copy-Source-If-None-Match", "5d41402abc4b2a76b9719d911017c592").run(t, p)
	copyTo("another checksum", "sha", 200, "", "X-Amz-Checksum-Algorithm", "SHA256").run(t, p)
	for source, code := range map[string]string{"box": "InvalidArgument", "box/absent": "NoSuchKey", "nobox/k": "NoSuchBucket", "%zz": "InvalidArgument", "box/from?versionId=3": "NotImplemented"} {
		status := map[string]int{"InvalidArgument": 400, "NotImplemented": 501}[code]
		if status == 0 {
			status = 404
		}
		request{name: source, method: "PUT", target: "/box/to", headers: []string{"X-Amz-Copy-Source", source}, status: status, code: code}.run(t, p)
	}
	tests := []request{
		{name: "kept", method: "GET", target: "/box/to", headers: []string{"X-Amz-Checksum-Mode", "ENABLED"}, status: 200, want: "hello",
			answer: []string{"Content-Type", "t/1", "X-Amz-Meta-A", "1", "Etag", `"5d41402abc4b2a76b9719d911017c592"`, "X-Amz-Checksum-Crc32", "NhCmhg=="}},
		{name: "replaced", method: "GET", target: "/box/new", status: 200, want: "hello", answer: []string{"Content-Type", "t/2", "X-Amz-Meta-A", ""}},
		{name: "hashed anew", method: "HEAD", target: "/box/sha", headers: []string{"X-Amz-Checksum-Mode", "ENABLED"}, status: 200,
			answer: []string{"X-Amz-Checksum-Sha256", "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=", "X-Amz-Checksum-Crc32", ""}},
	}
	for _, tt := range tests {
		tt.run(t, p)
	}
}

// TestEachPieceOfWorkNeedsItsPermission goes through aws with some actions forbidden.
func TestEachPieceOfWorkNeedsItsPermission(t *testing.T) {
	s := openStore(t)
	if err := s.CreateBucket(t.Context(), "box"); err != nil {
		t.Fatal(err)
	}
	c := client(t, serve(t, s, "s3:PutObject", "s3:DeleteObject"))
	bucket, key := "box", "k"
	if _, err := c.PutObject(t.Context(), putInput(bucket, key, "x")); codeOf(err) != "AccessDenied" {
		t.Errorf("put: %v", err)
	}
	out, err := c.DeleteObjects(t.Context(), deleteInput(bucket, key))
	if err != nil || len(out.Errors) != 1 || *out.Errors[0].Code != "AccessDenied" {
		t.Errorf("delete: %v", err)
	}
	if _, err := c.ListBuckets(t.Context(), nil); err != nil {
		t.Errorf("list: %v", err)
	}
	if resp, err := http.Get(serve(t, s) + "/box/k"); err != nil || resp.StatusCode != http.StatusForbidden || resp.Body.Close() != nil {
		t.Errorf("unsigned: %v, %v", resp, err)
	}
}

// TestWritersReadersAndListersMeet has all of them at a few keys that need each other's
// folders. Nobody may see an error, or bytes that do not fit their ETag.
func TestWritersReadersAndListersMeet(t *testing.T) {
	s, p := bucketed(t, func(o *Options) { o.Root = quickFolder(t) })
	keys := []string{"a", "a/b", "a/b/c", "a/d", "e/f/g"}
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			for i := range 60 {
				key := keys[(worker+i)%len(keys)]
				switch (worker + i/3) % 4 {
				case 0, 1:
					p.must("PUT", "/box/"+key, strings.Repeat(fmt.Sprint(worker), i+1))
				case 2:
					got := p.do("GET", "/box/"+key, "")
					sum := md5.Sum(got.body)
					if got.code != "NoSuchKey" && got.header.Get("Etag") != `"`+hex.EncodeToString(sum[:])+`"` {
						t.Errorf("%s: %d %v %q", key, got.status, got.header, got.body)
					}
				case 3:
					p.must("GET", "/box?list-type=2", "")
					p.must("DELETE", "/box/"+key, "")
				}
			}
		})
	}
	wg.Wait()
	for _, key := range keys {
		p.must("DELETE", "/box/"+key, "")
	}
	p.must("DELETE", "/box", "")
	if left := filesIn(t, s.metaPath); len(left) > 0 {
		t.Errorf("left %q", left)
	}
}

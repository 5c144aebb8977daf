package s3

import (
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"testing"

	"hydrant/internal/aws"
)

func TestUploadsAreCompletedOnlyAsAsked(t *testing.T) {
	_, p := bucketed(t)
	u := &pendingUpload{}
	u.begin(p, "k", "short", "tail", "third")
	part := func(n int, tag string) string {
		return fmt.Sprintf("<Part><PartNumber>%d</PartNumber><ETag>%s</ETag></Part>", n, tag)
	}
	tags := []string{"", "4f09daa9d95bcb166a302407a0e0babe", "7aea2552dfe7eb84b9443b6fc9ba6e01", "dd5c8bf51558ffcbe5007071908e9524"}
	complete := func(name, list string, status int, code string, headers ...string) request {
		return request{name: name, method: "POST", target: "/box/k?uploadId=" + u.id, headers: headers, status: status, code: code, want: "-",
			body: `<CompleteMultipartUpload xmlns="` + namespace + `">` + list + `</CompleteMultipartUpload>`}
	}
	tests := []request{
		complete("none", "", 400, "MalformedXML"),
		complete("a wrong tag", part(1, tags[2]), 400, "InvalidPart"),
		complete("an unknown part", part(4, tags[1]), 400, "InvalidPart"),
		complete("part 0", part(0, tags[1]), 400, "InvalidPart"),
		complete("backwards", part(2, tags[2])+part(1, tags[1]), 400, "InvalidPartOrder"),
		complete("twice", part(1, tags[1])+part(1, tags[1]), 400, "InvalidPartOrder"),
		complete("too small", part(1, tags[1])+part(2, tags[2]), 400, "EntityTooSmall"),
		complete("over another", part(2, tags[2]), 404, "NoSuchKey", "If-Match", `"x"`),
		{name: "not XML", method: "POST", target: "/box/k?uploadId=" + u.id, body: "parts", status: 400, code: "MalformedXML"},
		{name: "another key", method: "PUT", target: "/box/other?partNumber=1&uploadId=" + u.id, body: "x", status: 404, code: "NoSuchUpload"},
		{name: "another upload", method: "PUT", target: "/box/k?partNumber=1&uploadId=../k", body: "x", status: 404, code: "NoSuchUpload"},
		{name: "part 10001", method: "PUT", target: "/box/k?partNumber=10001&uploadId=" + u.id, body: "x", status: 400, code: "InvalidArgument"},
		{name: "part x", method: "PUT", target: "/box/k?partNumber=x&uploadId=" + u.id, body: "x", status: 400, code: "InvalidArgument"},
		{name: "not there yet", method: "GET", target: "/box/k", status: 404, code: "NoSuchKey"},
		{name: "part 1 again", method: "PUT", target: "/box/k?partNumber=1&uploadId=" + u.id, body: "whole", status: 200},
		complete("its former tag", part(1, tags[1]), 400, "InvalidPart"),
		complete("the parts wanted", part(3, `"`+tags[3]+`"`), 200, ""),
		complete("again", part(3, tags[3]), 404, "NoSuchUpload"),
		{name: "there", method: "GET", target: "/box/k", status: 200, want: "third", answer: []string{"Content-Type", "t/u", "Etag", `"fab9a7dda36eccf82af5d1ad3dc9a2b1-1"`}},
		{name: "abort", method: "DELETE", target: "/box/k?uploadId=" + u.id, status: 404, code: "NoSuchUpload"},
		{name: "parts", method: "GET", target: "/box/k?uploadId=" + u.id, status: 404, code: "NoSuchUpload"},
		{name: "no bucket", method: "POST", target: "/nobox/k?uploads", status: 404, code: "NoSuchBucket"},
	}
	for _, tt := range tests {
		if tt.name == "there" { // the tag is checked by its form below
			tt.answer = tt.answer[:2]
		}
		tt.run(t, p)
	}
	if tag := p.must("HEAD", "/box/k", "").header.Get("Etag"); !strings.HasSuffix(tag, `-1"`) {
		t.Errorf("ETag %s", tag)
	}
	u.begin(p, "k", "x")
	p.must("DELETE", "/box/k?uploadId="+u.id, "")
	request{name: "aborted", method: "PUT", target: "/box/k?partNumber=1&uploadId=" + u.id, body: "x", status: 404, code: "NoSuchUpload"}.run(t, p)
	request{name: "deleted with uploads", method: "DELETE", target: "/box/k", status: 204}.run(t, p)
}

func TestPartsAndUploadsAreListedInPages(t *testing.T) {
	s, p := bucketed(t)
	var ids []string
	for _, key := range []string{"a", "a", "b/1", "b/2", "c"} {
		u := &pendingUpload{}
		u.begin(p, key, "1", "2", "3")
		ids = append(ids, key+" "+u.id)
	}
	slices.Sort(ids)
	for _, delimiter := range []string{"", "/"} {
		var got []string
		query := url.Values{"uploads": {""}, "max-uploads": {"1"}, "delimiter": {delimiter}}
		for {
			var page listUploadsView
			if err := xml.Unmarshal(p.must("GET", "/box?"+query.Encode(), "").body, &page); err != nil {
				t.Fatal(err)
			}
			for _, u := range page.Upload {
				got = append(got, u.Key+" "+u.UploadID)
			}
			for _, c := range page.CommonPrefixes {
				got = append(got, c.Prefix)
			}
			if !page.IsTruncated {
				break
			}
			query.Set("key-marker", page.NextKeyMarker)
			query.Set("upload-id-marker", page.NextUploadIDMarker)
		}
		want := ids
		if delimiter != "" {
			want = []string{ids[0], ids[1], "b/", ids[4]}
		}
		if !slices.Equal(got, want) {
			t.Errorf("delimiter %q: got %q, want %q", delimiter, got, want)
		}
	}
	key, id, _ := strings.Cut(ids[0], " ")
	var page struct {
		Part []struct {
			PartNumber int
			Size       int
		}
		IsTruncated          bool
		NextPartNumberMarker int
	}
	if err := xml.Unmarshal(p.must("GET", "/box/"+key+"?max-parts=1&part-number-marker=1&uploadId="+id, "").body, &page); err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(page) != "{[{2 1}] true 2}" {
		t.Errorf("parts: %v", page)
	}
	p.must("DELETE", "/box", "")
	if left := filesIn(t, s.uploadsPath); len(left) > 0 {
		t.Errorf("the bucket is gone, and %q are left", left)
	}
}

type listUploadsView struct {
	Upload []struct {
		Key      string
		UploadID string `xml:"UploadId"`
	}
	CommonPrefixes     []struct{ Prefix string }
	IsTruncated        bool
	NextKeyMarker      string
	NextUploadIDMarker string `xml:"NextUploadIdMarker"`
}

func TestAPartCanBeCopiedFromAnObject(t *testing.T) {
	_, p := bucketed(t)
	p.must("PUT", "/box/from", "0123456789")
	u := &pendingUpload{}
	u.begin(p, "to")
	at := "/box/to?partNumber=1&uploadId=" + u.id
	request{name: "bad range", method: "PUT", target: at, headers: []string{"X-Amz-Copy-Source", "box/from", "X-Amz-Copy-Source-Range", "bytes=20-"}, status: 400, code: "InvalidArgument"}.run(t, p)
	got := p.must("PUT", at, "", "X-Amz-Copy-Source", "box/from", "X-Amz-Copy-Source-Range", "bytes=2-4")
	var result struct{ ETag string }
	if err := xml.Unmarshal(got.body, &result); err != nil {
		t.Fatal(err)
	}
	u.list = "<Part><PartNumber>1</PartNumber><ETag>" + result.ETag + "</ETag></Part>"
	if got := u.complete(p); got.status != 200 {
		t.Fatalf("%s", got.body)
	}
	request{name: "copied", method: "GET", target: "/box/to", status: 200, want: "234"}.run(t, p)
}

// TestChecksumsOfPartsMakeThatOfTheObject compares joined CRCs with those of all bytes.
func TestChecksumsOfPartsMakeThatOfTheObject(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, algorithm := range []string{"crc32", "crc32c", "crc64nvme"} {
		whole := aws.NewChecksum(algorithm)
		var parts []part
		for range 20 {
			data := make([]byte, random.IntN(5000))
			for i := range data {
				data[i] = byte(random.Uint32())
			}
			one := aws.NewChecksum(algorithm)
			one.Write(data)
			whole.Write(data)
			parts = append(parts, part{size: int64(len(data)), sum: one.Sum(nil)})
		}
		got := checksumOfParts(algorithm, fullObject, parts)
		if want := base64.StdEncoding.EncodeToString(whole.Sum(nil)); got.Value != want {
			t.Errorf("%s: %s, want %s", algorithm, got.Value, want)
		}
	}
}

func TestUploadsChooseTheirChecksum(t *testing.T) {
	_, p := bucketed(t)
	create := func(algorithm, kind string, status int) request {
		r := request{name: algorithm + " " + kind, method: "POST", target: "/box/k?uploads", status: status, want: "-"}
		for name, value := range map[string]string{"X-Amz-Checksum-Algorithm": algorithm, "X-Amz-Checksum-Type": kind} {
			if value != "" {
				r.headers = append(r.headers, name, value)
			}
		}
		if status == 400 {
			r.code = "InvalidRequest"
		}
		return r
	}
	for _, r := range []request{
		create("CRC32", "", 200), create("crc32c", "FULL_OBJECT", 200), create("SHA256", "COMPOSITE", 200), create("CRC64NVME", "", 200),
		create("SHA256", "FULL_OBJECT", 400), create("CRC64NVME", "COMPOSITE", 400), create("MD4", "", 400), create("", "COMPOSITE", 400), create("CRC32", "HALF", 400),
	} {
		r.run(t, p)
	}
	got := p.must("POST", "/box/k?uploads", "", "X-Amz-Checksum-Algorithm", "CRC32", "X-Amz-Checksum-Type", "FULL_OBJECT")
	var created struct {
		UploadID string `xml:"UploadId"`
	}
	if err := xml.Unmarshal(got.body, &created); err != nil {
		t.Fatal(err)
	}
	at := "/box/k?uploadId=" + created.UploadID
	request{name: "another algorithm", method: "PUT", target: at + "&partNumber=1", body: "hello", headers: []string{"X-Amz-Checksum-Sha1", "qvTGHdzF6KLavt4PO0gs2a6pQ00="},
		status: 400, code: "InvalidRequest"}.run(t, p)
	put := p.must("PUT", at+"&partNumber=1", "hello")
	if sum := put.header.Get("X-Amz-Checksum-Crc32"); sum != "NhCmhg==" {
		t.Errorf("the part's checksum is %q", sum)
	}
	list := "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>" + put.header.Get("Etag") + "</ETag><ChecksumCRC32>%s</ChecksumCRC32></Part></CompleteMultipartUpload>"
	request{name: "wrong for the part", method: "POST", target: at, body: fmt.Sprintf(list, "AAAAAA=="), status: 400, code: "InvalidPart"}.run(t, p)
	request{name: "wrong for all", method: "POST", target: at, body: fmt.Sprintf(list, "NhCmhg=="), headers: []string{"X-Amz-Checksum-Crc32", "AAAAAA=="}, status: 400, code: "BadDigest"}.run(t, p)
	done := p.must("POST", at, fmt.Sprintf(list, "NhCmhg=="))
	if !strings.Contains(string(done.body), "<ChecksumCRC32>NhCmhg==</ChecksumCRC32><ChecksumType>FULL_OBJECT</ChecksumType>") {
		t.Errorf("%s", done.body)
	}
}

func FuzzParsePart(f *testing.F) {
	f.Add("00001.1.8388608.d41d8cd98f00b204e9800998ecf8427e.none")
	f.Add("10000.99.0.d41d8cd98f00b204e9800998ecf8427e-0.crc32-00000000")
	f.Add("upload.json")
	f.Fuzz(func(t *testing.T, name string) {
		if p, ok := parsePart(name); ok && p.fileName() != name {
			t.Fatalf("%q reads as %q", name, p.fileName())
		}
	})
}

func FuzzReadRange(f *testing.F) {
	f.Add("bytes=0-1", int64(10))
	f.Add("bytes=-5", int64(3))
	f.Add("bytes=9223372036854775807-", int64(1))
	f.Fuzz(func(t *testing.T, header string, size int64) {
		if size < 0 {
			return
		}
		r, ok, err := readRange(header, size)
		if ok && (err != nil || r.offset < 0 || r.size < 1 || r.offset+r.size > size) {
			t.Fatalf("%q of %d bytes is %+v, %v", header, size, r, err)
		}
	})
}

func FuzzReadDocument(f *testing.F) {
	f.Add("<Delete><Object><Key>k</Key></Object></Delete>")
	f.Add("<CompleteMultipartUpload><Part><PartNumber>1</PartNumber></Part></CompleteMultipartUpload>")
	f.Add(strings.Repeat("<a>", 50))
	f.Fuzz(func(t *testing.T, body string) {
		var d deleteRequest
		var c completeUploadRequest
		for _, into := range []any{&d, &c} {
			if err := readDocument(strings.NewReader(body), into); err != nil && !is(err, errMalformedXML) {
				t.Fatal(err)
			}
		}
	})
}

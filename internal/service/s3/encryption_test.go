package s3

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

var kmsHeaders = []string{"X-Amz-Server-Side-Encryption", "aws:kms", "X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id", testKey}

// locked is bucketed with keys for both algorithms.
func locked(t testing.TB, change ...func(*Options)) (*Store, plain, *testKMS) {
	t.Helper()
	k := newTestKMS()
	s, p := bucketed(t, append([]func(*Options){func(o *Options) { o.Keys, o.OwnKeys = k, k }}, change...)...)
	s.minPart = 1
	return s, p, k
}

// noise is n bytes that do not repeat.
func noise(n int) string {
	b, random := make([]byte, n), rand.NewChaCha8([32]byte{byte(n)})
	_, _ = random.Read(b) // never fails
	return string(b)
}

// raw is the file of an object.
func (s *Store) raw(t testing.TB, key string) []byte {
	t.Helper()
	b, err := os.ReadFile(s.objectPath("box", key))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestTheGoSDKStoresAndReadsEncryptedObjects(t *testing.T) {
	s, _, _ := locked(t)
	s.minPart = minPart
	for name, c := range map[string]*sdk.Client{
		"by socket":  client(t, serve(t, s)),
		"in process": client(t, "http://store.internal", func(o *sdk.Options) { o.HTTPClient = transportClient{NewTransport(s, WithQuickETags())} }),
	} {
		t.Run(name, func(t *testing.T) {
			for _, sse := range []types.ServerSideEncryption{"AES256", "aws:kms"} {
				sdkEncrypts(t, s, c, sse)
			}
		})
	}
}

func sdkEncrypts(t *testing.T, s *Store, c *sdk.Client, sse types.ServerSideEncryption) {
	t.Helper()
	ctx, box, key, secret := t.Context(), awssdk.String("box"), awssdk.String("enc/"+string(sse)), noise(200_000)
	told := func(what string, got types.ServerSideEncryption, id *string) {
		t.Helper()
		if got != sse || (sse == "aws:kms") != (awssdk.ToString(id) == testKey) {
			t.Errorf("%s: told as %s with key %q", what, got, awssdk.ToString(id))
		}
	}
	in := &sdk.PutObjectInput{Bucket: box, Key: key, Body: strings.NewReader(secret), ServerSideEncryption: sse}
	put, err := c.PutObject(ctx, in)
	if err != nil {
		t.Fatal(err)
	}
	told("put", put.ServerSideEncryption, put.SSEKMSKeyId)
	got, err := c.GetObject(ctx, &sdk.GetObjectInput{Bucket: box, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	told("get", got.ServerSideEncryption, got.SSEKMSKeyId)
	if string(content(t, got.Body)) != secret {
		t.Errorf("%s: other bytes came back", sse)
	}
	head, err := c.HeadObject(ctx, &sdk.HeadObjectInput{Bucket: box, Key: key})
	if err != nil || *head.ContentLength != int64(len(secret)) {
		t.Fatal(head, err)
	}
	told("head", head.ServerSideEncryption, head.SSEKMSKeyId)
	if bytes.Contains(s.raw(t, *key), []byte(secret[:100])) {
		t.Errorf("%s: the file holds the plaintext", sse)
	}
	sdkEncryptsParts(t, c, sse, told)
}

func sdkEncryptsParts(t *testing.T, c *sdk.Client, sse types.ServerSideEncryption, told func(string, types.ServerSideEncryption, *string)) {
	t.Helper()
	ctx, box, key := t.Context(), awssdk.String("box"), awssdk.String("parts")
	up, err := c.CreateMultipartUpload(ctx, &sdk.CreateMultipartUploadInput{Bucket: box, Key: key, ServerSideEncryption: sse})
	if err != nil {
		t.Fatal(err)
	}
	told("create", up.ServerSideEncryption, up.SSEKMSKeyId)
	var parts []types.CompletedPart
	var all string
	for _, n := range []int32{2, 3, 7} {
		data := noise(minPart + int(n))
		all += data
		p, err := c.UploadPart(ctx, &sdk.UploadPartInput{Bucket: box, Key: key, UploadId: up.UploadId, PartNumber: &n, Body: strings.NewReader(data)})
		if err != nil {
			t.Fatal(err)
		}
		told("part", p.ServerSideEncryption, p.SSEKMSKeyId)
		parts = append(parts, types.CompletedPart{PartNumber: &n, ETag: p.ETag})
	}
	done, err := c.CompleteMultipartUpload(ctx, &sdk.CompleteMultipartUploadInput{Bucket: box, Key: key, UploadId: up.UploadId,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: parts}})
	if err != nil {
		t.Fatal(err)
	}
	told("complete", done.ServerSideEncryption, done.SSEKMSKeyId)
	got, err := c.GetObject(ctx, &sdk.GetObjectInput{Bucket: box, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	if string(content(t, got.Body)) != all {
		t.Errorf("%s: the parts came back otherwise", sse)
	}
}

func TestRangesOfEncryptedObjectsAreThoseOfThePlainOnes(t *testing.T) {
	_, p, _ := locked(t)
	u := &pendingUpload{}
	u.beginWith(p, "parts", kmsHeaders, noise(chunkBytes), noise(2*chunkBytes+5), noise(2*chunkBytes+5), noise(1), "")
	if a := u.complete(p); a.status != 200 {
		t.Fatalf("%s", a.body)
	}
	whole := map[string]string{
		"parts": noise(chunkBytes) + noise(2*chunkBytes+5) + noise(2*chunkBytes+5) + noise(1),
		"empty": "", "one": noise(1),
		"short": noise(chunkBytes - 1), "full": noise(chunkBytes), "over": noise(chunkBytes + 1), "long": noise(3 * chunkBytes),
	}
	for key, data := range whole {
		if key != "parts" {
			p.must("PUT", "/box/"+key, data, kmsHeaders...)
		}
		if got := p.must("GET", "/box/"+key, ""); string(got.body) != data {
			t.Errorf("%s: %d bytes came back", key, len(got.body))
		}
		edges := []int{0, 1, chunkBytes - 1, chunkBytes, chunkBytes + 1, 2*chunkBytes - 1, 2 * chunkBytes, 3*chunkBytes + 4, 3*chunkBytes + 5, 5*chunkBytes + 9, 5*chunkBytes + 10}
		for _, from := range edges {
			for _, to := range edges {
				if from > to || from >= len(data) {
					continue
				}
				got := p.must("GET", "/box/"+key, "", "Range", fmt.Sprintf("bytes=%d-%d", from, to))
				if want := data[from:min(to+1, len(data))]; string(got.body) != want || got.status != 206 {
					t.Errorf("%s: bytes %d to %d: %d, %d bytes", key, from, to, got.status, len(got.body))
				}
			}
		}
	}
	for n, data := range []string{noise(chunkBytes), noise(2*chunkBytes + 5), noise(2*chunkBytes + 5), noise(1), ""} {
		if got := p.must("GET", fmt.Sprintf("/box/parts?partNumber=%d", n+1), ""); string(got.body) != data {
			t.Errorf("part %d: %d bytes", n+1, len(got.body))
		}
	}
}

// TestBytesThatWereTamperedWithAreNotGivenOut damages files, and reads all of them and the
// last byte alone. What is given out before the damage must be right.
func TestBytesThatWereTamperedWithAreNotGivenOut(t *testing.T) {
	data := noise(3*chunkBytes + 100)
	flip := func(at int) func([]byte) []byte {
		return func(b []byte) []byte {
			b[(at+len(b))%len(b)] ^= 1
			return b
		}
	}
	const sealed = chunkBytes + tagBytes
	for _, c := range []struct {
		name   string
		damage func([]byte) []byte
		good   int // bytes before the damage
		last   bool
	}{
		{"a bit of the salt", flip(20), 0, true},
		{"the part number", flip(11), 0, true},
		{"a bit of the first chunk", flip(headerBytes), 0, false},
		{"a bit of the third chunk", flip(headerBytes + 2*sealed + 7), 2 * chunkBytes, false},
		{"a bit of the last tag", flip(-1), 3 * chunkBytes, true},
		{"a byte cut off", func(b []byte) []byte { return b[:len(b)-1] }, 3 * chunkBytes, true},
		{"the last chunk cut off", func(b []byte) []byte { return b[:headerBytes+3*sealed] }, 3 * chunkBytes, true},
		{"all but the header cut off", func(b []byte) []byte { return b[:headerBytes] }, 0, true},
		{"two chunks exchanged", func(b []byte) []byte {
			return slices.Concat(b[:headerBytes], b[headerBytes+sealed:headerBytes+2*sealed], b[headerBytes:headerBytes+sealed], b[headerBytes+2*sealed:])
		}, 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, p, _ := locked(t, func(o *Options) { o.Logger = nil })
			p.must("PUT", "/box/k", data, kmsHeaders...)
			if err := os.WriteFile(s.objectPath("box", "k"), c.damage(s.raw(t, "k")), 0o600); err != nil {
				t.Fatal(err)
			}
			got := p.do("GET", "/box/k", "")
			if c.good == 0 && got.status != 500 {
				t.Errorf("told as %d", got.status)
			}
			if c.good > 0 && (got.status != 200 || string(got.body) != data[:c.good]) {
				t.Errorf("%d, %d bytes were given out", got.status, len(got.body))
			}
			if got := p.do("GET", "/box/k", "", "Range", "bytes=-1"); (got.status == 500) != c.last {
				t.Errorf("the last byte: %d", got.status)
			}
		})
	}
}

func TestPartsThatWereExchangedOrTakenAwayAreNotGivenOut(t *testing.T) {
	s, p, _ := locked(t, func(o *Options) { o.Logger = nil })
	u := &pendingUpload{}
	u.beginWith(p, "k", kmsHeaders, "one", "two", "six")
	if a := u.complete(p); a.status != 200 {
		t.Fatalf("%s", a.body)
	}
	raw, n := s.raw(t, "k"), int(sealedSize(3))
	if err := os.WriteFile(s.objectPath("box", "k"), slices.Concat(raw[n:2*n], raw[:n], raw[2*n:]), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := p.do("GET", "/box/k", ""); got.status != 500 {
		t.Errorf("exchanged: %d %q", got.status, got.body)
	}
	if err := os.WriteFile(s.objectPath("box", "k"), raw[:2*n], 0o600); err != nil {
		t.Fatal(err)
	}
	side, err := os.ReadFile(s.sidecarPath("box", "k"))
	if err != nil {
		t.Fatal(err)
	}
	side = bytes.Replace(side, []byte(`"count":3`), []byte(`"count":2`), 1)
	side = bytes.Replace(side, []byte(`"size":9`), []byte(`"size":6`), 1)
	if err := os.WriteFile(s.sidecarPath("box", "k"), side, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := p.do("GET", "/box/k", ""); got.status != 500 {
		t.Errorf("taken away: %d %q", got.status, got.body)
	}
}

func TestAnEncryptedFileWithoutItsSidecarIsNoForeignObject(t *testing.T) {
	s, p, _ := locked(t, func(o *Options) { o.Logger = nil })
	p.must("PUT", "/box/k", "secret", kmsHeaders...)
	if err := os.WriteFile(s.objectPath("box", "copied"), s.raw(t, "k"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := p.do("GET", "/box/copied", ""); got.status != 500 {
		t.Errorf("%d %q", got.status, got.body)
	}
	p.must("PUT", "/box/copied", "anew")
	if got := p.must("GET", "/box/copied", ""); string(got.body) != "anew" {
		t.Errorf("after a put: %q", got.body)
	}
}

func TestAPartThatIsSentAgainIsEncryptedWithAnotherKey(t *testing.T) {
	s, p, _ := locked(t)
	u := &pendingUpload{}
	u.beginWith(p, "k", kmsHeaders, "same")
	first := u.list
	p.must("PUT", "/box/k?partNumber=1&uploadId="+u.id, "same")
	var files [][]byte
	entries, err := os.ReadDir(s.uploadsPath + "/" + u.id)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() == uploadFile {
			continue
		}
		b, err := os.ReadFile(s.uploadsPath + "/" + u.id + "/" + e.Name())
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, b[headerBytes:])
	}
	if len(files) != 2 || bytes.Equal(files[0], files[1]) {
		t.Errorf("%d files, equal: %v", len(files), len(files) == 2)
	}
	u.list = first
	if a := u.complete(p); a.code != "InvalidPart" {
		t.Errorf("completing with the former: %d %s", a.status, a.body)
	}
}

func TestAKeyThatCannotBeUsedIsToldAsS3Does(t *testing.T) {
	for code, want := range map[string]string{
		"DisabledException":        "400 KMS.DisabledException",
		"NotFoundException":        "400 KMS.NotFoundException",
		"KMSInvalidStateException": "400 KMS.KMSInvalidStateException",
		"AccessDeniedException":    "403 AccessDenied",
	} {
		s, p, k := locked(t)
		p.must("PUT", "/box/k", "kept", kmsHeaders...)
		u := &pendingUpload{}
		u.beginWith(p, "up", kmsHeaders, "part")
		k.refuse(code)
		for what, a := range map[string]answered{
			"put":      p.do("PUT", "/box/new", "x", kmsHeaders...),
			"replace":  p.do("PUT", "/box/k", "x", kmsHeaders...),
			"get":      p.do("GET", "/box/k", ""),
			"copy":     p.do("PUT", "/box/new", "", "X-Amz-Copy-Source", "/box/k"),
			"begin":    p.do("POST", "/box/new?uploads", "", kmsHeaders...),
			"part":     p.do("PUT", "/box/up?partNumber=2&uploadId="+u.id, "x"),
			"complete": u.complete(p),
		} {
			if got := fmt.Sprint(a.status, " ", a.code); got != want {
				t.Errorf("%s, %s: %s", code, what, got)
			}
		}
		if head := p.must("HEAD", "/box/k", ""); head.header.Get("Content-Length") != "4" {
			t.Errorf("%s: HEAD says %v", code, head.header)
		}
		if entries, err := os.ReadDir(s.stagingPath); err != nil || len(entries) != 0 {
			t.Errorf("%s: %d files are left, %v", code, len(entries), err)
		}
		k.refuse("")
		if a := u.complete(p); a.status != 200 {
			t.Errorf("%s: completing later: %s", code, a.body)
		}
		if got := p.must("GET", "/box/k", ""); string(got.body) != "kept" {
			t.Errorf("%s: %q", code, got.body)
		}
	}
}

func TestHeadersOfEncryptionAreChecked(t *testing.T) {
	_, p, k := locked(t)
	p.must("PUT", "/box/k", "x")
	u := &pendingUpload{}
	u.begin(p, "up")
	arn := base64.StdEncoding.EncodeToString([]byte(`{"aws:s3:arn":"arn:aws:s3:::box/other"}`))
	for _, c := range []struct {
		name, method, target string
		headers              []string
		want                 string
	}{
		{"an unknown algorithm", "PUT", "/box/n", []string{sseHeader, "rot13"}, "InvalidArgument"},
		{"two layers", "PUT", "/box/n", []string{sseHeader, "aws:kms:dsse"}, "NotImplemented"},
		{"a key without an algorithm", "PUT", "/box/n", []string{sseKeyHeader, testKey}, "InvalidArgument"},
		{"a key for AES256", "PUT", "/box/n", []string{sseHeader, "AES256", sseKeyHeader, testKey}, "InvalidArgument"},
		{"a context that is no base64", "PUT", "/box/n", []string{sseHeader, "aws:kms", sseContextHeader, "{}"}, "InvalidArgument"},
		{"a context that is no map of strings", "PUT", "/box/n", []string{sseHeader, "aws:kms", sseContextHeader, "eyJhIjoxfQ=="}, "InvalidArgument"},
		{"a context of another object", "PUT", "/box/n", []string{sseHeader, "aws:kms", sseContextHeader, arn}, "InvalidArgument"},
		{"a bucket key that is neither", "PUT", "/box/n", []string{sseHeader, "aws:kms", sseBucketKeyHeader, "maybe"}, "InvalidArgument"},
		{"a customer's key", "PUT", "/box/n", []string{"X-Amz-Server-Side-Encryption-Customer-Algorithm", "AES256"}, "NotImplemented"},
		{"a customer's key for reading", "GET", "/box/k", []string{"X-Amz-Server-Side-Encryption-Customer-Key", "AAAA"}, "NotImplemented"},
		{"reading", "GET", "/box/k", []string{sseHeader, "aws:kms"}, "InvalidArgument"},
		{"a part", "PUT", "/box/up?partNumber=1&uploadId=" + u.id, []string{sseHeader, "aws:kms"}, "InvalidArgument"},
	} {
		if a := p.do(c.method, c.target, "x", c.headers...); a.code != c.want {
			t.Errorf("%s: %d %s", c.name, a.status, a.body)
		}
	}
	if a := p.do("HEAD", "/box/k", "", sseKeyHeader, testKey); a.status != 400 {
		t.Errorf("HEAD: %d", a.status)
	}
	p.must("PUT", "/box/n", "x", sseHeader, "aws:kms")
	p.must("PUT", "/box/n", "x", kmsHeaders...)
	if want := []string{"alias/aws/s3", testKey}; !slices.Equal(k.asked, want) {
		t.Errorf("data keys were made under %q", k.asked)
	}
}

func TestAStoreWithoutKeysRefusesToEncrypt(t *testing.T) {
	_, p := bucketed(t)
	for _, algorithm := range []string{"AES256", "aws:kms"} {
		for _, a := range []answered{
			p.do("PUT", "/box/k", "x", sseHeader, algorithm),
			p.do("POST", "/box/k?uploads", "", sseHeader, algorithm),
			p.do("PUT", "/box?encryption", defaultDocument(algorithm, "")),
		} {
			if a.code != "NotImplemented" {
				t.Errorf("%s: %d %s", algorithm, a.status, a.body)
			}
		}
	}
}

func TestTheContextBindsAnObjectToItsName(t *testing.T) {
	for _, bucketKey := range []string{"false", "true"} {
		s, p, _ := locked(t, func(o *Options) { o.Logger = nil })
		user := base64.StdEncoding.EncodeToString([]byte(`{"department":"10"}`))
		put := p.must("PUT", "/box/k", "secret", append(kmsHeaders, sseContextHeader, user, sseBucketKeyHeader, bucketKey)...)
		if told := put.header.Get(sseBucketKeyHeader); (told == "true") != (bucketKey == "true") {
			t.Errorf("bucket key %s is told as %q", bucketKey, told)
		}
		if got := p.must("GET", "/box/k", ""); string(got.body) != "secret" {
			t.Errorf("%q", got.body)
		}
		for _, move := range [][2]string{{s.objectPath("box", "k"), s.objectPath("box", "m")}, {s.sidecarPath("box", "k"), s.sidecarPath("box", "m")}} {
			if err := os.Rename(move[0], move[1]); err != nil {
				t.Fatal(err)
			}
		}
		if got := p.do("GET", "/box/m", ""); (got.status == 200) != (bucketKey == "true") {
			t.Errorf("moved, bucket key %s: %d", bucketKey, got.status)
		}
	}
}

func TestOnlyTheTagOfAnObjectUnderAKMSKeyIsNoMD5(t *testing.T) {
	_, p, _ := locked(t)
	sum := md5.Sum([]byte("secret"))
	for algorithm, same := range map[string]bool{"AES256": true, "aws:kms": false} {
		put := p.must("PUT", "/box/k", "secret", sseHeader, algorithm)
		tag := put.header.Get("Etag")
		if (tag == `"`+hex.EncodeToString(sum[:])+`"`) != same || len(tag) != 34 {
			t.Errorf("%s has the ETag %s", algorithm, tag)
		}
		if got := p.must("GET", "/box/k", "", "If-Match", tag); got.header.Get("Etag") != tag {
			t.Errorf("%s is read with the ETag %s", algorithm, got.header.Get("Etag"))
		}
	}
}

func TestACopyIsEncryptedAsItIsAskedFor(t *testing.T) {
	s, p, _ := locked(t)
	data := noise(chunkBytes + 10)
	p.must("PUT", "/box/plain", data)
	p.must("PUT", "/box/sealed", data, kmsHeaders...)
	for _, from := range []string{"plain", "sealed"} {
		for _, headers := range [][]string{nil, kmsHeaders, {sseHeader, "AES256"}} {
			copied := p.must("PUT", "/box/copy", "", append([]string{"X-Amz-Copy-Source", "/box/" + from}, headers...)...)
			if got := p.must("GET", "/box/copy", ""); string(got.body) != data {
				t.Errorf("%s to %v: %d bytes", from, headers, len(got.body))
			}
			if told := copied.header.Get(sseHeader); headers == nil && told != "" || headers != nil && told != headers[1] {
				t.Errorf("%s to %v is told as %q", from, headers, told)
			}
			if plain := bytes.Equal(s.raw(t, "copy"), []byte(data)); plain != (headers == nil) {
				t.Errorf("%s to %v lies there in plain: %v", from, headers, plain)
			}
		}
	}
	p.must("PUT", "/box/plain", "", append([]string{"X-Amz-Copy-Source", "/box/plain"}, kmsHeaders...)...)
	if got := p.must("GET", "/box/plain", ""); string(got.body) != data || got.header.Get(sseKeyHeader) != testKey {
		t.Errorf("encrypted in its place: %d bytes", len(got.body))
	}
	u := &pendingUpload{}
	u.beginWith(p, "up", kmsHeaders)
	p.must("PUT", "/box/up?partNumber=1&uploadId="+u.id, "", "X-Amz-Copy-Source", "/box/sealed", "X-Amz-Copy-Source-Range", "bytes=5-65540")
	listed := string(p.must("GET", "/box/up?uploadId="+u.id, "").body)
	_, tag, _ := strings.Cut(listed, "<ETag>")
	tag, _, _ = strings.Cut(tag, "</ETag>")
	u.list = "<Part><PartNumber>1</PartNumber><ETag>" + tag + "</ETag></Part>"
	if a := u.complete(p); a.status != 200 {
		t.Fatalf("%s", a.body)
	}
	if got := p.must("GET", "/box/up", ""); string(got.body) != data[5:65541] {
		t.Errorf("a copied part: %d bytes", len(got.body))
	}
}

func defaultDocument(algorithm, key string) string {
	if key != "" {
		key = "<KMSMasterKeyID>" + key + "</KMSMasterKeyID>"
	}
	return "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>" + algorithm +
		"</SSEAlgorithm>" + key + "</ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>"
}

func TestABucketsDefaultCountsForObjectsThatDoNotSay(t *testing.T) {
	root := t.TempDir()
	_, p, k := locked(t, func(o *Options) { o.Root = root })
	if a := p.do("GET", "/box?encryption", ""); a.code != "ServerSideEncryptionConfigurationNotFoundError" {
		t.Errorf("before: %d %s", a.status, a.body)
	}
	p.must("PUT", "/box/before", "x")
	p.must("PUT", "/box?encryption", defaultDocument("aws:kms", testKey))
	p = plain{t, openStore(t, func(o *Options) { o.Root, o.Keys, o.OwnKeys = root, k, k })}
	if a := p.must("GET", "/box?encryption", ""); !bytes.Contains(a.body, []byte("<SSEAlgorithm>aws:kms</SSEAlgorithm><KMSMasterKeyID>"+testKey)) {
		t.Errorf("told as %s", a.body)
	}
	for _, c := range []struct {
		headers []string
		want    string
	}{{nil, "aws:kms"}, {[]string{sseHeader, "AES256"}, "AES256"}} {
		if put := p.must("PUT", "/box/k", "x", c.headers...); put.header.Get(sseHeader) != c.want {
			t.Errorf("a put with %v is told as %q", c.headers, put.header.Get(sseHeader))
		}
	}
	if a := p.must("POST", "/box/k?uploads", ""); a.header.Get(sseKeyHeader) != testKey {
		t.Errorf("an upload is told as %v", a.header)
	}
	if a := p.must("GET", "/box/before", ""); a.header.Get(sseHeader) != "" {
		t.Errorf("an older object is told as %v", a.header)
	}
	p.must("DELETE", "/box?encryption", "")
	if put := p.must("PUT", "/box/k", "x"); put.header.Get(sseHeader) != "" {
		t.Errorf("afterwards a put is told as %q", put.header.Get(sseHeader))
	}
	for _, bad := range []string{defaultDocument("rot13", ""), defaultDocument("AES256", testKey), "<ServerSideEncryptionConfiguration/>", "x"} {
		if a := p.do("PUT", "/box?encryption", bad); a.status != http.StatusBadRequest {
			t.Errorf("%s: %d", bad, a.status)
		}
	}
	if a := p.do("PUT", "/nobox?encryption", defaultDocument("AES256", "")); a.code != "NoSuchBucket" {
		t.Errorf("no bucket: %d %s", a.status, a.body)
	}
}

package s3

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"hash/crc32"
	"net/http"
	"strconv"
	"strings"

	"github.com/cespare/xxhash/v2"

	"hydrant/internal/aws"
)

// Types of a multipart object's checksum: over its bytes, or over its parts' checksums.
const (
	fullObject = "FULL_OBJECT"
	composite  = "COMPOSITE"
)

// Checksum is what a client gave with an object, or let be made of its parts.
type Checksum struct {
	Algorithm string `json:"algorithm"` // crc32, crc32c, crc64nvme, sha1 or sha256
	Value     string `json:"value"`     // base64; of a composite one, with -<parts> behind
	Type      string `json:"type"`      // FULL_OBJECT or COMPOSITE
}

// checksumAlgorithms are those that S3 knows, as in x-amz-checksum-<algorithm>.
var checksumAlgorithms = []string{"crc32", "crc32c", "crc64nvme", "sha1", "sha256"}

// checksumHeader is the header that carries a checksum.
func checksumHeader(algorithm string) string { return "X-Amz-Checksum-" + algorithm }

// expectation is what a request says of its body.
type expectation struct {
	size      int64  // bytes, or -1
	md5       []byte // Content-MD5, or nil
	algorithm string // of the checksum to make; empty for none
	sum       string // what it must be, base64; empty if nothing or a trailer says so
	trailer   http.Header
	quick     bool // an ETag that is no MD5 will do
}

// expectationOf reads the headers that speak of the body.
func expectationOf(r *http.Request) (expectation, error) {
	e := expectation{size: r.ContentLength, trailer: r.Trailer}
	if e.size > maxPut {
		return e, with(errEntityTooLarge, "MaxSizeAllowed", strconv.FormatInt(maxPut, 10))
	}
	if r.Header["Content-Md5"] != nil {
		sum, err := base64.StdEncoding.DecodeString(r.Header.Get("Content-Md5"))
		if err != nil || len(sum) != md5.Size {
			return e, errInvalidDigest
		}
		e.md5 = sum
	}
	for _, algorithm := range checksumAlgorithms {
		name := checksumHeader(algorithm)
		value, announced := r.Header.Get(name), strings.EqualFold(r.Header.Get("X-Amz-Trailer"), name)
		if value == "" && !announced {
			continue
		}
		if e.algorithm != "" {
			return e, saying(errInvalidRequest, "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.")
		}
		raw, err := base64.StdEncoding.DecodeString(value)
		if value != "" && (err != nil || len(raw) != aws.NewChecksum(algorithm).Size()) {
			return e, saying(errInvalidRequest, "Value for %s header is invalid.", strings.ToLower(name))
		}
		e.algorithm, e.sum = algorithm, value
	}
	return e, nil
}

// digest is what a body turned out to be.
type digest struct {
	size  int64
	tag   []byte // 16 bytes, the MD5 unless quick
	quick bool
	sum   []byte // the checksum asked for, or nil
}

// etag is the digest as an ETag, without quotes.
func (d *digest) etag() string { return etagOf(d.tag, d.quick) }

// etagOf writes a tag in hex. One that is no MD5 gets a dash, by which clients know.
func etagOf(tag []byte, quick bool) string {
	if quick {
		return hex.EncodeToString(tag) + "-0"
	}
	return hex.EncodeToString(tag)
}

// checksum is the digest's checksum as stored with an object.
func (d *digest) checksum(algorithm string) Checksum {
	if algorithm == "" {
		return Checksum{}
	}
	return Checksum{Algorithm: algorithm, Value: base64.StdEncoding.EncodeToString(d.sum), Type: fullObject}
}

// digester hashes a body while it passes.
type digester struct {
	expectation
	size  int64
	tag   hash.Hash
	check hash.Hash // nil for none
}

func newDigester(e expectation) *digester {
	d := &digester{expectation: e, tag: md5.New()}
	if e.quick && e.md5 == nil {
		d.tag = &quickTag{content: xxhash.New()}
	}
	if e.algorithm != "" {
		d.check = aws.NewChecksum(e.algorithm)
	}
	return d
}

// Write hashes p. It never fails.
func (d *digester) Write(p []byte) (int, error) {
	d.size += int64(len(p))
	d.tag.Write(p)
	if d.check != nil {
		d.check.Write(p)
	}
	return len(p), nil
}

// finish compares what came with what was expected.
func (d *digester) finish() (digest, error) {
	if d.expectation.size >= 0 && d.size != d.expectation.size {
		return digest{}, errIncompleteBody
	}
	_, quick := d.tag.(*quickTag)
	out := digest{size: d.size, tag: d.tag.Sum(nil), quick: quick}
	if d.md5 != nil && !bytes.Equal(out.tag, d.md5) {
		return digest{}, with(with(errBadDigest, "ExpectedDigest", hex.EncodeToString(d.md5)), "CalculatedDigest", out.etag())
	}
	if d.check == nil {
		return out, nil
	}
	out.sum = d.check.Sum(nil)
	want := d.sum
	if want == "" {
		want = d.trailer.Get(checksumHeader(d.algorithm))
	}
	if want != "" && want != base64.StdEncoding.EncodeToString(out.sum) {
		return digest{}, saying(errBadDigest, "The %s you specified did not match the calculated checksum.", strings.ToUpper(d.algorithm))
	}
	return out, nil
}

// quickTag is a 16-byte hash for ETags that costs a tenth of MD5: xxHash64 of the bytes,
// their CRC-32C, and their number. It tells versions of an object apart and is no guard
// against malice.
type quickTag struct {
	content *xxhash.Digest
	crc     uint32
	size    uint32
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Write hashes p. It never fails.
func (q *quickTag) Write(p []byte) (int, error) {
	q.crc = crc32.Update(q.crc, castagnoli, p)
	q.size += uint32(len(p))
	return q.content.Write(p)
}

// Sum appends the hash to b.
func (q *quickTag) Sum(b []byte) []byte {
	b = binary.BigEndian.AppendUint64(b, q.content.Sum64())
	b = binary.BigEndian.AppendUint32(b, q.crc)
	return binary.BigEndian.AppendUint32(b, q.size)
}

// Reset starts anew.
func (q *quickTag) Reset() {
	q.content.Reset()
	q.crc, q.size = 0, 0
}

// Size is the length of the hash.
func (q *quickTag) Size() int { return md5.Size }

// BlockSize is that of the slower of the two.
func (q *quickTag) BlockSize() int { return q.content.BlockSize() }

// tagOfParts is the ETag of a multipart object: the MD5 of its parts' ETags as bytes, and
// how many there were.
func tagOfParts(parts []part) string {
	h := md5.New()
	for _, p := range parts {
		h.Write(p.tag)
	}
	return hex.EncodeToString(h.Sum(nil)) + "-" + strconv.Itoa(len(parts))
}

// checksumOfParts is the checksum of a multipart object, of the given type.
func checksumOfParts(algorithm, kind string, parts []part) Checksum {
	c := Checksum{Algorithm: algorithm, Type: kind}
	if kind == fullObject {
		c.Value = base64.StdEncoding.EncodeToString(joinCRCs(algorithm, parts))
		return c
	}
	h := aws.NewChecksum(algorithm)
	for _, p := range parts {
		h.Write(p.sum)
	}
	c.Value = base64.StdEncoding.EncodeToString(h.Sum(nil)) + "-" + strconv.Itoa(len(parts))
	return c
}

// crcPolynomials are the reversed polynomials of the CRCs that can be joined.
var crcPolynomials = map[string]struct {
	polynomial uint64
	bits       int
}{
	"crc32":     {crc32.IEEE, 32},
	"crc32c":    {crc32.Castagnoli, 32},
	"crc64nvme": {0x9a6c9329ac4bc9b5, 64},
}

// joinCRCs makes the CRC of the parts back to back from the CRCs of the parts.
func joinCRCs(algorithm string, parts []part) []byte {
	p := crcPolynomials[algorithm]
	var crc uint64
	for _, part := range parts {
		var next uint64
		for _, b := range part.sum {
			next = next<<8 | uint64(b)
		}
		crc = shiftCRC(crc, part.size, p.polynomial, p.bits) ^ next
	}
	out := binary.BigEndian.AppendUint64(nil, crc)
	return out[8-p.bits/8:]
}

// shiftCRC is what a CRC becomes when size zero bytes follow: multiplication by the matrix
// of one zero bit, raised to 8*size by repeated squaring (as zlib's crc32_combine does).
func shiftCRC(crc uint64, size int64, polynomial uint64, bits int) uint64 {
	var power, square [64]uint64
	power[0] = polynomial
	for i := 1; i < bits; i++ {
		power[i] = 1 << (i - 1)
	}
	for n := uint64(size) * 8; n > 0; n >>= 1 {
		if n&1 != 0 {
			crc = timesVector(&power, crc)
		}
		for i := range bits {
			square[i] = timesVector(&power, power[i])
		}
		power = square
	}
	return crc
}

// timesVector multiplies a bit matrix by a bit vector.
func timesVector(matrix *[64]uint64, vector uint64) (sum uint64) {
	for i := 0; vector != 0; i, vector = i+1, vector>>1 {
		if vector&1 != 0 {
			sum ^= matrix[i]
		}
	}
	return sum
}

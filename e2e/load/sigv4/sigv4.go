// Package sigv4 signs requests to JSON services of one fixed shape, POST / with four
// signed headers, as cheaply as the algorithm allows, so that a load generator leaves the
// machine to the server. It shares no code with the server's verification, which makes
// each run a check of both.
//
//   - Scope: day, region and service that a signature holds for.
//   - Signing key: the secret folded with the scope; made once a day.
package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"time"
)

// TimeFormat is the form of the X-Amz-Date header, UTC.
const TimeFormat = "20060102T150405Z"

// ContentType is the Content-Type that signed requests must carry.
const ContentType = "application/x-amz-json-1.1"

const signedHeaders = "content-type;host;x-amz-date;x-amz-target"

// A Signer signs for one key, region and service. It belongs to one goroutine.
type Signer struct {
	accessKey, secret, region, service string

	day       string    // of mac
	mac       hash.Hash // HMAC under the signing key of day
	canonical []byte    // scratch
}

// New returns a signer.
func New(accessKey, secret, region, service string) *Signer {
	return &Signer{accessKey: accessKey, secret: secret, region: region, service: service}
}

// Authorization appends the Authorization header of POST / on host, with X-Amz-Date as
// date (in TimeFormat), X-Amz-Target as target and a body of that SHA-256.
func (s *Signer) Authorization(dst []byte, date, host, target string, body [sha256.Size]byte) []byte {
	day := date[:8]
	if day != s.day {
		s.mac, s.day = hmac.New(sha256.New, s.key(day)), day
	}
	c := append(s.canonical[:0], "POST\n/\n\ncontent-type:"+ContentType+"\nhost:"...)
	c = append(append(c, host...), "\nx-amz-date:"...)
	c = append(append(c, date...), "\nx-amz-target:"...)
	c = append(append(c, target...), "\n\n"+signedHeaders+"\n"...)
	c = hex.AppendEncode(c, body[:])
	digest := sha256.Sum256(c)

	c = append(append(c[:0], "AWS4-HMAC-SHA256\n"...), date...)
	c = append(s.appendScope(append(c, '\n'), day), '\n')
	c = hex.AppendEncode(c, digest[:])
	s.mac.Reset()
	s.mac.Write(c)
	s.canonical = c
	var signature [sha256.Size]byte

	dst = append(append(dst, "AWS4-HMAC-SHA256 Credential="...), s.accessKey...)
	dst = s.appendScope(append(dst, '/'), day)
	dst = append(dst, ", SignedHeaders="+signedHeaders+", Signature="...)
	return hex.AppendEncode(dst, s.mac.Sum(signature[:0]))
}

func (s *Signer) appendScope(dst []byte, day string) []byte {
	dst = append(append(dst, day...), '/')
	dst = append(append(dst, s.region...), '/')
	return append(append(dst, s.service...), "/aws4_request"...)
}

// key folds the secret with the scope.
func (s *Signer) key(day string) []byte {
	k := []byte("AWS4" + s.secret)
	for _, part := range []string{day, s.region, s.service, "aws4_request"} {
		mac := hmac.New(sha256.New, k)
		mac.Write([]byte(part))
		k = mac.Sum(nil)
	}
	return k
}

// Date writes a time as X-Amz-Date.
func Date(t time.Time) string { return t.UTC().Format(TimeFormat) }

package aws

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"hash"
	"net/http"
	"strings"
	"sync"
	"time"
)

const (
	algorithm  = "AWS4-HMAC-SHA256"
	terminator = "aws4_request"
	isoBasic   = "20060102T150405Z"
	isoDay     = "20060102"
	emptyHash  = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

	unsignedPayload = "UNSIGNED-PAYLOAD"
)

// signable is everything that a signature is made from beside the request itself.
type signable struct {
	path      string // canonical
	query     string // raw
	presigned bool
	headers   string // signed header names, lower case, joined by semicolons
	payload   string // hash in hex, or the name of a payload mode
	date      string // YYYYMMDDThhmmssZ
	scope     string // DATE/REGION/SERVICE/aws4_request
}

var scratches = sync.Pool{New: func() any { return new([]byte) }}

// sign returns the signature in hex. The canonical request is built in pooled memory.
func (s *signable) sign(r *http.Request, key *signingKey) [64]byte {
	scratch := scratches.Get().(*[]byte)
	defer scratches.Put(scratch)
	b := append((*scratch)[:0], r.Method...)
	b = append(append(append(b, '\n'), s.path...), '\n')
	b = append(appendQuery(b, s.query, s.presigned), '\n')
	b = appendHeaders(b, r, s.headers)
	b = append(append(append(b, s.headers...), '\n'), s.payload...)
	sum := sha256.Sum256(b)

	b = append(append(append(b[:0], algorithm...), '\n'), s.date...)
	b = append(append(append(b, '\n'), s.scope...), '\n')
	b = hex.AppendEncode(b, sum[:])
	*scratch = b
	return key.sign(b)
}

// signingKey is a key derived from a secret for one scope. It is used by many goroutines.
type signingKey struct {
	secret Secret    // it was derived from
	macs   sync.Pool // of *mac
}

// newSigningKey derives the key of a scope: HMAC over day, region, service and terminator
// in turn, from "AWS4" and the secret.
func newSigningKey(secret Secret, day, region, service string) *signingKey {
	key := []byte("AWS4" + string(secret))
	for _, part := range [...]string{day, region, service, terminator} {
		h := hmac.New(sha256.New, key)
		h.Write([]byte(part))
		key = h.Sum(nil)
	}
	return &signingKey{secret: secret, macs: sync.Pool{New: func() any { return &mac{Hash: hmac.New(sha256.New, key)} }}}
}

// mac is a keyed hash and room for its result, pooled because each would be an allocation.
type mac struct {
	hash.Hash
	sum [sha256.Size]byte
}

// sign returns the HMAC of a string to sign, in hex.
func (k *signingKey) sign(text []byte) (signature [64]byte) {
	m := k.macs.Get().(*mac)
	defer k.macs.Put(m)
	m.Reset()
	m.Write(text)
	hex.Encode(signature[:], m.Sum(m.sum[:0]))
	return signature
}

// maxSigningKeys bounds the key cache. A server has one key per access key, day and service
// in use; when more come by, the cache starts again.
const maxSigningKeys = 1024

// keyCache keeps derived keys under the credential that a request names
// (ACCESSKEY/DATE/REGION/SERVICE/aws4_request). Only keys that made a right signature are
// kept, so that strangers cannot fill it.
type keyCache struct {
	mu   sync.RWMutex
	keys map[string]*signingKey // guarded by mu
}

// get returns the key for a credential, derived anew if the secret has changed.
func (c *keyCache) get(claim *claim, secret Secret) *signingKey {
	c.mu.RLock()
	k := c.keys[claim.credential]
	c.mu.RUnlock()
	if k != nil && subtle.ConstantTimeCompare([]byte(k.secret), []byte(secret)) == 1 {
		return k
	}
	return newSigningKey(secret, claim.day, claim.region, claim.service)
}

// keep remembers a key that proved right.
func (c *keyCache) keep(claim *claim, k *signingKey) {
	c.mu.RLock()
	known := c.keys[claim.credential] == k
	c.mu.RUnlock()
	if known {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.keys == nil || len(c.keys) >= maxSigningKeys {
		c.keys = make(map[string]*signingKey)
	}
	c.keys[strings.Clone(claim.credential)] = k // the claim's text is part of a whole header
}

// Signer signs requests of our own, in header form. It may be used from many goroutines.
type Signer struct {
	id, service, region string
	key                 *Key // behind a pointer, so that a printed Signer does not tell
	protocol            protocol
}

// NewSigner returns a signer for one service; token may be empty.
func NewSigner(accessKeyID string, secret, token Secret, service, region string) *Signer {
	s := &Signer{id: accessKeyID, key: &Key{Secret: secret, Token: token}, service: service, region: region}
	if service == "s3" {
		s.protocol = s3Rest
	}
	return s
}

// Sign signs r as of at, replacing an older signature. payload is the SHA-256 of the body
// in hex, or for S3 the name of a payload mode. Host, Content-Type and all X-Amz headers
// are signed; they must not change afterwards.
func (s *Signer) Sign(r *http.Request, payload string, at time.Time) {
	date := at.UTC().Format(isoBasic)
	r.Header["X-Amz-Date"] = []string{date}
	if s.key.Token != "" {
		r.Header["X-Amz-Security-Token"] = []string{string(s.key.Token)}
	}
	if s.protocol == s3Rest {
		r.Header["X-Amz-Content-Sha256"] = []string{payload}
	}
	path, query := rawTarget(r)
	day := date[:len(isoDay)]
	what := signable{
		path: canonicalPaths(s.protocol, path)[0], query: query, headers: headersToSign(r.Header),
		payload: payload, date: date,
		scope: day + "/" + s.region + "/" + s.service + "/" + terminator,
	}
	signature := what.sign(r, newSigningKey(s.key.Secret, day, s.region, s.service))
	r.Header["Authorization"] = []string{algorithm + " Credential=" + s.id + "/" + what.scope +
		", SignedHeaders=" + what.headers + ", Signature=" + string(signature[:])}
}

package s3

import (
	"encoding/base64"
	"strings"

	"github.com/go-json-experiment/json"
)

// The headers that ask for encryption, and that tell of it.
const (
	sseHeader          = "X-Amz-Server-Side-Encryption"
	sseKeyHeader       = "X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id"
	sseContextHeader   = "X-Amz-Server-Side-Encryption-Context"
	sseBucketKeyHeader = "X-Amz-Server-Side-Encryption-Bucket-Key-Enabled"
)

// customerKeyHeaders bring keys of the client's own (SSE-C), which this store does not take.
var customerKeyHeaders = []string{
	"X-Amz-Server-Side-Encryption-Customer-Algorithm", "X-Amz-Server-Side-Encryption-Customer-Key",
	"X-Amz-Server-Side-Encryption-Customer-Key-Md5", "X-Amz-Copy-Source-Server-Side-Encryption-Customer-Algorithm",
	"X-Amz-Copy-Source-Server-Side-Encryption-Customer-Key", "X-Amz-Copy-Source-Server-Side-Encryption-Customer-Key-Md5",
}

func (c *call) refuseCustomerKeys() error {
	for _, name := range customerKeyHeaders {
		if c.r.Header[name] != nil {
			return unimplemented(strings.ToLower(name))
		}
	}
	return nil
}

// refuseEncryptionHeaders is for operations on what is encrypted, or not, already.
func (c *call) refuseEncryptionHeaders() error {
	for _, name := range []string{sseHeader, sseKeyHeader, sseContextHeader, sseBucketKeyHeader} {
		if v := c.r.Header[name]; v != nil {
			return badArgument(strings.ToLower(name), strings.Join(v, ","), "%s header is not supported for this operation.", strings.ToLower(name))
		}
	}
	return nil
}

// encryptionWish reads how the request wants its object encrypted; without a word of it, the
// bucket's default counts.
func (c *call) encryptionWish() (encryptionWish, error) {
	h := c.r.Header
	w := encryptionWish{Algorithm: h.Get(sseHeader), KeyID: h.Get(sseKeyHeader)}
	if h[sseHeader] == nil && h[sseKeyHeader] == nil && h[sseContextHeader] == nil {
		return c.s.defaultEncryption(c.bucket)
	}
	switch w.Algorithm {
	case sseOwn, sseKMS:
	case "aws:kms:dsse":
		return w, unimplemented("x-amz-server-side-encryption: aws:kms:dsse")
	case "":
		return w, badArgument("x-amz-server-side-encryption", "",
			"Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms")
	default:
		return w, badArgument("x-amz-server-side-encryption", w.Algorithm, "The encryption method specified is not supported")
	}
	if w.Algorithm == sseOwn {
		if h[sseKeyHeader] != nil || h[sseContextHeader] != nil {
			return w, badArgument("x-amz-server-side-encryption", w.Algorithm,
				"Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms")
		}
		return w, nil
	}
	if w.KeyID == "" {
		w.KeyID = defaultKMSKey
	}
	switch v := strings.ToLower(h.Get(sseBucketKeyHeader)); v {
	case "", "false":
	case "true":
		w.BucketKey = true
	default:
		return w, badArgument(strings.ToLower(sseBucketKeyHeader), v, "The value must be true or false")
	}
	return w, c.readContext(&w)
}

// readContext reads the client's encryption context.
func (c *call) readContext(w *encryptionWish) error {
	v := c.r.Header.Get(sseContextHeader)
	if v == "" {
		return nil
	}
	bad := badArgument(strings.ToLower(sseContextHeader), v,
		"The header 'x-amz-server-side-encryption-context' shall be Base64-encoded UTF-8 string holding JSON which represents a string-string map")
	raw, err := base64.StdEncoding.DecodeString(v)
	if err != nil || json.Unmarshal(raw, &w.Context) != nil {
		return bad
	}
	if arn, ok := w.Context[arnContext]; ok && arn != c.s.objectARN(c.bucket, c.key) {
		return bad
	}
	delete(w.Context, arnContext) // it is added anew each time
	return nil
}

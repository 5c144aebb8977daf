package s3fake

import "net/http"

// The headers that ask for encryption, and that tell of it.
const (
	sseHeader    = "X-Amz-Server-Side-Encryption"
	sseKeyHeader = "X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id"
)

// RefuseKey has all requests that need a KMS key fail with a code of KMS as S3 tells it, such
// as KMS.DisabledException, and do nothing. An empty code lets the key be used again.
func (f *Fake) RefuseKey(arn, code string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.refused[arn] = code
}

// checkEncryption refuses headers of encryption that S3 would refuse, and what needs a key
// that cannot be used. The fake encrypts nothing.
func (f *Fake) checkEncryption(b *bucket, r request) reply {
	sse, key := r.header.Get(sseHeader), r.header.Get(sseKeyHeader)
	if r.Operation != PutObject && r.Operation != CreateUpload {
		if sse != "" || key != "" {
			return failure(http.StatusBadRequest, "InvalidArgument")
		}
		key = b.keyOf(r)
	} else if sse != "" && sse != "AES256" && sse != "aws:kms" || key != "" && sse != "aws:kms" {
		return failure(http.StatusBadRequest, "InvalidArgument")
	}
	if code := f.refused[key]; code != "" {
		return failure(http.StatusBadRequest, code)
	}
	return reply{}
}

// keyOf is the KMS key that a request needs because of what is stored already.
func (b *bucket) keyOf(r request) string {
	switch r.Operation {
	case UploadPart, CompleteUpload:
		if u := b.upload(r); u != nil {
			return u.header.Get(sseKeyHeader)
		}
	case GetObject:
		if o := b.objects[r.Key]; o != nil && !o.deleted {
			return o.Header.Get(sseKeyHeader)
		}
	}
	return ""
}

// echoing adds to an answer's header how the object is encrypted.
func echoing(kept http.Header, header map[string]string) map[string]string {
	if header == nil {
		header = map[string]string{}
	}
	for _, name := range []string{sseHeader, sseKeyHeader} {
		if v := kept.Get(name); v != "" {
			header[name] = v
		}
	}
	return header
}

package s3

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"

	"hydrant/internal/aws"
	"hydrant/internal/record"
)

// Keys is a key management service as this store uses it. That a key cannot be used it says
// by a *record.KeyError.
type Keys interface {
	// GenerateDataKey makes a data key of 32 bytes under the key that keyID names.
	GenerateDataKey(ctx context.Context, keyID string, encryptionContext map[string]string) (record.DataKey, error)
	// Decrypt opens the blob of a data key. The context must be that of its making.
	Decrypt(ctx context.Context, keyID string, blob []byte, encryptionContext map[string]string) ([]byte, error)
}

// Algorithms of x-amz-server-side-encryption.
const (
	sseOwn = "AES256"  // under the store's own key (SSE-S3)
	sseKMS = "aws:kms" // under a key of the KMS (SSE-KMS)
)

// defaultKMSKey is the key of those who name none.
const defaultKMSKey = "alias/aws/s3"

// Encryption is what is known of an encrypted object's key.
type Encryption struct {
	// Algorithm is AES256 or aws:kms.
	Algorithm string `json:"algorithm"`
	// KeyARN is the key that wraps the data key.
	KeyARN string `json:"keyArn"`
	// Blob is the data key, wrapped.
	Blob []byte `json:"blob"`
	// Context is the client's encryption context. The ARN of the object is added to it.
	Context map[string]string `json:"context,omitzero"`
	// BucketKey says that it is the bucket's ARN that is added instead.
	BucketKey bool `json:"bucketKey,omitzero"`
	// Layout authenticates the object's size and parts (objectKey.layout).
	Layout []byte `json:"layout,omitzero"`
}

// encryptionWish is how a request, or a bucket's default, wants an object encrypted. The
// zero wish is for a plain file.
type encryptionWish struct {
	Algorithm string            `json:"algorithm"`
	KeyID     string            `json:"keyId,omitzero"`
	Context   map[string]string `json:"-"`
	BucketKey bool              `json:"bucketKey,omitzero"`
}

// keysOf is the service that keeps the keys of an algorithm.
func (s *Store) keysOf(algorithm string) (Keys, error) {
	k := s.kms
	if algorithm == sseOwn {
		k = s.ownKeys
	}
	if k == nil {
		return nil, unimplemented("x-amz-server-side-encryption: " + algorithm)
	}
	return k, nil
}

// arnContext is the name in an encryption context that S3 itself uses.
const arnContext = "aws:s3:arn"

// fullContext is a client's context with the ARN of what it is for.
func (s *Store) fullContext(bucket, key string, user map[string]string, bucketKey bool) map[string]string {
	full := maps.Clone(user)
	if full == nil {
		full = make(map[string]string, 1)
	}
	full[arnContext] = s.objectARN(bucket, key)
	if bucketKey {
		full[arnContext] = aws.BucketARN(s.partition, bucket).String()
	}
	return full
}

func (s *Store) objectARN(bucket, key string) string {
	return aws.BucketARN(s.partition, bucket).String() + "/" + key
}

// newObjectKey makes the key for a new object of the call's name. It is nil, like its
// description, for one that is not to be encrypted.
func (c *call) newObjectKey(w encryptionWish) (*Encryption, *objectKey, error) {
	if w.Algorithm == "" {
		return nil, nil, nil
	}
	keys, err := c.s.keysOf(w.Algorithm)
	if err != nil {
		return nil, nil, err
	}
	k, err := keys.GenerateDataKey(c.ctx(), w.KeyID, c.s.fullContext(c.bucket, c.key, w.Context, w.BucketKey))
	if err != nil {
		return nil, nil, keyTrouble(fmt.Errorf("make a data key for %s/%s: %w", c.bucket, c.key, err))
	}
	e := &Encryption{Algorithm: w.Algorithm, KeyARN: k.KeyARN, Blob: k.Blob, Context: w.Context, BucketKey: w.BucketKey}
	if err := c.authorizeKey("GenerateDataKey", e); err != nil {
		return nil, nil, err
	}
	plain, err := newKey(k.Plaintext)
	return e, plain, err
}

// encrypt makes the key that the request, or its bucket, wants for a new object.
func (c *call) encrypt() (*Encryption, *objectKey, error) {
	w, err := c.encryptionWish()
	if err != nil {
		return nil, nil, err
	}
	return c.newObjectKey(w)
}

// encrypted notes how the object is encrypted, once its size and parts are known.
func (i *Info) encrypted(e *Encryption, key *objectKey) {
	if e == nil {
		return
	}
	own := *e
	own.Layout = key.layout(i)
	i.Encryption = &own
}

// openObjectKey opens the key of an object, nil for a plain one, on the caller's behalf.
func (c *call) openObjectKey(bucket, key string, e *Encryption) (*objectKey, error) {
	if e == nil {
		return nil, nil
	}
	if err := c.authorizeKey("Decrypt", e); err != nil {
		return nil, err
	}
	keys, err := c.s.keysOf(e.Algorithm)
	if err != nil {
		return nil, err
	}
	plain, err := keys.Decrypt(c.ctx(), e.KeyARN, e.Blob, c.s.fullContext(bucket, key, e.Context, e.BucketKey))
	if err != nil {
		return nil, keyTrouble(fmt.Errorf("open the data key of %s/%s: %w", bucket, key, err))
	}
	return newKey(plain)
}

// authorizeKey asks whether the caller may use a KMS key.
func (c *call) authorizeKey(action string, e *Encryption) error {
	caller, ok := aws.CallerFrom(c.ctx())
	if !ok || e.Algorithm != sseKMS {
		return nil
	}
	return caller.Authorize(c.ctx(), "kms:"+action, e.KeyARN)
}

// keyTrouble tells of a key that cannot be used as S3 does. Other errors pass.
func keyTrouble(err error) error {
	var k *record.KeyError
	switch {
	case !errors.As(err, &k):
		return err
	case k.Code == "AccessDeniedException":
		return saying(errAccessDenied, "%s", k.Message)
	}
	return &aws.Error{Code: "KMS." + k.Code, Status: http.StatusBadRequest, Message: k.Message}
}

// nameEncryption sets the headers that say how an object is encrypted.
func (c *call) nameEncryption(e *Encryption) {
	if e == nil {
		return
	}
	h := c.w.Header()
	h.Set(sseHeader, e.Algorithm)
	if e.Algorithm == sseKMS {
		h.Set(sseKeyHeader, e.KeyARN)
		if e.BucketKey {
			h.Set(sseBucketKeyHeader, "true")
		}
	}
}

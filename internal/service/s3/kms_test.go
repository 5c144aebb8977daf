package s3

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"sync"

	"github.com/go-json-experiment/json"

	"hydrant/internal/record"
)

const testKey = "arn:aws:kms:us-east-1:000000000000:key/0a1b2c3d-0000-1111-2222-333344445555"

// testKMS is a key management service with one key, by any name, that a test can take away.
type testKMS struct {
	mu      sync.Mutex
	refusal *record.KeyError // nil while the key can be used
	asked   []string         // key ids that data keys were made under
}

func newTestKMS() *testKMS { return &testKMS{} }

// refuse lets the key be unusable for a reason; an empty code ends that.
func (k *testKMS) refuse(code string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.refusal = nil
	if code != "" {
		k.refusal = &record.KeyError{Code: code, Message: testKey + " cannot be used."}
	}
}

// usable also notes what was asked for.
func (k *testKMS) usable(ctx context.Context, keyID string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.refusal != nil {
		return k.refusal
	}
	if keyID != "" {
		k.asked = append(k.asked, keyID)
	}
	return ctx.Err()
}

// wrapper seals data keys under a key that is the same in all tests and after every restart.
func wrapper() cipher.AEAD {
	master := sha256.Sum256([]byte("master key of the tests"))
	block, err := aes.NewCipher(master[:])
	if err != nil {
		panic(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	return aead
}

func canonical(encryptionContext map[string]string) []byte {
	b, err := json.Marshal(encryptionContext, json.Deterministic(true))
	if err != nil {
		panic(err)
	}
	return b
}

func (k *testKMS) GenerateDataKey(ctx context.Context, keyID string, encryptionContext map[string]string) (record.DataKey, error) {
	if err := k.usable(ctx, keyID); err != nil {
		return record.DataKey{}, err
	}
	plain, nonce := make([]byte, 32), make([]byte, 12)
	_, _ = rand.Read(plain) // never fails
	_, _ = rand.Read(nonce) // never fails
	return record.DataKey{KeyARN: testKey, Plaintext: plain, Blob: wrapper().Seal(nonce, nonce, plain, canonical(encryptionContext))}, nil
}

func (k *testKMS) Decrypt(ctx context.Context, _ string, blob []byte, encryptionContext map[string]string) ([]byte, error) {
	if err := k.usable(ctx, ""); err != nil {
		return nil, err
	}
	if len(blob) < 12 {
		return nil, errors.New("no blob")
	}
	return wrapper().Open(nil, blob[:12], blob[12:], canonical(encryptionContext))
}

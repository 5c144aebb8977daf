package vault

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"

	"hydrant/internal/durable"
	"hydrant/internal/record"
)

// Errors of the node's own key.
var (
	// ErrExposed: others can read the key's file.
	ErrExposed = errors.New("the node's own key can be read by others")
	// ErrDamaged: the file does not hold a key.
	ErrDamaged = errors.New("the node's own key is damaged")
)

const ownBytes = 32

// Own is the node's own key, which AWS_OWNED_CMK stands for: 256 random bits in a file that
// only the node's user may read. Whoever has the journal and not this file has nothing of
// what is encrypted with it.
type Own struct{ aead cipher.AEAD }

// OpenOwn reads the key in the file, or makes one if there is no file. It reports ErrExposed
// and ErrDamaged: a key is never made anew in the place of one that is there.
func OpenOwn(path string) (*Own, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return makeOwn(path)
	}
	if err != nil {
		return nil, fmt.Errorf("the node's own key: %w", err)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, fmt.Errorf("%w: %s has mode %04o. Run: chmod 600 %s", ErrExposed, path, mode, path)
	}
	if info.Size() != ownBytes {
		return nil, fmt.Errorf("%w: %s has %d bytes, not %d. Restore it; without it what is encrypted in the journal cannot be read",
			ErrDamaged, path, info.Size(), ownBytes)
	}
	key, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("the node's own key: %w", err)
	}
	return newOwn(key)
}

func makeOwn(path string) (*Own, error) {
	key := make([]byte, ownBytes)
	rand.Read(key) // never fails (crypto/rand since Go 1.24)
	if err := durable.WriteFile(path, key, 0o600); err != nil {
		return nil, fmt.Errorf("write the node's own key: %w", err)
	}
	return newOwn(key)
}

func newOwn(key []byte) (*Own, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("the node's own key: %w", err)
	}
	return &Own{aead}, nil
}

// GenerateDataKey makes a data key and wraps it; keyID does not matter.
func (o *Own) GenerateDataKey(_ context.Context, _ string, encryptionContext map[string]string) (record.DataKey, error) {
	plain, nonce := make([]byte, 32), make([]byte, nonceBytes)
	rand.Read(plain) // never fails
	rand.Read(nonce)
	return record.DataKey{Plaintext: plain, Blob: o.aead.Seal(nonce, nonce, plain, canonical(encryptionContext))}, nil
}

// errOtherKey says that a data key was wrapped by another node's own key.
var errOtherKey = errors.New("the data key was not wrapped by this node's own key: the key file in the data directory is another one")

// Decrypt unwraps a data key.
func (o *Own) Decrypt(_ context.Context, _ string, blob []byte, encryptionContext map[string]string) ([]byte, error) {
	if len(blob) < nonceBytes {
		return nil, errOtherKey
	}
	plain, err := o.aead.Open(nil, blob[:nonceBytes], blob[nonceBytes:], canonical(encryptionContext))
	if err != nil {
		return nil, errOtherKey
	}
	return plain, nil
}

// canonical is an encryption context as bytes that differ when the context does.
func canonical(c map[string]string) []byte {
	var b []byte
	for _, k := range slices.Sorted(maps.Keys(c)) {
		b = append(binary.AppendUvarint(b, uint64(len(k))), k...)
		b = append(binary.AppendUvarint(b, uint64(len(c[k]))), c[k]...)
	}
	return b
}

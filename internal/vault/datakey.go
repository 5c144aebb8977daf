package vault

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"hydrant/internal/record"
)

// A sealed piece, in place of the stored bytes:
//
//	0   nonce   12  random
//	12  sealed      AES-256-GCM of the raw CRC-32 (big-endian, 4 bytes) and the stored bytes
//	..  tag     16
const (
	nonceBytes = 12
	crcBytes   = 4
	tagBytes   = 16
)

// dataKey is a data key in plain.
type dataKey struct {
	name    keyName
	wrapped wrapped
	aead    cipher.AEAD

	mu    sync.Mutex
	until time.Time // it may be used without asking the KMS; under mu
}

func newDataKey(name keyName, w wrapped, plain []byte, until time.Time) (*dataKey, error) {
	block, err := aes.NewCipher(plain)
	if err != nil {
		return nil, fmt.Errorf("data key %s: %w", name, err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("data key %s: %w", name, err)
	}
	return &dataKey{name: name, wrapped: w, aead: aead, until: until}, nil
}

// fresh asks the KMS whether the key may still be used, unless that is known. One asks for
// all that wait.
func (k *dataKey) fresh(ctx context.Context, v *Vault) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := v.opt.Now()
	if left := k.until.Sub(now); left > 0 && left <= v.opt.Fresh {
		return nil
	}
	if _, err := v.keys(k.wrapped.Key).Decrypt(ctx, k.wrapped.Key.ARN, k.wrapped.Blob, k.wrapped.Context); err != nil {
		return fmt.Errorf("use %s: %w", k.name, err)
	}
	k.until = now.Add(v.opt.Fresh)
	return nil
}

// Sealer seals the pieces of one stream. It may be used by many goroutines.
type Sealer struct {
	*dataKey
	pieces atomic.Uint64
}

// worn reports whether the data key is to be replaced.
func (s *Sealer) worn(now time.Time) bool {
	age := now.Sub(s.wrapped.Made)
	return age >= maxAge || age <= -maxAge || s.pieces.Load() >= maxPieces
}

// Seal encrypts a piece of the stream. Its Stored is new memory afterwards.
func (s *Sealer) Seal(p *record.Piece) {
	s.pieces.Add(1)
	size := crcBytes + len(p.Stored)
	b := make([]byte, nonceBytes, nonceBytes+size+tagBytes)
	rand.Read(b) // never fails
	plain := binary.BigEndian.AppendUint32(b[nonceBytes:], p.RawCRC)
	plain = append(plain, p.Stored...)
	p.Stored = s.aead.Seal(b, b, plain, s.seen(p))
	p.RawCRC, p.KeyID = 0, s.name.id
}

// seen is what everybody may read of a piece, and nobody may change.
func (k *dataKey) seen(p *record.Piece) []byte {
	b := make([]byte, 0, 64+2*len(p.Lengths))
	b = append(append(b, k.name.stream[:]...), k.name.id...)
	b = append(b, byte(p.Codec), byte(p.Level))
	b = binary.BigEndian.AppendUint32(b, p.RawBytes)
	for _, n := range p.Lengths {
		b = binary.AppendUvarint(b, uint64(n))
	}
	return b
}

// errTampered says that an entry is not what was sealed, although its checksums are right.
var errTampered = errors.New("the sealed entry was changed by somebody")

// open decrypts an entry in place.
func (k *dataKey) open(e *record.Entry) error {
	if len(e.Stored) < nonceBytes+crcBytes+tagBytes {
		return errTampered
	}
	nonce, sealed := e.Stored[:nonceBytes], e.Stored[nonceBytes:]
	plain, err := k.aead.Open(sealed[:0], nonce, sealed, k.seen(&e.Piece))
	if err != nil {
		return errTampered
	}
	e.RawCRC, e.Stored, e.KeyID = binary.BigEndian.Uint32(plain), plain[crcBytes:], ""
	return nil
}

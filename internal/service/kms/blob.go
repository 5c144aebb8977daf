package kms

import (
	"encoding/binary"
	"errors"
	"maps"
	"slices"
)

// ErrCiphertext says that a blob was not made here, was changed since, or was made with
// another encryption context.
var ErrCiphertext = errors.New("ciphertext is not valid")

// A blob is
//
//	version      1    blobVersion
//	id length    1
//	key id       n    of the key that it is encrypted with
//	generation   4    of the key's material, big-endian, from 0
//	nonce       12
//	ciphertext        AES-256-GCM, as long as the plaintext
//	tag         16
//
// The additional data is the canonical encryption context.
const (
	blobVersion = 1
	nonceSize   = 12
	tagSize     = 16
)

// blob is a parsed blob; the slices share its memory.
type blob struct {
	key        string
	generation uint32
	nonce      []byte
	sealed     []byte // ciphertext and tag
}

// parseBlob takes a blob apart. It does not know whether there is such a key.
func parseBlob(b []byte) (blob, error) {
	if len(b) < 2 || b[0] != blobVersion {
		return blob{}, ErrCiphertext
	}
	n, b := int(b[1]), b[2:]
	if len(b) < n+4+nonceSize+tagSize || !isKeyID(string(b[:n])) {
		return blob{}, ErrCiphertext
	}
	id, b := string(b[:n]), b[n:]
	return blob{
		key:        id,
		generation: binary.BigEndian.Uint32(b),
		nonce:      b[4 : 4+nonceSize],
		sealed:     b[4+nonceSize:],
	}, nil
}

// blobHead begins a blob: everything before the ciphertext.
func blobHead(id string, generation uint32, nonce []byte) []byte {
	b := make([]byte, 0, 2+len(id)+4+nonceSize+tagSize+32) // and room for a data key
	b = append(b, blobVersion, byte(len(id)))
	b = append(b, id...)
	b = binary.BigEndian.AppendUint32(b, generation)
	return append(b, nonce...)
}

// canonical writes an encryption context so that equal ones, and only these, are equal
// bytes: keys sorted, every text with its length before it.
func canonical(context map[string]string) []byte {
	var b []byte
	for _, k := range slices.Sorted(maps.Keys(context)) {
		for _, text := range []string{k, context[k]} {
			b = binary.BigEndian.AppendUint32(b, uint32(len(text)))
			b = append(b, text...)
		}
	}
	return b
}

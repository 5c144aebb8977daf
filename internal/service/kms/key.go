package kms

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"time"
)

// state is whether a key may be used.
type state string

const (
	enabled         state = "Enabled"
	disabled        state = "Disabled"
	pendingDeletion state = "PendingDeletion"
)

// materialSize is that of keys for AES-256.
const materialSize = 32

// key is a key as its file has it. It is never changed once others can see it.
type key struct {
	ID          string            `json:"id"`
	Created     time.Time         `json:"created"`
	Description string            `json:"description,omitzero"`
	State       state             `json:"state"`
	Deletion    time.Time         `json:"deletion,omitzero"` // when pendingDeletion ends
	Managed     string            `json:"managed,omitzero"`  // service of a managed key: s3
	MultiRegion bool              `json:"multiRegion,omitzero"`
	Policy      string            `json:"policy,omitzero"` // empty: the default
	Tags        map[string]string `json:"tags,omitzero"`
	Grants      []grant           `json:"grants,omitzero"`
	Rotation    rotation          `json:"rotation,omitzero"`
	Generations []generation      `json:"generations"`
}

// rotation is when a key gets its next generation; the zero value means never.
type rotation struct {
	Days int       `json:"days,omitzero"`
	Next time.Time `json:"next,omitzero"`
}

// generation is one material of a key.
type generation struct {
	Created time.Time `json:"created"`
	Sealed  []byte    `json:"sealed"` // nonce, AES-256-GCM under the master key, tag

	aead cipher.AEAD // over the material
}

// newKeyID makes a UUID, or the id of a multi-region key.
func newKeyID(multiRegion bool) string {
	b := random(16)
	if multiRegion {
		return "mrk-" + hex.EncodeToString(b)
	}
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// isKeyID tells ids from other texts. They are parts of file names: nothing but these may
// pass.
func isKeyID(s string) bool {
	if len(s) != 36 {
		return false
	}
	if s[:4] == "mrk-" {
		return isHex(s[4:])
	}
	return s[8] == '-' && s[13] == '-' && s[18] == '-' && s[23] == '-' &&
		isHex(s[:8]+s[9:13]+s[14:18]+s[19:23]+s[24:])
}

// isHex reports whether s has only lower-case hex digits.
func isHex(s string) bool {
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// random returns n random bytes. The system's source does not fail.
func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return b
}

// newAEAD makes AES-256-GCM over a material.
func newAEAD(material []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(material)
	if err != nil {
		return nil, fmt.Errorf("make a cipher: %w", err)
	}
	return cipher.NewGCM(block)
}

// clone copies a key, to be changed.
func (k *key) clone() *key {
	c := *k
	c.Tags = maps.Clone(k.Tags)
	c.Grants = slices.Clone(k.Grants)
	c.Generations = slices.Clone(k.Generations)
	return &c
}

// grow adds a generation to a key that nobody else sees yet.
func (k *key) grow(master cipher.AEAD, now time.Time) error {
	material := random(materialSize)
	defer clear(material)
	aead, err := newAEAD(material)
	if err != nil {
		return err
	}
	nonce := random(nonceSize)
	k.Generations = append(k.Generations, generation{
		Created: now,
		Sealed:  master.Seal(nonce, nonce, material, []byte(k.ID)),
		aead:    aead,
	})
	return nil
}

// open makes a key that was read from its file usable.
func (k *key) open(master cipher.AEAD) error {
	if len(k.Generations) == 0 {
		return fmt.Errorf("%w: it has no material", ErrDamaged)
	}
	for i := range k.Generations {
		g := &k.Generations[i]
		if len(g.Sealed) != nonceSize+materialSize+tagSize {
			return fmt.Errorf("%w: generation %d has %d bytes", ErrDamaged, i, len(g.Sealed))
		}
		material, err := master.Open(nil, g.Sealed[:nonceSize], g.Sealed[nonceSize:], []byte(k.ID))
		if err != nil {
			return fmt.Errorf("%w: the master key does not open generation %d", ErrDamaged, i)
		}
		g.aead, err = newAEAD(material)
		clear(material)
		if err != nil {
			return err
		}
	}
	return nil
}

// weight is how many bytes of users' texts the key holds in memory and in its file.
func (k *key) weight() int {
	n := len(k.Description) + len(k.Policy)
	for name, value := range k.Tags {
		n += len(name) + len(value)
	}
	for i := range k.Grants {
		n += k.Grants[i].weight()
	}
	return n
}

// gone reports whether the key's time is over, whatever the disk says.
func (k *key) gone(now time.Time) bool {
	return k.State == pendingDeletion && !now.Before(k.Deletion)
}

// rotates reports whether a new generation is due.
func (k *key) rotates(now time.Time) bool {
	return k.State == enabled && k.Rotation.Days > 0 && !now.Before(k.Rotation.Next)
}

// due is when something has to happen to the key by itself; zero means never.
func (k *key) due() time.Time {
	switch {
	case k.State == pendingDeletion:
		return k.Deletion
	case k.State == enabled && k.Rotation.Days > 0:
		return k.Rotation.Next
	}
	return time.Time{}
}

// encrypt makes a blob under the newest generation.
func (k *key) encrypt(plaintext []byte, context map[string]string) []byte {
	newest := len(k.Generations) - 1
	nonce := random(nonceSize)
	head := blobHead(k.ID, uint32(newest), nonce)
	return k.Generations[newest].aead.Seal(head, nonce, plaintext, canonical(context))
}

// decrypt opens a blob that names this key.
func (k *key) decrypt(b blob, context map[string]string) ([]byte, error) {
	if uint64(b.generation) >= uint64(len(k.Generations)) {
		return nil, ErrCiphertext
	}
	plaintext, err := k.Generations[b.generation].aead.Open(nil, b.nonce, b.sealed, canonical(context))
	if err != nil {
		return nil, ErrCiphertext
	}
	return plaintext, nil
}

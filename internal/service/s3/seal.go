package s3

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/md5"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// The file of an encrypted object is a row of segments: one for an object of a single put,
// else one for each part, just as the part was uploaded. A segment is
//
//	magic        8 bytes  HYDRSSE1
//	part number  4 bytes  big endian; 0 for a single put
//	zeros        4 bytes
//	salt        32 bytes  random
//	chunks               each of 65,536 bytes of plaintext, the last of 0 to 65,536, under
//	                     AES-256-GCM, with its tag of 16 bytes behind
//
// A segment's key follows from the object's data key, the salt and the part number (HKDF with
// SHA-256). The salt is random so that a part that is uploaded again under the same data key
// has another key. A chunk's nonce is 1 for the last chunk of the segment, else 0, three
// zeros, and the chunk's index in 8 bytes: no nonce comes twice under one key, and a chunk
// that was moved, or a segment that was cut, does not open. That all segments are there, and
// in which order, the object's layout says.
const (
	segmentMagic = "HYDRSSE1"
	headerBytes  = 48
	chunkBytes   = 64 << 10
	tagBytes     = 16
)

// errSealBroken says that an encrypted object's bytes are not those that were written.
var errSealBroken = errors.New("the encrypted object is damaged")

// sealedSize is the size of a segment of so many bytes of plaintext.
func sealedSize(size int64) int64 { return headerBytes + size + tagBytes*chunksOf(size) }

// chunksOf is how many chunks the plaintext of a segment has; an empty one has one, too.
func chunksOf(size int64) int64 { return max(1, (size+chunkBytes-1)/chunkBytes) }

// objectKey is the data key of one object, in plain.
type objectKey struct{ plain []byte }

func newKey(plain []byte) (*objectKey, error) {
	if len(plain) != 32 {
		return nil, fmt.Errorf("the data key has %d bytes, not 32", len(plain))
	}
	return &objectKey{plain}, nil
}

// segmentKey is what a segment is encrypted with, and its tags are made with.
func (k *objectKey) segmentKey(header []byte) (cipher.AEAD, []byte, error) {
	number := binary.BigEndian.Uint32(header[8:12])
	both, err := hkdf.Key(sha256.New, k.plain, header[16:headerBytes], fmt.Sprintf("hydrant s3 segment %d", number), 64)
	if err != nil {
		return nil, nil, fmt.Errorf("derive the key of a segment: %w", err)
	}
	block, err := aes.NewCipher(both[:32])
	if err != nil {
		return nil, nil, fmt.Errorf("derive the key of a segment: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	return aead, both[32:], err
}

// layout authenticates the size of an object and the numbers and sizes of its parts, which
// the sidecar says and the chunks do not.
func (k *objectKey) layout(info *Info) []byte {
	h := hmac.New(sha256.New, k.plain)
	fmt.Fprintf(h, "hydrant s3 layout %d", info.Size)
	for _, run := range info.segments() {
		fmt.Fprintf(h, ";%d %d %d", run.First, run.Count, run.Size)
	}
	return h.Sum(nil)
}

// segments are the runs of the segments in an encrypted object's file.
func (i *Info) segments() []PartRun {
	if len(i.Parts) == 0 {
		return []PartRun{{Count: 1, Size: i.Size}}
	}
	return i.Parts
}

// fileSize is the size of the object's file.
func (i *Info) fileSize() int64 {
	if i.Encryption == nil {
		return i.Size
	}
	var n int64
	for _, run := range i.segments() {
		n += int64(run.Count) * sealedSize(run.Size)
	}
	return n
}

// nonce is that of a chunk.
func nonce(index int64, last bool) []byte {
	n := make([]byte, 12)
	if last {
		n[0] = 1
	}
	binary.BigEndian.PutUint64(n[4:], uint64(index))
	return n
}

// sealing says how a body is to be encrypted on its way to the disk.
type sealing struct {
	key    *objectKey
	number int  // of the part; 0 for a single put
	hide   bool // the tag must not tell the MD5
}

// sealingOf is the sealing for an object or a part, nil for a plain one.
func sealingOf(e *Encryption, key *objectKey, number int) *sealing {
	if e == nil {
		return nil
	}
	return &sealing{key: key, number: number, hide: e.Algorithm == sseKMS}
}

// sealer encrypts one segment. It holds back a chunk until it knows whether it is the last.
type sealer struct {
	w      io.Writer
	aead   cipher.AEAD
	tagKey []byte
	index  int64
	held   []byte // plaintext, up to chunkBytes
	out    []byte
}

// newSealer writes the segment's header.
func newSealer(w io.Writer, seal *sealing) (*sealer, error) {
	header := make([]byte, headerBytes)
	copy(header, segmentMagic)
	binary.BigEndian.PutUint32(header[8:], uint32(seal.number))
	_, _ = rand.Read(header[16:]) // never fails
	aead, tagKey, err := seal.key.segmentKey(header)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(header); err != nil {
		return nil, err
	}
	return &sealer{w: w, aead: aead, tagKey: tagKey, held: make([]byte, 0, chunkBytes),
		out: make([]byte, 0, chunkBytes+tagBytes)}, nil
}

// Write encrypts p and writes what fills chunks.
func (s *sealer) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		if len(s.held) == chunkBytes {
			if err := s.flush(false); err != nil {
				return 0, err
			}
		}
		m := min(chunkBytes-len(s.held), len(p))
		s.held, p = append(s.held, p[:m]...), p[m:]
	}
	return n, nil
}

// finish writes the last chunk.
func (s *sealer) finish() error { return s.flush(true) }

func (s *sealer) flush(last bool) error {
	s.out = s.aead.Seal(s.out[:0], nonce(s.index, last), s.held, nil)
	s.held = s.held[:0]
	s.index++
	_, err := s.w.Write(s.out)
	return err
}

// hide makes a tag out of a hash of the plaintext that tells nothing of it.
func (s *sealer) hide(tag []byte) []byte {
	h := hmac.New(sha256.New, s.tagKey)
	h.Write(tag)
	return h.Sum(nil)[:md5.Size]
}

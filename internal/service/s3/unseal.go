package s3

import (
	"bytes"
	"crypto/cipher"
	"crypto/hmac"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

// unsealer reads a range of an encrypted object. It decrypts the chunks that the range
// touches, one at a time, and gives nothing out of a chunk that is not whole and genuine.
type unsealer struct {
	file io.ReaderAt
	key  *objectKey
	runs []PartRun
	pos  int64 // in the plaintext
	end  int64

	// The segment that pos lies in, and its key.
	start  int64 // of its plaintext
	size   int64 // of its plaintext; below zero before the first segment
	offset int64 // of its header in the file
	aead   cipher.AEAD

	plain []byte // what is left of the current chunk
	raw   []byte
}

// newUnsealer checks the object's layout and opens the first chunk of the range, so that
// whoever begins an answer has something to say.
func newUnsealer(file io.ReaderAt, key *objectKey, info *Info, want byteRange) (*unsealer, error) {
	if !hmac.Equal(key.layout(info), info.Encryption.Layout) {
		return nil, fmt.Errorf("%w: what is known of its parts was changed", errSealBroken)
	}
	u := &unsealer{file: file, key: key, runs: info.segments(), pos: want.offset, end: want.offset + want.size, size: -1,
		raw: make([]byte, chunkBytes+tagBytes)}
	if want.size == 0 && info.Size > 0 {
		u.size = 0 // nothing is wanted
		return u, nil
	}
	if err := u.next(); err != nil && err != io.EOF {
		return nil, err
	}
	return u, nil
}

// Read reads on.
func (u *unsealer) Read(p []byte) (int, error) {
	if len(u.plain) == 0 {
		if err := u.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, u.plain)
	u.plain = u.plain[n:]
	return n, nil
}

// next opens the chunk at pos. Of an object without bytes it is the only one, and is
// opened all the same.
func (u *unsealer) next() error {
	if u.pos >= u.end && u.size >= 0 {
		return io.EOF
	}
	if u.size < 0 || u.pos >= u.start+u.size {
		if err := u.enter(); err != nil {
			return err
		}
	}
	index := (u.pos - u.start) / chunkBytes
	last := index == chunksOf(u.size)-1
	at := u.start + index*chunkBytes // in the plaintext
	length := min(chunkBytes, u.start+u.size-at)
	raw := u.raw[:length+tagBytes]
	if err := u.readAt(raw, u.offset+headerBytes+index*(chunkBytes+tagBytes)); err != nil {
		return err
	}
	plain, err := u.aead.Open(raw[:0], nonce(index, last), raw, nil)
	if err != nil {
		return fmt.Errorf("%w: chunk %d of the part at %d", errSealBroken, index, u.start)
	}
	u.plain = plain[u.pos-at : min(length, u.end-at)]
	u.pos += int64(len(u.plain))
	if len(u.plain) == 0 {
		return io.EOF
	}
	return nil
}

// enter finds the segment that pos lies in, and derives its key.
func (u *unsealer) enter() error {
	var start, offset int64
	for _, run := range u.runs {
		n := int64(run.Count)
		if run.Size > 0 {
			n = min(n, (u.pos-start)/run.Size)
		}
		// An empty segment holds no position, unless it is all there is.
		if n < int64(run.Count) || run.Size == 0 && len(u.runs) == 1 {
			if run.Size == 0 {
				n = 0
			}
			u.start, u.size, u.offset = start+n*run.Size, run.Size, offset+n*sealedSize(run.Size)
			return u.open(run.First + int(n))
		}
		start += n * run.Size
		offset += n * sealedSize(run.Size)
	}
	return fmt.Errorf("%w: nothing is at %d", errSealBroken, u.pos)
}

// open reads the header of the segment at offset, which must be that of a part.
func (u *unsealer) open(number int) error {
	header := make([]byte, headerBytes)
	if err := u.readAt(header, u.offset); err != nil {
		return err
	}
	if string(header[:8]) != segmentMagic || binary.BigEndian.Uint32(header[8:]) != uint32(number) {
		return fmt.Errorf("%w: part %d is not where it belongs", errSealBroken, number)
	}
	var err error
	u.aead, _, err = u.key.segmentKey(header)
	return err
}

func (u *unsealer) readAt(p []byte, at int64) error {
	_, err := u.file.ReadAt(p, at)
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: it ends too early", errSealBroken)
	}
	return err
}

// isSealed reports whether a file begins as those of encrypted objects do.
func isSealed(file io.ReaderAt) bool {
	head := make([]byte, len(segmentMagic))
	_, err := file.ReadAt(head, 0)
	return err == nil && bytes.Equal(head, []byte(segmentMagic))
}

// isSealedFile is isSealed for a path. A file that cannot be read is not.
func isSealedFile(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	return isSealed(f)
}

// Package encode holds what all encodings of objects share: the way from an entry back to
// the bytes that producers sent. Each folder below it is one encoding and knows none of
// its neighbours.
//
//   - Raw bytes: the records of an entry back to back, as they came.
//   - Stored bytes: the raw bytes under the entry's codec (record.Codec).
//   - Decoder: opens stored bytes and proves that they are what was acknowledged.
package encode

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"sync"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/s2"

	"hydrant/internal/record"
)

// ErrBadEntry is wrapped by every refusal of an entry: its stored bytes do not lead back to
// the raw bytes that its header promises, or a range lies outside of it.
var ErrBadEntry = errors.New("entry cannot be decoded")

// maxRawBytes bounds what an entry may claim to hold: a piece, or one record of the largest size.
const maxRawBytes = max(record.MaxPieceBytes, record.MaxProducedBytes)

// Decoder opens entries; its zero value is ready. It may be used by many goroutines at
// once, and each use takes a scratch buffer of the entry's raw size (at most 8 MiB). Buffers are used again while the decoder is busy; idle ones go with the garbage.
type Decoder struct {
	scratches sync.Pool // of *scratch
}

// scratch is the memory of one decoding.
type scratch struct {
	raw      []byte
	stored   bytes.Reader
	inflater io.ReadCloser // also a flate.Resetter; made at the first deflate entry
}

// Range calls fn once with the raw bytes of the records from to to-1 of e, after the whole
// entry was decoded and found to match its length and CRC-32. The bytes are only lent. An
// error of fn is returned as it is; every other one wraps ErrBadEntry and names the entry.
func (d *Decoder) Range(e *record.Entry, from, to uint32, fn func(raw []byte) error) error {
	lo, hi, err := Bounds(e, from, to)
	if err != nil {
		return err
	}
	if e.Codec == record.None {
		if err := verify(e, e.Stored); err != nil {
			return err
		}
		return fn(e.Stored[lo:hi])
	}
	s := d.take()
	defer d.give(s)
	if err := s.decode(e); err != nil {
		return err
	}
	return fn(s.raw[lo:hi])
}

// Bounds returns where the records from to to-1 of e begin and end in its raw bytes. It
// refuses entries that hold no plain records: missing ones, and those still encrypted.
func Bounds(e *record.Entry, from, to uint32) (lo, hi uint32, err error) {
	switch {
	case e.Missing > 0:
		return 0, 0, refuse(e, "it is missing")
	case e.KeyID != "":
		return 0, 0, refuse(e, "it is still encrypted")
	case from > to || uint64(to) > uint64(len(e.Lengths)):
		return 0, 0, refuse(e, fmt.Sprintf("records %d to %d of %d were asked for", from, to, len(e.Lengths)))
	case e.RawBytes > maxRawBytes:
		return 0, 0, refuse(e, fmt.Sprintf("%d raw bytes are more than an entry holds", e.RawBytes))
	}
	var sum uint64
	for i, n := range e.Lengths {
		if uint32(i) < from {
			lo += n
		}
		if uint32(i) < to {
			hi += n
		}
		sum += uint64(n)
	}
	if sum != uint64(e.RawBytes) {
		return 0, 0, refuse(e, "record lengths do not add up")
	}
	return lo, hi, nil
}

func (d *Decoder) take() *scratch {
	if s, ok := d.scratches.Get().(*scratch); ok {
		return s
	}
	return new(scratch)
}

func (d *Decoder) give(s *scratch) {
	s.stored.Reset(nil)
	d.scratches.Put(s)
}

// decode leaves the raw bytes of e in s.raw.
func (s *scratch) decode(e *record.Entry) error {
	if uint32(cap(s.raw)) < e.RawBytes {
		s.raw = make([]byte, e.RawBytes)
	}
	s.raw = s.raw[:e.RawBytes]
	var err error
	switch e.Codec {
	case record.S2:
		err = s.unS2(e)
	case record.Deflate:
		err = s.inflate(e)
	default:
		err = refuse(e, fmt.Sprintf("codec %d is unknown", e.Codec))
	}
	if err != nil {
		return err
	}
	return verify(e, s.raw)
}

func (s *scratch) unS2(e *record.Entry) error {
	if n, err := s2.DecodedLen(e.Stored); err != nil || n != len(s.raw) {
		return refuse(e, fmt.Sprintf("an S2 block of %d bytes was expected", len(s.raw)))
	}
	if _, err := s2.Decode(s.raw, e.Stored); err != nil {
		return refuse(e, "S2: "+err.Error())
	}
	return nil
}

// inflate reads exactly the raw bytes out of deflate blocks that have no final one: behind
// them the input must end, which the inflater calls unexpected.
func (s *scratch) inflate(e *record.Entry) error {
	s.stored.Reset(e.Stored)
	if s.inflater == nil {
		s.inflater = flate.NewReader(&s.stored)
	} else if err := s.inflater.(flate.Resetter).Reset(&s.stored, nil); err != nil {
		return refuse(e, "deflate: "+err.Error())
	}
	if n, err := io.ReadFull(s.inflater, s.raw); err != nil {
		return refuse(e, fmt.Sprintf("deflate, after %d of %d bytes: %v", n, len(s.raw), err))
	}
	var more [1]byte
	if n, err := io.ReadFull(s.inflater, more[:]); n != 0 || !errors.Is(err, io.ErrUnexpectedEOF) {
		return refuse(e, fmt.Sprintf("deflate goes on, or ends, behind %d bytes", len(s.raw)))
	}
	return nil
}

func verify(e *record.Entry, raw []byte) error {
	if uint64(len(raw)) != uint64(e.RawBytes) {
		return refuse(e, fmt.Sprintf("%d raw bytes instead of %d", len(raw), e.RawBytes))
	}
	if crc32.ChecksumIEEE(raw) != e.RawCRC {
		return refuse(e, "raw bytes do not match their CRC-32")
	}
	return nil
}

func refuse(e *record.Entry, why string) error {
	return fmt.Errorf("entry %d of queue %s: %w: %s", e.Sequence, e.Queue, ErrBadEntry, why)
}

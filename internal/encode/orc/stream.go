package orc

import "io"

// streamKind is the sort of a stream (section 2).
type streamKind uint8

// The kinds that are written.
const (
	kindPresent        streamKind = 0
	kindData           streamKind = 1
	kindLength         streamKind = 2
	kindDictionaryData streamKind = 3
	kindSecondary      streamKind = 5
	kindRowIndex       streamKind = 6
	kindBloomFilter    streamKind = 8
)

// stream is the bytes of one kind of a node in the current stripe. Full chunks are compressed
// at once.
type stream struct {
	kind  streamKind
	codec *codec
	open  []byte   // the chunk that is being filled
	done  [][]byte // the chunks before it, as they will be in the file
	size  int64    // bytes of those
}

func newStream(kind streamKind, c *codec) *stream { return &stream{kind: kind, codec: c} }

// effort is how hard the stream's chunks are compressed.
func (s *stream) effort() effort {
	if s.kind == kindData || s.kind == kindDictionaryData {
		return large
	}
	return small
}

// write adds bytes. A full chunk is kept open until there are more, so that a position behind
// its last byte is in it (section 8.3).
func (s *stream) write(p []byte) {
	for len(p) > 0 {
		if len(s.open) >= s.codec.limit {
			s.spill()
		}
		n := min(len(p), s.codec.limit-len(s.open))
		s.open = append(s.open, p[:n]...)
		p = p[n:]
	}
}

// spill ends the open chunk.
func (s *stream) spill() {
	chunk := append([]byte(nil), s.codec.chunk(s.open, s.effort())...)
	s.done = append(s.done, chunk)
	s.size += int64(len(chunk))
	s.open = s.open[:0]
}

// finish ends the last chunk; nothing is written after it. The chunk stays where it is, as it
// is never longer than a header more.
func (s *stream) finish() {
	if len(s.open) > 0 {
		s.open = append(s.open[:0], s.codec.chunk(s.open, s.effort())...)
	}
}

// position appends where the next byte will be: one number without compression, or that of
// the chunk and that in it (section 8.1).
func (s *stream) position(at []uint64) []uint64 {
	if s.codec.kind == None {
		return append(at, uint64(s.size)+uint64(len(s.open)))
	}
	return append(at, uint64(s.size), uint64(len(s.open)))
}

// held is how many bytes the stream holds; after finish it is the stream's length in the file.
func (s *stream) held() int64 { return s.size + int64(len(s.open)) }

// writeTo writes a finished stream.
func (s *stream) writeTo(w io.Writer) error {
	for _, chunk := range s.done {
		if _, err := w.Write(chunk); err != nil {
			return err
		}
	}
	_, err := w.Write(s.open)
	return err
}

// reset makes the stream empty, for the next stripe.
func (s *stream) reset() {
	clear(s.done)
	s.done, s.size, s.open = s.done[:0], 0, s.open[:0]
}

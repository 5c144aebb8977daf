package orc

import (
	"encoding/binary"
	"unicode/utf8"

	"hydrant/internal/column"
)

// texts are strings back to back.
type texts struct {
	bytes []byte
	ends  []uint32
}

// start is where the i-th begins.
func (t *texts) start(i int) uint32 {
	if i == 0 {
		return 0
	}
	return t.ends[i-1]
}

func (t *texts) at(i int) []byte { return t.bytes[t.start(i):t.ends[i]] }

func (t *texts) add(v []byte) {
	t.bytes = append(t.bytes, v...)
	t.ends = append(t.ends, uint32(len(t.bytes)))
}

func (t *texts) reset() { t.bytes, t.ends = t.bytes[:0], t.ends[:0] }

// proper returns the values of a vector from one to another as they go into the file: valid
// UTF-8, a varchar cut to its length, a char cut and filled up with spaces (section 6). Mostly
// that is the vector itself.
func (s *shared) proper(v *column.Vector, from, to int) (texts, int, int) {
	t := texts{v.Bytes, v.Ends}
	if isProper(t, v.Type, from, to) {
		return t, from, to
	}
	length := v.Type.Length
	if v.Type.Kind == column.String {
		length = int(^uint(0) >> 1)
	}
	s.text.reset()
	for i := from; i < to; i++ {
		s.text.bytes = appendProper(s.text.bytes, t.at(i), length, v.Type.Kind == column.Char)
		s.text.ends = append(s.text.ends, uint32(len(s.text.bytes)))
	}
	return s.text, 0, to - from
}

// isProper reports whether the values can go into the file as they are.
func isProper(t texts, typ *column.Type, from, to int) bool {
	if typ.Kind == column.Binary {
		return true
	}
	ascii := isASCII(t.bytes[t.start(from):t.ends[to-1]])
	if ascii && typ.Kind == column.String {
		return true
	}
	for i := from; i < to; i++ {
		v := t.at(i)
		switch {
		case !ascii && !utf8.Valid(v):
			return false
		case typ.Kind == column.Varchar && len(v) > typ.Length:
			return false
		case typ.Kind == column.Char && !(ascii && len(v) == typ.Length):
			return false
		}
	}
	return true
}

func isASCII(b []byte) bool {
	const high = 0x8080808080808080
	for ; len(b) >= 32; b = b[32:] {
		first := binary.LittleEndian.Uint64(b) | binary.LittleEndian.Uint64(b[8:])
		second := binary.LittleEndian.Uint64(b[16:]) | binary.LittleEndian.Uint64(b[24:])
		if (first|second)&high != 0 {
			return false
		}
	}
	for ; len(b) >= 8; b = b[8:] {
		if binary.LittleEndian.Uint64(b)&high != 0 {
			return false
		}
	}
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// appendProper appends up to length characters of v, and spaces for the missing ones if it is
// to be filled up. What is no UTF-8 becomes U+FFFD.
func appendProper(dst, v []byte, length int, fill bool) []byte {
	n := 0
	for ; len(v) > 0 && n < length; n++ {
		r, size := utf8.DecodeRune(v)
		dst = utf8.AppendRune(dst, r)
		v = v[size:]
	}
	for ; fill && n < length; n++ {
		dst = append(dst, ' ')
	}
	return dst
}

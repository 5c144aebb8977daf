package orc

import (
	"bytes"
	"encoding/binary"
	"unicode/utf8"
)

// maxBound is how long a least or largest string may be; of a longer one a bound is told.
const maxBound = 1024

// edge is the least or the largest of some strings, or a bound of it.
type edge struct {
	text  []byte
	cut   bool   // text is a bound
	start uint64 // the bytes behind what the two edges have in common, for quick comparison
	none  bool   // of an upper edge: there is no bound, everything is below it
}

func (e *edge) set(text []byte, cut bool) {
	e.text, e.cut = append(e.text[:0], text...), cut
}

// prefix is a number that sorts as texts do: seven bytes, and behind them how many there are
// of a short text, or 8 of a longer one. Of long texts two may have the same.
func prefix(b []byte) uint64 {
	var first [8]byte
	copy(first[:], b[:min(len(b), 7)])
	return binary.BigEndian.Uint64(first[:]) | uint64(min(len(b), 8))
}

// isLong reports whether the prefix is that of a text that goes on.
func isLong(start uint64) bool { return byte(start) == 8 }

// textStats are those of strings, in the order of their bytes.
type textStats struct {
	some      bool
	low, high edge
	common    int    // bytes at the start of both edges, and so of all strings between them
	head      uint64 // the first eight of those, as little-endian
	headMask  uint64 // which bytes of head there are
	sum       int64  // bytes
}

// add takes in the values from one to another. Of most a few bytes tell that they are between
// the edges: that they start with what these have in common, and how they go on.
func (s *textStats) add(t texts, from, to int) {
	if from == to {
		return
	}
	at := t.start(from)
	s.sum += int64(t.ends[to-1] - at)
	if !s.some {
		s.some = true
		s.lower(t.at(from))
		s.raise(t.at(from))
		s.meet()
	}
	low, high, common := s.low.start, s.high.start, uint32(s.common)
	for _, end := range t.ends[from:to] {
		rest := at + common
		if rest > end || int(rest)+8 > len(t.bytes) || !s.shares(t.bytes, at) {
			s.widen(t.bytes[at:end])
			low, high, common = s.low.start, s.high.start, uint32(s.common)
			at = end
			continue
		}
		n := min(end-rest, 8)
		start := binary.BigEndian.Uint64(t.bytes[rest:])&^(^uint64(0)>>(8*n))&^0xff | uint64(n)
		if start < low || start > high || isLong(start) && (start == low || start == high) {
			s.widen(t.bytes[at:end])
			low, high, common = s.low.start, s.high.start, uint32(s.common)
		}
		at = end
	}
}

// shares reports whether the value at a place of b, which is long enough, starts with what the
// edges have in common.
func (s *textStats) shares(b []byte, at uint32) bool {
	return s.common == 0 || (binary.LittleEndian.Uint64(b[at:])^s.head)&s.headMask == 0 && (s.common <= 8 || s.sharesMore(b, at))
}

func (s *textStats) sharesMore(b []byte, at uint32) bool {
	return string(b[at:at+uint32(s.common)]) == string(s.low.text[:s.common])
}

// widen widens the edges to a value.
func (s *textStats) widen(v []byte) {
	switch {
	case bytes.Compare(v, s.low.text) < 0:
		s.lower(v)
	case !s.high.none && bytes.Compare(v, s.high.text) > 0:
		s.raise(v)
	default:
		return
	}
	s.meet()
}

// meet finds out what the edges have in common.
func (s *textStats) meet() {
	low, high := s.low.text, s.high.text
	s.common = 0
	for s.common < min(len(low), len(high)) && low[s.common] == high[s.common] {
		s.common++
	}
	s.low.start, s.high.start = prefix(low[s.common:]), prefix(high[s.common:])
	var head [8]byte
	n := copy(head[:], low[:s.common])
	s.head, s.headMask = binary.LittleEndian.Uint64(head[:]), ^(^uint64(0) << (8 * n))
}

// lower makes v the lower edge, or what it starts with if it is long.
func (s *textStats) lower(v []byte) {
	cut := floor(v)
	s.low.set(v[:cut], cut < len(v))
}

// raise makes v the upper edge, or a bound if it is long.
func (s *textStats) raise(v []byte) {
	if len(v) <= maxBound {
		s.high.set(v, false)
		return
	}
	var room [maxBound + utf8.UTFMax]byte
	bound, ok := above(append(room[:0], v[:floor(v)]...))
	s.high.set(bound, true)
	s.high.none = !ok
}

// floor is where a text is cut that is too long for an edge: in front of a character.
func floor(v []byte) int {
	if len(v) <= maxBound {
		return len(v)
	}
	n := maxBound
	for n > 0 && !utf8.RuneStart(v[n]) {
		n--
	}
	return n
}

// above is a text that sorts behind all that start with b: its last character is increased.
// There is none if all characters are the last there is.
func above(b []byte) ([]byte, bool) {
	for len(b) > 0 {
		r, size := utf8.DecodeLastRune(b)
		b = b[:len(b)-size]
		switch r {
		case utf8.MaxRune:
		case 0xd7ff:
			return utf8.AppendRune(b, 0xe000), true // surrogates are no characters
		default:
			return utf8.AppendRune(b, r+1), true
		}
	}
	return nil, false
}

func (s *textStats) merge(more statistics) {
	other := more.(*textStats)
	if !other.some {
		return
	}
	s.sum += other.sum
	if c := bytes.Compare(other.low.text, s.low.text); !s.some || c < 0 || c == 0 && !other.low.cut {
		s.low.set(other.low.text, other.low.cut)
	}
	none := s.high.none || other.high.none
	if c := bytes.Compare(other.high.text, s.high.text); !s.some || c > 0 || c == 0 && !other.high.cut {
		s.high.set(other.high.text, other.high.cut)
	}
	s.some, s.high.none = true, none
	s.meet()
}

func (s *textStats) reset() {
	*s = textStats{low: edge{text: s.low.text[:0]}, high: edge{text: s.high.text[:0]}}
}

func (s *textStats) fresh() statistics { return &textStats{} }

func (s *textStats) message(m message) message {
	var body message
	if s.some && !s.low.cut {
		body = body.bytes(1, s.low.text)
	}
	if s.some && !s.high.cut && !s.high.none {
		body = body.bytes(2, s.high.text)
	}
	body = body.sint(3, s.sum)
	if s.some && s.low.cut {
		body = body.bytes(4, s.low.text)
	}
	if s.some && s.high.cut && !s.high.none {
		body = body.bytes(5, s.high.text)
	}
	return m.bytes(4, body)
}

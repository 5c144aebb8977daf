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

// prefix is the first eight bytes as a number that sorts as they do. The shorter of two texts
// may have the same as the longer.
func prefix(b []byte) uint64 {
	if len(b) >= 8 {
		return binary.BigEndian.Uint64(b)
	}
	var first [8]byte
	copy(first[:], b)
	return binary.BigEndian.Uint64(first[:])
}

// textStats are those of strings, in the order of their bytes.
type textStats struct {
	some      bool
	low, high edge
	common    int   // bytes at the start of both edges, and so of all strings between them
	sum       int64 // bytes
}

// add takes in the values from one to another.
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
	for _, end := range t.ends[from:to] {
		s.see(t.bytes, at, end)
		at = end
	}
}

// see widens the edges to the value between two places of b. Of most values a few bytes tell
// that they are within: those behind what the edges have in common.
func (s *textStats) see(b []byte, from, to uint32) {
	v := b[from:to]
	if len(v) < s.common || string(v[:s.common]) != string(s.low.text[:s.common]) {
		s.widen(v, true, true)
		return
	}
	start := startOf(b, from+uint32(s.common), to)
	if below, above := start <= s.low.start, start >= s.high.start; below || above {
		s.widen(v, below, above)
	}
}

// startOf is the prefix of the bytes between two places of b.
func startOf(b []byte, from, to uint32) uint64 {
	if int(from)+8 > len(b) {
		return prefix(b[from:to])
	}
	start := binary.BigEndian.Uint64(b[from:])
	if n := to - from; n < 8 {
		start &^= ^uint64(0) >> (8 * n)
	}
	return start
}

// widen widens the edges to a value, which may be below or above.
func (s *textStats) widen(v []byte, below, above bool) {
	if below && bytes.Compare(v, s.low.text) < 0 {
		s.lower(v)
		s.meet()
	}
	if above && !s.high.none && bytes.Compare(v, s.high.text) > 0 {
		s.raise(v)
		s.meet()
	}
}

// meet finds out what the edges have in common.
func (s *textStats) meet() {
	low, high := s.low.text, s.high.text
	s.common = 0
	for s.common < min(len(low), len(high)) && low[s.common] == high[s.common] {
		s.common++
	}
	s.low.start, s.high.start = prefix(low[s.common:]), prefix(high[s.common:])
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

package serde

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

// The functions of this file go over JSON as RFC 8259 has it. They take where something
// starts and return where it ends; -1 says that r.fault tells why it does not.

// maxDepth is how deep objects and arrays may be nested in each other, as in Jackson.
const maxDepth = 1000

// space passes over white space.
func space(d []byte, at int) int {
	for at < len(d) && d[at] <= ' ' && (d[at] == ' ' || d[at] == '\n' || d[at] == '\t' || d[at] == '\r') {
		at++
	}
	return at
}

// Each byte of a word of eight, for looking at eight characters at once.
const (
	ones   = 0x0101010101010101
	tops   = 0x8080808080808080
	quotes = '"' * ones
	slants = '\\' * ones
	blanks = ' ' * ones
)

// plain passes over characters of a text that stand for themselves: ASCII without controls,
// quotes and backslashes. It stops at the end of the data too.
func plain(d []byte, at int) int {
	for at+8 <= len(d) {
		w := binary.LittleEndian.Uint64(d[at:])
		q, s := w^quotes, w^slants
		// A byte's top bit is set if it is a quote, a backslash, a control or not ASCII.
		// Borrows make mistakes, but only above the first byte that is found.
		if odd := ((q-ones)&^q | (s-ones)&^s | (w-blanks)&^w | w) & tops; odd != 0 {
			return at + bits.TrailingZeros64(odd)>>3
		}
		at += 8
	}
	for at < len(d) && d[at] >= ' ' && d[at] < utf8.RuneSelf && d[at] != '"' && d[at] != '\\' {
		at++
	}
	return at
}

// quoted goes over the text whose opening quote is at at. end is that of its closing quote.
func (r *Reader) quoted(at int) (end int, escaped bool) {
	end = plain(r.data, at+1)
	if end < len(r.data) && r.data[end] == '"' {
		return end, false
	}
	return r.quotedOdd(at, end)
}

// quotedOdd is quoted for texts with more than plain characters; the first is at at.
func (r *Reader) quotedOdd(from, at int) (end int, escaped bool) {
	d, foreign := r.data, false
	for at < len(d) {
		switch c := d[at]; {
		case c == '"':
			if foreign && !utf8.Valid(d[from:at]) {
				return r.badUTF8(from, at), false
			}
			return at, escaped
		case c >= utf8.RuneSelf:
			for foreign = true; at < len(d) && d[at] >= utf8.RuneSelf; at++ {
			}
		case c == '\\':
			escaped = true
			if at = r.escape(at); at < 0 {
				return -1, false
			}
		default:
			return r.control(at), false
		}
		at = plain(d, at)
	}
	return r.ends(at, ": was expecting closing quote for a string value"), false
}

// escape goes over an escape.
func (r *Reader) escape(at int) int {
	d := r.data
	if at+1 >= len(d) {
		return r.ends(len(d), " in character escape sequence")
	}
	switch d[at+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return at + 2
	case 'u':
		for i := at + 2; i < at+6; i++ {
			if i >= len(d) {
				return r.ends(i, " in character escape sequence")
			}
			if unhex(d[i]) > 15 {
				return r.unexpected(i, "expected a hex-digit for character escape sequence")
			}
		}
		return at + 6
	}
	return r.badEscape(at + 1)
}

// text is the text whose opening quote is at at, without escapes. It is only lent.
func (r *Reader) text(at int) (text []byte, next int) {
	end, escaped := r.quoted(at)
	if end < 0 {
		return nil, -1
	}
	text = r.data[at+1 : end]
	if escaped {
		r.unescaped = unescape(r.unescaped[:0], text)
		text = r.unescaped
	}
	return text, end + 1
}

// word goes over true, false or null.
func (r *Reader) word(at int, word string) int {
	end := at + len(word)
	if end > len(r.data) || string(r.data[at:end]) != word {
		return r.unknown(at)
	}
	return end
}

// number goes over a number, and reads it into n.
func (r *Reader) number(n *number, at int) (next int) {
	size := n.parse(r.data[at:], true)
	if size < 0 {
		return r.badNumber(at)
	}
	return at + size
}

// skip goes over any value.
func (r *Reader) skip(at int) int {
	if at >= len(r.data) {
		return r.ends(at, ": expected a value")
	}
	switch c := r.data[at]; c {
	case '"':
		end, _ := r.quoted(at)
		if end < 0 {
			return -1
		}
		return end + 1
	case '{':
		return r.skipObject(at)
	case '[':
		return r.skipArray(at)
	case 't':
		return r.word(at, "true")
	case 'f':
		return r.word(at, "false")
	case 'n':
		return r.word(at, "null")
	default:
		if c == '-' || c-'0' <= 9 {
			var n number
			return r.number(&n, at)
		}
		return r.unknown(at)
	}
}

// open goes into an object or array. done says that it is empty; next is behind it then, and
// else at its first key or value.
func (r *Reader) open(at int, end byte) (next int, done bool) {
	if r.depth++; r.depth > maxDepth {
		return r.tooDeep(at), false
	}
	at = space(r.data, at+1)
	if at < len(r.data) && r.data[at] == end {
		r.depth--
		return at + 1, true
	}
	return at, false
}

// more goes from behind a member of an object or array to the next one, or out of it.
func (r *Reader) more(at int, end byte) (next int, done bool) {
	d := r.data
	if at = space(d, at); at >= len(d) {
		return r.endsInside(at, end), false
	}
	switch d[at] {
	case ',':
		return space(d, at+1), false
	case end:
		r.depth--
		return at + 1, true
	}
	return r.noComma(at, end), false
}

// colon goes from behind a key to its value.
func (r *Reader) colon(at int) int {
	d := r.data
	if at = space(d, at); at >= len(d) {
		return r.endsInside(at, '}')
	}
	if d[at] != ':' {
		return r.unexpected(at, "was expecting a colon to separate field name and value")
	}
	return space(d, at+1)
}

// rawKey goes over a key and its colon. end is that of the key's closing quote.
func (r *Reader) rawKey(at int) (end int, escaped bool, value int) {
	if at >= len(r.data) {
		return -1, false, r.endsInside(at, '}')
	}
	if r.data[at] != '"' {
		return -1, false, r.unexpected(at, "was expecting double-quote to start field name")
	}
	if end, escaped = r.quoted(at); end < 0 {
		return -1, false, -1
	}
	return end, escaped, r.colon(end + 1)
}

func (r *Reader) skipObject(at int) int {
	at, done := r.open(at, '}')
	for at >= 0 && !done {
		if _, _, at = r.rawKey(at); at >= 0 {
			if at = r.skip(at); at >= 0 {
				at, done = r.more(at, '}')
			}
		}
	}
	return at
}

func (r *Reader) skipArray(at int) int {
	at, done := r.open(at, ']')
	for at >= 0 && !done {
		if at = r.skip(at); at >= 0 {
			at, done = r.more(at, ']')
		}
	}
	return at
}

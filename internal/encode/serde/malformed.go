package serde

import (
	"bytes"
	"fmt"
	"unicode/utf8"
)

// What is wrong with malformed JSON, in Jackson's words as far as they are known. Its place
// is added by place.

func (r *Reader) broken(at int, format string, args ...any) int {
	r.fault = fault{kind: malformed, at: at, message: fmt.Sprintf(format, args...)}
	return -1
}

// place says where in the document something is, counted in bytes from 1.
func place(doc []byte, at int) string {
	at = min(max(at, 0), len(doc))
	line := bytes.Count(doc[:at], []byte{'\n'}) + 1
	return fmt.Sprintf(" at [line: %d, column: %d]", line, at-bytes.LastIndexByte(doc[:at], '\n'))
}

// ends is for data that ends too soon.
func (r *Reader) ends(at int, wanted string) int {
	return r.broken(at, "Unexpected end-of-input%s", wanted)
}

func (r *Reader) endsInside(at int, end byte) int {
	if end == '}' {
		return r.ends(at, ": expected close marker for Object")
	}
	return r.ends(at, ": expected close marker for Array")
}

// character is the one at at, as Jackson shows it.
func (r *Reader) character(at int) string {
	c, size := utf8.DecodeRune(r.data[at:])
	if c == utf8.RuneError && size <= 1 {
		return fmt.Sprintf("(code %d)", r.data[at])
	}
	if c < ' ' {
		return fmt.Sprintf("((CTRL-CHAR, code %d))", c)
	}
	return fmt.Sprintf("('%c' (code %d))", c, c)
}

func (r *Reader) unexpected(at int, wanted string) int {
	return r.broken(at, "Unexpected character %s: %s", r.character(at), wanted)
}

func (r *Reader) noComma(at int, end byte) int {
	if end == '}' {
		return r.unexpected(at, "was expecting comma to separate Object entries")
	}
	return r.unexpected(at, "was expecting comma to separate Array entries")
}

// unknown is for what starts no value.
func (r *Reader) unknown(at int) int {
	end := at
	for end < len(r.data) && end < at+maxQuoted && wordByte(r.data[end]) {
		end++
	}
	if end == at {
		return r.unexpected(at, "expected a valid value (JSON String, Number, Array, Object or token 'null', 'true' or 'false')")
	}
	return r.broken(at, "Unrecognized token '%s': was expecting ('true', 'false' or 'null')", r.data[at:end])
}

func wordByte(c byte) bool {
	return c == '_' || c == '$' || c-'0' <= 9 || c|0x20 >= 'a' && c|0x20 <= 'z'
}

func (r *Reader) badNumber(at int) int {
	d := r.data
	i := at
	if i < len(d) && d[i] == '-' {
		i++
	}
	digits := i
	for i < len(d) && d[i]-'0' <= 9 {
		i++
	}
	switch {
	case i > digits+1 && d[digits] == '0':
		return r.broken(digits, "Invalid numeric value: Leading zeroes not allowed")
	case i == digits && i < len(d):
		return r.unexpected(i, "expected digit (0-9) to follow minus sign, for valid numeric value")
	case i < len(d) && d[i] == '.' && i+1 < len(d) && d[i+1]-'0' > 9:
		return r.unexpected(i+1, "Decimal point not followed by a digit")
	}
	for i < len(d) && (d[i]-'0' <= 9 || bytes.IndexByte([]byte(".eE+-"), d[i]) >= 0) {
		i++
	}
	if i >= len(d) {
		return r.ends(i, " in a Number value")
	}
	return r.unexpected(i, "Exponent indicator not followed by a digit")
}

func (r *Reader) badEscape(at int) int {
	return r.broken(at, "Unrecognized character escape %s", r.character(at))
}

func (r *Reader) control(at int) int {
	return r.broken(at, "Illegal unquoted character %s: has to be escaped using backslash to be included in string value",
		r.character(at))
}

func (r *Reader) badUTF8(from, to int) int {
	for at := from; at < to; {
		c, size := utf8.DecodeRune(r.data[at:to])
		if c == utf8.RuneError && size == 1 {
			return r.broken(at, "Invalid UTF-8 start byte 0x%x", r.data[at])
		}
		at += size
	}
	return r.broken(from, "Invalid UTF-8")
}

func (r *Reader) tooDeep(at int) int {
	return r.broken(at, "Document nesting depth (%d) exceeds the maximum allowed (%d)", r.depth, maxDepth)
}

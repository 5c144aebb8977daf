package blueprint

import (
	"bytes"
	"encoding/binary"
	"unicode/utf8"
)

// appendJSON appends s as a JSON string in the form that JSON.stringify gives it: short
// escapes where there are some, everything else that need not be escaped as it is.
func appendJSON(dst, s []byte) []byte {
	dst = append(dst, '"')
	for {
		n := plainPrefix(s)
		dst, s = append(dst, s[:n]...), s[n:]
		if len(s) == 0 {
			return append(dst, '"')
		}
		if s[0] < 0x7f {
			dst, s = appendEscape(dst, s[0]), s[1:]
			continue
		}
		r, size := utf8.DecodeRune(s) // RuneError for a byte that is no UTF-8
		dst, s = utf8.AppendRune(dst, r), s[size:]
	}
}

// appendASCII appends s as a JSON string in the form that Python's json.dumps gives it:
// nothing but printable ASCII.
func appendASCII(dst, s []byte) []byte {
	dst = append(dst, '"')
	for {
		n := plainPrefix(s)
		dst, s = append(dst, s[:n]...), s[n:]
		if len(s) == 0 {
			return append(dst, '"')
		}
		if s[0] < utf8.RuneSelf {
			dst, s = appendEscape(dst, s[0]), s[1:]
			continue
		}
		r, size := utf8.DecodeRune(s)
		if s = s[size:]; r < 1<<16 {
			dst = appendUnit(dst, r)
		} else {
			r -= 1 << 16
			dst = appendUnit(appendUnit(dst, 0xd800+r>>10), 0xdc00+r&0x3ff)
		}
	}
}

// plainPrefix returns how many bytes at the front of s are printable ASCII that JSON takes as
// it is. It looks at eight at a time: with ones and tops being 01 and 80 in each byte, x-ones
// has a top bit where x was 00, and perhaps above it, which costs nothing but a second look.
func plainPrefix(s []byte) int {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	i := 0
	for ; i+8 <= len(s); i += 8 {
		x := binary.LittleEndian.Uint64(s[i:])
		quote, slash, del := x^ones*'"', x^ones*'\\', x^ones*0x7f
		special := (x - ones*' ') | (quote - ones) | (slash - ones) | (del - ones) | x
		if special&tops != 0 {
			break
		}
	}
	for i < len(s) && isPlain(s[i]) {
		i++
	}
	return i
}

func isPlain(c byte) bool { return c >= ' ' && c < 0x7f && c != '"' && c != '\\' }

// appendEscape appends c, which is ASCII and not plain.
func appendEscape(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\b':
		return append(dst, '\\', 'b')
	case '\t':
		return append(dst, '\\', 't')
	case '\n':
		return append(dst, '\\', 'n')
	case '\f':
		return append(dst, '\\', 'f')
	case '\r':
		return append(dst, '\\', 'r')
	}
	return appendUnit(dst, rune(c))
}

// appendUnit appends the escape of a unit of UTF-16.
func appendUnit(dst []byte, r rune) []byte {
	const hex = "0123456789abcdef"
	return append(dst, '\\', 'u', hex[r>>12&15], hex[r>>8&15], hex[r>>4&15], hex[r&15])
}

// appendCSV appends a column as RFC 4180 has it: in quotes if it holds one, a comma or a line
// break.
func appendCSV(dst, s []byte) []byte {
	if spanNot(s, quoted) == len(s) {
		return append(dst, s...)
	}
	dst = append(dst, '"')
	for {
		i := bytes.IndexByte(s, '"')
		if i < 0 {
			return append(append(dst, s...), '"')
		}
		dst, s = append(append(dst, s[:i]...), '"', '"'), s[i+1:]
	}
}

// appendNumber appends decimal digits as a JSON number, which has no zeros in front.
func appendNumber(dst, digits []byte) []byte {
	for len(digits) > 1 && digits[0] == '0' {
		digits = digits[1:]
	}
	return append(dst, digits...)
}

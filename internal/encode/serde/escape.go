package serde

import (
	"unicode/utf16"
	"unicode/utf8"
)

// unhex is the value of a hexadecimal digit, or more than 15.
func unhex(c byte) uint16 {
	switch {
	case c-'0' <= 9:
		return uint16(c - '0')
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return uint16(c|0x20-'a') + 10
	}
	return 16
}

// unescape appends the text without its escapes, which are known to be valid. Half a
// surrogate pair becomes U+FFFD.
func unescape(dst, text []byte) []byte {
	for i := 0; i < len(text); {
		c := text[i]
		if c != '\\' {
			dst = append(dst, c)
			i++
			continue
		}
		if text[i+1] != 'u' {
			dst = append(dst, short(text[i+1]))
			i += 2
			continue
		}
		char, size := unit(text, i), 6
		if utf16.IsSurrogate(char) {
			char, size = pair(text, i, char)
		}
		dst = utf8.AppendRune(dst, char)
		i += size
	}
	return dst
}

// short is what the letter of a short escape stands for.
func short(c byte) byte {
	switch c {
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	}
	return c
}

// unit is the four digits of the long escape at at.
func unit(text []byte, at int) rune {
	var u rune
	for _, c := range text[at+2 : at+6] {
		u = u<<4 | rune(unhex(c))
	}
	return u
}

// pair is the character of the surrogate at at and the one behind it.
func pair(text []byte, at int, first rune) (char rune, size int) {
	if at+12 <= len(text) && text[at+6] == '\\' && text[at+7] == 'u' {
		if c := utf16.DecodeRune(first, unit(text, at+6)); c != utf8.RuneError {
			return c, 12
		}
	}
	return utf8.RuneError, 6
}

const hexDigits = "0123456789abcdef"

// appendQuoted appends the text as a JSON string, with as few escapes as can be.
func appendQuoted(dst, text []byte) []byte {
	dst = append(dst, '"')
	for _, c := range text {
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c >= ' ':
			dst = append(dst, c)
		default:
			dst = appendControl(dst, c)
		}
	}
	return append(dst, '"')
}

func appendControl(dst []byte, c byte) []byte {
	switch c {
	case '\b':
		return append(dst, '\\', 'b')
	case '\f':
		return append(dst, '\\', 'f')
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	}
	return append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
}

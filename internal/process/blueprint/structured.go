package blueprint

import (
	"bytes"
	"slices"
)

// Names are compared each with each to find those that come twice, which is quick as long as
// there are few; so more than these in a record, or in an element, make it fail.
const (
	maxElements = 64
	maxParams   = 64
)

// param is a parameter of structured data; value is still escaped.
type param struct{ name, value []byte }

// structurePrefix is the length of the structured data at the front of s: a dash, or elements
// such as [id name="value"], none of which may come twice. It is 0 if there is none, or it is
// broken.
func structurePrefix(s []byte) int {
	if len(s) > 0 && s[0] == '-' {
		return endsAt(s, 1)
	}
	n, ids := 0, make([][]byte, 0, 8)
	for n < len(s) && s[n] == '[' {
		size := elementPrefix(s[n:])
		id, _ := cutElement(s[n:])
		if size == 0 || len(ids) == maxElements || slices.ContainsFunc(ids, func(other []byte) bool {
			return bytes.Equal(other, id)
		}) {
			return 0
		}
		n, ids = n+size, append(ids, id)
	}
	return endsAt(s, n)
}

// endsAt is n if s ends there, or has a blank.
func endsAt(s []byte, n int) int {
	if n < len(s) && s[n] != ' ' {
		return 0
	}
	return n
}

// elementPrefix is the length of the element at the front of s.
func elementPrefix(s []byte) int {
	id, rest := cutElement(s)
	if id == nil {
		return 0
	}
	for count := 0; ; count++ {
		if len(rest) > 0 && rest[0] == ']' {
			return len(s) - len(rest) + 1
		}
		var ok bool
		if _, rest, ok = cutParam(rest); !ok || count == maxParams {
			return 0
		}
	}
}

// cutElement takes [id from the front of s.
func cutElement(s []byte) (id, rest []byte) {
	s = s[1:]
	n := spanOf(s, name)
	if n == 0 {
		return nil, s
	}
	return s[:n], s[n:]
}

// cutParam takes a blank and name="value" from the front of s.
func cutParam(s []byte) (p param, rest []byte, ok bool) {
	if len(s) == 0 || s[0] != ' ' {
		return p, s, false
	}
	s = s[1:]
	n := spanOf(s, name)
	if n == 0 || len(s) < n+3 || s[n] != '=' || s[n+1] != '"' {
		return p, s, false
	}
	p.name, s = s[:n], s[n+2:]
	for n = 0; n < len(s) && s[n] != '"'; n++ {
		if s[n] == '\\' {
			n++
		}
	}
	if n >= len(s) {
		return p, s, false
	}
	p.value = s[:n]
	return p, s[n+1:], true
}

// appendStructure appends structured data, which structurePrefix has proven, as a JSON object
// of objects.
func appendStructure(dst, s []byte) []byte {
	dst = append(dst, '{')
	params := make([]param, 0, 16)
	for i := 0; len(s) > 0; i++ {
		if i > 0 {
			dst = append(dst, ',')
		}
		var id []byte
		id, s = cutElement(s)
		for params = params[:0]; s[0] != ']'; {
			var p param
			p, s, _ = cutParam(s)
			params = append(params, p)
		}
		s = s[1:]
		dst = appendParams(append(appendJSON(dst, id), ':'), params)
	}
	return append(dst, '}')
}

// appendParams appends the parameters of an element as a JSON object. A name that comes
// again, as the RFC allows, has an array of all its values in its first place.
func appendParams(dst []byte, params []param) []byte {
	dst = append(dst, '{')
	for i, p := range params {
		if hasName(params[:i], p.name) {
			continue
		}
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendJSON(dst, p.name), ':')
		if !hasName(params[i+1:], p.name) {
			dst = appendValue(dst, p.value)
			continue
		}
		dst = appendValue(append(dst, '['), p.value)
		for _, again := range params[i+1:] {
			if bytes.Equal(again.name, p.name) {
				dst = appendValue(append(dst, ','), again.value)
			}
		}
		dst = append(dst, ']')
	}
	return append(dst, '}')
}

func hasName(params []param, wanted []byte) bool {
	for i := range params {
		if bytes.Equal(params[i].name, wanted) {
			return true
		}
	}
	return false
}

// appendValue appends a value as a JSON string, without the backslashes that stand before a
// quote, a backslash and a bracket. Before other characters a backslash means itself.
func appendValue(dst, v []byte) []byte {
	if bytes.IndexByte(v, '\\') < 0 {
		return appendJSON(dst, v)
	}
	plain := make([]byte, 0, 128) // on the stack, as a rule
	for i := 0; i < len(v); i++ {
		if v[i] == '\\' && i+1 < len(v) && (v[i+1] == '"' || v[i+1] == '\\' || v[i+1] == ']') {
			i++
		}
		plain = append(plain, v[i])
	}
	return appendJSON(dst, plain)
}

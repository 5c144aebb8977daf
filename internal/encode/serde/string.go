package serde

import (
	"unicode/utf8"

	"hydrant/internal/column"
)

// string reads into a column of texts. Numbers and booleans are taken as they are written;
// OpenX takes objects and arrays as compact JSON.
func (r *Reader) string(n *node, v *column.Vector, at int) int {
	d := r.data
	switch c := d[at]; {
	case c == '"':
		if end := plain(d, at+1); end < len(d) && d[end] == '"' && n.kind == column.String {
			v.Text(d[at+1 : end])
			return end + 1
		}
		text, next := r.text(at)
		if next >= 0 {
			v.Text(cut(n.typ, text))
		}
		return next
	case c == '{' || c == '[':
		if r.hive {
			return r.notPrimitive(n, at)
		}
		return r.rendered(n, v, at)
	}
	next := r.skip(at)
	if next >= 0 {
		v.Text(cut(n.typ, r.data[at:next]))
	}
	return next
}

// cut is as much of the text as the column holds: n characters of a varchar or char.
func cut(t *column.Type, text []byte) []byte {
	if t.Length == 0 || len(text) <= t.Length {
		return text
	}
	at := 0
	for range t.Length {
		if at >= len(text) {
			break
		}
		_, size := utf8.DecodeRune(text[at:])
		at += size
	}
	return text[:at]
}

// rendered adds the object or array at at as compact JSON.
func (r *Reader) rendered(n *node, v *column.Vector, at int) int {
	from := len(v.Bytes)
	text, next := r.render(v.Bytes, at)
	v.Bytes = text
	if next < 0 {
		return -1
	}
	v.Bytes = text[:from+len(cut(n.typ, text[from:]))]
	v.Ends = append(v.Ends, uint32(len(v.Bytes)))
	v.Present = append(v.Present, true)
	return next
}

// render appends the value at at as compact JSON.
func (r *Reader) render(dst []byte, at int) ([]byte, int) {
	if at < len(r.data) {
		switch r.data[at] {
		case '"':
			return r.renderText(dst, at)
		case '[':
			return r.renderArray(dst, at)
		case '{':
			if r.careful {
				return r.carefulRender(dst, at)
			}
			return r.renderObject(dst, at)
		}
	}
	next := r.skip(at)
	if next < 0 {
		return dst, -1
	}
	return append(dst, r.data[at:next]...), next
}

func (r *Reader) renderText(dst []byte, at int) ([]byte, int) {
	end, escaped := r.quoted(at)
	if end < 0 {
		return dst, -1
	}
	if !escaped {
		return append(dst, r.data[at:end+1]...), end + 1
	}
	r.unescaped = unescape(r.unescaped[:0], r.data[at+1:end])
	return appendQuoted(dst, r.unescaped), end + 1
}

func (r *Reader) renderArray(dst []byte, at int) ([]byte, int) {
	dst = append(dst, '[')
	at, done := r.open(at, ']')
	for first := true; at >= 0 && !done; first = false {
		if !first {
			dst = append(dst, ',')
		}
		if dst, at = r.render(dst, at); at >= 0 {
			at, done = r.more(at, ']')
		}
	}
	return append(dst, ']'), at
}

func (r *Reader) renderObject(dst []byte, at int) ([]byte, int) {
	dst = append(dst, '{')
	base := len(r.spans)
	at, done := r.open(at, '}')
	for at >= 0 && !done {
		if len(r.spans) > base {
			dst = append(dst, ',')
		}
		from := len(dst)
		if dst, at = r.renderKey(dst, at); at < 0 {
			break
		}
		r.spans = append(r.spans, span{from, len(dst)})
		dst = append(dst, ':')
		if dst, at = r.render(dst, at); at >= 0 {
			at, done = r.more(at, '}')
		}
	}
	if at < 0 {
		return dst, -1
	}
	if twins(r, keySpans{dst, r.spans}, len(r.spans)-base) {
		return dst, r.again()
	}
	r.spans = r.spans[:base]
	return append(dst, '}'), at
}

// renderKey appends the key at at with its quotes, in lower case if the options say so, and
// goes over its colon.
func (r *Reader) renderKey(dst []byte, at int) ([]byte, int) {
	end, escaped, value := r.rawKey(at)
	if value < 0 {
		return dst, -1
	}
	key := r.data[at+1 : end]
	if escaped {
		r.unescaped = unescape(r.unescaped[:0], key)
		key = r.unescaped
	}
	if r.fold {
		key = r.lower(key)
	}
	if escaped {
		return appendQuoted(dst, key), value
	}
	return append(append(append(dst, '"'), key...), '"'), value
}

// carefulRender is renderObject for objects whose keys may be repeated.
func (r *Reader) carefulRender(dst []byte, at int) ([]byte, int) {
	base, index := len(r.places), map[string]int{}
	var names [][]byte
	end, done := r.open(at, '}')
	for end >= 0 && !done {
		var name []byte
		if name, end = r.renderKey(nil, end); end < 0 {
			return dst, -1
		}
		i, ok := index[string(name)]
		if !ok {
			i = len(names)
			index[string(name)] = i
			names, r.places = append(names, name), append(r.places, end)
		}
		r.places[base+i] = end
		if end = r.skip(end); end >= 0 {
			end, done = r.more(end, '}')
		}
	}
	if end < 0 {
		return dst, -1
	}
	dst, ok := r.renderPlaces(dst, names, base)
	if !ok {
		return dst, -1
	}
	r.places = r.places[:base]
	return dst, end
}

// renderPlaces appends an object of the names, in quotes, and the values at their places.
func (r *Reader) renderPlaces(dst []byte, names [][]byte, base int) ([]byte, bool) {
	dst = append(dst, '{')
	for i, name := range names {
		if i > 0 {
			dst = append(dst, ',')
		}
		var next int
		dst = append(append(dst, name...), ':')
		if dst, next = r.render(dst, r.places[base+i]); next < 0 {
			return dst, false
		}
	}
	return append(dst, '}'), true
}

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
	var o outline
	text, next := r.render(v.Bytes, at, &o)
	v.Bytes = text
	if next < 0 {
		return -1
	}
	v.Bytes = text[:from+len(cut(n.typ, text[from:]))]
	v.Ends = append(v.Ends, uint32(len(v.Bytes)))
	v.Present = append(v.Present, true)
	return next
}

// render appends the value at at as compact JSON. The outline is only for careful readers.
func (r *Reader) render(dst []byte, at int, o *outline) ([]byte, int) {
	if at < len(r.data) {
		switch r.data[at] {
		case '"':
			return r.renderText(dst, at)
		case '[':
			return r.renderArray(dst, at, o)
		case '{':
			if r.careful {
				return r.carefulRender(dst, at, o)
			}
			return r.renderObject(dst, at, o)
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

func (r *Reader) renderArray(dst []byte, at int, o *outline) ([]byte, int) {
	dst = append(dst, '[')
	at, done := r.open(at, ']')
	for first := true; at >= 0 && !done; first = false {
		if !first {
			dst = append(dst, ',')
		}
		if dst, at = r.render(dst, at, o); at >= 0 {
			at, done = r.more(at, ']')
		}
	}
	return append(dst, ']'), at
}

func (r *Reader) renderObject(dst []byte, at int, o *outline) ([]byte, int) {
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
		if dst, at = r.render(dst, at, o); at >= 0 {
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

// outline is where the objects and arrays of a text end that are values of members, in the
// order of where they start. Values are gone over before they are rendered, since the last
// one of a key wins; with the outline those that are deep inside others are gone over once
// for that, and not once for each object around them. A part stands for at least six bytes
// of the record, as in "":[], so an outline has not much more bytes than the record.
type outline struct {
	parts  []part
	at     int         // the part that starts next; there is none yet if it is len(parts)
	values []lastValue // of the objects being rendered, a stack
	visits int         // values gone over, a measure of work
}

// part is an object or array of an outline.
type part struct {
	end  uint32 // where it ends in the record
	next uint32 // the first part behind it that is not inside it
}

// lastValue is a key of an object, in quotes and folded, and its last value.
type lastValue struct {
	key  []byte
	at   int // where the value is
	part int // the first part inside the value, if it is an object or array
}

// carefulRender is renderObject for objects whose keys may be repeated. A member stays where
// its key came first.
func (r *Reader) carefulRender(dst []byte, at int, o *outline) ([]byte, int) {
	base := len(o.values)
	end := r.lastValues(at, o)
	if end < 0 {
		return dst, -1
	}
	behind, top := o.at, len(o.values)
	dst = append(dst, '{')
	for i := base; i < top; i++ {
		if i > base {
			dst = append(dst, ',')
		}
		l, next := o.values[i], 0
		dst = append(append(dst, l.key...), ':')
		o.at = l.part
		if dst, next = r.render(dst, l.at, o); next < 0 {
			return dst, -1
		}
	}
	o.at, o.values = behind, o.values[:base]
	return append(dst, '}'), end
}

// lastValues puts the keys of the object at at with their last values on the stack, and
// returns where the object ends.
func (r *Reader) lastValues(at int, o *outline) int {
	index := map[string]int{}
	at, done := r.open(at, '}')
	for at >= 0 && !done {
		var key []byte
		if key, at = r.renderKey(nil, at); at < 0 {
			return -1
		}
		i, ok := index[string(key)]
		if !ok {
			i = len(o.values)
			index[string(key)] = i
			o.values = append(o.values, lastValue{key: key})
		}
		o.values[i].at, o.values[i].part = at, o.at+1
		if at = r.pass(at, o); at >= 0 {
			at, done = r.more(at, '}')
		}
	}
	return at
}

// pass goes over the value of a member: at once if the outline has it, or else adding it and
// all that is inside.
func (r *Reader) pass(at int, o *outline) int {
	if at >= len(r.data) || r.data[at] != '{' && r.data[at] != '[' {
		o.visits++
		return r.skip(at)
	}
	i := o.at
	if i < len(o.parts) {
		o.visits++
		o.at = int(o.parts[i].next)
		return int(o.parts[i].end)
	}
	o.parts = append(o.parts, part{})
	o.at++
	end := r.passInside(at, o)
	if end >= 0 {
		o.parts[i] = part{uint32(end), uint32(o.at)}
	}
	return end
}

// passInside goes over a value that is no part itself, adding the parts inside.
func (r *Reader) passInside(at int, o *outline) int {
	o.visits++
	if at < len(r.data) {
		switch r.data[at] {
		case '{':
			return r.passObject(at, o)
		case '[':
			return r.passArray(at, o)
		}
	}
	return r.skip(at)
}

func (r *Reader) passObject(at int, o *outline) int {
	at, done := r.open(at, '}')
	for at >= 0 && !done {
		if _, _, at = r.rawKey(at); at >= 0 {
			if at = r.pass(at, o); at >= 0 {
				at, done = r.more(at, '}')
			}
		}
	}
	return at
}

func (r *Reader) passArray(at int, o *outline) int {
	at, done := r.open(at, ']')
	for at >= 0 && !done {
		if at = r.passInside(at, o); at >= 0 {
			at, done = r.more(at, ']')
		}
	}
	return at
}

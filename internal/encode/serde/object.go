package serde

import "hydrant/internal/column"

// structure reads the object at at into the vectors of the fields. Fields without a key are
// null.
func (r *Reader) structure(n *node, fields []*column.Vector, at int) int {
	if r.careful {
		return r.carefulStructure(n, fields, at)
	}
	r.stamp++
	stamp, left, last := r.stamp, len(fields), &n.head
	at, done := r.open(at, '}')
	for at >= 0 && !done {
		last, at = r.field(n, last, at)
		if at < 0 {
			return -1
		}
		from := at
		if last.field == none {
			at = r.skip(from)
		}
		for i := last.field; i != none && at >= 0; {
			m := &n.members[i]
			if m.seen == stamp {
				return r.again()
			}
			m.seen = stamp
			left--
			at = r.value(m.node, fields[i], from)
			i = m.also
		}
		if at >= 0 {
			at, done = r.more(at, '}')
		}
	}
	if left > 0 && at >= 0 {
		n.missing(fields, stamp)
	}
	return at
}

// missing makes the fields null that had no value.
func (n *node) missing(fields []*column.Vector, stamp uint64) {
	for i, v := range fields {
		if n.members[i].seen != stamp {
			v.Null()
		}
	}
}

// again stops because of a key that came twice.
func (r *Reader) again() int {
	r.fault = fault{kind: repeated}
	return -1
}

// field goes over the key at at and its colon, and returns what it stands for. last is the
// key before it, which guesses this one.
func (r *Reader) field(n *node, last *slot, at int) (*slot, int) {
	d := r.data
	if s := last.next; s != nil && len(d)-at > len(s.raw) && string(d[at:at+len(s.raw)]) == string(s.raw) {
		at += len(s.raw)
		if at+1 < len(d) && d[at] == ':' && d[at+1] > ' ' {
			return s, at + 1
		}
		return s, r.colon(at)
	}
	end, escaped, value := r.rawKey(at)
	if value < 0 {
		return nil, -1
	}
	s := r.lookUp(n, d[at:end+1], escaped)
	if last != &r.stray && s != &r.stray {
		last.next = s
	}
	return s, value
}

// lookUp finds what a key stands for. raw has its quotes.
func (r *Reader) lookUp(n *node, raw []byte, escaped bool) *slot {
	if s, ok := n.slots[string(raw)]; ok {
		return s
	}
	key := raw[1 : len(raw)-1]
	if escaped {
		r.unescaped = unescape(r.unescaped[:0], key)
		key = r.unescaped
	}
	i, ok := n.names[string(r.normal(key))]
	if !ok {
		i = none
	}
	if len(n.slots) >= 2*len(n.members)+spareSlots || len(raw) > 2*maxName {
		r.stray = slot{field: i}
		return &r.stray
	}
	s := &slot{raw: append([]byte(nil), raw...), field: i}
	n.slots[string(raw)] = s
	return s
}

// positions reads the array at at into the vectors of the fields, one after the other.
func (r *Reader) positions(n *node, fields []*column.Vector, at int) int {
	i := 0
	at, done := r.open(at, ']')
	for at >= 0 && !done {
		if i < len(fields) {
			at = r.value(n.members[i].node, fields[i], at)
			i++
		} else {
			at = r.skip(at)
		}
		if at >= 0 {
			at, done = r.more(at, ']')
		}
	}
	for ; i < len(fields); i++ {
		fields[i].Null()
	}
	return at
}

// list reads a list. To OpenX anything else is a list of one.
func (r *Reader) list(n *node, v *column.Vector, at int) int {
	if r.data[at] != '[' {
		if r.hive {
			if r.skip(at) < 0 {
				return -1
			}
			return r.misfits("java.io.IOException: Start of Array expected")
		}
		v.Many(1)
		return r.value(n.elem, v.Children[0], at)
	}
	count := 0
	at, done := r.open(at, ']')
	for at >= 0 && !done {
		count++
		if at = r.value(n.elem, v.Children[0], at); at >= 0 {
			at, done = r.more(at, ']')
		}
	}
	v.Many(count)
	return at
}

// mapping reads the object at at into a map.
func (r *Reader) mapping(n *node, v *column.Vector, at int) int {
	if r.careful {
		return r.carefulMapping(n, v, at)
	}
	count := 0
	at, done := r.open(at, '}')
	for at >= 0 && !done {
		count++
		if at = r.mapKey(n, v, at); at >= 0 {
			if at = r.value(n.elem, v.Children[1], at); at >= 0 {
				at, done = r.more(at, '}')
			}
		}
	}
	if at >= 0 && count > 1 && twins(r, keyVector{v.Children[0]}, count) {
		return r.again()
	}
	v.Many(count)
	return at
}

// mapKey reads the key at at and goes over its colon. Only texts are folded: a T or Z of a
// timestamp is no matter of spelling.
func (r *Reader) mapKey(n *node, v *column.Vector, at int) int {
	end, escaped, value := r.rawKey(at)
	if value < 0 {
		return -1
	}
	key := r.data[at+1 : end]
	if escaped {
		r.unescaped = unescape(r.unescaped[:0], key)
		key = r.unescaped
	}
	if r.fold && !r.hive && n.key.textual() {
		key = r.lower(key)
	}
	if !r.convert(n.key, v.Children[0], key) {
		return -1
	}
	return value
}

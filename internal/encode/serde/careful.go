package serde

import "hydrant/internal/column"

// A careful reader goes over an object twice: first over its keys, to find the last value of
// each, and then to those values. Structs within structs are gone over once per level of the
// schema, which is why only rows that need it are read so; what becomes text is not.

// carefulStructure is structure for objects whose keys may be repeated.
func (r *Reader) carefulStructure(n *node, fields []*column.Vector, at int) int {
	base := len(r.places)
	for range fields {
		r.places = append(r.places, none)
	}
	last := &n.head
	end, done := r.open(at, '}')
	for end >= 0 && !done {
		if last, end = r.field(n, last, end); end < 0 {
			return -1
		}
		for i := last.field; i != none; i = n.members[i].also {
			r.places[base+i] = end
		}
		if end = r.skip(end); end >= 0 {
			end, done = r.more(end, '}')
		}
	}
	if end < 0 || !r.readPlaces(n, fields, base) {
		return -1
	}
	r.places = r.places[:base]
	return end
}

func (r *Reader) readPlaces(n *node, fields []*column.Vector, base int) bool {
	for i, v := range fields {
		place := r.places[base+i]
		if place == none {
			v.Null()
		} else if r.value(n.members[i].node, v, place) < 0 {
			return false
		}
	}
	return true
}

// carefulMapping is mapping for objects whose keys may be repeated. An entry stays where its
// key came first.
func (r *Reader) carefulMapping(n *node, v *column.Vector, at int) int {
	base, index := len(r.places), map[string]int{}
	end, done := r.open(at, '}')
	for end >= 0 && !done {
		if end = r.mapKey(n, v, end); end < 0 {
			return -1
		}
		key := string(canonical(v.Children[0]))
		if i, ok := index[key]; ok {
			drop(v.Children[0])
			r.places[i] = end
		} else {
			index[key] = len(r.places)
			r.places = append(r.places, end)
		}
		if end = r.skip(end); end >= 0 {
			end, done = r.more(end, '}')
		}
	}
	if end < 0 {
		return -1
	}
	count := len(r.places) - base
	for i := range count {
		if r.value(n.elem, v.Children[1], r.places[base+i]) < 0 {
			return -1
		}
	}
	r.places = r.places[:base]
	v.Many(count)
	return end
}

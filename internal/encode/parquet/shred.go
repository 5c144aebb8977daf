package parquet

import (
	"bytes"
	"unsafe"

	"hydrant/internal/column"
)

// cursor is how far a vector was read.
type cursor struct {
	entry int // in Present
	value int // in the slices of values
}

// trues is how many flags are set.
func trues(flags []bool) int { return bytes.Count(octets(flags), []byte{1}) }

// octets are flags as bytes, 0 or 1: as levels of something optional. They share the memory.
func octets(flags []bool) []uint8 {
	return unsafe.Slice((*uint8)(unsafe.Pointer(unsafe.SliceData(flags))), len(flags))
}

// rewind goes back to the start of the vectors.
func (n *node) rewind() {
	n.at = cursor{}
	for _, c := range n.children {
		c.rewind()
	}
}

// measure looks entries ahead and returns about how many bytes their values take. It sets
// n.ahead, for all below too.
func (n *node) measure(v *column.Vector, entries int) int {
	present := trues(v.Present[n.at.entry : n.at.entry+entries])
	n.ahead = cursor{n.at.entry + entries, n.at.value + present}
	switch n.kind {
	case column.Struct:
		size := 0
		for i, c := range n.children {
			size += c.measure(v.Children[i], present)
		}
		return size
	case column.List, column.Map:
		elements := 0
		for _, l := range v.Lengths[n.at.value:n.ahead.value] {
			elements += int(l)
		}
		size := entries
		for i, c := range n.children {
			size += elements + c.measure(v.Children[i], elements)
		}
		return size
	case column.String, column.Varchar, column.Char, column.Binary:
		return 4*present + textSize(v, n.at.value, n.ahead.value)
	}
	return max(n.leaf.width, 1) * present
}

// textSize is how many bytes the texts from..to-1 have.
func textSize(v *column.Vector, from, to int) int {
	if from == to {
		return 0
	}
	size := int(v.Ends[to-1])
	if from > 0 {
		size -= int(v.Ends[from-1])
	}
	return size
}

// column appends the entries up to n.ahead of a column of the table.
func (n *node) column(v *column.Vector) {
	flags := octets(v.Present[n.at.entry:n.ahead.entry])
	if n.leaf != nil { // the flags are the levels
		n.leaf.append(v, nil, flags, n.at.value, n.ahead.value)
		n.at = n.ahead
		return
	}
	n.defs = append(n.defs[:0], make([]uint8, len(flags))...)
	n.slots(v, nil, n.defs)
}

// slots appends slots to the leaves below: rep and def are their levels as far as what the
// node stands in makes them. Those at its level have an entry in v; all others were settled
// above. rep is nil where there are no lists yet; def may be changed.
func (n *node) slots(v *column.Vector, rep, def []uint8) {
	if !n.required {
		n.define(v, def)
	}
	switch n.kind {
	default:
		n.leaf.append(v, rep, def, n.at.value, n.ahead.value)
	case column.Struct:
		n.share(v, rep, def)
	case column.List, column.Map:
		n.repeat(v, rep, def)
		n.share(v, n.elemReps, n.elemDefs)
	}
	n.at = n.ahead
}

// define raises the level of the slots whose entry is present.
func (n *node) define(v *column.Vector, def []uint8) {
	flags := octets(v.Present[n.at.entry:n.ahead.entry])
	if len(flags) == len(def) { // no null above
		for i, f := range flags {
			def[i] += f
		}
		return
	}
	i, outer := 0, n.def-1
	for j, d := range def {
		if d == outer {
			def[j] = d + flags[i]
			i++
		}
	}
}

// share hands the slots to each child. Children change them, so all but the last get a copy.
func (n *node) share(v *column.Vector, rep, def []uint8) {
	last := len(n.children) - 1
	for i, c := range n.children[:last] {
		c.defs = append(c.defs[:0], def...)
		c.slots(v.Children[i], rep, c.defs)
	}
	n.children[last].slots(v.Children[last], rep, def)
}

// repeat makes the slots of the elements of lists or maps: one for each, and one for each
// list that is empty or not there.
func (n *node) repeat(v *column.Vector, rep, def []uint8) {
	lengths := v.Lengths[n.at.value:n.ahead.value]
	r, d := n.elemReps[:0], n.elemDefs[:0]
	first := uint8(0)
	for i, level := range def {
		if rep != nil {
			first = rep[i]
		}
		elements := uint32(0)
		if level == n.def {
			elements, lengths = lengths[0], lengths[1:]
		}
		if elements == 0 {
			r, d = append(r, first), append(d, level)
			continue
		}
		r, d = append(r, first), append(d, level+1)
		for range elements - 1 {
			r, d = append(r, n.rep), append(d, level+1)
		}
	}
	n.elemReps, n.elemDefs = r, d
}

package orc

import "hydrant/internal/column"

// node is a column of the type tree.
type node struct {
	id       int
	typ      *column.Type
	children []*node
	present  *present // nil for the root, which is never null
	encoder  encoder
	bloom    *bloom // nil if there is none

	group, stripe, file level
	fileBytes           uint64 // of the streams of ended stripes, without the index
	index               [][]byte
	indexBytes          int64

	entry, value int // next ones in the vector of the current batch
}

// newNode makes the node of a type and those below it, and appends them to all.
func newNode(t *column.Type, s *shared, o *Options, blooms map[int]bool, all *[]*node) *node {
	n := &node{id: len(*all), typ: t}
	*all = append(*all, n)
	if n.id > 0 {
		n.present = newPresent(&s.codec)
	}
	if blooms[n.id] {
		n.bloom = newBloom(bloomShape(o.RowIndexStride, o.BloomFPP))
	}
	n.encoder = newEncoder(t, s, o, n.bloom)
	if typed := n.encoder.stats(); typed != nil {
		n.group.typed, n.stripe.typed, n.file.typed = typed, typed.fresh(), typed.fresh()
	}
	for _, child := range childTypes(t) {
		n.children = append(n.children, newNode(child, s, o, blooms, all))
	}
	return n
}

// begin starts at the first entry of a batch.
func (n *node) begin() { n.entry, n.value = 0, 0 }

// mark keeps the positions, as a row group starts here.
func (n *node) mark() {
	if n.present != nil {
		n.present.mark()
	}
	n.encoder.mark()
}

// write adds the next entries of a vector, and what is below them.
func (n *node) write(v *column.Vector, entries int) {
	from := n.value
	values := n.present.write(v.Present[n.entry : n.entry+entries])
	n.entry += entries
	n.value += values
	n.group.count += uint64(values)
	n.group.nulls = n.group.nulls || values < entries
	n.encoder.write(v, from, n.value)
	if len(n.children) > 0 {
		n.writeChildren(v, from, values)
	}
}

// writeChildren adds what is below the values. Children only have entries for what is there.
func (n *node) writeChildren(v *column.Vector, from, values int) {
	entries := values
	if n.typ.Kind != column.Struct {
		entries = 0
		for _, length := range v.Lengths[from : from+values] {
			entries += int(length)
		}
	}
	for i, child := range n.children {
		child.write(v.Children[i], entries)
	}
}

// endGroup keeps what is told of the row group.
func (n *node) endGroup() {
	stats := n.group.message(nil)
	n.index = append(n.index, stats)
	n.indexBytes += int64(len(stats))
	n.stripe.merge(&n.group)
	n.group.reset()
	n.encoder.endGroup()
	if n.bloom != nil {
		n.bloom.endGroup()
	}
}

// finish ends the streams of the stripe.
func (n *node) finish() {
	if n.present != nil {
		n.present.finish()
	}
	n.encoder.finish()
}

// streams are those of the data area, sorted by kind.
func (n *node) streams() []*stream {
	if n.present != nil && n.present.sparse {
		return append([]*stream{n.present.stream}, n.encoder.streams()...)
	}
	return n.encoder.streams()
}

// rowIndex is a RowIndex: an entry with positions and statistics for each row group.
func (n *node) rowIndex(m message) message {
	var entry message
	for g, stats := range n.index {
		var present []uint64
		if n.present != nil {
			present = n.present.group(g, len(n.index))
		}
		entry = entry[:0]
		if rest := n.encoder.group(g, len(n.index)); len(present)+len(rest) > 0 {
			entry = entry.packed(1, present, rest)
		}
		m = m.bytes(1, entry.bytes(2, stats))
	}
	return m
}

// encoding is a ColumnEncoding.
func (n *node) encoding(m message) message {
	kind, words := n.encoder.encoding()
	m = m.uint(1, uint64(kind))
	if kind == dictionaryV1 || kind == dictionaryV2 {
		m = m.uint(2, uint64(words))
	}
	if n.bloom != nil {
		m = m.uint(3, 1)
	}
	return m
}

// endStripe counts the stripe, appends its ColumnStatistics, and forgets its values.
func (n *node) endStripe(m message) message {
	var onDisk uint64
	for _, s := range n.streams() {
		onDisk += uint64(s.held())
	}
	n.fileBytes += onDisk
	m = n.stripe.message(m).uint(11, onDisk)
	n.file.merge(&n.stripe)
	n.stripe.reset()
	clear(n.index)
	n.index, n.indexBytes = n.index[:0], 0
	if n.present != nil {
		n.present.reset()
	}
	if n.bloom != nil {
		n.bloom.reset()
	}
	n.encoder.reset()
	return m
}

// buffered is how many bytes of values are held.
func (n *node) buffered() int64 {
	if n.present == nil {
		return n.encoder.held()
	}
	return n.present.held() + n.encoder.held()
}

// held is how many bytes are held, with those of the index.
func (n *node) held() int64 { return n.buffered() + n.indexBytes + n.bloom.held() }

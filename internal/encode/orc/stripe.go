package orc

// writeStripe ends the stripe and writes it: index, values and footer (section 7).
func (f *Writer) writeStripe() error {
	if f.groupRows > 0 {
		f.endGroup()
	}
	for _, n := range f.all {
		n.finish()
	}
	index, footer := f.indexStreams()
	var data int64
	for _, n := range f.all {
		for _, s := range n.streams() {
			footer = f.listStream(footer, s.kind, n.id, s.held())
			data += s.held()
		}
	}
	tail := f.shared.codec.append(nil, f.encodings(footer), small)
	if err := f.pad(int64(len(index)) + data + int64(len(tail))); err != nil {
		return err
	}
	f.listStripe(len(index), data, len(tail))
	if err := f.writeParts(index, tail); err != nil {
		return err
	}
	f.endStripe()
	return nil
}

// indexStreams makes the streams of the index area, and the start of the footer that lists them.
func (f *Writer) indexStreams() (index []byte, footer message) {
	index = f.packed[:0]
	for _, n := range f.all {
		from := len(index)
		f.buf = n.rowIndex(f.buf[:0])
		index = f.shared.codec.append(index, f.buf, small)
		footer = f.listStream(footer, kindRowIndex, n.id, int64(len(index)-from))
		if n.bloom == nil {
			continue
		}
		from = len(index)
		index = f.shared.codec.append(index, n.bloom.groups, large)
		footer = f.listStream(footer, kindBloomFilter, n.id, int64(len(index)-from))
	}
	f.packed = index
	return index, footer
}

// listStream appends a Stream to the footer of a stripe.
func (f *Writer) listStream(footer message, kind streamKind, id int, size int64) message {
	f.body = f.body[:0].uint(1, uint64(kind)).uint(2, uint64(id)).uint(3, uint64(size))
	return footer.bytes(1, f.body)
}

// encodings appends the rest of a stripe's footer.
func (f *Writer) encodings(footer message) message {
	for _, n := range f.all {
		f.body = n.encoding(f.body[:0])
		footer = footer.bytes(2, f.body)
	}
	if f.hasTimes() {
		footer = footer.string(3, "UTC")
	}
	return footer
}

// hasTimes reports whether a column has timestamps.
func (f *Writer) hasTimes() bool {
	for _, n := range f.all {
		if _, ok := n.encoder.(*timeEncoder); ok {
			return true
		}
	}
	return false
}

// zeros are what stripes are padded with.
var zeros [4096]byte

// pad keeps a stripe of the size from crossing the border of a block, if that is wanted and
// does not take too much (section 7.4).
func (f *Writer) pad(size int64) error {
	used := f.out.n % f.opt.BlockBytes
	left := f.opt.BlockBytes - used
	if !f.opt.Padding || used == 0 || size < left ||
		float64(left) > f.opt.PaddingTolerance*float64(f.opt.StripeBytes) {
		return nil
	}
	for left > 0 {
		n, err := f.out.Write(zeros[:min(left, int64(len(zeros)))])
		if err != nil {
			return err
		}
		left -= int64(n)
	}
	return nil
}

// listStripe appends a StripeInformation to the footer of the file.
func (f *Writer) listStripe(index int, data int64, footer int) {
	f.body = f.body[:0].uint(1, uint64(f.out.n)).uint(2, uint64(index)).uint(3, uint64(data)).
		uint(4, uint64(footer)).uint(5, uint64(f.stripeRows))
	f.stripes = f.stripes.bytes(3, f.body)
}

// writeParts writes the stripe's bytes.
func (f *Writer) writeParts(index, footer []byte) error {
	if _, err := f.out.Write(index); err != nil {
		return err
	}
	for _, n := range f.all {
		for _, s := range n.streams() {
			if err := s.writeTo(&f.out); err != nil {
				return err
			}
		}
	}
	_, err := f.out.Write(footer)
	return err
}

// endStripe keeps the statistics of the stripe for the metadata, and starts the next stripe.
func (f *Writer) endStripe() {
	stats := f.buf[:0]
	for _, n := range f.all {
		f.body = n.endStripe(f.body[:0])
		stats = stats.bytes(1, f.body)
	}
	f.buf = stats
	f.metadata = f.metadata.bytes(1, stats)
	f.stripeRows, f.checkIn, f.unchecked, f.shared.full = 0, checkRows, 0, false
}

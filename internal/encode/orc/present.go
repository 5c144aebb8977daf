package orc

// present is the PRESENT stream of a node: a bit for each entry (section 7.1). As long as no
// entry of the stripe is null they are only counted, and if none is there is no stream.
type present struct {
	stream *stream
	bits   bitRuns
	sparse bool     // an entry was null
	ones   int      // entries, before one was null
	starts []int    // entries in front of each row group, before one was null
	marks  []uint64 // positions of the row groups, once one was
}

func newPresent(c *codec) *present {
	s := newStream(kindPresent, c)
	return &present{stream: s, bits: bitRuns{bytes: byteRuns{out: s}}}
}

// mark keeps the position, as a row group starts here.
func (p *present) mark() {
	if p.sparse {
		p.marks = p.bits.position(p.marks)
		return
	}
	p.starts = append(p.starts, p.ones)
}

// write adds entries, and tells how many are present.
func (p *present) write(flags []bool) int {
	n := count(flags)
	if !p.sparse {
		if n == len(flags) {
			p.ones += n
			return n
		}
		p.begin()
	}
	p.bits.flags(flags)
	return n
}

// count is how many flags are set.
func count(flags []bool) (n int) {
	for len(flags) >= 8 {
		n += int(bit(flags[0]) + bit(flags[1]) + bit(flags[2]) + bit(flags[3]) +
			bit(flags[4]) + bit(flags[5]) + bit(flags[6]) + bit(flags[7]))
		flags = flags[8:]
	}
	for _, flag := range flags {
		n += int(bit(flag))
	}
	return n
}

// begin writes the entries that were only counted.
func (p *present) begin() {
	p.sparse = true
	at := 0
	for _, start := range p.starts {
		p.bits.ones(start - at)
		at = start
		p.marks = p.bits.position(p.marks)
	}
	p.bits.ones(p.ones - at)
}

// finish ends the stream.
func (p *present) finish() {
	p.bits.flush()
	p.stream.finish()
}

// group is the position where a row group starts; empty if there is no stream.
func (p *present) group(g, groups int) []uint64 {
	if !p.sparse {
		return nil
	}
	width := len(p.marks) / groups
	return p.marks[g*width : (g+1)*width]
}

func (p *present) held() int64 { return p.stream.held() + int64(8*(len(p.marks)+len(p.starts))) }

// reset forgets all entries, for the next stripe.
func (p *present) reset() {
	p.stream.reset()
	p.sparse, p.ones, p.starts, p.marks = false, 0, p.starts[:0], p.marks[:0]
}

package parquet

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"
	"math/bits"
)

// dictionary is the distinct values of a leaf, PLAIN, in the order in which they came: what
// its page will hold. A table with open addressing finds a value's index.
type dictionary struct {
	width  int // of a value; 0 for texts
	body   []byte
	ends   []uint32 // where each value ends in body; only for texts
	count  int
	places []place // a power of two of them, at most half of them taken
}

// place is a place of the table.
type place struct {
	hash  uint32
	index uint32 // plus 1; 0 if the place is free
}

const firstPlaces = 1 << 10

// seed is that of this process: what a dictionary holds does not depend on it.
var seed = maphash.MakeSeed()

// reset empties the dictionary and keeps the memory.
func (d *dictionary) reset() {
	d.body, d.ends, d.count = d.body[:0], d.ends[:0], 0
	clear(d.places)
}

// size is how many bytes are held.
func (d *dictionary) size() int {
	if d.count == 0 {
		return 0
	}
	return len(d.body) + 4*len(d.ends) + 8*len(d.places)
}

// bits is how many bits an index takes: one at least, as Arrow's reader wants to see indexes
// even if they are all 0.
func (d *dictionary) bits() uint { return uint(bits.Len(uint(max(d.count, 2) - 1))) }

// value is the i-th value, PLAIN.
func (d *dictionary) value(i uint32) []byte {
	if d.width > 0 {
		return d.body[int(i)*d.width : int(i+1)*d.width]
	}
	from := uint32(0)
	if i > 0 {
		from = d.ends[i-1]
	}
	return d.body[from:d.ends[i]]
}

// indexes appends the index of each of the values in plain.
func (d *dictionary) indexes(to []uint32, plain []byte) []uint32 {
	switch d.width {
	case 0:
		for len(plain) > 0 {
			n := 4 + int(binary.LittleEndian.Uint32(plain))
			to = append(to, d.index(uint32(maphash.Bytes(seed, plain[4:n])), plain[:n]))
			plain = plain[n:]
		}
	case 4:
		for ; len(plain) > 0; plain = plain[4:] {
			to = append(to, d.index(mix(uint64(binary.LittleEndian.Uint32(plain))), plain[:4]))
		}
	case 8:
		for ; len(plain) > 0; plain = plain[8:] {
			to = append(to, d.index(mix(binary.LittleEndian.Uint64(plain)), plain[:8]))
		}
	default:
		for ; len(plain) > 0; plain = plain[d.width:] {
			to = append(to, d.index(uint32(maphash.Bytes(seed, plain[:d.width])), plain[:d.width]))
		}
	}
	return to
}

// mix is a hash of a number.
func mix(x uint64) uint32 {
	hi, lo := bits.Mul64(x^0x9e3779b97f4a7c15, 0xd6e8feb86659fd93)
	return uint32(hi ^ lo)
}

// index finds a value or adds it.
func (d *dictionary) index(hash uint32, value []byte) uint32 {
	if 2*d.count >= len(d.places) {
		d.grow()
	}
	mask := uint32(len(d.places) - 1)
	for i := hash & mask; ; i = (i + 1) & mask {
		p := d.places[i]
		if p.index == 0 {
			d.places[i] = place{hash, uint32(d.count) + 1}
			return d.add(value)
		}
		if p.hash == hash && bytes.Equal(d.value(p.index-1), value) {
			return p.index - 1
		}
	}
}

func (d *dictionary) add(value []byte) uint32 {
	d.body = append(d.body, value...)
	if d.width == 0 {
		d.ends = append(d.ends, uint32(len(d.body)))
	}
	d.count++
	return uint32(d.count - 1)
}

// grow doubles the table.
func (d *dictionary) grow() {
	old := d.places
	d.places = make([]place, max(firstPlaces, 2*len(old)))
	mask := uint32(len(d.places) - 1)
	for _, p := range old {
		if p.index == 0 {
			continue
		}
		i := p.hash & mask
		for d.places[i].index != 0 {
			i = (i + 1) & mask
		}
		d.places[i] = p
	}
}

// expand appends the values that indexes stand for, PLAIN.
func (d *dictionary) expand(to []byte, indexes []uint32) []byte {
	for _, i := range indexes {
		to = append(to, d.value(i)...)
	}
	return to
}

package orc

import (
	"bytes"
	"hash/maphash"
	"slices"
)

// dictionary numbers distinct strings, and keeps the numbers of all that were added.
type dictionary struct {
	texts texts // the distinct ones
	ids   []uint32
	seed  maphash.Seed
	slots []slot // by hash; a power of two of them
}

// slot is a place for a string: its hash, and its number plus one.
type slot struct{ hash, id uint32 }

// minSlots is how many slots a dictionary has at first.
const minSlots = 64

func newDictionary() *dictionary {
	return &dictionary{seed: maphash.MakeSeed(), slots: make([]slot, minSlots)}
}

// add numbers the values from one to another.
func (d *dictionary) add(t texts, from, to int) {
	at := t.start(from)
	for _, end := range t.ends[from:to] {
		d.ids = append(d.ids, d.number(t.bytes[at:end]))
		at = end
	}
}

// number is that of a string, which is kept if it is new.
func (d *dictionary) number(v []byte) uint32 {
	hash := uint32(maphash.Bytes(d.seed, v))
	mask := uint32(len(d.slots) - 1)
	for i := hash & mask; ; i = (i + 1) & mask {
		s := d.slots[i]
		if s.id == 0 {
			return d.insert(i, hash, v)
		}
		if s.hash == hash && bytes.Equal(d.texts.at(int(s.id-1)), v) {
			return s.id - 1
		}
	}
}

// insert keeps a new string in a free slot.
func (d *dictionary) insert(at, hash uint32, v []byte) uint32 {
	d.texts.add(v)
	n := uint32(len(d.texts.ends))
	d.slots[at] = slot{hash, n}
	if int(n) > len(d.slots)/4*3 {
		d.grow()
	}
	return n - 1
}

func (d *dictionary) grow() {
	old := d.slots
	d.slots = make([]slot, 2*len(old))
	mask := uint32(len(d.slots) - 1)
	for _, s := range old {
		if s.id == 0 {
			continue
		}
		i := s.hash & mask
		for d.slots[i].id != 0 {
			i = (i + 1) & mask
		}
		d.slots[i] = s
	}
}

// sorted is the numbers in the order of the strings' bytes, and the place of each in it.
func (d *dictionary) sorted() (order, ranks []uint32) {
	order, ranks = make([]uint32, len(d.texts.ends)), make([]uint32, len(d.texts.ends))
	for i := range order {
		order[i] = uint32(i)
	}
	slices.SortFunc(order, func(a, b uint32) int {
		return bytes.Compare(d.texts.at(int(a)), d.texts.at(int(b)))
	})
	for rank, id := range order {
		ranks[id] = uint32(rank)
	}
	return order, ranks
}

func (d *dictionary) held() int64 {
	return int64(len(d.texts.bytes) + 4*len(d.texts.ends) + 4*len(d.ids))
}

// reset forgets all, for the next stripe.
func (d *dictionary) reset() {
	d.texts.reset()
	d.ids = d.ids[:0]
	clear(d.slots)
}

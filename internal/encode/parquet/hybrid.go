package parquet

import "encoding/binary"

// hybrid encodes small integers, levels or indexes, as Parquet's RLE encoding: runs of one
// value, and between them values packed into bits.
//
//	run:    varint(count << 1) | the value, in as many bytes as the width needs
//	packed: varint(groups << 1 | 1) | groups of 8 values, lowest bits first
//
// Values are looked at in groups of 8: a group of one value begins or goes on with a run,
// any other is packed. So what is held grows with what changes, not with what is added.
type hybrid struct {
	out     []byte
	width   uint // bits of a value; 0 if there is only one, and then nothing is written
	group   [8]uint32
	pending int    // values in group
	run     uint32 // the value of the run
	length  int    // of the run, a multiple of 8; 0 without one
	header  int    // where the header of the open packed groups is in out
	packed  int    // how many groups are open
}

// maxPacked is how many groups are packed under one header, so that it takes one byte.
const maxPacked = 63

// reset starts anew and keeps the memory.
func (h *hybrid) reset(width uint) { *h = hybrid{out: h.out[:0], width: width} }

// size is about how many bytes are held.
func (h *hybrid) size() int { return len(h.out) }

// levels adds values of at most 8 bits.
func (h *hybrid) levels(l []uint8) {
	if h.width == 0 {
		return
	}
	for h.pending != 0 && len(l) > 0 {
		h.one(uint32(l[0]))
		l = l[1:]
	}
	const each = 0x0101010101010101
	for len(l) >= 8 {
		eight := binary.LittleEndian.Uint64(l)
		if v := l[0]; eight == uint64(v)*each {
			h.extend(uint32(v), 8)
		} else {
			h.packLevels(eight)
		}
		l = l[8:]
	}
	for _, v := range l {
		h.one(uint32(v))
	}
}

// indexes adds values of any width.
func (h *hybrid) indexes(v []uint32) {
	if h.width == 0 {
		return
	}
	for h.pending != 0 && len(v) > 0 {
		h.one(v[0])
		v = v[1:]
	}
	for len(v) >= 8 {
		h.eight((*[8]uint32)(v))
		v = v[8:]
	}
	for _, x := range v {
		h.one(x)
	}
}

// one adds a value to the group that is being filled.
func (h *hybrid) one(v uint32) {
	h.group[h.pending] = v
	h.pending++
	if h.pending == 8 {
		h.pending = 0
		h.eight(&h.group)
	}
}

// eight adds a group.
func (h *hybrid) eight(g *[8]uint32) {
	v := g[0]
	if (g[1]^v)|(g[2]^v)|(g[3]^v)|(g[4]^v)|(g[5]^v)|(g[6]^v)|(g[7]^v) == 0 {
		h.extend(v, 8)
		return
	}
	h.endRun()
	h.pack(g)
}

// extend goes on with a run, or ends it and begins one.
func (h *hybrid) extend(v uint32, n int) {
	if h.length == 0 || h.run != v {
		h.endRun()
		h.run = v
	}
	h.length += n
}

// endRun writes the run, if there is one. A run of a single group that follows packed ones
// is packed with them: that is shorter.
func (h *hybrid) endRun() {
	n := h.length
	if n == 0 {
		return
	}
	h.length = 0
	if n == 8 && h.packed > 0 && h.packed < maxPacked {
		v := h.run
		h.pack(&[8]uint32{v, v, v, v, v, v, v, v})
		return
	}
	h.writeRun(n)
}

func (h *hybrid) writeRun(n int) {
	h.packed = 0
	h.out = binary.AppendUvarint(h.out, uint64(n)<<1)
	for bits := uint(0); bits < h.width; bits += 8 {
		h.out = append(h.out, byte(h.run>>bits))
	}
}

// open makes room for a packed group.
func (h *hybrid) open() {
	if h.packed == 0 || h.packed == maxPacked {
		h.header, h.packed = len(h.out), 0
		h.out = append(h.out, 0)
	}
	h.packed++
	h.out[h.header] = byte(h.packed<<1 | 1)
}

// pack writes a group of any values.
func (h *hybrid) pack(g *[8]uint32) {
	h.open()
	var bits uint64
	var have uint
	for _, v := range g {
		bits |= uint64(v) << have
		for have += h.width; have >= 8; have -= 8 {
			h.out = append(h.out, byte(bits))
			bits >>= 8
		}
	}
}

// packLevels writes a group of values of at most 8 bits, one in each byte of eight.
func (h *hybrid) packLevels(eight uint64) {
	h.endRun()
	h.open()
	var bits uint64
	if h.width == 1 {
		// Byte i is 0 or 1; the product moves it to bit 56+i, and nothing else goes there.
		bits = eight * 0x0102040810204080 >> 56
	} else {
		for i := range uint(8) {
			bits |= eight >> (8 * i) & 0xff << (h.width * i)
		}
	}
	for range h.width {
		h.out = append(h.out, byte(bits))
		bits >>= 8
	}
}

// finish ends the encoding and returns it. The last group may be a part of one: as a run it
// is exact, packed it is filled with zeros, which readers that know the count pass over.
func (h *hybrid) finish() []byte {
	if n := h.pending; n > 0 {
		if h.length > 0 && h.rest(h.run) {
			h.length += n
			h.pending = 0
		}
	}
	if h.length%8 != 0 {
		h.writeRun(h.length)
		h.length = 0
	}
	h.endRun()
	if n := h.pending; n > 0 {
		h.finishGroup(n)
	}
	return h.out
}

// rest reports whether all values of the open group are v.
func (h *hybrid) rest(v uint32) bool {
	for _, x := range h.group[:h.pending] {
		if x != v {
			return false
		}
	}
	return true
}

func (h *hybrid) finishGroup(n int) {
	if h.rest(h.group[0]) {
		h.run = h.group[0]
		h.writeRun(n)
	} else {
		clear(h.group[n:])
		h.pack(&h.group)
	}
	h.pending = 0
}

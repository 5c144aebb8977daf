package orc

// Bounds of byte runs and of RLEv1 (sections 5.1 and 5.3).
const (
	minRepeat   = 3
	maxRepeat   = 130
	maxLiterals = 128
)

// byteRuns is the encoder of byte RLE (section 5.1).
type byteRuns struct {
	out      *stream
	n        int  // values that are pending
	repeat   bool // they are all lit[0]
	tail     int  // else, how many at the end are the same
	lit      [maxLiterals]byte
	assembly [maxLiterals + 1]byte
}

// put adds a value.
func (r *byteRuns) put(v byte) {
	switch {
	case r.n == 0:
		r.lit[0], r.n, r.tail = v, 1, 1
	case r.repeat && v == r.lit[0]:
		if r.n++; r.n == maxRepeat {
			r.flush()
		}
	case r.repeat:
		r.flush()
		r.lit[0], r.n, r.tail = v, 1, 1
	default:
		r.literal(v)
	}
}

// literal adds a value behind literals.
func (r *byteRuns) literal(v byte) {
	if v != r.lit[r.n-1] {
		r.tail = 0
	}
	if r.tail++; r.tail == minRepeat {
		if r.n -= minRepeat - 1; r.n > 0 {
			r.flush()
		}
		r.lit[0], r.n, r.repeat = v, minRepeat, true
		return
	}
	r.lit[r.n] = v
	if r.n++; r.n == maxLiterals {
		r.flush()
	}
}

// flush writes what is pending.
func (r *byteRuns) flush() {
	if r.n == 0 {
		return
	}
	group := r.assembly[:0]
	if r.repeat {
		group = append(group, byte(r.n-minRepeat), r.lit[0])
	} else {
		group = append(append(group, byte(-r.n)), r.lit[:r.n]...)
	}
	r.out.write(group)
	r.n, r.repeat = 0, false
}

func (r *byteRuns) position(at []uint64) []uint64 {
	return append(r.out.position(at), uint64(r.n))
}

// bitRuns is the encoder of boolean RLE (section 5.2).
type bitRuns struct {
	bytes byteRuns
	last  byte // the byte that is not full yet, its bits from the top
	used  int  // bits in it
}

// put adds a bit, which is 0 or 1.
func (r *bitRuns) put(bit byte) {
	r.last |= bit << (7 - r.used)
	if r.used++; r.used == 8 {
		r.bytes.put(r.last)
		r.last, r.used = 0, 0
	}
}

// flags adds a bit for each flag.
func (r *bitRuns) flags(f []bool) {
	for r.used != 0 && len(f) > 0 {
		r.put(bit(f[0]))
		f = f[1:]
	}
	for len(f) >= 8 {
		r.bytes.put(bit(f[0])<<7 | bit(f[1])<<6 | bit(f[2])<<5 | bit(f[3])<<4 |
			bit(f[4])<<3 | bit(f[5])<<2 | bit(f[6])<<1 | bit(f[7]))
		f = f[8:]
	}
	for _, flag := range f {
		r.put(bit(flag))
	}
}

// values adds a bit for each value, which is 0 or 1.
func (r *bitRuns) values(v []int64) {
	for r.used != 0 && len(v) > 0 {
		r.put(byte(v[0]))
		v = v[1:]
	}
	for len(v) >= 8 {
		r.bytes.put(byte(v[0]<<7 | v[1]<<6 | v[2]<<5 | v[3]<<4 | v[4]<<3 | v[5]<<2 | v[6]<<1 | v[7]))
		v = v[8:]
	}
	for _, value := range v {
		r.put(byte(value))
	}
}

// ones adds n set bits.
func (r *bitRuns) ones(n int) {
	for ; n > 0 && (r.used != 0 || n < 8); n-- {
		r.put(1)
	}
	for ; n >= 8; n -= 8 {
		r.bytes.put(0xff)
	}
	for ; n > 0; n-- {
		r.put(1)
	}
}

func bit(flag bool) byte {
	if flag {
		return 1
	}
	return 0
}

// flush writes what is pending; bits that are missing to the last byte are 0.
func (r *bitRuns) flush() {
	if r.used > 0 {
		r.bytes.put(r.last)
		r.last, r.used = 0, 0
	}
	r.bytes.flush()
}

// position appends that of the bytes and the bits used of the next one.
func (r *bitRuns) position(at []uint64) []uint64 {
	return append(r.bytes.position(at), uint64(r.used))
}

package orc

import (
	"encoding/binary"
	"math"
)

// integers is the encoder of an integer stream, in either generation of run lengths.
type integers interface {
	write(vals []int64)
	// repeat adds n times the same value.
	repeat(v int64, n int)
	// flush writes what is pending.
	flush()
	// position appends that of the stream and how many values are pending.
	position(at []uint64) []uint64
}

// newIntegers returns the encoder for the version of a file.
func newIntegers(out *stream, signed bool, v Version) integers {
	if v == V0_11 {
		return &runs1{out: out, signed: signed}
	}
	return &runs2{out: out, signed: signed}
}

// runs1 is RLEv1 (section 5.3).
type runs1 struct {
	out      *stream
	signed   bool
	n        int   // values that are pending
	repeated bool  // they start with lit[0] and differ by delta
	delta    int64 // of the last two values
	tail     int   // how many at the end differ by delta
	lit      [maxLiterals]int64
	assembly []byte
}

func (r *runs1) write(vals []int64) {
	for _, v := range vals {
		r.put(v)
	}
}

func (r *runs1) repeat(v int64, n int) {
	for range n {
		r.put(v)
	}
}

func (r *runs1) put(v int64) {
	switch {
	case r.n == 0:
		r.lit[0], r.n, r.tail = v, 1, 1
	case r.repeated && r.continues(v, r.lit[0]+r.delta*int64(r.n-1)):
		if r.n++; r.n == maxRepeat {
			r.flush()
		}
	case r.repeated:
		r.flush()
		r.lit[0], r.n, r.tail = v, 1, 1
	default:
		r.literal(v)
	}
}

// continues reports whether v is the last value and delta more.
func (r *runs1) continues(v, last int64) bool {
	d, ok := difference(v, last)
	return ok && d == r.delta
}

// literal adds a value behind literals.
func (r *runs1) literal(v int64) {
	if r.tail > 1 && r.continues(v, r.lit[r.n-1]) {
		r.tail++
	} else {
		var ok bool
		r.delta, ok = difference(v, r.lit[r.n-1])
		r.tail = 1
		if ok && r.delta >= math.MinInt8 && r.delta <= math.MaxInt8 {
			r.tail = 2
		}
	}
	if r.tail == minRepeat {
		r.n -= minRepeat - 1
		first := r.lit[r.n]
		r.flush()
		r.lit[0], r.n, r.repeated = first, minRepeat, true
		return
	}
	r.lit[r.n] = v
	if r.n++; r.n == maxLiterals {
		r.flush()
	}
}

func (r *runs1) flush() {
	if r.n == 0 {
		return
	}
	group := r.assembly[:0]
	if r.repeated {
		group = append(group, byte(r.n-minRepeat), byte(r.delta))
		group = r.varint(group, r.lit[0])
	} else {
		group = append(group, byte(-r.n))
		for _, v := range r.lit[:r.n] {
			group = r.varint(group, v)
		}
	}
	r.out.write(group)
	r.assembly, r.n, r.repeated = group, 0, false
}

func (r *runs1) varint(dst []byte, v int64) []byte { return appendVarint(dst, v, r.signed) }

func (r *runs1) position(at []uint64) []uint64 { return append(r.out.position(at), uint64(r.n)) }

// appendVarint adds a varint, in zigzag if values may be negative.
func appendVarint(dst []byte, v int64, signed bool) []byte {
	if signed {
		return binary.AppendUvarint(dst, zigzag(v))
	}
	return binary.AppendUvarint(dst, uint64(v))
}

// difference is a - b, and whether it fits.
func difference(a, b int64) (int64, bool) {
	d := a - b
	return d, (a^b)&(a^d) >= 0
}

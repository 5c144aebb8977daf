package serde

import (
	"bytes"
	"hash/maphash"
	"math"

	"hydrant/internal/column"
)

// keys are the keys of one object, counted from behind: the last is 1.
type keys interface {
	hash(seed maphash.Seed, i int) uint64
	same(i, j int) bool
}

// fewKeys is up to how many keys each is compared with each.
const fewKeys = 6

// twins reports whether two of the last n keys are the same. The table is keyed with a seed,
// so that nobody can send keys that collide.
func twins[K keys](r *Reader, k K, n int) bool {
	if n <= fewKeys {
		for i := 2; i <= n; i++ {
			for j := 1; j < i; j++ {
				if k.same(i, j) {
					return true
				}
			}
		}
		return false
	}
	size := uint64(16)
	for size < 2*uint64(n) {
		size *= 2
	}
	if uint64(cap(r.table)) < size {
		r.table = make([]uint32, size)
	}
	table := r.table[:size]
	clear(table)
	for i := 1; i <= n; i++ {
		at := k.hash(r.seed, i) & (size - 1)
		for ; table[at] != 0; at = (at + 1) & (size - 1) {
			if k.same(i, int(table[at])) {
				return true
			}
		}
		table[at] = uint32(i)
	}
	return false
}

// keyVector are keys of maps in their vector. They are never null.
type keyVector struct{ v *column.Vector }

func (k keyVector) same(i, j int) bool {
	v := k.v
	switch v.Type.Kind {
	case column.String, column.Varchar, column.Char, column.Binary:
		return bytes.Equal(v.Value(len(v.Ends)-i), v.Value(len(v.Ends)-j))
	case column.Float, column.Double:
		return floatKey(v.Floats[len(v.Floats)-i]) == floatKey(v.Floats[len(v.Floats)-j])
	case column.Decimal:
		return v.Decimals[len(v.Decimals)-i] == v.Decimals[len(v.Decimals)-j]
	case column.Timestamp:
		if v.Nanos[len(v.Nanos)-i] != v.Nanos[len(v.Nanos)-j] {
			return false
		}
	}
	return v.Ints[len(v.Ints)-i] == v.Ints[len(v.Ints)-j]
}

func (k keyVector) hash(seed maphash.Seed, i int) uint64 {
	v := k.v
	switch v.Type.Kind {
	case column.String, column.Varchar, column.Char, column.Binary:
		return maphash.Bytes(seed, v.Value(len(v.Ends)-i))
	case column.Float, column.Double:
		return maphash.Comparable(seed, floatKey(v.Floats[len(v.Floats)-i]))
	case column.Decimal:
		return maphash.Comparable(seed, v.Decimals[len(v.Decimals)-i])
	}
	return maphash.Comparable(seed, v.Ints[len(v.Ints)-i])
}

// floatKey tells keys apart as Java does: all NaN are the same, and 0 is not -0.
func floatKey(f float64) uint64 {
	if f != f {
		return math.Float64bits(math.NaN())
	}
	return math.Float64bits(f)
}

// span is where a key stands in a rendered text.
type span struct{ from, to int }

// keySpans are keys of a rendered object.
type keySpans struct {
	text  []byte
	spans []span
}

func (k keySpans) key(i int) []byte {
	s := k.spans[len(k.spans)-i]
	return k.text[s.from:s.to]
}

func (k keySpans) same(i, j int) bool { return bytes.Equal(k.key(i), k.key(j)) }

func (k keySpans) hash(seed maphash.Seed, i int) uint64 { return maphash.Bytes(seed, k.key(i)) }

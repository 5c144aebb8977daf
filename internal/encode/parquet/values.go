package parquet

import (
	"encoding/binary"
	"math"
	"slices"

	"hydrant/internal/column"
)

// The PLAIN encoding. Each function appends the values from..to-1 of a vector to the open
// page, widens the bounds and assumes nothing but that the vector is of its kind.

// plain appends values of any kind.
func (l *leaf) plain(v *column.Vector, from, to int) {
	switch l.kind {
	case column.Boolean:
		l.booleans(v.Ints[from:to])
	case column.TinyInt, column.SmallInt, column.Int, column.Date:
		l.int32s(v.Ints[from:to])
	case column.BigInt:
		l.int64s(v.Ints[from:to])
	case column.Float:
		l.floats(v.Floats[from:to])
	case column.Double:
		l.doubles(v.Floats[from:to])
	case column.Decimal:
		l.decimals(v.Decimals[from:to])
	case column.Timestamp:
		l.timestamps(v.Ints[from:to], v.Nanos[from:to])
	default:
		l.texts(v, from, to)
	}
}

// grow lengthens the open page by n bytes and returns them.
func (l *leaf) grow(n int) []byte {
	have := len(l.values)
	l.values = slices.Grow(l.values, n)[:have+n]
	return l.values[have:]
}

// booleans packs values into bits, the lowest first.
func (l *leaf) booleans(values []int64) {
	for _, x := range values {
		if l.bits&7 == 0 {
			l.values = append(l.values, 0)
		}
		l.values[len(l.values)-1] |= byte(x) << (l.bits & 7)
		l.bits++
	}
	l.bounds.ints(values)
}

func (l *leaf) int32s(values []int64) {
	out := l.grow(4 * len(values))
	for i, x := range values {
		binary.LittleEndian.PutUint32(out[4*i:], uint32(x))
	}
	l.bounds.ints(values)
}

func (l *leaf) int64s(values []int64) {
	out := l.grow(8 * len(values))
	for i, x := range values {
		binary.LittleEndian.PutUint64(out[8*i:], uint64(x))
	}
	l.bounds.ints(values)
}

func (l *leaf) floats(values []float64) {
	out := l.grow(4 * len(values))
	for i, x := range values {
		binary.LittleEndian.PutUint32(out[4*i:], math.Float32bits(float32(x)))
	}
	l.bounds.floats(values)
}

func (l *leaf) doubles(values []float64) {
	out := l.grow(8 * len(values))
	for i, x := range values {
		binary.LittleEndian.PutUint64(out[8*i:], math.Float64bits(x))
	}
	l.bounds.floats(values)
}

// decimals writes two's complement integers, the highest byte first.
func (l *leaf) decimals(values []column.Int128) {
	width := l.width
	out := l.grow(width * len(values))
	for _, x := range values {
		putDecimal(out[:width], x)
		out = out[width:]
	}
	l.bounds.decimals(values)
}

// putDecimal writes the lowest bytes of x.
func putDecimal(out []byte, x column.Int128) {
	var all [16]byte
	binary.BigEndian.PutUint64(all[:], uint64(x.Hi))
	binary.BigEndian.PutUint64(all[8:], x.Lo)
	copy(out, all[16-len(out):])
}

const (
	secondsPerDay = 24 * 60 * 60
	julianEpoch   = 2_440_588 // the Julian day number of 1970-01-01
)

// timestamps writes INT96: the nanoseconds of the day and the Julian day number, of UTC. Days
// that 32 bits cannot count, 5.8 million years away, become the last ones.
func (l *leaf) timestamps(seconds []int64, nanos []int32) {
	out := l.grow(12 * len(seconds))
	for i, s := range seconds {
		day := s / secondsPerDay
		s -= day * secondsPerDay
		if s < 0 {
			s += secondsPerDay
			day--
		}
		day = min(max(day, math.MinInt32-julianEpoch), math.MaxInt32-julianEpoch)
		binary.LittleEndian.PutUint64(out[12*i:], uint64(s*1_000_000_000+int64(nanos[i])))
		binary.LittleEndian.PutUint32(out[12*i+8:], uint32(day+julianEpoch))
	}
}

// texts writes strings or bytes behind their lengths. If they go into a dictionary, only those
// that are new to it will be looked at for the bounds.
func (l *leaf) texts(v *column.Vector, from, to int) {
	if from == to {
		return
	}
	out := l.grow(4*(to-from) + textSize(v, from, to))
	start := uint32(0)
	if from > 0 {
		start = v.Ends[from-1]
	}
	for _, end := range v.Ends[from:to] {
		n := end - start
		binary.LittleEndian.PutUint32(out, n)
		copy(out[4:], v.Bytes[start:end])
		if !l.coded {
			l.bounds.text(v.Bytes, start, end)
		}
		out, start = out[4+n:], end
	}
}

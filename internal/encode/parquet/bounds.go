package parquet

import (
	"bytes"
	"encoding/binary"
	"math"

	"github.com/parquet-go/parquet-go/format"

	"hydrant/internal/column"
)

// bounds are the smallest and the largest value of a column chunk, in the order that the
// format defines for its type. There is none for INT96.
type bounds struct {
	kind column.Kind

	minInt, maxInt     int64 // min is above max if there was no value
	minFloat, maxFloat float64
	minDec, maxDec     column.Int128

	// Texts and bytes, in unsigned order of bytes. What lies between the two shares the bytes
	// they share, and the 8 bytes behind those, as a number, decide most comparisons.
	some             bool
	minText, maxText []byte
	shared           int
	minHead, maxHead uint64
}

// reset forgets the values.
func (b *bounds) reset() {
	*b = bounds{
		kind:   b.kind,
		minInt: math.MaxInt64, maxInt: math.MinInt64,
		minFloat: math.Inf(1), maxFloat: math.Inf(-1),
		minDec: column.Int128{Hi: math.MaxInt64, Lo: math.MaxUint64}, maxDec: column.Int128{Hi: math.MinInt64},
		minText: b.minText[:0], maxText: b.maxText[:0],
	}
}

func (b *bounds) ints(values []int64) {
	lo, hi := b.minInt, b.maxInt
	for _, x := range values {
		lo, hi = min(lo, x), max(hi, x)
	}
	b.minInt, b.maxInt = lo, hi
}

// floats leaves NaN out, as the format says: no comparison with one is true.
func (b *bounds) floats(values []float64) {
	lo, hi := b.minFloat, b.maxFloat
	for _, x := range values {
		if x < lo {
			lo = x
		}
		if x > hi {
			hi = x
		}
	}
	b.minFloat, b.maxFloat = lo, hi
}

func (b *bounds) decimals(values []column.Int128) {
	lo, hi := b.minDec, b.maxDec
	for _, x := range values {
		if below(x, lo) {
			lo = x
		}
		if below(hi, x) {
			hi = x
		}
	}
	b.minDec, b.maxDec = lo, hi
}

func below(a, b column.Int128) bool { return a.Hi < b.Hi || a.Hi == b.Hi && a.Lo < b.Lo }

// text takes the bytes start..end-1 of all into account.
func (b *bounds) text(all []byte, start, end uint32) {
	t := all[start:end]
	if b.some && len(t) >= b.shared && string(t[:b.shared]) == string(b.minText[:b.shared]) {
		h := head(all, start+uint32(b.shared), end)
		if h > b.minHead && h < b.maxHead || len(t) == b.shared && len(b.maxText) == b.shared {
			return
		}
	}
	lower := !b.some || bytes.Compare(t, b.minText) < 0
	higher := !b.some || bytes.Compare(t, b.maxText) > 0
	if lower {
		b.minText = append(b.minText[:0], t...)
	}
	if higher {
		b.maxText = append(b.maxText[:0], t...)
	}
	if lower || higher {
		b.heads()
	}
	b.some = true
}

// heads looks at the bounds anew, when one of them has changed.
func (b *bounds) heads() {
	n, most := 0, min(len(b.minText), len(b.maxText))
	for n < most && b.minText[n] == b.maxText[n] {
		n++
	}
	b.shared = n
	b.minHead = head(b.minText, uint32(n), uint32(len(b.minText)))
	b.maxHead = head(b.maxText, uint32(n), uint32(len(b.maxText)))
}

// head is the first 8 bytes of a text, as if zeros followed it.
func head(all []byte, start, end uint32) uint64 {
	n := end - start
	if uint64(start)+8 <= uint64(len(all)) {
		h := binary.BigEndian.Uint64(all[start:])
		if n < 8 {
			h &^= math.MaxUint64 >> (8 * n)
		}
		return h
	}
	var few [8]byte
	copy(few[:], all[start:end])
	return binary.BigEndian.Uint64(few[:])
}

// maxBoundBytes is how long a text in the statistics may be, as with parquet-mr. The format
// of parquet-go has no flag for bounds that were cut.
const maxBoundBytes = 4096

// statistics are the bounds as the footer has them. Types whose order is that of signed
// numbers have them in the old fields too, for old readers.
func (b *bounds) statistics(physical format.Type, width int, nulls int64) format.Statistics {
	s := format.Statistics{NullCount: nulls}
	switch b.kind {
	case column.Timestamp:
	case column.String, column.Varchar, column.Char, column.Binary:
		if b.some && len(b.minText) <= maxBoundBytes && len(b.maxText) <= maxBoundBytes {
			s.MinValue = append([]byte{}, b.minText...)
			s.MaxValue = append([]byte{}, b.maxText...)
		}
	case column.Decimal:
		if !below(b.maxDec, b.minDec) {
			s.MinValue, s.MaxValue = make([]byte, width), make([]byte, width)
			putDecimal(s.MinValue, b.minDec)
			putDecimal(s.MaxValue, b.maxDec)
		}
	default:
		s.MinValue, s.MaxValue = b.numbers(physical)
		s.Min, s.Max = s.MinValue, s.MaxValue
	}
	return s
}

// numbers are the bounds of fixed width; nil if there was no value.
func (b *bounds) numbers(physical format.Type) (lo, hi []byte) {
	switch physical {
	case format.Float, format.Double:
		if b.minFloat > b.maxFloat {
			return nil, nil
		}
		return b.zeros(physical)
	}
	if b.minInt > b.maxInt {
		return nil, nil
	}
	switch physical {
	case format.Boolean:
		return []byte{byte(b.minInt)}, []byte{byte(b.maxInt)}
	case format.Int32:
		return le32(uint32(b.minInt)), le32(uint32(b.maxInt))
	}
	return le64(uint64(b.minInt)), le64(uint64(b.maxInt))
}

// zeros are the bounds of floats. Zeros compare equal but are not: as bounds they take the
// sign that takes both in.
func (b *bounds) zeros(physical format.Type) (lo, hi []byte) {
	low, high := b.minFloat, b.maxFloat
	if low == 0 {
		low = math.Copysign(0, -1)
	}
	if high == 0 {
		high = 0
	}
	if physical == format.Float {
		return le32(math.Float32bits(float32(low))), le32(math.Float32bits(float32(high)))
	}
	return le64(math.Float64bits(low)), le64(math.Float64bits(high))
}

func le32(x uint32) []byte { return binary.LittleEndian.AppendUint32(nil, x) }
func le64(x uint64) []byte { return binary.LittleEndian.AppendUint64(nil, x) }

package orc

import (
	"encoding/binary"
	"math/bits"
)

// The kinds of runs, as they stand in the two top bits of a run's first byte.
const (
	runDirect  = 0x40
	runPatched = 0x80
	runDelta   = 0xc0
)

// header starts a run: kind, code of a width, and length.
func (r *runs2) header(kind, code byte, n int) []byte {
	return append(r.assembly[:0], kind|code<<1|byte((n-1)>>8), byte(n-1))
}

// emit writes a run and keeps its memory.
func (r *runs2) emit(run []byte) {
	r.out.write(run)
	r.assembly = run
}

// shortRepeat writes the pending values, which are 3 to 10 equal ones.
func (r *runs2) shortRepeat() {
	v := uint64(r.lit[0])
	if r.signed {
		v = zigzag(r.lit[0])
	}
	size := max((bits.Len64(v)+7)/8, 1)
	run := append(r.assembly[:0], byte(size-1)<<3|byte(r.n-minRepeat))
	r.emit(appendBig(run, v, size))
}

// appendBig appends the low bytes of v, the highest first.
func appendBig(dst []byte, v uint64, size int) []byte {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], v)
	return append(dst, b[8-size:]...)
}

// direct writes values that fit the width.
func (r *runs2) direct(vals []int64, width int) {
	width = aligned(width)
	if r.signed && width >= 8 {
		r.emit(packZigzag(r.header(runDirect, widthCode(width), len(vals)), vals, width))
		return
	}
	if r.signed {
		for i, v := range vals {
			vals[i] = int64(zigzag(v))
		}
	}
	r.emit(pack(r.header(runDirect, widthCode(width), len(vals)), vals, width))
}

// fixedDelta writes n values that differ by delta.
func (r *runs2) fixedDelta(first, delta int64, n int) {
	run := appendVarint(r.header(runDelta, 0, n), first, r.signed)
	r.emit(appendVarint(run, delta, true))
}

// monotonic writes values that never fall, or never rise, in the kind that suits them.
func (r *runs2) monotonic(vals []int64) {
	n := len(vals)
	low, high := min(vals[0], vals[n-1]), max(vals[0], vals[n-1])
	if _, fits := difference(high, low); !fits {
		r.unordered(vals, low, high)
		return
	}
	first, most, fixed := steps(vals)
	switch {
	case fixed:
		r.fixedDelta(vals[0], first, n)
	case first != 0:
		r.delta(vals, first, most)
	default:
		r.unordered(vals, low, high)
	}
}

// unordered writes values between the bounds, whose differences are no use.
func (r *runs2) unordered(vals []int64, low, high int64) {
	width := r.widthOf(low, high)
	if _, fits := difference(high, low); !fits || r.even(vals, width) {
		r.direct(vals, width)
		return
	}
	r.patchedOrDirect(vals, low, width)
}

// steps are the first difference of monotonic values, the largest of the others without its
// sign, and whether all are the same.
func steps(vals []int64) (first, most int64, fixed bool) {
	first, fixed = vals[1]-vals[0], true
	for i := 2; i < len(vals); i++ {
		d := vals[i] - vals[i-1]
		fixed = fixed && d == first
		most = max(most, d, -d)
	}
	return first, most, fixed
}

// delta writes monotonic values by their differences.
func (r *runs2) delta(vals []int64, first, most int64) {
	width := max(aligned(widthOf(uint64(most))), 2) // code 0, of width 1, stands for fixed deltas
	run := appendVarint(r.header(runDelta, widthCode(width), len(vals)), vals[0], r.signed)
	run = appendVarint(run, first, true)
	last := vals[1]
	for i, v := range vals[2:] {
		d := v - last
		vals[i], last = max(d, -d), v
	}
	r.emit(pack(run, vals[:len(vals)-2], width))
}

// percentile is the width that a share q of the values fit (step 5 of section 5.4).
func percentile(histogram *[65]int, n int, q float64) int {
	left := share(n, q)
	for width := 64; width > 0; width-- {
		if left -= histogram[width]; left < 0 {
			return width
		}
	}
	return 0
}

// maxBase bounds the base of patched runs: with the sign it has to fit eight bytes.
const maxBase = 1 << 56

// patchedOrDirect writes a run with patches for few large values, if these are much larger.
func (r *runs2) patchedOrDirect(vals []int64, low int64, width int) {
	var histogram [65]int
	for _, v := range vals {
		histogram[widthOf(uint64(v-low))]++
	}
	most, all := percentile(&histogram, len(vals), 0.95), percentile(&histogram, len(vals), 1.0)
	if most == all || low >= maxBase || low <= -maxBase {
		r.direct(vals, width)
		return
	}
	for i := range vals {
		vals[i] -= low
	}
	r.patched(vals, low, most, all)
}

// patched writes values of which most fit the width; the others are patched to the width of
// all. Values are without their base.
func (r *runs2) patched(vals []int64, base int64, width, all int) {
	patchWidth := closest(all - width)
	if patchWidth == 64 { // no room would be left for the gap
		patchWidth, width = 56, 8
	}
	gapWidth := r.gapWidth(vals, width)
	negative := base < 0
	size := uint64(max(base, -base))
	baseBytes := (widthOf(size) + 1 + 7) / 8
	if negative {
		size |= 1 << (8*baseBytes - 1)
	}
	run := r.header(runPatched, widthCode(width), len(vals))
	run = append(run, byte(baseBytes-1)<<5|widthCode(patchWidth), byte(gapWidth-1)<<5)
	run = pack(appendBig(run, size, baseBytes), vals, width)
	var room [maxPatches]int64
	list := patches(room[:0], vals, width, patchWidth)
	run[3] |= byte(len(list))
	r.emit(pack(run, list, closest(gapWidth+patchWidth)))
}

const (
	maxGap     = 255
	maxPatches = 32 // one in twenty of 512, and two for gaps
)

// gapWidth is the width for the largest gap between values that do not fit.
func (r *runs2) gapWidth(vals []int64, width int) int {
	most, last := 0, 0
	for i, v := range vals {
		if uint64(v)>>width != 0 {
			most, last = max(most, i-last), i
		}
	}
	return min(widthOf(uint64(most)), 8)
}

// patches are the bits that do not fit the width, each behind the gap since the last. Large
// gaps are split.
func patches(list []int64, vals []int64, width, patchWidth int) []int64 {
	last := 0
	for i, v := range vals {
		patch := uint64(v) >> width
		if patch == 0 {
			continue
		}
		gap := i - last
		for ; gap > maxGap; gap -= maxGap {
			list = append(list, maxGap<<patchWidth)
		}
		list = append(list, int64(uint64(gap)<<patchWidth|patch))
		last = i
	}
	return list
}

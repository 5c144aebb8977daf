package orc

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"
)

// integersOf makes integers of bytes: each 9 are a width and a value cut to it.
func integersOf(b []byte) (vals []int64) {
	for ; len(b) >= 9; b = b[9:] {
		vals = append(vals, int64(binary.LittleEndian.Uint64(b[1:]))>>(b[0]%64))
	}
	return vals
}

// checkIntegers encodes values in both versions, and decodes them.
func checkIntegers(t *testing.T, vals []int64) {
	t.Helper()
	for _, version := range []Version{V0_11, V0_12} {
		for _, signed := range []bool{true, false} {
			if !signed && slices.ContainsFunc(vals, func(v int64) bool { return v < 0 }) {
				continue
			}
			s, _ := plain()
			r := newIntegers(s, signed, version)
			r.write(slices.Clone(vals))
			r.flush()
			got, err := decodeInts2(s.open, signed)
			if version == V0_11 {
				got, err = decodeInts1(s.open, signed, len(vals)+1)
			}
			if err != nil || !slices.Equal(got, vals) {
				t.Fatalf("version %d, signed %v: %v, %v; want %v", version, signed, got, err, vals)
			}
		}
	}
}

func FuzzIntegers(f *testing.F) {
	f.Add([]byte("123456789"))
	f.Add(make([]byte, 9*20))
	f.Fuzz(func(t *testing.T, b []byte) { checkIntegers(t, integersOf(b)) })
}

// Runs of all kinds come back: equal values, steps, rises and falls, few large values among
// small ones at any distance, and everything of everything.
func TestIntegersComeBack(t *testing.T) {
	kinds := map[byte]bool{}
	for seed := range uint64(300) {
		rnd := rand.New(rand.NewPCG(seed, 7))
		h := &habit{sort: int(seed % 7)}
		m := &maker{rnd: rnd}
		var vals []int64
		for range rnd.IntN(1200) {
			vals = append(vals, m.int(h, 1+rnd.IntN(63)))
		}
		if h.sort == 4 { // outliers in few places, which makes large gaps
			for i := range vals {
				vals[i] = rnd.Int64N(16) - 5
			}
			for range len(vals) / 300 {
				vals[rnd.IntN(len(vals))] = rnd.Int64() >> rnd.IntN(60)
			}
		}
		checkIntegers(t, vals)
		s, _ := plain()
		r := &runs2{out: s, signed: true}
		r.write(vals)
		if len(s.open) > 0 {
			kinds[s.open[0]>>6] = true
		}
	}
	if len(kinds) != 4 {
		t.Errorf("only runs of kinds %v came first", kinds)
	}
}

// Gaps of up to 511 values between patches are split as other writers do.
func TestGapsBetweenPatches(t *testing.T) {
	for _, at := range [][]int{{0}, {511}, {300}, {0, 255}, {0, 256}, {100, 400}, {0, 511}, {510, 511}} {
		vals := make([]int64, maxScope)
		for i := range vals {
			vals[i] = int64(i % 7)
		}
		// Enough wide values for the patches to be worth it, but for one width less.
		for i := range 60 {
			vals[(i*5+3)%maxScope] = int64(8 + i%7)
		}
		for _, i := range at {
			vals[i] = 1 << 40
		}
		s, _ := plain()
		r := &runs2{out: s}
		r.write(slices.Clone(vals))
		if got, err := decodeInts2(s.open, false); err != nil || !slices.Equal(got, vals) {
			t.Errorf("patches at %v: %v", at, err)
		}
		patched := slices.Clone(vals)
		s, _ = plain()
		r = &runs2{out: s}
		r.patched(patched, 0, 4, 41)
		if got, err := decodeInts2(s.open, false); err != nil || !slices.Equal(got, vals) {
			t.Errorf("patches at %v by force: %v", at, err)
		}
	}
}

func FuzzBytes(f *testing.F) {
	f.Add([]byte("aaaabcd"), 3)
	f.Fuzz(func(t *testing.T, b []byte, _ int) {
		s, _ := plain()
		r := byteRuns{out: s}
		for _, v := range b {
			r.put(v)
		}
		r.flush()
		if got, err := decodeBytes(s.open, len(b)+1); err != nil || !slices.Equal(got, b) {
			t.Fatalf("%x, %v; want %x", got, err, b)
		}
	})
}

// Whatever bytes are decoded, there are values or an error.
func FuzzDecoders(f *testing.F) {
	f.Add([]byte{0x8e, 0x13, 0x2b, 0x21, 7, 0xd0, 0x1e, 0, 0x14, 0x70}, true)
	f.Fuzz(func(t *testing.T, b []byte, signed bool) {
		if len(b) > 1<<12 {
			return
		}
		decodeInts2(b, signed)
		decodeInts1(b, signed, 1<<16)
		decodeBytes(b, 1<<16)
		decodeDecimals(b, 100)
	})
}

package orc

import (
	"encoding/hex"
	"math"
	"strings"
	"testing"
)

// plain is a stream without compression, and how to see what was written to it.
func plain() (*stream, func() string) {
	s := newStream(kindData, &codec{limit: 1 << 20})
	return s, func() string { return hex.EncodeToString(s.open) }
}

func unspaced(s string) string { return strings.ReplaceAll(s, " ", "") }

// repeated is n times v.
func repeated(n int, v int64) []int64 {
	vals := make([]int64, n)
	for i := range vals {
		vals[i] = v
	}
	return vals
}

// counted is from, from+step, … to.
func counted(from, to, step int64) (vals []int64) {
	for v := from; v != to+step; v += step {
		vals = append(vals, v)
	}
	return vals
}

// The vectors of section 15.1.
func TestByteRuns(t *testing.T) {
	for _, tt := range []struct {
		vals []int64
		want string
	}{
		{repeated(100, 0), "61 00"},
		{[]int64{0x44, 0x45}, "fe 44 45"},
		{[]int64{1, 2, 3, 3, 3, 3, 4}, "fe 01 02 01 03 ff 04"},
		{repeated(131, 7), "7f 07 ff 07"},
	} {
		s, written := plain()
		r := byteRuns{out: s}
		for _, v := range tt.vals {
			r.put(byte(v))
		}
		r.flush()
		if got := written(); got != unspaced(tt.want) {
			t.Errorf("%v: %s, want %s", tt.vals, got, tt.want)
		}
	}
}

// The vectors of section 15.1, added one by one, by eights and as a count.
func TestBitRuns(t *testing.T) {
	for _, tt := range []struct {
		vals []int64
		want string
	}{
		{[]int64{1, 0, 0, 0, 0, 0, 0, 0}, "ff 80"},
		{[]int64{1, 0, 1}, "ff a0"},
		{repeated(10, 1), "fe ff c0"},
		{repeated(40, 1), "02 ff"},
	} {
		for cut := range tt.vals {
			s, written := plain()
			r := bitRuns{bytes: byteRuns{out: s}}
			r.values(tt.vals[:cut])
			if len(tt.vals) > 9 {
				r.ones(len(tt.vals) - cut)
			} else {
				var flags []bool
				for _, v := range tt.vals[cut:] {
					flags = append(flags, v == 1)
				}
				r.flags(flags)
			}
			r.flush()
			if got := written(); got != unspaced(tt.want) {
				t.Errorf("%v cut at %d: %s, want %s", tt.vals, cut, got, tt.want)
			}
		}
	}
}

// runVector is a row of section 15.3 or 15.4.
type runVector struct {
	vals   []int64
	signed bool
	want   string
}

// The vectors of section 15.3.
func TestIntegersOfTheFirstVersion(t *testing.T) {
	checkRuns(t, V0_11, []runVector{
		{repeated(100, 7), false, "61 00 07"},
		{counted(100, 1, -1), false, "61 ff 64"},
		{[]int64{2, 3, 6, 7, 11}, false, "fb 02 03 06 07 0b"},
		{[]int64{1, 5, 2, 2, 2, 2}, false, "fe 01 05 01 00 02"},
		{[]int64{-1, 5, -70, 300}, true, "fc 01 0a 8b 01 d8 04"},
		{repeated(4, -5), true, "01 00 09"},
		// A delta that overflows ends the run.
		{[]int64{math.MaxInt64 - 2, math.MaxInt64 - 1, math.MaxInt64, math.MinInt64}, true,
			"00 01 fa ff ff ff ff ff ff ff ff 01 ff ff ff ff ff ff ff ff ff ff 01"},
	})
}

// outlier is a run with one large value.
func outlier(less int64) []int64 {
	vals := []int64{2030, 2000, 2020, 1000000}
	vals = append(vals, counted(2040, 2190, 10)...)
	for i := range vals {
		vals[i] -= less
	}
	return vals
}

// The vectors of section 15.4.
func TestIntegersOfTheSecondVersion(t *testing.T) {
	checkRuns(t, V0_12, []runVector{
		{repeated(5, 10000), false, "0a 27 10"},
		{repeated(4, -1), true, "01 01"},
		{repeated(3, math.MinInt64), true, "38 ff ff ff ff ff ff ff ff"},
		{[]int64{5}, false, "46 00 50"},
		{[]int64{7, 7}, false, "46 01 77"},
		{[]int64{0, 1, 0}, true, "42 02 20"},
		{[]int64{23713, 43806, 57005, 48879}, false, "5e 03 5c a1 ab 1e de ad be ef"},
		{[]int64{1, -2, 3, -400}, true, "5e 03 00 02 00 03 00 06 03 1f"},
		{[]int64{300, 5, 301, 6, 299}, false, "5e 04 01 2c 00 05 01 2d 00 06 01 2b"},
		{[]int64{math.MinInt64, math.MaxInt64, 0, 5}, true, "7e 03 ffffffffffffffff fffffffffffffffe 0000000000000000 000000000000000a"},
		{counted(1, 10, 1), false, "c0 09 01 02"},
		{counted(10, -2, -2), true, "c0 06 14 03"},
		{repeated(11, 42), false, "c0 0a 2a 00"},
		{repeated(512, 0), false, "c1 ff 00 00"},
		{repeated(600, 1), false, "c1 ff 01 00 c0 57 01 00"},
		{[]int64{2, 3, 5, 7, 11, 13, 17, 19, 23, 29}, false, "c6 09 02 02 22 42 42 46"},
		{[]int64{1, 2, 3, 3, 4, 4, 5}, false, "c2 06 01 02 44 40"},
		{[]int64{100, 97, 90, 89, 70}, true, "ce 04 c8 01 05 07 01 13"},
		{[]int64{1, 2, 3, 9, 9, 9, 9, 9, 4, 1}, false, "42 02 6c 02 09 46 01 41"},
		{outlier(0), false, "8e 13 2b 21 07 d0 1e 00 14 70 28 32 3c 46 50 5a 64 6e 78 82 8c 96 a0 aa b4 be fc e8"},
		{outlier(2010), true, "8e 13 0b 21 8a 1e 00 14 70 28 32 3c 46 50 5a 64 6e 78 82 8c 96 a0 aa b4 be fc e8"},
	})
}

// checkRuns encodes each vector at once, one by one, and by repeats.
func checkRuns(t *testing.T, v Version, vectors []runVector) {
	t.Helper()
	ways := map[string]func(integers, []int64){
		"at once": func(r integers, vals []int64) { r.write(vals) },
		"one by one": func(r integers, vals []int64) {
			for i := range vals {
				r.write(vals[i : i+1])
			}
		},
		"repeats": func(r integers, vals []int64) {
			for from := 0; from < len(vals); {
				to := from
				for to < len(vals) && vals[to] == vals[from] {
					to++
				}
				r.repeat(vals[from], to-from)
				from = to
			}
		},
	}
	for _, tt := range vectors {
		for name, way := range ways {
			s, written := plain()
			r := newIntegers(s, tt.signed, v)
			way(r, append([]int64(nil), tt.vals...))
			r.flush()
			if got := written(); got != unspaced(tt.want) {
				t.Errorf("%.60v %s: %s, want %s", tt.vals, name, got, tt.want)
			}
		}
	}
}

// Values of any width are packed as the unaligned vector of section 15.4.
func TestValuesArePackedFromTheTop(t *testing.T) {
	got := hex.EncodeToString(pack(nil, []int64{300, 5, 301, 6, 299}, 9))
	if want := unspaced("96 01 65 a0 69 58"); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

package orc

import (
	"math"
	"math/big"
	"slices"
	"strings"
	"testing"

	"hydrant/internal/column"
)

// typed is the typed message of column 1 of a file.
func typed(t *testing.T, f *orcFile, number int) parsed {
	t.Helper()
	m, err := parse(f.fileStats[1][number][0].bytes)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// Of long strings a bound is told, which is valid UTF-8 and on the right side (section 9).
func TestBoundsOfLongStrings(t *testing.T) {
	x := func(n int) string { return strings.Repeat("x", n) }
	for _, tt := range []struct{ text, lower, upper string }{
		{x(1023) + "yz", x(1023) + "y", x(1023) + "z"},
		{x(1023) + "äz", x(1023), x(1022) + "y"}, // the character does not fit
		{x(1021) + "\ud7ffz", x(1021) + "\ud7ff", x(1021) + "\ue000"},
		{x(1020) + "\U0010ffffz", x(1020) + "\U0010ffff", x(1019) + "y"},
		{x(1024), "", ""},
		{strings.Repeat("\U0010ffff", 300), strings.Repeat("\U0010ffff", 256), "none"},
	} {
		var s textStats
		v := texts{}
		v.add([]byte(tt.text))
		s.add(v, 0, 1)
		m, err := parse(s.message(nil))
		if err != nil {
			t.Fatal(err)
		}
		if m, err = parse(m[4][0].bytes); err != nil {
			t.Fatal(err)
		}
		text := func(number int) string {
			if !m.has(number) {
				return ""
			}
			return string(m[number][0].bytes)
		}
		want := []string{"", "", tt.lower, tt.upper}
		switch {
		case tt.lower == "":
			want = []string{tt.text, tt.text, "", ""}
		case tt.upper == "none":
			want[3] = ""
		}
		if got := []string{text(1), text(2), text(4), text(5)}; !slices.Equal(got, want) {
			t.Errorf("%d bytes that end in %q: %.20q, want %.20q", len(tt.text), tt.text[len(tt.text)-5:], got, want)
		}
	}
}

// The edges of strings are found though most are told by few bytes to be between them: strings
// that differ early or late, are each other's start, or have zeros at the end.
func TestEdgesOfStrings(t *testing.T) {
	for seed := range uint64(2000) {
		m := newMaker(seed)
		start := strings.Repeat("p", m.rnd.IntN(20))
		var v texts
		var all []string
		for range 1 + m.rnd.IntN(30) {
			text := start[:len(start)-m.rnd.IntN(len(start)/4+1)]
			for range m.rnd.IntN(12) {
				text += string("\x00\x01ab\x7f"[m.rnd.IntN(5)])
			}
			if b := []byte(text); len(all) > 0 && len(b) > 0 && m.rnd.IntN(2) == 0 { // one byte beside another
				b = append(b[:0], all[m.rnd.IntN(len(all))]...)
				if len(b) > 0 {
					b[m.rnd.IntN(len(b))]++
				}
				text = string(b)
			}
			all = append(all, text)
			v.add([]byte(text))
		}
		var s textStats
		cut := m.rnd.IntN(len(all))
		s.add(v, 0, cut)
		s.add(v, cut, len(all))
		if low, high := string(s.low.text), string(s.high.text); low != slices.Min(all) || high != slices.Max(all) {
			t.Fatalf("seed %d: %q to %q of %q", seed, low, high, all)
		}
	}
}

// A sum that overflowed is not told, nor any it is part of.
func TestSumsThatOverflow(t *testing.T) {
	b := single(t, "bigint", 30, func(v *column.Vector, i int) {
		v.Int([]int64{math.MaxInt64, 5, -7}[i/10])
	})
	f, stripes := opened(t, write(t, b.Schema, Options{RowIndexStride: 10}, b))
	if typed(t, f, 2).has(3) {
		t.Error("the file has a sum")
	}
	for g, want := range []bool{false, true, true} {
		m, err := parse(stripes[0].columns[1].groups[g].stats[2][0].bytes)
		if err != nil || m.has(3) != want {
			t.Errorf("group %d has a sum: %v, %v", g, m.has(3), err)
		}
	}
	most := int128(t, strings.Repeat("9", 38))
	b = single(t, "decimal(38,0)", 2, func(v *column.Vector, _ int) { v.Decimal(most) })
	if f, _ := opened(t, write(t, b.Schema, Options{}, b)); typed(t, f, 6).has(3) {
		t.Error("a decimal sum has 39 digits")
	}
	if tooLong(most) || !tooLong(fromBig(new(big.Int).Add(toBig(most), big.NewInt(1)))) {
		t.Error("38 digits are too long, or 39 are not")
	}
}

// A NaN makes the sum NaN, by which readers know.
func TestNaNIsToldByTheSum(t *testing.T) {
	b := single(t, "double", 3, func(v *column.Vector, i int) { v.Float([]float64{1, math.NaN(), 3}[i]) })
	f, _ := opened(t, write(t, b.Schema, Options{}, b))
	if sum := math.Float64frombits(typed(t, f, 3)[3][0].value); !math.IsNaN(sum) {
		t.Errorf("the sum is %v", sum)
	}
}

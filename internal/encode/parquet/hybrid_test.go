package parquet

import (
	"encoding/binary"
	"fmt"
	"slices"
	"testing"

	"github.com/parquet-go/parquet-go/encoding/rle"
	"pgregory.net/rapid"
)

// decodeHybrid reads n values as the format describes them.
func decodeHybrid(b []byte, width uint, n int) (values []uint32, err error) {
	for len(values) < n {
		h, size := binary.Uvarint(b)
		if size <= 0 {
			return values, fmt.Errorf("no header after %d values", len(values))
		}
		b = b[size:]
		if h&1 == 0 {
			var v uint32
			for i := range (width + 7) / 8 {
				v |= uint32(b[i]) << (8 * i)
			}
			b = b[(width+7)/8:]
			values = append(values, slices.Repeat([]uint32{v}, int(h>>1))...)
			continue
		}
		for i := range uint(h>>1) * 8 {
			var v uint32
			for bit := range width {
				at := i*width + bit
				v |= uint32(b[at/8]>>(at%8)&1) << bit
			}
			values = append(values, v)
		}
		b = b[uint(h>>1)*width:]
	}
	if len(b) > 0 {
		return values, fmt.Errorf("%d bytes too many", len(b))
	}
	return values[:n], nil
}

// Whether values come alone, repeated or as levels, and wherever groups of 8 are cut, they
// are the values that are read.
func TestHybridKeepsValues(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		width := uint(rapid.IntRange(1, 20).Draw(t, "width"))
		value := rapid.Uint32Range(0, 1<<width-1)
		var h hybrid
		h.reset(width)
		var want []uint32
		for range rapid.IntRange(0, 12).Draw(t, "steps") {
			v, n := value.Draw(t, "value"), rapid.IntRange(0, 40).Draw(t, "n")
			part := slices.Repeat([]uint32{v}, n)
			if rapid.Bool().Draw(t, "mixed") {
				part = rapid.SliceOfN(value, 0, 600).Draw(t, "values")
			}
			want = append(want, part...)
			if width > 8 {
				h.indexes(part)
				continue
			}
			levels := []uint8{}
			for _, v := range part {
				levels = append(levels, uint8(v))
			}
			h.levels(levels)
		}
		out := h.finish()
		got, err := decodeHybrid(out, width, len(want))
		if err != nil || !slices.Equal(got, want) {
			t.Fatalf("%v: %v instead of %v", err, got, want)
		}
	})
}

// The encoding of known values, worked out by hand.
func TestHybridVectors(t *testing.T) {
	for _, c := range []struct {
		name   string
		width  uint
		values []uint8
		want   string
	}{
		{"nothing", 1, nil, ""},
		{"a short run", 1, []uint8{1, 1, 1}, "0601"},
		{"a run of exact length", 1, slices.Repeat([]uint8{1}, 21), "2a01"},
		{"one group, filled up", 1, []uint8{1, 0, 1}, "0305"},
		{"the format's example", 3, []uint8{0, 1, 2, 3, 4, 5, 6, 7}, "0388c6fa"},
		{"a run, then a group", 2, append(slices.Repeat([]uint8{2}, 16), 1, 2), "20020309" + "00"},
		{"a single group of one value is packed", 1, slices.Concat([]uint8{0, 1, 0, 0, 0, 0, 0, 0}, slices.Repeat([]uint8{1}, 8)), "0502ff"},
	} {
		var h hybrid
		h.reset(c.width)
		h.levels(c.values)
		if got := fmt.Sprintf("%x", h.finish()); got != c.want {
			t.Errorf("%s: %s instead of %s", c.name, got, c.want)
		}
	}
}

// A reader that we did not write agrees.
func TestHybridIsReadByParquetGo(t *testing.T) {
	var values []uint32
	for i := range uint32(3000) {
		values = append(values, i*i%1000, 7, 7, i/100)
	}
	var h hybrid
	h.reset(10)
	h.indexes(values)
	got, err := (&rle.Encoding{BitWidth: 10}).DecodeInt32(nil, h.finish())
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range values {
		if uint32(got[i]) != v {
			t.Fatalf("value %d is %d instead of %d", i, got[i], v)
		}
	}
}

// What is held of levels that do not change does not grow with them.
func TestEqualLevelsTakeNoMemory(t *testing.T) {
	var h hybrid
	h.reset(2)
	for range 1000 {
		h.levels(slices.Repeat([]uint8{3}, 1000))
	}
	if h.size() > 0 {
		t.Errorf("%d bytes are held", h.size())
	}
	if got, err := decodeHybrid(h.finish(), 2, 1_000_000); err != nil || got[999_999] != 3 {
		t.Error(err)
	}
}

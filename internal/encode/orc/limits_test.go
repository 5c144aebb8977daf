package orc

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"testing"

	"hydrant/internal/column"
)

// single is a batch of one column, whose values are added by a function.
func single(t testing.TB, typ string, rows int, add func(v *column.Vector, i int)) *column.Batch {
	b := column.NewBatch(mustType(t, "struct<a:"+typ+">"))
	for i := range rows {
		b.Begin()
		add(b.Columns[0], i)
		b.End()
	}
	return b
}

// opened opens a file, and its stripes.
func opened(t *testing.T, file []byte) (*orcFile, []*orcStripe) {
	t.Helper()
	f, err := openFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var stripes []*orcStripe
	for i := range f.stripes {
		st, err := f.stripe(i)
		if err != nil {
			t.Fatal(err)
		}
		stripes = append(stripes, st)
	}
	return f, stripes
}

// A dictionary is used up to the threshold, which is looked at behind the first row group of
// each stripe.
func TestThresholdOfDictionaries(t *testing.T) {
	for _, tt := range []struct {
		distinct  int
		threshold float64
		want      encodingKind
	}{{1, 0, directV2}, {500, 0.5, dictionaryV2}, {501, 0.5, directV2}, {1000, 1, dictionaryV2}} {
		b := single(t, "string", 2500, func(v *column.Vector, i int) {
			v.Text(fmt.Appendf(nil, "%d", i%1000%tt.distinct))
		})
		file := write(t, b.Schema, Options{RowIndexStride: 1000, DictionaryThreshold: tt.threshold}, b)
		_, stripes := opened(t, file)
		if got := stripes[0].columns[1].encoding; got != tt.want {
			t.Errorf("%d distinct of 1000 at %v: encoding %d", tt.distinct, tt.threshold, got)
		}
		checkFile(t, file, []*column.Batch{b})
	}
}

// A dictionary that outgrows its bound is given up, and in files of version 0.11, which need
// one, the stripe is ended.
func TestDictionariesThatOutgrow(t *testing.T) {
	const size = 200
	b := single(t, "string", 3000, func(v *column.Vector, i int) {
		v.Text(append(bytes.Repeat([]byte{'x'}, size), fmt.Sprint(i)...))
	})
	for version, want := range map[Version][]encodingKind{V0_12: {directV2}, V0_11: {dictionaryV1, dictionaryV1}} {
		file := write(t, b.Schema, Options{DictionaryThreshold: 1, Version: version, RowIndexStride: 400, Compression: Snappy, dictionaryBytes: 300_000}, b)
		_, stripes := opened(t, file)
		var got []encodingKind
		for _, st := range stripes {
			got = append(got, st.columns[1].encoding)
		}
		if version == V0_11 {
			got = got[:min(len(got), 2)]
		}
		if !slices.Equal(got, want) {
			t.Errorf("version %d: encodings %v", version, got)
		}
		checkFile(t, file, []*column.Batch{b})
	}
}

// Stripes are ended at their size or at the memory the writer may take, whichever is less, and
// no sooner than needed.
func TestSizesOfStripes(t *testing.T) {
	m := newMaker(5)
	b := single(t, "string", 20_000, func(v *column.Vector, _ int) { v.Text(fmt.Appendf(nil, "%016x", m.rnd.Uint64())) })
	size := int64(18 * b.Rows)
	for _, tt := range []struct {
		o    Options
		most int64
	}{
		{Options{StripeBytes: 100_000}, 100_000}, {Options{MemoryBytes: 50_000}, 50_000}, {Options{StripeBytes: 1 << 30}, 1 << 30},
	} {
		w, err := NewWriter(io.Discard, b.Schema, tt.o)
		if err != nil {
			t.Fatal(err)
		}
		stripes := 0
		for range 2 {
			before := w.Written()
			if err := w.Write(b); err != nil {
				t.Fatal(err)
			}
			if held := w.Buffered(); held > tt.most+40*checkRows {
				t.Errorf("%+v: %d bytes are held", tt.o, held)
			}
			stripes += int(w.Written() - before)
		}
		if err := w.Close(); err != nil || w.Rows() != int64(2*b.Rows) || w.Buffered() != 0 {
			t.Errorf("%d rows, %d bytes held, %v", w.Rows(), w.Buffered(), err)
		}
		if early := int64(stripes); (early == 0) != (tt.most > 4*size) {
			t.Errorf("%+v: %d bytes were written before the end", tt.o, early)
		}
	}
}

// A few huge rows are looked at one by one.
func TestHugeRowsEndStripes(t *testing.T) {
	b := single(t, "binary", 10, func(v *column.Vector, i int) { v.Text(bytes.Repeat([]byte{byte(i)}, 2<<20)) })
	file := write(t, b.Schema, Options{StripeBytes: 1 << 20}, b)
	if _, stripes := opened(t, file); len(stripes) != 10 {
		t.Errorf("%d stripes", len(stripes))
	}
	checkFile(t, file, []*column.Batch{b})
}

// Stripes that would cross the border of a block start behind it, if that takes little.
func TestPadding(t *testing.T) {
	m := newMaker(6)
	b := single(t, "bigint", 3000, func(v *column.Vector, _ int) { v.Int(m.rnd.Int64()) })
	const block = 30_000
	for tolerance, padded := range map[float64]bool{1: true, 0.01: false} {
		o := Options{StripeBytes: 16_000, Padding: true, PaddingTolerance: tolerance, BlockBytes: block, RowIndexStride: 1000}
		f, _ := opened(t, write(t, b.Schema, o, b, b))
		crossed, end := 0, 3
		gaps := 0
		for _, st := range f.stripes {
			v, err := st.uints(1, 2, 3, 4)
			if err != nil {
				t.Fatal(err)
			}
			gaps += v[0] - end
			end = v[0] + v[1] + v[2] + v[3]
			crossed += int(bit(v[0]/block != (end-1)/block))
		}
		if (crossed == 0) != padded || (gaps > 0) != padded {
			t.Errorf("tolerance %v: %d stripes cross a border, %d bytes of padding", tolerance, crossed, gaps)
		}
	}
}

// A stripe that ends with a block crosses its border, one that ends a byte before does not
// (section 7.4).
func TestPaddingAtTheBorder(t *testing.T) {
	b := single(t, "bigint", 500, func(v *column.Vector, i int) { v.Int(int64(i * i * i)) })
	f, _ := opened(t, writeStripes(t, Options{}, b))
	v, err := f.stripes[0].uints(2, 3, 4)
	if err != nil {
		t.Fatal(err)
	}
	size := v[0] + v[1] + v[2]
	for block, want := range map[int]int{3 + 2*size: 3 + 2*size, 3 + 2*size + 1: 3 + size} {
		o := Options{Padding: true, PaddingTolerance: 1, BlockBytes: int64(block)}
		f, _ := opened(t, writeStripes(t, o, b, b))
		if at, err := f.stripes[1].uint(1); err != nil || at != want {
			t.Errorf("blocks of %d bytes: the second stripe of %d is at %d, %v; want %d", block, size, at, err, want)
		}
	}
}

// A row group that starts behind the last byte of a full chunk has its position in that chunk
// if nothing follows, as readers refuse one behind the stream (section 8.3).
func TestPositionsBehindTheLastByte(t *testing.T) {
	b := single(t, "double", 48, func(v *column.Vector, i int) {
		if i < 32 {
			v.Float(float64(i))
		} else {
			v.Null()
		}
	})
	file := write(t, b.Schema, Options{Compression: Snappy, CompressionBlock: 256, RowIndexStride: 8}, b)
	_, stripes := opened(t, file)
	for g, want := range map[int][]uint64{4: {0, 256}, 5: {0, 256}} {
		got := stripes[0].columns[1].groups[g].positions
		if !slices.Equal(got[len(got)-2:], want) {
			t.Errorf("group %d starts at %v", g, got)
		}
	}
	checkFile(t, file, []*column.Batch{b})
}

// Chunks are smaller for many columns and small stripes (section 3).
func TestSizesOfChunks(t *testing.T) {
	for _, tt := range []struct {
		stripe int64
		nodes  int
		block  int
		want   int
	}{
		{64 << 20, 21, 0, 256 << 10}, {64 << 20, 4, 0, 256 << 10}, {64 << 20, 100, 0, 64 << 10}, {64 << 20, 10_000, 0, 4 << 10},
		{64 << 20, 1, 256, 256}, {8 << 20, 21, 0, 32 << 10}, {1 << 20, 1, 1 << 20, 64 << 10},
	} {
		o := Options{StripeBytes: tt.stripe, CompressionBlock: tt.block}
		if err := o.check(); err != nil {
			t.Fatal(err)
		}
		if got := o.chunkBytes(tt.nodes); got != tt.want {
			t.Errorf("%d bytes, %d nodes, %d: %d, want %d", tt.stripe, tt.nodes, tt.block, got, tt.want)
		}
	}
}

// However rows are cut into batches, the file is the same.
func TestBatchesDoNotShow(t *testing.T) {
	schema := mustType(t, everyType)
	o := Options{Compression: Snappy, RowIndexStride: 700, DictionaryThreshold: 0.5, BloomColumns: []string{"str"}, StripeBytes: 60_000}
	var files [][]byte
	for _, rows := range []int{1, 13, 2500} {
		m := newMaker(9)
		b := column.NewBatch(schema)
		for _, v := range b.Columns {
			m.habit(v)
		}
		var file bytes.Buffer
		w, err := NewWriter(&file, schema, o)
		if err != nil {
			t.Fatal(err)
		}
		for done := 0; done < 2500; done += rows {
			b.Reset()
			m.fill(b, min(rows, 2500-done))
			if err := w.Write(b); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		files = append(files, file.Bytes())
	}
	if !bytes.Equal(files[0], files[1]) || !bytes.Equal(files[0], files[2]) {
		t.Errorf("files of %d, %d and %d bytes differ", len(files[0]), len(files[1]), len(files[2]))
	}
}

// Rows cost next to nothing in garbage: what is allocated are chunks.
func TestRowsAreNotAllocated(t *testing.T) {
	b := mixed(t, 1000)
	w, err := NewWriter(io.Discard, b.Schema, Options{Compression: Snappy, StripeBytes: 1 << 30})
	if err != nil {
		t.Fatal(err)
	}
	for range 50 { // open chunks have grown
		if err := w.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	if n := testing.AllocsPerRun(20, func() {
		if err := w.Write(b); err != nil {
			t.Fatal(err)
		}
	}); n > 60 {
		t.Errorf("%v allocations for %d rows", n, b.Rows)
	}
}

package parquet

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go/format"

	"hydrant/internal/column"
)

// texts makes rows of one column of texts.
func texts(t *testing.T, values ...string) *column.Batch {
	b := column.NewBatch(mustType(t, "struct<a:string>"))
	for _, v := range values {
		b.Begin()
		b.Columns[0].Text([]byte(v))
		b.End()
	}
	return b
}

// noise is n bytes that cannot be compressed.
func noise(n int) []byte {
	r := rand.NewChaCha8([32]byte{})
	b := make([]byte, n)
	_, _ = r.Read(b)
	return b
}

// noisy makes rows of the golden schema with texts that cannot be compressed; most are
// short, and the last ones are long.
func noisy(t *testing.T, short, long int) *column.Batch {
	b := column.NewBatch(mustType(t, goldenSchema))
	random := noise(short*20 + long*50_000)
	for i := range short + long {
		n := 20
		if i >= short {
			n = 50_000
		}
		b.Begin()
		for _, v := range b.Columns {
			switch {
			case v.Type.Kind == column.Binary:
				v.Text(random[:n])
			case v.Type.Kind == column.BigInt:
				v.Int(int64(i))
			case v.Type.Kind == column.List && v.Type.Elem.Kind == column.String:
				v.Many(2)
				v.Children[0].Null()
				v.Children[0].Text(random[:n/2])
			default:
				v.Null()
			}
		}
		random = random[n:]
		b.End()
	}
	return b
}

// What is held stays below MemoryBytes, but for a slice of rows, however rows differ in
// size; and what was held has gone to the writer below.
func TestMemoryIsBounded(t *testing.T) {
	for _, o := range []Options{
		{Compression: Snappy}, {Compression: Gzip, Dictionary: true}, {Version: V2}, {PageBytes: 4 << 20, Dictionary: true},
	} {
		o.MemoryBytes = 512 << 10
		var file bytes.Buffer
		w, err := NewWriter(&file, mustType(t, goldenSchema), o)
		if err != nil {
			t.Fatal(err)
		}
		most, last := int64(0), 0
		for i := range 24 {
			rows := noisy(t, 400, i%3)
			if i%7 == 0 {
				rows = noisy(t, 0, 20)
			}
			if err := w.Write(rows); err != nil {
				t.Fatal(err)
			}
			most = max(most, w.Buffered())
			if grown := file.Len() - last; grown > 0 && w.Buffered() > o.MemoryBytes {
				t.Errorf("%+v: %d bytes are held after %d were written", o, w.Buffered(), grown)
			}
			last = file.Len()
		}
		if limit := o.MemoryBytes + 2*maxSliceBytes; most > limit || most < o.MemoryBytes/3 {
			t.Errorf("%+v: %d bytes were held", o, most)
		}
		if file.Len() < 1<<20 {
			t.Errorf("%+v: only %d bytes have reached the writer", o, file.Len())
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if n := len(open(t, file.Bytes()).RowGroups()); n < 5 {
			t.Errorf("%+v: %d row groups", o, n)
		}
	}
}

// A row of very many nulls in a wide struct has a slot in each leaf for each of them. Levels
// that are equal take nothing.
func TestManyNullsInOneRow(t *testing.T) {
	var fields []string
	for i := range 100 {
		fields = append(fields, fmt.Sprintf("f%d:string", i))
	}
	schema := mustType(t, "struct<a:array<struct<"+strings.Join(fields, ",")+">>>")
	b := column.NewBatch(schema)
	b.Begin()
	const nulls = 40_000
	b.Columns[0].Many(nulls)
	for range nulls {
		b.Columns[0].Children[0].Null()
	}
	b.End()
	w, err := NewWriter(io.Discard, schema, Options{RowGroupBytes: 1 << 40})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if held := w.Buffered(); held > 100<<10 {
		t.Errorf("%d bytes are held", held)
	}
}

// Row groups start at the border of a block if that takes no more zeros than are allowed,
// and otherwise fill what is left of the block.
func TestRowGroupsKeepToBlocks(t *testing.T) {
	const block = 1 << 20
	o := Options{RowGroupBytes: block, MaxPaddingBytes: 200_000}
	var batches []*column.Batch
	for range 30 {
		batches = append(batches, noisy(t, 500, 5))
	}
	file := write(t, batches[0].Schema, o, batches...)
	groups := open(t, file).Metadata().RowGroups
	if len(groups) < 5 {
		t.Fatalf("%d row groups", len(groups))
	}
	end, padded := int64(4), 0
	for i := range groups {
		g := &groups[i]
		start := g.FileOffset
		if zeros := start - end; zeros > 0 {
			padded++
			if start%block != 0 || zeros > o.MaxPaddingBytes || len(bytes.Trim(file[end:start], "\x00")) > 0 {
				t.Errorf("row group %d starts at %d behind %d bytes", i, start, zeros)
			}
		}
		end = start + g.TotalCompressedSize
	}
	if padded == 0 {
		t.Error("no row group was padded")
	}
	for _, g := range open(t, write(t, batches[0].Schema, Options{RowGroupBytes: block}, batches...)).Metadata().RowGroups[1:] {
		if g.FileOffset%block == 0 {
			t.Error("a row group stands at a border without padding")
		}
	}
}

// INT96 is Julian day and nanosecond of the day, before 1970 too and far beyond what readers
// can hold.
func TestTimestamps(t *testing.T) {
	for _, c := range []struct {
		seconds int64
		nanos   int32
		day     int32
		ofDay   uint64
	}{
		{0, 0, 2_440_588, 0},
		{-1, 999_999_999, 2_440_587, 86_399_999_999_999},
		{86_400, 1, 2_440_589, 1},
		{-86_400, 0, 2_440_587, 0},
		{253_402_300_799, 999_999_999, 5_373_484, 86_399_999_999_999}, // the end of 9999
		{-210_866_803_200, 0, 0, 0},                                   // noon would be Julian day 0, a Parquet day begins at midnight
		{math.MaxInt64, 0, math.MaxInt32, 55_807_000_000_000},
		{math.MinInt64, 0, math.MinInt32, 30_592_000_000_000},
	} {
		var l leaf
		l.timestamps([]int64{c.seconds}, []int32{c.nanos})
		ofDay, day := binary.LittleEndian.Uint64(l.values), int32(binary.LittleEndian.Uint32(l.values[8:]))
		if day != c.day || ofDay != c.ofDay || len(l.values) != 12 {
			t.Errorf("%d.%09d is day %d, %d ns, instead of day %d, %d ns", c.seconds, c.nanos, day, ofDay, c.day, c.ofDay)
		}
	}
}

// chunkMeta is the metadata of the first column chunk.
func chunkMeta(t *testing.T, file []byte) *format.ColumnMetaData {
	t.Helper()
	return &open(t, file).Metadata().RowGroups[0].Columns[0].MetaData
}

// Texts too long for the footer leave it without bounds, not with wrong ones.
func TestLongTextsHaveNoBounds(t *testing.T) {
	for n, want := range map[int]bool{maxBoundBytes: true, maxBoundBytes + 1: false} {
		s := chunkMeta(t, write(t, mustType(t, "struct<a:string>"), Options{}, texts(t, "b", strings.Repeat("a", n)))).Statistics
		if got := s.MinValue != nil && s.MaxValue != nil; got != want || s.NullCount != 0 {
			t.Errorf("%d bytes: bounds of %d and %d bytes", n, len(s.MinValue), len(s.MaxValue))
		}
	}
}

// Old readers compare signed: numbers have the old bounds, texts and decimals do not.
func TestOldBounds(t *testing.T) {
	b := column.NewBatch(mustType(t, "struct<a:int,b:string,c:decimal(4,1),d:double>"))
	b.Begin()
	b.Columns[0].Int(-5)
	b.Columns[1].Text([]byte("x"))
	b.Columns[2].Decimal(column.Int128{Hi: -1, Lo: math.MaxUint64})
	b.Columns[3].Float(1)
	b.End()
	for i, c := range open(t, write(t, b.Schema, Options{}, b)).Metadata().RowGroups[0].Columns {
		s := c.MetaData.Statistics
		if old := i == 0 || i == 3; old != bytes.Equal(s.Min, s.MinValue) || old != (s.Max != nil) || s.MaxValue == nil {
			t.Errorf("column %d: %x", i, s.Min)
		}
	}
}

// A dictionary that saves nothing is given up, one that becomes large is ended, and booleans
// have none.
func TestDictionaries(t *testing.T) {
	var same, different, growing []string
	for i := range 60_000 {
		same = append(same, fmt.Sprint("value-", i%50))
		different = append(different, fmt.Sprint("value-", i))
		growing = append(growing, fmt.Sprint("value-", max(i%50, i-30_000)))
	}
	for name, c := range map[string]struct {
		values []string
		want   []format.Encoding // of the data pages, each once
	}{
		"same":      {same, []format.Encoding{format.RLEDictionary}},
		"different": {different, []format.Encoding{format.Plain}},
		"growing":   {growing, []format.Encoding{format.RLEDictionary, format.Plain}},
	} {
		o := Options{Dictionary: true, PageBytes: 64 << 10, RowGroupBytes: 1 << 30}
		file := write(t, mustType(t, "struct<a:string>"), o, texts(t, c.values...))
		m := chunkMeta(t, file)
		var got []format.Encoding
		for _, s := range m.EncodingStats {
			if s.PageType == format.DataPage {
				got = append(got, s.Encoding)
			}
		}
		if !slices.Equal(got, c.want) || (m.DictionaryPageOffset > 0) != slices.Contains(got, format.RLEDictionary) {
			t.Errorf("%s: %v", name, m.EncodingStats)
		}
		for i, s := range readLeaf(t, leafTypes(mustType(t, "struct<a:string>"))[0], open(t, file).RowGroups()[0].ColumnChunks()[0]) {
			if s.value != c.values[i] {
				t.Fatalf("%s: row %d is %v", name, i, s.value)
			}
		}
	}
}

// No page has much more than PageBytes, or 20,000 rows.
func TestPagesEnd(t *testing.T) {
	b := column.NewBatch(mustType(t, "struct<a:int,b:string,c:array<int>>"))
	for i := range 50_000 {
		b.Begin()
		b.Columns[0].Int(int64(i))
		b.Columns[1].Text([]byte("0123456789"))
		b.Columns[2].Many(1)
		b.Columns[2].Children[0].Int(1)
		b.End()
	}
	const page = 100_000
	f := open(t, write(t, b.Schema, Options{PageBytes: page}, b))
	for i, c := range f.RowGroups()[0].ColumnChunks() {
		pages := c.Pages()
		count := 0
		for {
			p, err := pages.ReadPage()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			count++
			if p.Size() > page+maxSliceBytes || p.NumRows() > maxPageRows+maxSliceRows {
				t.Errorf("column %d: a page of %d bytes, %d rows", i, p.Size(), p.NumRows())
			}
		}
		if want := []int{3, 7, 3}[i]; count != want {
			t.Errorf("column %d has %d pages instead of %d", i, count, want)
		}
	}
}

// failing takes some bytes and then no more.
type failing struct{ left int }

var errFull = errors.New("full")

func (f *failing) Write(b []byte) (int, error) {
	if len(b) > f.left {
		return f.left, errFull
	}
	f.left -= len(b)
	return len(b), nil
}

// When the writer below fails, at whatever byte, the error comes out, and comes again.
func TestErrorsOfTheWriterBelow(t *testing.T) {
	b := noisy(t, 10, 0)
	whole := len(write(t, b.Schema, Options{}, b))
	for left := 0; left < whole; left += 1 + left/100 {
		w, err := NewWriter(&failing{left}, b.Schema, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Write(b); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); !errors.Is(err, errFull) {
			t.Fatalf("after %d bytes: %v", left, err)
		}
		if err := w.Write(b); !errors.Is(err, errFull) {
			t.Fatalf("after %d bytes, again: %v", left, err)
		}
	}
}

// A file takes rows of its schema only, none after its footer, and none of any size.
func TestRowsThatAreRefused(t *testing.T) {
	w, err := NewWriter(io.Discard, mustType(t, "struct<a:string>"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(column.NewBatch(mustType(t, "struct<a:int>"))); !errors.Is(err, ErrSchema) {
		t.Errorf("another schema: %v", err)
	}
	w.rowBytes, w.sliceBytes = 100, 1
	if err := w.Write(texts(t, "short", strings.Repeat("long", 30))); !errors.Is(err, ErrRow) {
		t.Errorf("a large row: %v", err)
	}
	w.groups = make([]format.RowGroup, maxRowGroups)
	if err := w.Flush(); !errors.Is(err, ErrRowGroups) {
		t.Errorf("many row groups: %v", err)
	}
	if w, err = NewWriter(io.Discard, w.schema, Options{}); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Write(texts(t, "a")), w.Close()); err != nil || w.Rows() != 1 || w.Buffered() != 0 {
		t.Errorf("%v, %d rows, %d bytes held", err, w.Rows(), w.Buffered())
	}
	for name, err := range map[string]error{"write": w.Write(texts(t, "a")), "flush": w.Flush(), "close": w.Close()} {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("%s a closed file: %v", name, err)
		}
	}
}

// A file without rows is one: readers find the columns.
func TestFileWithoutRows(t *testing.T) {
	f := open(t, write(t, mustType(t, goldenSchema), Options{Compression: Snappy}))
	if f.NumRows() != 0 || len(f.RowGroups()) != 0 || len(f.Root().Columns()) != 18 {
		t.Errorf("%d rows in %d row groups", f.NumRows(), len(f.RowGroups()))
	}
}

// Rows cost no allocations, only pages do.
func TestRowsAreNotAllocated(t *testing.T) {
	b := benchBatch(t, 1000)
	w, err := NewWriter(io.Discard, b.Schema, Options{Compression: Snappy, RowGroupBytes: 4 << 20})
	if err != nil {
		t.Fatal(err)
	}
	write := func() {
		if err := w.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	for range 40 {
		write()
	}
	if n := testing.AllocsPerRun(40, write); n > 100 {
		t.Errorf("%v allocations for 1000 rows", n)
	}
}

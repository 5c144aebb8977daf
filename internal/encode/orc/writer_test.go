package orc

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"hydrant/internal/column"
)

// everyType has a column of each type, and some that are nested three deep.
const everyType = "struct<t:tinyint,b:boolean,s:smallint,i:int,l:bigint,f:float,d:double,dec:decimal(12,3),big:decimal(38,10)," +
	"str:string,str2:string,v:varchar(7),c:char(5),bin:binary,day:date,ts:timestamp,ts2:timestamp," +
	"list:array<int>,map:map<string,bigint>,st:struct<x:int,y:string,z:array<struct<p:decimal(5,2),q:map<int,array<string>>>>>," +
	"deep:array<map<string,array<struct<ts:timestamp,c:char(3)>>>>>"

var primitives = []string{"boolean", "tinyint", "smallint", "int", "bigint", "float", "double", "decimal(9,2)", "decimal(38,38)", "decimal(19,0)",
	"string", "varchar(4)", "char(3)", "binary", "date", "timestamp"}

// drawType draws a type nested up to the depth.
func drawType(t *rapid.T, depth int) string {
	kind := "primitive"
	if depth > 0 {
		kind = rapid.SampledFrom([]string{"primitive", "list", "map", "struct"}).Draw(t, "kind")
	}
	switch kind {
	case "list":
		return "array<" + drawType(t, depth-1) + ">"
	case "map":
		return "map<" + rapid.SampledFrom(primitives).Draw(t, "key") + "," + drawType(t, depth-1) + ">"
	case "struct":
		return drawStruct(t, depth-1, 3)
	}
	return rapid.SampledFrom(primitives).Draw(t, "primitive")
}

func drawStruct(t *rapid.T, depth, most int) string {
	var fields []string
	for i := range rapid.IntRange(1, most).Draw(t, "fields") {
		fields = append(fields, fmt.Sprintf("f%d:%s", i, drawType(t, depth)))
	}
	return "struct<" + strings.Join(fields, ",") + ">"
}

func drawOptions(t *rapid.T) Options {
	return Options{
		StripeBytes:         rapid.SampledFrom([]int64{1, 20_000, 100_000, 0}).Draw(t, "stripe"),
		BlockBytes:          rapid.SampledFrom([]int64{5_000, 100_000}).Draw(t, "block"),
		RowIndexStride:      rapid.SampledFrom([]int{1, 7, 500, 1000, 10_000}).Draw(t, "stride"),
		Padding:             rapid.Bool().Draw(t, "padding"),
		PaddingTolerance:    rapid.SampledFrom([]float64{0.05, 1}).Draw(t, "tolerance"),
		Compression:         rapid.SampledFrom([]Compression{None, ZLIB, Snappy}).Draw(t, "compression"),
		BloomColumns:        rapid.SampledFrom([][]string{nil, {"f0"}, {"F0", "f0"}}).Draw(t, "bloom"),
		BloomFPP:            rapid.SampledFrom([]float64{0, 0.001, 0.5, 1}).Draw(t, "fpp"),
		DictionaryThreshold: rapid.SampledFrom([]float64{0, 0.5, 1}).Draw(t, "dictionary"),
		Version:             rapid.SampledFrom([]Version{V0_12, V0_11}).Draw(t, "version"),
		MemoryBytes:         rapid.SampledFrom([]int64{0, 5_000}).Draw(t, "memory"),
		CompressionBlock:    rapid.SampledFrom([]int{0, 256, 1000}).Draw(t, "chunk"),
	}
}

// Whatever is written of any schema with any options is read back, from the start of each
// stripe and from each row group.
func TestWhatIsWrittenIsRead(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		schema, err := column.ParseType(drawStruct(t, 3, 4))
		if err != nil {
			t.Fatal(err)
		}
		m := newMaker(rapid.Uint64().Draw(t, "seed"))
		o := drawOptions(t)
		var batches []*column.Batch
		b := column.NewBatch(schema)
		for range rapid.IntRange(0, 3).Draw(t, "batches") {
			b.Reset() // as a caller does
			m.fill(b, rapid.SampledFrom([]int{0, 1, 14, 300, 600, 1000}).Draw(t, "rows"))
			batches = append(batches, clone(b))
		}
		var file bytes.Buffer
		w, err := NewWriter(&file, schema, o)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range batches {
			if err := w.Write(b); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		checkFile(t, file.Bytes(), batches)
	})
}

// clone copies a batch.
func clone(b *column.Batch) *column.Batch {
	c := column.NewBatch(b.Schema)
	c.Rows = b.Rows
	for i, v := range b.Columns {
		copyVector(c.Columns[i], v)
	}
	return c
}

func copyVector(to, from *column.Vector) {
	to.Present = append(to.Present, from.Present...)
	to.Ints, to.Nanos = append(to.Ints, from.Ints...), append(to.Nanos, from.Nanos...)
	to.Floats, to.Decimals = append(to.Floats, from.Floats...), append(to.Decimals, from.Decimals...)
	to.Bytes, to.Ends = append(to.Bytes, from.Bytes...), append(to.Ends, from.Ends...)
	to.Lengths = append(to.Lengths, from.Lengths...)
	for i := range from.Children {
		copyVector(to.Children[i], from.Children[i])
	}
}

// failer is a testing.T or rapid.T.
type failer interface {
	Helper()
	Fatal(...any)
}

func checkFile(t failer, file []byte, batches []*column.Batch) {
	t.Helper()
	got, err := readFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := compare(got, rowsOf(batches...)); err != nil {
		t.Fatal(err)
	}
}

// The matrix of section 18: each type with each compression and version, small chunks and
// large ones, row groups of both sizes, and stripes that end within a row group or with one.
func TestTheMatrix(t *testing.T) {
	t.Parallel()
	schema := mustType(t, everyType)
	seed := uint64(0)
	for _, compression := range []Compression{None, ZLIB, Snappy} {
		for _, version := range []Version{V0_12, V0_11} {
			for _, block := range []int{256, 0} {
				seed++
				o := Options{Compression: compression, Version: version, CompressionBlock: block, RowIndexStride: 1000,
					BloomColumns: []string{"i", "str", "dec", "ts", "st.z", "d", "v", "c", "day", "t", "f"}, DictionaryThreshold: 0.5,
					StripeBytes: 1 << 40, Padding: true, PaddingTolerance: 1, BlockBytes: 10_000}
				m := newMaker(seed)
				first, second := m.batch(schema, 1300), m.batch(schema, 1000)
				if block == 0 {
					o.RowIndexStride = 10_000
					first, second = m.batch(schema, 400), m.batch(schema, 100)
				}
				checkFile(t, writeStripes(t, o, first, second), []*column.Batch{first, second})
			}
		}
	}
}

// writeStripes makes a file of batches, each of them at least a stripe.
func writeStripes(t *testing.T, o Options, batches ...*column.Batch) []byte {
	t.Helper()
	var file bytes.Buffer
	w, err := NewWriter(&file, batches[0].Schema, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range batches {
		if err := errors.Join(w.Write(b), w.Flush(), w.Flush()); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// A file without rows has a schema and no stripes.
func TestAFileWithoutRows(t *testing.T) {
	schema := mustType(t, everyType)
	file := write(t, schema, Options{Compression: Snappy}, column.NewBatch(schema))
	f, err := openFile(file)
	if err != nil || len(f.stripes) != 0 || f.rows != 0 {
		t.Fatalf("%d stripes, %v", len(f.stripes), err)
	}
	checkFile(t, file, nil)
}

// What cannot be written is refused before anything is.
func TestBadOptionsAndSchemas(t *testing.T) {
	fine := mustType(t, "struct<a:int,b:struct<c:string>>")
	for _, tt := range []struct {
		schema *column.Type
		o      Options
		want   error
	}{
		{fine, Options{Compression: 3}, ErrOptions},
		{fine, Options{Version: 2}, ErrOptions},
		{fine, Options{StripeBytes: -1}, ErrOptions},
		{fine, Options{BloomFPP: 1.5}, ErrOptions},
		{fine, Options{RowIndexStride: 1 << 31}, ErrOptions},
		{fine, Options{BloomColumns: []string{"a", "b.d"}}, ErrOptions},
		{mustType(t, "int"), Options{}, ErrSchema},
		{&column.Type{Kind: column.List}, Options{}, ErrSchema},
		{&column.Type{Kind: column.Struct, Fields: []column.Field{{Name: "d", Type: &column.Type{Kind: column.Decimal, Precision: 39}}}}, Options{}, ErrSchema},
	} {
		var file bytes.Buffer
		if _, err := NewWriter(&file, tt.schema, tt.o); !errors.Is(err, tt.want) || file.Len() > 0 {
			t.Errorf("%s %+v: %v, want %v", tt.schema.Kind, tt.o, err, tt.want)
		}
	}
	known, unknown := KnownBloomColumns(fine, []string{"A", "b", "b.C", "x", "a.b"})
	if got := fmt.Sprint(known, unknown); got != "[A b b.C] [x a.b]" {
		t.Errorf("known and unknown are %s", got)
	}
}

// A batch of another schema is refused, and the file goes on without it.
func TestABatchOfAnotherSchema(t *testing.T) {
	schema := mustType(t, "struct<a:int,b:string>")
	m := newMaker(1)
	good := m.batch(schema, 10)
	var file bytes.Buffer
	w, err := NewWriter(&file, schema, Options{})
	if err != nil {
		t.Fatal(err)
	}
	uneven := m.batch(schema, 10)
	uneven.Rows = 11
	for _, bad := range []*column.Batch{m.batch(mustType(t, "struct<a:int>"), 1), m.batch(mustType(t, "struct<a:int,b:int>"), 1), uneven} {
		if err := w.Write(bad); !errors.Is(err, ErrSchema) {
			t.Errorf("%s: %v", bad.Schema, err)
		}
	}
	if err := errors.Join(w.Write(good), w.Close()); err != nil {
		t.Fatal(err)
	}
	checkFile(t, file.Bytes(), []*column.Batch{good})
	if err := w.Write(good); !errors.Is(err, ErrClosed) {
		t.Errorf("a closed writer: %v", err)
	}
	if err := w.Close(); !errors.Is(err, ErrClosed) {
		t.Errorf("a writer closed twice: %v", err)
	}
}

var errFull = errors.New("disk is full")

// brim fails after so many bytes.
type brim struct{ left int }

func (b *brim) Write(p []byte) (int, error) {
	if b.left -= len(p); b.left < 0 {
		return 0, errFull
	}
	return len(p), nil
}

// A failed write fails the file, wherever it is.
func TestAWriteThatFails(t *testing.T) {
	schema := mustType(t, "struct<a:int,b:string>")
	b := newMaker(2).batch(schema, 5000)
	o := Options{Padding: true, PaddingTolerance: 1, BlockBytes: 30_000}
	size := len(write(t, schema, o, b, b))
	for left := 0; left < size; left += 1 + size/50 {
		w, err := NewWriter(&brim{left}, schema, o)
		if err == nil {
			err = errors.Join(w.Write(b), w.Flush(), w.Write(b))
			if again := w.Close(); !errors.Is(again, errFull) {
				t.Fatalf("%d bytes: Close says %v", left, again)
			}
		}
		if left < size/2 && !errors.Is(err, errFull) {
			t.Fatalf("%d bytes: %v", left, err)
		}
	}
}

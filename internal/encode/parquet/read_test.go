package parquet

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"math"
	"math/big"
	"strconv"
	"testing"

	parquetgo "github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/deprecated"
	"pgregory.net/rapid"

	"hydrant/internal/column"
)

// sample is a file with what it should hold.
type sample struct {
	schema  *column.Type
	rows    []any // models of the rows, as structs
	options Options
	file    []byte
	groups  int
}

// drawOptions draws limits so low that pages and row groups end all the time.
func drawOptions(t *rapid.T) Options {
	return Options{
		RowGroupBytes:   rapid.SampledFrom([]int64{0, 1, 100, 1000, 4000}).Draw(t, "row group"),
		PageBytes:       rapid.SampledFrom([]int{0, 1, 50, 500}).Draw(t, "page"),
		Compression:     rapid.SampledFrom([]Compression{Uncompressed, Gzip, Snappy}).Draw(t, "compression"),
		Dictionary:      rapid.Bool().Draw(t, "dictionary"),
		Version:         rapid.SampledFrom([]Version{V1, V2}).Draw(t, "version"),
		MaxPaddingBytes: rapid.SampledFrom([]int64{0, 0, 10, 400}).Draw(t, "padding"),
		MemoryBytes:     rapid.SampledFrom([]int64{0, 0, 1, 3000}).Draw(t, "memory"),
	}
}

// drawSample draws a schema and rows and writes them, in some batches.
func drawSample(t *rapid.T, o Options) *sample {
	s := &sample{schema: drawStruct(t, 3, 5), options: o}
	var file bytes.Buffer
	w, err := NewWriter(&file, s.schema, o)
	if err != nil {
		t.Fatal(err)
	}
	b := column.NewBatch(s.schema)
	for range rapid.IntRange(0, 4).Draw(t, "batches") {
		b.Reset()
		// Rows that were drawn come again a few times, so that dictionaries pay.
		for range rapid.IntRange(1, 12).Draw(t, "rows") {
			b.Begin()
			row := []any{}
			for _, c := range b.Columns {
				row = append(row, drawValue(t, c, false))
			}
			b.End()
			s.rows = append(s.rows, row)
		}
		if err := w.Write(b); err != nil {
			t.Fatal(err)
		}
		if again := rapid.IntRange(0, 2).Draw(t, "again"); again > 0 {
			same := s.rows[len(s.rows)-b.Rows:]
			for range again {
				if err := w.Write(b); err != nil {
					t.Fatal(err)
				}
				s.rows = append(s.rows, same...)
			}
		}
		if rapid.IntRange(0, 4).Draw(t, "flush") == 0 {
			if err := w.Flush(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if w.Rows() != int64(len(s.rows)) {
		t.Fatalf("%d rows were counted instead of %d", w.Rows(), len(s.rows))
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	s.file = file.Bytes()
	return s
}

// valueText is the model of a value as parquet-go has it.
func valueText(t *column.Type, v parquetgo.Value) any {
	if v.IsNull() {
		return nil
	}
	switch t.Kind {
	case column.Boolean:
		return v.Boolean()
	case column.TinyInt, column.SmallInt, column.Int, column.Date:
		return strconv.FormatInt(int64(v.Int32()), 10)
	case column.BigInt:
		return strconv.FormatInt(v.Int64(), 10)
	case column.Float:
		return floatText(float64(v.Float()))
	case column.Double:
		return floatText(v.Double())
	case column.Decimal:
		return decimalText(bigEndian(v.ByteArray()), t.Scale)
	case column.Timestamp:
		return int96Text(v.Int96())
	case column.Binary:
		return hex.EncodeToString(v.ByteArray())
	}
	return string(v.ByteArray())
}

// bigEndian reads a two's complement integer.
func bigEndian(b []byte) *big.Int {
	n := new(big.Int).SetBytes(b)
	if len(b) > 0 && b[0] >= 0x80 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	return n
}

// int96Text is nanoseconds since 1970, whatever they are.
func int96Text(x deprecated.Int96) string {
	n := big.NewInt(int64(int32(x[2])) - 2_440_588)
	n.Mul(n, big.NewInt(86_400e9))
	return n.Add(n, new(big.Int).SetUint64(uint64(x[1])<<32|uint64(x[0]))).String()
}

// readLeaf reads all slots of a column chunk.
func readLeaf(t rapid.TB, typ *column.Type, c parquetgo.ColumnChunk) []slot {
	t.Helper()
	pages := c.Pages()
	defer pages.Close()
	var all []slot
	for {
		page, err := pages.ReadPage()
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		values := make([]parquetgo.Value, page.NumValues())
		n, err := page.Values().ReadValues(values)
		if err != nil && err != io.EOF || n != len(values) {
			t.Fatalf("%d of %d values: %v", n, len(values), err)
		}
		for _, v := range values {
			all = append(all, slot{v.RepetitionLevel(), v.DefinitionLevel(), valueText(typ, v)})
		}
		parquetgo.Release(page)
	}
}

// check reads the file with parquet-go and compares every slot, and the statistics.
func (s *sample) check(t rapid.TB) {
	t.Helper()
	f, err := parquetgo.OpenFile(bytes.NewReader(s.file), int64(len(s.file)))
	if err != nil {
		t.Fatal(err)
	}
	types := leafTypes(s.schema)
	want, got := make([][]slot, len(types)), make([][]slot, len(types))
	for _, row := range s.rows {
		rest := want
		for i, field := range s.schema.Fields {
			rest = leaves(field.Type, row.([]any)[i], 0, 0, 0, false, rest)
		}
	}
	s.groups = len(f.RowGroups())
	for g, group := range f.RowGroups() {
		for i, c := range group.ColumnChunks() {
			slots := readLeaf(t, types[i], c)
			got[i] = append(got[i], slots...)
			meta := &f.Metadata().RowGroups[g].Columns[i].MetaData
			if problem := checkStatistics(types[i], slots, meta.Statistics.MinValue, meta.Statistics.MaxValue, meta.Statistics.NullCount); problem != "" {
				t.Fatalf("%s, row group %d, column %v: %s", s.schema, g, meta.PathInSchema, problem)
			}
		}
	}
	for i := range types {
		if fmt.Sprint(want[i]) != fmt.Sprint(got[i]) {
			t.Fatalf("%s, leaf %d with %+v:\n%v instead of\n%v", s.schema, i, s.options, got[i], want[i])
		}
	}
	if f.NumRows() != int64(len(s.rows)) {
		t.Fatalf("%d rows instead of %d", f.NumRows(), len(s.rows))
	}
}

// checkStatistics compares statistics with what the slots make of them.
func checkStatistics(t *column.Type, slots []slot, lo, hi []byte, nulls int64) string {
	var low, high any
	for _, s := range slots {
		if s.value == nil {
			nulls--
			continue
		}
		if s.value == "nan" || t.Kind == column.Timestamp {
			continue
		}
		if low == nil || less(t, s.value, low) {
			low = s.value
		}
		if high == nil || less(t, high, s.value) {
			high = s.value
		}
	}
	if nulls != 0 {
		return fmt.Sprintf("%d nulls too many", nulls)
	}
	if low == nil {
		if lo != nil || hi != nil {
			return "bounds of nothing"
		}
		return ""
	}
	if t.Kind == column.Float || t.Kind == column.Double { // zeros take both signs in
		if low == floatText(0) {
			low = floatText(math.Copysign(0, -1))
		}
		if high == floatText(math.Copysign(0, -1)) {
			high = floatText(0)
		}
	}
	if gotLow, gotHigh := boundText(t, lo), boundText(t, hi); gotLow != low || gotHigh != high {
		return fmt.Sprintf("bounds %v and %v instead of %v and %v", gotLow, gotHigh, low, high)
	}
	return ""
}

// less compares models of values.
func less(t *column.Type, a, b any) bool {
	switch t.Kind {
	case column.Boolean:
		return !a.(bool) && b.(bool)
	case column.String, column.Varchar, column.Char, column.Binary:
		return a.(string) < b.(string)
	case column.Float, column.Double:
		x, _ := strconv.ParseUint(a.(string), 16, 64)
		y, _ := strconv.ParseUint(b.(string), 16, 64)
		return math.Float64frombits(x) < math.Float64frombits(y)
	}
	x, _ := new(big.Rat).SetString(a.(string))
	y, _ := new(big.Rat).SetString(b.(string))
	return x.Cmp(y) < 0
}

// boundText is the model of a bound in the statistics.
func boundText(t *column.Type, b []byte) any {
	if b == nil {
		return nil
	}
	switch t.Kind {
	case column.Boolean:
		return b[0] == 1
	case column.TinyInt, column.SmallInt, column.Int, column.Date:
		return strconv.FormatInt(int64(int32(binary.LittleEndian.Uint32(b))), 10)
	case column.BigInt:
		return strconv.FormatInt(int64(binary.LittleEndian.Uint64(b)), 10)
	case column.Float:
		return floatText(float64(math.Float32frombits(binary.LittleEndian.Uint32(b))))
	case column.Double:
		return floatText(math.Float64frombits(binary.LittleEndian.Uint64(b)))
	case column.Decimal:
		return decimalText(bigEndian(b), t.Scale)
	case column.Binary:
		return hex.EncodeToString(b)
	}
	return string(b)
}

// Whatever the schema, the rows and the options are, each slot of each leaf has the levels
// and the value that the format's definition gives it, and the statistics are those of the
// values.
func TestParquetGoReadsWhatWasWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		drawSample(t, drawOptions(t)).check(t)
	})
}

package parquet

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"reflect"
	"syscall"
	"testing"
	"time"

	parquetgo "github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding"

	"hydrant/internal/column"
)

// benchColumns are 20 columns as event streams have them, about 500 bytes a row as JSON.
const benchColumns = "struct<id:string,at:timestamp,user_id:bigint,session:string,kind:string,country:string," +
	"city:string,url:string,agent:string,status:int,bytes:bigint,seconds:double,price:decimal(10,2),ok:boolean," +
	"age:smallint,score:float,day:date,referrer:string,tags:array<string>,geo:struct<lat:double,lon:double>>"

func mustType(t testing.TB, s string) *column.Type {
	t.Helper()
	schema, err := column.ParseType(s)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// words are a few values that repeat, as names of cities do.
func words(prefix string, n int) [][]byte {
	var w [][]byte
	for i := range n {
		w = append(w, fmt.Appendf(nil, "%s-%d", prefix, i*i))
	}
	return w
}

// benchBatch makes rows of benchColumns. One row in ten has no referrer and no price.
func benchBatch(t testing.TB, rows int) *column.Batch {
	r := rand.New(rand.NewPCG(1, 2))
	b := column.NewBatch(mustType(t, benchColumns))
	kinds, countries, cities := words("kind", 8), words("cc", 60), words("city-of", 3000)
	agents := words("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome", 40)
	pick := func(w [][]byte) []byte { return w[r.IntN(len(w))] }
	for i := range rows {
		b.Begin()
		c := b.Columns
		c[0].Text(fmt.Appendf(nil, "%016x-%016x", r.Uint64(), r.Uint64()))
		c[1].Time(1_760_000_000+int64(i/100), int32(r.IntN(1000)*1_000_000))
		c[2].Int(r.Int64N(1_000_000))
		c[3].Text(fmt.Appendf(nil, "%012x", r.Uint64()>>16))
		c[4].Text(pick(kinds))
		c[5].Text(pick(countries))
		c[6].Text(pick(cities))
		c[7].Text(fmt.Appendf(nil, "https://shop.example.com/products/%d?page=%d", r.IntN(5000), r.IntN(20)))
		c[8].Text(pick(agents))
		c[9].Int(int64(200 + r.IntN(4)*100))
		c[10].Int(r.Int64N(100_000))
		c[11].Float(r.Float64() * 10)
		if i%10 == 0 {
			c[12].Null()
			c[17].Null()
		} else {
			c[12].Decimal(column.Int128{Lo: r.Uint64N(100_000)})
			c[17].Text([]byte("https://www.example.org/search"))
		}
		c[13].Int(int64(r.IntN(2)))
		c[14].Int(int64(r.IntN(90)))
		c[15].Float(float64(r.Float32()))
		c[16].Int(int64(20_000 + i/1000))
		n := r.IntN(3)
		c[18].Many(n)
		for range n {
			c[18].Children[0].Text(pick(kinds))
		}
		c[19].Struct()
		c[19].Children[0].Float(r.Float64() * 90)
		c[19].Children[1].Float(r.Float64() * 180)
		b.End()
	}
	return b
}

const benchLeaves = 21

// processorTime is what the process took of processors. Machines that are busy with other
// things tell nothing by the clock.
func processorTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkWrite writes rows of 20 mixed columns. cpu-ns/value counts the 21 leaves of each row.
func BenchmarkWrite(b *testing.B) {
	batch := benchBatch(b, 40_000)
	for _, c := range []struct {
		name    string
		options Options
	}{
		{"uncompressed", Options{}},
		{"snappy", Options{Compression: Snappy}},
		{"snappy-dictionary", Options{Compression: Snappy, Dictionary: true}},
		{"snappy-v2", Options{Compression: Snappy, Version: V2}},
		{"gzip", Options{Compression: Gzip}},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(batch.Size())
			var size int64
			c.options.RowGroupBytes = 32 << 20
			w, err := NewWriter(counter{&size}, batch.Schema, c.options)
			if err != nil {
				b.Fatal(err)
			}
			start := processorTime()
			for b.Loop() {
				if err := w.Write(batch); err != nil {
					b.Fatal(err)
				}
			}
			if err := w.Close(); err != nil {
				b.Fatal(err)
			}
			values := float64(b.N) * float64(batch.Rows)
			b.ReportMetric(float64(processorTime()-start)/values/benchLeaves, "cpu-ns/value")
			b.ReportMetric(float64(size)/values, "file-B/row")
		})
	}
}

// counter counts what is written.
type counter struct{ n *int64 }

func (c counter) Write(b []byte) (int, error) {
	*c.n += int64(len(b))
	return io.Discard.Write(b)
}

// BenchmarkParquetGo writes the same rows with parquet-go's column writers, its fastest way
// that takes schemas of run time. The boxed values are there before; making them would come
// on top.
func BenchmarkParquetGo(b *testing.B) {
	batch := benchBatch(b, 40_000)
	var file bytes.Buffer
	w, err := NewWriter(&file, batch.Schema, Options{})
	if err != nil {
		b.Fatal(err)
	}
	if err := w.Write(batch); err != nil {
		b.Fatal(err)
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
	f, err := parquetgo.OpenFile(bytes.NewReader(file.Bytes()), int64(file.Len()))
	if err != nil {
		b.Fatal(err)
	}
	var columns [][]parquetgo.Value
	for _, c := range f.RowGroups()[0].ColumnChunks() {
		columns = append(columns, boxed(b, c))
	}
	b.ReportAllocs()
	b.SetBytes(batch.Size())
	g := parquetgo.NewGenericWriter[any](io.Discard, parquetgo.NewSchema(rootName, plainNode{f.Root()}), parquetgo.DataPageVersion(1),
		parquetgo.Compression(&parquetgo.Snappy), parquetgo.PageBufferSize(1<<20), parquetgo.MaxRowsPerRowGroup(1<<30))
	start := processorTime()
	for i := 1; b.Loop(); i++ {
		for k, c := range g.ColumnWriters() {
			if _, err := c.WriteRowValues(columns[k]); err != nil {
				b.Fatal(err)
			}
		}
		if i%2 == 0 {
			if err := g.Flush(); err != nil {
				b.Fatal(err)
			}
		}
	}
	if err := g.Close(); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(processorTime()-start)/float64(b.N)/float64(batch.Rows)/benchLeaves, "cpu-ns/value")
}

// plainNode is a node all of whose leaves are PLAIN: of itself, parquet-go takes DELTA.
type plainNode struct{ parquetgo.Node }

func (n plainNode) Encoding() encoding.Encoding { return &parquetgo.Plain }

func (n plainNode) Fields() (fields []parquetgo.Field) {
	for _, f := range n.Node.Fields() {
		fields = append(fields, plainField{plainNode{f}, f})
	}
	return fields
}

type plainField struct {
	plainNode
	field parquetgo.Field
}

func (f plainField) Name() string                           { return f.field.Name() }
func (f plainField) Value(base reflect.Value) reflect.Value { return f.field.Value(base) }

// boxed reads the values of a column chunk into memory of their own.
func boxed(b *testing.B, c parquetgo.ColumnChunk) (all []parquetgo.Value) {
	pages := c.Pages()
	defer pages.Close()
	for {
		page, err := pages.ReadPage()
		if err != nil {
			return all
		}
		values := make([]parquetgo.Value, page.NumValues())
		if n, err := page.Values().ReadValues(values); n != len(values) {
			b.Fatal(err)
		}
		for _, v := range values {
			all = append(all, v.Clone())
		}
	}
}

// Package rows measures how fast JSON becomes Parquet and ORC, beside the library that came
// second for it. It is a module of its own, so that Hydrant does not have that library: run it
// here, with go test -bench . -cpu 1.
package rows

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"hydrant/internal/column"
	"hydrant/internal/encode/orc"
	hparquet "hydrant/internal/encode/parquet"
	"hydrant/internal/encode/serde"
)

const ddl = "struct<id:bigint,user_id:bigint,session:string,event:string,country:string,city:string,device:string,os:string," +
	"browser:string,url:string,referrer:string,price:decimal(10,2),quantity:int,discount:double,score:float,active:boolean," +
	"at:timestamp,day:date,tags:array<string>,geo:struct<lat:double,lon:double>>"

// documents are so many rows of about 450 bytes, newline-delimited.
func documents(n int) (all []byte, ends []int) {
	r := rand.New(rand.NewPCG(1, 2))
	pick := func(s ...string) string { return s[r.IntN(len(s))] }
	var b bytes.Buffer
	for i := range n {
		fmt.Fprintf(&b, `{"id":%d,"user_id":%d,"session":"%016x","event":%q,"country":%q,"city":%q,"device":%q,"os":%q,"browser":%q,`+
			`"url":"https://example.com/p/%d?ref=%d","referrer":%q,"price":%d.%02d,"quantity":%d,"discount":%.4f,"score":%.3f,"active":%v,`+
			`"at":"2026-01-%02dT%02d:%02d:%02d.%03dZ","day":"2026-01-%02d","tags":[%q,%q],"geo":{"lat":%.6f,"lon":%.6f}}`+"\n",
			i, r.IntN(1e9), r.Uint64(), pick("view", "click", "buy", "cart"), pick("DE", "FR", "US", "JP", "BR"), pick("Berlin", "Paris", "Tokyo", "São Paulo", "Boston"),
			pick("phone", "tablet", "desktop"), pick("ios", "android", "linux", "windows"), pick("chrome", "firefox", "safari"), r.IntN(1e5), r.IntN(1e3),
			pick("", "https://search.example/", "https://news.example/"), r.IntN(1e4), r.IntN(100), r.IntN(10), r.Float64(), r.Float64()*100, r.IntN(2) == 0,
			1+r.IntN(28), r.IntN(24), r.IntN(60), r.IntN(60), r.IntN(1000), 1+r.IntN(28), pick("a", "b", "c"), pick("x", "y"), r.Float64()*180-90, r.Float64()*360-180)
		ends = append(ends, b.Len())
	}
	return b.Bytes(), ends
}

const rows = 50_000

// writer is a file format.
type writer interface {
	Write(*column.Batch) error
	Close() error
}

func convert(b *testing.B, open func(io.Writer, *column.Type) (writer, error)) {
	schema, err := column.ParseType(ddl)
	if err != nil {
		b.Fatal(err)
	}
	data, ends := documents(rows)
	r, err := serde.NewOpenX(schema, serde.OpenX{CaseInsensitive: true})
	if err != nil {
		b.Fatal(err)
	}
	batch := column.NewBatch(schema)
	var size int
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		var out counter
		w, err := open(&out, schema)
		if err != nil {
			b.Fatal(err)
		}
		from := 0
		for _, end := range ends {
			r.Append(batch, data[from:end], func(doc []byte, e *serde.Error) { b.Fatal(e, string(doc)) })
			if from = end; batch.Rows >= 4096 {
				if err := w.Write(batch); err != nil {
					b.Fatal(err)
				}
				batch.Reset()
			}
		}
		if err := w.Write(batch); err != nil {
			b.Fatal(err)
		}
		batch.Reset()
		if err := w.Close(); err != nil {
			b.Fatal(err)
		}
		size = int(out)
	}
	b.ReportMetric(float64(size)/float64(len(data)), "file/json")
}

type counter int

func (c *counter) Write(p []byte) (int, error) { *c += counter(len(p)); return len(p), nil }

func BenchmarkParquet(b *testing.B) {
	convert(b, func(w io.Writer, s *column.Type) (writer, error) {
		return hparquet.NewWriter(w, s, hparquet.Options{Compression: hparquet.Snappy, MemoryBytes: 10 << 20})
	})
}

func BenchmarkParquetDictionary(b *testing.B) {
	convert(b, func(w io.Writer, s *column.Type) (writer, error) {
		return hparquet.NewWriter(w, s, hparquet.Options{Compression: hparquet.Snappy, MemoryBytes: 10 << 20, Dictionary: true})
	})
}

func BenchmarkORC(b *testing.B) {
	convert(b, func(w io.Writer, s *column.Type) (writer, error) {
		return orc.NewWriter(w, s, orc.Options{Compression: orc.Snappy, MemoryBytes: 10 << 20})
	})
}

func BenchmarkORCDictionary(b *testing.B) {
	convert(b, func(w io.Writer, s *column.Type) (writer, error) {
		return orc.NewWriter(w, s, orc.Options{Compression: orc.Snappy, MemoryBytes: 10 << 20, DictionaryThreshold: 0.8})
	})
}

// BenchmarkArrowParquet is arrow-go's way from JSON to Parquet: its record builder and its
// writer. Decimals and timestamps are strings there, since its JSON reader takes few forms of them.
func BenchmarkArrowParquet(b *testing.B) {
	data, _ := documents(rows)
	str := arrow.BinaryTypes.String
	f := func(n string, t arrow.DataType) arrow.Field { return arrow.Field{Name: n, Type: t, Nullable: true} }
	schema := arrow.NewSchema([]arrow.Field{
		f("id", arrow.PrimitiveTypes.Int64), f("user_id", arrow.PrimitiveTypes.Int64), f("session", str), f("event", str), f("country", str), f("city", str),
		f("device", str), f("os", str), f("browser", str), f("url", str), f("referrer", str), f("price", arrow.PrimitiveTypes.Float64),
		f("quantity", arrow.PrimitiveTypes.Int32), f("discount", arrow.PrimitiveTypes.Float64), f("score", arrow.PrimitiveTypes.Float32),
		f("active", arrow.FixedWidthTypes.Boolean), f("at", str), f("day", str), f("tags", arrow.ListOf(str)),
		f("geo", arrow.StructOf(f("lat", arrow.PrimitiveTypes.Float64), f("lon", arrow.PrimitiveTypes.Float64))),
	}, nil)
	var size counter
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		size = 0
		w, err := pqarrow.NewFileWriter(schema, &size, parquet.NewWriterProperties(
			parquet.WithCompression(compress.Codecs.Snappy), parquet.WithDictionaryDefault(false)), pqarrow.DefaultWriterProps())
		if err != nil {
			b.Fatal(err)
		}
		r := array.NewJSONReader(bytes.NewReader(data), schema, array.WithChunk(4096), array.WithAllocator(memory.DefaultAllocator))
		for r.Next() {
			if err := w.WriteBuffered(r.RecordBatch()); err != nil {
				b.Fatal(err)
			}
		}
		if err := r.Err(); err != nil {
			b.Fatal(err)
		}
		if err := w.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(size)/float64(len(data)), "file/json")
}

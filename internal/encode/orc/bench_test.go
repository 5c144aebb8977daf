package orc

import (
	"fmt"
	"io"
	"math/rand/v2"
	"testing"

	"hydrant/internal/column"
)

// mixed is the rows of the benchmark: 20 columns, as events have them.
func mixed(t testing.TB, rows int) *column.Batch {
	b := column.NewBatch(mustType(t, "struct<id:bigint,seq:bigint,user:int,status:smallint,flag:boolean,on:boolean,kind:tinyint,"+
		"host:string,path:string,agent:string,level:string,uuid:string,city:string,price:double,lat:double,lon:double,"+
		"amount:decimal(12,2),ts:timestamp,seen:timestamp,day:date>"))
	rnd := rand.New(rand.NewPCG(1, 2))
	few := func(name string, n int) []byte { return fmt.Appendf(nil, "%s-%d", name, rnd.IntN(n)) }
	for i := range rows {
		b.Begin()
		c := b.Columns
		for at, v := range []int64{rnd.Int64(), int64(i), rnd.Int64N(1e6), 200 + rnd.Int64N(5)*100, rnd.Int64N(2), int64(bit(rnd.IntN(50) > 0)), rnd.Int64N(20)} {
			if at == 2 && rnd.IntN(10) == 0 {
				c[at].Null()
				continue
			}
			c[at].Int(v)
		}
		c[7].Text(few("host", 50))
		c[8].Text(few("/api/v1/items", 100_000))
		c[9].Text(few("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit", 20))
		c[10].Text(few("level", 4))
		c[11].Text(fmt.Appendf(nil, "%016x%016x", rnd.Uint64(), rnd.Uint64()))
		c[12].Text(few("city", 300))
		c[13].Float(float64(rnd.IntN(100_000)) / 100)
		c[14].Float(rnd.Float64() * 90)
		c[15].Float(rnd.Float64() * 180)
		c[16].Decimal(column.Int128{Lo: uint64(rnd.IntN(1_000_000))})
		c[17].Time(1_700_000_000+int64(i)/100, rnd.Int32N(1000)*1e6)
		c[18].Time(1_700_000_000-rnd.Int64N(100_000), 0)
		c[19].Int(20_000 + rnd.Int64N(3))
		b.End()
	}
	return b
}

// BenchmarkWriter writes 20 columns of events; bytes are those of the vectors.
func BenchmarkWriter(b *testing.B) {
	batch := mixed(b, 4096)
	for _, bench := range []struct {
		name string
		o    Options
	}{
		{"snappy", Options{Compression: Snappy}},
		{"snappy-dictionary", Options{Compression: Snappy, DictionaryThreshold: 0.8}},
		{"snappy-bloom", Options{Compression: Snappy, BloomColumns: []string{"id", "uuid"}}},
		{"none", Options{}},
		{"zlib", Options{Compression: ZLIB}},
		{"snappy-0.11", Options{Compression: Snappy, Version: V0_11}},
	} {
		b.Run(bench.name, func(b *testing.B) {
			benchmarkWriter(b, batch, bench.o)
		})
	}
}

func benchmarkWriter(b *testing.B, batch *column.Batch, o Options) {
	w, err := NewWriter(io.Discard, batch.Schema, o)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(batch.Size())
	b.ReportAllocs()
	for b.Loop() {
		if err := w.Write(batch); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(batch.Rows), "ns/row")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(batch.Rows)/float64(len(batch.Columns)), "ns/value")
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
}

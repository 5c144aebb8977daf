package serde

import (
	"fmt"
	"testing"

	"hydrant/internal/column"
)

const benchSchema = "struct<id:bigint,ts:timestamp,user_id:string,session:string,country:char(2),city:varchar(40),age:smallint," +
	"score:double,ratio:float,price:decimal(10,2),active:boolean,visits:int,day:date,url:string,agent:string,ref:string," +
	"device:struct<os:string,version:string,width:int>,tags:array<string>,attrs:map<string,string>,level:tinyint>"

// benchRecords are rows of about 450 bytes with 20 columns.
func benchRecords() (all [][]byte, size int64) {
	for i := range 1000 {
		rec := fmt.Appendf(nil, `{"id":%d,"ts":"2018-02-07T18:%02d:%02d.123Z","user_id":"user-%06d","session":"%016x","country":"DE","city":"M\u00fcnchen %d",`+
			`"age":%d,"score":%d.%03d,"ratio":0.%d,"price":%d.99,"active":%t,"visits":%d,"day":"2018-02-%02d","url":"https://example.com/shop/item?id=%d",`+
			`"agent":"Mozilla/5.0 (X11; Linux)","ref":null,"device":{"os":"linux","version":"6.1.%d","width":1920},"tags":["a%d","blue","sale"],`+
			`"attrs":{"k1":"v%d","k2":"value two"},"level":%d}`,
			1_000_000_007*i, i%60, i%59, i, i*7919, i, i%90, i*31, i%1000, i%97, i*3, i%2 == 0, i*i, i%28+1, i, i%100, i, i, i%100)
		all, size = append(all, rec), size+int64(len(rec))
	}
	return all, size
}

// BenchmarkOpenX reads rows whose keys come in the same order; the size is about 450 bytes.
func BenchmarkOpenX(b *testing.B) { benchmark(b, defaultOpenX) }

// BenchmarkHive does the same by the other deserializer.
func BenchmarkHive(b *testing.B) {
	benchmark(b, func(s *column.Type) (*Reader, error) {
		return NewHive(s, Hive{TimestampFormats: []string{"yyyy-MM-dd'T'HH:mm:ss.SSSZ"}})
	})
}

// defaultOpenX is NewOpenX with what AWS has by default.
func defaultOpenX(s *column.Type) (*Reader, error) { return NewOpenX(s, openX) }

func benchmark(b *testing.B, reader func(*column.Type) (*Reader, error)) {
	schema := parsed(b, benchSchema)
	r, err := reader(schema)
	if err != nil {
		b.Fatal(err)
	}
	records, size := benchRecords()
	batch := column.NewBatch(schema)
	fail := func(doc []byte, e *Error) { b.Fatal(e, string(doc)) }
	b.SetBytes(size / int64(len(records)))
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		if i%len(records) == 0 {
			batch.Reset()
		}
		r.Append(batch, records[i%len(records)], fail)
	}
}

// The usual path needs no memory of its own.
func TestRowsAllocateNothing(t *testing.T) {
	schema := parsed(t, benchSchema)
	r, err := NewOpenX(schema, openX)
	if err != nil {
		t.Fatal(err)
	}
	records, _ := benchRecords()
	batch := column.NewBatch(schema)
	fail := func(doc []byte, e *Error) { t.Error(e, string(doc)) }
	all := func() {
		batch.Reset()
		for _, rec := range records {
			r.Append(batch, rec, fail)
		}
	}
	all()
	if n := testing.AllocsPerRun(3, all); n > 0 {
		t.Errorf("%v allocations for %d rows", n, len(records))
	}
	if rows := dump(t, batch); len(rows) != len(records) {
		t.Errorf("%d rows", len(rows))
	}
}

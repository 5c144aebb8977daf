package extract

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"hydrant/internal/record"
)

// typical is a record of 1 KiB.
func typical() string {
	var b strings.Builder
	b.WriteString(`{"customer_id":"1234567890","event_timestamp":1565382027,"type":{"device":"mobile","event":"e"},"items":[`)
	for i := 0; b.Len() < 950; i++ {
		fmt.Fprintf(&b, `{"sku":"A-%04d","count":%d,"price":19.99,"gift":false},`, i, i%7)
	}
	b.WriteString(`{}],"text":"`)
	return b.String() + strings.Repeat("x", 1022-b.Len()) + `"}`
}

func BenchmarkExtraction(b *testing.B) {
	const paths = "{customer_id:.customer_id,device:.type.device}"
	data := []byte(typical())
	for name, query := range map[string]string{
		"walk":        paths,
		"interpreter": paths,
		"whole":       paths,
		"strftime":    `{customer_id:.customer_id,year:.event_timestamp|strftime("%Y")}`,
		"missing":     `{customer_id:.customer_id,device:.type.nothing}`,
	} {
		b.Run(name, func(b *testing.B) {
			e := extraction(b, query)
			if name == "interpreter" || name == "whole" {
				e.plan = nil
			}
			e.jq.reads.all = name == "whole" // what it does not read, too
			items := make([]record.Item, 100)
			b.SetBytes(int64(len(data) * len(items)))
			b.ReportAllocs()
			for b.Loop() {
				for i := range items {
					items[i] = record.Item{Data: data}
				}
				out, err := e.Process(context.Background(), items)
				if err != nil || out[0].Goes() == (name == "missing") {
					b.Fatal(err, out[0].Failure)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(items)), "ns/record")
		})
	}
}

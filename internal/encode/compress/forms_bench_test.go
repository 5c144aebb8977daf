package compress

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"hydrant/internal/record"
)

// BenchmarkForms makes objects of 5 MiB of every form, out of entries as they are stored for
// it. BenchmarkEncode has what gzip does with those stored for others.
func BenchmarkForms(b *testing.B) {
	for _, form := range []struct {
		name  string
		level int // that entries are packed with
	}{{"gzip", 1}, {"zip", 1}, {"snappy-java", 0}, {"hadoop-snappy", 0}} {
		for _, kib := range []int{4, 200} {
			b.Run(fmt.Sprintf("%s/entry=%dKiB", form.name, kib), func(b *testing.B) {
				pool := NewPool(1)
				packer, r := NewPacker(pool), rand.New(rand.NewPCG(1, 1))
				var entries []*record.Entry
				size := 0
				for size < 5<<20 {
					raw, lengths := events(r, kib<<10)
					entries = append(entries, entryOf(packer, raw, lengths, form.level, uint64(len(entries))+1))
					size += len(raw)
				}
				enc, out := encodings(pool)[form.name], &tally{memory: memory{buf: make([]byte, 8<<20)}}
				b.SetBytes(int64(size))
				b.ReportAllocs()
				for b.Loop() {
					out.total = 0
					n := enc.NewEncoder(out)
					for _, e := range entries {
						if err := n.Add(e, 0, uint32(len(e.Lengths))); err != nil {
							b.Fatal(err)
						}
					}
					if err := n.Close(); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(size)/float64(out.total), "ratio")
			})
		}
	}
}

// tally is memory that counts what was written.
type tally struct {
	memory
	total int
}

func (t *tally) Write(b []byte) (int, error) {
	t.total += len(b)
	return t.memory.Write(b)
}

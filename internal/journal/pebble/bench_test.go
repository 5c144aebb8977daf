package pebble

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"hydrant/internal/journal/journaltest"
	"hydrant/internal/record"
)

// randomPiece is a piece that looks like compressed records of half a kilobyte.
func randomPiece(size int) record.Piece {
	raw := make([]byte, size)
	for i := range raw {
		raw[i] = byte(rand.Uint32())
	}
	p := record.Piece{RawBytes: uint32(size), Stored: raw}
	for range size / 512 {
		p.Lengths = append(p.Lengths, 512)
	}
	if rest := size % 512; rest > 0 {
		p.Lengths = append(p.Lengths, uint32(rest))
	}
	return p
}

func openBench(b *testing.B) *Engine {
	b.Helper()
	e, err := Open(b.Context(), Options{Dir: b.TempDir() + "/journal", Logger: quiet(), BallastBytes: -1})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := e.Close(); err != nil {
			b.Error(err)
		}
	})
	return e
}

// cpu is the processor time of this process.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// perGB reports processor time per gigabyte that f handled, and the heap.
func perGB(b *testing.B, bytes int, f func()) {
	b.Helper()
	b.SetBytes(int64(bytes))
	b.ReportAllocs()
	before := cpu(b)
	b.ResetTimer()
	f()
	b.StopTimer()
	b.ReportMetric((cpu(b)-before).Seconds()/(float64(bytes)*float64(b.N)/1e9), "cpu-s/GB")
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	b.ReportMetric(float64(m.Sys-m.HeapReleased)/(1<<20), "MiB")
}

// spread runs b.N calls of f from n goroutines.
func spread(b *testing.B, n int, f func(worker, i int)) {
	var next atomic.Int64
	var wg sync.WaitGroup
	for w := range n {
		wg.Go(func() {
			for i := int(next.Add(1)); i <= b.N; i = int(next.Add(1)) {
				f(w, i)
			}
		})
	}
	wg.Wait()
}

func benchQueue(n int) record.Queue {
	return record.Queue{Stream: record.StreamID{byte(n >> 8), byte(n), 9}}
}

// Synced appends of what a request of 300 KB leaves after compression. Every queue is trimmed
// now and then, as delivery does, so that the store stays small.
func BenchmarkAppend(b *testing.B) {
	for _, n := range []int{1, 4, 16} {
		b.Run(fmt.Sprintf("75KB/goroutines=%d", n), func(b *testing.B) {
			e := openBench(b)
			p := randomPiece(75 << 10)
			perGB(b, len(p.Stored), func() {
				spread(b, n, func(w, i int) { appendTrimming(b, e, benchQueue(w), p, 500) })
			})
		})
	}
	b.Run("75KB/goroutines=16/queues=1", func(b *testing.B) {
		e := openBench(b)
		p := randomPiece(75 << 10)
		perGB(b, len(p.Stored), func() {
			spread(b, 16, func(_, i int) { appendTrimming(b, e, benchQueue(1), p, 500) })
		})
	})
	b.Run("1KiB/goroutines=64/queues=500", func(b *testing.B) {
		e := openBench(b)
		p := randomPiece(1 << 10)
		perGB(b, len(p.Stored), func() {
			spread(b, 64, func(w, i int) { appendTrimming(b, e, benchQueue(i%500), p, 5000) })
		})
	})
	b.Run("4MiB/goroutines=2", func(b *testing.B) {
		e := openBench(b)
		p := randomPiece(256 << 10)
		var pieces []record.Piece
		for range 16 {
			pieces = append(pieces, p)
		}
		perGB(b, 4<<20, func() {
			spread(b, 2, func(w, i int) { appendTrimming(b, e, benchQueue(w), pieces, 500) })
		})
	})
}

// appendTrimming appends, and trims after every so many entries.
func appendTrimming[P record.Piece | []record.Piece](b *testing.B, e *Engine, q record.Queue, p P, every uint64) {
	pieces, ok := any(p).([]record.Piece)
	if !ok {
		pieces = []record.Piece{any(p).(record.Piece)}
	}
	tx := journaltest.One(q, pieces...)
	if err := e.Apply(b.Context(), tx); err != nil {
		b.Error(err)
		return
	}
	if first := tx.Appends[0].First; first/every != (first+uint64(len(pieces)))/every {
		if err := e.Apply(b.Context(), &record.Tx{Trims: []record.Trim{{Queue: q, Before: first}}}); err != nil {
			b.Error(err)
		}
	}
}

func BenchmarkReadBack(b *testing.B) {
	e := openBench(b)
	p := randomPiece(75 << 10)
	q := benchQueue(1)
	const stored = 4000
	for range stored {
		if err := e.Apply(b.Context(), journaltest.One(q, p)); err != nil {
			b.Fatal(err)
		}
	}
	perGB(b, len(p.Stored), func() {
		for n := 0; n < b.N; {
			err := e.Read(b.Context(), q, 1, func(*record.Entry) error {
				if n++; n >= b.N {
					return record.ErrStop
				}
				return nil
			})
			if err != nil {
				b.Fatal(err)
			}
		}
	})
}

// The life of data in the journal: appended by four writers, read once, trimmed every 64 MiB.
func BenchmarkCycle(b *testing.B) {
	for _, size := range []int{4 << 10, 75 << 10, 256 << 10} {
		b.Run(fmt.Sprintf("%dKiB", size>>10), func(b *testing.B) {
			e := openBench(b)
			p := randomPiece(size)
			perGB(b, size, func() {
				var readers sync.WaitGroup
				done := make(chan struct{})
				for w := range 4 {
					readers.Go(func() { deliver(b, e, benchQueue(w), size, done) })
				}
				spread(b, 4, func(w, _ int) {
					if err := e.Apply(b.Context(), journaltest.One(benchQueue(w), p)); err != nil {
						b.Error(err)
					}
				})
				close(done)
				readers.Wait()
			})
		})
	}
}

// deliver reads a queue to its end and trims what it read.
func deliver(b *testing.B, e *Engine, q record.Queue, size int, done chan struct{}) {
	at, trimmed := uint64(1), uint64(1)
	step := uint64(64<<20) / uint64(size)
	for last := false; ; {
		err := e.Read(b.Context(), q, at, func(r *record.Entry) error {
			at = r.Sequence + 1
			if at-trimmed < step {
				return nil
			}
			trimmed = at
			return e.Apply(b.Context(), &record.Tx{Trims: []record.Trim{{Queue: q, Before: at}}})
		})
		if err != nil {
			b.Error(err)
		}
		if last {
			return
		}
		select {
		case <-done:
			last = true
		case <-time.After(20 * time.Millisecond):
		}
	}
}

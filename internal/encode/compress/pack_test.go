package compress

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"

	"hydrant/internal/encode"
	"hydrant/internal/record"
)

func TestThePackerChoosesAFormThatPays(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	json, _ := events(r, 300<<10)
	noise := randomBytes(r, 300<<10)
	for _, c := range []struct {
		name  string
		raw   []byte
		level int
		codec record.Codec
	}{
		{"nothing", nil, 6, record.None},
		{"tiny", json[:255], 6, record.None},
		{"small, for gzip", json[:CopyBytes-1], 6, record.S2},
		{"large, for gzip", json[:CopyBytes], 6, record.Deflate},
		{"large noise, for gzip", noise, 1, record.Deflate},
		{"large, not for gzip", json, 0, record.S2},
		{"noise", noise, 0, record.None},
		{"small noise, for gzip", noise[:CopyBytes-1], 9, record.None},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := NewPacker(NewPool(1)).Pack(nil, c.raw, []uint32{uint32(len(c.raw))}, c.level)
			if p.Codec != c.codec {
				t.Fatalf("codec %d instead of %d", p.Codec, c.codec)
			}
			if (p.Codec == record.Deflate) != (p.Level != 0) {
				t.Errorf("codec %d with level %d", p.Codec, p.Level)
			}
			if p.RawCRC != crc32.ChecksumIEEE(c.raw) || int(p.RawBytes) != len(c.raw) {
				t.Error("length or CRC of the raw bytes is wrong")
			}
			e := &record.Entry{Piece: p}
			err := new(encode.Decoder).Range(e, 0, 1, func(raw []byte) error {
				if !bytes.Equal(raw, c.raw) {
					t.Error("comes back as other bytes")
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
}

func TestAPieceIsMadeInTheRoomItIsGiven(t *testing.T) {
	raw, lengths := events(rand.New(rand.NewPCG(5, 6)), 64<<10)
	for _, level := range []int{0, 6} {
		dst := make([]byte, 0, len(raw)+len(raw)/64+1024)
		p := NewPacker(NewPool(1)).Pack(dst, raw, lengths, level)
		if &p.Stored[0] != &dst[:1][0] {
			t.Errorf("level %d: stored somewhere else although there was room", level)
		}
		if small := NewPacker(NewPool(1)).Pack(dst[:0:16], raw, lengths, level); !bytes.Equal(small.Stored, p.Stored) {
			t.Errorf("level %d: other bytes without room", level)
		}
	}
}

// A compressor's past must not show in what it makes: recovery repeats uploads and relies
// on the same bytes under the same name.
func TestUsedCompressorsMakeTheSameBytesAsNewOnes(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	used := NewPacker(NewPool(1))
	for level := 1; level <= BestLevel; level++ {
		for i := range 3 {
			raw, lengths := events(r, CopyBytes+r.IntN(80<<10))
			if i == 1 {
				raw = randomBytes(r, len(raw))
			}
			a := used.Pack(nil, raw, lengths, level)
			b := NewPacker(NewPool(1)).Pack(nil, raw, lengths, level)
			if !bytes.Equal(a.Stored, b.Stored) {
				t.Fatalf("level %d, piece %d: %d bytes after use, %d fresh", level, i, len(a.Stored), len(b.Stored))
			}
			if !bytes.HasSuffix(a.Stored, []byte(syncMarker)) {
				t.Fatalf("level %d: no sync marker at the end", level)
			}
		}
	}
}

// However many goroutines pack at however many levels, there are never more compressors
// than the pool has workers.
func TestThePoolHoldsNoMoreCompressorsThanItHasWorkers(t *testing.T) {
	pool := NewPool(2)
	raw, lengths := events(rand.New(rand.NewPCG(9, 10)), CopyBytes)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 10 {
				NewPacker(pool).Pack(nil, raw, lengths, 1+(g+i)%3)
			}
		})
	}
	wg.Wait()
	if len(pool.idle) > 2 || len(pool.tokens) != 0 {
		t.Fatalf("%d idle compressors and %d tokens taken", len(pool.idle), len(pool.tokens))
	}
}

func BenchmarkPack(b *testing.B) {
	for _, level := range []int{0, 1, 3, 6} {
		for _, kib := range []int{16, 64, 128, 256} {
			b.Run(fmt.Sprintf("level=%d/size=%dKiB", level, kib), func(b *testing.B) {
				raw, lengths := events(rand.New(rand.NewPCG(1, 1)), kib<<10)
				raw = raw[:kib<<10]
				dst := make([]byte, 0, len(raw)+len(raw)/64+1024)
				p := NewPacker(NewPool(1))
				var piece record.Piece
				b.SetBytes(int64(len(raw)))
				b.ReportAllocs()
				for b.Loop() {
					piece = p.Pack(dst, raw, lengths, level)
				}
				b.ReportMetric(float64(len(raw))/float64(len(piece.Stored)), "ratio")
			})
		}
	}
}

// BenchmarkCompressorMemory reports what a compressor of each level holds.
func BenchmarkCompressorMemory(b *testing.B) {
	for level := 1; level <= BestLevel; level++ {
		b.Run(fmt.Sprintf("level=%d", level), func(b *testing.B) {
			var before, after runtime.MemStats
			var held []*deflater
			runtime.ReadMemStats(&before)
			for b.Loop() {
				d := newDeflater(level)
				d.append(nil, make([]byte, 1))
				held = append(held[:0], d)
			}
			runtime.ReadMemStats(&after)
			b.ReportMetric(float64(after.TotalAlloc-before.TotalAlloc)/float64(b.N)/1024, "KiB/compressor")
		})
	}
}

package compress

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"hydrant/internal/encode"
	"hydrant/internal/record"
)

// mixed returns entries of all forms (copied, S2, plain, other level, noise) with random
// cuts, and the raw bytes they stand for.
func mixed(seed uint64, entries, level int) (parts []part, raw []byte) {
	r := rand.New(rand.NewPCG(seed, 99))
	packer := NewPacker(NewPool(1))
	for i := range entries {
		size := []int{1, 200, 3000, 15 << 10, 40 << 10, 200 << 10}[r.IntN(6)]
		data, lengths := events(r, size)
		if r.IntN(8) == 0 {
			data = randomBytes(r, len(data))
		}
		e := entryOf(packer, data, lengths, []int{0, level, level, level, level%BestLevel + 1}[r.IntN(5)], uint64(i+1))
		p := whole(e)
		if r.IntN(4) == 0 {
			p.from = r.Uint32N(uint32(len(lengths)) + 1)
			p.to = p.from + r.Uint32N(uint32(len(lengths))-p.from+1)
		}
		lo, hi, _ := encode.Bounds(e, p.from, p.to)
		parts, raw = append(parts, p), append(raw, data[lo:hi]...)
	}
	return parts, raw
}

func TestAnObjectIsOneMemberWithExactlyTheRecords(t *testing.T) {
	for seed := range uint64(4) {
		level := int(seed%3)*3 + 1
		parts, want := mixed(seed, 15, level)
		object := encodeAll(t, Gzip(NewPool(0), level), parts...)
		if got := gunzip(t, object); !bytes.Equal(got, want) {
			t.Fatalf("seed %d: %d bytes came back instead of %d, or others", seed, len(got), len(want))
		}
	}
}

func TestAnObjectWithoutRecordsIsAnEmptyMember(t *testing.T) {
	if got := gunzip(t, encodeAll(t, Gzip(NewPool(1), 6))); len(got) != 0 {
		t.Fatalf("%d bytes out of nothing", len(got))
	}
}

func TestStoredPiecesAreCopiedByteForByte(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	packer := NewPacker(NewPool(1))
	var parts []part
	var want []byte
	want = append(want, header...)
	for i := range 5 {
		data, lengths := events(r, 50<<10)
		e := entryOf(packer, data, lengths, 6, uint64(i+1))
		parts, want = append(parts, whole(e)), append(want, e.Stored...)
	}
	pool := NewPool(1)
	object := encodeAll(t, Gzip(pool, 6), parts...)
	if !bytes.HasPrefix(object, append(want, final...)) {
		t.Fatal("the object is not header, stored bytes, final block")
	}
	if len(pool.idle) != 0 || len(pool.blocks) != 0 {
		t.Fatal("copying made a compressor or a block")
	}
}

// The bytes of an object must not depend on how many workers there were, on who else
// compressed at the time, or on what the pool was used for before.
func TestTheSameEntriesGiveTheSameBytes(t *testing.T) {
	parts, _ := mixed(42, 20, 6)
	want := encodeAll(t, Gzip(NewPool(1), 6), parts...)
	for _, workers := range []int{1, 3} {
		enc := Gzip(NewPool(workers), 6)
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				if got := encodeAll(t, enc, parts...); !bytes.Equal(got, want) {
					t.Errorf("%d workers: another object", workers)
				}
			})
		}
		wg.Wait()
	}
}

func TestEverythingGoesBackToThePool(t *testing.T) {
	parts, _ := mixed(5, 20, 6)
	pool := NewPool(2)
	for _, end := range []func(record.Encoder) error{
		record.Encoder.Close,
		func(e record.Encoder) error { e.Abandon(); return nil },
	} {
		n := Gzip(pool, 6).NewEncoder(io.Discard)
		for _, p := range parts {
			if err := n.Add(p.entry, p.from, p.to); err != nil {
				t.Fatal(err)
			}
		}
		if err := end(n); err != nil {
			t.Fatal(err)
		}
		if len(pool.lanes) != 0 || len(pool.tokens) != 0 {
			t.Fatalf("%d lanes and %d compressors are still taken", len(pool.lanes), len(pool.tokens))
		}
	}
}

var errFull = errors.New("part buffer is full")

// narrow fails once n bytes were written.
type narrow struct{ n int }

func (w *narrow) Write(b []byte) (int, error) {
	if w.n -= len(b); w.n < 0 {
		return 0, errFull
	}
	return len(b), nil
}

func TestAWriterThatFailsIsReportedWhereverItFails(t *testing.T) {
	parts, _ := mixed(6, 10, 6)
	pool := NewPool(2)
	size := len(encodeAll(t, Gzip(pool, 6), parts...))
	for room := 0; room < size; room += size/11 + 1 {
		n := Gzip(pool, 6).NewEncoder(&narrow{room})
		var err error
		for i := 0; i < len(parts) && err == nil; i++ {
			err = n.Add(parts[i].entry, parts[i].from, parts[i].to)
		}
		if err == nil {
			err = n.Close()
		}
		n.Abandon()
		if !errors.Is(err, errFull) {
			t.Fatalf("room for %d of %d bytes: %v", room, size, err)
		}
		if len(pool.lanes) != 0 || len(pool.tokens) != 0 {
			t.Fatalf("room for %d of %d bytes: something stayed taken", room, size)
		}
	}
}

func TestDamagedEntriesAreRefusedByName(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 8))
	raw, lengths := events(r, 40<<10)
	packer := NewPacker(NewPool(1))
	for name, damage := range map[string]func(e *record.Entry){
		"no sync marker": func(e *record.Entry) { e.Stored = e.Stored[:len(e.Stored)-1] },
		"other level, cut": func(e *record.Entry) {
			e.Level, e.Stored = 1, e.Stored[:len(e.Stored)/2]
		},
		"other level, flipped": func(e *record.Entry) {
			e.Level, e.Stored = 1, bytes.Clone(e.Stored)
			e.Stored[len(e.Stored)/2] ^= 4
		},
		"other level, wrong CRC":  func(e *record.Entry) { e.Level, e.RawCRC = 1, e.RawCRC+1 },
		"other level, too long":   func(e *record.Entry) { e.Level, e.Stored = 1, append(bytes.Clone(e.Stored), e.Stored...) },
		"lengths do not add up":   func(e *record.Entry) { e.Level, e.Lengths = 1, e.Lengths[1:] },
		"S2 that is not":          func(e *record.Entry) { e.Codec = record.S2 },
		"plain, wrong length":     func(e *record.Entry) { e.Codec, e.Stored = record.None, raw[1:] },
		"unknown codec":           func(e *record.Entry) { e.Codec = 77 },
		"missing":                 func(e *record.Entry) { e.Missing = 1 },
		"still encrypted":         func(e *record.Entry) { e.KeyID = "k1" },
		"claims a terabyte or so": func(e *record.Entry) { e.Level, e.RawBytes = 1, 1<<32-1 },
	} {
		t.Run(name, func(t *testing.T) {
			e := entryOf(packer, raw, lengths, 6, 4711)
			damage(e)
			n := Gzip(NewPool(1), 6).NewEncoder(io.Discard)
			defer n.Abandon()
			err := n.Add(e, 0, uint32(len(e.Lengths)))
			if !errors.Is(err, encode.ErrBadEntry) {
				t.Fatalf("got %v", err)
			}
			if !bytes.Contains([]byte(err.Error()), []byte("entry 4711 of queue "+e.Queue.String())) {
				t.Fatalf("%q does not name the entry", err)
			}
		})
	}
}

// Other people's readers find exactly one member and the same records.
func TestOtherToolsReadTheObject(t *testing.T) {
	parts, want := mixed(77, 30, 6)
	file := filepath.Join(t.TempDir(), "object.gz")
	if err := os.WriteFile(file, encodeAll(t, Gzip(NewPool(2), 6), parts...), 0o600); err != nil {
		t.Fatal(err)
	}
	python := `import sys, zlib
d = zlib.decompressobj(31)
raw = d.decompress(open(sys.argv[1], "rb").read())
assert d.eof and not d.unused_data, "not exactly one member"
sys.stdout.buffer.write(raw)`
	for _, tool := range [][]string{{"gzip", "-dc", file}, {"python3", "-c", python, file}} {
		t.Run(tool[0], func(t *testing.T) {
			if _, err := exec.LookPath(tool[0]); err != nil {
				t.Skipf("%s is not installed", tool[0])
			}
			cmd := exec.Command(tool[0], tool[1:]...)
			cmd.Stderr = os.Stderr
			got, err := cmd.Output()
			if err != nil || !bytes.Equal(got, want) {
				t.Fatalf("%v, %d bytes instead of %d", err, len(got), len(want))
			}
		})
	}
}

// Random pieces of random sizes with random cuts come back as the records that went in.
func FuzzGzip(f *testing.F) {
	f.Add([]byte("hello"), uint64(1), byte(6))
	f.Add(bytes.Repeat([]byte("abcdefgh"), 4096), uint64(7), byte(1))
	pool := NewPool(2)
	packer := NewPacker(pool)
	f.Fuzz(func(t *testing.T, data []byte, seed uint64, level byte) {
		r := rand.New(rand.NewPCG(seed, 0))
		enc := Gzip(pool, 1+int(level)%BestLevel)
		var parts []part
		var want []byte
		for i := range 1 + r.IntN(6) {
			raw := bytes.Repeat(data, 1+r.IntN(1+64<<10/(len(data)+1)))
			var lengths []uint32
			for left := uint32(len(raw)); left > 0; {
				n := 1 + r.Uint32N(left)
				lengths, left = append(lengths, n), left-n
			}
			if len(lengths) == 0 {
				lengths = []uint32{0}
			}
			e := entryOf(packer, raw, lengths, []int{0, enc.level, 1}[r.IntN(3)], uint64(i))
			p := whole(e)
			if r.IntN(2) == 0 {
				p.from = r.Uint32N(p.to + 1)
			}
			lo, _, err := encode.Bounds(e, p.from, p.to)
			if err != nil {
				t.Fatal(err)
			}
			parts, want = append(parts, p), append(want, raw[lo:]...)
		}
		if got := gunzip(t, encodeAll(t, enc, parts...)); !bytes.Equal(got, want) {
			t.Fatalf("%d bytes came back instead of %d, or others", len(got), len(want))
		}
	})
}

// Stored bytes that are not what the header says end in an error, never in a panic or in
// more memory than the header allows.
func FuzzDamagedDeflate(f *testing.F) {
	e := entryOf(NewPacker(NewPool(1)), bytes.Repeat([]byte("hydrant "), 4096), []uint32{32768}, 6, 1)
	f.Add(e.Stored, uint32(32768), byte(record.Deflate))
	f.Fuzz(func(t *testing.T, stored []byte, size uint32, codec byte) {
		e := &record.Entry{Piece: record.Piece{
			Codec: record.Codec(codec % 3), RawBytes: size, Lengths: []uint32{size}, Stored: stored,
		}}
		err := new(encode.Decoder).Range(e, 0, 1, func(raw []byte) error {
			if uint32(len(raw)) != size || crc32.ChecksumIEEE(raw) != 0 {
				t.Fatal("wrong bytes were handed on")
			}
			return nil
		})
		if err != nil && !errors.Is(err, encode.ErrBadEntry) {
			t.Fatal(err)
		}
	})
}

// memory takes writes as a part buffer does.
type memory struct {
	buf []byte
	n   int
}

func (m *memory) Write(b []byte) (int, error) {
	if m.n+len(b) > len(m.buf) {
		m.n = 0
	}
	m.n += copy(m.buf[m.n:], b)
	return len(b), nil
}

func BenchmarkEncode(b *testing.B) {
	packer := NewPacker(NewPool(1))
	for _, c := range []struct {
		name        string
		size, level int
	}{
		{"copy", 200 << 10, 1},
		{"recompress small", 4 << 10, 1},
		{"recompress other level", 200 << 10, 6},
		{"recompress S2", 200 << 10, 0},
	} {
		r := rand.New(rand.NewPCG(1, 1))
		var entries []*record.Entry
		var size int
		for size < 5<<20 {
			raw, lengths := events(r, c.size)
			entries = append(entries, entryOf(packer, raw, lengths, c.level, 1))
			size += len(raw)
		}
		for _, workers := range []int{1, 3} {
			b.Run(fmt.Sprintf("%s/workers=%d", c.name, workers), func(b *testing.B) {
				pool, out := NewPool(workers), &memory{buf: make([]byte, 8<<20)}
				b.SetBytes(int64(size))
				b.ReportAllocs()
				for b.Loop() {
					enc := Gzip(pool, 1).NewEncoder(out)
					for _, e := range entries {
						if err := enc.Add(e, 0, uint32(len(e.Lengths))); err != nil {
							b.Fatal(err)
						}
					}
					if err := enc.Close(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

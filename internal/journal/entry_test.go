package journal

import (
	"errors"
	"hash/crc32"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hydrant/internal/record"
)

func sampleEntry() *record.Entry {
	raw := []byte("helloworld!")
	return &record.Entry{
		Queue:    record.Queue{Stream: record.StreamID{1, 2, 3}, Output: record.Backup, Shard: 7},
		Sequence: 42,
		Before:   record.Counts{Records: 1000, Bytes: 1 << 40},
		Arrival:  1768471200123,
		Piece: record.Piece{
			Codec: record.None, RawBytes: 11, RawCRC: crc32.ChecksumIEEE(raw),
			Lengths: []uint32{5, 0, 6}, Stored: raw, KeyID: "k1",
		},
	}
}

func TestAnEntryComesBackAsItWasStored(t *testing.T) {
	want := sampleEntry()
	b := AppendEntry([]byte("before"), want)[len("before"):]
	if len(b) != EntrySize(want) {
		t.Fatalf("entry of %d bytes, said to have %d", len(b), EntrySize(want))
	}
	var got record.Entry
	if err := ParseEntry(b, &got); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, &got); d != "" {
		t.Fatal(d)
	}
}

// Every single flipped bit anywhere in an entry is noticed.
func TestNoFlippedBitPasses(t *testing.T) {
	b := AppendEntry(nil, sampleEntry())
	var e record.Entry
	for i := range len(b) * 8 {
		b[i/8] ^= 1 << (i % 8)
		if err := ParseEntry(b, &e); !errors.Is(err, ErrDamagedEntry) {
			t.Fatalf("bit %d of byte %d flipped: %v", i%8, i/8, err)
		}
		b[i/8] ^= 1 << (i % 8)
	}
	for n := range b {
		if err := ParseEntry(b[:n], &e); !errors.Is(err, ErrDamagedEntry) {
			t.Fatalf("cut to %d bytes: %v", n, err)
		}
	}
}

func FuzzParseEntry(f *testing.F) {
	f.Add(AppendEntry(nil, sampleEntry()))
	f.Add([]byte(entryMagic))
	f.Fuzz(func(t *testing.T, b []byte) {
		var e, again record.Entry
		if err := ParseEntry(b, &e); err != nil {
			if !errors.Is(err, ErrDamagedEntry) {
				t.Fatalf("refused with %v", err)
			}
			return
		}
		if err := ParseEntry(AppendEntry(nil, &e), &again); err != nil {
			t.Fatalf("what was read cannot be written and read again: %v", err)
		}
		if d := cmp.Diff(e, again); d != "" {
			t.Fatal(d)
		}
	})
}

func BenchmarkEntry(b *testing.B) {
	e := sampleEntry()
	e.KeyID = ""
	e.Stored, e.Lengths = make([]byte, 75<<10), nil
	for range 500 {
		e.Lengths = append(e.Lengths, 512)
	}
	e.RawBytes = 500 * 512
	buf := AppendEntry(nil, e)
	b.SetBytes(int64(len(buf)))
	b.ReportAllocs()
	var got record.Entry
	for b.Loop() {
		buf = AppendEntry(buf[:0], e)
		if err := ParseEntry(buf, &got); err != nil {
			b.Fatal(err)
		}
	}
}

package lines

import (
	"bytes"
	"errors"
	"hash/crc32"
	"io"
	"strings"
	"testing"

	"github.com/klauspost/compress/s2"

	"hydrant/internal/encode"
	"hydrant/internal/record"
)

func entry(codec record.Codec, records ...string) *record.Entry {
	raw := []byte(strings.Join(records, ""))
	e := &record.Entry{Sequence: 12, Piece: record.Piece{
		Codec: codec, RawBytes: uint32(len(raw)), RawCRC: crc32.ChecksumIEEE(raw), Stored: raw,
	}}
	for _, r := range records {
		e.Lengths = append(e.Lengths, uint32(len(r)))
	}
	if codec == record.S2 {
		e.Stored = s2.Encode(nil, raw)
	}
	return e
}

func TestRecordsAreWrittenVerbatim(t *testing.T) {
	var out bytes.Buffer
	n := New().NewEncoder(&out)
	for _, a := range []struct {
		entry    *record.Entry
		from, to uint32
	}{
		{entry(record.None, "a\n", "", "b"), 0, 3},
		{entry(record.S2, "c", "d", "\x00e", "f"), 1, 3},
		{entry(record.None, "x"), 1, 1},
		{entry(record.None, "", ""), 0, 2},
		{entry(record.None, "g", "h"), 1, 2},
	} {
		if err := n.Add(a.entry, a.from, a.to); err != nil {
			t.Fatal(err)
		}
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	n.Abandon()
	if got, want := out.String(), "a\nbd\x00eh"; got != want {
		t.Fatalf("%q instead of %q", got, want)
	}
}

func TestADamagedEntryIsRefusedBeforeAnyByteIsWritten(t *testing.T) {
	e := entry(record.None, "hello", "world")
	e.RawCRC++
	var out bytes.Buffer
	err := New().NewEncoder(&out).Add(e, 1, 2)
	if !errors.Is(err, encode.ErrBadEntry) || out.Len() != 0 {
		t.Fatalf("%v after %d bytes", err, out.Len())
	}
	if !strings.Contains(err.Error(), "entry 12 of queue") {
		t.Fatalf("%q does not name the entry", err)
	}
}

func TestAWriterThatFailsIsReported(t *testing.T) {
	r, w := io.Pipe()
	r.CloseWithError(io.ErrShortWrite)
	if err := New().NewEncoder(w).Add(entry(record.None, "x"), 0, 1); !errors.Is(err, io.ErrShortWrite) {
		t.Fatal(err)
	}
}

func TestRangesOutsideOfAnEntryAreRefused(t *testing.T) {
	for _, r := range [][2]uint32{{0, 3}, {2, 1}, {3, 3}} {
		if err := New().NewEncoder(io.Discard).Add(entry(record.None, "a", "b"), r[0], r[1]); !errors.Is(err, encode.ErrBadEntry) {
			t.Errorf("%v: %v", r, err)
		}
	}
}

func BenchmarkAdd(b *testing.B) {
	records := make([]string, 500)
	for i := range records {
		records[i] = strings.Repeat("hydrant spouts ", 33)
	}
	for name, codec := range map[string]record.Codec{"plain": record.None, "s2": record.S2} {
		b.Run(name, func(b *testing.B) {
			e := entry(codec, records...)
			n := New().NewEncoder(io.Discard)
			b.SetBytes(int64(e.RawBytes))
			b.ReportAllocs()
			for b.Loop() {
				if err := n.Add(e, 0, 500); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

package delimited

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"hydrant/internal/encode"
	"hydrant/internal/encode/compress"
	"hydrant/internal/encode/lines"
	"hydrant/internal/record"
)

// entry packs the records for a stream of the gzip level (0: of no gzip).
func entry(level int, sequence uint64, records ...string) *record.Entry {
	var lengths []uint32
	for _, r := range records {
		lengths = append(lengths, uint32(len(r)))
	}
	return &record.Entry{
		Queue: record.Queue{Stream: record.StreamID{7}}, Sequence: sequence,
		Piece: compress.NewPacker(compress.NewPool(1)).Pack(nil, []byte(strings.Join(records, "")), lengths, level),
	}
}

// part is a range of an entry's records.
type part struct {
	entry    *record.Entry
	from, to uint32
}

func whole(e *record.Entry) part { return part{e, 0, uint32(len(e.Lengths))} }

func object(t testing.TB, encoding *Encoding, parts ...part) []byte {
	t.Helper()
	var out bytes.Buffer
	n := encoding.NewEncoder(&out)
	defer n.Abandon()
	for _, p := range parts {
		if err := n.Add(p.entry, p.from, p.to); err != nil {
			t.Fatal(err)
		}
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestAnLFStandsBetweenRecordsAndNoneBehindTheLast(t *testing.T) {
	abc := entry(0, 1, "a", "b", "c")
	tests := []struct {
		name  string
		parts []part
		want  string
	}{
		{"no records", nil, ""},
		{"one record", []part{whole(entry(0, 1, "a"))}, "a"},
		{"an entry", []part{whole(abc)}, "a\nb\nc"},
		{"entries of many and of one", []part{whole(entry(0, 1, "a")), whole(abc), whole(entry(0, 2, "d")), whole(entry(0, 3, "e")), whole(abc)}, "a\na\nb\nc\nd\ne\na\nb\nc"},
		{"parts of entries", []part{{abc, 1, 3}, {abc, 2, 3}, {abc, 0, 2}, {abc, 1, 2}}, "b\nc\nc\na\nb\nb"},
		{"nothing of an entry", []part{{abc, 0, 0}, {abc, 2, 3}, {abc, 3, 3}, {abc, 0, 1}}, "c\na"},
		{"records that end in one already", []part{whole(entry(0, 1, "a\n", "b\n"))}, "a\n\nb\n"},
		{"empty records", []part{whole(entry(0, 1, "", "a", "", "")), whole(entry(0, 2, ""))}, "\na\n\n\n"},
		{"records that were compressed", []part{whole(entry(0, 1, strings.Repeat("a", 300), "b"))}, strings.Repeat("a", 300) + "\nb"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := string(object(t, New(lines.New()), test.parts...)); got != test.want {
				t.Fatalf("%q instead of %q", got, test.want)
			}
		})
	}
}

// random returns entries of all sizes and forms, with random cuts, and what an object of
// them holds.
func random(seed uint64) (parts []part, want []byte) {
	r := rand.New(rand.NewPCG(seed, 5))
	var all []string
	for sequence := range uint64(20) {
		records := make([]string, []int{1, 1, 2, 50, 1000}[r.IntN(5)])
		for i := range records {
			records[i] = strings.Repeat(fmt.Sprintf(`{"n":%d}`, r.IntN(100)), r.IntN([]int{2, 20, 5000 / len(records)}[r.IntN(3)]+1))
		}
		p := whole(entry([]int{0, 6, 6}[r.IntN(3)], sequence+1, records...))
		if r.IntN(3) == 0 {
			p.from = r.Uint32N(uint32(len(records)) + 1)
			p.to = p.from + r.Uint32N(uint32(len(records))-p.from+1)
		}
		parts, all = append(parts, p), append(all, records[p.from:p.to]...)
	}
	return parts, []byte(strings.Join(all, "\n"))
}

func TestEveryFormOfObjectsCanBeDelimited(t *testing.T) {
	pool := compress.NewPool(2)
	gunzip := func(b []byte) ([]byte, error) {
		z, err := gzip.NewReader(bytes.NewReader(b))
		if err != nil {
			return nil, err
		}
		return io.ReadAll(z)
	}
	unzip := func(b []byte) ([]byte, error) {
		z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return nil, err
		}
		f, err := z.File[0].Open()
		if err != nil {
			return nil, err
		}
		return io.ReadAll(f)
	}
	plain := func(b []byte) ([]byte, error) { return b, nil }
	for _, form := range []struct {
		inner   Inner
		content string
		open    func([]byte) ([]byte, error)
	}{
		{lines.New(), "", plain},
		{compress.Gzip(pool, 6), "gzip", gunzip},
		{compress.Zip(pool, 6), "zip", unzip},
	} {
		encoding := New(form.inner)
		if got := encoding.ContentEncoding(); got != form.content {
			t.Errorf("Content-Encoding %q instead of %q", got, form.content)
		}
		for seed := range uint64(6) {
			parts, want := random(seed)
			made := object(t, encoding, parts...)
			if got, err := form.open(made); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%q, seed %d: %d bytes instead of %d, or others: %v", form.content, seed, len(got), len(want), err)
			}
			if again := object(t, New(form.inner), parts...); !bytes.Equal(made, again) {
				t.Errorf("%q, seed %d: the same entries give other bytes", form.content, seed)
			}
		}
	}
}

func TestAnEntryOfOneRecordIsCopiedAsItIsStored(t *testing.T) {
	large := entry(6, 1, strings.Repeat("hydrant ", compress.CopyBytes))
	if large.Codec != record.Deflate {
		t.Fatal("it was to be deflated")
	}
	made := object(t, New(compress.Gzip(compress.NewPool(1), 6)), whole(large), whole(large))
	if n := bytes.Count(made, large.Stored); n != 2 {
		t.Fatalf("its blocks are found %d times", n)
	}
}

func TestWhatTheInnerEncodingRefusesIsRefused(t *testing.T) {
	damaged, single := entry(0, 12, "hello", "world"), entry(0, 12, "hello")
	damaged.RawCRC++
	single.RawCRC++
	for name, p := range map[string]part{
		"damage":          whole(damaged),
		"a damaged one":   whole(single),
		"beyond the end":  {entry(0, 12, "a", "b"), 1, 3},
		"from behind":     {entry(0, 12, "a", "b"), 2, 1},
		"a missing entry": {&record.Entry{Sequence: 12, Missing: 1}, 0, 2},
		"a sealed entry":  {&record.Entry{Sequence: 12, Piece: record.Piece{KeyID: "k", Lengths: []uint32{1, 1}}}, 0, 2},
	} {
		n := New(lines.New()).NewEncoder(io.Discard)
		if err := n.Add(p.entry, p.from, p.to); !errors.Is(err, encode.ErrBadEntry) {
			t.Errorf("%s: %v", name, err)
		}
		n.Abandon()
	}
}

func TestAWriterThatFailsIsReported(t *testing.T) {
	r, w := io.Pipe()
	r.CloseWithError(io.ErrShortWrite)
	n := New(lines.New()).NewEncoder(w)
	for range 2 { // the record, and the LF before the next
		if err := n.Add(entry(0, 1, "x"), 0, 1); !errors.Is(err, io.ErrShortWrite) {
			t.Fatal(err)
		}
	}
	if err := n.Add(entry(0, 1, "x", "y"), 0, 2); !errors.Is(err, io.ErrShortWrite) {
		t.Fatal(err)
	}
}

// What the LF costs: the forms with it and, as "bare", without it.
func BenchmarkAdd(b *testing.B) {
	pool := compress.NewPool(1)
	records := make([]string, 500)
	for i := range records {
		records[i] = fmt.Sprintf(`{"ts":"2026-07-05T09:03:%02d","user":"%016x","page":"/products/%d","amount":%d,"agent":"Mozilla/5.0 (X11; Linux x86_64)"}`,
			i%60, i*7919, i*31%5000, i*i%1000)
	}
	for _, bench := range []struct {
		name  string
		inner Inner
		level int
	}{{"lines", lines.New(), 0}, {"gzip", compress.Gzip(pool, 6), 6}} {
		many := entry(bench.level, 1, records...)
		one := entry(bench.level, 1, strings.Join(records, ""))
		for _, run := range []struct {
			name     string
			encoding Inner
			entry    *record.Entry
		}{{"many/bare", bench.inner, many}, {"many", New(bench.inner), many}, {"one/bare", bench.inner, one}, {"one", New(bench.inner), one}} {
			b.Run(bench.name+"/"+run.name, func(b *testing.B) {
				n := run.encoding.NewEncoder(io.Discard)
				defer n.Abandon()
				b.SetBytes(int64(run.entry.RawBytes))
				b.ReportAllocs()
				for b.Loop() {
					if err := n.Add(run.entry, 0, uint32(len(run.entry.Lengths))); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

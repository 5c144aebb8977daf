package compress

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"testing"

	"hydrant/internal/record"
)

func randomBytes(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// corpus is 4,096 JSON lines of about 250 bytes.
var corpus = sync.OnceValue(func() (lines [][]byte) {
	r := rand.New(rand.NewPCG(1, 1))
	kinds := []string{"click", "view", "purchase", "scroll", "login"}
	for range 4096 {
		lines = append(lines, fmt.Appendf(nil, `{"ts":"2026-07-05T09:03:%02d.%06dZ","event":%q,"user":"%016x","session":"%08x",`+
			`"page":"/products/%d","amount":%d.%02d,"ok":%t,"agent":"Mozilla/5.0 (X11; Linux x86_64)","note":"%x"}`+"\n",
			r.IntN(60), r.IntN(1_000_000), kinds[r.IntN(len(kinds))], r.Uint64(), r.Uint32(),
			r.IntN(5000), r.IntN(1000), r.IntN(100), r.IntN(2) == 0, randomBytes(r, r.IntN(12))))
	}
	return lines
})

// events returns lines of the corpus, from a random one on, of at least size bytes.
func events(r *rand.Rand, size int) (raw []byte, lengths []uint32) {
	lines := corpus()
	for i := r.IntN(len(lines)); len(raw) < size; i++ {
		line := lines[i%len(lines)]
		raw, lengths = append(raw, line...), append(lengths, uint32(len(line)))
	}
	return raw, lengths
}

// entryOf packs records for streams of the level and gives them a place.
func entryOf(p *Packer, raw []byte, lengths []uint32, level int, sequence uint64) *record.Entry {
	return &record.Entry{
		Queue:    record.Queue{Stream: record.StreamID{7}, Output: record.Data},
		Sequence: sequence,
		Piece:    p.Pack(nil, raw, lengths, level),
	}
}

// gunzip reads exactly one member that fills b, as the strictest clients do.
func gunzip(t testing.TB, b []byte) []byte {
	t.Helper()
	in := bytes.NewReader(b)
	z, err := gzip.NewReader(in)
	if err != nil {
		t.Fatalf("open member: %v", err)
	}
	z.Multistream(false)
	raw, err := io.ReadAll(z)
	if err != nil {
		t.Fatalf("after %d bytes: %v", len(raw), err)
	}
	if in.Len() != 0 {
		t.Fatalf("%d bytes lie behind the first member", in.Len())
	}
	return raw
}

// part is a range of an entry's records.
type part struct {
	entry    *record.Entry
	from, to uint32
}

func whole(e *record.Entry) part { return part{e, 0, uint32(len(e.Lengths))} }

// encodeAll writes the parts as one object.
func encodeAll(t testing.TB, enc *GzipEncoding, parts ...part) []byte {
	t.Helper()
	var out bytes.Buffer
	n := enc.NewEncoder(&out)
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

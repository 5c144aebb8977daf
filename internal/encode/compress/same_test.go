package compress

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"sync"
	"testing"

	"hydrant/internal/encode"
	"hydrant/internal/record"
)

// encodings are all of this package.
func encodings(pool *Pool) map[string]encoding {
	all := map[string]encoding{"gzip": Gzip(pool, 1)}
	for name, form := range forms(pool) {
		all[name] = form.encoding
	}
	return all
}

// Delivery repeats a put after a crash and relies on the same bytes, whoever compresses
// meanwhile and whatever the memory that is used again held before.
func TestThePoolDoesNotShowInObjects(t *testing.T) {
	parts, _ := mixed(43, 20, 1)
	want := map[string][]byte{}
	for name, enc := range encodings(NewPool(1)) {
		want[name] = encodeBy(t, enc, parts...)
	}
	for _, workers := range []int{1, 3} {
		all := encodings(NewPool(workers))
		var wg sync.WaitGroup
		for range 3 {
			for name, enc := range all {
				wg.Go(func() {
					if got := encodeBy(t, enc, parts...); !bytes.Equal(got, want[name]) {
						t.Errorf("%s with %d workers: another object", name, workers)
					}
				})
			}
		}
		wg.Wait()
	}
}

// split cuts each part into several of the same entry.
func split(parts []part) (cut []part) {
	r := rand.New(rand.NewPCG(11, 11))
	for _, p := range parts {
		for p.from < p.to {
			n := 1 + r.Uint32N(p.to-p.from)
			cut = append(cut, part{p.entry, p.from, p.from + n})
			p.from += n
		}
	}
	return cut
}

// Where a plan cuts an entry, its records come over several calls. Only entries that are
// copied whole are more than their records.
func TestHowRecordsAreAddedDoesNotShow(t *testing.T) {
	pool := NewPool(2)
	packer := NewPacker(pool)
	r := rand.New(rand.NewPCG(12, 12))
	var parts []part
	for i, size := range []int{300_000, 100, 20_000, 218_000, 32 << 10, 128 << 10, 7} {
		raw, lengths := events(r, size)
		parts = append(parts, whole(entryOf(packer, raw, lengths, 0, uint64(i)+1)))
	}
	for name, enc := range encodings(pool) {
		if !bytes.Equal(encodeBy(t, enc, parts...), encodeBy(t, enc, split(parts)...)) {
			t.Errorf("%s: records added one by one make another object", name)
		}
	}
}

// Snappy objects know no entries at all.
func TestHowRecordsAreStoredDoesNotShowInSnappy(t *testing.T) {
	pool := NewPool(2)
	packer := NewPacker(pool)
	raw, lengths := events(rand.New(rand.NewPCG(13, 13)), 700_000)
	for name, enc := range map[string]encoding{"snappy-java": Snappy(pool), "hadoop-snappy": HadoopSnappy(pool)} {
		want := encodeBy(t, enc, whole(entryOf(packer, raw, lengths, 0, 1)))
		var parts []part
		for at, i := 0, 0; i < len(lengths); i += 100 {
			some := lengths[i:min(i+100, len(lengths))]
			size := 0
			for _, n := range some {
				size += int(n)
			}
			parts = append(parts, whole(entryOf(packer, raw[at:at+size], some, i/100%3, uint64(i)+1)))
			at += size
		}
		if !bytes.Equal(encodeBy(t, enc, parts...), want) {
			t.Errorf("%s: the same records out of other entries make another object", name)
		}
	}
}

func TestEveryFormGivesEverythingBackToThePool(t *testing.T) {
	parts, _ := mixed(5, 20, 1)
	pool := NewPool(1)
	for name, enc := range encodings(pool) {
		for _, end := range []func(record.Encoder) error{
			record.Encoder.Close,
			func(e record.Encoder) error { e.Abandon(); return nil },
		} {
			pool.blocks = nil
			n := enc.NewEncoder(io.Discard)
			for _, p := range parts {
				if err := n.Add(p.entry, p.from, p.to); err != nil {
					t.Fatal(err)
				}
			}
			if err := end(n); err != nil {
				t.Fatal(err)
			}
			n.Abandon() // again, as callers may
			if len(pool.lanes) != 0 || len(pool.tokens) != 0 || len(pool.blocks) == 0 {
				t.Errorf("%s: %d lanes and %d compressors are still taken, %d blocks came back",
					name, len(pool.lanes), len(pool.tokens), len(pool.blocks))
			}
		}
	}
}

func TestAWriterThatFailsIsReportedByEveryForm(t *testing.T) {
	parts, _ := mixed(6, 10, 1)
	pool := NewPool(2)
	for name, enc := range encodings(pool) {
		size := len(encodeBy(t, enc, parts...))
		for room := 0; room < size; room += size/11 + 1 {
			n := enc.NewEncoder(&narrow{room})
			var err error
			for i := 0; i < len(parts) && err == nil; i++ {
				err = n.Add(parts[i].entry, parts[i].from, parts[i].to)
			}
			if err == nil {
				err = n.Close()
			}
			n.Abandon()
			if !errors.Is(err, errFull) {
				t.Errorf("%s, room for %d of %d bytes: %v", name, room, size, err)
			}
		}
	}
}

func TestEveryFormRefusesDamagedEntries(t *testing.T) {
	raw, lengths := events(rand.New(rand.NewPCG(8, 8)), 4<<10)
	pool := NewPool(1)
	for _, name := range []string{"zip", "snappy-java", "hadoop-snappy"} {
		e := entryOf(NewPacker(pool), raw, lengths, 0, 1)
		e.RawCRC++
		n := encodings(pool)[name].NewEncoder(io.Discard)
		if err := n.Add(e, 0, 1); !errors.Is(err, encode.ErrBadEntry) {
			t.Errorf("%s: %v", name, err)
		}
		n.Abandon()
	}
}

// Encoders hold a block, not an object: objects of 128 MiB cost no more than small ones.
func TestSnappyEncodersHoldOneBlock(t *testing.T) {
	pool := NewPool(1)
	raw, lengths := events(rand.New(rand.NewPCG(9, 9)), 250_000)
	e := entryOf(NewPacker(pool), raw, lengths, 0, 1)
	for name, most := range map[string]int{"snappy-java": 80 << 10, "hadoop-snappy": 560 << 10} {
		pool.blocks = nil
		n := encodings(pool)[name].NewEncoder(io.Discard)
		for range 40 {
			if err := n.Add(e, 0, uint32(len(lengths))); err != nil {
				t.Fatal(err)
			}
		}
		if open := n.(*snappyEncoder).open; open != nil && cap(open.raw)+cap(open.out) > most {
			t.Errorf("%s holds %d bytes", name, cap(open.raw)+cap(open.out))
		}
		if len(pool.blocks) > 1 {
			t.Errorf("%s used %d blocks", name, len(pool.blocks))
		}
		n.Abandon()
	}
}

package node

import (
	"context"
	"errors"
	"hash/crc32"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"hydrant/internal/deliver"
	"hydrant/internal/encode"
	"hydrant/internal/operate"
	"hydrant/internal/record"
	"hydrant/internal/stream"
)

var _ operate.Sampler = sampler{}

// shelf is a journal with one queue: the records of its entries, the first of which are trimmed.
type shelf struct {
	deliver.Log
	entries [][]string
	trimmed int
	read    int // entries
}

func (s *shelf) Head(context.Context, record.Queue) (record.Mark, error) {
	return record.Mark{Position: record.Position{Entry: uint64(len(s.entries)) + 1}}, nil
}

func (s *shelf) Read(_ context.Context, q record.Queue, from uint64, fn func(*record.Entry) error) error {
	if gone := uint64(s.trimmed) + 1; from < gone {
		if err := fn(&record.Entry{Queue: q, Sequence: from, Missing: gone - from}); err != nil {
			return stopped(err)
		}
		from = gone
	}
	for i := from; i <= uint64(len(s.entries)); i++ {
		s.read++
		e := record.Entry{Queue: q, Sequence: i}
		for _, data := range s.entries[i-1] {
			e.Stored, e.Lengths = append(e.Stored, data...), append(e.Lengths, uint32(len(data)))
		}
		e.RawBytes, e.RawCRC = uint32(len(e.Stored)), crc32.ChecksumIEEE(e.Stored)
		err := fn(&e)
		clear(e.Stored) // it was only lent
		if err != nil {
			return stopped(err)
		}
	}
	return nil
}

func stopped(err error) error {
	if errors.Is(err, record.ErrStop) {
		return nil
	}
	return err
}

// newestOf is what a sample must be: the longest end of all records that keeps to the limits.
func newestOf(all []string, records, bytes int) []string {
	from := len(all)
	for from > 0 && len(all)-from < records && len(all[from-1]) <= bytes {
		from--
		bytes -= len(all[from])
	}
	return all[from:]
}

func TestASampleIsTheEndOfTheLog(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := &shelf{entries: rapid.SliceOfN(rapid.SliceOfN(rapid.StringMatching("[a-z]{0,9}"), 1, 6), 0, 60).Draw(t, "entries")}
		s.trimmed = rapid.IntRange(0, len(s.entries)).Draw(t, "trimmed")
		records, bytes := rapid.IntRange(1, 200).Draw(t, "records"), rapid.IntRange(9, 600).Draw(t, "bytes")
		got, err := sampler{s, new(encode.Decoder)}.Sample(t.Context(), &stream.Definition{}, records, bytes)
		if err != nil {
			t.Fatal(err)
		}
		want := newestOf(slices.Concat(s.entries[s.trimmed:]...), records, bytes)
		if !slices.EqualFunc(got, want, func(g []byte, w string) bool { return string(g) == w }) {
			t.Errorf("%q, want %q", got, want)
		}
	})
}

// A log of any length costs no more than its end.
func TestASampleReadsNoMoreThanItNeeds(t *testing.T) {
	s := &shelf{entries: make([][]string, 10_000)}
	for i := range s.entries {
		s.entries[i] = []string{"a", "b"}
	}
	if got, err := (sampler{s, new(encode.Decoder)}).Sample(t.Context(), &stream.Definition{}, 40, 1000); err != nil || len(got) != 40 {
		t.Errorf("%d %v", len(got), err)
	}
	if s.read > 3*sampleStep {
		t.Errorf("%d entries were read for 20", s.read)
	}
	s.trimmed = len(s.entries)
	if got, err := (sampler{s, new(encode.Decoder)}).Sample(t.Context(), &stream.Definition{}, 40, 1000); err != nil || len(got) != 0 {
		t.Errorf("%q %v", got, err)
	}
}

// Records are shown in plain as long as their key can be used, and then not at all.
func TestASampleOfAnEncryptedStreamNeedsItsKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t)
		p.create("s", object{"KeyType": "CUSTOMER_MANAGED_CMK", "KeyARN": p.key})
		p.must(p.put("s", `{"a":1}`))
		p.must(p.put("s", strings.Repeat("x", 1000)))
		d, _ := p.registry.Get("s")
		got, err := p.newSampler().Sample(t.Context(), d, 10, 2000)
		if err != nil || len(got) != 2 || string(got[0]) != `{"a":1}` || len(got[1]) != 1000 {
			t.Errorf("%q %v", got, err)
		}
		p.must(p.keys("DisableKey", object{"KeyId": p.key}, nil))
		time.Sleep(freshRemoteKey)
		var key *record.KeyError
		if _, err := p.newSampler().Sample(t.Context(), d, 10, 2000); !errors.As(err, &key) {
			t.Errorf("under a disabled key: %v", err)
		}
	})
}

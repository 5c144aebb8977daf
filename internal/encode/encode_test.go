package encode

import (
	"bytes"
	"errors"
	"hash/crc32"
	"strings"
	"testing"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/s2"
	"pgregory.net/rapid"

	"hydrant/internal/record"
)

// stored returns an entry of the records under the codec.
func stored(t testing.TB, codec record.Codec, records ...string) *record.Entry {
	t.Helper()
	raw := []byte(strings.Join(records, ""))
	e := &record.Entry{Sequence: 5, Piece: record.Piece{
		Codec: codec, RawBytes: uint32(len(raw)), RawCRC: crc32.ChecksumIEEE(raw), Stored: raw,
	}}
	for _, r := range records {
		e.Lengths = append(e.Lengths, uint32(len(r)))
	}
	switch codec {
	case record.S2:
		e.Stored = s2.Encode(nil, raw)
	case record.Deflate:
		var b bytes.Buffer
		w, err := flate.NewWriter(&b, 6)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(raw); err != nil {
			t.Fatal(err)
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		e.Stored = b.Bytes()
	}
	return e
}

// Every range of records of every entry comes out as it went in, whatever was decoded
// with the same memory before.
func TestAnyRangeOfAnyEntryComesBack(t *testing.T) {
	var d Decoder
	rapid.Check(t, func(rt *rapid.T) {
		records := rapid.SliceOfN(rapid.String(), 1, 20).Draw(rt, "records")
		codec := record.Codec(rapid.IntRange(0, 2).Draw(rt, "codec"))
		from := rapid.IntRange(0, len(records)).Draw(rt, "from")
		to := rapid.IntRange(from, len(records)).Draw(rt, "to")
		want := strings.Join(records[from:to], "")
		calls := 0
		err := d.Range(stored(t, codec, records...), uint32(from), uint32(to), func(raw []byte) error {
			calls++
			if string(raw) != want {
				rt.Errorf("%q instead of %q", raw, want)
			}
			return nil
		})
		if err != nil || calls != 1 {
			rt.Errorf("%v after %d calls", err, calls)
		}
	})
}

func TestTheReceiversErrorComesBackAsItIs(t *testing.T) {
	mine := errors.New("mine")
	for codec := range record.Codec(3) {
		if err := new(Decoder).Range(stored(t, codec, "a"), 0, 1, func([]byte) error { return mine }); err != mine {
			t.Errorf("codec %d: %v", codec, err)
		}
	}
}

// A deflate entry must be just its raw bytes: one that ends in a final block, or goes on,
// would corrupt the member that it is copied into.
func TestDeflateThatEndsOrGoesOnIsRefused(t *testing.T) {
	e := stored(t, record.Deflate, "hello")
	for name, b := range map[string][]byte{
		"final block": append(bytes.Clone(e.Stored), 3, 0),
		"more bytes":  append(bytes.Clone(e.Stored), e.Stored...),
		"cut":         e.Stored[:3],
		"nothing":     nil,
	} {
		e.Stored = b
		err := new(Decoder).Range(e, 0, 1, func([]byte) error { t.Error(name + ": was decoded"); return nil })
		if !errors.Is(err, ErrBadEntry) || !strings.Contains(err.Error(), "entry 5 of queue") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

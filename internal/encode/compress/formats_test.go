package compress

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"regexp"
	"testing"

	"github.com/golang/snappy"

	"hydrant/internal/record"
)

// encoding is what all encodings here are.
type encoding interface {
	ContentEncoding() string
	NewEncoder(w io.Writer) record.Encoder
}

// unzip reads an archive of one file named by a UUID.
func unzip(t testing.TB, b []byte) []byte {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	if len(z.File) != 1 || z.File[0].Method != zip.Deflate {
		t.Fatalf("the archive holds %+v", z.File)
	}
	if uuid := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`); !uuid.MatchString(z.File[0].Name) {
		t.Errorf("the file is called %s", z.File[0].Name)
	}
	f, err := z.File[0].Open()
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// unsnap reads blocks with another implementation than wrote them, and holds them against
// the limits of their form.
func unsnap(t testing.TB, b []byte, most int, rawLengths bool) (raw []byte) {
	t.Helper()
	next := func() int {
		if len(b) < 4 {
			t.Fatalf("%d bytes are left where a length is due", len(b))
		}
		n := int(binary.BigEndian.Uint32(b))
		b = b[4:]
		return n
	}
	for len(b) > 0 {
		promised := -1
		if rawLengths {
			promised = next()
		}
		n := next()
		block, err := snappy.Decode(nil, b[:n])
		if err != nil {
			t.Fatal(err)
		}
		b = b[n:]
		if len(block) > most || promised >= 0 && promised != len(block) || len(b) > 0 && len(block) != most {
			t.Fatalf("a block of %d raw bytes, %d promised", len(block), promised)
		}
		raw = append(raw, block...)
	}
	return raw
}

func unxerial(t testing.TB, b []byte) []byte {
	t.Helper()
	head := []byte{0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1}
	if !bytes.HasPrefix(b, head) {
		t.Fatalf("the stream begins with % x", b[:min(len(b), 16)])
	}
	return unsnap(t, b[len(head):], 32<<10, false)
}

func unhadoop(t testing.TB, b []byte) []byte { return unsnap(t, b, 218_000, true) }

// forms are the encodings of spec section 4.7 beside gzip, and readers that are not ours.
func forms(pool *Pool) map[string]struct {
	encoding
	read func(testing.TB, []byte) []byte
} {
	return map[string]struct {
		encoding
		read func(testing.TB, []byte) []byte
	}{
		"zip":           {Zip(pool, 1), unzip},
		"snappy-java":   {Snappy(pool), unxerial},
		"hadoop-snappy": {HadoopSnappy(pool), unhadoop},
	}
}

func encodeBy(t testing.TB, enc encoding, parts ...part) []byte {
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

// entriesOfAllSizes are entries of all sizes, the middle of one among them, and what they hold.
func entriesOfAllSizes(p *Packer) (parts []part, want []byte) {
	r := rand.New(rand.NewPCG(3, 3))
	for i, size := range []int{100, 700, 20_000, 250_000, 1, 130_000, 3_000, 250_000} {
		raw, lengths := events(r, size)
		parts, want = append(parts, whole(entryOf(p, raw, lengths, 1, uint64(i)+1))), append(want, raw...)
	}
	noise := randomBytes(r, 300_000)
	parts, want = append(parts, whole(entryOf(p, noise, []uint32{300_000}, 1, 9))), append(want, noise...)
	raw, lengths := events(r, 50_000)
	e := entryOf(p, raw, lengths, 1, 10)
	return append(parts, part{e, 1, 3}), append(want, raw[lengths[0]:lengths[0]+lengths[1]+lengths[2]]...)
}

func TestOtherReadersGetEveryByteBack(t *testing.T) {
	pool := NewPool(2)
	parts, want := entriesOfAllSizes(NewPacker(pool))
	for name, form := range forms(pool) {
		if form.ContentEncoding() != name {
			t.Errorf("%s is labelled %s", name, form.ContentEncoding())
		}
		object := encodeBy(t, form, parts...)
		if got := form.read(t, object); !bytes.Equal(got, want) {
			t.Errorf("%s: %d bytes came back of %d", name, len(got), len(want))
		}
		if again := encodeBy(t, form, parts...); !bytes.Equal(again, object) {
			t.Errorf("%s: the same entries make other bytes", name)
		}
		if len(object) > len(want) {
			t.Errorf("%s: %d bytes became %d", name, len(want), len(object))
		}
	}
}

func TestWholeEntriesAreCopiedIntoArchives(t *testing.T) {
	pool := NewPool(1)
	raw, lengths := events(rand.New(rand.NewPCG(4, 4)), 200_000)
	e := entryOf(NewPacker(pool), raw, lengths, 1, 1)
	object := encodeBy(t, Zip(pool, 1), whole(e))
	if !bytes.Contains(object, e.Stored) {
		t.Error("the deflate blocks of the entry are not in the archive as they were stored")
	}
}

func TestTwoArchivesHoldFilesOfTwoNames(t *testing.T) {
	pool := NewPool(1)
	raw, lengths := events(rand.New(rand.NewPCG(4, 4)), 1000)
	name := func(sequence uint64, from uint32) string {
		object := encodeBy(t, Zip(pool, 1), part{entryOf(NewPacker(pool), raw, lengths, 1, sequence), from, 3})
		z, err := zip.NewReader(bytes.NewReader(object), int64(len(object)))
		if err != nil {
			t.Fatal(err)
		}
		return z.File[0].Name
	}
	if name(1, 0) == name(2, 0) || name(1, 0) == name(1, 1) {
		t.Error("the names do not follow the first record")
	}
}

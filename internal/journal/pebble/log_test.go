package pebble

import (
	"bytes"
	"errors"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	pebblelog "github.com/cockroachdb/pebble/v2/record"
	"github.com/cockroachdb/pebble/v2/vfs"

	"hydrant/internal/journal/journaltest"
)

func TestOneWrongByteIsFoundFromTheChecksum(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	for range 2000 {
		data := make([]byte, 1+rng.IntN(3000))
		for i := range data {
			data[i] = byte(rng.Uint32())
		}
		want := crc32.Checksum(data, castagnoli)
		if unmaskCRC(maskCRC(want)) != want {
			t.Fatal("masking cannot be undone")
		}
		at, wrong := rng.IntN(len(data)), byte(1+rng.IntN(255))
		data[at] ^= wrong
		if gotAt, flip, ok := mend(data, want); !ok || gotAt != at || flip != wrong {
			t.Fatalf("byte %d of %d changed by %02x: found %d, %02x, %v", at, len(data), wrong, gotAt, flip, ok)
		}
		data[at] ^= wrong
		if _, _, ok := mend(data, want); ok {
			t.Fatal("something was found wrong in what is right")
		}
	}
}

// testLog is the number of the logs of these tests.
const testLog = 7

// logOf writes records as Pebble's log writer does.
func logOf(t testing.TB, records [][]byte) []byte {
	t.Helper()
	var file bytes.Buffer
	w := pebblelog.NewLogWriter(&file, testLog, pebblelog.LogWriterConfig{
		WriteWALSyncOffsets: func() bool { return true },
	})
	for _, r := range records {
		if _, err := w.WriteRecord(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

func readLog(r *logReader) (records [][]byte, bad int, err error) {
	for {
		b, err := r.next()
		if r.bad >= 0 {
			bad++
		}
		if err != nil {
			return records, bad, err
		}
		records = append(records, bytes.Clone(b))
	}
}

func TestASoundLogIsReadAsPebbleWroteIt(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 6))
	for range 50 {
		var want [][]byte
		for range rng.IntN(20) {
			want = append(want, bytes.Repeat([]byte{byte(rng.Uint32())}, 1+rng.IntN(1<<rng.IntN(18))))
		}
		got, bad, err := readLog(newLogReader(bytes.NewReader(logOf(t, want)), testLog, false))
		if !errors.Is(err, io.EOF) || bad > 0 || len(got) != len(want) {
			t.Fatalf("%d records of %d, %d bad places, %v", len(got), len(want), bad, err)
		}
		for i := range want {
			if !bytes.Equal(got[i], want[i]) {
				t.Fatalf("record %d is another", i)
			}
		}
	}
}

// Whatever the bytes: no panic, no endless loop, and a view of them is a sound log.
func FuzzLogView(f *testing.F) {
	batch := append(make([]byte, batchHead), opSet, 1, 's', 0)
	batch[8] = 1
	sound := logOf(f, [][]byte{batch, batch, bytes.Repeat([]byte{1}, 40_000)})
	f.Add(sound, uint64(0))
	f.Add(sound[:len(sound)/2], uint64(wholeLog))
	f.Add(bytes.Replace(sound, []byte{7, 0, 0, 0}, []byte{6, 0, 0, 0}, 1), uint64(3))
	f.Fuzz(func(t *testing.T, file []byte, promise uint64) {
		if _, err := lastPromise(bytes.NewReader(file), testLog); err != nil {
			t.Fatal(err)
		}
		view := newLogView(vfs.NewMemFile(file), testLog, promise, 0)
		fresh, err := io.ReadAll(view)
		if err != nil {
			t.Fatal(err)
		}
		again, bad, err := readLog(newLogReader(bytes.NewReader(fresh), testLog, true))
		if !errors.Is(err, io.EOF) || bad > 0 {
			t.Fatalf("the view of %d records has %d bad places: %v", len(again), bad, err)
		}
		_, _, _ = readLog(newLogReader(bytes.NewReader(file), 0, true))
	})
}

func FuzzVerifyBatch(f *testing.F) {
	f.Add(append(make([]byte, batchHead), opSet, 1, 's', 0))
	f.Fuzz(func(_ *testing.T, b []byte) {
		verifyBatch(b)
		readBatch(b)
	})
}

// FuzzCureTable damages a table in any way; curing it must end, and what it gives must be a
// table.
func FuzzCureTable(f *testing.F) {
	f.Add(uint32(100), uint32(40), byte(0))
	f.Add(uint32(1<<31), uint32(300), byte(0xff))
	sound, e := soundTable(f)
	f.Fuzz(func(t *testing.T, off, n uint32, with byte) {
		data := bytes.Clone(sound)
		at := int(off) % len(data)
		for i := at; i < min(at+int(n%4096), len(data)); i++ {
			data[i] = with
		}
		c, err := cureTable(data, e.tableOptions())
		if err != nil {
			t.Fatal(err)
		}
		again, err := cureTable(bytes.Clone(c.data), e.tableOptions())
		if err != nil || !again.sound() || len(c.data) != len(sound) {
			t.Fatalf("cured once: %s; cured twice: %+v, %v", c.reason(), again.reason(), err)
		}
	})
}

// soundTable makes a table of entries, heads, states and trims.
func soundTable(f *testing.F) ([]byte, *Engine) {
	f.Helper()
	mem := vfs.NewMem()
	e, err := Open(f.Context(), Options{Dir: testDir, FS: mem, Logger: quiet()})
	if err != nil {
		f.Fatal(err)
	}
	for i := range uint64(40) {
		tx := journaltest.One(journaltest.Queue(byte(i%3)), journaltest.Piece(i, 500))
		if err := e.Apply(f.Context(), tx); err != nil {
			f.Fatal(err)
		}
	}
	if err := errors.Join(e.db.Flush(), e.Close()); err != nil {
		f.Fatal(err)
	}
	names, err := mem.List(testDir)
	if err != nil {
		f.Fatal(err)
	}
	for _, n := range names {
		if isTable(n) {
			data, err := readFile(mem, testDir+"/"+n)
			if err != nil {
				f.Fatal(err)
			}
			return data, e
		}
	}
	f.Fatal("no table was written")
	return nil, nil
}

// The manifest says which tables there are. One wrong byte is put right; more, and the engine
// refuses to open rather than take the tables for garbage.
func TestADamagedManifestIsMendedOrRefused(t *testing.T) {
	for _, wiped := range []int{1, 40} {
		h, m := flushed(t, 30, 200)
		h.cut(t, 0)
		var path string
		names, err := h.mem.List(testDir)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range names {
			if isManifest(n) {
				path = max(path, testDir+"/"+n)
			}
		}
		h.spoil(t, path, h.size(t, path)/3, wiped, func(b []byte) {
			for i := range b {
				b[i] ^= 0x5a
			}
		})
		tables := strings.Join(h.files(t, ".sst"), " ")
		if wiped == 1 {
			h.open(t)
			if missing := m.check(t, h.e); missing > 0 || len(h.damages()) != 1 {
				t.Errorf("%d missing, found %+v", missing, h.damages())
			}
			continue
		}
		if _, err := Open(t.Context(), h.options()); !errors.Is(err, ErrDamaged) {
			t.Errorf("opened with %v", err)
		}
		if now := strings.Join(h.files(t, ".sst"), " "); now != tables {
			t.Errorf("tables were %s and are %s", tables, now)
		}
	}
}

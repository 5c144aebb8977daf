package pebble

import (
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"hydrant/internal/journal"
	"hydrant/internal/journal/journaltest"
	"hydrant/internal/record"
)

// model is what was acknowledged.
type model struct {
	entries map[record.Queue][]record.Piece // sequence-1 → what was appended
	states  map[string]uint64               // versions
	// wiped says that one block may have held both the last entries and the head of a queue:
	// these tables are so small. Such a loss is reported, but not as a gap.
	wiped bool
}

func newModel() *model {
	return &model{entries: map[record.Queue][]record.Piece{}, states: map[string]uint64{}}
}

// write appends pieces of size bytes to n queues, one after the other, and counts them in a state.
func (m *model) write(t *testing.T, e *Engine, n, size int) {
	t.Helper()
	for i := range n {
		q := journaltest.Queue(byte(i % 5))
		p := journaltest.Piece(uint64(len(m.entries[q])*17+i), uint32(size), uint32(i%7))
		key := "count/" + strconv.Itoa(i%5)
		tx := journaltest.One(q, p)
		tx.States = []record.StateWrite{{Key: key, Old: m.states[key], Value: []byte(strconv.Itoa(i))}}
		if err := e.Apply(t.Context(), tx); err != nil {
			t.Fatalf("append: %v", err)
		}
		m.entries[q] = append(m.entries[q], p)
		m.states[key]++
	}
}

// check reads everything and returns how many entries are missing. Every acknowledged entry is
// right or reported missing, gaps count exactly what they held, and states are current.
func (m *model) check(t *testing.T, e *Engine) (missing uint64) {
	t.Helper()
	for q, want := range m.entries {
		at := begin
		err := e.Read(t.Context(), q, 1, func(r *record.Entry) error {
			if r.Sequence != at.Entry || r.Before != at.Before {
				return fmt.Errorf("entry %d with %+v before it follows %+v", r.Sequence, r.Before, at)
			}
			at = r.After()
			missing += r.Missing
			if r.Missing > 0 {
				var lost record.Counts
				for i := range r.Missing {
					lost = lost.Add(want[r.Sequence-1+i].Counts())
				}
				if lost != r.Lost {
					return fmt.Errorf("%d entries from %d held %+v, not %+v", r.Missing, r.Sequence, lost, r.Lost)
				}
				return nil
			}
			if w := want[r.Sequence-1]; r.RawCRC != w.RawCRC || !slices.Equal(r.Lengths, w.Lengths) || !slices.Equal(r.Stored, w.Stored) {
				return fmt.Errorf("entry %d is another", r.Sequence)
			}
			return nil
		})
		if err != nil {
			t.Fatalf("queue %s: %v", q, err)
		}
		if end := uint64(len(want)) + 1; at.Entry < end && m.wiped {
			missing += end - at.Entry
		} else if at.Entry != end {
			t.Fatalf("queue %s ends at %d, not %d", q, at.Entry, end)
		}
	}
	for key, version := range m.states {
		if s, err := e.State(t.Context(), key); err != nil || s.Version != version {
			t.Fatalf("state %q is %+v, %v; want version %d", key, s, err, version)
		}
	}
	return missing
}

// damages returns what was reported so far.
func (h *harness) damages() []journal.Damage {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.found)
}

// files lists the engine's files with a suffix.
func (h *harness) files(t *testing.T, suffix string) (names []string) {
	t.Helper()
	all, err := h.mem.List(testDir)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range all {
		if strings.HasSuffix(n, suffix) {
			names = append(names, testDir+"/"+n)
		}
	}
	slices.Sort(names)
	return names
}

func (h *harness) size(t *testing.T, path string) int64 {
	t.Helper()
	info, err := h.mem.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// table picks one of the tables; one that was being written at the power cut is empty.
func (h *harness) table(t *testing.T, rng *rand.Rand) string {
	t.Helper()
	tables := slices.DeleteFunc(h.files(t, ".sst"), func(p string) bool { return h.size(t, p) < 500 })
	return tables[rng.IntN(len(tables))]
}

// spoil changes a file in place.
func (h *harness) spoil(t *testing.T, path string, off int64, n int, change func(b []byte)) {
	t.Helper()
	f, err := h.mem.OpenReadWrite(path, vfs.WriteCategoryUnspecified)
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, n)
	if _, err := f.ReadAt(b, off); err != nil && err != io.EOF {
		t.Fatal(err)
	}
	change(b)
	if _, err := f.WriteAt(b, off); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

func flip(rng *rand.Rand) func([]byte) {
	return func(b []byte) { b[0] ^= byte(1 + rng.IntN(255)) }
}

// cut takes the power away and leaves the engine closed.
func (h *harness) cut(t *testing.T, unsynced int) {
	t.Helper()
	after := h.mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: unsynced, RNG: h.rng})
	if err := h.e.Close(); err != nil {
		t.Fatal(err)
	}
	h.mem = after
}

// A wrong byte anywhere in the live log is put right: nothing is lost, whatever it hits.
func TestAWrongByteInTheLogLosesNothing(t *testing.T) {
	for seed := range uint64(40) {
		rng := rand.New(rand.NewPCG(seed, 1))
		h := newHarness(t)
		m := newModel()
		m.write(t, h.e, 40, 1<<(6+seed%8))
		h.cut(t, 100)
		logs := h.files(t, ".log")
		path := logs[len(logs)-1]
		off := rng.Int64N(h.size(t, path))
		h.spoil(t, path, off, 1, flip(rng))
		h.open(t)
		if missing, found := m.check(t, h.e), h.damages(); missing > 0 {
			t.Errorf("seed %d: a wrong byte at %d of %s lost %d entries; found %+v", seed, off, path, missing, found)
		}
	}
}

// A wiped sector in the live log loses the writes that lay in it and no others, as long as
// later writes promise that it had been synced.
func TestAWipedSectorInTheLogLosesOnlyWhatItHeld(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 2))
		h := newHarness(t)
		m := newModel()
		m.write(t, h.e, 100, 700)
		h.cut(t, 100)
		path := h.files(t, ".log")[len(h.files(t, ".log"))-1]
		off := rng.Int64N(h.size(t, path)*3/4) / 512 * 512
		h.spoil(t, path, off, 512, func(b []byte) { clear(b) })
		h.open(t)
		for key := range m.states {
			delete(m.states, key) // a write that is lost took its state along
		}
		if missing, found := m.check(t, h.e), h.damages(); missing > 3 {
			t.Errorf("seed %d: a sector at %d lost %d entries; found %+v", seed, off, missing, found)
		} else if missing > 0 && (len(found) != 1 || found[0].Salvaged == 0 || found[0].Copy == "") {
			t.Errorf("seed %d: %d missing, but reported was %+v", seed, missing, found)
		}
		m.write(t, h.e, 0, 0)
	}
}

// flushed writes entries and brings them all into tables.
func flushed(t *testing.T, n, size int) (*harness, *model) {
	t.Helper()
	h, m := newHarness(t), newModel()
	for range 3 {
		m.write(t, h.e, n/3, size)
		if err := h.e.db.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	return h, m
}

func TestAWrongByteInATableLosesNothing(t *testing.T) {
	for seed := range uint64(24) {
		rng := rand.New(rand.NewPCG(seed, 3))
		h, m := flushed(t, 60, 1<<(5+seed%7))
		h.cut(t, 0)
		path := h.table(t, rng)
		off := rng.Int64N(h.size(t, path) - 64) // all but the footer
		h.spoil(t, path, off, 1, flip(rng))
		h.open(t)
		if missing, found := m.check(t, h.e), h.damages(); missing > 0 {
			t.Errorf("seed %d: a wrong byte at %d of %s lost %d entries; found %+v", seed, off, path, missing, found)
		}
		m.write(t, h.e, 10, 100)
		m.check(t, h.e)
	}
}

// Whatever is wiped in a table: what can be read is served, the rest is counted, writes and
// compactions go on.
func TestAWipedSectorInATableIsCutOut(t *testing.T) {
	for seed := range uint64(16) {
		rng := rand.New(rand.NewPCG(seed, 4))
		h, m := flushed(t, 90, 300)
		h.cut(t, 0)
		path := h.table(t, rng)
		off := rng.Int64N(h.size(t, path) - 300)
		h.spoil(t, path, off, 300, func(b []byte) { clear(b) })
		h.open(t)
		m.states, m.wiped = map[string]uint64{}, true
		missing := m.check(t, h.e)
		found := h.damages()
		if missing > 0 && (len(found) != 1 || found[0].Copy == "") {
			t.Errorf("seed %d: %d missing, but reported was %+v", seed, missing, found)
		}
		if err := h.e.db.Compact(t.Context(), []byte{0}, []byte{0xff}, false); err != nil {
			t.Errorf("seed %d: compaction: %v", seed, err)
		}
		if again := m.check(t, h.e); again != missing {
			t.Errorf("seed %d: %d missing, then %d", seed, missing, again)
		}
	}
}

// The disk loses its power 50 times in the middle of writes; what was answered is there.
func TestFiftyPowerCuts(t *testing.T) {
	h, m := newHarness(t), newModel()
	for round := range 50 {
		m.write(t, h.e, 1+h.rng.IntN(12), 1+h.rng.IntN(3_000))
		if round%5 == 0 {
			if err := h.e.db.Flush(); err != nil {
				t.Fatal(err)
			}
		}
		h.Crash(t)
		if missing, found := m.check(t, h.e), h.damages(); missing > 0 || len(found) > 0 {
			t.Fatalf("round %d: %d missing, found %+v", round, missing, found)
		}
	}
}

package pebble

import (
	"errors"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"hydrant/internal/journal"
	"hydrant/internal/journal/journaltest"
	"hydrant/internal/record"
)

// openOn opens an engine on a disk that fails as told.
func openOn(t *testing.T, mem *vfs.MemFS, o Options, fail func(op errorfs.Op) error) *Engine {
	t.Helper()
	o.FS, o.Dir, o.Logger = errorfs.Wrap(mem, errorfs.InjectorFunc(fail)), testDir, quiet()
	o.MemTableBytes = 1 << 20
	e, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// One write after the other fails, of whatever kind it is: the engine answers with an error
// that says so, closes, and after the next start everything that was answered is there.
func TestAnyFailedWriteIsSurvived(t *testing.T) {
	for nth := int64(1); nth < 400; nth = nth*5/4 + 1 {
		mem := vfs.NewCrashableMem()
		m := newModel()
		var writes atomic.Int64
		writes.Store(-1 << 40)
		told := make(chan error, 1)
		e := openOn(t, mem, Options{OnFailure: func(err error) { told <- err }}, func(op errorfs.Op) error {
			if op.Kind.ReadOrWrite() == errorfs.OpIsWrite && writes.Add(1) >= nth {
				return errorfs.ErrInjected
			}
			return nil
		})
		writes.Store(0)
		err := writeUntilRefused(t, e, m)
		if !errors.Is(err, record.ErrUncertain) || !errors.Is(err, errorfs.ErrInjected) {
			t.Fatalf("write %d failed and gave %v", nth, err)
		}
		if err := <-told; !errors.Is(err, errorfs.ErrInjected) {
			t.Errorf("told of %v", err)
		}
		if !e.disk.hollow.Load() {
			readBack(t, e, m)
		}
		after := mem.CrashClone(vfs.CrashCloneCfg{})
		if err := e.Close(); !errors.Is(err, record.ErrUncertain) {
			t.Errorf("close gave %v", err)
		}
		for _, disk := range []*vfs.MemFS{after, mem} {
			e = openOn(t, disk, Options{}, func(errorfs.Op) error { return nil })
			readBack(t, e, m)
			if err := e.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// writeUntilRefused writes 30 KB entries, with a trim now and then, until an error comes.
func writeUntilRefused(t *testing.T, e *Engine, m *model) error {
	q := journaltest.Queue(1)
	for i := range uint64(1000) {
		p := journaltest.Piece(i, 30_000)
		tx := journaltest.One(q, p)
		if i%16 == 15 {
			tx.Trims = []record.Trim{{Queue: journaltest.Queue(2), Before: i}}
			tx.Appends = append(tx.Appends, record.Append{Queue: journaltest.Queue(2), Arrival: time.UnixMilli(1), Pieces: []record.Piece{p}})
		}
		if err := e.Apply(t.Context(), tx); err != nil {
			return err
		}
		m.entries[q] = append(m.entries[q], p)
	}
	return nil
}

// readBack checks that all that was acknowledged is there; more may be.
func readBack(t *testing.T, e *Engine, m *model) {
	t.Helper()
	for q, want := range m.entries {
		n := 0
		err := e.Read(t.Context(), q, 1, func(r *record.Entry) error {
			if r.Missing > 0 || n < len(want) && r.RawCRC != want[n].RawCRC {
				return errors.New("an entry is missing or another")
			}
			n++
			return nil
		})
		if err != nil || n < len(want) {
			t.Fatalf("%d entries of %d can be read: %v", n, len(want), err)
		}
	}
}

// The disk has no room for tables and nobody makes any: closing the engine frees the writer
// that waits.
func TestCloseEndsTheWaitForRoom(t *testing.T) {
	mem := vfs.NewMem()
	failed := make(chan struct{}, 1)
	e := openOn(t, mem, Options{BallastBytes: -1}, func(op errorfs.Op) error {
		if op.Kind == errorfs.OpCreate && isTable(op.Path) {
			select {
			case failed <- struct{}{}:
			default:
			}
			return syscall.ENOSPC
		}
		return nil
	})
	written := make(chan error)
	go func() { written <- writeUntilRefused(t, e, newModel()) }()
	<-failed
	closed := make(chan error)
	go func() { closed <- e.Close() }()
	if err := <-written; !errors.Is(err, record.ErrUncertain) && !errors.Is(err, record.ErrClosed) {
		t.Errorf("the waiting writer got %v", err)
	}
	if err := <-closed; err != nil && !errors.Is(err, record.ErrUncertain) {
		t.Errorf("close gave %v", err)
	}
}

// The disk fills up while entries are written: the ballast makes room, so that states and
// trims go on, and once there is room again there is a ballast again.
func TestAFullDiskCostsTheBallastOnly(t *testing.T) {
	mem := vfs.NewMem()
	var full atomic.Bool
	ballast := testDir + "/" + ballastName
	e := openOn(t, mem, Options{BallastBytes: 1 << 20}, func(op errorfs.Op) error {
		if !full.Load() || op.Kind != errorfs.OpFileWrite && op.Kind != errorfs.OpCreate {
			return nil
		}
		if _, err := mem.Stat(ballast); err == nil || strings.HasSuffix(op.Path, ballastName) {
			return syscall.ENOSPC
		}
		return nil
	})
	defer e.Close()
	q := journaltest.Queue(1)
	waitFor(t, e, func() bool { _, err := mem.Stat(ballast); return err == nil })
	full.Store(true)
	for i := range uint64(100) {
		tx := journaltest.One(q, journaltest.Piece(i, 30_000))
		tx.States = []record.StateWrite{{Key: "k", Old: i, Value: []byte("v")}}
		tx.Trims = []record.Trim{{Queue: q, Before: i}}
		if err := e.Apply(t.Context(), tx); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := mem.Stat(ballast); err == nil {
		t.Error("the ballast is still there")
	}
	full.Store(false)
	waitFor(t, e, func() bool { _, err := mem.Stat(ballast); return err == nil })
}

// waitFor lets the attendant work until something holds.
func waitFor(t *testing.T, e *Engine, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !holds(); {
		if time.Now().After(deadline) {
			t.Fatal("waited for a minute")
		}
		e.Space()
	}
}

func TestAppendsAreRefusedBeforeTheDiskIsFull(t *testing.T) {
	mem := vfs.NewMem()
	mem.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 5 << 20, TotalBytes: 100 << 20, UsedBytes: 95 << 20})
	now := time.UnixMilli(0)
	e := openOn(t, mem, Options{MinFree: 4 << 20, BallastBytes: -1, Now: func() time.Time { return now }},
		func(errorfs.Op) error { return nil })
	defer e.Close()
	q := journaltest.Queue(1)
	n := uint64(0)
	var err error
	for ; err == nil; n++ {
		err = e.Apply(t.Context(), journaltest.One(q, journaltest.Piece(n, 30_000)))
	}
	if !errors.Is(err, record.ErrNoSpace) || n < 10 || n > 30 {
		t.Fatalf("after %d appends: %v", n, err)
	}
	err = e.Apply(t.Context(), &record.Tx{
		States: []record.StateWrite{{Key: "k", Value: []byte("v")}},
		Trims:  []record.Trim{{Queue: q, Before: n}},
	})
	if err != nil {
		t.Fatalf("a trim on a nearly full disk gave %v", err)
	}
	now = now.Add(2 * time.Second)
	if err := e.Apply(t.Context(), journaltest.One(q, journaltest.Piece(n, 30_000))); err != nil {
		t.Fatalf("with room again: %v", err)
	}
	if head, err := e.Head(t.Context(), q); err != nil || head.Entry != n+1 {
		t.Fatalf("head is %+v, %v after %d appends", head, err, n)
	}
}

func TestAQuotaIsKept(t *testing.T) {
	e := openOn(t, vfs.NewMem(), Options{MaxBytes: 1 << 20}, func(errorfs.Op) error { return nil })
	defer e.Close()
	for i := range uint64(1000) {
		err := e.Apply(t.Context(), journaltest.One(journaltest.Queue(1), journaltest.Piece(i, 30_000)))
		if errors.Is(err, record.ErrNoSpace) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
	}
	t.Fatal("30 MB went into 1 MiB")
}

// A table that is damaged while the engine runs is cured under its readers and writers.
func TestATableIsCuredUnderReadersAndWriters(t *testing.T) {
	h, m := flushed(t, 90, 2000)
	h.Reopen(t) // with an empty cache
	path := h.table(t, h.rng)
	h.spoil(t, path, h.size(t, path)/2, 200, func(b []byte) { clear(b) })
	stop := make(chan struct{})
	written := make(chan error, 1)
	go func() {
		q := journaltest.Queue(99)
		for i := uint64(0); ; i++ {
			select {
			case <-stop:
				written <- nil
				return
			default:
			}
			if err := h.e.Apply(t.Context(), journaltest.One(q, journaltest.Piece(i, 100))); err != nil {
				written <- err
				return
			}
		}
	}()
	m.wiped = true
	missing := m.check(t, h.e)
	close(stop)
	if err := <-written; err != nil {
		t.Fatalf("a writer was disturbed: %v", err)
	}
	if missing == 0 || missing > 30 || len(h.damages()) != 1 {
		t.Fatalf("%d missing, found %+v", missing, h.damages())
	}
	if again := m.check(t, h.Reopen(t).(*Engine)); again != missing {
		t.Fatalf("%d missing, then %d", missing, again)
	}
}

func TestInspectSeesWhatAnEngineWouldAndChangesNothing(t *testing.T) {
	h, m := flushed(t, 90, 2000)
	m.write(t, h.e, 20, 100)
	trim := &record.Tx{Trims: []record.Trim{{Queue: journaltest.Queue(2), Before: 5}}}
	if err := h.e.Apply(t.Context(), trim); err != nil {
		t.Fatal(err)
	}
	if err := h.e.Close(); err != nil {
		t.Fatal(err)
	}
	path := h.table(t, h.rng)
	h.spoil(t, path, h.size(t, path)/2, 200, func(b []byte) { clear(b) })
	logs := h.files(t, ".log")
	h.spoil(t, logs[len(logs)-1], 100, 1, flip(h.rng))
	before := h.mem.String()
	var found []journal.Damage
	queues, states := map[record.Queue]QueueReport{}, 0
	visit := Visitor{
		Queue:  func(r QueueReport) error { queues[r.Queue] = r; return nil },
		State:  func(record.State) error { states++; return nil },
		Damage: func(d journal.Damage) { found = append(found, d) },
	}
	if err := Inspect(t.Context(), h.options(), visit); err != nil {
		t.Fatal(err)
	}
	if after := h.mem.String(); after != before {
		t.Errorf("the folder changed from\n%s\nto\n%s", before, after)
	}
	if len(found) != 2 || states != len(m.states) || len(queues) != len(m.entries) {
		t.Errorf("found %+v, %d states and %d queues", found, states, len(queues))
	}
	gaps := 0
	for q, r := range queues {
		total := r.Entries + r.Floor.Entry - 1
		for _, g := range r.Gaps {
			total += g.Entries
			gaps++
		}
		if total != uint64(len(m.entries[q])) || r.Head.Entry != total+1 {
			t.Errorf("queue %s: %+v", q, r)
		}
	}
	if gaps == 0 || queues[journaltest.Queue(2)].Floor.Entry != 5 {
		t.Errorf("%d gaps; trimmed queue %+v", gaps, queues[journaltest.Queue(2)])
	}
	h.open(t)
}

// While a journal that is there is opened, one change after the other is the last before a
// power cut that keeps any half of what was not synced. It can always be opened again: a
// marker never outlives the manifest that it points to.
func TestAPowerCutDuringTheOpeningIsSurvived(t *testing.T) {
	for nth := int64(1); nth < 40; nth++ {
		for seed := range uint64(8) {
			mem := vfs.NewCrashableMem()
			e := openOn(t, mem, Options{}, func(errorfs.Op) error { return nil })
			if err := e.Close(); err != nil {
				t.Fatal(err)
			}
			var changes atomic.Int64
			cut := func(op errorfs.Op) error {
				if op.Kind.ReadOrWrite() == errorfs.OpIsWrite && changes.Add(1) >= nth {
					return errorfs.ErrInjected
				}
				return nil
			}
			o := Options{Dir: testDir, Logger: quiet(), FS: errorfs.Wrap(mem, errorfs.InjectorFunc(cut))}
			opening, err := Open(t.Context(), o)
			left := mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 50, RNG: rand.New(rand.NewPCG(seed, uint64(nth)))})
			if err == nil {
				_ = opening.Close() // its disk fails; what counts is what was left
			}
			e = openOn(t, left, Options{}, func(errorfs.Op) error { return nil })
			if err := e.Close(); err != nil {
				t.Fatalf("change %d, seed %d: %v", nth, seed, err)
			}
		}
	}
}

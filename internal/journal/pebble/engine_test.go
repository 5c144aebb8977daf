package pebble

import (
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"hydrant/internal/journal"
	"hydrant/internal/journal/journaltest"
	"hydrant/internal/record"
)

// harness runs an engine on a disk in memory that can lose its power and fail.
type harness struct {
	mem  *vfs.MemFS
	fail atomic.Bool
	e    *Engine
	rng  *rand.Rand
	opt  Options

	mu    sync.Mutex
	found []journal.Damage // guarded by mu
}

const testDir = "data/journal"

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func newHarness(t *testing.T) *harness {
	h := &harness{mem: vfs.NewCrashableMem(), rng: rand.New(rand.NewPCG(1, 2))}
	h.open(t)
	t.Cleanup(func() {
		err := h.e.Close()
		if err != nil && !errors.Is(err, record.ErrUncertain) {
			t.Errorf("close: %v", err)
		}
	})
	return h
}

func (h *harness) options() Options {
	o := h.opt
	o.Dir, o.Logger = testDir, quiet()
	o.MemTableBytes, o.CacheBytes = 1<<20, 1<<20
	o.OnDamage = func(d journal.Damage) {
		h.mu.Lock()
		h.found = append(h.found, d)
		h.mu.Unlock()
	}
	o.FS = errorfs.Wrap(h.mem, errorfs.InjectorFunc(func(op errorfs.Op) error {
		sync := op.Kind == errorfs.OpFileSync || op.Kind == errorfs.OpFileSyncData || op.Kind == errorfs.OpFileSyncTo
		if sync && h.fail.Load() {
			return errorfs.ErrInjected
		}
		return nil
	}))
	return o
}

func (h *harness) open(t *testing.T) {
	t.Helper()
	e, err := Open(t.Context(), h.options())
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	h.e = e
}

func (h *harness) Engine() journal.Engine { return h.e }

func (h *harness) FailSyncs() { h.fail.Store(true) }

func (h *harness) Reopen(t *testing.T) journal.Engine {
	t.Helper()
	if err := h.e.Close(); err != nil {
		t.Fatalf("close: %v", err)
	}
	h.open(t)
	return h.e
}

func (h *harness) Crash(t *testing.T) journal.Engine {
	t.Helper()
	after := h.mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: h.rng.IntN(101), RNG: h.rng})
	h.fail.Store(false)
	if err := h.e.Close(); err != nil && !errors.Is(err, record.ErrUncertain) {
		t.Fatalf("close: %v", err)
	}
	h.mem = after
	h.open(t)
	return h.e
}

func TestConformance(t *testing.T) {
	journaltest.Run(t, func(t *testing.T) journaltest.Harness { return newHarness(t) })
}

func TestASecondEngineOnTheSameFolderIsRefused(t *testing.T) {
	h := newHarness(t)
	if _, err := Open(t.Context(), h.options()); !errors.Is(err, ErrLocked) {
		t.Fatalf("got %v", err)
	}
	o := Options{Dir: t.TempDir() + "/j", Logger: quiet()}
	e, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), o); !errors.Is(err, ErrLocked) {
		t.Errorf("got %v", err)
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
}

package pebble

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"hydrant/internal/record"
)

const (
	defaultBallast = 64 << 20
	ballastShare   = 20 // the ballast takes at most this part of the file system
	ballastName    = "BALLAST"
	spaceAge       = time.Second
)

// gauge knows how full the disk is, refuses appends when it is too full, and holds the ballast.
type gauge struct {
	fs       vfs.FS // not through vfs.OnDiskFull: giving up the ballast happens inside of it
	dir      string
	maxBytes uint64
	minFree  uint64
	now      func() time.Time
	log      *slog.Logger

	// since counts bytes appended after the last look; each is written twice before the
	// next one, to the log and to a table.
	since atomic.Uint64

	mu      sync.Mutex
	last    record.Space
	looked  time.Time
	known   bool   // the file system tells its size
	wanted  int64  // as configured; 0: the default, negative: none
	ballast uint64 // bytes of the ballast file; 0 while there is none
}

// stored asks Pebble how much it holds.
type stored func() uint64

// look returns the figures, at most spaceAge old. Pebble is asked without g.mu: it may be
// waiting for release with its own lock held.
func (g *gauge) look(held stored) record.Space {
	g.mu.Lock()
	now := g.now()
	if !g.looked.IsZero() && now.Sub(g.looked) < spaceAge && !now.Before(g.looked) {
		defer g.mu.Unlock()
		return g.last
	}
	g.looked = now // the others make do with the last figures meanwhile
	g.mu.Unlock()
	n := held()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.measure(n)
	return g.last
}

// measure reads the figures afresh. g.mu is held.
func (g *gauge) measure(held uint64) {
	g.since.Store(0)
	g.last.Stored = held
	usage, err := g.fs.GetDiskUsage(g.dir)
	switch {
	case err == nil:
		g.known = true
		g.last.Free, g.last.Total = usage.AvailBytes, usage.TotalBytes
	case errors.Is(err, vfs.ErrUnsupported):
		g.last.Free, g.last.Total = math.MaxInt64, math.MaxInt64
	default:
		g.log.Warn("size of the file system is not known", "folder", g.dir, "error", err)
	}
}

// admit refuses n bytes of appends if they do not fit.
func (g *gauge) admit(held stored, n uint64) error {
	if g.maxBytes == 0 && g.minFree == 0 {
		return nil
	}
	s := g.look(held)
	since := g.since.Add(n)
	var err error
	switch {
	case g.maxBytes > 0 && s.Stored+since > g.maxBytes:
		err = fmt.Errorf("%d bytes stored of %d allowed: %w", s.Stored, g.maxBytes, record.ErrNoSpace)
	case s.Free < g.minFree || s.Free-g.minFree < 2*since:
		err = fmt.Errorf("%d bytes free on the disk, %d to be kept free: %w", s.Free, g.minFree, record.ErrNoSpace)
	}
	if err != nil {
		g.since.Add(-n)
	}
	return err
}

// ballastPath is where the ballast lies.
func (g *gauge) ballastPath() string { return g.fs.PathJoin(g.dir, ballastName) }

// ballastSize is how large the ballast should be. g.mu is held.
func (g *gauge) ballastSize() uint64 {
	switch {
	case g.wanted < 0:
		return 0
	case g.wanted > 0 && !g.known:
		return uint64(g.wanted)
	case g.wanted > 0:
		return min(uint64(g.wanted), g.last.Total/ballastShare)
	case !g.known:
		return 0
	}
	return min(defaultBallast, g.last.Total/ballastShare)
}

// restock makes the ballast if it is missing and there is room for it twice over. A failure
// only means that it is tried again later.
func (g *gauge) restock() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	size := g.ballastSize()
	if g.ballast > 0 || size == 0 || g.known && g.last.Free < g.minFree+2*size {
		return nil
	}
	if err := writeBallast(g.fs, g.ballastPath(), int64(size)); err != nil {
		return fmt.Errorf("make the ballast: %w", err)
	}
	g.ballast = size
	return nil
}

// writeBallast takes size bytes of the disk for a file.
func writeBallast(fs vfs.FS, path string, size int64) error {
	f, err := fs.Create(path, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	err = f.Preallocate(0, size)
	if e := f.Sync(); err == nil {
		err = e
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		return errors.Join(err, fs.Remove(path))
	}
	return nil
}

// release gives up the ballast. vfs.OnDiskFull calls it while all writes wait.
func (g *gauge) release() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.looked = time.Time{}
	if g.ballast == 0 {
		g.log.Error("the disk is full")
		return
	}
	if err := g.fs.Remove(g.ballastPath()); err != nil {
		g.log.Error("the disk is full and the ballast could not be removed", "error", err)
		return
	}
	g.log.Warn("the disk is full: the ballast was given up so that delivery can go on", "bytes", g.ballast)
	g.ballast = 0
}

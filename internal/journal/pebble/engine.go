package pebble

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io/fs"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"hydrant/internal/journal"
	"hydrant/internal/record"
)

// Errors of this engine.
var (
	// ErrLocked: another process (or this one) has the folder open.
	ErrLocked = errors.New("the journal is in use by another process")
	// ErrDamaged: something is damaged that cannot be worked around. Nothing was changed.
	ErrDamaged = errors.New("the journal is damaged")
)

// Options say where the engine lives and what it may use.
type Options struct {
	Dir string // the engine's folder, made if missing
	FS  vfs.FS // nil: the real disk

	MemTableBytes uint64 // memory that gathers writes; up to three of these exist. 0: 16 MiB
	CacheBytes    int64  // memory for blocks read. 0: 16 MiB

	// MaxBytes is how much the engine may store before it refuses appends; 0: no limit.
	MaxBytes uint64
	// MinFree is how many bytes of the file system appends leave free. State changes, trims
	// and drops go on below it: they are how room is made.
	MinFree uint64
	// BallastBytes is the size of the ballast, at most a twentieth of the file system.
	// 0: 64 MiB where the file system tells its size, else none. Negative: none.
	BallastBytes int64

	// DamagedDir is where copies of damaged files go; empty: the folder "damaged" beside Dir.
	DamagedDir string

	Logger *slog.Logger     // nil: slog.Default
	Now    func() time.Time // nil: time.Now
	// OnDamage is told of each damaged file once, from a goroutine of the engine or from
	// Open. It must not call the engine.
	OnDamage func(journal.Damage)
	// OnFailure is told, from a goroutine of the engine, why it refuses all writes from now
	// on. It must not call Close.
	OnFailure func(error)
	// OnBroken is told of a broken assumption in Pebble after which the process must not go
	// on. It must not return; nil: panic.
	OnBroken func(error)
}

// withDefaults fills in what was left out.
func (o Options) withDefaults() Options {
	if o.FS == nil {
		o.FS = vfs.Default
	}
	if o.MemTableBytes == 0 {
		o.MemTableBytes = 16 << 20
	}
	if o.CacheBytes == 0 {
		o.CacheBytes = 16 << 20
	}
	if o.DamagedDir == "" {
		o.DamagedDir = o.FS.PathJoin(o.FS.PathDir(o.Dir), "damaged")
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.OnDamage == nil {
		o.OnDamage = func(journal.Damage) {}
	}
	if o.OnFailure == nil {
		o.OnFailure = func(error) {}
	}
	if o.OnBroken == nil {
		o.OnBroken = func(err error) { panic(err) }
	}
	return o
}

// Engine implements journal.Engine.
type Engine struct {
	opt    Options
	log    *slog.Logger
	disk   *disk
	space  gauge
	medic  *medic
	lock   *pebble.Lock
	seed   maphash.Seed
	writes sync.Pool // of *write
	chunks sync.Pool // of *chunk

	// synced is a Pebble sequence number of a write known to be on disk: the promise.
	synced atomic.Uint64

	// gate is held for reading by every use of db, never while a caller's function runs, and
	// for writing while db is closed or replaced. Order: gate, then keys, then queues.
	gate   sync.RWMutex
	db     *pebble.DB
	closed bool
	down   error // why db could not be opened again after a rebuild
	keys   keyLocks
	queues queues

	events  chan struct{} // wakes the attendant
	stop    chan struct{}
	stopped chan struct{}
}

var _ journal.Engine = (*Engine)(nil)

// Open opens the engine, makes its folder if need be, and brings back what damaged logs still
// hold. It returns ErrLocked if the folder is in use and ErrDamaged if it cannot be opened
// without losing more than it can name.
func Open(ctx context.Context, o Options) (*Engine, error) {
	o = o.withDefaults()
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	if err := makeDir(o.FS, o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	lock, err := lockDir(o)
	if err != nil {
		return nil, err
	}
	e := newEngine(o, lock)
	if err := e.start(); err != nil {
		return nil, errors.Join(fmt.Errorf("open journal: %w", err), lock.Close())
	}
	go e.attend()
	e.wake()
	return e, nil
}

// lockDir takes the folder's lock.
func lockDir(o Options) (*pebble.Lock, error) {
	lock, err := pebble.LockDirectory(o.Dir, o.FS)
	if err == nil {
		return lock, nil
	}
	var path *fs.PathError
	if errors.As(err, &path) {
		return nil, fmt.Errorf("lock journal: %w", err)
	}
	return nil, fmt.Errorf("open journal in %s: %w (%v)", o.Dir, ErrLocked, err)
}

// newEngine puts the parts together; nothing runs yet.
func newEngine(o Options, lock *pebble.Lock) *Engine {
	e := &Engine{
		opt: o, log: o.Logger, lock: lock, seed: maphash.MakeSeed(),
		queues:  queues{m: map[record.Queue]*queue{}},
		events:  make(chan struct{}, 1),
		stop:    make(chan struct{}),
		stopped: make(chan struct{}),
	}
	g := &e.space
	g.fs, g.dir, g.maxBytes, g.minFree = o.FS, o.Dir, o.MaxBytes, o.MinFree
	g.now, g.log, g.wanted = o.Now, o.Logger, o.BallastBytes
	e.disk = newDisk(vfs.OnDiskFull(o.FS, g.release), func(error) { e.wake() })
	e.medic = newMedic(o, e.wake)
	e.disk.opener = e.medic.openLog
	return e
}

// start opens Pebble and takes over a ballast that is there.
func (e *Engine) start() error {
	if info, err := e.opt.FS.Stat(e.space.ballastPath()); err == nil {
		e.space.ballast = uint64(max(info.Size(), 1))
	}
	db, err := e.openStore()
	if err != nil {
		return err
	}
	if failure := e.disk.failure.Load(); failure != nil {
		return errors.Join(*failure, db.Close())
	}
	e.db = db
	e.space.look(e.held)
	return nil
}

// openStore opens Pebble. Only Open and a rebuild call it.
func (e *Engine) openStore() (*pebble.DB, error) {
	if err := e.medic.beginOpening(); err != nil {
		return nil, err
	}
	db, err := pebble.Open(e.opt.Dir, e.pebbleOptions(e.disk, e.lock))
	if err == nil {
		return db, nil
	}
	if pebble.IsCorruptionError(err) {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return nil, err
}

// held is how much Pebble stores. e.gate is held for reading.
func (e *Engine) held() uint64 {
	if e.usable() != nil {
		return 0
	}
	return e.db.Metrics().DiskSpaceUsage()
}

// Syncs returns how many times the log was synced since the start. Writes that waited for
// the same sync count once.
func (e *Engine) Syncs() uint64 { return e.disk.syncs.Load() }

// Space implements journal.Engine.
func (e *Engine) Space() record.Space {
	e.gate.RLock()
	defer e.gate.RUnlock()
	s := e.space.look(e.held)
	e.wakeForBallast()
	return s
}

// wakeForBallast lets the attendant try again to make a ballast that was given up.
func (e *Engine) wakeForBallast() {
	e.space.mu.Lock()
	missing := e.space.ballast == 0 && e.space.ballastSize() > 0
	e.space.mu.Unlock()
	if missing {
		e.wake()
	}
}

// failed returns the error that every write gets once the disk has failed, or nil.
func (e *Engine) failed() error {
	if f := e.disk.failure.Load(); f != nil {
		return fmt.Errorf("%w: the journal's disk failed: %w", record.ErrUncertain, *f)
	}
	return nil
}

// usable returns why nothing can be read, or nil. e.gate is held.
func (e *Engine) usable() error {
	switch {
	case e.closed:
		return record.ErrClosed
	case e.disk.hollow.Load():
		return e.failed()
	}
	return e.down
}

// writable returns why no write is taken, or nil. e.gate is held.
func (e *Engine) writable() error {
	if err := e.usable(); err != nil {
		return err
	}
	return e.failed()
}

// giveUp makes the engine refuse all writes from now on, because of err.
func (e *Engine) giveUp(err error) error {
	e.disk.freeze("write to", e.opt.Dir, err)
	return e.failed()
}

// giveUpUnlessDamaged lets damage through, which can be treated and the write tried again.
func (e *Engine) giveUpUnlessDamaged(err error) error {
	if pebble.IsCorruptionError(err) {
		return err
	}
	return e.giveUp(err)
}

func (e *Engine) wake() {
	select {
	case e.events <- struct{}{}:
	default:
	}
}

// attend is the engine's one goroutine. It treats damaged tables, makes the ballast again,
// and passes on failures. Open starts it and Close waits for it.
func (e *Engine) attend() {
	defer close(e.stopped)
	told := false
	for {
		select {
		case <-e.stop:
			return
		case <-e.events:
		}
		if f := e.disk.failure.Load(); f != nil && !told {
			told = true
			e.log.Error("the journal's disk failed; no more writes are taken until the next start", "error", *f)
			e.opt.OnFailure(*f)
		}
		e.treatTables()
		if err := e.space.restock(); err != nil {
			e.log.Warn("no ballast", "error", err)
		}
	}
}

// Close implements journal.Engine. Readers get record.ErrClosed where they are.
func (e *Engine) Close() error {
	e.disk.close()
	e.gate.Lock()
	if e.closed {
		e.gate.Unlock()
		return nil
	}
	e.closed = true
	db := e.db
	e.gate.Unlock()

	close(e.stop)
	<-e.stopped
	var err error
	if db != nil {
		err = db.Close()
	}
	err = errors.Join(err, e.lock.Close())
	if f := e.failed(); f != nil {
		err = errors.Join(f, err)
	}
	if err != nil {
		return fmt.Errorf("close journal: %w", err)
	}
	return nil
}

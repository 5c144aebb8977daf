package deliver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"

	"hydrant/internal/record"
	"hydrant/internal/stream"
)

// Options are what delivery is built from. All but Stage, PartBytes and those that say what
// nil stands for are required.
type Options struct {
	Log         Log
	Destination Destination
	Encodings   Encodings
	Stage       Stage // nil: no stream has processors
	GzipLevel   int
	Memory      *Memory
	// Partitions is how many partitions a stream may have open; 0: any number. Nil: all do.
	Partitions func(stream string) int
	// Conversion is how the records of a stream become rows now. Encoders that have to do
	// with the same table get the same pointer. Errors are tried again; with one that is a
	// *record.Complaint comes what is known without the table. Nil: no stream converts.
	Conversion func(ctx context.Context, d *stream.Definition) (*Conversion, error)
	// Pieces packs failure records as those of the stream are packed.
	Pieces    func(ctx context.Context, d *stream.Definition, b record.Batch) ([]record.Piece, error)
	PartBytes int64 // 0: DefaultPartBytes
	Uploads   Slots
	Now       func() time.Time // wall clock, for ages and names
	Logger    *slog.Logger
	// OnObject is told of each delivered object: how long it took to complete and its size
	// in bytes. It must not block.
	OnObject func(time.Duration, int64)
	// OnFailure, if set, is told of each step of an output that failed and will be tried
	// again, with the definition it was tried under. It must not block.
	OnFailure func(*stream.Definition, record.Output, error)
}

// Manager runs a runner for each output of each stream.
type Manager struct {
	opt Options

	mu      sync.RWMutex
	running bool
	ctx     context.Context // of Run
	fatal   chan error
	streams map[record.StreamID]*delivery
	wg      sync.WaitGroup

	wakes  sync.Map // record.Queue → *source, read on the put path
	shards sync.Map // record.Queue of an ingest log → *partitions
	books  ledgerBook
	begun  map[string]progress // by state key, from Load

	orphans map[string]*orphans // by state key; under mu
	adopted chan struct{}       // capacity 1: there are more of them
}

// NewManager returns a Manager without streams.
func NewManager(opt Options) *Manager {
	if opt.PartBytes == 0 {
		opt.PartBytes = DefaultPartBytes
	}
	return &Manager{opt: opt, fatal: make(chan error, 1), adopted: make(chan struct{}, 1), streams: map[record.StreamID]*delivery{}}
}

// Run delivers until ctx ends, and returns when every runner has ended. Its error says
// that the journal no longer serves.
func (m *Manager) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	m.mu.Lock()
	m.ctx, m.running = ctx, true
	for _, d := range m.streams {
		m.launch(d)
	}
	m.mu.Unlock()
	m.wg.Go(func() {
		if err := m.sweepOrphans(ctx); err != nil {
			m.fail(err)
		}
	})
	var first error
	select {
	case <-ctx.Done():
	case first = <-m.fatal:
	}
	m.mu.Lock()
	m.running = false
	m.mu.Unlock()
	cancel()
	m.wg.Wait()
	if first == nil { // one may have failed while they were stopping
		select {
		case first = <-m.fatal:
		default:
		}
	}
	return first
}

// fail ends Run with err, unless it is ending already.
func (m *Manager) fail(err error) {
	select {
	case m.fatal <- err:
	default:
	}
}

// Load reads the ledgers of streams that are gone, and how far every output had come, for
// Statuses to tell before Run has begun. It must be called before Start.
func (m *Manager) Load(ctx context.Context) error {
	if err := m.books.load(ctx, m.opt.Log, m.opt.Logger); err != nil {
		return err
	}
	if err := m.loadOrphans(ctx); err != nil {
		return err
	}
	m.begun = map[string]progress{}
	return m.opt.Log.States(ctx, ProgressPrefix, func(st record.State) error {
		if strings.Contains(st.Key, partitionKeys) {
			return nil // there may be many; see newPartitions
		}
		var p progress
		if err := json.Unmarshal(st.Value, &p); err != nil {
			return nil // its runner says so
		}
		m.begun[st.Key] = p
		return nil
	})
}

// partitionKeys is in the keys of the states of partitions.
var partitionKeys = fmt.Sprintf("/%d/", record.Partition)

// Discard ends the delivery of a stream that is being deleted: what has a manifest is
// finished, other uploads are aborted (also later, if the store does not answer), and the rest is dropped and counted as discarded
// in the ledger. Nothing may be appended any more. It can be called again after an error
// or a restart. A destination that stays unreachable is given up after some tries.
func (m *Manager) Discard(ctx context.Context, d *stream.Definition) error {
	m.mu.Lock()
	del := m.streams[d.ID]
	m.mu.Unlock()
	if del == nil {
		if err := m.Start(ctx, d); err != nil {
			return err
		}
		return m.Discard(ctx, d)
	}
	if err := m.halt(ctx, del); err != nil {
		return err
	}
	for _, r := range del.runners {
		if r.parts != nil {
			if err := r.parts.giveUp(ctx); err != nil {
				return fmt.Errorf("discard the partitions of %s: %w", r.parts.ingest, err)
			}
		}
	}
	for len(del.runners) > 0 {
		r := del.runners[len(del.runners)-1] // who reads another's queue comes behind it
		if err := m.discard(ctx, del, r); err != nil {
			return fmt.Errorf("discard %s: %w", r.output, err)
		}
		m.wakes.Delete(r.output)
		m.shards.Delete(r.output)
	}
	m.mu.Lock()
	delete(m.streams, d.ID)
	m.mu.Unlock()
	return nil
}

// discard settles one halted runner, then drops its queue and closes its books at once.
func (m *Manager) discard(ctx context.Context, d *delivery, r *runner) error {
	state, err := loadProgress(ctx, m.opt.Log, r.output)
	if err != nil {
		return err
	}
	r.state, r.ours, r.suspect, r.sealed, r.done, r.lost = state, false, true, false, nil, record.Counts{}
	r.visible.Store(true)
	if err := r.settle(ctx); err != nil {
		return err
	}
	// Statuses must not see the runner and its entry in the books together.
	m.mu.Lock()
	defer m.mu.Unlock()
	r.countDone()
	former, left, tx, err := r.close(ctx)
	if err != nil {
		return err
	}
	if r.state.version > 0 {
		tx.States = append(tx.States, record.StateWrite{Key: r.state.key, Old: r.state.version})
	}
	uploads := r.state.Strays
	if r.state.Plan != nil {
		uploads = r.strays(uploads, r.state.Plan)
	}
	if r.parts != nil {
		uploads = append(uploads, r.parts.total.Strays...)
	}
	adopt, err := m.orphan(r.output, uploads, tx)
	if err != nil {
		return err
	}
	if err := m.books.close(ctx, m.opt.Log, d.def.Name, former, tx); err != nil {
		return err
	}
	adopt()
	d.runners = d.runners[:len(d.runners)-1]
	if left.Records > 0 {
		r.log.Warn("undelivered records were discarded with their stream", "records", left.Records, "bytes", left.Bytes)
	}
	return nil
}

// close returns the ledger of an output that is given up, what it leaves undelivered, and
// the write that forgets its queue. Only the data is accounted for.
func (r *runner) close(ctx context.Context) (former Ledger, left record.Counts, tx *record.Tx, err error) {
	head, err := r.opt.Log.Head(ctx, r.queue())
	if err != nil {
		return former, left, nil, err
	}
	tx = new(record.Tx)
	switch r.output.Output {
	case record.Data:
	case record.Backup: // reads the queue of the data
		return former, head.Before.Sub(r.state.Checkpoint.Before), tx, nil
	default:
		tx.Drops = []record.Queue{r.queue()}
		return former, head.Before.Sub(r.state.Checkpoint.Before), tx, nil
	}
	s := statusOf(r.state.progress)
	s.Received = head.Before
	tx.Drops = []record.Queue{r.ingestLog()}
	if r.state.Staged {
		made := head.Before
		if head, err = r.opt.Log.Head(ctx, r.ingestLog()); err != nil {
			return former, left, nil, err
		}
		s.Received = head.Before
		account, _ := r.opt.Stage.Account(r.ingestLog())
		if r.parts != nil {
			var known bool
			if made, known = r.parts.close(s, tx); !known {
				made = account.Made
			}
		}
		account.books(s, made)
		tx.Drops = append(tx.Drops, r.queue())
		tx.States = append(tx.States, r.opt.Stage.Forget(r.ingestLog())...)
	} else {
		s.Pending = s.Received.Sub(s.Delivered.Add(s.Failed))
	}
	s.Pending, s.Discarded = record.Counts{}, s.Pending
	return s.Ledger, s.Discarded, tx, nil
}

// countDone counts the objects of a manifest that is given up half finished.
func (r *runner) countDone() {
	if r.state.Plan == nil || r.state.Plan.Manifest == nil {
		return
	}
	for i, done := range r.done {
		if o := &r.state.Plan.Manifest.Objects[i]; done {
			r.state.Delivered = r.state.Delivered.Add(o.Held)
			r.state.Objects++
			r.state.ObjectBytes += uint64(o.Size)
		}
	}
}

// settleTries is how often an unreachable destination is tried before what was prepared
// for a deleted stream is given up.
const settleTries = 5

// settle finishes the plan that is under way, or aborts it.
func (r *runner) settle(ctx context.Context) error {
	defer r.freeBodies()
	for n := 0; r.state.Plan != nil; n++ {
		var err error
		if r.state.Plan.Manifest != nil {
			err = r.finish(ctx)
		} else {
			err = r.abandon(ctx)
		}
		if errors.Is(err, errPartitionDone) {
			return nil
		}
		if err == nil {
			if r.ours { // the commit has planned ahead; nothing was begun yet
				return nil
			}
			continue
		}
		if isFatal(err) || ctx.Err() != nil {
			return err
		}
		if n+1 >= settleTries || errors.Is(err, record.ErrNoBucket) || errors.Is(err, record.ErrDenied) {
			r.log.Warn("the destination of a deleted stream cannot be reached; what was prepared for it is discarded", "error", err)
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(backoff(n + 2)):
		}
	}
	return nil
}

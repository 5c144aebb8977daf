package stage

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"hydrant/internal/record"
	"hydrant/internal/stream"
)

// Options are what the stage is built from. All are required.
type Options struct {
	Log       Log
	Pipelines Pipelines
	Pieces    Pieces
	Decoder   Decoder
	Slots     Slots
	// Partitions is needed for pipelines with a Prefix only.
	Partitions Partitions
	Join       func(q record.Queue, wake func()) Reader
	Now        func() time.Time // wall clock, for the age of records
	Logger     *slog.Logger
	OnAppend   func(record.Queue) // told which queue has grown; must not block
	// OnFailure is told of failed records, of each kind in a batch once. It must not block.
	OnFailure func(*stream.Definition, *record.Failure)
}

// Manager runs a runner for each ingest log whose records are processed.
type Manager struct {
	opt Options

	mu      sync.Mutex
	running bool
	ctx     context.Context // of Run
	fatal   chan error
	streams map[record.StreamID]*version
	runners map[record.Queue]*active
	wg      sync.WaitGroup
}

// active is a runner and its life.
type active struct {
	*runner
	cancel context.CancelFunc // nil before it runs
	done   chan struct{}      // closed when it has ended
}

// NewManager returns a Manager without streams.
func NewManager(opt Options) *Manager {
	return &Manager{
		opt: opt, fatal: make(chan error, 1),
		streams: map[record.StreamID]*version{}, runners: map[record.Queue]*active{},
	}
}

// Run processes until ctx ends, and returns when every runner has ended. Its error says
// that the journal no longer serves.
func (m *Manager) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	m.mu.Lock()
	m.ctx, m.running = ctx, true
	for _, a := range m.runners {
		m.launch(a)
	}
	m.mu.Unlock()
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
	return first
}

// launch starts a runner. m.mu is held.
func (m *Manager) launch(a *active) {
	ctx, cancel := context.WithCancel(m.ctx)
	a.cancel = cancel
	m.wg.Go(func() {
		defer close(a.done)
		if err := a.run(ctx); err != nil {
			select {
			case m.fatal <- err:
			default:
			}
		}
	})
}

// Start makes a stream known, and goes on with its processing if that has begun before.
// Nothing of its ingest log may be trimmed before Start has returned. A pipeline that cannot
// be made makes records wait until the stream is updated.
func (m *Manager) Start(ctx context.Context, d *stream.Definition) error {
	v, err := m.version(d)
	if err != nil {
		m.opt.Logger.Error("the stream's records cannot be processed and wait", "stream", d.Name, "error", err,
			"next", "update the stream's ProcessingConfiguration")
		v = &version{d, Pipeline{Steps: []Processor{impossible{err}}, Bytes: 1, Parallel: 1}}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.streams[d.ID]; ok {
		return nil
	}
	m.streams[d.ID] = v
	for shard := range max(d.Shards, 1) {
		q := record.Queue{Stream: d.ID, Output: record.Data, Shard: shard}
		s, err := load(ctx, m.opt.Log, q)
		if err != nil {
			return fmt.Errorf("process stream %s: %w", d.Name, err)
		}
		if s.version == 0 || m.runners[q] != nil { // it was halted before
			continue
		}
		if err := m.raise(ctx, q, s.Checkpoint, d.Name); err != nil {
			return fmt.Errorf("process stream %s: %w", d.Name, err)
		}
		m.begin(q, v, s)
	}
	return nil
}

// raise lifts the end of an ingest log to the checkpoint. It lies below it when damage took
// the last entries, all processed: new ones must not get their sequences and be passed over.
func (m *Manager) raise(ctx context.Context, q record.Queue, to record.Mark, stream string) error {
	head, err := m.opt.Log.Head(ctx, q)
	if err != nil {
		return err
	}
	raise, damaged := record.RaiseTo(to, q, head)
	if !damaged {
		return nil
	}
	m.opt.Logger.Error("damage took the end of this stream's queue, all of it processed; the sequence goes on behind it",
		"stream", stream, "from", head.Entry, "to", raise.Mark.Entry)
	return m.opt.Log.Apply(ctx, &record.Tx{Raises: []record.Raise{raise}})
}

// impossible is the step of a pipeline that cannot be made.
type impossible struct{ error }

func (i impossible) Process(context.Context, []record.Item) ([]record.Item, error) { return nil, i }

func (m *Manager) version(d *stream.Definition) (*version, error) {
	p, err := m.opt.Pipelines(d)
	if err != nil {
		return nil, fmt.Errorf("process stream %s: %w", d.Name, err)
	}
	return &version{d, p}, nil
}

// begin adds a runner. m.mu is held.
func (m *Manager) begin(q record.Queue, v *version, s *saved) {
	r := &runner{
		queue: q, opt: &m.opt, saved: s, wake: make(chan struct{}, 1),
		log: m.opt.Logger.With("stream", v.def.Name, "shard", q.Shard),
	}
	r.version.Store(v)
	account := s.Account
	r.account.Store(&account)
	r.reader = m.opt.Join(q, r.nudge)
	a := &active{runner: r, done: make(chan struct{})}
	m.runners[q] = a
	if m.running {
		m.launch(a)
	}
}

// Update makes all records whose processing has not come to an end go through the pipeline of
// a stream's newest version. What is in the former one is given up, and begins anew.
func (m *Manager) Update(d *stream.Definition) error {
	v, err := m.version(d)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.streams[d.ID]; !ok {
		return nil
	}
	m.streams[d.ID] = v
	for q, a := range m.runners {
		if q.Stream == d.ID {
			a.version.Store(v)
			a.nudge()
		}
	}
	return nil
}

// Begin returns the write that makes the processing of q begin at a mark.
func (m *Manager) Begin(q record.Queue, at record.Mark) (record.StateWrite, error) {
	return new(saved).write(q, Account{Began: at, Checkpoint: at})
}

// Began is told that the write of Begin is stored.
func (m *Manager) Began(q record.Queue, at record.Mark) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if v, ok := m.streams[q.Stream]; ok && m.runners[q] == nil {
		m.begin(q, v, &saved{Account: Account{Began: at, Checkpoint: at}, version: 1})
	}
}

// Account returns how far the processing of q is; false if it has not begun.
func (m *Manager) Account(q record.Queue) (Account, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	a, ok := m.runners[q]
	if !ok {
		return Account{}, false
	}
	return *a.account.Load(), true
}

// Flush makes what lies in q be processed at once, whatever its size and age.
func (m *Manager) Flush(q record.Queue, upto record.Mark) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if a, ok := m.runners[q]; ok {
		a.flushed.Store(&upto)
		a.nudge()
	}
}

// Halt ends the processing of a stream that is being deleted. What is in the pipeline is
// given up. Account still answers.
func (m *Manager) Halt(ctx context.Context, id record.StreamID) error {
	m.mu.Lock()
	delete(m.streams, id)
	var ending []*active
	for q, a := range m.runners {
		if q.Stream == id && a.cancel != nil {
			a.cancel()
			ending = append(ending, a)
		}
	}
	m.mu.Unlock()
	for _, a := range ending {
		select {
		case <-a.done:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// Forget returns the write that removes the account of a queue whose processing has been
// halted.
func (m *Manager) Forget(q record.Queue) []record.StateWrite {
	m.mu.Lock()
	defer m.mu.Unlock()
	a, ok := m.runners[q]
	if !ok || a.saved.version == 0 {
		return nil
	}
	return []record.StateWrite{{Key: stateKey(q), Old: a.saved.version}}
}

// Forgotten is told that the write of Forget is stored for all queues of a stream.
func (m *Manager) Forgotten(id record.StreamID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for q := range m.runners {
		if q.Stream == id {
			delete(m.runners, q)
		}
	}
}

package deliver

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"hydrant/internal/record"
	"hydrant/internal/stream"
)

// delivery is the runners of one stream. All but the first line is under Manager.mu.
type delivery struct {
	wg      sync.WaitGroup // of runners that were launched
	def     *stream.Definition
	runners []*runner       // first those of the data, one for each shard
	ctx     context.Context // of the runners; nil before they are launched
	cancel  context.CancelFunc
	halted  bool // no runner may start any more
	// flushes are the last orders to flush the data of a shard by what becomes of it, for error
	// outputs that get their first record from it.
	flushes map[uint32]*flush
}

// Start begins to deliver a stream; once Run runs, that is at once. It must have returned
// before anything is appended.
func (m *Manager) Start(ctx context.Context, d *stream.Definition) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.streams[d.ID]; ok {
		return nil
	}
	del := &delivery{def: d}
	for shard := range max(d.Shards, 1) {
		q := record.Queue{Stream: d.ID, Shard: shard}
		if m.begun[progressKey(q)].Staged {
			q.Output = record.Processed
		}
		if err := m.read(ctx, del, q, record.Data); err != nil {
			return fmt.Errorf("deliver stream %s: %w", d.Name, err)
		}
	}
	if err := m.beginBackup(ctx, del); err != nil {
		return fmt.Errorf("deliver stream %s: %w", d.Name, err)
	}
	if err := m.beginFailures(ctx, del); err != nil {
		return fmt.Errorf("deliver stream %s: %w", d.Name, err)
	}
	m.streams[d.ID] = del
	if m.running {
		m.launch(del)
	}
	return nil
}

// source is the queue as its readers share it.
func (m *Manager) source(q record.Queue) *source {
	s, ok := m.wakes.Load(q)
	if !ok {
		s, _ = m.wakes.LoadOrStore(q, newSource(q))
	}
	return s.(*source)
}

// Join adds a reader to a queue, who has a say in what is trimmed of it: nothing is before
// Pass was called. wake is called when the queue has grown, and must not block.
func (m *Manager) Join(q record.Queue, wake func()) *Reader { return m.source(q).join(wake) }

// read adds a runner to del that delivers what lies in a queue as the given output. It is
// launched with the others.
func (m *Manager) read(ctx context.Context, del *delivery, from record.Queue, o record.Output) error {
	t, err := m.opt.target(del.def, o)
	if err != nil {
		return err
	}
	q := record.Queue{Stream: del.def.ID, Output: o, Shard: from.Shard}
	r := &runner{
		output: q, sources: m.source, grown: m.Wake, opt: &m.opt, wake: make(chan struct{}, 1),
		log: m.opt.Logger.With("stream", del.def.Name, "output", o, "shard", q.Shard),
	}
	begun := m.begun[progressKey(q)]
	r.target.Store(t)
	r.status.Store(statusOf(begun))
	r.from.Store(m.Join(from, r.nudge))
	if err := r.raise(ctx, begun.Checkpoint); err != nil {
		r.reader().Leave()
		return err
	}
	if o == record.Data && del.def.S3.Partitions() {
		if r.parts, err = m.newPartitions(ctx, r); err != nil {
			r.reader().Leave()
			return err
		}
		m.shards.Store(r.ingestLog(), r.parts)
	}
	del.runners = append(del.runners, r)
	return nil
}

// Place finds the queues of partitions for records of an ingest log, as stage.Partitions says.
func (m *Manager) Place(q record.Queue, shares []record.Share) (record.Placement, error) {
	p, ok := m.shards.Load(q)
	if !ok {
		return record.Placement{}, fmt.Errorf("place records of %s: %w", q, ErrNoStream)
	}
	return p.(*partitions).Place(shares)
}

// beginBackup adds the backup of a stream that has one and lacks its runners. A backup
// begins at the end of the queue and stores that at once, so that it holds every record
// that comes after it was asked for.
func (m *Manager) beginBackup(ctx context.Context, del *delivery) error {
	if del.def.S3.S3BackupMode != stream.BackupEnabled || del.delivers(record.Backup) {
		return nil
	}
	for _, data := range slices.Clone(del.runners) {
		if data.output.Output != record.Data {
			continue
		}
		q := data.output
		q.Output = record.Backup
		if _, ok := m.begun[progressKey(q)]; !ok {
			if err := m.beginAtHead(ctx, q, data.ingestLog()); err != nil {
				return err
			}
		}
		if err := m.read(ctx, del, data.ingestLog(), record.Backup); err != nil {
			return err
		}
	}
	return nil
}

// beginAtHead stores that output has delivered all that lies in queue, unless it has a
// state already.
func (m *Manager) beginAtHead(ctx context.Context, output, queue record.Queue) error {
	state, err := loadProgress(ctx, m.opt.Log, output)
	if err != nil || state.version > 0 {
		return err
	}
	head, err := m.opt.Log.Head(ctx, queue)
	if err != nil {
		return err
	}
	if err := state.save(ctx, m.opt.Log, progress{Checkpoint: head}); err != nil {
		return err
	}
	m.begun[progressKey(output)] = state.progress
	return nil
}

// errorTypes are the error outputs by their error-output-type (spec firehose.md section 4.6).
var errorTypes = map[record.Output]string{
	record.ProcessingFailed: "processing-failed",
	record.Undecompressed:   "decompression-failed",
	record.Unconverted:      "format-conversion-failed",
}

// beginFailures adds the runners of error outputs that something was ever written to, as far
// as they are not there.
func (m *Manager) beginFailures(ctx context.Context, del *delivery) error {
	for _, output := range slices.Sorted(maps.Keys(errorTypes)) {
		for shard := range max(del.def.Shards, 1) {
			q := record.Queue{Stream: del.def.ID, Output: output, Shard: shard}
			head, err := m.opt.Log.Head(ctx, q)
			if err != nil {
				return err
			}
			if head.Entry <= 1 || del.runner(q) != nil {
				continue
			}
			if err := m.read(ctx, del, q, output); err != nil {
				return err
			}
			del.runner(q).flush.Store(del.flushes[shard])
		}
	}
	return nil
}

// runner is the one that delivers an output, nil if there is none.
func (d *delivery) runner(output record.Queue) *runner {
	for _, r := range d.runners {
		if r.output == output {
			return r
		}
	}
	return nil
}

// delivers reports whether del has a runner for the output.
func (d *delivery) delivers(o record.Output) bool {
	return slices.ContainsFunc(d.runners, func(r *runner) bool { return r.output.Output == o })
}

// launch starts the runners of d that do not run yet. m.mu is held.
func (m *Manager) launch(d *delivery) {
	if d.halted {
		return
	}
	if d.ctx == nil {
		d.ctx, d.cancel = context.WithCancel(m.ctx)
	}
	for _, r := range d.runners {
		if r.launched {
			continue
		}
		r.launched = true
		m.start(d, func() error { return r.run(d.ctx) })
		if p := r.parts; p != nil {
			p.start = func(work func()) { m.start(d, func() error { work(); return nil }) }
			m.start(d, func() error { return p.run(d.ctx) })
		}
	}
}

// start starts a goroutine of d that Run waits for.
func (m *Manager) start(d *delivery, run func() error) {
	m.wg.Add(1)
	d.wg.Go(func() {
		defer m.wg.Done()
		if err := run(); err != nil {
			m.fail(err)
		}
	})
}

// halt stops the runners of d, and lets none start any more.
func (m *Manager) halt(ctx context.Context, d *delivery) error {
	m.mu.Lock()
	d.halted = true
	if d.cancel != nil {
		d.cancel()
	}
	m.mu.Unlock()
	done := make(chan struct{})
	go func() { d.wg.Wait(); close(done) }()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Update makes a stream's runners deliver under its newest version from their next plan
// on. A backup that it has now begins with what is put after Update has returned. Errors
// leave all as it was, but for those of the journal.
func (m *Manager) Update(ctx context.Context, d *stream.Definition) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	del, ok := m.streams[d.ID]
	if !ok {
		return nil
	}
	targets := make([]*target, len(del.runners))
	for i, r := range del.runners {
		t, err := m.opt.target(d, r.output.Output)
		if err != nil {
			return fmt.Errorf("deliver stream %s: %w", d.Name, err)
		}
		targets[i] = t
	}
	del.def = d
	for i, r := range del.runners {
		r.target.Store(targets[i])
		r.nudge()
		if r.parts != nil {
			r.parts.retarget(targets[i])
		}
	}
	if err := m.beginBackup(ctx, del); err != nil {
		return fmt.Errorf("begin the backup of stream %s: %w", d.Name, err)
	}
	if m.running {
		m.launch(del)
	}
	return nil
}

// Wake tells the runners of a queue that it has grown. It does not block.
func (m *Manager) Wake(q record.Queue) {
	if s, ok := m.wakes.Load(q); ok {
		s.(*source).nudge()
		return
	}
	if _, ok := errorTypes[q.Output]; ok {
		go m.awaken(q)
	}
}

// awaken begins an error output that has got its first record.
func (m *Manager) awaken(q record.Queue) {
	m.mu.Lock()
	defer m.mu.Unlock()
	d, ok := m.streams[q.Stream]
	if !ok || d.halted || !m.running || d.runner(q) != nil {
		return
	}
	if err := m.beginFailures(m.ctx, d); err != nil {
		m.opt.Logger.Error("failure records wait until the next start: their output cannot be read", "stream", d.def.Name, "error", err)
		return
	}
	m.launch(d)
}

func (r *runner) nudge() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

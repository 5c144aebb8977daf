package deliver

import (
	"context"
	"errors"
	"fmt"
	"time"

	"hydrant/internal/record"
)

// What operators do to a stream by hand. A flush makes what is buffered due at once; it is
// forgotten by a restart, for then the buffers are due soon enough by themselves. A pause is
// part of the definition (stream.Definition.Paused), so that it outlives restarts.

var (
	// ErrPaused: the stream makes no new objects until it is resumed.
	ErrPaused = errors.New("the stream is paused")
	// ErrNoStream: no stream of that id is being delivered.
	ErrNoStream = errors.New("the stream is not being delivered")
)

// FlushTarget is how far a flush reaches in one output: it is done when as much is Done.
type FlushTarget struct {
	Queue record.Queue  // the output; a backup is one of its own, though it reads the data
	Until record.Counts // all that there had ever been for it
}

// Flush makes all due that the stream holds now, whatever its size and age. It does not
// wait; see QueueStatus.Done for what is done. Errors: ErrPaused, ErrNoStream, those of the
// journal.
func (m *Manager) Flush(ctx context.Context, id record.StreamID) ([]FlushTarget, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	d, ok := m.streams[id]
	if !ok || d.halted {
		return nil, fmt.Errorf("flush stream %s: %w", id, ErrNoStream)
	}
	if d.def.Paused {
		return nil, fmt.Errorf("flush stream %s: %w", d.def.Name, ErrPaused)
	}
	targets := make([]FlushTarget, len(d.runners))
	for i, r := range d.runners {
		f, until, err := d.flushOf(ctx, r)
		if err != nil {
			return nil, fmt.Errorf("flush stream %s: %w", d.def.Name, err)
		}
		r.flush.Store(f)
		if f.staged {
			d.noteFlush(r, f)
			r.opt.Stage.Flush(r.ingestLog(), f.upto)
		}
		r.nudge()
		if r.parts != nil {
			r.parts.nudge()
		}
		targets[i] = FlushTarget{Queue: r.output, Until: until}
	}
	return targets, nil
}

// flushOf is the order to flush a runner's output, and how much had ever been for it. Where
// records are processed, what becomes of them is meant, whatever output it is for.
func (d *delivery) flushOf(ctx context.Context, r *runner) (f *flush, until record.Counts, err error) {
	head, err := r.opt.Log.Head(ctx, r.queue())
	if err != nil {
		return nil, until, err
	}
	data := d.runner(r.ingestLog())
	if r.output.Output == record.Backup || data == nil || !data.status.Load().isStaged {
		return &flush{upto: head}, head.Before, nil
	}
	source, err := r.opt.Log.Head(ctx, r.ingestLog())
	if err != nil {
		return nil, until, err
	}
	if until = head.Before; r == data {
		until = source.Before
	}
	return &flush{upto: source, staged: true}, until, nil
}

// noteFlush remembers an order for error outputs that do not exist yet. Manager.mu is held.
func (d *delivery) noteFlush(r *runner, f *flush) {
	if d.flushes == nil {
		d.flushes = map[uint32]*flush{}
	}
	d.flushes[r.output.Shard] = f
}

// flush is an order to deliver what lies before a mark. A later one reaches further.
type flush struct {
	upto   record.Mark
	staged bool // the mark is one of the ingest log, and what the stage makes of it is meant
}

// flushing reports whether what lies behind from has been flushed.
func (r *runner) flushing(ctx context.Context, from record.Mark) (bool, error) {
	f := r.flush.Load()
	if f == nil {
		return false, nil
	}
	if f.staged {
		if a, _ := r.opt.Stage.Account(r.ingestLog()); a.Checkpoint.Less(f.upto.Position) {
			return true, nil // whatever has been made yet belongs to it
		}
		head, err := r.opt.Log.Head(ctx, r.queue())
		if err != nil {
			return false, err
		}
		all := &flush{upto: head}
		r.flush.CompareAndSwap(f, all) // else there is a later one, which reaches further
		f = all
	}
	return from.Less(f.upto.Position), nil
}

// order is what operators and updates have told a runner. A failing runner that is told
// something new tries again at once: it may have been repaired.
type order struct {
	version int
	paused  bool
	flush   *flush
}

func (r *runner) order() order {
	t := r.target.Load()
	return order{version: t.version, paused: t.paused, flush: r.flush.Load()}
}

// QueueStatus is how far one output of a stream is.
type QueueStatus struct {
	Queue record.Queue
	Done  record.Counts // of what there had ever been for it; of source records, where they are processed
}

// Status returns where the delivery of one incarnation stands; false if it is not being
// delivered. What former streams of its name did is not part of it.
func (m *Manager) Status(ctx context.Context, id record.StreamID) (StreamStatus, bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	d, ok := m.streams[id]
	if !ok {
		return StreamStatus{}, false
	}
	s := StreamStatus{Name: d.def.Name}
	s.observe(ctx, d)
	return s, true
}

// observe adds what the runners of d tell.
func (s *StreamStatus) observe(ctx context.Context, d *delivery) {
	s.Paused = d.def.Paused
	for _, r := range d.runners {
		c := r.current(ctx)
		if c.Fails > s.Fails {
			s.Fails, s.LastError = c.Fails, c.LastError
		}
		var oldest time.Time
		if c.Pending.Records > 0 {
			oldest = r.oldest(ctx, c)
		}
		if r.parts != nil {
			oldest = s.observePartitions(r.parts, oldest)
		}
		switch r.output.Output {
		case record.Data:
			s.Ledger = s.Ledger.Add(c.Ledger)
			s.Oldest = earlier(s.Oldest, oldest)
			if c.isStaged {
				s.observeStage(r.opt.Stage.Waiting(ctx, r.ingestLog()))
			}
		case record.Backup:
			s.Backup.add(c.Ledger, oldest)
		default:
			s.Failures.add(c.Ledger, oldest)
		}
		s.Queues = append(s.Queues, QueueStatus{Queue: r.output, Done: c.done()})
	}
}

// observeStage adds what waits to be processed: it may be the oldest of the stream, and may
// be what the stream hangs on.
func (s *StreamStatus) observeStage(w Waiting) {
	s.Oldest = earlier(s.Oldest, w.Oldest)
	if w.Fails > s.Fails {
		s.Fails, s.LastError = w.Fails, w.LastError
	}
}

// observePartitions adds what those of a shard tell, and returns the oldest of their records
// and the given one.
func (s *StreamStatus) observePartitions(p *partitions, oldest time.Time) time.Time {
	if fails, last := p.trouble(); fails > s.Fails {
		s.Fails, s.LastError = fails, last
	}
	s.Partitioned = true
	p.mu.Lock()
	s.Partitions += len(p.all)
	s.Refused += p.refused
	p.mu.Unlock()
	return earlier(oldest, p.oldest())
}

// done is what is not pending. Of records that have become more on their way the last are
// not done before all of them are.
func (s *Status) done() record.Counts {
	return record.Counts{
		Records: s.Received.Records - min(s.Pending.Records, s.Received.Records),
		Bytes:   s.Received.Bytes - min(s.Pending.Bytes, s.Received.Bytes),
	}
}

func (s *OutputStatus) add(l Ledger, oldest time.Time) {
	s.Delivered, s.Pending = s.Delivered.Add(l.Delivered), s.Pending.Add(l.Pending)
	s.Objects, s.ObjectBytes = s.Objects+l.Objects, s.ObjectBytes+l.ObjectBytes
	s.Oldest = earlier(s.Oldest, oldest)
}

// earlier is the earlier of two times, of which a zero one is none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// oldest is when the first record arrived that c counts as pending; zero if it cannot be
// told. The journal is read once for each place of the checkpoint.
func (r *runner) oldest(ctx context.Context, c Status) time.Time {
	at, err := r.firstArrival(ctx, c.checkpoint)
	if err != nil {
		return time.Time{}
	}
	return at
}

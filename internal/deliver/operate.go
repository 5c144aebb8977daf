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

// FlushTarget is how far a flush reaches in one queue: it is done when as much is Done.
type FlushTarget struct {
	Queue record.Queue
	Until record.Counts // all that the queue had ever taken in
}

// Flush makes all due that the stream holds now, whatever its size and age. It does not
// wait; see QueueStatus.Done for what is done. Errors: ErrPaused, ErrNoStream, those of the
// journal.
func (m *Manager) Flush(ctx context.Context, id record.StreamID) ([]FlushTarget, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	d, ok := m.streams[id]
	if !ok || d.halted {
		return nil, fmt.Errorf("flush stream %s: %w", id, ErrNoStream)
	}
	if d.def.Paused {
		return nil, fmt.Errorf("flush stream %s: %w", d.def.Name, ErrPaused)
	}
	targets := make([]FlushTarget, len(d.runners))
	for i, r := range d.runners {
		head, err := r.opt.Log.Head(ctx, r.queue)
		if err != nil {
			return nil, fmt.Errorf("flush stream %s: %w", d.def.Name, err)
		}
		r.flush.Store(&flush{upto: head})
		r.nudge()
		targets[i] = FlushTarget{Queue: r.queue, Until: head.Before}
	}
	return targets, nil
}

// flush is an order to deliver what lies before a mark. A later one reaches further.
type flush struct{ upto record.Mark }

// flushing reports whether what lies behind from has been flushed.
func (r *runner) flushing(from record.Mark) bool {
	f := r.flush.Load()
	return f != nil && from.Less(f.upto.Position)
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

// QueueStatus is how far one queue of a stream is.
type QueueStatus struct {
	Queue record.Queue
	Done  record.Counts // delivered, or failed for good, since the stream was made
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
		s.Ledger = s.Ledger.Add(c.Ledger)
		if c.Fails > s.Fails {
			s.Fails, s.LastError = c.Fails, c.LastError
		}
		if c.Pending.Records > 0 {
			s.noteOldest(r.oldest(ctx, c))
		}
		s.Queues = append(s.Queues, QueueStatus{Queue: r.queue, Done: c.Delivered.Add(c.Failed)})
	}
}

func (s *StreamStatus) noteOldest(at time.Time) {
	if !at.IsZero() && (s.Oldest.IsZero() || at.Before(s.Oldest)) {
		s.Oldest = at
	}
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

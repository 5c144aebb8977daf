package stage

import (
	"context"
	"time"

	"hydrant/internal/record"
)

// Waiting is what of a queue is not processed for good yet, and what keeps it from that.
type Waiting struct {
	Oldest    time.Time // arrival of its first record; zero: there is none, or it cannot be told
	Fails     int       // what failed in a row: batches, or attempts of a step
	LastError string    // of the last of them; empty while all is well
}

// Waiting returns what of q waits to be processed; nothing, if its processing has not begun.
// Trouble that keeps nothing from being processed is not told.
func (m *Manager) Waiting(ctx context.Context, q record.Queue) Waiting {
	m.mu.Lock()
	a, ok := m.runners[q]
	m.mu.Unlock()
	if !ok {
		return Waiting{}
	}
	at, err := a.arrived(ctx)
	if err == nil && at.IsZero() {
		return Waiting{}
	}
	w := Waiting{Oldest: at}
	if t := a.worst(); t != nil {
		w.Fails, w.LastError = t.fails, t.last.Error()
	}
	return w
}

// trouble is failures in a row.
type trouble struct {
	fails int
	last  error
}

// fail notes a failure and returns how many there were in a row.
func (r *runner) fail(err error) int {
	next := trouble{1, err}
	if t := r.trouble.Load(); t != nil {
		next.fails += t.fails
	}
	r.trouble.Store(&next)
	return next.fails
}

// worst is the trouble of the runner or of a step of its pipeline: the one with the most
// failures. Nil: all is well.
func (r *runner) worst() *trouble {
	worst := r.trouble.Load()
	for _, s := range r.version.Load().Steps {
		t, ok := s.(Troubled)
		if !ok {
			continue
		}
		if fails, last := t.Trouble(); last != nil && (worst == nil || fails > worst.fails) {
			worst = &trouble{fails, last}
		}
	}
	return worst
}

// arrival is when the first record behind a position arrived.
type arrival struct {
	at     time.Time
	behind record.Position
}

// arrived is when the first record behind the stored checkpoint arrived, but not in the
// future; zero if there is none. The journal is read once for each checkpoint. It may be
// called by any goroutine.
func (r *runner) arrived(ctx context.Context) (time.Time, error) {
	from := r.account.Load().Checkpoint.Position
	head, err := r.opt.Log.Head(ctx, r.queue)
	if err != nil || head.Entry <= from.Entry {
		return time.Time{}, err
	}
	if a := r.first.Load(); a != nil && a.behind == from {
		return a.at, nil
	}
	first := &arrival{at: r.opt.Now(), behind: from} // of a damaged entry too
	err = r.opt.Log.Read(ctx, r.queue, from.Entry, func(e *record.Entry) error {
		if at := time.UnixMilli(e.Arrival); e.Missing == 0 && at.Before(first.at) {
			first.at = at
		}
		return record.ErrStop
	})
	if err != nil {
		return time.Time{}, err
	}
	r.first.Store(first)
	return first.at, nil
}

package deliver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"hydrant/internal/record"
)

// strayLooks is how long after a doubtful call its key is looked at again: soon, for what
// was on its way, and later than any call that was given up can still be carried out. A
// restart begins the time anew.
var strayLooks = [...]time.Duration{10 * time.Second, 2 * time.Minute, 10 * time.Minute}

// maxStrays bounds the list for stores that do not let us look: the oldest are given up.
const maxStrays = 256

// nextLook is how long it is until the stray is looked at.
func (s *stray) nextLook() time.Duration { return strayLooks[s.looks] - time.Since(s.seen) }

// anyDue reports whether a stray is to be looked at now.
func anyDue(list []stray) bool {
	return slices.ContainsFunc(list, func(s stray) bool { return s.nextLook() <= 0 })
}

// untilLook is how long it is until the first of the strays is looked at; 0 without strays.
func untilLook(list []stray) time.Duration {
	var wait time.Duration
	for i := range list {
		if look := max(list[i].nextLook(), time.Millisecond); wait == 0 || look < wait {
			wait = look
		}
	}
	return wait
}

// lookFor looks at the strays that are due, once each, and returns those that are to be
// looked at again. What the store refuses to show is tried again after the longest time.
func (o *Options) lookFor(ctx context.Context, log *slog.Logger, list []stray) []stray {
	keep := make([]stray, 0, len(list))
	for _, s := range list {
		if s.nextLook() <= 0 {
			s.looks++
			var n int
			err := o.call(ctx, 0, func(ctx context.Context) (err error) {
				n, err = o.Destination.Sweep(ctx, s.Object)
				return err
			})
			switch {
			case err != nil && !errors.Is(err, record.ErrNoBucket):
				log.Debug("could not look for late uploads", "bucket", s.Bucket, "key", s.Key, "error", err)
				s.looks, s.seen = len(strayLooks)-1, time.Now()
			case n > 0:
				log.Info("aborted an upload that nobody waits for", "bucket", s.Bucket, "key", s.Key)
			}
		}
		if s.looks < len(strayLooks) {
			keep = append(keep, s)
		}
	}
	return keep
}

// strays returns the list with the plan's doubtful keys added.
func (r *runner) strays(list []stray, p *plan) []stray {
	if !r.suspect {
		return list
	}
	for _, o := range p.Begun {
		list = append(slices.Clip(list), stray{Object: o, Since: r.opt.Now(), seen: time.Now()})
	}
	if over := len(list) - maxStrays; over > 0 {
		r.log.Warn("uploads may be left in the store: it does not let us look for them", "objects", over)
		list = list[over:]
	}
	return list
}

// sweepLate looks at the runner's strays that are due, and stores it when some are settled.
func (r *runner) sweepLate(ctx context.Context) error {
	if !anyDue(r.state.Strays) {
		return nil
	}
	keep := r.opt.lookFor(ctx, r.log, r.state.Strays)
	if len(keep) == len(r.state.Strays) {
		r.state.Strays = keep
		return nil
	}
	next := r.state.progress
	next.Strays = keep
	return r.state.save(ctx, r.opt.Log, next)
}

// StrayPrefix begins the state keys of strays that have outlived their stream.
const StrayPrefix = "stray/"

// orphans are the strays of one queue that is gone.
type orphans struct {
	list    []stray
	version uint64
}

// loadOrphans reads the strays of queues that are gone.
func (m *Manager) loadOrphans(ctx context.Context) error {
	m.orphans = map[string]*orphans{}
	return m.opt.Log.States(ctx, StrayPrefix, func(st record.State) error {
		o := &orphans{version: st.Version}
		if err := json.Unmarshal(st.Value, &o.list); err != nil {
			m.opt.Logger.Error("uploads of a deleted stream may be left in the store: their list is unreadable",
				"key", st.Key, "error", err)
			return nil
		}
		for i := range o.list {
			o.list[i].seen = time.Now()
		}
		m.orphans[strings.Clone(st.Key)] = o
		return nil
	})
}

// orphan makes the strays of a queue outlive it, in the transaction that drops it. They are
// looked after once the returned function was called. m.mu is held.
func (m *Manager) orphan(q record.Queue, list []stray, tx *record.Tx) (adopt func(), err error) {
	if len(list) == 0 {
		return func() {}, nil
	}
	b, err := json.Marshal(list)
	if err != nil {
		return nil, fmt.Errorf("write the strays of %s: %w", q, err)
	}
	key := StrayPrefix + q.String()
	tx.States = append(tx.States, record.StateWrite{Key: key, Value: b})
	return func() {
		m.orphans[key] = &orphans{list: list, version: 1}
		select {
		case m.adopted <- struct{}{}:
		default:
		}
	}, nil
}

// sweepOrphans looks after the strays of queues that are gone, until ctx ends.
func (m *Manager) sweepOrphans(ctx context.Context) error {
	for m.awaitOrphan(ctx) {
		if err := m.lookForOrphans(ctx); err != nil && ctx.Err() == nil {
			return err
		}
	}
	return nil
}

// awaitOrphan waits until one may be due. It returns false when ctx has ended.
func (m *Manager) awaitOrphan(ctx context.Context) bool {
	return nap(ctx, m.adopted, m.untilOrphan()) == nil
}

func (m *Manager) untilOrphan() time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	var wait time.Duration
	for _, o := range m.orphans {
		if look := untilLook(o.list); wait == 0 || look < wait {
			wait = look
		}
	}
	return wait
}

// lookForOrphans looks once at what is due, and forgets the queues that are settled.
func (m *Manager) lookForOrphans(ctx context.Context) error {
	m.mu.Lock()
	due := map[string]*orphans{}
	for key, o := range m.orphans {
		if anyDue(o.list) {
			due[key] = o
		}
	}
	m.mu.Unlock()
	for key, o := range due {
		keep := m.opt.lookFor(ctx, m.opt.Logger, o.list)
		if len(keep) == 0 {
			tx := record.Tx{States: []record.StateWrite{{Key: key, Old: o.version}}}
			if err := m.opt.Log.Apply(ctx, &tx); err != nil {
				return fmt.Errorf("forget %s: %w", key, err)
			}
		}
		m.mu.Lock()
		if o.list = keep; len(keep) == 0 {
			delete(m.orphans, key)
		}
		m.mu.Unlock()
	}
	return nil
}

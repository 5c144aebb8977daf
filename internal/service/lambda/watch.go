package lambda

import (
	"sync/atomic"
	"time"
)

// glance is how often the memory of a process is looked at. What it may take beyond its
// limit is what it can touch in that time.
const glance = 50 * time.Millisecond

// watch holds a process, with those it has started, to its memory. The kernel could only do so by address space, which
// is no measure (see cage.limit), or by a control group, which needs rights that a program
// seldom has.
type watch struct {
	process *process
	limit   uint64 // bytes
	most    atomic.Uint64
	over    atomic.Bool
}

func newWatch(p *process, limit uint64) *watch { return &watch{process: p, limit: limit} }

// run looks until the process has ended, and kills it when it has too much.
func (w *watch) run() {
	tick := time.NewTicker(glance)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if w.look(family) > w.limit {
				w.over.Store(true)
				w.process.kill()
				return
			}
		case <-w.process.exited:
			return
		}
	}
}

// look measures once. What cannot be measured counts as nothing: it is gone.
func (w *watch) look(measure func(pid int) (uint64, error)) uint64 {
	used, err := measure(w.process.pid)
	if err != nil {
		return 0
	}
	for {
		most := w.most.Load()
		if used <= most || w.most.CompareAndSwap(most, used) {
			return used
		}
	}
}

// peak is the most memory that was seen. Only who was never looked at is now: calls are
// shorter than a look takes.
func (w *watch) peak() uint64 {
	if w.most.Load() == 0 {
		w.look(resident)
	}
	return w.most.Load()
}

// exceeded says whether the process was killed for its memory.
func (w *watch) exceeded() bool { return w.over.Load() }

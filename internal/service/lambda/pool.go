package lambda

import (
	"fmt"
	"sync"
)

// maxQueue is how many calls of a function may wait for a worker.
const maxQueue = 1000

// revision is what a worker is started from: a configuration and code of one moment.
type revision struct {
	config   Configuration
	code     string // folder
	codeName string // its name, in stored.Code
}

// pool is the workers of one function. A slot is the right to have a worker; whoever does a
// call holds one, and an idle worker does.
type pool struct {
	service *Service
	name    string

	mu      sync.Mutex
	rev     *revision        // what new workers run
	reserve *int             // calls at once that the function may have; nil: as many as slots
	slots   int              // in use
	idle    []*worker        // the last used last, so that those not needed grow old
	alive   map[*worker]bool // all of them
	users   map[string]int   // workers by the code they run
	queue   []*call          // that found no slot, in order
	closed  error            // what calls are told when there is no more pool
}

func newPool(s *Service, name string, rev *revision, reserve *int) *pool {
	return &pool{
		service: s, name: name, rev: rev, reserve: reserve,
		alive: make(map[*worker]bool), users: make(map[string]int),
	}
}

// submit has a call done by an idle worker, else by a new one, else by the first that has
// time.
func (p *pool) submit(c *call) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed != nil {
		return p.closed
	}
	if n := len(p.idle); n > 0 {
		w := p.idle[n-1]
		p.idle = p.idle[:n-1]
		w.resting()
		p.service.running.Go(func() { p.run(w, c) })
		return nil
	}
	switch {
	case p.reserve != nil && p.slots >= *p.reserve:
		return fmt.Errorf("%w: %s may have %d calls at once", ErrReserved, p.name, *p.reserve)
	case p.slots < p.service.opt.MaxWorkers:
		p.slots++
		p.service.running.Go(func() { p.run(nil, c) })
	case len(p.queue) >= maxQueue:
		return fmt.Errorf("%w: %s", ErrBusy, p.name)
	default:
		p.queue = append(p.queue, c)
	}
	return nil
}

// leave takes a call out of the queue; false means that it is not there any more.
func (p *pool) leave(c *call) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, other := range p.queue {
		if other == c {
			p.queue = append(p.queue[:i], p.queue[i+1:]...)
			return true
		}
	}
	return false
}

// run does a call and those that wait, on one slot. Without a worker it starts one. The
// slot is free again before the caller has its answer, so that who calls once more at once
// finds the same worker.
func (p *pool) run(w *worker, c *call) {
	for c != nil {
		var r result
		w, r = p.do(w, c)
		done := c
		w, c = p.next(w)
		done.finish(r)
	}
}

// next returns what a slot does next; no call means that it is not needed for now.
func (p *pool) next(w *worker) (*worker, *call) {
	if w != nil && p.outdated(w) {
		p.bury(w)
		w = nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.queue) > 0 {
		c := p.queue[0]
		p.queue = p.queue[1:]
		return w, c
	}
	if w == nil {
		p.slots--
		return nil, nil
	}
	p.idle = append(p.idle, w)
	w.resting = p.service.after(p.service.opt.Idle, func() { p.retire(w) })
	return nil, nil
}

// outdated says whether a worker is not to be used again.
func (p *pool) outdated(w *worker) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return w.rev != p.rev || p.closed != nil || w.dead()
}

// retire ends a worker that was idle for long, unless it was just given a call.
func (p *pool) retire(w *worker) {
	p.mu.Lock()
	for i, other := range p.idle {
		if other == w {
			p.idle = append(p.idle[:i], p.idle[i+1:]...)
			p.slots--
			p.mu.Unlock()
			p.bury(w)
			return
		}
	}
	p.mu.Unlock()
}

// start starts a worker of the newest revision, on a slot that the caller holds.
func (p *pool) start() (*worker, error) {
	p.mu.Lock()
	rev, err := p.rev, p.closed
	p.users[rev.codeName]++
	p.mu.Unlock()
	if err != nil {
		p.release(rev)
		return nil, err
	}
	w, err := startWorker(p.service, rev)
	if err != nil {
		p.release(rev)
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.alive[w] = true
	if p.closed != nil {
		w.process.kill() // close did not see it; whoever waits for it does now
	}
	return w, nil
}

// bury ends a worker and forgets it.
func (p *pool) bury(w *worker) {
	w.end()
	p.mu.Lock()
	delete(p.alive, w)
	p.mu.Unlock()
	p.release(w.rev)
}

// release gives up a use of a revision's code, and removes code that is of no use any more.
func (p *pool) release(rev *revision) {
	p.mu.Lock()
	p.users[rev.codeName]--
	unused := p.users[rev.codeName] == 0
	if unused {
		delete(p.users, rev.codeName)
	}
	unused = unused && rev.codeName != p.rev.codeName
	p.mu.Unlock()
	if unused {
		p.remove(rev)
	}
}

func (p *pool) remove(rev *revision) {
	if err := p.service.folder.removeCode(p.name, rev.codeName); err != nil {
		p.service.opt.Logger.Warn("old code of a function stays", "function", p.name, "path", rev.code, "error", err)
	}
}

// change has new workers run another revision. Workers of the former one end when they are
// idle.
func (p *pool) change(rev *revision) {
	p.mu.Lock()
	old := p.rev
	unused := p.users[old.codeName] == 0 && old.codeName != rev.codeName
	p.rev = rev
	idle := p.takeIdle()
	p.mu.Unlock()
	for _, w := range idle {
		p.bury(w)
	}
	if unused {
		p.remove(old)
	}
}

// limit reserves calls, or with nil does not.
func (p *pool) limit(reserve *int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reserve = reserve
}

// takeIdle takes all idle workers out of the pool. mu is held.
func (p *pool) takeIdle() []*worker {
	idle := p.idle
	p.idle = nil
	p.slots -= len(idle)
	for _, w := range idle {
		w.resting()
	}
	return idle
}

// close ends all workers. Calls under way and those that wait are told why.
func (p *pool) close(why error) {
	p.mu.Lock()
	p.closed = why
	idle, queue := p.takeIdle(), p.queue
	p.queue = nil
	for w := range p.alive {
		w.process.kill()
	}
	p.mu.Unlock()
	for _, c := range queue {
		c.finish(result{err: why})
	}
	for _, w := range idle {
		p.bury(w)
	}
}

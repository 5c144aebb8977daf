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

// pool is the workers of one version of a function. A slot is the right to have a worker;
// whoever does a call holds one, and an idle worker does.
type pool struct {
	service *Service
	name    string
	version string
	shelf   *shelf // of the function, as is share
	share   *share

	mu     sync.Mutex
	rev    *revision        // what new workers run
	slots  int              // in use
	idle   []*worker        // the last used last, so that those not needed grow old
	alive  map[*worker]bool // all of them
	queue  []*call          // that found no slot, in order
	closed error            // what calls are told when there is no more pool
}

// newPool makes the pool of a version, which needs its code from now on.
func newPool(s *Service, rev *revision, sh *shelf, of *share) *pool {
	sh.hold(rev.codeName)
	return &pool{
		service: s, name: rev.config.FunctionName, version: rev.config.Version, rev: rev, shelf: sh, share: of,
		alive: make(map[*worker]bool),
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
	if len(p.idle) == 0 && p.slots >= p.service.opt.MaxWorkers {
		return p.line(c)
	}
	if !p.share.take() {
		return fmt.Errorf("%w: %s", ErrReserved, p.name)
	}
	if n := len(p.idle); n > 0 {
		w := p.idle[n-1]
		p.idle = p.idle[:n-1]
		w.resting()
		p.service.running.Go(func() { p.run(w, c) })
		return nil
	}
	p.slots++
	p.service.running.Go(func() { p.run(nil, c) })
	return nil
}

// line has a call wait for a slot. That one brings its share with it. mu is held.
func (p *pool) line(c *call) error {
	switch {
	case p.share.used():
		return fmt.Errorf("%w: %s", ErrReserved, p.name)
	case len(p.queue) >= maxQueue:
		return fmt.Errorf("%w: %s", ErrBusy, p.name)
	}
	p.queue = append(p.queue, c)
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
	p.share.give()
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
	if err == nil {
		p.shelf.hold(rev.codeName)
	}
	p.mu.Unlock()
	if err != nil {
		return nil, err
	}
	w, err := startWorker(p.service, rev)
	if err != nil {
		p.shelf.release(rev.codeName)
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
	p.shelf.release(w.rev.codeName)
}

// change has new workers run another revision. Workers of the former one end when they are
// idle.
func (p *pool) change(rev *revision) {
	p.shelf.hold(rev.codeName)
	p.mu.Lock()
	old := p.rev
	p.rev = rev
	idle := p.takeIdle()
	p.mu.Unlock()
	for _, w := range idle {
		p.bury(w)
	}
	p.shelf.release(old.codeName)
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

// drop closes the pool of a version that is deleted, and gives up its code.
func (p *pool) drop(why error) {
	p.close(why)
	p.shelf.release(p.rev.codeName)
}

package lambda

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"
)

// Limits of calls that nobody waits for, and when they are tried again (spec neighbours.md
// 2.1).
const (
	maxEventPayload = 1 << 20   // bytes, as on AWS today
	maxEvents       = 10_000    // of a function
	maxEventBytes   = 256 << 20 // of a function, on disk

	// A function that fails on an event gets it again after a minute, and after two more.
	firstRetry = time.Minute
	// What cannot be begun, as there are too many calls, is tried again ever more slowly.
	firstBackOff, lastBackOff = time.Second, 5 * time.Minute

	// resumeAfter is when the events of a former life begin: once what functions need is there.
	resumeAfter = 5 * time.Second
)

// events are the calls of one function that nobody waits for. They are on disk from before
// they are accepted until they are done, so each is done at least once, also when the
// process ends in between. In memory there is little of an event until its turn comes.
type events struct {
	service *Service
	name    string
	files   eventFiles

	writing sync.RWMutex // held for reading while a file is written, so that close can wait

	mu      sync.Mutex
	ready   []*event // in order
	runners int      // goroutines that do events
	count   int      // of events, those that wait for another try too
	bytes   int64    // of their files
	closed  bool
}

func newEvents(s *Service, name string) *events {
	return &events{service: s, name: name, files: eventFiles{s.folder.disk, filepath.Join(s.folder.path, name, eventsName)}}
}

// load takes up what a former life has left.
func (q *events) load() {
	log := q.service.opt.Logger
	found, err := q.files.read(func(path string, err error) {
		log.Error("an asynchronous call is not done: its file is damaged", "function", q.name, "path", path, "error", err)
	})
	if err != nil {
		log.Error("asynchronous calls are not done until the next start", "function", q.name, "error", err)
		return
	}
	for _, e := range found {
		q.count++
		q.bytes += e.size
	}
	if len(found) == 0 {
		return
	}
	log.Info("asynchronous calls go on", "function", q.name, "calls", len(found))
	q.service.after(resumeAfter, func() {
		for _, e := range found {
			q.push(e)
		}
	})
}

// enqueue has a call done by and by. When it returns, the call is on disk.
func (s *Service) enqueue(t target, c *call) error {
	d, err := s.resolve(t)
	if err != nil {
		return err
	}
	if len(c.payload) > maxEventPayload {
		return fmt.Errorf("%w: %d byte payload is too large for the Event invocation type (limit %d bytes)", ErrTooLarge, len(c.payload), maxEventPayload)
	}
	if c.trace == "" {
		c.trace = newTrace(s.opt.Now())
	}
	return d.function.events.accept(&event{
		ID: c.id, Qualifier: t.qualifier, Accepted: s.opt.Now().UTC(),
		Trace: c.trace, ClientContext: c.clientContext, Tenant: c.tenant, file: nonce() + nonce() + eventEnding,
	}, c.payload)
}

// accept stores an event and has it done.
func (q *events) accept(e *event, payload []byte) error {
	q.writing.RLock()
	defer q.writing.RUnlock()
	most := int64(len(payload) + maxHead)
	q.mu.Lock()
	switch {
	case q.closed:
		q.mu.Unlock()
		return fmt.Errorf("%w: %s", ErrClosed, q.name)
	case q.count >= maxEvents || q.bytes+most > maxEventBytes:
		q.mu.Unlock()
		return fmt.Errorf("%w: %s", ErrBacklog, q.name)
	}
	q.count++
	q.bytes += most
	q.mu.Unlock()
	if err := q.files.write(e, payload); err != nil {
		q.forget(most)
		return err
	}
	q.mu.Lock()
	q.bytes += e.size - most
	q.mu.Unlock()
	q.push(e)
	return nil
}

// forget takes an event out of the count.
func (q *events) forget(bytes int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.count--
	q.bytes -= bytes
}

// push has an event done as soon as there is a runner for it.
func (q *events) push(e *event) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return // the file stays for the next life
	}
	q.ready = append(q.ready, e)
	if q.runners < q.service.opt.MaxWorkers {
		q.runners++
		q.service.running.Go(q.run)
	}
}

// run does events until none is ready.
func (q *events) run() {
	for {
		q.mu.Lock()
		if q.closed || len(q.ready) == 0 {
			q.runners--
			q.mu.Unlock()
			return
		}
		e := q.ready[0]
		q.ready = q.ready[1:]
		q.mu.Unlock()
		q.attempt(e)
	}
}

// attempt calls the function once, and sees to what comes of it.
func (q *events) attempt(e *event) {
	s := q.service
	f, err := s.find(target{name: q.name})
	if err != nil || f.events != q {
		return // deleted, and the file with it; or closed, and the file stays
	}
	c := f.eventConfig(e.Qualifier)
	if age := s.opt.Now().Sub(e.Accepted); age > c.age() {
		q.giveUp(e, "it is too old", nil)
		return
	}
	payload, err := q.files.payload(e)
	if err != nil {
		s.opt.Logger.Error("an asynchronous call is not done: its file cannot be read",
			"function", q.name, "request", e.ID, "path", filepath.Join(q.files.path, e.file), "error", err)
		q.forget(e.size)
		return
	}
	a, err := s.invoke(context.Background(), target{q.name, e.Qualifier}, &call{
		id: e.ID, trace: e.Trace, clientContext: e.ClientContext, tenant: e.Tenant, payload: payload,
	})
	switch {
	case err == nil && a.FunctionError == "":
		q.done(e)
	case err == nil:
		q.failed(e, c, a, payload)
	case errors.Is(err, ErrClosed):
	case errors.Is(err, ErrNotFound):
		q.giveUp(e, "there is no such version any more", err)
	default:
		q.postpone(e, err)
	}
}

// failed has an event tried again on which the function has failed, unless that was often
// enough.
func (q *events) failed(e *event, c eventConfig, a Answer, payload []byte) {
	e.Failures++
	e.throttles = 0
	if e.Failures > c.retries() {
		q.giveUp(e, "the function has failed on it", fmt.Errorf("%.300s", a.Payload))
		return
	}
	q.note(e, payload)
	q.again(e, firstRetry<<(e.Failures-1))
}

// note writes down how often an event has failed. If that fails, another life will only
// try more often than it has to.
func (q *events) note(e *event, payload []byte) {
	q.writing.RLock()
	defer q.writing.RUnlock()
	q.mu.Lock()
	closed := q.closed
	q.mu.Unlock()
	if closed {
		return
	}
	before := e.size
	if err := q.files.write(e, payload); err != nil {
		q.service.opt.Logger.Warn("retries of an asynchronous call are not counted", "function", q.name, "request", e.ID, "error", err)
		return
	}
	q.mu.Lock()
	q.bytes += e.size - before
	q.mu.Unlock()
}

// postpone has an event tried again that could not be begun.
func (q *events) postpone(e *event, why error) {
	pause := lastBackOff
	if e.throttles < 9 {
		pause = min(firstBackOff<<e.throttles, lastBackOff)
	}
	e.throttles++
	q.service.opt.Logger.Debug("an asynchronous call waits", "function", q.name, "request", e.ID, "pause", pause, "error", why)
	q.again(e, pause)
}

// again has an event ready after a while.
func (q *events) again(e *event, pause time.Duration) {
	q.service.after(pause, func() { q.push(e) })
}

// giveUp drops an event.
func (q *events) giveUp(e *event, why string, err error) {
	q.service.opt.Logger.Warn("an asynchronous call was given up: "+why, "function", q.name, "qualifier", e.Qualifier,
		"request", e.ID, "accepted", e.Accepted, "failures", e.Failures, "error", err)
	q.done(e)
}

// done forgets an event.
func (q *events) done(e *event) {
	if err := q.files.remove(e); err != nil {
		q.service.opt.Logger.Warn("an asynchronous call may be done once more: its file stays", "function", q.name, "request", e.ID, "error", err)
	}
	q.forget(e.size)
}

// close lets no event begin any more, and returns when none is being written.
func (q *events) close() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	q.writing.Lock()
	defer q.writing.Unlock()
}

// left is how many events the next life will find.
func (q *events) left() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.count
}

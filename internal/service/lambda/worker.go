package lambda

import (
	"errors"
	"fmt"
	"math"
	"os"
	"strings"
	"time"
)

// worker is one process of a function and what belongs to it. One goroutine at a time uses
// it, that of its call or of its pool.
type worker struct {
	rev     *revision
	service *Service
	api     *runtimeAPI
	process *process
	out     *output
	scratch string
	memory  *watch
	start   time.Time
	init    time.Duration // how long its init took; 0 once a call has told
	allowed time.Time     // when it was last given CPU time
	resting func() bool   // stops the timer that ends it when idle; nil while it works
}

// startWorker starts a process for a revision. Its init is not awaited. An error that wraps
// errEntry is the function's own fault.
func startWorker(s *Service, rev *revision) (_ *worker, err error) {
	c := &rev.config
	w := &worker{rev: rev, service: s, start: s.opt.Now()}
	path, args, err := command(c, rev.code)
	if err != nil {
		return nil, err
	}
	if w.scratch, err = s.folder.scratch(c.FunctionName); err != nil {
		return nil, fmt.Errorf("make a scratch folder: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(w.scratch))
		}
	}()
	if w.api, err = newRuntimeAPI(); err != nil {
		return nil, err
	}
	stream := streamName(w.start, c.Version)
	if w.out, err = newOutput(s.opt.Now, s.keeper(c.LoggingConfig.LogGroup, stream), s.running.Go); err != nil {
		return nil, errors.Join(err, w.api.listener.Close())
	}
	mark := s.folder.newMark()
	w.process, err = startProcess(launch{
		path: path, args: args, dir: rev.code, output: w.out.write, mark: mark,
		env:  environment(c, place{rev.code, w.scratch, w.api.address, s.opt.Region, stream, mark}, s.session(c)),
		cage: s.cage(c, rev.code, w.scratch),
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%w: %w", errEntry, err), w.api.listener.Close(), w.out.close())
	}
	w.memory = newWatch(w.process, uint64(c.MemorySize)<<20)
	s.running.Go(w.tend)
	return w, nil
}

// tend serves the process for as long as it lives.
func (w *worker) tend() {
	go func() {
		if err := w.api.serve(); err != nil {
			w.service.opt.Logger.Error("function's process lost its Runtime API", "function", w.rev.config.FunctionName, "error", err)
			w.process.kill()
		}
	}()
	w.memory.run()
	<-w.process.exited
	if err := w.api.close(); err != nil {
		w.service.opt.Logger.Debug("Runtime API closed badly", "error", err)
	}
	if err := os.RemoveAll(w.scratch); err != nil {
		w.service.opt.Logger.Warn("scratch folder of a function stays", "path", w.scratch, "error", err)
	}
}

// end kills the process and returns when nothing of it is left but its lines, which are
// being stored.
func (w *worker) end() {
	w.process.kill()
	<-w.process.exited
	w.out.catchUp()
	if err := w.out.close(); err != nil {
		w.service.opt.Logger.Debug("output of a function closed badly", "error", err)
	}
}

// dead says whether the process has ended by itself.
func (w *worker) dead() bool {
	select {
	case <-w.process.exited:
		return true
	default:
		return false
	}
}

// awaitInit returns when the process has asked for its first call, or tells why it will not.
func (w *worker) awaitInit(expired <-chan struct{}) error {
	select {
	case <-w.api.ready:
	case <-w.process.exited:
	case <-expired:
		return errSlowInit
	}
	if body, said := w.api.initFailure(); said {
		return &initError{body}
	}
	select {
	case <-w.api.ready:
		w.init = w.service.opt.Now().Sub(w.start)
		return nil
	default:
		return errExited
	}
}

// work hands a call to the process and waits until that is done with it, has ended, or has
// no time left. taken is false if the process ended before it had seen the call.
func (w *worker) work(c *call, expired <-chan struct{}) (_ Answer, taken bool) {
	w.allowCPU()
	t := &turn{call: c, deadline: w.service.opt.Now().Add(w.rev.config.limit()), done: make(chan struct{})}
	select {
	case w.api.turns <- t:
	case <-w.process.exited:
		return failed(exited(c.id, w.how())), false
	case <-expired:
		return w.late(c), true
	}
	select {
	case <-t.done:
	case <-w.process.exited:
		if _, _, ok := w.api.outcome(t); !ok {
			return failed(exited(c.id, w.how())), true
		}
	case <-expired:
		return w.late(c), true
	}
	body, bad, _ := w.api.outcome(t)
	if bad {
		return failed(body), true
	}
	return Answer{Payload: body}, true
}

// late ends the process whose call took too long.
func (w *worker) late(c *call) Answer {
	w.process.kill()
	<-w.process.exited
	now, limit := w.service.opt.Now(), w.rev.config.limit()
	w.out.add(timeoutLine(c.id, now, limit))
	return failed(timedOut(c.id, now, limit))
}

// how tells in what way the process has ended.
func (w *worker) how() string {
	if w.memory.exceeded() {
		w.out.add(fmt.Sprintf("Memory of %d MB exceeded", w.rev.config.MemorySize))
	}
	return w.process.how
}

// cpuShare is how much memory, MB, comes with each CPU on AWS.
const cpuShare = 1769

// allowCPU gives the process the CPU time that a call may use: all of its time on as many
// CPUs as come with its memory. What it was given less than a second ago holds on, so that
// short calls do not cost more than they are.
func (w *worker) allowCPU() {
	now := w.service.opt.Now()
	if now.Sub(w.allowed) < time.Second {
		return
	}
	w.allowed = now
	c := &w.rev.config
	cpus := math.Ceil(float64(c.MemorySize) / cpuShare)
	if err := w.process.limitCPU(uint64(c.Timeout+1)*uint64(cpus) + 1); err != nil {
		w.service.opt.Logger.Warn("CPU time of a function is not limited", "function", c.FunctionName, "error", err)
	}
}

// report writes the line that ends a call's log.
func (w *worker) report(c *call, took time.Duration) {
	ms := float64(took) / float64(time.Millisecond)
	var b strings.Builder
	fmt.Fprintf(&b, "REPORT RequestId: %s\tDuration: %.2f ms\tBilled Duration: %.0f ms\tMemory Size: %d MB\tMax Memory Used: %d MB\t",
		c.id, ms, math.Ceil(ms), w.rev.config.MemorySize, (w.memory.peak()+1<<20-1)>>20)
	if w.init > 0 {
		fmt.Fprintf(&b, "Init Duration: %.2f ms\t", float64(w.init)/float64(time.Millisecond))
		w.init = 0
	}
	w.out.add(b.String())
}

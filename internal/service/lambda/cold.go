package lambda

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// initLimit is how long a process may take until it asks for its first call (spec
// neighbours.md 2.4).
const initLimit = 10 * time.Second

// Reasons why a process does not come to its first call.
var (
	errSlowInit = errors.New("init takes too long")
	errExited   = errors.New("process ended during init")
)

// initError is what a process says when it cannot start.
type initError struct{ body []byte }

// Error gives the text.
func (e *initError) Error() string { return "init failed: " + string(e.body) }

// do does a call, and returns the worker that is left for the next one, if any. The worker
// may be missing, or have ended while it was idle; then another is started.
func (p *pool) do(w *worker, c *call) (*worker, result) {
	if w != nil {
		if w, r, done := p.warm(w, c); done {
			return w, r
		}
	}
	return p.cold(c)
}

// warm does a call on a worker that did others before. If the process turns out to have
// ended before it saw the call, that is not done.
func (p *pool) warm(w *worker, c *call) (_ *worker, _ result, done bool) {
	if w.dead() {
		p.bury(w)
		return nil, result{}, false
	}
	expired, stop := p.service.expire(w.rev.config.limit())
	defer stop()
	begin := p.begin(w, c)
	answer, taken := w.work(c, expired)
	if !taken {
		p.bury(w)
		return nil, result{}, false
	}
	w, r := p.end(w, c, answer, begin)
	return w, r, true
}

// cold does a call on a new worker.
func (p *pool) cold(c *call) (*worker, result) {
	w, err := p.start()
	if err != nil {
		return nil, p.unstarted(c, err)
	}
	slow, stopSlow := p.service.expire(initLimit)
	err = w.awaitInit(slow)
	stopSlow()
	if errors.Is(err, errSlowInit) { // once more, in the call's own time
		p.bury(w)
		if w, err = p.start(); err != nil {
			return nil, p.unstarted(c, err)
		}
		err = errSlowInit
	}
	expired, stop := p.service.expire(w.rev.config.limit())
	defer stop()
	begin := p.begin(w, c)
	if errors.Is(err, errSlowInit) {
		err = w.awaitInit(expired)
	}
	var answer Answer
	if err == nil {
		answer, _ = w.work(c, expired)
	} else {
		answer = p.stillborn(w, c, err)
	}
	return p.end(w, c, answer, begin)
}

// begin opens the log of a call.
func (p *pool) begin(w *worker, c *call) time.Time {
	w.out.begin()
	w.out.add("START RequestId: " + c.id + " Version: " + p.version)
	return p.service.opt.Now()
}

// end closes the log of a call. It returns the worker if that can do another one.
func (p *pool) end(w *worker, c *call, answer Answer, begin time.Time) (*worker, result) {
	took := p.service.opt.Now().Sub(begin)
	w.out.catchUp()
	w.out.add("END RequestId: " + c.id)
	w.report(c, took)
	answer.Version, answer.Log = p.version, w.out.end()
	if p.outdated(w) {
		p.bury(w)
		w = nil
	}
	return w, p.result(answer)
}

// result makes a result of an answer. A failure in a pool that is being closed is our doing,
// not the function's.
func (p *pool) result(answer Answer) result {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed != nil && answer.FunctionError != "" {
		return result{err: p.closed}
	}
	return result{answer: answer}
}

// unstarted answers a call for which no process could be started.
func (p *pool) unstarted(c *call, err error) result {
	if !errors.Is(err, errEntry) {
		return result{err: fmt.Errorf("start a worker of %s: %w", p.name, err)}
	}
	answer := failed(noEntry(c.id, err))
	answer.Version = p.version
	return p.result(answer)
}

// stillborn answers a call whose process did not come through its init, and ends the process.
func (p *pool) stillborn(w *worker, c *call, err error) Answer {
	var said *initError
	if errors.As(err, &said) {
		w.process.kill()
		<-w.process.exited
		return failed(said.body)
	}
	if errors.Is(err, errSlowInit) {
		return w.late(c)
	}
	how := w.how()
	if missing := missingClient(&w.rev.config, w.rev.code); missing != nil {
		return failed(noEntry(c.id, missing))
	}
	return failed(exited(c.id, how))
}

// missingClient says whether a Python process ended because there is no runtime interface
// client, which only Python can tell. It is asked in isolation from the code, which is not
// to run outside of its cage.
func missingClient(c *Configuration, code string) error {
	if !strings.HasPrefix(c.Runtime, "python") {
		return nil
	}
	if _, err := os.Stat(filepath.Join(code, "awslambdaric")); err == nil {
		return nil
	}
	python, err := find("python3")
	if err != nil {
		return err
	}
	probe := exec.Command(python, "-I", "-c", "import importlib.util as u, sys; sys.exit(u.find_spec('awslambdaric') is None)")
	probe.Dir, probe.Env = "/", []string{"PATH=" + searchPath}
	if err := probe.Run(); err != nil {
		return fmt.Errorf("%w: runtime %s needs Python's package awslambdaric on this machine or in the code", errEntry, c.Runtime)
	}
	return nil
}

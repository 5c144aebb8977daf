package lambda

import (
	"os"
	"os/exec"
	"runtime"
	"sync"
)

// launch is what a process is started from.
type launch struct {
	path   string
	args   []string // behind the path
	dir    string
	env    []string
	output *os.File // gets stdout and stderr
	mark   string   // is in env; all that the process starts inherits it
	cage   cage
}

// cage is what a process is held in.
type cage struct {
	// readable may be read and executed, writable be changed too. Everything else of the
	// disk is out of reach, where the kernel knows Landlock; see confine.
	readable, writable []string

	memory uint64
	slack  uint64 // bytes of address space with data beside memory
	file   uint64 // largest file it may write, bytes
}

// process is a running child with all that it has started.
type process struct {
	pid    int
	mark   string
	exited chan struct{} // closed when it has ended and all it started was killed
	how    string        // it ended; empty for exit status 0. To be read after exited.

	mu   sync.Mutex
	gone bool // the number is, or may soon be, another's
}

// kill ends the process and all that descends from it at once. AWS gives functions without extensions no
// time to say goodbye either.
func (p *process) kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.gone {
		killFamily(p.pid)
	}
}

// last ends what the process has left behind in its group, when it has ended itself.
func (p *process) last() {
	p.mu.Lock()
	defer p.mu.Unlock()
	killGroup(p.pid)
	p.gone = true
}

// startProcess starts a process. The goroutine that does so keeps its thread to itself and
// stays until the process has ended: restrictions are the thread's, which the child
// inherits; the kernel kills the child when the thread that started it ends; and a thread
// that was restricted must not be used for anything else, which is why it is never unlocked.
func startProcess(l launch) (*process, error) {
	type started struct {
		p   *process
		err error
	}
	result := make(chan started)
	go func() {
		runtime.LockOSThread()
		cmd := exec.Command(l.path, l.args...)
		cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = l.dir, l.env, l.output, l.output
		cmd.SysProcAttr = inOwnGroup()
		err := confine(&l.cage)
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			result <- started{nil, err}
			return
		}
		p := &process{pid: cmd.Process.Pid, mark: l.mark, exited: make(chan struct{})}
		if err := l.cage.limit(p.pid); err != nil {
			p.kill()
			p.wait(cmd)
			result <- started{nil, err}
			return
		}
		result <- started{p, nil}
		p.wait(cmd)
	}()
	r := <-result
	return r.p, r.err
}

// wait waits for the end of the process, ends what it has left, and tells.
func (p *process) wait(cmd *exec.Cmd) {
	err := reap(p, cmd)
	switch state := cmd.ProcessState; {
	case state == nil:
		p.how = err.Error()
	case !state.Success():
		p.how = state.String()
	}
	close(p.exited)
}

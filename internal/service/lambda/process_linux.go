package lambda

import (
	"errors"
	"fmt"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// inOwnGroup makes a child the leader of a group, so that it can be killed with all that it
// starts, and has the kernel kill it when we die.
func inOwnGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// reap waits for the end of a process, and ends what it has left. Its group is ended while it
// is not reaped yet, and its number therefore not given to another.
func reap(p *process, cmd *exec.Cmd) error {
	for {
		err := unix.Waitid(unix.P_PID, p.pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			break // any other error shows again, and better worded, in Wait
		}
	}
	p.last()
	swept := make(chan struct{})
	go func() { // on another thread: this one is in the cage, and sees what that shows
		defer close(swept)
		endMarked(p.mark)
	}()
	<-swept
	return cmd.Wait()
}

// killFamily kills a process, its group, and all that descends from it. The process must not
// be reaped yet.
func killFamily(pid int) {
	_ = unix.Kill(-pid, unix.SIGSTOP) // whoever is stopped starts nobody; as below, it may fail
	if first, _, ok := identify(pid); ok {
		for _, k := range descendants([]kin{first}) {
			k.signal(unix.SIGKILL)
		}
	}
	killGroup(pid)
}

// killGroup kills a process and those of its group.
func killGroup(pid int) {
	// It fails when they have ended already, which is what is wanted.
	_ = unix.Kill(-pid, unix.SIGKILL)
}

// maxOpenFiles is how many files a function may have open, as on AWS.
const maxOpenFiles = 1024

// limit bounds what the process may use. Address space (RLIMIT_AS) is not among it: Go and
// Node reserve hundreds of times what they touch. RLIMIT_DATA counts what could be written
// to, and is a barrier far out; watch holds the process to its memory.
func (c *cage) limit(pid int) error {
	for _, l := range [...]struct {
		what  int
		value uint64
	}{
		{unix.RLIMIT_DATA, c.memory + c.slack},
		{unix.RLIMIT_FSIZE, c.file},
		{unix.RLIMIT_NOFILE, maxOpenFiles},
		{unix.RLIMIT_CORE, 0},
	} {
		err := unix.Prlimit(pid, l.what, &unix.Rlimit{Cur: l.value, Max: l.value}, nil)
		if err != nil && !errors.Is(err, unix.ESRCH) {
			return fmt.Errorf("limit what the process may use: %w", err)
		}
	}
	return nil
}

// limitCPU lets the process use seconds of CPU time from now on. The kernel counts from its
// start; SIGXCPU ends it then.
func (p *process) limitCPU(seconds uint64) error {
	used, err := cpuSeconds(p.pid)
	if err == nil {
		err = unix.Prlimit(p.pid, unix.RLIMIT_CPU, &unix.Rlimit{Cur: used + seconds, Max: unix.RLIM_INFINITY}, nil)
	}
	if err != nil && !errors.Is(err, unix.ESRCH) {
		return fmt.Errorf("limit the CPU time of the process: %w", err)
	}
	return nil
}

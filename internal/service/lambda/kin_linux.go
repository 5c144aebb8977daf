package lambda

import (
	"bytes"
	"errors"
	"os"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// kin is a process that a worker has started, or that another one of them has. A number may
// be another's as soon as its process has ended, but not together with the time of its start.
type kin struct {
	pid   int
	start uint64 // ticks since the machine's
}

// identify tells of a process who it is, and its parent's number; false if it is gone.
func identify(pid int) (k kin, parent int, ok bool) {
	text, err := proc(pid, "stat")
	if err != nil {
		return kin{}, 0, false
	}
	// The name, in parentheses, may hold anything; the fields behind it are numbers.
	fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
	if len(fields) < 20 {
		return kin{}, 0, false
	}
	parent, err1 := strconv.Atoi(string(fields[1]))
	start, err2 := strconv.ParseUint(string(fields[19]), 10, 64)
	return kin{pid, start}, parent, err1 == nil && err2 == nil
}

// signal sends a signal to a process, and not to another one that has its number meanwhile.
func (k kin) signal(s unix.Signal) {
	// What the descriptor stands for cannot change between the look and the signal. Kernels
	// before 5.3 have none, and some containers forbid it.
	fd, err := unix.PidfdOpen(k.pid, 0)
	if errors.Is(err, unix.ESRCH) {
		return
	}
	if err == nil {
		defer unix.Close(fd)
	}
	if now, _, ok := identify(k.pid); !ok || now != k {
		return
	}
	// That it fails means that the process has ended, which is what is wanted.
	if err == nil {
		_ = unix.PidfdSendSignal(fd, s, nil, 0)
	} else {
		_ = unix.Kill(k.pid, s)
	}
}

// descendants are all that descend from some processes, which are stopped, as those are that
// it finds: whoever is stopped starts nobody.
func descendants(of []kin) []kin {
	found := append([]kin(nil), of...)
	seen := make(map[kin]bool, len(of))
	for _, k := range of {
		seen[k] = true
	}
	for i := 0; i < len(found); i++ {
		for _, pid := range children(found[i].pid) {
			k, parent, ok := identify(pid)
			if ok && parent == found[i].pid && !seen[k] {
				k.signal(unix.SIGSTOP)
				seen[k] = true
				found = append(found, k)
			}
		}
	}
	return found[len(of):]
}

// marked are the processes of our user in whose environment there is an entry that begins so.
// Those that have ended have no environment.
func marked(begin string) []kin {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var found []kin
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		info, err := e.Info()
		if err != nil {
			continue // it has ended
		}
		if s, ok := info.Sys().(*syscall.Stat_t); !ok || int(s.Uid) != os.Geteuid() {
			continue
		}
		// Who it is, is asked first: an environment that is another's then does no harm.
		if k, _, ok := identify(pid); ok && carries(pid, begin) {
			found = append(found, k)
		}
	}
	return found
}

// carries says whether an entry in the environment of a process begins so.
func carries(pid int, begin string) bool {
	text, err := proc(pid, "environ")
	if err != nil || len(begin) <= len(markName)+1 { // no mark is everybody's
		return false
	}
	return bytes.HasPrefix(text, []byte(begin)) || bytes.Contains(text, []byte("\x00"+begin))
}

const (
	// breath is the pause between two looks for processes. One that is about to run another
	// program has no environment for a moment.
	breath = 2 * time.Millisecond
	// maxLooks bounds how often new ones are looked for, should they start others faster
	// than they can be stopped.
	maxLooks = 500
)

// endMarked kills all processes with a mark that begins so, and all that descend from them,
// and returns how many there were.
func endMarked(begin string) int {
	killed := make(map[kin]bool)
	for looks, quiet := 0, 0; quiet < 2 && looks < maxLooks; looks++ {
		found := marked(begin)
		for _, k := range found {
			k.signal(unix.SIGSTOP)
		}
		quiet++
		for _, k := range append(found, descendants(found)...) {
			if !killed[k] {
				killed[k], quiet = true, 0
			}
			k.signal(unix.SIGKILL)
		}
		time.Sleep(breath)
	}
	return len(killed)
}

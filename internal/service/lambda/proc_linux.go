package lambda

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// errProc says that /proc does not have its known form.
var errProc = errors.New("/proc cannot be read")

// ticks is how the kernel counts CPU time in /proc, per second, on all systems there are.
const ticks = 100

var pageSize = uint64(os.Getpagesize())

// cpuSeconds is the CPU time that a process has used, rounded up. A process that is gone has
// used none.
func cpuSeconds(pid int) (uint64, error) {
	text, err := proc(pid, "stat")
	if err != nil || text == nil {
		return 0, err
	}
	// The name, in parentheses, may hold anything; the fields behind it are numbers.
	fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
	if len(fields) < 13 {
		return 0, fmt.Errorf("%w: stat %q", errProc, text)
	}
	user, err1 := strconv.ParseUint(string(fields[11]), 10, 64)
	system, err2 := strconv.ParseUint(string(fields[12]), 10, 64)
	return (user + system + ticks - 1) / ticks, errors.Join(err1, err2)
}

// resident is how much memory a process has, bytes; 0 if it is gone.
func resident(pid int) (uint64, error) {
	text, err := proc(pid, "statm")
	if err != nil || text == nil {
		return 0, err
	}
	fields := bytes.Fields(text)
	if len(fields) < 2 {
		return 0, fmt.Errorf("%w: statm %q", errProc, text)
	}
	pages, err := strconv.ParseUint(string(fields[1]), 10, 64)
	return pages * pageSize, err
}

// family is how much memory a process has together with all that descend from it, bytes.
// Pages that they share count for each, as nobody can tell whose they are.
func family(pid int) (uint64, error) {
	total, err := resident(pid)
	if err != nil || total == 0 {
		return 0, err
	}
	for _, child := range children(pid) {
		more, err := family(child)
		if err != nil {
			return total, err
		}
		total += more
	}
	return total, nil
}

// children are the processes that a process has started. Kernels that do not tell have none.
func children(pid int) []int {
	threads, err := os.ReadDir("/proc/" + strconv.Itoa(pid) + "/task")
	if err != nil {
		return nil
	}
	var pids []int
	for _, thread := range threads {
		text, err := proc(pid, "task/"+thread.Name()+"/children")
		if err != nil {
			return pids
		}
		for _, field := range bytes.Fields(text) {
			if child, err := strconv.Atoi(string(field)); err == nil {
				pids = append(pids, child)
			}
		}
	}
	return pids
}

// proc reads a short file about a process; nil if the process is gone.
func proc(pid int, name string) ([]byte, error) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/" + name)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESRCH) {
		return nil, nil
	}
	return text, err
}

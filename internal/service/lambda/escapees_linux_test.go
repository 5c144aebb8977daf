package lambda

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// escapees are the processes of a function that have told their numbers.
func (w *world) escapees(n int) []int {
	w.t.Helper()
	var pids []int
	for _, line := range w.awaitLines(n, "escapee ") {
		var pid int
		if _, err := fmt.Sscanf(line[strings.Index(line, "escapee "):], "escapee %d", &pid); err != nil {
			w.t.Fatal(err)
		}
		pids = append(pids, pid)
	}
	return pids
}

// ended says whether a process is gone, or only its number is left.
func ended(pid int) bool {
	state, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || strings.Contains(string(state), ") Z ")
}

func (w *world) awaitEnd(pids []int) {
	w.t.Helper()
	for _, pid := range pids {
		w.poll(fmt.Sprintf("process %d is gone", pid), func() bool { return ended(pid) })
	}
}

// Sessions of their own, parents that have ended, and empty environments help no process to
// live longer than its function's.
func TestProcessesInSessionsOfTheirOwnEndWithTheirs(t *testing.T) {
	for name, end := range map[string]func(w *world){
		"timeout":        func(w *world) { w.timers.fire(3 * time.Second) },
		"DeleteFunction": func(w *world) { w.must(http.MethodDelete, root+"/f", nil) },
		"Close":          func(w *world) { w.reopen() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.newFunction("f", "hang with escapees")
			call := w.soon("f", "{}")
			pids := w.escapees(4)
			for _, pid := range pids {
				if ended(pid) {
					t.Fatalf("process %d has ended too early", pid)
				}
			}
			end(w)
			w.await(call)
			w.awaitEnd(pids)
		})
	}
}

func TestACrashEndsProcessesInSessionsOfTheirOwn(t *testing.T) {
	w := newWorld(t)
	w.newFunction("f", "crash with escapees")
	if a := w.invokeNow("f", "{}"); !strings.Contains(string(a.Payload), "exit status 3") {
		t.Errorf("got %s", a.Payload)
	}
	w.awaitEnd(w.escapees(2))
}

// What a node that was killed has left is ended by the next one on its data directory, and
// nothing else is.
func TestLeftoversOfAKilledNodeEndWithTheNextStart(t *testing.T) {
	w, other := newWorld(t), newWorld(t)
	start := func(mark string) *exec.Cmd {
		c := exec.Command("/bin/sleep", "600")
		c.SysProcAttr, c.Env = &syscall.SysProcAttr{Setsid: true}, []string{"A=b", mark, "C=d"}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			_ = c.Process.Kill() // it may be gone, as it should
			_ = c.Wait()
		})
		return c
	}
	left := []*exec.Cmd{start(w.folder.newMark()), start(w.folder.newMark())}
	stay := []*exec.Cmd{start(other.folder.newMark()), start("X" + w.folder.newMark()), start(markName + "=")}
	w.reopen()
	for _, c := range left {
		w.awaitEnd([]int{c.Process.Pid})
	}
	for _, c := range stay {
		if ended(c.Process.Pid) {
			t.Errorf("%q is ended too", c.Env)
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if !strings.Contains(w.log.String(), "processes=2") {
		t.Errorf("the log does not tell: %s", w.log.String())
	}
}

// A number alone is no proof of who it is.
func TestAProcessIsToldFromTheNextOneWithItsNumber(t *testing.T) {
	c := exec.Command("/bin/sleep", "600")
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	k, parent, ok := identify(c.Process.Pid)
	if !ok || parent != os.Getpid() || k.start == 0 {
		t.Fatalf("%+v of %d, %v", k, parent, ok)
	}
	kin{k.pid, k.start - 1}.signal(syscall.SIGKILL)
	if now, _, ok := identify(k.pid); !ok || now != k || ended(k.pid) {
		t.Fatal("an earlier process's signal has reached it")
	}
	k.signal(syscall.SIGKILL)
	if err := c.Wait(); err == nil {
		t.Error("it was not killed")
	}
}

// Without a mark nobody is found: every environment begins with nothing.
func TestNobodyIsFoundWithoutAMark(t *testing.T) {
	for _, begin := range []string{"", "H", markName, markName + "="} {
		if found := marked(begin); len(found) != 0 {
			t.Errorf("%q finds %v", begin, found)
		}
	}
}

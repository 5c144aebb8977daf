package simulation

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// What the environment says. childEnv is set for the processes that the test starts.
const (
	runsEnv  = "HYDRANT_SIM_RUNS"
	seedEnv  = "HYDRANT_SIM_SEED"
	fromEnv  = "HYDRANT_SIM_FROM"
	storyEnv = "HYDRANT_SIM_STORY"
	childEnv = "HYDRANT_SIM_CHILD"
)

// Without HYDRANT_SIM_RUNS the test runs for shortTime or shortRuns seeds, whatever ends
// first. It begins with the same seeds each time.
const (
	shortRuns = 200
	shortTime = 75 * time.Second
	workers   = 2
	// hangs is how long a run may take on a machine that is busy with other things.
	hangs = 8 * time.Minute
)

// TestSimulation runs worlds, each in a process of its own: a run that hangs or ends the
// process shows itself, and none leaves anything to the next.
func TestSimulation(t *testing.T) {
	if os.Getenv(childEnv) != "" {
		simulate(t, number(t, seedEnv, 0))
		return
	}
	runs, bounded := number(t, runsEnv, 0), true
	if runs == 0 {
		runs, bounded = shortRuns, false
	}
	from, step := number(t, fromEnv, 1), uint64(1)
	if os.Getenv(seedEnv) != "" {
		from, step = number(t, seedEnv, 0), 0
		if !bounded {
			runs, bounded = 1, true
		}
	}
	b := &battery{t: t, counts: map[string]int{}, next: from, step: step, left: runs}
	if !bounded {
		b.until = time.Now().Add(shortTime)
	}
	var wg sync.WaitGroup
	for range workers {
		wg.Go(b.work)
	}
	wg.Wait()
	t.Logf("%d runs from seed %d:\n%s", b.done, from, table(b.counts))
}

// battery is runs that are being made.
type battery struct {
	t     *testing.T
	until time.Time

	mu         sync.Mutex
	next, step uint64
	left       uint64
	done       int
	counts     map[string]int
}

func (b *battery) work() {
	for {
		b.mu.Lock()
		over := b.left == 0 || !b.until.IsZero() && time.Now().After(b.until) || b.t.Failed()
		seed := b.next
		b.next += b.step
		if !over {
			b.left--
		}
		b.mu.Unlock()
		if over {
			return
		}
		b.one(seed)
	}
}

// countsMark begins the line in which a child reports its counts.
const countsMark = "simulation counts: "

// one runs a seed in a process of its own.
func (b *battery) one(seed uint64) {
	ctx, cancel := context.WithTimeout(b.t.Context(), hangs)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestSimulation$", "-test.v", "-test.timeout=0")
	cmd.Env = append(os.Environ(), childEnv+"=1", seedEnv+"="+strconv.FormatUint(seed, 10))
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGQUIT) } // it prints its stacks
	cmd.WaitDelay = 10 * time.Second
	out, err := cmd.CombinedOutput()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.done++
	if err != nil {
		b.t.Errorf("seed %d: %v (once more: make sim SEED=%d)\n%s", seed, err, seed, out)
		return
	}
	for line := range strings.Lines(string(out)) {
		if _, counts, ok := strings.Cut(line, countsMark); ok {
			var m map[string]int
			if err := json.Unmarshal([]byte(counts), &m); err != nil {
				b.t.Errorf("seed %d reported %q: %v", seed, line, err)
			}
			for k, n := range m {
				b.counts[k] += n
			}
		}
	}
	if b.step == 0 {
		b.t.Logf("%s", out)
	}
}

// simulate runs one world in this process.
func simulate(t *testing.T, seed uint64) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, seed)
		defer func() {
			if t.Failed() && !w.story.live {
				t.Logf("the story:\n%s", w.story)
			}
		}()
		w.run()
		w.mu.Lock()
		defer w.mu.Unlock()
		for i, f := range w.books.faults {
			if i == 30 {
				t.Errorf("and %d more", len(w.books.faults)-i)
				break
			}
			t.Error(f)
		}
		counts, err := json.Marshal(w.summary())
		if err != nil {
			t.Fatal(err)
		}
		fmt.Printf("%s%s\n", countsMark, counts)
	})
}

// number reads a setting.
func number(t *testing.T, name string, otherwise uint64) uint64 {
	s := os.Getenv(name)
	if s == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

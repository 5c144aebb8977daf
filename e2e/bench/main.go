// Command bench measures Hydrant end to end beside the floor program of e2e/floor, in one
// run and in turns, because absolute times on shared machines mean little. The load comes
// from a process of its own (e2e/load) and is not counted.
//
//   - Case: a store, a kind of put and a number of connections.
//   - Contender: who serves the case: hydrant, or the floor with one of its stores.
//   - Cost: user and system CPU time of every process that serves, the store's included,
//     from before the load until everything is delivered, without what they use idling.
//
// What is compared with what:
//
//	store      hydrant                            floor                            floor-files
//	built-in   one process, store in it           floor and a hydrant as its       floor alone, objects
//	                                              store, over HTTP                 as synced files
//	endpoint   node and a hydrant as its          floor and a hydrant as its
//	           store, over HTTP                   store, over HTTP
//
// Every run starts with empty folders and new processes.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

type options struct {
	bytes, records int64 // put in a batch case, in a single case
	interval       int   // of the stream, seconds
	quick, profile bool
	dir, json      string
}

func parseFlags() options {
	var o options
	flag.Int64Var(&o.bytes, "bytes", 1_500_000_000, "record bytes of a batch case")
	flag.Int64Var(&o.records, "records", 400_000, "records of a single case")
	flag.IntVar(&o.interval, "interval", 10, "the stream's buffering interval in seconds: how long the last object waits")
	flag.BoolVar(&o.quick, "quick", false, "a tenth of the load: a rough idea in a few minutes")
	flag.BoolVar(&o.profile, "profile", true, "run twice more under a profiler and tell the CPU time by stage")
	flag.StringVar(&o.dir, "dir", "", "folder for data and logs, on the disk to measure; default a temporary one")
	flag.StringVar(&o.json, "json", "", "file for all results as JSON")
	flag.Parse()
	if o.quick {
		o.bytes, o.records, o.interval = o.bytes/10, o.records/10, 2
	}
	return o
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, parseFlags()); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// A testCase is one row of the comparison.
type testCase struct {
	Store       string `json:"store"` // built-in or endpoint
	Mode        string `json:"mode"`  // batch or single
	Connections int    `json:"connections"`
}

func cases() []testCase {
	var all []testCase
	for _, store := range []string{"built-in", "endpoint"} {
		for _, mode := range []string{"batch", "single"} {
			for _, connections := range []int{16, 64} {
				all = append(all, testCase{store, mode, connections})
			}
		}
	}
	return all
}

func run(ctx context.Context, o options) (err error) {
	dir := o.dir
	if dir == "" {
		if dir, err = os.MkdirTemp("", "hydrant-bench-"); err != nil {
			return fmt.Errorf("folder for the run: %w", err)
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	}
	b := &bench{options: o, bin: filepath.Join(dir, "bin"), dir: dir}
	if err := b.build(ctx); err != nil {
		return err
	}
	var results []result
	for _, c := range cases() {
		rows, err := b.compare(ctx, c)
		if err != nil {
			return fmt.Errorf("%s, %s, %d connections: %w", c.Store, c.Mode, c.Connections, err)
		}
		if err := printRows(os.Stdout, rows, len(results) == 0); err != nil {
			return err
		}
		results = append(results, rows...)
	}
	if o.profile {
		if err := b.profiles(ctx); err != nil {
			return err
		}
	}
	return save(o.json, results)
}

// save writes the results for other programs, if a file was named.
func save(path string, results []result) error {
	if path == "" {
		return nil
	}
	text, err := json.Marshal(results, jsontext.WithIndent("  "))
	if err != nil {
		return fmt.Errorf("writing the results: %w", err)
	}
	if err := os.WriteFile(path, append(text, '\n'), 0o644); err != nil {
		return fmt.Errorf("writing the results: %w", err)
	}
	return nil
}

// A bench is the place where runs happen.
type bench struct {
	options
	bin string // folder of the programs
	dir string // folder of the runs
	run int    // number of the last run
}

// build makes the programs as they are shipped.
func (b *bench) build(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", b.bin+string(filepath.Separator),
		"./cmd/hydrant", "./e2e/floor", "./e2e/load")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building: %w\n%s", err, out)
	}
	return nil
}

// folder makes an empty folder for a process of the current run.
func (b *bench) folder(name string) (string, error) {
	path := filepath.Join(b.dir, fmt.Sprintf("run-%02d", b.run), name)
	if err := os.MkdirAll(path, 0o700); err != nil {
		return "", fmt.Errorf("folder for %s: %w", name, err)
	}
	return path, nil
}

// compare runs a case with all contenders, one after the other. The folders of a run are
// removed after it, so that the disk holds one at a time.
func (b *bench) compare(ctx context.Context, c testCase) ([]result, error) {
	contenders := []contender{{"floor", b.serveFloor}, {"hydrant", b.serveHydrant}}
	if c.Store == "built-in" {
		contenders = append([]contender{{"floor-files", b.serveFloorFiles}}, contenders...)
	}
	var rows []result
	for _, who := range contenders {
		b.run++
		r, err := b.measure(ctx, c, who)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", who.name, err)
		}
		rows = append(rows, r)
		if err := os.RemoveAll(filepath.Join(b.dir, fmt.Sprintf("run-%02d", b.run))); err != nil {
			return nil, fmt.Errorf("cleaning up: %w", err)
		}
	}
	return rows, nil
}

// runTimeout is far longer than any run takes; it ends one that hangs.
const runTimeout = 20 * time.Minute

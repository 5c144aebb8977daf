package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// A stage is a part of the work, named as people ask for it.
type stage string

const (
	stageHTTP     stage = "http"
	stageSign     stage = "read, verify"
	stageParse    stage = "parse, answer"
	stageIngest   stage = "ingest"
	stageCompress stage = "compress"
	stageJournal  stage = "journal"
	stageDeliver  stage = "deliver, upload"
	stageStore    stage = "store"
	stageRuntime  stage = "runtime, gc"
)

// stageOrder is how they are printed: the way of a record.
var stageOrder = []stage{stageHTTP, stageSign, stageParse, stageIngest, stageCompress, stageJournal, stageDeliver, stageStore, stageRuntime}

// stageRules say which stage a function belongs to, by the start of its full name. A
// sample counts for the innermost function that has a rule, so that hashing counts for
// whoever had something hashed.
var stageRules = []struct {
	prefix string
	stage  stage
}{
	{"hydrant/internal/aws", stageSign},
	{"hydrant/internal/identity", stageSign},
	{"hydrant/internal/firehose", stageParse},
	{"hydrant/internal/registry", stageParse},
	{"github.com/segmentio/asm", stageParse},
	{"hydrant/internal/ingest", stageIngest},
	{"hydrant/internal/encode", stageCompress},
	{"github.com/klauspost/compress", stageCompress},
	{"hydrant/internal/journal", stageJournal},
	{"github.com/cockroachdb/", stageJournal},
	{"hydrant/internal/deliver", stageDeliver},
	{"hydrant/internal/batch", stageDeliver},
	{"hydrant/internal/dest", stageDeliver},
	{"github.com/aws/", stageDeliver},
	{"net/http.(*persistConn)", stageDeliver}, // the client's side of a connection
	{"net/http.(*Transport)", stageDeliver},
	{"hydrant/internal/service/s3", stageStore},
	{"hydrant/internal/durable", stageStore},
	{"net/http.", stageHTTP},
}

// stageOf finds the stage of a stack, innermost function first. Stacks that end in the
// runtime alone (collection, scheduling) belong to it.
func stageOf(stack []string) stage {
	for _, function := range stack {
		for _, rule := range stageRules {
			if strings.HasPrefix(function, rule.prefix) {
				return rule.stage
			}
		}
	}
	return stageRuntime
}

// parseTraces adds up the output of go tool pprof -traces by stage. A sample there is a
// block between dashed lines: its value before the innermost function, callers below.
func parseTraces(in io.Reader) (map[stage]time.Duration, error) {
	times := map[stage]time.Duration{}
	var value time.Duration
	var stack []string
	add := func() {
		if len(stack) > 0 {
			times[stageOf(stack)] += value
		}
		value, stack = 0, nil
	}
	lines := bufio.NewScanner(in)
	inBlocks := false
	for lines.Scan() {
		line := lines.Text()
		if strings.HasPrefix(line, "-----------+") {
			add()
			inBlocks = true
			continue
		}
		fields := strings.Fields(line)
		if !inBlocks || len(fields) == 0 {
			continue
		}
		if len(stack) == 0 {
			v, err := time.ParseDuration(fields[0])
			if err != nil {
				continue // a label of the sample
			}
			value, fields = v, fields[1:]
		}
		stack = append(stack, strings.Join(fields, " "))
	}
	add()
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("reading traces: %w", err)
	}
	return times, nil
}

// profiles runs hydrant under a profiler, with batches and with singles, and prints where
// the time went.
func (b *bench) profiles(ctx context.Context) error {
	for _, c := range []testCase{{"built-in", "batch", 16}, {"built-in", "single", 64}} {
		b.run++
		file := filepath.Join(b.dir, fmt.Sprintf("cpu-%s.pprof", c.Mode))
		serve := func(ctx context.Context, c testCase) (*service, error) {
			return b.serveNode(ctx, c, "HYDRANT_CPUPROFILE="+file)
		}
		r, err := b.measure(ctx, c, contender{"hydrant", serve})
		if err != nil {
			return fmt.Errorf("run for the profile: %w", err)
		}
		times, err := b.traces(ctx, file)
		if err != nil {
			return err
		}
		if err := printStages(os.Stdout, r, times); err != nil {
			return err
		}
	}
	return nil
}

// traces has pprof print a profile and adds it up.
func (b *bench) traces(ctx context.Context, file string) (map[stage]time.Duration, error) {
	cmd := exec.CommandContext(ctx, "go", "tool", "pprof", "-traces", filepath.Join(b.bin, "hydrant"), file)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return nil, fmt.Errorf("go tool pprof: %w", err)
	}
	times, err := parseTraces(out)
	if err := errors.Join(err, cmd.Wait()); err != nil {
		return nil, fmt.Errorf("go tool pprof: %w", err)
	}
	return times, nil
}

// printStages shares the measured cost out among the stages as the profile has them.
func printStages(to io.Writer, r result, times map[stage]time.Duration) error {
	var total time.Duration
	for _, t := range times {
		total += t
	}
	if total == 0 {
		return errors.New("the profile is empty")
	}
	if _, err := fmt.Fprintf(to, "\nhydrant, built-in store, %s, %d connections, under a profiler: %.2f %s\n", r.Mode, r.Connections, r.cost(), r.unit()); err != nil {
		return fmt.Errorf("printing the stages: %w", err)
	}
	for _, s := range stageOrder {
		share := float64(times[s]) / float64(total)
		if _, err := fmt.Fprintf(to, "  %-16s %6.2f %s %5.1f %%\n", s, r.cost()*share, r.unit(), 100*share); err != nil {
			return fmt.Errorf("printing the stages: %w", err)
		}
	}
	return nil
}

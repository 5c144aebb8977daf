package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
)

// A contender is who serves a case.
type contender struct {
	name  string
	serve func(ctx context.Context, c testCase) (*service, error)
}

// A service is a contender that is ready for load.
type service struct {
	url    string
	region string
	keys   keys
	main   *process   // whose memory is told
	all    []*process // whose CPU time is counted, in the order to stop them
	// settle waits until all records are delivered, and returns the synced writes of the
	// journal so far.
	settle func(ctx context.Context, records int64) (syncs float64, err error)
}

// A result is one contender's run of one case.
type result struct {
	testCase
	Contender       string     `json:"contender"`
	Load            loadReport `json:"load"`
	CPUSeconds      float64    `json:"cpuSeconds"`
	PeakBytes       int64      `json:"peakBytes"`
	SyncsPerRequest float64    `json:"syncsPerRequest"`
}

// loadReport is what e2e/load prints.
type loadReport struct {
	Seconds          float64 `json:"seconds"`
	Requests         int64   `json:"requests"`
	Records          int64   `json:"records"`
	Bytes            int64   `json:"bytes"`
	RecordsPerSecond float64 `json:"recordsPerSecond"`
	MBPerSecond      float64 `json:"mbPerSecond"`
	Latency          struct {
		P50  float64 `json:"p50"`
		P99  float64 `json:"p99"`
		P999 float64 `json:"p999"`
	} `json:"latencyMs"`
	Errors map[string]int64 `json:"errors"`
}

// measure runs one contender through one case, in the order of the steps: start, idle,
// load, delivery, count, stop.
func (b *bench) measure(ctx context.Context, c testCase, who contender) (r result, err error) {
	ctx, cancel := context.WithTimeout(ctx, runTimeout)
	defer cancel() // ends the processes of a run that failed
	r = result{testCase: c, Contender: who.name}
	s, err := who.serve(ctx, c)
	if err != nil {
		return r, err
	}
	if err := s.begin(ctx); err != nil {
		return r, err
	}
	began := time.Now()
	if r.Load, err = b.load(ctx, s, c); err != nil {
		return r, err
	}
	syncs, err := s.settle(ctx, r.Load.Records)
	if err != nil {
		return r, err
	}
	r.SyncsPerRequest = syncs / float64(r.Load.Requests)
	if r.CPUSeconds, err = s.used(time.Since(began)); err != nil {
		return r, err
	}
	if r.PeakBytes, err = s.main.peakBytes(); err != nil {
		return r, err
	}
	return r, s.stop()
}

// idleTime is how long the processes are watched doing nothing.
const idleTime = 2 * time.Second

// begin finds out what the processes use when idle, and where they stand before the load.
func (s *service) begin(ctx context.Context) error {
	before := make([]time.Duration, len(s.all))
	for i, p := range s.all {
		var err error
		if before[i], err = p.cpu(); err != nil {
			return err
		}
	}
	if err := pause(ctx, idleTime); err != nil {
		return err
	}
	for i, p := range s.all {
		var err error
		if p.start, err = p.cpu(); err != nil {
			return err
		}
		p.idle = (p.start - before[i]) * time.Second / idleTime
	}
	return nil
}

// used adds up the CPU seconds of all processes since begin, less what they use idling.
func (s *service) used(elapsed time.Duration) (float64, error) {
	var total time.Duration
	for _, p := range s.all {
		now, err := p.cpu()
		if err != nil {
			return 0, err
		}
		total += now - p.start - time.Duration(elapsed.Seconds()*float64(p.idle))
	}
	return total.Seconds(), nil
}

func (s *service) stop() error {
	var errs []error
	for _, p := range s.all {
		_, err := p.stop()
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// load runs the load generator. Records that it could not put make the run worthless.
func (b *bench) load(ctx context.Context, s *service, c testCase) (loadReport, error) {
	args := []string{"-url", s.url, "-region", s.region, "-stream", streamName, "-json",
		"-mode", c.Mode, "-connections", fmt.Sprint(c.Connections)}
	if c.Mode == "batch" {
		args = append(args, "-bytes", fmt.Sprint(b.bytes))
	} else {
		args = append(args, "-records", fmt.Sprint(b.records))
	}
	cmd := exec.CommandContext(ctx, filepath.Join(b.bin, "load"), args...)
	cmd.Env, cmd.Stderr = append(os.Environ(), s.keys.env()...), os.Stderr
	out, err := cmd.Output()
	var r loadReport
	if parseErr := json.Unmarshal(out, &r); parseErr != nil {
		return r, errors.Join(fmt.Errorf("the load generator: %w", parseErr), err)
	}
	if len(r.Errors) > 0 {
		return r, fmt.Errorf("not all records were acknowledged: %v", r.Errors)
	}
	return r, nil
}

// serveHydrant starts a node, with a store of its own process if the case says so.
func (b *bench) serveHydrant(ctx context.Context, c testCase) (*service, error) {
	return b.serveNode(ctx, c)
}

func (b *bench) serveNode(ctx context.Context, c testCase, env ...string) (*service, error) {
	var store *node
	if c.Store == "endpoint" {
		var err error
		if store, err = b.startStore(ctx); err != nil {
			return nil, err
		}
	}
	n, err := b.startNode(ctx, "node", store, env...)
	if err != nil {
		return nil, err
	}
	s := &service{url: "http://" + n.Listen, region: n.Region, keys: n.keys, main: n.process, all: []*process{n.process}}
	if store != nil {
		s.all = append(s.all, store.process)
	} else if err := n.createBucket(ctx); err != nil {
		return nil, err
	}
	if err := n.createStream(ctx, b.interval); err != nil {
		return nil, err
	}
	atStart, err := n.metrics(ctx)
	if err != nil {
		return nil, err
	}
	const syncs = "hydrant_journal_syncs_total"
	s.settle = func(ctx context.Context, records int64) (float64, error) {
		if err := n.delivered(ctx, records); err != nil {
			return 0, err
		}
		m, err := n.metrics(ctx)
		if err != nil {
			return 0, err
		}
		return m.sum(syncs) - atStart.sum(syncs), nil
	}
	return s, nil
}

// startStore starts a hydrant that serves as nothing but an object store.
func (b *bench) startStore(ctx context.Context) (*node, error) {
	store, err := b.startNode(ctx, "store", nil)
	if err != nil {
		return nil, err
	}
	return store, store.createBucket(ctx)
}

// serveFloor starts the floor and a store beside it.
func (b *bench) serveFloor(ctx context.Context, _ testCase) (*service, error) {
	store, err := b.startStore(ctx)
	if err != nil {
		return nil, err
	}
	s, err := b.startFloor(ctx, store.keys, "-s3", "http://"+store.Listen, "-bucket", bucketName, "-region", store.Region)
	if err != nil {
		return nil, err
	}
	s.region, s.all = store.Region, append(s.all, store.process)
	return s, nil
}

// serveFloorFiles starts the floor alone.
func (b *bench) serveFloorFiles(ctx context.Context, _ testCase) (*service, error) {
	return b.startFloor(ctx, keys{"bench", "bench"})
}

func (b *bench) startFloor(ctx context.Context, k keys, args ...string) (*service, error) {
	dir, err := b.folder("floor")
	if err != nil {
		return nil, err
	}
	p, err := startProcess(ctx, "floor", dir, k.env(), filepath.Join(b.bin, "floor"), append(args, "-dir", dir)...)
	if err != nil {
		return nil, err
	}
	_, url, _ := strings.Cut(strings.TrimSpace(p.ready), " ")
	s := &service{url: url, region: "us-east-1", keys: k, main: p, all: []*process{p}}
	s.settle = func(ctx context.Context, _ int64) (float64, error) { return settleFloor(ctx, url) }
	return s, nil
}

// settleFloor has the floor deliver what it holds, and returns its synced writes.
func settleFloor(ctx context.Context, url string) (float64, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/settle", nil)
	if err != nil {
		return 0, fmt.Errorf("settling the floor: %w", err)
	}
	text, err := fetch("settling the floor", r)
	if err != nil {
		return 0, err
	}
	var costs struct {
		Syncs float64 `json:"syncs"`
	}
	if err := json.Unmarshal(text, &costs); err != nil {
		return 0, fmt.Errorf("settling the floor: %w", err)
	}
	return costs.Syncs, nil
}

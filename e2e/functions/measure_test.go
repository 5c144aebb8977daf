package functions

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"hydrant/e2e/server"
)

// measureEnv says how many MB are to be measured; nothing is measured without it.
const measureEnv = "HYDRANT_MEASURE_MB"

// TestMeasure sends records of 1 KB through a function and through a blueprint and says what
// they take: HYDRANT_MEASURE_MB=1000 go test -run Measure -v ./e2e/functions
func TestMeasure(t *testing.T) {
	mb, err := strconv.Atoi(os.Getenv(measureEnv))
	if err != nil {
		t.Skipf("%s is not set", measureEnv)
	}
	for name, line := range map[string]string{
		"go":                        strings.Repeat("x", 999),
		"hydrant-apachelog-to-json": `93.180.71.3 - - [17/May/2015:08:05:32 +0000] "GET /downloads/product_1 HTTP/1.1" 304 0 "-" "` + strings.Repeat("x", 900) + `"`,
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			arn := "arn:aws:lambda:us-east-1:000000000000:function:" + name
			if name == "go" {
				arn = s.deploy(name, server.BuildProgram(t, "./e2e/functions/misbehave"))
			}
			s.stream("m", arn, 0)
			measure(s, line, mb)
		})
	}
}

func measure(s *scene, line string, mb int) {
	batch := make([]string, 500)
	for i := range batch {
		batch[i] = line + "\n"
	}
	size := len(line) + 1
	calls := mb * 1_000_000 / (size * len(batch))
	begin, cpu := time.Now(), s.cpu()
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range calls / 4 {
				s.put("m", batch...)
			}
		})
	}
	wg.Wait()
	put := time.Since(begin)
	total := uint64(calls / 4 * 4 * len(batch))
	s.until("all is delivered", func() bool {
		l, err := s.server.Ledgers(context.Background())
		return err == nil && l["m"].Delivered+l["m"].Failed >= total
	})
	took, used := time.Since(begin), s.cpu()
	gb := float64(total) * float64(size) / 1e9
	s.t.Logf("%.2f GB: put in %.1f s, delivered after %.1f s, %.0f MB/s; node %.2f CPU-s/GB, function %.2f CPU-s/GB",
		gb, put.Seconds(), took.Seconds(), gb*1000/took.Seconds(), (used.node-cpu.node)/gb, (used.workers-cpu.workers)/gb)
}

// usage is CPU time in seconds.
type usage struct{ node, workers float64 }

// cpu reads what the node and its workers have used; workers that have ended are not seen.
func (s *scene) cpu() (u usage) {
	s.t.Helper()
	err := s.server.Metrics(s.t.Context(), func(name string, _ map[string]string, value float64) {
		if name == "process_cpu_seconds_total" {
			u.node = value
		}
	})
	if err != nil {
		s.t.Fatal(err)
	}
	all, err := filepath.Glob("/proc/[0-9]*/exe")
	if err != nil {
		s.t.Fatal(err)
	}
	for _, exe := range all {
		if path, err := os.Readlink(exe); err == nil && strings.HasPrefix(path, s.folder) {
			u.workers += ticks(filepath.Dir(exe))
		}
	}
	return u
}

// ticks is what a process has used, in seconds; 0 if it has ended.
func ticks(proc string) float64 {
	b, err := os.ReadFile(filepath.Join(proc, "stat"))
	if err != nil {
		return 0
	}
	var user, system float64
	fields := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
	if len(fields) < 13 {
		return 0
	}
	for i, to := range map[int]*float64{11: &user, 12: &system} {
		if _, err := fmt.Sscan(fields[i], to); err != nil {
			return 0
		}
	}
	return (user + system) / 100
}

package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestCPUTimeIsReadWhateverTheProgramIsCalled(t *testing.T) {
	for _, name := range []string{"hydrant", "a) (b", ""} {
		got, err := parseStat("1234 (" + name + ") S 1 1234 1234 0 -1 4194560 100 0 0 0 250 50 7 8 20 0 9 0 100")
		if err != nil || got != 3*time.Second {
			t.Errorf("%q: %v, %v", name, got, err)
		}
	}
	if _, err := parseStat("1234 (x) S 1"); err == nil {
		t.Error("a line cut short passed")
	}
}

func TestMetricsAreSummedOverTheirSeries(t *testing.T) {
	m := parseMetrics(`# HELP hydrant_records_total Records.
# TYPE hydrant_records_total counter
hydrant_records_total{outcome="received",stream="a"} 1.5e+06
hydrant_records_total{outcome="received",stream="b"} 2
hydrant_records_total{outcome="delivered",stream="a"} 3
hydrant_records_total_other 7
hydrant_journal_syncs_total 42
`)
	for _, tt := range []struct {
		name   string
		labels []string
		want   float64
	}{
		{"hydrant_records_total", []string{`stream="a"`, `outcome="received"`}, 1.5e6},
		{"hydrant_records_total", []string{`outcome="received"`}, 1.5e6 + 2},
		{"hydrant_journal_syncs_total", nil, 42},
		{"hydrant_absent", nil, 0},
	} {
		if got := m.sum(tt.name, tt.labels...); got != tt.want {
			t.Errorf("%s %v: %v, want %v", tt.name, tt.labels, got, tt.want)
		}
	}
}

func TestASampleCountsForTheInnermostStage(t *testing.T) {
	const traces = `File: hydrant
Type: cpu
Duration: 10s, Total samples = 1.3s
-----------+-------------------------------------------------------
     300ms   crypto/internal/fips140/sha256.blockSHANI
             crypto/sha256.Sum256
             hydrant/internal/aws.(*Server).ServeHTTP
             net/http.(*conn).serve
-----------+-------------------------------------------------------
      key:   value
      1.2s   runtime.memmove
             github.com/klauspost/compress/flate.(*fastEncL1).Encode
             hydrant/internal/encode/compress.(*Packer).Pack
             hydrant/internal/ingest.(*Door).Put
             hydrant/internal/aws.(*Server).ServeHTTP
-----------+-------------------------------------------------------
      10ms   runtime.scanobject
             runtime.gcDrain
-----------+-------------------------------------------------------
      20ms   syscall.Syscall
             net.(*conn).Write
             net/http.(*persistConn).writeLoop
-----------+-------------------------------------------------------
      30ms   syscall.Syscall
             net.(*conn).Read
             net/http.(*connReader).backgroundRead
`
	got, err := parseTraces(strings.NewReader(traces))
	if err != nil {
		t.Fatal(err)
	}
	want := map[stage]time.Duration{
		stageSign: 300 * time.Millisecond, stageCompress: 1200 * time.Millisecond, stageRuntime: 10 * time.Millisecond,
		stageDeliver: 20 * time.Millisecond, stageHTTP: 30 * time.Millisecond,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestTheTableComparesWithinACase(t *testing.T) {
	load := loadReport{Records: 2e6, Bytes: 1e9, RecordsPerSecond: 400_000, MBPerSecond: 204.8}
	c := testCase{"built-in", "batch", 16}
	rows := []result{
		{testCase: c, Contender: "floor-files", Load: load, CPUSeconds: 5, PeakBytes: 90 << 20},
		{testCase: c, Contender: "floor", Load: load, CPUSeconds: 6, PeakBytes: 90 << 20},
		{testCase: c, Contender: "hydrant", Load: load, CPUSeconds: 7.5, PeakBytes: 200 << 20, SyncsPerRequest: 0.125},
	}
	var text strings.Builder
	if err := printRows(&text, rows, true); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(text.String(), "\n")
	last := strings.Fields(lines[len(lines)-2])
	want := []string{"built-in", "batch", "16", "hydrant", "400000", "204.8", "0.0", "0.0", "0.0", "7.50", "s/GB", "1.25", "1.50", "200", "0.125"}
	if d := cmp.Diff(want, last); d != "" {
		t.Error(d)
	}
	single := result{testCase: testCase{Mode: "single"}, Load: load, CPUSeconds: 100}
	if single.cost() != 50 {
		t.Errorf("100 s for 2 million records are %v µs a record", single.cost())
	}
}

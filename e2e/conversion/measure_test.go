package conversion

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/firehose/types"

	"hydrant/e2e/server"
)

const (
	// measureEnv says how many MB are to be measured; nothing is measured without it.
	measureEnv = "HYDRANT_MEASURE_MB"
	// profilesEnv is a folder for the node's CPU profiles, parquet.pprof and orc.pprof.
	profilesEnv = "HYDRANT_MEASURE_PROFILES"
)

// TestMeasure says what JSON takes to become Parquet and ORC, from the put to the store:
// HYDRANT_MEASURE_MB=500 go test -run Measure -v ./e2e/conversion
func TestMeasure(t *testing.T) {
	bytes := envMB(t, measureEnv)
	for _, c := range []struct {
		name string
		out  *output
	}{{"parquet", toParquet(types.ParquetCompressionSnappy)}, {"orc", toORC(types.OrcCompressionSnappy)}, {"plain", nil}} {
		t.Run(c.name, func(t *testing.T) {
			var o server.Options
			if folder := os.Getenv(profilesEnv); folder != "" {
				o.Env = []string{"HYDRANT_CPUPROFILE=" + filepath.Join(folder, c.name+".pprof")}
			}
			s := openWith(t, o)
			s.table(c.name, wideTable)
			d := destination(c.name, openX(), c.out)
			d.BufferingHints = &types.BufferingHints{IntervalInSeconds: aws.Int32(60), SizeInMBs: aws.Int32(64)}
			if c.out == nil { // what all the rest takes
				d.DataFormatConversionConfiguration = nil
			}
			s.stream(c.name, d)
			s.measure(c.name, bytes)
			if code, err := s.server.Terminate(time.Minute); err != nil || code != 0 {
				t.Errorf("the node ends with %d, %v", code, err)
			}
		})
	}
}

func (s *scene) measure(stream string, bytes int64) {
	s.t.Helper()
	l := &load{t: s.t, client: s.firehose(), streams: []string{stream}}
	begin, before := time.Now(), s.cpu()
	l.run(bytes)
	put := time.Since(begin)
	s.hydrant("flush", stream)
	took, used := time.Since(begin), s.cpu()-before
	peak, err := s.server.Peak()
	if err != nil {
		s.t.Fatal(err)
	}
	gb := float64(l.bytes.Load()) / 1e9
	s.t.Logf("%.2f GB of %d-byte rows: put in %.1f s, delivered after %.1f s, %.0f MB/s; node %.1f CPU-s/GB, at most %d MiB",
		gb, l.bytes.Load()/l.rows.Load(), put.Seconds(), took.Seconds(), gb*1000/took.Seconds(), used/gb, peak>>20)
	if led := s.ledger(stream); led.Delivered != uint64(l.rows.Load()) || led.Failed != 0 {
		s.t.Errorf("the ledger is %+v, of %d rows", led, l.rows.Load())
	}
}

// cpu is what the node has used, in seconds.
func (s *scene) cpu() (seconds float64) {
	s.t.Helper()
	err := s.server.Metrics(s.t.Context(), func(name string, _ map[string]string, value float64) {
		if name == "process_cpu_seconds_total" {
			seconds = value
		}
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return seconds
}

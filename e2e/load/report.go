package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// report is what a run says of itself; its JSON is read by e2e/bench.
type report struct {
	Mode             string           `json:"mode"`
	Connections      int              `json:"connections"`
	Streams          int              `json:"streams"`
	Seconds          float64          `json:"seconds"`
	Requests         int64            `json:"requests"`
	Records          int64            `json:"records"` // acknowledged
	Bytes            int64            `json:"bytes"`   // of acknowledged records, before base64
	RecordsPerSecond float64          `json:"recordsPerSecond"`
	MBPerSecond      float64          `json:"mbPerSecond"` // 10^6 bytes
	Latency          latency          `json:"latencyMs"`
	Errors           map[string]int64 `json:"errors"` // records that were not acknowledged, by code
}

// latency is the time from sending a request to having its answer, in milliseconds.
type latency struct {
	P50  float64 `json:"p50"`
	P99  float64 `json:"p99"`
	P999 float64 `json:"p999"`
	Max  float64 `json:"max"`
}

// summarise adds up what the workers saw.
func summarise(o options, workers []*worker, took time.Duration) *report {
	r := &report{Mode: o.mode, Connections: o.connections, Streams: o.streams, Seconds: took.Seconds(), Errors: map[string]int64{}}
	var all []time.Duration
	for _, w := range workers {
		r.Requests += w.requests
		r.Records += w.acked
		all = append(all, w.latencies...)
		for code, n := range w.errors {
			r.Errors[code] += n
		}
	}
	r.Bytes = r.Records * int64(o.size)
	r.RecordsPerSecond = float64(r.Records) / took.Seconds()
	r.MBPerSecond = float64(r.Bytes) / 1e6 / took.Seconds()
	slices.Sort(all)
	r.Latency = latency{quantile(all, 0.5), quantile(all, 0.99), quantile(all, 0.999), quantile(all, 1)}
	return r
}

// quantile returns the smallest value, in milliseconds, that the share q of the sorted
// values does not exceed.
func quantile(sorted []time.Duration, q float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	i := min(int(q*float64(len(sorted))), len(sorted)-1)
	return float64(sorted[i]) / float64(time.Millisecond)
}

func (r *report) print(to io.Writer, asJSON bool) error {
	if asJSON {
		if err := json.MarshalWrite(to, r, jsontext.WithIndent("  "), json.Deterministic(true)); err != nil {
			return fmt.Errorf("writing the report: %w", err)
		}
		_, err := fmt.Fprintln(to)
		return err
	}
	_, err := fmt.Fprintf(to, "%d records in %d requests over %d connections in %.1f s: %.0f records/s, %.1f MB/s\n"+
		"acknowledged in p50 %.1f, p99 %.1f, p99.9 %.1f, at most %.1f ms\n",
		r.Records, r.Requests, r.Connections, r.Seconds, r.RecordsPerSecond, r.MBPerSecond,
		r.Latency.P50, r.Latency.P99, r.Latency.P999, r.Latency.Max)
	for _, code := range slices.Sorted(maps.Keys(r.Errors)) {
		if err == nil {
			_, err = fmt.Fprintf(to, "not acknowledged: %d records, %s\n", r.Errors[code], code)
		}
	}
	return err
}

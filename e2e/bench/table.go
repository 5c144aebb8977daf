package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// The columns of the table, heads and rows.
const (
	heads = "%-8s %-6s %5s %-11s %10s %7s %7s %7s %7s %13s %7s %7s %8s %9s\n"
	row   = "%-8s %-6s %5d %-11s %10.0f %7.1f %7.1f %7.1f %7.1f %13s %7s %7s %8.0f %9.3f\n"
)

// cost is CPU time per work done: seconds per GB (10^9 bytes of records) for batches,
// microseconds per record for singles.
func (r result) cost() float64 {
	if r.Mode == "batch" {
		return r.CPUSeconds * 1e9 / float64(r.Load.Bytes)
	}
	return r.CPUSeconds * 1e6 / float64(r.Load.Records)
}

func (r result) unit() string {
	if r.Mode == "batch" {
		return "s/GB"
	}
	return "µs/rec"
}

// printRows prints the rows of one case; the first ones with the heads of the columns.
func printRows(to io.Writer, rows []result, first bool) error {
	var text strings.Builder
	if first {
		text.WriteString("CPU: user and system time of all serving processes, the store's included; MB = 10^6 bytes of records.\n" +
			"×floor: against the floor that uploads over HTTP to the same kind of store; ×files: against the floor that writes files.\n\n")
		fmt.Fprintf(&text, heads, "store", "mode", "conns", "who", "records/s", "MB/s", "p50 ms", "p99 ms", "p99.9", "CPU", "×floor", "×files", "peak MiB", "syncs/req")
	}
	for _, r := range rows {
		fmt.Fprintf(&text, row, r.Store, r.Mode, r.Connections, r.Contender, r.Load.RecordsPerSecond, r.Load.MBPerSecond,
			r.Load.Latency.P50, r.Load.Latency.P99, r.Load.Latency.P999, fmt.Sprintf("%.2f %s", r.cost(), r.unit()),
			ratio(r, rows, "floor"), ratio(r, rows, "floor-files"), float64(r.PeakBytes)/(1<<20), r.SyncsPerRequest)
	}
	if _, err := io.WriteString(to, text.String()); err != nil {
		return fmt.Errorf("printing the table: %w", err)
	}
	return nil
}

// ratio tells how many times the cost of another contender of the case a row's cost is.
func ratio(r result, rows []result, other string) string {
	i := slices.IndexFunc(rows, func(o result) bool { return o.Contender == other })
	if i < 0 || r.Contender != "hydrant" {
		return "-"
	}
	return fmt.Sprintf("%.2f", r.cost()/rows[i].cost())
}

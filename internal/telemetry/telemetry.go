// Package telemetry shows what the node does: the Prometheus page and the log handler.
// It is a leaf: rooms hand it figures, it knows none of them.
//
//   - Sample: the ledger of one stream at the moment of a scrape. Nothing is counted
//     twice: what is durable in the journal is read from there, not counted beside it.
package telemetry

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Outcomes of a record, the values of the label "outcome".
const (
	Received  = "received"
	Delivered = "delivered"
	Dropped   = "dropped"
	Failed    = "failed"
	Discarded = "discarded"
)

// Figures is a number of records and their bytes.
type Figures struct{ Records, Bytes uint64 }

// Sample is the ledger of one stream.
type Sample struct {
	Stream               string
	Outcomes             map[string]Figures
	Pending              Figures
	Objects, ObjectBytes uint64
	Fails                int           // delivery attempts that failed in a row
	Paused               bool          // nothing is delivered until it is resumed
	Oldest               time.Duration // age of the oldest pending record; 0: there is none
	Backup               *Backup       // nil: the stream has none
	Partitions           *Partitions   // nil: the stream is not partitioned
}

// Partitions is how many of a stream are open, or not delivered yet, and how many were one too
// many since the start.
type Partitions struct{ Open, Refused uint64 }

// Backup is how far the backup of a stream's source records is.
type Backup struct{ Delivered, Pending uint64 } // records

// Gauges are figures of the whole node, read at each scrape.
type Gauges struct {
	JournalSyncs  func() uint64 // synced writes since the start
	JournalBytes  func() uint64 // held by the journal's files
	JournalFree   func() uint64 // room left for it
	Damages       func() uint64 // stretches of the journal found unreadable since the start
	BodyBytesUsed func() int64  // of the budget for request bodies
}

// Metrics is the node's set of metrics.
type Metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec

	throttled *prometheus.CounterVec
	elapsed   prometheus.Histogram
	size      prometheus.Histogram
}

// New returns the metrics of a node; version is shown in hydrant_build_info.
func New(version string) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hydrant_requests_total", Help: "Requests answered, by service, operation and error code (empty: success).",
		}, []string{"service", "operation", "code"}),
		elapsed: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "hydrant_object_complete_seconds", Help: "Time to make a prepared object visible at its destination.",
			Buckets: prometheus.ExponentialBuckets(0.001, 4, 10),
		}),
		size: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "hydrant_object_size_bytes", Help: "Size of delivered objects, as stored.",
			Buckets: prometheus.ExponentialBuckets(1<<10, 4, 10),
		}),
	}
	m.throttled = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "hydrant_throttled_records_total", Help: "Records refused because the stream's quota was used up.",
	}, []string{"stream"})
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "hydrant_build_info", Help: "Always 1; the label tells the version.",
		ConstLabels: prometheus.Labels{"version": version},
	})
	build.Set(1)
	m.registry.MustRegister(m.requests, m.throttled, m.elapsed, m.size, build,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Object notes a delivered object: the time to complete it and its size in bytes.
func (m *Metrics) Object(elapsed time.Duration, size int64) {
	m.elapsed.Observe(elapsed.Seconds())
	m.size.Observe(float64(size))
}

// Throttled notes records that a stream's quota has refused.
func (m *Metrics) Throttled(stream string, records int) {
	m.throttled.WithLabelValues(stream).Add(float64(records))
}

// Request returns the counter of one kind of answer; callers keep it.
func (m *Metrics) Request(service, operation, code string) prometheus.Counter {
	return m.requests.WithLabelValues(service, operation, code)
}

// Observe registers what is read at each scrape: the ledgers of all streams, and g.
func (m *Metrics) Observe(streams func() []Sample, g Gauges) error {
	cs := []prometheus.Collector{
		&ledgers{streams},
		counter("hydrant_journal_syncs_total", "Synced writes of the journal.", g.JournalSyncs),
		gauge("hydrant_journal_bytes", "Bytes held by the journal's files.", g.JournalBytes),
		gauge("hydrant_journal_free_bytes", "Bytes free for the journal.", g.JournalFree),
		counter("hydrant_journal_damages_total", "Stretches of the journal found unreadable; they are set aside.", g.Damages),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "hydrant_body_bytes", Help: "Request bodies in memory, bytes of the budget.",
		}, func() float64 { return float64(g.BodyBytesUsed()) }),
	}
	for _, c := range cs {
		if err := m.registry.Register(c); err != nil {
			return fmt.Errorf("register metrics: %w", err)
		}
	}
	return nil
}

func counter(name, help string, f func() uint64) prometheus.Collector {
	return prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, func() float64 { return float64(f()) })
}

func gauge(name, help string, f func() uint64) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 { return float64(f()) })
}

// scrapes bounds how many pages are made at once: the page is open to everyone.
const scrapes = 4

// Handler serves the metrics page.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Registry: m.registry, MaxRequestsInFlight: scrapes})
}

// ledgers turns samples into metrics.
type ledgers struct{ streams func() []Sample }

var (
	recordsDesc = prometheus.NewDesc("hydrant_records_total",
		"Records by outcome; received = delivered + dropped + failed + discarded + pending.", []string{"stream", "outcome"}, nil)
	bytesDesc = prometheus.NewDesc("hydrant_record_bytes_total",
		"Bytes of those records, before compression.", []string{"stream", "outcome"}, nil)
	pendingDesc = prometheus.NewDesc("hydrant_pending_records",
		"Records accepted and not yet delivered.", []string{"stream"}, nil)
	pendingBytesDesc = prometheus.NewDesc("hydrant_pending_bytes",
		"Bytes of those records, before compression.", []string{"stream"}, nil)
	objectsDesc = prometheus.NewDesc("hydrant_objects_total",
		"Objects delivered.", []string{"stream"}, nil)
	objectBytesDesc = prometheus.NewDesc("hydrant_object_bytes_total",
		"Bytes of delivered objects, as stored.", []string{"stream"}, nil)
	failingDesc = prometheus.NewDesc("hydrant_delivery_failures_in_a_row",
		"Delivery attempts that failed since the last success; above 0 the destination needs a look.", []string{"stream"}, nil)
	pausedDesc = prometheus.NewDesc("hydrant_stream_paused",
		"1 while the stream is paused, else 0.", []string{"stream"}, nil)
	oldestDesc = prometheus.NewDesc("hydrant_oldest_record_age_seconds",
		"How long the oldest of the pending records has waited; 0 if there are none.", []string{"stream"}, nil)
	backupPendingDesc = prometheus.NewDesc("hydrant_backup_pending_records",
		"Source records accepted and not yet in the backup.", []string{"stream"}, nil)
	backupDesc = prometheus.NewDesc("hydrant_backup_records_total",
		"Source records delivered to the backup, since the stream was created.", []string{"stream"}, nil)
	partitionsDesc = prometheus.NewDesc("hydrant_partitions",
		"Partitions that are open, or not delivered yet.", []string{"stream"}, nil)
	refusedDesc = prometheus.NewDesc("hydrant_partitions_refused_total",
		"Times that a partition would have been one more than the quota allows, since the start.", []string{"stream"}, nil)
)

// Describe implements prometheus.Collector.
func (l *ledgers) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		recordsDesc, bytesDesc, pendingDesc, pendingBytesDesc, objectsDesc, objectBytesDesc, failingDesc,
		pausedDesc, oldestDesc, backupPendingDesc, backupDesc, partitionsDesc, refusedDesc,
	} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (l *ledgers) Collect(ch chan<- prometheus.Metric) {
	count := func(d *prometheus.Desc, v uint64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), labels...)
	}
	measure := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	level := func(d *prometheus.Desc, v uint64, labels ...string) { measure(d, float64(v), labels...) }
	for _, s := range l.streams() {
		for outcome, f := range s.Outcomes {
			count(recordsDesc, f.Records, s.Stream, outcome)
			count(bytesDesc, f.Bytes, s.Stream, outcome)
		}
		level(pendingDesc, s.Pending.Records, s.Stream)
		level(pendingBytesDesc, s.Pending.Bytes, s.Stream)
		count(objectsDesc, s.Objects, s.Stream)
		count(objectBytesDesc, s.ObjectBytes, s.Stream)
		level(failingDesc, uint64(s.Fails), s.Stream)
		paused := uint64(0)
		if s.Paused {
			paused = 1
		}
		level(pausedDesc, paused, s.Stream)
		measure(oldestDesc, s.Oldest.Seconds(), s.Stream)
		if s.Backup != nil {
			level(backupPendingDesc, s.Backup.Pending, s.Stream)
			count(backupDesc, s.Backup.Delivered, s.Stream)
		}
		if s.Partitions != nil {
			level(partitionsDesc, s.Partitions.Open, s.Stream)
			count(refusedDesc, s.Partitions.Refused, s.Stream)
		}
	}
}

// NewLogger returns a logger that writes to w in the given format (text or json) from the
// given level on.
func NewLogger(w io.Writer, format string, level slog.Level) (*slog.Logger, error) {
	opt := &slog.HandlerOptions{Level: level, ReplaceAttr: plainErrors}
	switch format {
	case "text", "":
		return slog.New(slog.NewTextHandler(w, opt)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(w, opt)), nil
	}
	return nil, fmt.Errorf("log format %q is neither text nor json", format)
}

// plainErrors writes errors as their text alone: printed with all their details, as the text
// handler would, those of some libraries bring pages of stack with them.
func plainErrors(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() != slog.KindAny {
		return a
	}
	if err, ok := a.Value.Any().(error); ok {
		a.Value = slog.StringValue(err.Error())
	}
	return a
}

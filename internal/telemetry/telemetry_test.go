package telemetry

import (
	"fmt"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestThePageShowsEveryLedger(t *testing.T) {
	m := New("v0")
	one := func() uint64 { return 1 }
	err := m.Observe(func() []Sample {
		return []Sample{{
			Stream: "clicks", Pending: Figures{3, 30}, Objects: 2, ObjectBytes: 99, Fails: 4,
			Outcomes: map[string]Figures{Received: {10, 100}, Delivered: {7, 70}},
			Paused:   true, Oldest: 1500 * time.Millisecond, Backup: &Backup{Delivered: 6, Pending: 4}, Partitions: &Partitions{Open: 8, Refused: 9},
		}, {Stream: "views"}}
	}, Gauges{one, one, one, one, func() int64 { return 5 }})
	if err != nil {
		t.Fatal(err)
	}
	m.Object(time.Second, 99)
	m.Request("firehose", "PutRecord", "").Inc()
	rec := httptest.NewRecorder()
	m.Handler().ServeHTTP(rec, httptest.NewRequest("GET", "/metrics", nil))
	page := rec.Body.String()
	for _, want := range []string{
		`hydrant_records_total{outcome="received",stream="clicks"} 10`,
		`hydrant_record_bytes_total{outcome="delivered",stream="clicks"} 70`,
		`hydrant_pending_records{stream="clicks"} 3`,
		`hydrant_objects_total{stream="clicks"} 2`,
		`hydrant_delivery_failures_in_a_row{stream="clicks"} 4`,
		`hydrant_stream_paused{stream="clicks"} 1`,
		`hydrant_stream_paused{stream="views"} 0`,
		`hydrant_oldest_record_age_seconds{stream="clicks"} 1.5`,
		`hydrant_oldest_record_age_seconds{stream="views"} 0`,
		`hydrant_backup_pending_records{stream="clicks"} 4`,
		`hydrant_backup_records_total{stream="clicks"} 6`,
		`hydrant_partitions{stream="clicks"} 8`,
		`hydrant_partitions_refused_total{stream="clicks"} 9`,
		`hydrant_journal_syncs_total 1`,
		`hydrant_body_bytes 5`,
		`hydrant_requests_total{code="",operation="PutRecord",service="firehose"} 1`,
		`hydrant_object_complete_seconds_count 1`,
		`hydrant_build_info{version="v0"} 1`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("no %s", want)
		}
	}
	for _, other := range []string{`hydrant_backup_records_total{stream="views"}`, `hydrant_partitions{stream="views"}`} {
		if strings.Contains(page, other) {
			t.Errorf("%s is shown of a stream that has none", other)
		}
	}
	if err := m.Observe(nil, Gauges{}); err == nil {
		t.Error("metrics were registered twice")
	}
}

func TestLogFormats(t *testing.T) {
	for format, want := range map[string]string{"": "level=WARN", "text": "level=WARN", "json": `"level":"WARN"`} {
		var b strings.Builder
		l, err := NewLogger(&b, format, slog.LevelWarn)
		if err != nil {
			t.Fatal(err)
		}
		l.Info("hidden")
		l.Warn("shown")
		if !strings.Contains(b.String(), want) || strings.Contains(b.String(), "hidden") {
			t.Errorf("%q logged %q", format, b.String())
		}
	}
	if _, err := NewLogger(nil, "xml", 0); err == nil {
		t.Error("an unknown format was taken")
	}
}

// detailed is an error of the kind that prints a stack when asked for all it knows.
type detailed struct{}

func (detailed) Error() string { return "short" }

func (detailed) Format(s fmt.State, _ rune) {
	fmt.Fprint(s, "short")
	if s.Flag('+') {
		fmt.Fprint(s, "\nand a page of stack")
	}
}

func TestErrorsAreLoggedAsTheirTextAlone(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		var b strings.Builder
		log, err := NewLogger(&b, format, slog.LevelInfo)
		if err != nil {
			t.Fatal(err)
		}
		log.Warn("it failed", "error", fmt.Errorf("wrapped: %w", detailed{}), "bare", detailed{}, "n", 1)
		if strings.Contains(b.String(), "stack") || strings.Count(b.String(), "short") != 2 {
			t.Errorf("%s: %s", format, b.String())
		}
	}
}

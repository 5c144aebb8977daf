package node

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hydrant/internal/deliver"
	"hydrant/internal/record"
	"hydrant/internal/telemetry"
)

func TestAStreamWithoutABackupShowsNone(t *testing.T) {
	data, backup := deliver.QueueStatus{Queue: record.Queue{Output: record.Data}}, deliver.QueueStatus{Queue: record.Queue{Output: record.Backup}}
	for _, c := range []struct {
		name string
		s    deliver.StreamStatus
		want *telemetry.Backup
	}{
		{"gone", deliver.StreamStatus{}, nil},
		{"without", deliver.StreamStatus{Queues: []deliver.QueueStatus{data}}, nil},
		{"with", deliver.StreamStatus{
			Queues: []deliver.QueueStatus{data, backup},
			Backup: deliver.OutputStatus{Delivered: record.Counts{Records: 3, Bytes: 30}, Pending: record.Counts{Records: 1, Bytes: 10}},
		}, &telemetry.Backup{Delivered: 3, Pending: 1}},
	} {
		if d := cmp.Diff(c.want, backupOf(c.s)); d != "" {
			t.Errorf("%s: %s", c.name, d)
		}
	}
}

func TestAgesAreThoseOfTheNodesClock(t *testing.T) {
	now := time.Date(2026, 1, 15, 10, 15, 0, 0, time.UTC)
	n := &Node{opt: Options{Now: func() time.Time { return now }}}
	for _, c := range []struct {
		t    time.Time
		want time.Duration
	}{{time.Time{}, 0}, {now.Add(-time.Minute), time.Minute}, {now.Add(time.Second), 0}} {
		if got := n.age(c.t); got != c.want {
			t.Errorf("age of %s: %s, want %s", c.t, got, c.want)
		}
	}
}

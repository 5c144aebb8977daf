package ingest

import (
	"slices"
	"testing"
	"time"

	"hydrant/internal/record"
	"hydrant/internal/stream"
)

// Each step asks for records of the given sizes, some time after the step before.
func TestQuotasLetThroughWhatASecondAllows(t *testing.T) {
	type step struct {
		after   time.Duration
		lengths []uint32
		want    int
	}
	many := func(n int, size uint32) []uint32 { return slices.Repeat([]uint32{size}, n) }
	for name, c := range map[string]struct {
		quota Quota
		steps []step
	}{
		"records": {Quota{Records: 10}, []step{
			{0, many(8, 1), 8}, {0, many(8, 1), 2}, {0, many(1, 1), 0},
			{500 * time.Millisecond, many(8, 1), 5}, {time.Hour, many(100, 1), 10},
		}},
		"requests": {Quota{Requests: 2}, []step{
			{0, many(500, 1), 500}, {0, many(1, 1), 1}, {0, many(1, 1), 0},
			{500 * time.Millisecond, many(3, 1), 3}, {0, many(3, 1), 0},
		}},
		"bytes": {Quota{Bytes: 1000}, []step{
			{0, many(3, 400), 3}, {0, many(1, 1), 0}, // overdrawn by 200
			{200 * time.Millisecond, many(1, 1), 0}, {100 * time.Millisecond, many(2, 60), 2}, {0, many(1, 1), 0},
		}},
		"a record larger than a second": {Quota{Bytes: 1000}, []step{
			{0, []uint32{5000, 1}, 1}, {time.Second, many(1, 1), 0}, {time.Second, many(1, 1), 0},
			{time.Second, many(1, 1), 0}, {time.Second, many(1, 1), 0}, {time.Second, many(1, 1), 1},
		}},
		"less than one in a second": {Quota{Records: 0.5}, []step{
			{0, many(1, 1), 0}, {time.Second, many(1, 1), 1}, {time.Second, many(1, 1), 0}, {time.Second, many(1, 1), 1},
		}},
		"the clock set back": {Quota{Records: 10}, []step{
			{0, many(10, 1), 10}, {-time.Hour, many(1, 1), 0}, {time.Second, many(20, 1), 10},
		}},
		"all at once": {Quota{Records: 5, Requests: 1, Bytes: 100}, []step{
			{0, many(9, 30), 4}, {time.Second, many(9, 1), 5}, {0, nil, 0},
		}},
	} {
		now := time.Unix(1768471200, 0)
		m := &meter{quota: c.quota}
		for i, s := range c.steps {
			now = now.Add(s.after)
			if got := m.take(now, s.lengths); got != s.want {
				t.Errorf("%s, step %d: %d of %d records, want %d", name, i, got, len(s.lengths), s.want)
			}
		}
	}
}

func TestAStreamTakesTheBeginningOfABatchThatItsQuotaHasRoomFor(t *testing.T) {
	refused := map[string]int{}
	in := New(Options{
		Now:        func() time.Time { return time.Unix(1768471200, 0) },
		OnThrottle: func(name string, records int) { refused[name] += records },
		Quota: func(name string) Quota {
			if name == "bounded" {
				return Quota{Records: 3}
			}
			return Quota{}
		},
	})
	batch := record.Batch{Data: []byte("aabbccdd"), Lengths: []uint32{2, 2, 2, 2}}
	bounded, free := &stream.Definition{ID: record.StreamID{1}, Name: "bounded"}, &stream.Definition{ID: record.StreamID{2}, Name: "free"}
	if b, ok := in.within(free, batch); !ok || len(b.Lengths) != 4 {
		t.Errorf("without a quota %d records passed", len(b.Lengths))
	}
	if b, ok := in.within(bounded, batch); !ok || string(b.Data) != "aabbcc" || len(b.Lengths) != 3 {
		t.Errorf("of four records %q passed", b.Data)
	}
	if _, ok := in.within(bounded, batch); ok {
		t.Error("records passed an empty bucket")
	}
	if refused["bounded"] != 5 || len(refused) != 1 {
		t.Errorf("told of %v", refused)
	}
}

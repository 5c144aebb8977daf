package stage

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"hydrant/internal/record"
)

// stubborn is a step that tries again by itself until it is told to end, or has succeeded.
type stubborn struct {
	fails  atomic.Int64
	repair chan struct{}
}

func (s *stubborn) Process(ctx context.Context, items []record.Item) ([]record.Item, error) {
	select {
	case <-s.repair:
		return items, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (s *stubborn) Trouble() (int, error) {
	if n := int(s.fails.Load()); n > 0 {
		return n, errors.New("the function does not exist")
	}
	return 0, nil
}

// Records that wait for a function are seen to, and why they wait.
func TestWhatWaitsToBeProcessedIsTold(t *testing.T) {
	w := newWorld(t)
	s := &stubborn{repair: make(chan struct{})}
	w.line = Pipeline{Bytes: 10, Parallel: 1, Steps: []Processor{s}}
	w.start()
	waiting := func() Waiting { return w.m.Waiting(t.Context(), w.q) }
	if got := waiting(); got != (Waiting{}) {
		t.Fatalf("before processing began: %+v", got)
	}
	w.begin(start)
	s.fails.Store(7)
	if got := waiting(); got != (Waiting{}) {
		t.Fatalf("of no record: %+v", got)
	}
	before := time.Now().Truncate(time.Millisecond)
	w.put("record 000")
	first := waiting().Oldest
	if first.Before(before) || first.After(time.Now()) {
		t.Fatalf("the record came between %v and now, not at %v", before, first)
	}
	time.Sleep(2 * time.Millisecond)
	w.put("record 001")
	for range 2 { // the second time from memory
		if got := waiting(); !got.Oldest.Equal(first) || got.Fails != 7 || got.LastError != "the function does not exist" {
			t.Fatalf("got %+v, want %v", got, first)
		}
	}
	s.repair <- struct{}{}
	w.until("one is processed", w.processed(1))
	if got := waiting().Oldest; !got.After(first) {
		t.Fatalf("the first is processed, and the oldest still of %v", got)
	}
	s.repair <- struct{}{}
	w.until("all are processed", w.processed(2))
	if got := waiting(); got != (Waiting{}) {
		t.Fatalf("of no record any more: %+v", got)
	}
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
}

// What fails most is told: a batch, or a step of its pipeline.
func TestTheWorstTroubleIsTold(t *testing.T) {
	s := &stubborn{}
	r := &runner{}
	r.version.Store(&version{Pipeline: Pipeline{Steps: []Processor{step(nil), s}}})
	if r.worst() != nil {
		t.Fatalf("of nothing: %+v", r.worst())
	}
	var told []int
	for _, n := range []int64{0, 2, 0, 3} {
		s.fails.Store(n)
		r.fail(errors.New("away"))
		told = append(told, r.worst().fails)
	}
	if !slices.Equal(told, []int{1, 2, 3, 4}) || r.worst().last.Error() != "away" {
		t.Fatalf("told of %v, %v", told, r.worst().last)
	}
	s.fails.Store(5)
	if r.worst().fails != 5 {
		t.Fatalf("told of %+v", r.worst())
	}
}

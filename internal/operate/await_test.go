package operate

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"hydrant/internal/record"
	"hydrant/internal/stream"
)

// flushed is a world in which clicks has delivered 1 of 4 records and is flushed.
func flushed(t *testing.T) (*world, record.Queue, Order) {
	t.Helper()
	w := newWorld(t, "clicks")
	q := record.Queue{Stream: w.id("clicks")}
	w.delivery.set(q.Stream, Status{Done: []Mark{{q, counts(1, 10)}}})
	w.delivery.marks = []Mark{{q, counts(4, 40)}}
	o, err := w.Flush(t.Context(), "clicks")
	if err != nil {
		t.Fatal(err)
	}
	return w, q, o
}

func TestAFlushIsAwaitedUntilAsMuchIsDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, q, o := flushed(t)
		begun := time.Now()
		for i, done := range []uint64{2, 3, 5} { // one came later and is not waited for
			time.AfterFunc(time.Duration(i+1)*time.Second, func() {
				w.delivery.set(q.Stream, Status{Done: []Mark{{q, counts(done, 10*done)}}})
			})
		}
		var shown []string
		last, err := w.Await(t.Context(), o, func(p Progress) {
			if text := p.String(); len(shown) == 0 || shown[len(shown)-1] != text {
				shown = append(shown, text)
			}
		})
		want := []string{"0 of 3 records (30 B)", "1 of 3 records (30 B)", "2 of 3 records (30 B)", "3 of 3 records (30 B)"}
		if err != nil || last.Fraction() != 1 {
			t.Errorf("%v %v", last, err)
		}
		if d := cmp.Diff(want, shown); d != "" {
			t.Error(d)
		}
		// Who comes first when both are due at the third second is open.
		if waited := time.Since(begun); waited < 3*time.Second || waited > 3*time.Second+poll {
			t.Errorf("waited %s", waited)
		}
	})
}

func TestAwaitEndsWhenThereIsNothingToWaitFor(t *testing.T) {
	for _, tt := range []struct {
		name string
		then func(*testing.T, *world)
		want error
	}{
		{"the stream is paused", func(t *testing.T, w *world) {
			if _, err := w.Pause(t.Context(), "clicks"); err != nil {
				t.Error(err)
			}
		}, ErrPaused},
		{"the stream is deleted", func(t *testing.T, w *world) {
			if err := errors.Join(w.streams.Delete(t.Context(), "clicks"), w.streams.Remove(t.Context(), "clicks", w.id("clicks"))); err != nil {
				t.Error(err)
			}
		}, ErrNoStream},
		{"the stream was made again", func(t *testing.T, w *world) {
			w.edit(t, "clicks", func(d *stream.Definition) { d.ID = record.StreamID{1} })
		}, ErrNoStream},
		{"nobody waits any more", nil, context.DeadlineExceeded},
	} {
		synctest.Test(t, func(t *testing.T) {
			w, _, o := flushed(t)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			if tt.then != nil {
				time.AfterFunc(time.Second, func() { tt.then(t, w) })
			}
			last, err := w.Await(ctx, o, func(Progress) {})
			if !errors.Is(err, tt.want) {
				t.Errorf("%s: %v", tt.name, err)
			}
			if last.String() != "0 of 3 records (30 B)" {
				t.Errorf("%s: the last progress was %s", tt.name, last)
			}
		})
	}
}

func TestProgressIsCountedByOutput(t *testing.T) {
	order := Order{Targets: []Target{
		{"data", 0, counts(0, 0), counts(10, 100)},
		{"data", 1, counts(5, 50), counts(10, 100)},
		{"backup", 0, counts(0, 0), counts(2, 0)},
		{"processing-failed", 0, counts(7, 70), counts(7, 70)},
	}}
	for _, tt := range []struct {
		name     string
		order    Order
		reached  []Reach
		text     string
		fraction float64
		done     bool
	}{
		{"nothing to do", Order{}, nil, "", 1, true},
		{"an output that is not known yet", order, nil, "data 0 of 15 records (150 B), backup 0 of 2 records (0 B)", 0, false},
		{
			"one shard is done", order, []Reach{{"data", 0, counts(10, 100)}, {"data", 1, counts(5, 50)}},
			"data 10 of 15 records (150 B), backup 0 of 2 records (0 B)", 100.0 / 150, false,
		},
		{
			"all is done and more", order, []Reach{{"data", 0, counts(99, 999)}, {"data", 1, counts(10, 100)}, {"backup", 0, counts(2, 0)}},
			"data 15 of 15 records (150 B), backup 2 of 2 records (0 B)", 1, true,
		},
		{
			"empty records", Order{Targets: []Target{{"data", 0, counts(0, 0), counts(4, 0)}}}, []Reach{{"data", 0, counts(1, 0)}},
			"1 of 4 records (0 B)", 0.25, false,
		},
	} {
		p, done := tt.order.progress(tt.reached)
		if p.String() != tt.text || p.Fraction() != tt.fraction || done != tt.done {
			t.Errorf("%s: %q %v %v", tt.name, p.String(), p.Fraction(), done)
		}
	}
}

package stage

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"hydrant/internal/record"
	"hydrant/internal/stream"
)

// update makes a pipeline that of the stream's next version.
func (w *world) update(p Pipeline) {
	w.t.Helper()
	w.line = p
	if err := w.m.Update(w.def); err != nil {
		w.t.Fatal(err)
	}
}

// hold makes the first write of the stage wait, and returns what tells that it does, and
// what lets it go on.
func (w *world) hold() (held, proceed chan struct{}) {
	held, proceed = make(chan struct{}), make(chan struct{})
	var writes int // of the one runner
	w.fault = func(*record.Tx) error {
		if writes++; writes == 1 {
			close(held)
			<-proceed
		}
		return nil
	}
	return held, proceed
}

// ended ends the stage and asserts that nothing is left in a pipeline, and no slot taken.
func (w *world) ended(inside *atomic.Int64) {
	w.t.Helper()
	if err := w.stop(); err != nil {
		w.t.Fatal(err)
	}
	if s := w.m.opt.Slots; len(s.first)+len(s.more) != 0 || inside.Load() != 0 {
		w.t.Fatalf("%d and %d slots are taken, %d batches in a pipeline", len(s.first), len(s.more), inside.Load())
	}
}

// named is a pipeline of single records, which writes its name to each. hangs says which it
// keeps until it is told to end; what it says of them then is not theirs.
func named(name string, inside *atomic.Int64, hangs func(data string) bool) Pipeline {
	return Pipeline{Bytes: 10, Parallel: 3, Steps: []Processor{
		batchStep(func(ctx context.Context, items []record.Item) ([]record.Item, error) {
			inside.Add(1)
			defer inside.Add(-1)
			if hangs(string(items[0].Data)) {
				<-ctx.Done()
				if items[0].Data[9]%2 == 0 { // a step that takes its end for a failure of the records
					items[0].Failure = &record.Failure{Output: record.ProcessingFailed, Code: "Cancelled"}
					return items, nil
				}
				return nil, ctx.Err()
			}
			items[0].Data = fmt.Appendf(nil, "%s %s", items[0].Data, name)
			return items, nil
		}),
	}}
}

func none(string) bool { return false }

// numbers are records, each as the pipeline of a name writes it; from the bound on, of
// another one.
func numbers(n, bound int, before, after string) (all []string) {
	for i := range n {
		name := before
		if i >= bound {
			name = after
		}
		all = append(all, fmt.Sprintf("record %03d%s", i, name))
	}
	return all
}

// A function hangs, and the stream is updated to name another: all that it holds goes there.
// What was processed before is stored as it is, and nothing twice or out of its order.
func TestAnUpdateReachesBatchesThatHang(t *testing.T) {
	for done := range 4 {
		t.Run(fmt.Sprint(done, " are done"), func(t *testing.T) {
			w := newWorld(t)
			var inside atomic.Int64
			bound := fmt.Sprintf("record %03d", done)
			w.line = named("old", &inside, func(data string) bool { return data >= bound })
			w.start()
			w.begin(start)
			for _, r := range numbers(10, 10, "", "") {
				w.put(r)
			}
			w.until("several hang", func() bool { return w.processed(done)() && inside.Load() >= 2 })
			w.update(named("new", &inside, none))
			w.until("all are processed", w.processed(10))
			if got := w.holds(record.Processed); !slices.Equal(got, numbers(10, done, " old", " new")) {
				t.Fatalf("got %q", got)
			}
			if a := w.check(); a.Taken.Records != 10 || len(w.failures) != 0 {
				t.Fatalf("account %+v, failures %q", a, w.failures)
			}
			w.ended(&inside)
		})
	}
}

// Batches that have come through the pipeline and wait for their turn to be stored stay as
// they are. One that has, behind one that has not, goes through the new pipeline.
func TestAnUpdateLeavesWhatIsProcessedAsItIs(t *testing.T) {
	for hanging := 1; hanging < 3; hanging++ {
		t.Run(fmt.Sprint(hanging, " hangs"), func(t *testing.T) {
			w := newWorld(t)
			var inside atomic.Int64
			w.line = named("old", &inside, func(data string) bool { return data == fmt.Sprintf("record %03d", hanging) })
			w.start()
			held, proceed := w.hold()
			for _, r := range numbers(5, 5, "", "") {
				w.put(r)
			}
			w.begin(start)
			<-held // its first write, so that its batches can be looked at
			for i, b := range w.m.runners[w.q].batches {
				if i != hanging {
					<-b.done
				}
			}
			w.update(named("new", &inside, none))
			close(proceed)
			w.until("all are processed", w.processed(5))
			if got := w.holds(record.Processed); !slices.Equal(got, numbers(5, hanging, " old", " new")) {
				t.Fatalf("got %q", got)
			}
			w.check()
			w.ended(&inside)
		})
	}
}

// A batch that went through the pipeline of one version is placed by the prefix of that
// version, whatever an update says meanwhile: another one may name other keys.
func TestABatchIsPlacedByTheVersionThatProcessedIt(t *testing.T) {
	w := newWorld(t)
	keyed := func(name string) Pipeline {
		return Pipeline{Bytes: 1, Parallel: 2, Prefix: byKey(name), Steps: []Processor{
			step(func(i *record.Item) { i.Queried = map[string]string{name: "a"} }),
		}}
	}
	w.line = keyed("old")
	w.start()
	held, proceed := w.hold()
	w.put("1")
	w.put("2")
	w.begin(start)
	<-held
	<-w.m.runners[w.q].batches[1].done
	w.update(keyed("new"))
	close(proceed)
	w.put("3")
	w.until("all are processed", w.processed(3))
	if got := w.in('a'); !slices.Equal(got, []string{"1", "2", "3"}) {
		t.Fatalf("got %q, failures %q", got, w.failures)
	}
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
}

// Updates that come faster than a batch takes hold a stream up while they come, and leave
// nothing behind. Under some of them its batches hang, under others they fail.
func TestUpdatesInQuickSuccession(t *testing.T) {
	w := newWorld(t)
	var inside atomic.Int64
	w.line = named("0", &inside, func(string) bool { return true })
	w.start()
	w.begin(start)
	for i, r := range numbers(40, 40, "", "") {
		w.put(r)
		p := named(fmt.Sprint(i), &inside, func(data string) bool { return i%3 != 0 || data > r })
		if i%5 == 0 {
			p.Steps = append(p.Steps, batchStep(func(context.Context, []record.Item) ([]record.Item, error) {
				return nil, errors.New("the service is away")
			}))
		}
		p.Bytes = 10 * (1 + i%2)
		w.update(p)
		time.Sleep(time.Duration(i%3) * 100 * time.Microsecond)
	}
	w.update(Pipeline{Bytes: 1 << 20, Parallel: 2})
	w.until("all are processed", w.processed(40))
	got := w.holds(record.Processed)
	for i := range got {
		got[i] = got[i][:min(len(got[i]), 10)]
	}
	if !slices.Equal(got, numbers(40, 40, "", "")) {
		t.Fatalf("got %q", got)
	}
	w.check()
	w.ended(&inside)
}

// An update ends the wait of a stream whose batches fail, and its failures are not the new
// pipeline's.
func TestAnUpdateEndsTheWaitOfAFailingStream(t *testing.T) {
	w := newWorld(t)
	var inside atomic.Int64
	w.line.Steps = []Processor{impossible{errors.New("the function has no name")}}
	w.start()
	w.begin(start)
	w.put("record 000")
	w.until("it has failed twice", func() bool { return w.m.Waiting(t.Context(), w.q).Fails >= 2 })
	w.update(named("new", &inside, func(string) bool { return true }))
	w.until("it is in the new pipeline", func() bool { return inside.Load() == 1 })
	if left := w.m.Waiting(t.Context(), w.q); left.Fails != 0 || left.LastError != "" || left.Oldest.IsZero() {
		t.Fatalf("waiting %+v", left)
	}
	w.update(Pipeline{Bytes: 10, Parallel: 1})
	w.until("it is processed", w.processed(1))
	w.ended(&inside)
}

// Nothing but its time and an update end a pause, also an update that came just before it.
func TestAPauseEndsWithAnUpdate(t *testing.T) {
	for name, c := range map[string]struct {
		before, within bool // an update comes
		most           time.Duration
	}{
		"none":   {most: maxPause},
		"within": {within: true, most: time.Second},
		"before": {before: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				former := new(version)
				r := &runner{wake: make(chan struct{}, 1), current: former, log: slog.New(slog.DiscardHandler)}
				r.version.Store(former)
				r.trouble.Store(&trouble{100, errShort})
				if c.before {
					r.version.Store(new(version))
				}
				r.nudge() // something was appended
				go func() {
					time.Sleep(time.Second)
					if c.within {
						r.version.Store(&version{def: new(stream.Definition)})
					}
					r.nudge()
				}()
				from := time.Now()
				r.pause(t.Context(), errShort)
				if took := time.Since(from); took > c.most || c.most == maxPause && took < maxPause/2 {
					t.Errorf("it took %v", took)
				}
				time.Sleep(2 * time.Second) // for the one who nudges
			})
		})
	}
}

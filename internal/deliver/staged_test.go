package deliver

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hydrant/internal/encode"
	"hydrant/internal/record"
	"hydrant/internal/stage"
	"hydrant/internal/stream"
)

// staged is the real stage as delivery knows it.
type staged struct{ *stage.Manager }

func (s staged) Account(q record.Queue) (Account, bool) {
	a, ok := s.Manager.Account(q)
	return Account(a), ok
}

// marking is a processor that keeps the records' numbers, and drops or fails some.
type marking struct{ w *world }

func (m marking) Process(_ context.Context, items []record.Item) ([]record.Item, error) {
	for i := range items {
		var n int
		if _, err := fmt.Sscanf(string(items[i].Data[:8]), "%d", &n); err != nil {
			return nil, err
		}
		switch {
		case m.w.drops > 0 && n%m.w.drops == 0:
			items[i].Dropped = true
		case m.w.fails > 0 && n%m.w.fails == 0:
			items[i].Failure = &record.Failure{Output: record.ProcessingFailed, Code: "X", Attempts: 1, Ended: time.Now()}
		}
	}
	return items, nil
}

// withStage has the world's records go through a stage.
func (w *world) withStage() *stage.Manager {
	return stage.NewManager(stage.Options{
		Log: w.log,
		Pipelines: func(d *stream.Definition) (stage.Pipeline, error) {
			p := stage.Pipeline{Bytes: 1 << 20, Parallel: 2}
			if processes(d) {
				p.Steps, p.Age = []stage.Processor{marking{w}}, w.lambdaAge
			}
			return p, w.partitionBy(&p, d)
		},
		Pieces:  rawPieces,
		Decoder: new(encode.Decoder), Slots: stage.NewSlots(1, 2), Now: time.Now, Partitions: placer{w}, Logger: w.quiet(),
		Join:      func(q record.Queue, wake func()) stage.Reader { return w.m.Join(q, wake) },
		OnAppend:  func(q record.Queue) { w.m.Wake(q) },
		OnFailure: func(*stream.Definition, *record.Failure) {},
	})
}

// rawPieces makes a piece of each record.
func rawPieces(_ context.Context, _ *stream.Definition, b record.Batch) (pieces []record.Piece, _ error) {
	data := b.Data
	for _, n := range b.Lengths {
		pieces = append(pieces, rawPiece(data[:n]))
		data = data[n:]
	}
	return pieces, nil
}

// processing is the definition's next version with processors, or with them switched off.
func (w *world) processing(on bool) *stream.Definition {
	d, s3 := *w.def, *w.def.S3
	d.Version++
	s3.Processing = &stream.ProcessingConfiguration{Enabled: on, Processors: []stream.Processor{{Type: "Lambda"}}}
	d.S3 = &s3
	return &d
}

// reconfigure stores a version, as the registry's hooks would tell of it.
func (w *world) reconfigure(d *stream.Definition) {
	w.t.Helper()
	if err := w.stage.Update(d); err != nil {
		w.t.Fatal(err)
	}
	w.update(d)
}

func TestProcessedRecordsAreDelivered(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 1, 5)
		w.drops, w.fails = 10, 7
		w.def = w.processing(true)
		w.start()
		defer w.stop()
		w.put(numberedRange(0, 40)...)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		l := w.check()
		if l.Dropped.Records != 4 || l.Failed.Records != 5 || l.Delivered.Records != 31 || l.Pending.Records != 0 {
			t.Fatalf("ledger %+v", l)
		}
		if s := w.status(); s.Failures.Delivered.Records != 5 || len(w.store.under("processing-failed/")) != 1 {
			t.Fatalf("failures %+v", s.Failures)
		}
	})
}

// Processing is switched on while records wait: those that are not in an object yet are
// processed. Switched off, they pass as they are, behind those that came before.
func TestProcessingIsSwitchedOnAndOff(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 1, 60)
		w.drops = 10
		w.start()
		w.put(numberedRange(1, 16)...) // a buffer full, and more
		time.Sleep(time.Second)
		w.put(numberedRange(16, 25)...)
		w.reconfigure(w.processing(true))
		w.put(numberedRange(25, 35)...)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		delivered := w.check().Delivered.Records
		if delivered < 31 || delivered > 33 { // 10, 20 and 30 are dropped, if they were not delivered before
			t.Fatalf("%d records are delivered", delivered)
		}
		if err := w.stop(); err != nil {
			t.Fatal(err)
		}
		w.start()
		w.reconfigure(w.processing(false))
		w.put(numberedRange(40, 41)...)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if l := w.check(); l.Delivered.Records != delivered+1 || l.Pending.Records != 0 {
			t.Fatalf("ledger %+v", l)
		}
		if err := w.stop(); err != nil {
			t.Fatal(err)
		}
	})
}

// The age of a buffer counts from when the stage had made its first record, and the object is
// named by when the source of it arrived.
func TestTheAgeOfProcessedRecordsBeginsWithTheirProcessing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 1, 60)
		w.lambdaAge = 50 * time.Second
		w.def = w.processing(true)
		w.start()
		defer w.stop()
		arrived := time.Now().UTC().Format("2006-01-02-15-04-05")
		w.put(numberedRange(0, 2)...) // processed after 50 s
		time.Sleep(100 * time.Second)
		w.put(numberedRange(2, 4)...) // after 150 s, for the next object
		w.once(0)
		time.Sleep(15 * time.Second)
		synctest.Wait()
		w.once(2)
		time.Sleep(90 * time.Second)
		synctest.Wait()
		w.once(2)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		w.once(4)
		w.store.mu.Lock()
		defer w.store.mu.Unlock()
		if n := len(slices.DeleteFunc(slices.Collect(maps.Keys(w.store.objects)), func(k string) bool { return !strings.Contains(k, arrived) })); n != 1 {
			t.Errorf("%d objects are named by %s: %q", n, arrived, slices.Collect(maps.Keys(w.store.objects)))
		}
	})
}

// Damage that took the end of what the stage had made is told as failed records, and nothing
// is pending for ever.
func TestALostEndOfWhatWasMadeCountsAsFailed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 1, 900)
		w.def = w.processing(true)
		w.start()
		w.put(numberedRange(0, 5)...)
		time.Sleep(time.Second)
		if err := w.stop(); err != nil {
			t.Fatal(err)
		}
		made := w.q
		made.Output = record.Processed
		w.log.entries[made] = w.log.entries[made][:3]
		w.start()
		defer w.stop()
		w.put(numberedRange(5, 6)...)
		time.Sleep(20 * time.Minute)
		synctest.Wait()
		if l := w.check(); l.Failed.Records != 2 || l.Delivered.Records != 4 || l.Pending.Records != 0 {
			t.Fatalf("ledger %+v", l)
		}
	})
}

// A flush goes through the processors, whose batches would wait for their own age.
func TestAFlushGoesThroughTheProcessors(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 1, 900)
		w.lambdaAge = 10 * time.Minute
		w.def = w.processing(true)
		w.start()
		defer w.stop()
		w.put(numberedRange(0, 5)...)
		time.Sleep(time.Second)
		targets := w.flush()
		time.Sleep(time.Second)
		synctest.Wait()
		w.once(5)
		if s := w.status(); targets[0].Until.Records != 5 || s.Queues[0].Done != targets[0].Until {
			t.Fatalf("targets %+v, status %+v", targets, s)
		}
		w.fails = 5
		w.put(numberedRange(5, 8)...) // behind the flush
		time.Sleep(time.Minute)
		synctest.Wait()
		w.once(5)
		w.flush() // with the first failure that there is
		time.Sleep(time.Second)
		synctest.Wait()
		if s := w.status(); s.Delivered.Records != 7 || s.Failures.Delivered.Records != 1 {
			t.Fatalf("status %+v", s)
		}
	})
}

func TestADeletedStreamLeavesNothingOfItsProcessing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 1, 900)
		w.drops = 3
		w.def = w.processing(true)
		w.start()
		defer w.stop()
		w.put(numberedRange(0, 6)...)
		time.Sleep(time.Second)
		synctest.Wait()
		if err := w.stage.Halt(t.Context(), w.def.ID); err != nil {
			t.Fatal(err)
		}
		w.put0(numberedRange(6, 8)...)
		if err := w.m.Discard(t.Context(), w.def); err != nil {
			t.Fatal(err)
		}
		w.stage.Forgotten(w.def.ID)
		if l := w.check(); l.Dropped.Records != 2 || l.Discarded.Records != 6 || l.Received.Records != 8 {
			t.Fatalf("ledger %+v", l)
		}
		w.log.mu.Lock()
		defer w.log.mu.Unlock()
		if len(w.log.entries) != 0 || len(w.log.states) != 1 { // the ledger
			t.Fatalf("%d queues and %d states are left", len(w.log.entries), len(w.log.states))
		}
	})
}

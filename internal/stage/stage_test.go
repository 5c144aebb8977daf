package stage

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"hydrant/internal/encode"
	"hydrant/internal/journal/pebble"
	"hydrant/internal/record"
	"hydrant/internal/stream"
)

// world is a journal and the stage over it, which can be killed and started anew.
type world struct {
	t      *testing.T
	engine *pebble.Engine
	def    *stream.Definition
	q      record.Queue
	m      *Manager
	stop   func() error

	mu       sync.Mutex
	line     Pipeline
	grown    map[record.Output]int
	passed   record.Mark
	trims    []record.Trim
	failures []string
	fault    func(tx *record.Tx) error // of Apply, before it is done
}

func newWorld(t *testing.T) *world {
	e, err := pebble.Open(t.Context(), pebble.Options{Dir: "/journal", FS: vfs.NewMem(), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	d := &stream.Definition{ID: record.StreamID{1}, Name: "clicks", Version: 1, Shards: 1}
	w := &world{t: t, engine: e, def: d, q: record.Queue{Stream: d.ID}, grown: map[record.Output]int{}}
	w.line = Pipeline{Steps: []Processor{step(func(i *record.Item) { i.Data = bytes.ToUpper(i.Data) })}, Bytes: 1 << 20, Parallel: 3}
	return w
}

// faulty is the journal with the world's faults.
type faulty struct {
	*pebble.Engine
	w *world
}

func (f faulty) Apply(ctx context.Context, tx *record.Tx) error {
	f.w.mu.Lock()
	fault := f.w.fault
	f.w.mu.Unlock()
	if fault != nil {
		if err := fault(tx); err != nil {
			return err
		}
	}
	return f.Engine.Apply(ctx, tx)
}

// reader notes what the stage has passed, and trims nothing unless it is told to.
type reader struct{ w *world }

func (r reader) DueTrim(record.Mark) []record.Trim {
	r.w.mu.Lock()
	defer r.w.mu.Unlock()
	return r.w.trims
}

func (r reader) UntilTrim() time.Duration { return 0 }
func (r reader) Leave()                   {}
func (r reader) Pass(to record.Mark, _ []record.Trim) {
	r.w.mu.Lock()
	defer r.w.mu.Unlock()
	r.w.passed = to
}

// step is a processor of one record at a time.
type step func(*record.Item)

func (s step) Process(_ context.Context, items []record.Item) ([]record.Item, error) {
	for i := range items {
		if items[i].Goes() {
			s(&items[i])
		}
	}
	return items, nil
}

// batchStep is a processor of whole batches.
type batchStep func(context.Context, []record.Item) ([]record.Item, error)

func (s batchStep) Process(ctx context.Context, items []record.Item) ([]record.Item, error) {
	return s(ctx, items)
}

func (w *world) start() {
	w.t.Helper()
	w.m = NewManager(Options{
		Log:       faulty{w.engine, w},
		Pipelines: func(*stream.Definition) (Pipeline, error) { return w.line, nil },
		Pieces: func(_ context.Context, _ *stream.Definition, b record.Batch) ([]record.Piece, error) {
			return []record.Piece{piece(b)}, nil
		},
		Partitions: shelf{}, Decoder: new(encode.Decoder), Slots: NewSlots(1, 2), Now: time.Now, Logger: slog.New(slog.DiscardHandler),
		Join: func(record.Queue, func()) Reader { return reader{w} },
		OnAppend: func(q record.Queue) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.grown[q.Output]++
		},
		OnFailure: func(_ *stream.Definition, f *record.Failure) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.failures = append(w.failures, f.Code)
		},
	})
	if err := w.m.Start(w.t.Context(), w.def); err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.m.Run(ctx) }()
	w.stop = func() error { cancel(); return <-done }
}

// begin makes the processing begin at a mark, as delivery does.
func (w *world) begin(at record.Mark) {
	w.t.Helper()
	write, err := w.m.Begin(w.q, at)
	if err != nil {
		w.t.Fatal(err)
	}
	if err := w.engine.Apply(w.t.Context(), &record.Tx{States: []record.StateWrite{write}}); err != nil {
		w.t.Fatal(err)
	}
	w.m.Began(w.q, at)
}

var start = record.Mark{Position: record.Position{Entry: 1}}

func piece(b record.Batch) record.Piece {
	return record.Piece{
		RawBytes: uint32(len(b.Data)), RawCRC: crc32.ChecksumIEEE(b.Data), Lengths: slices.Clone(b.Lengths), Stored: bytes.Clone(b.Data),
	}
}

// put stores records as one entry.
func (w *world) put(records ...string) {
	w.t.Helper()
	b := record.Batch{Data: []byte(strings.Join(records, ""))}
	for _, r := range records {
		b.Lengths = append(b.Lengths, uint32(len(r)))
	}
	tx := &record.Tx{Appends: []record.Append{{Queue: w.q, Arrival: time.Now(), Pieces: []record.Piece{piece(b)}}}}
	if err := w.engine.Apply(w.t.Context(), tx); err != nil {
		w.t.Fatal(err)
	}
	w.m.mu.Lock()
	a := w.m.runners[w.q]
	w.m.mu.Unlock()
	if a != nil {
		a.nudge()
	}
}

// holds returns the records of an output.
func (w *world) holds(o record.Output) (all []string) {
	w.t.Helper()
	q := w.q
	q.Output = o
	err := w.engine.Read(w.t.Context(), q, 1, func(e *record.Entry) error {
		b := e.Stored
		for _, n := range e.Lengths {
			all, b = append(all, string(b[:n])), b[n:]
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}

// until waits for something that the stage does in its own time.
func (w *world) until(what string, done func() bool) {
	w.t.Helper()
	for end := time.Now().Add(time.Minute); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			w.t.Fatalf("waited in vain until %s", what)
		}
	}
}

func (w *world) processed(n int) func() bool {
	return func() bool {
		a, _ := w.m.Account(w.q)
		return a.Checkpoint.Before.Records >= uint64(n)
	}
}

// check asserts that the account adds up.
func (w *world) check() Account {
	w.t.Helper()
	a, ok := w.m.Account(w.q)
	if !ok || a.Began.Before.Add(a.Taken).Add(a.Dropped).Add(a.Failed) != a.Checkpoint.Before {
		w.t.Fatalf("the account does not add up: %+v", a)
	}
	return a
}

func wanted(from, to int) (all []string) {
	for i := from; i < to; i++ {
		all = append(all, fmt.Sprintf("RECORD %03d", i))
	}
	return all
}

func TestRecordsArriveProcessedInOrder(t *testing.T) {
	w := newWorld(t)
	w.line.Bytes = 25 // two records
	w.start()
	w.begin(start)
	for i := range 100 {
		w.put(fmt.Sprintf("record %03d", i))
	}
	w.until("all are processed", w.processed(100))
	if got := w.holds(record.Processed); !slices.Equal(got, wanted(0, 100)) {
		t.Fatalf("got %q", got)
	}
	if a := w.check(); a.Taken.Records != 100 || a.Made != a.Taken {
		t.Fatalf("account %+v", a)
	}
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	if w.passed.Before.Records != 100 || w.grown[record.Processed] == 0 {
		t.Fatalf("passed %+v, told of %v", w.passed, w.grown)
	}
}

// What was delivered as it came before processing began is none of the stage's business.
func TestProcessingBeginsWhereItIsTold(t *testing.T) {
	w := newWorld(t)
	w.start()
	w.put("record 000", "record 001", "record 002", "record 003")
	w.begin(record.Mark{Position: record.Position{Entry: 1, Index: 2}, Before: record.Counts{Records: 2, Bytes: 20}})
	w.put("record 004")
	w.until("all are processed", w.processed(5))
	if got := w.holds(record.Processed); !slices.Equal(got, wanted(2, 5)) {
		t.Fatalf("got %q", got)
	}
	w.check()
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
}

// The process dies around the write of a batch: the processors see the records twice, the
// outputs once.
func TestEachRecordIsProcessedOnceForGood(t *testing.T) {
	for _, stored := range []bool{false, true} {
		t.Run(fmt.Sprintf("stored=%v", stored), func(t *testing.T) {
			w := newWorld(t)
			var calls int
			w.line.Steps = []Processor{step(func(i *record.Item) {
				calls++ // one batch at a time: Parallel is 1
				i.Data = fmt.Appendf(nil, "%s in call %d", i.Data, calls)
			})}
			w.line.Parallel = 1
			w.start()
			w.put("a", "b", "c")
			struck := make(chan struct{})
			w.fault = func(tx *record.Tx) error {
				close(struck)
				if stored {
					if err := w.engine.Apply(context.Background(), tx); err != nil {
						return err
					}
				}
				return record.ErrUncertain
			}
			w.begin(start)
			<-struck
			w.until("it has failed", func() bool { w.m.mu.Lock(); defer w.m.mu.Unlock(); return !w.m.running })
			if err := w.stop(); !errors.Is(err, record.ErrUncertain) {
				t.Fatalf("Run returned %v", err)
			}
			w.fault = nil
			w.start()
			w.until("all are processed", w.processed(3))
			first := 4
			if stored {
				first = 1
			}
			want := []string{fmt.Sprintf("a in call %d", first), fmt.Sprintf("b in call %d", first+1), fmt.Sprintf("c in call %d", first+2)}
			if got := w.holds(record.Processed); !slices.Equal(got, want) {
				t.Fatalf("got %q, want %q", got, want)
			}
			w.check()
			if err := w.stop(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestFailedAndDroppedRecordsAreAccountedFor(t *testing.T) {
	w := newWorld(t)
	ended := time.UnixMilli(1768471260456)
	w.line.Steps = append([]Processor{step(func(i *record.Item) {
		switch string(i.Data) {
		case "drop":
			i.Dropped = true
		case "fail":
			i.Failure = &record.Failure{Output: record.ProcessingFailed, Code: "Lambda.X", Message: "no", Attempts: 2, Ended: ended, Function: "arn:f"}
		case "large":
			i.Data = make([]byte, record.MaxProducedBytes+1)
		}
	})}, w.line.Steps...)
	w.start()
	w.begin(start)
	w.put("good", "drop", "fail", "large", "fail", "fine")
	w.until("all are processed", w.processed(6))
	a := w.check()
	if a.Taken.Records != 2 || a.Made.Records != 2 || a.Dropped.Records != 1 || a.Failed.Records != 3 {
		t.Fatalf("account %+v", a)
	}
	if got := w.holds(record.Processed); !slices.Equal(got, []string{"GOOD", "FINE"}) {
		t.Fatalf("got %q", got)
	}
	failed := w.holds(record.ProcessingFailed)
	if len(failed) != 3 || !strings.HasPrefix(failed[0], `{"rawData":"ZmFpbA==","errorCode":"Lambda.X","errorMessage":"no","attemptsMade":2,`) {
		t.Fatalf("failure records %q", failed)
	}
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(w.failures, []string{"Lambda.X", "Processing.RecordTooLarge"}) {
		t.Fatalf("told of %q", w.failures)
	}
}

// A record that is taken apart is one record of the account, whatever becomes of its parts.
func TestRecordsThatAreTakenApart(t *testing.T) {
	w := newWorld(t)
	w.line.Steps = []Processor{batchStep(func(_ context.Context, items []record.Item) (out []record.Item, _ error) {
		for _, i := range items {
			for n, part := range strings.Split(string(i.Data), ",") {
				p := i
				p.ID, p.Data = fmt.Sprintf("%s.%d", i.ID, n), []byte(part)
				p.Dropped = part == "-"
				out = append(out, p)
			}
		}
		return out, nil
	})}
	w.start()
	w.begin(start)
	w.put("a,b,c", "-", "-,d")
	w.until("all are processed", w.processed(3))
	if a := w.check(); a.Taken.Records != 2 || a.Made.Records != 4 || a.Dropped.Records != 1 {
		t.Fatalf("account %+v", a)
	}
	if got := w.holds(record.Processed); !slices.Equal(got, []string{"a", "b", "c", "d"}) {
		t.Fatalf("got %q", got)
	}
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
}

// A batch that cannot be processed now is tried again; nothing overtakes it.
func TestABatchThatFailsIsTriedAgain(t *testing.T) {
	w := newWorld(t)
	w.line.Bytes = 10 // one record
	var mu sync.Mutex
	tries := map[string]int{}
	w.line.Steps = append(w.line.Steps, batchStep(func(_ context.Context, items []record.Item) ([]record.Item, error) {
		mu.Lock()
		defer mu.Unlock()
		if id := string(items[0].Data); id == "RECORD 002" && tries[id] < 3 {
			tries[id]++
			return nil, errors.New("the service is away")
		}
		return items, nil
	}))
	w.start()
	w.begin(start)
	for i := range 10 {
		w.put(fmt.Sprintf("record %03d", i))
	}
	w.until("all are processed", w.processed(10))
	if got := w.holds(record.Processed); !slices.Equal(got, wanted(0, 10)) {
		t.Fatalf("got %q", got)
	}
	if left := w.m.Waiting(t.Context(), w.q); left != (Waiting{}) {
		t.Fatalf("still said to wait: %+v", left)
	}
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
}

func TestBatchesWaitForTheirAgeOrAFlush(t *testing.T) {
	w := newWorld(t)
	w.line.Age = time.Hour
	w.start()
	w.begin(start)
	w.put("record 000")
	w.m.Flush(w.q, record.Mark{Position: record.Position{Entry: 2}})
	w.until("it is processed", w.processed(1))
	w.put("record 001")
	w.put(strings.Repeat("x", w.line.Bytes)) // by size
	w.until("all are processed", w.processed(2))
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
}

func TestAnUpdateChangesThePipeline(t *testing.T) {
	w := newWorld(t)
	w.start()
	w.begin(start)
	w.put("a")
	w.until("it is processed", w.processed(1))
	w.line = Pipeline{Bytes: 1 << 20, Parallel: 1} // switched off
	if err := w.m.Update(w.def); err != nil {
		t.Fatal(err)
	}
	w.put("b")
	w.until("all are processed", w.processed(2))
	if got := w.holds(record.Processed); !slices.Equal(got, []string{"A", "b"}) {
		t.Fatalf("got %q", got)
	}
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
}

// shelf has a queue for each prefix, by its first letter; there is none for z.
type shelf struct{}

func (shelf) Place(q record.Queue, shares []record.Share) (record.Placement, error) {
	p := record.Placement{Queues: make([]record.Queue, len(shares)), Done: func(bool) {}}
	for i := range shares {
		if shares[i].Prefix != "z" {
			p.Queues[i] = q.Partition(uint32(shares[i].Prefix[0]))
		}
	}
	return p, nil
}

// byKey is the prefix of an item: the key of a name. Without it the item fails.
func byKey(name string) func([]byte, *record.Item) ([]byte, *record.Failure) {
	return func(dst []byte, i *record.Item) ([]byte, *record.Failure) {
		if i.Queried[name] == "" {
			return dst, &record.Failure{Output: record.ProcessingFailed, Code: "no " + name}
		}
		return append(dst, i.Queried[name]...), nil
	}
}

// in are the records of a partition.
func (w *world) in(prefix byte) (all []string) {
	w.t.Helper()
	err := w.engine.Read(w.t.Context(), w.q.Partition(uint32(prefix)), 1, func(e *record.Entry) error {
		at := uint32(0)
		for _, n := range e.Lengths {
			all = append(all, string(e.Stored[at:at+n]))
			at += n
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}

func TestRecordsGoToTheirPartitions(t *testing.T) {
	w := newWorld(t)
	key := step(func(i *record.Item) { i.Queried = map[string]string{"k": strings.Trim(string(i.Data[:1]), "-")} })
	w.line = Pipeline{Bytes: 1 << 20, Parallel: 1, Steps: []Processor{key}, Prefix: byKey("k")}
	w.start()
	w.begin(start)
	w.put("a1", "b1", "a2", "-3", "z4", "b5")
	w.until("all are processed", w.processed(6))
	if a, b := w.in('a'), w.in('b'); !slices.Equal(a, []string{"a1", "a2"}) || !slices.Equal(b, []string{"b1", "b5"}) {
		t.Fatalf("got %q and %q", a, b)
	}
	if len(w.holds(record.ProcessingFailed)) != 2 || !slices.Equal(w.failures, []string{"no k", "DynamicPartitioning.ActivePartitionsLimitExceeded"}) {
		t.Fatalf("failures %q", w.failures)
	}
	if a := w.check(); a.Made.Records != 4 || a.Failed.Records != 2 {
		t.Fatalf("account %+v", a)
	}
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
}

func TestADeletedStreamsProcessingEnds(t *testing.T) {
	w := newWorld(t)
	hang := make(chan struct{})
	w.line.Steps = []Processor{batchStep(func(ctx context.Context, items []record.Item) ([]record.Item, error) {
		close(hang)
		<-ctx.Done()
		return nil, ctx.Err()
	})}
	w.start()
	w.begin(start)
	w.put("a")
	<-hang
	if err := w.m.Halt(t.Context(), w.def.ID); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.m.Start(t.Context(), w.def), w.m.Halt(t.Context(), w.def.ID)); err != nil { // once more
		t.Fatal(err)
	}
	forget := w.m.Forget(w.q)
	if err := w.engine.Apply(t.Context(), &record.Tx{States: forget}); err != nil || len(forget) != 1 {
		t.Fatalf("%v, %v", forget, err)
	}
	w.m.Forgotten(w.def.ID)
	if _, ok := w.m.Account(w.q); ok {
		t.Fatal("there is an account still")
	}
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
}

// A stream whose function hangs with every batch it can get keeps no other from going on.
func TestAStreamThatHangsLeavesRoomForOthers(t *testing.T) {
	slots := NewSlots(2, 1)
	var held []slot
	for i := range 4 {
		if s, ok := slots.take(t.Context(), i == 0); ok {
			held = append(held, s)
		}
	}
	if len(held) != 2 {
		t.Fatalf("one stream holds %d slots", len(held))
	}
	other, ok := slots.take(t.Context(), true)
	if !ok {
		t.Fatal("there is none for another stream")
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, ok := slots.take(ended, true); ok {
		t.Fatal("a third stream got one of two")
	}
	other.release()
	for _, s := range held {
		s.release()
	}
	if _, ok := slots.take(t.Context(), false); !ok {
		t.Fatal("what was released is not there")
	}
}

// Damage took the end of the ingest log, which was processed already: what comes next must
// not take the places that the stage has passed.
func TestADamagedEndOfTheIngestLogSwallowsNoNewRecords(t *testing.T) {
	w := newWorld(t)
	at := record.Mark{Position: record.Position{Entry: 7, Index: 2}, Before: record.Counts{Records: 9, Bytes: 90}}
	write, err := new(saved).write(w.q, Account{Began: start, Checkpoint: at, Taken: at.Before, Made: at.Before})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.engine.Apply(t.Context(), &record.Tx{States: []record.StateWrite{write}}); err != nil {
		t.Fatal(err)
	}
	w.start()
	w.put("record 009")
	w.until("it is processed", w.processed(10))
	if got := w.holds(record.Processed); !slices.Equal(got, wanted(9, 10)) {
		t.Fatalf("got %q", got)
	}
	w.check()
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
}

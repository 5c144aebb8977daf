package deliver

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hydrant/internal/record"
	"hydrant/internal/stage"
	"hydrant/internal/stream"
)

// placer finds the partitions of the world's manager.
type placer struct{ w *world }

func (p placer) Place(q record.Queue, shares []record.Share) (record.Placement, error) {
	return p.w.m.Place(q, shares)
}

// partitionBy gives each record the key that is its number modulo w.keys; those of number 999
// and above have none.
func (w *world) partitionBy(p *stage.Pipeline, d *stream.Definition) error {
	if !d.S3.Partitions() {
		return nil
	}
	prefixes, err := w.m.Partitioner(d)
	p.Prefix = func(dst []byte, i *record.Item) ([]byte, *record.Failure) {
		var n int
		if _, err := fmt.Sscanf(string(i.Data[:8]), "%d", &n); err != nil {
			return nil, &record.Failure{Output: record.ProcessingFailed, Code: "X", Message: err.Error()}
		}
		keys := map[string]string{"k": fmt.Sprint(n % w.keys)}
		if n >= 999 {
			keys = nil
		}
		prefix, err := prefixes.Append(dst, i.Arrival, keys, nil)
		if err != nil {
			return nil, &record.Failure{Output: record.ProcessingFailed, Code: "K", Message: err.Error()}
		}
		return prefix, nil
	}
	return err
}

// partitioned makes the world's stream one with so many partitions.
func (w *world) partitioned(keys int) {
	w.keys = keys
	prefix, failed := "k=!{partitionKeyFromQuery:k}/", "e/!{firehose:error-output-type}/"
	w.def = w.processing(true)
	w.def.S3.Prefix, w.def.S3.ErrorOutputPrefix = &prefix, &failed
	w.def.S3.Partitioning = &stream.DynamicPartitioningOptions{Enabled: true}
}

// inPartitions asserts that the records from 0 to n-1 are there, each once, in order, and in
// its partition.
func (w *world) inPartitions(n int) {
	w.t.Helper()
	w.once(n)
	for k := range w.keys {
		for _, b := range w.store.under(fmt.Sprintf("k=%d/", k)) {
			for ; len(b) > 0; b = b[recordSize:] {
				var i int
				if _, err := fmt.Sscanf(string(b[:8]), "%d", &i); err != nil || i%w.keys != k {
					w.t.Fatalf("record %d is in partition %d", i, k)
				}
			}
		}
	}
}

// partitionsKnown asserts that nothing is left to learn of partitions, all of which are
// delivered: only then their ledger can tell what damage took.
func (w *world) partitionsKnown() {
	w.t.Helper()
	p := w.m.streams[w.def.ID].runners[0].parts
	p.mu.Lock()
	defer p.mu.Unlock()
	if done := p.total.Delivered.Add(p.total.Failed); p.unknown != 0 || len(p.all) != 0 || p.arrived != done {
		w.t.Fatalf("%d partitions, %d of them unknown; %+v came in, and %+v are done", len(p.all), p.unknown, p.arrived, done)
	}
}

// A partition is delivered at its own size or age, and then it is gone.
func TestAPartitionHasABufferOfItsOwn(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 1, 60)
		w.partitioned(10)
		w.start()
		defer w.stop()
		for i := range 15 { // 15 of 16 that make a buffer full
			w.put(numbered(10 * i))
		}
		w.put(numberedRange(1, 5)...)
		time.Sleep(time.Second)
		synctest.Wait()
		if n := w.store.visible(); n != 0 {
			t.Fatalf("%d objects before any is due", n)
		}
		if s := w.status(); s.Partitions != 5 || s.Pending.Records != 19 {
			t.Fatalf("%d partitions, %d records pending", s.Partitions, s.Pending.Records)
		}
		w.put(numbered(150), numbered(160)) // the first partition is full, and another one begins
		time.Sleep(time.Second)
		synctest.Wait()
		if got := w.store.under("k=0/"); len(got) != 1 || len(got[0]) != 15*recordSize && len(got[0]) != 16*recordSize {
			t.Fatalf("%d objects of the full partition", len(got))
		}
		time.Sleep(70 * time.Second)
		synctest.Wait()
		if n := w.store.visible(); n != 6 {
			t.Fatalf("%d objects", n)
		}
		l, s := w.check(), w.status()
		if l.Delivered.Records != 21 || l.Pending.Records != 0 || s.Partitions != 0 {
			t.Fatalf("ledger %+v, %d partitions", l, s.Partitions)
		}
		w.log.mu.Lock()
		defer w.log.mu.Unlock()
		for q := range w.log.entries {
			if q.Output == record.Partition {
				t.Errorf("%s is left", q)
			}
		}
	})
}

// What has no key, or would open one partition too many, lands in the error output.
func TestRecordsWithoutAPartitionFail(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 1, 5)
		w.partitioned(10)
		w.quota = 3
		w.start()
		defer w.stop()
		w.put(numberedRange(0, 6)...)
		w.put(numberedRange(0, 3)...)
		w.put(numbered(1000))
		time.Sleep(20 * time.Second)
		synctest.Wait()
		s := w.status()
		if s.Delivered.Records != 6 || s.Failed.Records != 4 || s.Refused == 0 {
			t.Fatalf("status %+v", s)
		}
		var lines []string
		for _, b := range w.store.under("e/processing-failed/") {
			lines = append(lines, strings.Split(strings.TrimSpace(string(b)), "\n")...)
		}
		limit := 0
		for _, l := range lines {
			if strings.Contains(l, "DynamicPartitioning.ActivePartitionsLimitExceeded") {
				limit++
			}
		}
		if len(lines) != 4 || limit != 3 || !strings.Contains(strings.Join(lines, ""), `"errorCode":"K"`) {
			t.Fatalf("failures %q", lines)
		}
	})
}

// Each call to the store fails twice: nothing was done, or it was done and nobody said so.
func TestPartitionsAreDeliveredThroughAStoreThatFails(t *testing.T) {
	for _, op := range []string{"put", "begin", "part", "complete"} {
		for _, done := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/done=%v", op, done), func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					w := newWorld(t, 1, 5)
					w.partitioned(3)
					failed := map[string]int{}
					w.store.fault = func(called, key string) (bool, error) {
						if called != op || failed[key] >= 2 {
							return false, nil
						}
						failed[key]++
						return done, errors.New("the store is sick")
					}
					w.start()
					w.put(numberedRange(0, 60)...)
					time.Sleep(time.Hour)
					synctest.Wait()
					w.inPartitions(60)
					w.check()
					if err := w.stop(); err != nil {
						t.Fatal(err)
					}
				})
			})
		}
	}
}

// Damage may take the state of a partition and leave its records. They belong nowhere, and
// never come into the next partition of that number.
func TestWhatIsLeftOfAPartitionIsNotTakenForAnothersRecords(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 1, 60)
		w.partitioned(2)
		w.start()
		w.put(numberedRange(0, 4)...)
		time.Sleep(time.Second)
		if err := w.stop(); err != nil {
			t.Fatal(err)
		}
		w.log.mu.Lock()
		taken := 0
		for key := range w.log.states {
			if strings.Contains(string(w.log.states[key].Value), `"k=1/`) { // the last number given out
				delete(w.log.states, key)
				taken++
			}
		}
		w.log.mu.Unlock()
		if taken != 1 {
			t.Fatalf("%d states taken", taken)
		}
		w.start()
		defer w.stop()
		w.put(numberedRange(4, 8)...)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		got := map[string]string{}
		for _, k := range []string{"k=0/", "k=1/"} {
			for _, b := range w.store.under(k) {
				for ; len(b) > 0; b = b[recordSize:] {
					got[k] += fmt.Sprint(strings.TrimLeft(string(b[:7]), "0"), string(b[7]), " ")
				}
			}
		}
		if want := map[string]string{"k=0/": "0 2 4 6 ", "k=1/": "5 7 "}; !maps.Equal(got, want) {
			t.Errorf("delivered %q, want %q", got, want)
		}
		if l := w.check(); l.Delivered.Records != 6 || l.Failed.Records != 2 {
			t.Errorf("the ledger says %+v", l)
		}
	})
}

// An open partition outlives a restart, and its age goes on.
func TestOpenPartitionsOutliveARestart(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 1, 60)
		w.partitioned(2)
		w.start()
		w.put(numberedRange(0, 4)...)
		time.Sleep(40 * time.Second)
		if err := w.stop(); err != nil {
			t.Fatal(err)
		}
		w.start()
		defer w.stop()
		w.put(numberedRange(4, 6)...)
		time.Sleep(25 * time.Second)
		synctest.Wait()
		w.inPartitions(6)
		if n := w.store.visible(); n != 2 {
			t.Fatalf("%d objects: the records of both lives belong together", n)
		}
	})
}

func TestAFlushDeliversAllPartitions(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 1, 900)
		w.partitioned(5)
		w.lambdaAge = 10 * time.Minute
		w.start()
		defer w.stop()
		w.put(numberedRange(0, 12)...)
		time.Sleep(time.Second)
		targets := w.flush()
		time.Sleep(time.Second)
		synctest.Wait()
		w.inPartitions(12)
		if s := w.status(); targets[0].Until.Records != 12 || s.Queues[0].Done != targets[0].Until {
			t.Fatalf("targets %+v, status %+v", targets, s)
		}
		w.put(numberedRange(12, 14)...)
		time.Sleep(11 * time.Minute)
		synctest.Wait()
		w.inPartitions(12) // a flush is for what was there
		w.flush()          // all of it was processed before
		time.Sleep(time.Second)
		synctest.Wait()
		w.inPartitions(14)
	})
}

func TestAPausedStreamKeepsItsPartitions(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 1, 5)
		w.partitioned(3)
		w.start()
		defer w.stop()
		paused := *w.def
		paused.Paused = true
		w.reconfigure(&paused)
		w.put(numberedRange(0, 60)...)
		time.Sleep(time.Hour)
		synctest.Wait()
		if n := w.store.visible(); n != 0 {
			t.Fatalf("%d objects of a paused stream", n)
		}
		resumed := *w.def
		resumed.Paused = false
		w.reconfigure(&resumed)
		time.Sleep(time.Minute)
		synctest.Wait()
		w.inPartitions(60)
	})
}

// A stream whose store is gone is deleted: what its partitions hold is discarded, and nothing
// of them is left.
func TestADeletedStreamLeavesNoPartitions(t *testing.T) {
	for _, sick := range []bool{false, true} {
		t.Run(fmt.Sprintf("sick=%v", sick), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, 1, 5)
				w.partitioned(3)
				w.start()
				defer w.stop()
				if sick {
					w.store.fault = func(string, string) (bool, error) { return false, errors.New("the store is gone") }
				}
				w.put(numberedRange(0, 6)...)
				time.Sleep(10 * time.Second)
				w.put(numberedRange(6, 9)...)
				time.Sleep(time.Second)
				if err := w.stage.Halt(t.Context(), w.def.ID); err != nil {
					t.Fatal(err)
				}
				if err := w.m.Discard(t.Context(), w.def); err != nil {
					t.Fatal(err)
				}
				w.stage.Forgotten(w.def.ID)
				want := uint64(3)
				if sick {
					want = 9
				}
				if l := w.check(); l.Discarded.Records != want || l.Received.Records != 9 || l.Delivered.Records != 9-want {
					t.Fatalf("ledger %+v", l)
				}
				w.log.mu.Lock()
				defer w.log.mu.Unlock()
				if len(w.log.entries) != 0 || len(w.log.states) != 1 { // the ledger
					t.Fatalf("%d queues and %d states are left: %v", len(w.log.entries), len(w.log.states), slices.Sorted(maps.Keys(w.log.states)))
				}
			})
		})
	}
}

// A partition has outgrown a buffer that an update has made smaller: it takes several objects,
// of which the store takes one. Then the stream is deleted.
func TestADeletionAfterOneOfSeveralObjects(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 3, 60)
		w.partitioned(1)
		puts := 0
		w.store.fault = func(op, _ string) (bool, error) {
			if op == "complete" || op == "put" {
				if puts++; puts > 1 {
					return false, errors.New("the store is gone")
				}
			}
			return false, nil
		}
		w.start()
		defer w.stop()
		w.put(numberedRange(0, 40)...)
		time.Sleep(time.Second)
		d, s3 := *w.def, *w.def.S3
		d.Version++
		s3.BufferingHints.SizeInMBs = 1
		d.S3 = &s3
		w.reconfigure(&d)
		time.Sleep(70 * time.Second)
		synctest.Wait()
		if n := w.store.visible(); n != 1 {
			t.Fatalf("%d objects", n)
		}
		if err := w.stage.Halt(t.Context(), w.def.ID); err != nil {
			t.Fatal(err)
		}
		if err := w.m.Discard(t.Context(), w.def); err != nil {
			t.Fatal(err)
		}
		w.stage.Forgotten(w.def.ID)
		l := w.m.Statuses(t.Context())[0].Ledger
		n := 0
		for _, b := range w.store.under("") {
			n += len(b) / recordSize
		}
		if int(l.Delivered.Records) != n || l.Delivered.Records+l.Discarded.Records != 40 {
			t.Errorf("ledger %+v; the store holds %d records", l, n)
		}
	})
}

// A partition is full and cannot be delivered; its successor opens after the clock was set
// back. After a restart the successor must still be the one that is open.
func TestPartitionsKeepTheirOrderThoughTheClockIsSetBack(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 1, 900)
		w.partitioned(1)
		w.start()
		paused := *w.def
		paused.Paused = true
		w.reconfigure(&paused)
		w.put(numberedRange(0, 12)...)
		time.Sleep(time.Second)
		w.clock.Store(int64(-time.Hour))
		w.put(numberedRange(12, 22)...) // too much for the first
		time.Sleep(time.Second)
		if err := w.stop(); err != nil {
			t.Fatal(err)
		}
		w.start()
		defer w.stop()
		w.put(numberedRange(22, 24)...)
		time.Sleep(time.Second)
		resumed := *w.def
		resumed.Paused = false
		w.reconfigure(&resumed)
		time.Sleep(3 * time.Hour)
		synctest.Wait()
		w.once(24)
		var first []string
		for _, b := range w.store.under("") {
			first = append(first, fmt.Sprintf("%s+%d", b[6:8], len(b)/recordSize))
		}
		slices.Sort(first)
		if got := strings.Join(first, " "); got != "00+12 12+12" {
			t.Errorf("objects begin with, and hold, %s", got)
		}
	})
}

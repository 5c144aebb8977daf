package deliver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"testing"
	"testing/synctest"
	"time"

	"hydrant/internal/record"
)

const recordSize = 64 << 10

// numbered is a record of recordSize bytes that says which one it is.
func numbered(i int) []byte {
	return append(fmt.Appendf(nil, "%08d", i), bytes.Repeat([]byte{'.'}, recordSize-8)...)
}

func numberedRange(from, to int) (out [][]byte) {
	for i := from; i < to; i++ {
		out = append(out, numbered(i))
	}
	return out
}

// once asserts that the store holds the records 0 to n-1, each exactly once and in order
// within each object, and that no key became visible twice and no upload is left.
func (w *world) once(n int) {
	w.t.Helper()
	w.onceUnder("", 0, n)
}

// onceUnder asserts it of the records from to n-1 and the objects under a prefix.
func (w *world) onceUnder(prefix string, from, n int) {
	w.t.Helper()
	seen := map[int]int{}
	for _, b := range w.store.under(prefix) {
		last := -1
		for ; len(b) >= recordSize; b = b[recordSize:] {
			var i int
			if _, err := fmt.Sscanf(string(b[:8]), "%d", &i); err != nil {
				w.t.Fatal(err)
			}
			if i <= last {
				w.t.Fatalf("record %d behind %d in one object", i, last)
			}
			seen[i]++
			last = i
		}
		if len(b) > 0 {
			w.t.Fatal("half a record in an object")
		}
	}
	for i := from; i < n; i++ {
		if seen[i] != 1 {
			w.t.Fatalf("record %d is there %d times under %q", i, seen[i], prefix)
		}
	}
	if len(seen) != n-from {
		w.t.Fatalf("%d records under %q instead of %d", len(seen), prefix, n-from)
	}
	w.store.mu.Lock()
	shown := maps.Clone(w.store.shown)
	w.store.mu.Unlock()
	for k, times := range shown {
		if times != 1 {
			w.t.Fatalf("%s became visible %d times", k, times)
		}
	}
	if w.store.unfinished() > 0 {
		w.t.Fatalf("%d uploads are left", w.store.unfinished())
	}
}

func bubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, f)
}

func TestABufferIsDeliveredAtItsAge(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 1, 60)
		w.start()
		defer w.stop()
		w.put(numberedRange(0, 3)...)
		time.Sleep(59 * time.Second)
		synctest.Wait()
		if w.store.visible() != 0 {
			t.Fatal("delivered before its age")
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		w.once(3)
		if l := w.check(); l.Delivered.Records != 3 || l.Pending.Records != 0 || l.Objects != 1 {
			t.Fatalf("ledger %+v", l)
		}
	})
}

// 1 MiB holds 16 records: the 17th seals the object, and starts the next.
func TestABufferIsDeliveredAtItsSize(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 1, 900)
		w.start()
		defer w.stop()
		w.put(numberedRange(0, 15)...)
		time.Sleep(time.Second)
		if w.store.visible() != 0 {
			t.Fatal("delivered before its size")
		}
		w.put(numberedRange(15, 40)...)
		time.Sleep(time.Second)
		synctest.Wait()
		w.once(32)
		if l := w.check(); l.Objects != 2 || l.Pending.Records != 8 {
			t.Fatalf("ledger %+v", l)
		}
		time.Sleep(900 * time.Second)
		synctest.Wait()
		w.once(40)
	})
}

// With a backlog above four buffers the objects grow (spec firehose.md section 3.4).
func TestABacklogMakesLargerObjects(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 1, 900)
		w.put0(numberedRange(0, 16*20)...)
		w.start()
		defer w.stop()
		time.Sleep(time.Second)
		synctest.Wait()
		w.once(16 * 20)
		if l := w.check(); l.Objects != 1 {
			t.Fatalf("%d objects of a backlog of twenty buffers", l.Objects)
		}
	})
}

// put0 stores records while no manager runs.
func (w *world) put0(records ...[]byte) { w.log.put(w.t, w.q, records...) }

func TestAnIntervalOfZeroDeliversSoonButTogether(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 1, 0)
		w.start()
		defer w.stop()
		for i := range 10 {
			w.put(numbered(i))
			time.Sleep(10 * time.Millisecond)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		w.once(10)
		if l := w.check(); l.Objects != 1 {
			t.Fatalf("%d objects for ten records in a tenth of a second", l.Objects)
		}
	})
}

func TestEmptyRecordsMakeNoObject(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 1, 1)
		w.start()
		defer w.stop()
		w.put([]byte{}, []byte{})
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if l := w.check(); l.Objects != 0 || l.Delivered.Records != 2 || w.store.visible() != 0 {
			t.Fatalf("ledger %+v, %d objects", l, w.store.visible())
		}
	})
}

// A record that cannot be read is counted as failed; its neighbours arrive.
func TestUnreadableEntriesAreCountedAndPassed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 1, 1)
		w.put0(numberedRange(0, 6)...)
		w.log.lost[6] = true // the last
		w.put0(numberedRange(6, 7)...)
		w.log.lost[7] = true // and the durable end
		w.start()
		defer w.stop()
		time.Sleep(2 * time.Second)
		synctest.Wait()
		w.once(5)
		if l := w.check(); l.Failed.Records != 2 || l.Delivered.Records != 5 || l.Pending.Records != 0 {
			t.Fatalf("ledger %+v", l)
		}
	})
}

// A clock that is set back by a day delays nothing by more than the interval.
func TestAClockSetBackDelaysNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 1, 60)
		w.put0(numbered(0))
		w.clock.Store(int64(-24 * time.Hour))
		w.start()
		defer w.stop()
		time.Sleep(62 * time.Second)
		synctest.Wait()
		w.once(1)
	})
}

func TestDeliveredEntriesAreTrimmed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 1, 1)
		w.start()
		defer w.stop()
		w.put(numberedRange(0, 5)...)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if w.trimmed() != 0 {
			t.Fatal("trimmed for five records")
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if w.trimmed() != 6 {
			t.Fatalf("trimmed up to %d, want 6", w.trimmed())
		}
	})
}

var errFault = errors.New("injected fault")

// Whatever call to the store fails, whether it did its work or not, once or for a while,
// with or without a restart: every record arrives exactly once.
func TestEveryCallToTheStoreMayFail(t *testing.T) {
	for _, op := range []string{"put", "begin", "part", "complete", "size", "sweep"} {
		for _, done := range []bool{false, true} {
			for _, times := range []int{1, 3, 12} {
				for _, restart := range []bool{false, true} {
					t.Run(fmt.Sprintf("%s/done=%v/%d times/restart=%v", op, done, times, restart), func(t *testing.T) {
						bubble(t, func(t *testing.T) { storeFails(t, op, done, times, restart) })
					})
				}
			}
		}
	}
}

func storeFails(t *testing.T, op string, done bool, times int, restart bool) {
	w := newWorld(t, 1, 5)
	records := 80 // 5 MiB in one object, of parts
	if op == "put" {
		records, w.part = 40, DefaultPartBytes // no backlog: three objects, each put whole
	}
	left, lost := times, op == "size"
	w.store.fault = func(o, _ string) (bool, error) {
		switch {
		case o == op && left > 0:
			left--
			return done, errFault
		case o == "complete" && lost: // its size tells what became of it
			lost = false
			return true, errFault
		}
		return false, nil
	}
	w.put0(numberedRange(0, records)...)
	w.start()
	if restart {
		time.Sleep(50 * time.Millisecond) // amid the retries
		if err := w.stop(); err != nil {
			t.Fatal(err)
		}
		w.start()
	}
	time.Sleep(time.Hour)
	synctest.Wait()
	w.once(records)
	if left == times {
		t.Errorf("there was no call to %s that could fail", op)
	}
	if l := w.check(); l.Delivered.Records != uint64(records) {
		t.Fatalf("ledger %+v", l)
	}
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
}

// An upload that the store has forgotten: what it means depends on what was tried before.
func TestAnUploadThatIsGone(t *testing.T) {
	bubble(t, func(t *testing.T) {
		// Nothing was tried: the store has lost it, so the records are delivered again.
		w := newWorld(t, 1, 5)
		lose := true
		w.store.fault = func(op, _ string) (bool, error) {
			if op == "complete" && lose {
				lose = false
				clear(w.store.uploads)
			}
			return false, nil
		}
		w.put0(numberedRange(0, 80)...)
		w.start()
		time.Sleep(time.Minute)
		synctest.Wait()
		w.once(80)
		w.stop()
	})
	bubble(t, func(t *testing.T) {
		// It was completed, the answer was lost, and a consumer took the object away.
		w := newWorld(t, 1, 5)
		first := true
		w.store.fault = func(op, key string) (bool, error) {
			if op == "complete" && first {
				first = false
				return true, errFault
			}
			if op == "complete" {
				delete(w.store.objects, key)
			}
			return false, nil
		}
		w.put0(numberedRange(0, 80)...)
		w.start()
		time.Sleep(time.Minute)
		synctest.Wait()
		if w.store.visible() != 0 {
			t.Fatal("delivered once more what a consumer had taken")
		}
		if l := w.check(); l.Delivered.Records != 80 {
			t.Fatalf("ledger %+v", l)
		}
		w.stop()
	})
}

// An upload that the store makes long after it failed to answer is found and aborted, and
// not looked for too early because the clock has jumped.
func TestALateUploadIsSweptUp(t *testing.T) {
	for _, jump := range []time.Duration{0, 3 * time.Hour, -3 * time.Hour} {
		t.Run(jump.String(), func(t *testing.T) { bubble(t, func(t *testing.T) { lateUpload(t, jump) }) })
	}
}

func lateUpload(t *testing.T, jump time.Duration) {
	w := newWorld(t, 1, 5)
	first := true
	w.store.fault = func(op, key string) (bool, error) {
		if op == "begin" && first {
			first = false
			time.AfterFunc(8*time.Minute, func() {
				w.store.mu.Lock()
				defer w.store.mu.Unlock()
				w.store.uploads["late"] = &memUpload{key: key}
			})
			return false, errFault
		}
		return false, nil
	}
	w.put0(numberedRange(0, 80)...)
	w.start()
	defer w.stop()
	time.Sleep(time.Minute)
	w.clock.Store(int64(jump))
	time.Sleep(8 * time.Minute)
	synctest.Wait()
	if w.store.unfinished() != 1 {
		t.Fatal("the late upload did not come")
	}
	time.Sleep(10 * time.Minute)
	synctest.Wait()
	w.once(80)
}

// An update repairs a stream whose bucket is gone, at whatever stage delivery hangs.
func TestAnUpdateRepairsAStreamWithoutItsBucket(t *testing.T) {
	for _, records := range []int{40, 80} {
		bubble(t, func(t *testing.T) {
			w := newWorld(t, 1, 5)
			w.store.fault = func(_, key string) (bool, error) {
				if key[:4] == "new/" {
					return false, nil
				}
				return false, record.ErrNoBucket
			}
			w.put0(numberedRange(0, records)...)
			w.start()
			defer w.stop()
			time.Sleep(time.Hour)
			synctest.Wait()
			if l := w.check(); l.Pending.Records != uint64(records) {
				t.Fatalf("ledger %+v", l)
			}
			d, s3, prefix := *w.def, *w.def.S3, "new/"
			s3.Prefix = &prefix
			d.S3, d.Version = &s3, 2
			if err := w.m.Update(t.Context(), &d); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
			synctest.Wait()
			w.once(records)
		})
	}
}

// Deleting a stream finishes what has a manifest, aborts other uploads, and counts the rest.
func TestDeletionSettlesWhatIsUnderWay(t *testing.T) {
	for _, c := range []struct {
		name      string
		failing   string // the call at which delivery hangs until the deletion
		delivered uint64
	}{
		{"prepared", "complete", 80},
		{"being uploaded", "part", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, 1, 900)
				hang := true
				w.store.fault = func(op, _ string) (bool, error) {
					if hang && op == c.failing {
						return false, errFault
					}
					return false, nil
				}
				w.put0(numberedRange(0, 80)...)
				w.start()
				defer w.stop()
				time.Sleep(time.Second)
				synctest.Wait()
				w.put0(numbered(80))
				w.store.mu.Lock()
				hang = false
				w.store.mu.Unlock()
				if err := w.m.Discard(t.Context(), w.def); err != nil {
					t.Fatal(err)
				}
				l := w.check()
				if l.Delivered.Records != c.delivered || l.Discarded.Records != 81-c.delivered || l.Pending.Records != 0 {
					t.Fatalf("ledger %+v", l)
				}
				if w.store.unfinished() != 0 || w.queues() != 0 {
					t.Fatalf("%d uploads and %d queues are left", w.store.unfinished(), w.queues())
				}
				// A new stream of the name goes on in the same book.
				again := *w.def
				again.ID = record.StreamID{2}
				w.def, w.q = &again, record.Queue{Stream: again.ID}
				if err := w.m.Start(w.t.Context(), w.def); err != nil {
					t.Fatal(err)
				}
				w.put(numbered(0))
				if l := w.check(); l.Received.Records != 82 {
					t.Fatalf("ledger %+v", l)
				}
			})
		})
	}
}

func TestAStreamWhoseStoreIsGoneCanBeDeleted(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 1, 1)
		w.store.fault = func(string, string) (bool, error) { return false, errFault }
		w.put0(numberedRange(0, 80)...)
		w.start()
		defer w.stop()
		time.Sleep(time.Minute)
		if err := w.m.Discard(t.Context(), w.def); err != nil {
			t.Fatal(err)
		}
		if l := w.check(); l.Discarded.Records != 80 {
			t.Fatalf("ledger %+v", l)
		}
	})
}

// Runners never hold more memory than there is, whatever waits.
func TestMemoryIsBoundedWhateverWaits(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 128, 1)
		mem := NewMemory(0)
		w.start()
		w.stop()
		w.m = NewManager(Options{
			Log: w.log, Destination: slowStore{w.store}, Encodings: plainEncodings{}, Memory: mem,
			Uploads: NewSlots(8), Now: time.Now, Logger: w.m.opt.Logger, OnObject: w.m.opt.OnObject,
		})
		total := 0
		for i := range 6 {
			d := *w.def
			d.ID, d.Name = record.StreamID{byte(i)}, fmt.Sprint("s", i)
			w.log.put(t, record.Queue{Stream: d.ID}, numberedRange(total, total+200)...)
			total += 200
			if err := w.m.Start(t.Context(), &d); err != nil {
				t.Fatal(err)
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- w.m.Run(ctx) }()
		time.Sleep(time.Hour)
		synctest.Wait()
		w.once(total)
		cancel()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if !mem.sem.TryAcquire(mem.total) {
			t.Fatal("memory was not given back")
		}
		if len(mem.free) > keptChunks {
			t.Fatalf("%d chunks kept", len(mem.free))
		}
	})
}

// slowStore takes 200 ms for each call.
type slowStore struct{ *memStore }

func (s slowStore) Put(ctx context.Context, o record.Object, b Body) error {
	time.Sleep(200 * time.Millisecond)
	return s.memStore.Put(ctx, o, b)
}

func (s slowStore) Part(ctx context.Context, o record.Object, u string, n int32, b Body) (record.Part, error) {
	time.Sleep(200 * time.Millisecond)
	return s.memStore.Part(ctx, o, u, n, b)
}

func TestProgressOfAnotherWriterIsFatal(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 1, 1)
		w.start()
		w.log.mu.Lock()
		w.log.states[progressKey(w.q)] = record.State{Key: progressKey(w.q), Value: []byte("{}"), Version: 9}
		w.log.mu.Unlock()
		w.put(numbered(0))
		time.Sleep(time.Minute)
		if err := w.stop(); !errors.Is(err, record.ErrConflict) {
			t.Fatalf("err %v", err)
		}
	})
}

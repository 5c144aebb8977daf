package deliver

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hydrant/internal/record"
)

// Stories of doubt: what the store did is not known, or what the journal held is gone.

// A lost upload is found, and then the sweep before the redo fails: what was taken back is not
// mistaken for what was completed.
func TestARedoThatIsInterruptedLosesNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 1, 5)
		lose, sweeps := true, 4
		w.store.fault = func(op, _ string) (bool, error) {
			if op == "complete" && lose {
				lose = false
				clear(w.store.uploads)
			}
			if op == "sweep" && sweeps > 0 {
				sweeps--
				return false, errFault
			}
			return false, nil
		}
		w.put0(numberedRange(0, 80)...)
		w.start()
		defer w.stop()
		time.Sleep(time.Hour)
		synctest.Wait()
		w.check()
		w.once(80)
	})
}

// The same with a crash between the sweep and the write that forgets the plan.
func TestACrashAmidARedoLosesNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 1, 900)
		lose := true
		swept := false
		w.store.fault = func(op, key string) (bool, error) {
			if op == "complete" && lose {
				for id, u := range w.store.uploads {
					if u.key == key {
						delete(w.store.uploads, id)
					}
				}
				lose = false
			} else if op == "complete" && !swept {
				return false, errFault
			}
			if op == "sweep" {
				swept = true
			}
			return false, nil
		}
		w.log.fault = func(n int, tx *record.Tx) (bool, error) {
			if swept && w.life == 1 {
				return false, record.ErrUncertain
			}
			return false, nil
		}
		w.put0(numberedRange(0, 64)...)
		w.start()
		time.Sleep(time.Minute)
		if err := w.stop(); !errors.Is(err, record.ErrUncertain) {
			t.Fatal(err)
		}
		w.start()
		defer w.stop()
		time.Sleep(time.Hour)
		synctest.Wait()
		w.once(64)
	})
}

// One object of a plan fails for a while; its siblings, which the store has acknowledged and
// a consumer may have taken away, are left alone.
func TestWhatWasAcknowledgedIsNotPutAgain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 1, 900)
		bad, fails := "", 8
		times := map[string]int{}
		w.store.fault = func(op, key string) (bool, error) {
			if op != "put" {
				return false, nil
			}
			if bad == "" {
				bad = key
			}
			if key == bad && fails > 0 {
				fails--
				return false, errFault
			}
			times[key]++
			return false, nil
		}
		w.part = DefaultPartBytes
		w.start()
		defer w.stop()
		w.put(numberedRange(0, 64)...)
		time.Sleep(time.Hour)
		synctest.Wait()
		for k, n := range times {
			if n > 1 {
				t.Errorf("%s was put and acknowledged %d times", k, n)
			}
		}
	})
}

func TestAStoreThatCannotListUploadsIsDeliveredTo(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 1, 5)
		puts := 0
		w.store.fault = func(op, _ string) (bool, error) {
			if op == "complete" || op == "put" {
				puts++
			}
			if op == "sweep" {
				return false, errFault
			}
			return false, nil
		}
		w.put0(numberedRange(0, 80)...)
		w.start()
		defer w.stop()
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		if l := w.check(); l.Delivered.Records != 80 {
			t.Fatalf("not committed after a day; completed %d times; %+v", puts, l)
		}
	})
}

func TestAFailingSweepRepeatsNoPut(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 1, 900)
		sweeps := 40
		times := map[string]int{}
		w.store.fault = func(op, key string) (bool, error) {
			if op == "put" {
				times[key]++
				time.AfterFunc(time.Millisecond, func() { w.store.mu.Lock(); delete(w.store.objects, key); w.store.mu.Unlock() })
			}
			if op == "sweep" && sweeps > 0 {
				sweeps--
				return false, errFault
			}
			return false, nil
		}
		w.put0(numberedRange(0, 16)...) // multipart
		w.put0(make([]byte, 1<<20))     // a plain put
		w.start()
		defer w.stop()
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		for k, n := range times {
			if n > 1 {
				t.Fatalf("%s was put %d times; its consumer got it as often", k, n)
			}
		}
	})
}

// Entries that cannot be read are counted once, however often the object is encoded again.
func TestLostRecordsAreCountedOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 1, 5)
		w.put0(numberedRange(0, 5)...)
		w.log.lost[3] = true
		fails := 3
		w.store.fault = func(op, _ string) (bool, error) {
			if op == "put" && fails > 0 {
				fails--
				return false, errFault
			}
			return false, nil
		}
		w.start()
		defer w.stop()
		time.Sleep(time.Hour)
		synctest.Wait()
		l := w.check()
		if l.Failed.Records != 1 || l.Delivered.Records != 4 {
			t.Fatalf("ledger %+v", l)
		}
	})
}

func TestLostRecordsAreCountedOnceWhateverIsRetried(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 1, 900)
		w.store.fault = func(op, _ string) (bool, error) { return false, errFault }
		w.part = DefaultPartBytes
		w.start()
		w.put(numberedRange(0, 64)...)
		time.Sleep(time.Minute)
		w.log.mu.Lock()
		w.log.lost[1], w.log.lost[2] = true, true
		w.log.mu.Unlock()
		w.store.mu.Lock()
		ok, n := "", 0
		w.store.fault = func(op, key string) (bool, error) {
			if ok == "" {
				ok = key
			}
			if n++; n < 40 && key != ok {
				return false, errFault
			}
			return false, nil
		}
		w.store.mu.Unlock()
		time.Sleep(3 * time.Hour)
		synctest.Wait()
		defer w.stop()
		l := w.check()
		if l.Failed.Records != 2 {
			t.Fatalf("ledger %+v", l)
		}
	})
}

// A put was done, its answer was lost, and then an entry was damaged.
func TestACompleteObjectIsNotReplacedByLess(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 1, 5)
		w.put0(numberedRange(0, 5)...)
		first := true
		w.store.fault = func(op, _ string) (bool, error) {
			if op == "put" && first {
				first = false
				return true, errFault // done, but the answer was lost
			}
			return false, nil
		}
		w.start()
		time.Sleep(5*time.Second + time.Millisecond)
		synctest.Wait()
		w.stop()
		if w.store.visible() != 1 {
			t.Fatal("not there")
		}
		w.log.lost[2] = true
		w.start()
		defer w.stop()
		time.Sleep(time.Hour)
		synctest.Wait()
		w.once(5)
	})
}

func TestTheLedgerIsThereRightAfterARestart(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 1, 5)
		w.put0(numberedRange(0, 5)...)
		w.start()
		time.Sleep(time.Minute)
		synctest.Wait()
		w.stop()
		m := NewManager(w.m.opt)
		if err := m.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := m.Start(t.Context(), w.def); err != nil {
			t.Fatal(err)
		}
		l := m.Statuses(t.Context())[0].Ledger
		if l.Delivered.Records != 5 || l.Pending.Records != 0 {
			t.Fatalf("%+v", l)
		}
	})
}

// Damage took the last entries, all delivered: new ones must not get their sequences.
func TestADamagedEndOfTheJournalSwallowsNoNewRecords(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 1, 5)
		w.put0(numberedRange(0, 5)...)
		w.start()
		time.Sleep(time.Minute)
		synctest.Wait()
		w.stop()
		w.log.entries[w.q] = w.log.entries[w.q][:3] // a damaged WAL took the last two, which were delivered
		w.start()
		defer w.stop()
		w.put(numberedRange(5, 8)...)
		time.Sleep(time.Hour)
		synctest.Wait()
		w.check()
		w.once(8)
	})
}

func TestAnUpdateRepairsAStreamThatWasDeniedItsBucket(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 1, 5)
		w.store.fault = func(_, key string) (bool, error) {
			if key[:4] == "new/" {
				return false, nil
			}
			return false, record.ErrDenied
		}
		w.put0(numberedRange(0, 5)...)
		w.start()
		defer w.stop()
		time.Sleep(time.Minute)
		d, s3, prefix := *w.def, *w.def.S3, "new/"
		s3.Prefix = &prefix
		d.S3, d.Version = &s3, 2
		if err := w.m.Update(t.Context(), &d); err != nil {
			t.Fatal(err)
		}
		time.Sleep(48 * time.Hour)
		synctest.Wait()
		w.once(5)
	})
}

func TestCredentialsThatMayOnlyWriteAreEnough(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 1, 5)
		first := true
		w.store.fault = func(op, key string) (bool, error) {
			switch {
			case op == "complete" && first:
				first = false
				return true, errFault
			case op == "size":
				return false, record.ErrDenied
			}
			return false, nil
		}
		w.put0(numberedRange(0, 80)...)
		w.start()
		defer w.stop()
		time.Sleep(48 * time.Hour)
		synctest.Wait()
		if l := w.check(); l.Delivered.Records != 80 {
			t.Fatalf("%+v", l)
		}
	})
}

func TestADeletionAmidAManifestCountsWhatIsThere(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 1, 900)
		first := ""
		w.store.fault = func(op, key string) (bool, error) {
			if op == "complete" || op == "put" || op == "sweep" || op == "size" {
				if first == "" {
					first = key
				}
				if key != first {
					return false, errFault
				}
			}
			return false, nil
		}
		w.put0(numberedRange(0, 64)...)
		w.start()
		defer w.stop()
		time.Sleep(time.Minute)
		if err := w.m.Discard(t.Context(), w.def); err != nil {
			t.Fatal(err)
		}
		l := w.check()
		in := 0
		for _, b := range w.store.under("") {
			in += len(b) / recordSize
		}
		if int(l.Delivered.Records) != in {
			t.Fatalf("store holds %d records, ledger %+v", in, l)
		}
	})
}

func TestADamagedStateStopsOnlyItsOutput(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 1, 5)
		w.log.states[progressKey(w.q)] = record.State{Key: progressKey(w.q), Value: []byte("{"), Version: 3}
		w.start()
		time.Sleep(time.Second)
		if err := w.stop(); err != nil {
			t.Fatal("the whole node stops:", err)
		}
	})
}

// The store is out while the stream is deleted: the uploads that are left are remembered.
func TestUploadsOfADeletedStreamAreAbortedLater(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 1, 900)
		hang := false
		n := 0
		w.store.fault = func(op, _ string) (bool, error) {
			if op == "part" {
				if n++; n > 2 {
					hang = true
				}
			}
			if hang {
				return false, errFault
			}
			return false, nil
		}
		w.put0(numberedRange(0, 80)...)
		w.start()
		defer w.stop()
		time.Sleep(time.Minute)
		if err := w.m.Discard(t.Context(), w.def); err != nil {
			t.Fatal(err)
		}
		w.store.mu.Lock()
		w.store.fault = nil
		w.store.mu.Unlock()
		time.Sleep(48 * time.Hour)
		synctest.Wait()
		w.check()
		for key := range w.log.states {
			if strings.HasPrefix(key, StrayPrefix) {
				t.Fatalf("%s is still known", key)
			}
		}
		if w.store.unfinished() > 0 {
			t.Fatalf("%d uploads are left", w.store.unfinished())
		}
	})
}

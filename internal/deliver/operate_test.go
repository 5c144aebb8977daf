package deliver

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"hydrant/internal/record"
)

// pause stores whether the stream is paused, as the registry's hook would.
func (w *world) pause(paused bool) {
	w.t.Helper()
	d := *w.def
	d.Paused = paused
	w.def = &d
	if err := w.m.Update(w.t.Context(), w.def); err != nil {
		w.t.Fatal(err)
	}
	synctest.Wait()
}

func (w *world) flush() []FlushTarget {
	w.t.Helper()
	targets, err := w.m.Flush(w.t.Context(), w.def.ID)
	if err != nil {
		w.t.Fatal(err)
	}
	synctest.Wait()
	return targets
}

func (w *world) status() StreamStatus {
	w.t.Helper()
	s, ok := w.m.Status(w.t.Context(), w.def.ID)
	if !ok {
		w.t.Fatal("no status")
	}
	return s
}

func (w *world) plan() *plan {
	w.t.Helper()
	state, err := loadProgress(w.t.Context(), w.log, w.q)
	if err != nil {
		w.t.Fatal(err)
	}
	return state.Plan
}

func TestAFlushDeliversWhatIsBuffered(t *testing.T) {
	for name, records := range map[string]int{"a few": 3, "more than a buffer": 20, "several buffers": 50, "a backlog": 100} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, 1, 900)
				w.put0(numberedRange(0, records)...)
				w.start()
				defer w.stop()
				targets := w.flush()
				w.once(records)
				if len(targets) != 1 || targets[0].Queue != w.q || targets[0].Until.Records != uint64(records) {
					t.Fatalf("targets %+v", targets)
				}
				s := w.status()
				if s.Queues[0].Done != targets[0].Until || !s.Oldest.IsZero() {
					t.Fatalf("status %+v", s)
				}
			})
		})
	}
}

// What comes after a flush waits for its size and age as ever.
func TestAFlushReachesOnlyWhatWasThere(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 1, 60)
		w.start()
		defer w.stop()
		w.flush() // of nothing
		w.put(numberedRange(0, 2)...)
		if w.store.visible() != 0 {
			t.Fatal("a flush of nothing reached records that came later")
		}
		w.flush()
		w.put(numbered(2))
		time.Sleep(59 * time.Second)
		synctest.Wait()
		w.once(2)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		w.once(3)
	})
}

// Nobody has to wait half a minute for a store that was repaired just now.
func TestAFlushEndsTheWaitOfAFailingRunner(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 1, 1)
		broken := true
		w.store.fault = func(string, string) (bool, error) {
			if broken {
				return false, errFault
			}
			return false, nil
		}
		w.put0(numbered(0))
		w.start()
		defer w.stop()
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if s := w.status(); s.Fails < 10 || s.LastError == "" {
			t.Fatalf("status %+v", s)
		}
		w.store.mu.Lock()
		broken = false
		w.store.mu.Unlock()
		w.flush()
		w.once(1)
		if s := w.status(); s.Fails != 0 || s.LastError != "" {
			t.Fatalf("status %+v", s)
		}
	})
}

func TestAFlushOfWhatIsNotDeliveredIsRefused(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 1, 60)
		w.start()
		defer w.stop()
		if _, err := w.m.Flush(t.Context(), record.StreamID{9}); !errors.Is(err, ErrNoStream) {
			t.Errorf("an unknown stream: %v", err)
		}
		w.pause(true)
		if _, err := w.m.Flush(t.Context(), w.def.ID); !errors.Is(err, ErrPaused) {
			t.Errorf("a paused stream: %v", err)
		}
	})
}

func TestAPausedStreamTakesRecordsInAndDeliversNone(t *testing.T) {
	for name, restart := range map[string]bool{"in one life": false, "over a restart": true} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, 1, 1)
				w.start()
				defer func() { _ = w.stop() }()
				w.pause(true)
				w.put(numberedRange(0, 40)...) // two buffers by size, three by age
				if restart {
					if err := w.stop(); err != nil {
						t.Fatal(err)
					}
					w.start()
				}
				time.Sleep(time.Hour)
				synctest.Wait()
				s := w.status()
				if w.store.visible() != 0 || !s.Paused || s.Pending.Records != 40 {
					t.Fatalf("%d objects, status %+v", w.store.visible(), s)
				}
				if age := time.Since(s.Oldest); age < time.Hour || age > time.Hour+time.Minute {
					t.Fatalf("the oldest record is %v old", age)
				}
				w.pause(false)
				w.once(40)
				if s := w.status(); s.Paused || s.Pending.Records != 0 || !s.Oldest.IsZero() {
					t.Fatalf("status %+v", s)
				}
			})
		})
	}
}

// With a manifest objects may be visible already, so it is completed; the plan that the
// commit would have made is not.
func TestAPauseLetsAManifestBeFinished(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 1, 1)
		w.part = DefaultPartBytes // puts
		broken := true
		w.store.fault = func(op, _ string) (bool, error) {
			if broken && op == "put" {
				return true, errFault // stored, and nobody knows
			}
			return false, nil
		}
		w.put0(numberedRange(0, 16)...)
		w.start()
		defer w.stop()
		time.Sleep(time.Second)
		synctest.Wait()
		w.pause(true)
		if p := w.plan(); p == nil || p.Manifest == nil {
			t.Fatalf("plan %+v", p)
		}
		w.put(numberedRange(16, 60)...)
		w.store.mu.Lock()
		broken = false
		w.store.mu.Unlock()
		time.Sleep(time.Hour)
		synctest.Wait()
		w.once(16)
		if p := w.plan(); p != nil {
			t.Fatalf("a paused stream has made the plan %+v", p)
		}
		w.pause(false)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		w.once(60)
	})
}

// Nothing of a plan without a manifest is visible: a pause gives it up, with its uploads.
func TestAPauseGivesUpAPlanThatWasNotPrepared(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 1, 1)
		w.store.fault = func(op, _ string) (bool, error) {
			if op == "part" {
				return false, errFault
			}
			return false, nil
		}
		w.put0(numberedRange(0, 100)...)
		w.start()
		defer w.stop()
		time.Sleep(time.Second) // in the middle of the parts' attempts
		synctest.Wait()
		if p := w.plan(); p == nil || len(p.Begun) == 0 {
			t.Fatalf("plan %+v", p)
		}
		w.pause(true)
		time.Sleep(time.Hour)
		synctest.Wait()
		if p := w.plan(); p != nil || w.store.unfinished() > 0 {
			t.Fatalf("plan %+v, %d uploads", p, w.store.unfinished())
		}
		w.store.mu.Lock()
		w.store.fault = nil
		w.store.mu.Unlock()
		w.pause(false)
		w.once(100)
	})
}

func TestTheOldestRecordIsTheFirstNotDelivered(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 1, 900)
		w.start()
		defer w.stop()
		if s := w.status(); !s.Oldest.IsZero() {
			t.Fatalf("of no record: %v", s.Oldest)
		}
		for i := range 20 { // the buffer is full with the 17th
			w.put(numbered(i))
			time.Sleep(time.Second)
		}
		w.once(16)
		age := time.Since(w.status().Oldest)
		if age != 4*time.Second {
			t.Fatalf("the oldest is %v old, want that of the 17th of 20", age)
		}
		if all := w.m.Statuses(t.Context()); len(all) != 1 || all[0].Oldest != w.status().Oldest || all[0].Name != "clicks" {
			t.Fatalf("statuses %+v", all)
		}
	})
}

// Waiting implements Stage.
func (s staged) Waiting(ctx context.Context, q record.Queue) Waiting {
	return Waiting(s.Manager.Waiting(ctx, q))
}

// What hangs in the processing is as old as it is, and its trouble is the stream's.
func TestTheOldestRecordMayNotBeProcessedYet(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 1, 300)
		w.def = w.processing(true)
		w.start()
		defer w.stop()
		w.put([]byte("not a number, so that the processor fails"))
		time.Sleep(time.Minute)
		synctest.Wait()
		s := w.status()
		if time.Since(s.Oldest) != time.Minute || s.Fails < 5 || s.LastError == "" || s.Pending.Records != 1 {
			t.Fatalf("the oldest is %v old, status %+v", time.Since(s.Oldest), s)
		}
		if all := w.m.Statuses(t.Context()); all[0].Oldest != s.Oldest || all[0].Fails != s.Fails {
			t.Fatalf("statuses %+v", all)
		}
		w.reconfigure(w.processing(false)) // it passes as it is
		synctest.Wait()
		time.Sleep(time.Second)
		w.lambdaAge = time.Hour
		w.reconfigure(w.processing(true))
		time.Sleep(time.Minute)
		w.put(numbered(1)) // waits for its batch, behind one that is processed
		s = w.status()
		if age := time.Since(s.Oldest); age != 2*time.Minute+time.Second || s.Fails != 0 || s.LastError != "" {
			t.Fatalf("the oldest is %v old, status %+v", age, s)
		}
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		if age := time.Since(w.status().Oldest); age != 5*time.Minute {
			t.Fatalf("the oldest is %v old, and was put 5 minutes ago", age)
		}
		w.flush()
		time.Sleep(time.Second)
		synctest.Wait()
		if s := w.status(); !s.Oldest.IsZero() || s.Pending.Records != 0 || s.Delivered.Records != 2 {
			t.Fatalf("status %+v", s)
		}
	})
}

package deliver

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hydrant/internal/record"
	"hydrant/internal/stream"
)

// backedUp is the definition's next version with a backup under raw/ that has buffers of
// its own.
func (w *world) backedUp(size, interval int) *stream.Definition {
	d, s3 := *w.def, *w.def.S3
	d.Version++
	s3.Prefix = new("main/")
	s3.S3BackupMode = stream.BackupEnabled
	s3.S3Backup = &stream.S3Destination{
		BucketARN: "arn:aws:s3:::safe", Prefix: new("raw/"), CompressionFormat: stream.Uncompressed,
		BufferingHints: stream.BufferingHints{SizeInMBs: size, IntervalInSeconds: interval},
	}
	d.S3 = &s3
	return &d
}

func (w *world) update(d *stream.Definition) {
	w.t.Helper()
	w.def = d
	if err := w.m.Update(w.t.Context(), d); err != nil {
		w.t.Fatal(err)
	}
	synctest.Wait()
}

func TestABackupHoldsEveryRecordUnderItsOwnBuffers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 1, 5)
		w.def = w.backedUp(1, 60)
		w.start()
		defer w.stop()
		w.put(numberedRange(0, 3)...)
		time.Sleep(6 * time.Second)
		synctest.Wait()
		w.onceUnder("main/", 0, 3)
		w.onceUnder("raw/", 0, 0) // its interval is longer
		if s := w.status(); s.Backup.Pending.Records != 3 || s.Backup.Oldest.IsZero() || s.Pending.Records != 0 || !s.Oldest.IsZero() {
			t.Fatalf("status %+v", s)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		w.onceUnder("raw/", 0, 3)
		if s := w.status(); s.Backup.Delivered.Records != 3 || s.Backup.Objects != 1 || s.Backup.Pending.Records != 0 {
			t.Fatalf("status %+v", s)
		}
		w.check() // the backup is not part of the ledger
	})
}

func TestABackupEnabledLaterBeginsAtTheHead(t *testing.T) {
	for _, crash := range []bool{false, true} {
		t.Run(fmt.Sprintf("the definition is stored and the process dies: %v", crash), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, 1, 900)
				w.start()
				w.put(numberedRange(0, 5)...) // on their way still
				if crash {
					if err := w.stop(); err != nil {
						t.Fatal(err)
					}
					w.def = w.backedUp(1, 60)
					w.start()
				} else {
					w.update(w.backedUp(1, 60))
				}
				w.put(numberedRange(5, 9)...)
				if err := w.stop(); err != nil { // where it began is not forgotten
					t.Fatal(err)
				}
				w.start()
				defer w.stop()
				time.Sleep(20 * time.Minute)
				synctest.Wait()
				w.onceUnder("main/", 0, 9)
				w.onceUnder("raw/", 5, 9)
				if s := w.status(); s.Backup.Delivered.Records != 4 || s.Backup.Pending.Records != 0 {
					t.Fatalf("status %+v", s)
				}
			})
		})
	}
}

// A bucket that is gone keeps nothing back but its own records, and those are not trimmed.
func TestABackupAndItsStreamFailEachForItself(t *testing.T) {
	outputs := map[string]record.Output{"main/": record.Data, "raw/": record.Backup}
	for failing, served := range map[string]string{"raw/": "main/", "main/": "raw/"} {
		t.Run(failing+" fails", func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, 1, 1)
				w.def = w.backedUp(1, 60)
				out := true
				w.store.fault = func(_, key string) (bool, error) {
					if out && strings.HasPrefix(key, failing) {
						return false, record.ErrNoBucket
					}
					return false, nil
				}
				w.start()
				defer w.stop()
				w.put(numberedRange(0, 80)...)
				time.Sleep(time.Hour)
				synctest.Wait()
				w.onceUnder(served, 0, 80)
				w.onceUnder(failing, 0, 0)
				if s := w.status(); s.Fails == 0 || s.LastError == "" {
					t.Fatalf("nobody hears of it: %+v", s)
				}
				if err, _ := w.failed.Load(outputs[failing]); !errors.Is(err.(error), record.ErrNoBucket) {
					t.Fatalf("told of %v", err)
				}
				if _, ok := w.failed.Load(outputs[served]); ok {
					t.Fatal("told of a failure of what is served")
				}
				if n := w.trimmed(); n > 1 {
					t.Fatalf("trimmed up to entry %d, which is not delivered", n)
				}
				w.store.mu.Lock()
				out = false
				w.store.mu.Unlock()
				time.Sleep(time.Hour)
				synctest.Wait()
				w.onceUnder(failing, 0, 80)
				if n := w.trimmed(); n != 81 {
					t.Fatalf("trimmed up to entry %d", n)
				}
			})
		})
	}
}

func TestADeletedStreamLeavesNothingOfItsBackup(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 1, 5)
		w.def = w.backedUp(1, 900)
		w.start()
		defer w.stop()
		w.put(numberedRange(0, 4)...)
		time.Sleep(time.Minute)
		synctest.Wait()
		if err := w.m.Discard(t.Context(), w.def); err != nil {
			t.Fatal(err)
		}
		if l := w.check(); l.Delivered.Records != 4 || l.Discarded.Records != 0 {
			t.Fatalf("ledger %+v", l)
		}
		w.log.mu.Lock()
		defer w.log.mu.Unlock()
		for key := range w.log.states {
			if strings.HasPrefix(key, ProgressPrefix) {
				t.Errorf("%s is left", key)
			}
		}
		if len(w.log.entries) != 0 {
			t.Errorf("%d queues are left", len(w.log.entries))
		}
	})
}

// A stream that was being deleted when the process ended may have lost its backup's state.
func TestADeletionGoesOnWithoutTheStateOfTheBackup(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 1, 900)
		w.def = w.backedUp(1, 900)
		w.start()
		w.put(numberedRange(0, 4)...)
		if err := w.stop(); err != nil {
			t.Fatal(err)
		}
		delete(w.log.states, progressKey(record.Queue{Stream: w.def.ID, Output: record.Backup}))
		w.start()
		defer w.stop()
		if err := w.m.Discard(t.Context(), w.def); err != nil {
			t.Fatal(err)
		}
		if l := w.check(); l.Discarded.Records != 4 {
			t.Fatalf("ledger %+v", l)
		}
		if w.queues() != 0 {
			t.Fatalf("%d queues are left", w.queues())
		}
	})
}

// Failure records have a queue of their own, whose runner begins with the first of them.
func TestFailureRecordsAreDeliveredUnderTheErrorPrefix(t *testing.T) {
	for _, restart := range []bool{false, true} {
		t.Run(fmt.Sprintf("restart=%v", restart), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, 1, 5)
				w.def.S3.ErrorOutputPrefix = new("failed/!{firehose:error-output-type}/")
				w.start()
				failures := record.Queue{Stream: w.def.ID, Output: record.ProcessingFailed}
				w.log.put(t, failures, numbered(0))
				if restart {
					if err := w.stop(); err != nil {
						t.Fatal(err)
					}
					w.start()
				} else {
					w.m.Wake(failures)
					synctest.Wait()
				}
				defer w.stop()
				w.log.put(t, failures, numbered(1))
				w.m.Wake(failures)
				time.Sleep(6 * time.Second)
				synctest.Wait()
				w.onceUnder("failed/processing-failed/", 0, 2)
				if s := w.status(); s.Failures.Delivered.Records != 2 || s.Delivered.Records != 0 {
					t.Fatalf("status %+v", s)
				}
				if err := w.m.Discard(t.Context(), w.def); err != nil {
					t.Fatal(err)
				}
				if w.queues() != 0 {
					t.Fatalf("%d queues are left", w.queues())
				}
			})
		})
	}
}

package deliver

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"hydrant/internal/record"
)

// atEachWrite tells a story once for each write of the journal in its world's first life. The
// process dies there: before the write is stored, or when it is and nobody knows yet. The story
// ends the life with w.revive.
func atEachWrite(t *testing.T, name string, story func(w *world)) {
	t.Helper()
	for _, stored := range []bool{false, true} {
		for crash, crashed := 1, true; crashed; crash++ {
			t.Run(fmt.Sprintf("%s/stored=%v/write %d", name, stored, crash), func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					w := newWorld(t, 1, 5)
					w.log.fault = func(n int, _ *record.Tx) (bool, error) {
						switch {
						case w.life > 1:
						case w.crashed: // nothing more is written, whoever else is about to
							return false, record.ErrUncertain
						case n-w.spared == crash:
							w.crashed = true
							return stored, record.ErrUncertain
						}
						return false, nil
					}
					story(w)
					crashed = w.crashed
					if err := w.stop(); err != nil {
						t.Fatal(err)
					}
				})
			})
		}
	}
}

// spare lets the process live through the writes that were made so far.
func (w *world) spare() { w.spared = w.log.applies }

// revive gives the first life ten minutes to die, and the second an hour to deliver the rest.
func (w *world) revive() {
	w.t.Helper()
	time.Sleep(10 * time.Minute)
	if err := w.stop(); w.crashed != errors.Is(err, record.ErrUncertain) {
		w.t.Fatalf("crashed %v, yet Run returned %v", w.crashed, err)
	}
	w.start()
	time.Sleep(time.Hour)
	synctest.Wait()
}

func TestACrashAtEveryWriteOfTheJournal(t *testing.T) {
	for shape, records := range map[string]int{"puts": 40, "multipart": 80} {
		atEachWrite(t, shape, func(w *world) {
			if shape == "puts" {
				w.part = DefaultPartBytes
			}
			w.put0(numberedRange(0, records)...)
			w.start()
			w.revive()
			w.once(records)
			w.check()
		})
	}
}

func TestACrashAtEveryWriteOfAStreamWithABackup(t *testing.T) {
	atEachWrite(t, "backup", func(w *world) {
		w.def = w.backedUp(1, 60)
		w.spared = 1 << 20 // the backup begins first
		w.start()
		w.spare()
		w.put(numberedRange(0, 40)...)
		w.revive()
		w.onceUnder("main/", 0, 40)
		w.onceUnder("raw/", 0, 40)
		w.check()
	})
}

func TestACrashAtEveryWriteOfAStreamThatIsProcessed(t *testing.T) {
	atEachWrite(t, "processed", func(w *world) {
		w.put0(numberedRange(0, 20)...)
		w.def = w.processing(true)
		w.start()
		time.Sleep(time.Second)
		w.put(numberedRange(20, 40)...)
		w.revive()
		w.once(40)
		if l := w.check(); l.Delivered.Records != 40 || l.Taken.Records != 40 {
			w.t.Fatalf("ledger %+v", l)
		}
		if w.trimmed() != 41 {
			w.t.Fatalf("trimmed up to %d", w.trimmed())
		}
	})
}

func TestACrashAtEveryWriteOfAPartitionedStream(t *testing.T) {
	atEachWrite(t, "partitions", func(w *world) {
		w.partitioned(3)
		w.put0(numberedRange(0, 10)...)
		w.start()
		time.Sleep(time.Second)
		w.put(numberedRange(10, 30)...) // enough for parts of uploads
		w.revive()
		w.inPartitions(30)
		w.partitionsKnown()
		if l := w.check(); l.Delivered.Records != 30 || l.Taken.Records != 30 || l.Pending.Records != 0 {
			w.t.Fatalf("ledger %+v", l)
		}
	})
}

// What does not fit its table lands in the error output, once, whatever write the process
// dies at. A buffer of misfits alone makes no object.
func TestACrashAtEveryWriteOfAStreamThatConverts(t *testing.T) {
	for _, keys := range []int{0, 10} { // partitions; one of them has misfits alone
		atEachWrite(t, fmt.Sprintf("keys=%d", keys), func(w *world) {
			if keys > 0 {
				w.partitioned(keys)
			}
			w.converting()
			w.put0(numberedRange(7, 8)...)
			w.start()
			time.Sleep(10 * time.Second)
			w.put(append(numberedRange(0, 7), numberedRange(8, 30)...)...)
			w.revive()
			w.converted(30)
			if _, told := w.failed.Load(record.Unconverted); !told {
				w.t.Fatal("nothing was told of what did not fit")
			}
			if l := w.check(); l.Delivered.Records != 27 || l.Failed.Records != 3 || l.Pending.Records != 0 {
				w.t.Fatalf("ledger %+v", l)
			}
		})
	}
}

// Package journaltest is the suite that every engine of the journal passes: all that
// journal.Engine promises, tried on the engine alone, reopened, crashed and failing.
//
//   - Harness: one engine on one disk, and what the suite may do to both.
package journaltest

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hydrant/internal/journal"
	"hydrant/internal/record"
)

// Harness is an engine under test. Engine, Reopen and Crash return the engine that is open
// from then on; the harness closes the last one when the test ends.
type Harness interface {
	// Engine returns the open engine.
	Engine() journal.Engine
	// Reopen closes the engine in order and opens it again.
	Reopen(t *testing.T) journal.Engine
	// Crash takes the power away: what was not synced is lost, and the engine is opened on
	// what is left.
	Crash(t *testing.T) journal.Engine
	// FailSyncs makes every sync of the disk fail from now on, until the next Crash.
	FailSyncs()
}

// Run tries everything on engines that open makes on empty disks.
func Run(t *testing.T, open func(t *testing.T) Harness) {
	for _, c := range []struct {
		name string
		run  func(t *testing.T, h Harness)
	}{
		{"AnEmptyEngineHoldsNothing", empty},
		{"AppendsGetSequencesAndCounts", appends},
		{"WhatWasWrittenIsReadAgain", readsBack},
		{"EntriesOfTheLargestSizeAreTaken", bigEntries},
		{"AReadBeginsAnywhereAndStopsWhenTold", readsFrom},
		{"ATrimKeepsTheCounts", trims},
		{"ATrimGoesNoFurtherThanTheHead", trimsTooFar},
		{"ARaiseLiftsTheHeadAndNeverLowersIt", raises},
		{"ADroppedQueueIsForgotten", drops},
		{"StatesChangeByCompareAndSet", states},
		{"AConflictStoresNothing", conflicts},
		{"StatesAreListedInOrder", listsStates},
		{"OfRacingWritersOneWins", races},
		{"SequencesHaveNoGapsUnderConcurrency", concurrentAppends},
		{"ReadersSeeOnlyWholeDurablePrefixes", readersAndWriters},
		{"ACrashLosesNothingThatWasAnswered", crashes},
		{"AClosedEngineSaysSo", closed},
		{"AFailedSyncLeavesTheOutcomeOpen", uncertain},
		{"SpaceIsKnown", space},
		{"ACancelledWriteStoresNothing", cancelled},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, open(t)) })
	}
}

// Queue returns a queue of the n-th stream.
func Queue(n byte) record.Queue {
	return record.Queue{Stream: record.StreamID{0: 1, 15: n}, Output: record.Data, Shard: uint32(n)}
}

// Piece returns a piece of raw records, told apart by seed.
func Piece(seed uint64, lengths ...uint32) record.Piece {
	var raw []byte
	for i, n := range lengths {
		for j := range n {
			raw = append(raw, byte(seed*31+uint64(i)*7+uint64(j)))
		}
	}
	return record.Piece{
		RawBytes: uint32(len(raw)), RawCRC: crc32.ChecksumIEEE(raw), Lengths: lengths, Stored: raw,
	}
}

// arrival is the time of all of the suite's appends.
var arrival = time.UnixMilli(1768471200123)

// One returns a Tx that appends pieces to a queue.
func One(q record.Queue, pieces ...record.Piece) *record.Tx {
	return &record.Tx{Appends: []record.Append{{Queue: q, Arrival: arrival, Pieces: pieces}}}
}

// apply fails the test unless tx is stored.
func apply(t *testing.T, e journal.Engine, tx *record.Tx) {
	t.Helper()
	if err := e.Apply(t.Context(), tx); err != nil {
		t.Fatalf("apply: %v", err)
	}
}

// Read returns copies of all entries of a queue from a sequence on.
func Read(t *testing.T, e journal.Engine, q record.Queue, from uint64) []record.Entry {
	t.Helper()
	var all []record.Entry
	err := e.Read(t.Context(), q, from, func(r *record.Entry) error {
		c := *r
		c.Lengths = append([]uint32(nil), r.Lengths...)
		c.Stored = append([]byte(nil), r.Stored...)
		all = append(all, c)
		return nil
	})
	if err != nil {
		t.Fatalf("read: %v", err)
	}
	return all
}

// expect is the entries that appending pieces one after the other to an empty queue makes.
func expect(q record.Queue, pieces ...record.Piece) []record.Entry {
	var all []record.Entry
	var before record.Counts
	for i, p := range pieces {
		all = append(all, record.Entry{
			Queue: q, Sequence: uint64(i + 1), Before: before, Arrival: arrival.UnixMilli(), Piece: p,
		})
		before = before.Add(p.Counts())
	}
	return all
}

func mark(sequence, records, bytes uint64) record.Mark {
	return record.Mark{
		Position: record.Position{Entry: sequence},
		Before:   record.Counts{Records: records, Bytes: bytes},
	}
}

func wantHead(t *testing.T, e journal.Engine, q record.Queue, want record.Mark) {
	t.Helper()
	got, err := e.Head(t.Context(), q)
	if err != nil || got != want {
		t.Fatalf("head is %+v, %v; want %+v", got, err, want)
	}
}

func wantState(t *testing.T, e journal.Engine, key string, version uint64, value string) {
	t.Helper()
	s, err := e.State(t.Context(), key)
	if err != nil || s.Version != version || string(s.Value) != value || s.Key != key {
		t.Fatalf("state %q is %+v, %v; want %q in version %d", key, s, err, value, version)
	}
	if version == 0 && s.Value != nil {
		t.Fatalf("state %q does not exist but has a value", key)
	}
}

func wantEntries(t *testing.T, e journal.Engine, q record.Queue, from uint64, want []record.Entry) {
	t.Helper()
	got := Read(t, e, q, from)
	if reflect.DeepEqual(want, got) { // cmp takes seconds for megabytes
		return
	}
	brief := cmp.Transformer("brief", func(b []byte) string { return fmt.Sprintf("%d bytes, CRC %08x", len(b), crc32.ChecksumIEEE(b)) })
	t.Fatalf("entries differ (-want +got):\n%s", cmp.Diff(want, got, brief))
}

func empty(t *testing.T, h Harness) {
	e := h.Engine()
	wantHead(t, e, Queue(1), mark(1, 0, 0))
	wantState(t, e, "nothing", 0, "")
	for _, from := range []uint64{0, 1, 99} {
		wantEntries(t, e, Queue(1), from, nil)
	}
	if err := e.States(t.Context(), "", func(s record.State) error { return fmt.Errorf("state %q", s.Key) }); err != nil {
		t.Fatal(err)
	}
	apply(t, e, &record.Tx{})
	wantHead(t, h.Reopen(t), Queue(1), mark(1, 0, 0))
}

func appends(t *testing.T, h Harness) {
	e := h.Engine()
	a, b := Queue(1), Queue(2)
	tx := &record.Tx{Appends: []record.Append{
		{Queue: a, Arrival: arrival, Pieces: []record.Piece{Piece(1, 5, 0, 6), Piece(2, 7)}},
		{Queue: b, Arrival: arrival, Pieces: []record.Piece{Piece(3, 1)}},
		{Queue: a, Arrival: arrival, Pieces: []record.Piece{Piece(4, 9)}},
	}}
	apply(t, e, tx)
	for i, want := range []uint64{1, 1, 3} {
		if got := tx.Appends[i].First; got != want {
			t.Errorf("append %d begins at %d, want %d", i, got, want)
		}
	}
	wantHead(t, e, a, mark(4, 5, 27))
	wantHead(t, e, b, mark(2, 1, 1))
	wantEntries(t, e, a, 1, expect(a, Piece(1, 5, 0, 6), Piece(2, 7), Piece(4, 9)))
	e = h.Reopen(t)
	wantHead(t, e, a, mark(4, 5, 27))
	apply(t, e, One(a, Piece(5, 1)))
	wantHead(t, e, a, mark(5, 6, 28))
	wantEntries(t, e, b, 1, expect(b, Piece(3, 1)))
}

func readsBack(t *testing.T, h Harness) {
	e := h.Engine()
	q := Queue(3)
	var pieces []record.Piece
	for i := range uint64(300) {
		pieces = append(pieces, Piece(i, uint32(i%40), uint32(8<<10)))
	}
	for i := 0; i < len(pieces); i += 7 {
		apply(t, e, One(q, pieces[i:min(i+7, len(pieces))]...))
	}
	wantEntries(t, e, q, 1, expect(q, pieces...))
	wantEntries(t, h.Reopen(t), q, 1, expect(q, pieces...))
	wantEntries(t, h.Crash(t), q, 1, expect(q, pieces...))
}

func bigEntries(t *testing.T, h Harness) {
	q := Queue(4)
	big := Piece(1, record.MaxRecordBytes)
	many := Piece(2, make([]uint32, record.MaxEntryRecords)...)
	apply(t, h.Engine(), One(q, big, many, big, big, big))
	want := expect(q, big, many, big, big, big)
	wantEntries(t, h.Engine(), q, 1, want)
	wantEntries(t, h.Crash(t), q, 1, want)
}

func readsFrom(t *testing.T, h Harness) {
	e := h.Engine()
	q := Queue(5)
	for i := range uint64(10) {
		apply(t, e, One(q, Piece(i, 3)))
	}
	all := Read(t, e, q, 1)
	for from := uint64(0); from < 13; from++ {
		wantEntries(t, e, q, from, append([]record.Entry(nil), all[min(max(from, 1)-1, 10):]...))
	}
	seen := 0
	if err := e.Read(t.Context(), q, 1, func(*record.Entry) error { seen++; return record.ErrStop }); err != nil || seen != 1 {
		t.Fatalf("stopped after %d with %v", seen, err)
	}
	mine := errors.New("mine")
	if err := e.Read(t.Context(), q, 1, func(*record.Entry) error { return mine }); !errors.Is(err, mine) {
		t.Fatalf("the callback's error became %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := e.Read(ctx, q, 1, func(*record.Entry) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Fatalf("a cancelled read gave %v", err)
	}
}

func trims(t *testing.T, h Harness) {
	e := h.Engine()
	q := Queue(6)
	for i := range uint64(10) {
		apply(t, e, One(q, Piece(i, 3)))
	}
	all := Read(t, e, q, 1)
	apply(t, e, &record.Tx{Trims: []record.Trim{{Queue: q, Before: 5}}})
	check := func(e journal.Engine) {
		t.Helper()
		wantHead(t, e, q, mark(11, 10, 30))
		wantEntries(t, e, q, 5, all[4:])
		got := Read(t, e, q, 2)
		if len(got) != 7 || got[0].Missing != 3 || got[0].Sequence != 2 || got[0].After() != mark(5, 4, 12) {
			t.Fatalf("a read from a trimmed place gave %+v", got)
		}
	}
	check(e)
	check(h.Reopen(t))
	e = h.Crash(t)
	check(e)
	apply(t, e, &record.Tx{Trims: []record.Trim{{Queue: q, Before: 3}}}) // goes nowhere
	check(e)
	apply(t, e, &record.Tx{Trims: []record.Trim{{Queue: q, Before: 11}}})
	wantHead(t, e, q, mark(11, 10, 30))
	e = h.Reopen(t)
	wantHead(t, e, q, mark(11, 10, 30))
	wantEntries(t, e, q, 11, nil)
	apply(t, e, One(q, Piece(99, 1)))
	if got := Read(t, e, q, 11); len(got) != 1 || got[0].Sequence != 11 || got[0].Before.Bytes != 30 {
		t.Fatalf("after a whole trim the queue goes on with %+v", got)
	}
}

func trimsTooFar(t *testing.T, h Harness) {
	e := h.Engine()
	q := Queue(7)
	apply(t, e, One(q, Piece(1, 3)))
	apply(t, e, &record.Tx{Trims: []record.Trim{{Queue: q, Before: 1000}}})
	apply(t, e, One(q, Piece(2, 4)))
	wantHead(t, e, q, mark(3, 2, 7))
	if got := Read(t, e, q, 2); len(got) != 1 || got[0].Missing != 0 {
		t.Fatalf("an entry appended after the trim is %+v", got)
	}
	apply(t, e, &record.Tx{Trims: []record.Trim{{Queue: Queue(77), Before: 5}}})
	wantHead(t, e, Queue(77), mark(1, 0, 0))
}

// raises lifts the end of a queue as after damage that took entries known to have been there:
// what is appended later lies behind them, and readers are told that they are missing.
func raises(t *testing.T, h Harness) {
	e := h.Engine()
	q := Queue(10)
	apply(t, e, One(q, Piece(1, 3), Piece(2, 4)))
	to := mark(6, 9, 40)
	apply(t, e, &record.Tx{Raises: []record.Raise{{Queue: q, Mark: to}}})
	wantHead(t, e, q, to)
	apply(t, e, &record.Tx{Raises: []record.Raise{{Queue: q, Mark: mark(2, 1, 3)}}})
	wantHead(t, e, q, to)
	apply(t, e, One(q, Piece(3, 5)))
	e = h.Crash(t)
	wantHead(t, e, q, mark(7, 10, 45))
	got := Read(t, e, q, 6)
	if len(got) != 1 || got[0].Sequence != 6 || got[0].Before != to.Before {
		t.Fatalf("behind the raise lies %+v", got)
	}
	missing := uint64(0)
	for _, r := range Read(t, e, q, 3) {
		missing += r.Missing
	}
	if missing != 3 {
		t.Fatalf("%d entries are reported missing, want 3", missing)
	}
}

func drops(t *testing.T, h Harness) {
	e := h.Engine()
	q, other := Queue(8), Queue(9)
	apply(t, e, One(q, Piece(1, 3), Piece(2, 3)))
	apply(t, e, One(other, Piece(3, 4)))
	apply(t, e, &record.Tx{Drops: []record.Queue{q}})
	wantHead(t, e, q, mark(1, 0, 0))
	wantEntries(t, e, q, 1, nil)
	e = h.Crash(t)
	wantHead(t, e, q, mark(1, 0, 0))
	wantEntries(t, e, other, 1, expect(other, Piece(3, 4)))
	apply(t, e, One(q, Piece(4, 5)))
	apply(t, e, &record.Tx{Drops: []record.Queue{q}, Appends: One(q, Piece(5, 6)).Appends})
	wantEntries(t, e, q, 1, expect(q, Piece(5, 6)))
	wantEntries(t, h.Reopen(t), q, 1, expect(q, Piece(5, 6)))
}

func cancelled(t *testing.T, h Harness) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := h.Engine().Apply(ctx, One(Queue(1), Piece(1, 1))); !errors.Is(err, context.Canceled) {
		t.Fatalf("a cancelled write gave %v", err)
	}
	wantHead(t, h.Engine(), Queue(1), mark(1, 0, 0))
}

func space(t *testing.T, h Harness) {
	s := h.Engine().Space()
	if s.Total == 0 || s.Free == 0 || s.Free > s.Total {
		t.Fatalf("space is %+v", s)
	}
}

func closed(t *testing.T, h Harness) {
	e := h.Engine()
	apply(t, e, One(Queue(1), Piece(1, 1), Piece(2, 2)))
	err := e.Read(t.Context(), Queue(1), 1, func(*record.Entry) error { return e.Close() })
	if err != nil && !errors.Is(err, record.ErrClosed) {
		t.Fatalf("a read during which the engine was closed gave %v", err)
	}
	ctx := t.Context()
	_, headErr := e.Head(ctx, Queue(1))
	_, stateErr := e.State(ctx, "a")
	for name, err := range map[string]error{
		"Apply": e.Apply(ctx, One(Queue(1), Piece(1, 1))), "Head": headErr, "State": stateErr,
		"Read":   e.Read(ctx, Queue(1), 1, func(*record.Entry) error { return nil }),
		"States": e.States(ctx, "", func(record.State) error { return nil }),
	} {
		if !errors.Is(err, record.ErrClosed) {
			t.Errorf("%s after Close gave %v", name, err)
		}
	}
	if err := e.Close(); err != nil {
		t.Errorf("a second Close gave %v", err)
	}
	e.Space()
}

func uncertain(t *testing.T, h Harness) {
	e := h.Engine()
	q := Queue(1)
	tx := One(q, Piece(1, 10))
	tx.States = []record.StateWrite{{Key: "a", Value: []byte("1")}}
	apply(t, e, tx)
	h.FailSyncs()
	tx = One(q, Piece(2, 10))
	tx.States = []record.StateWrite{{Key: "a", Old: 1, Value: []byte("2")}}
	for range 3 {
		if err := e.Apply(t.Context(), tx); !errors.Is(err, record.ErrUncertain) {
			t.Fatalf("a write whose sync failed gave %v", err)
		}
	}
	wantHead(t, e, q, mark(2, 1, 10))
	wantEntries(t, e, q, 1, expect(q, Piece(1, 10)))
	if s, err := e.State(t.Context(), "a"); err == nil && s.Version != 1 {
		t.Fatalf("a state that was not made durable is shown: %+v", s)
	}
	e = h.Crash(t)
	entries := Read(t, e, q, 1)
	s, err := e.State(t.Context(), "a")
	if err != nil || int(s.Version) != len(entries) || s.Version < 1 || s.Version > 2 {
		t.Fatalf("after the crash there are %d entries and state %+v, %v", len(entries), s, err)
	}
	apply(t, e, One(q, Piece(3, 1)))
}

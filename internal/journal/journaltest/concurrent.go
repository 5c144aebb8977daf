package journaltest

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"hydrant/internal/journal"
	"hydrant/internal/record"
)

func states(t *testing.T, h Harness) {
	e := h.Engine()
	set := func(old uint64, value []byte) {
		t.Helper()
		apply(t, e, &record.Tx{States: []record.StateWrite{{Key: "k", Old: old, Value: value}}})
	}
	set(0, []byte("one"))
	wantState(t, e, "k", 1, "one")
	set(1, []byte{})
	if s, err := e.State(t.Context(), "k"); err != nil || s.Version != 2 || s.Value == nil {
		t.Fatalf("an empty value is %+v, %v", s, err)
	}
	set(2, []byte("three"))
	e = h.Crash(t)
	wantState(t, e, "k", 3, "three")
	set(3, nil)
	wantState(t, e, "k", 0, "")
	e = h.Reopen(t)
	wantState(t, e, "k", 0, "")
	set(0, []byte("again"))
	wantState(t, e, "k", 1, "again")
	apply(t, e, &record.Tx{States: []record.StateWrite{{Key: "", Value: []byte("nameless")}}})
	wantState(t, e, "", 1, "nameless")
}

func conflicts(t *testing.T, h Harness) {
	e := h.Engine()
	q := Queue(1)
	apply(t, e, &record.Tx{States: []record.StateWrite{{Key: "a", Value: []byte("1")}}})
	for name, writes := range map[string][]record.StateWrite{
		"AnExistingKeyIsMade":   {{Key: "b", Value: []byte("x")}, {Key: "a", Value: []byte("x")}},
		"AnOldVersionIsChanged": {{Key: "b", Value: []byte("x")}, {Key: "a", Old: 7, Value: []byte("x")}},
		"AMissingKeyIsChanged":  {{Key: "b", Old: 1, Value: []byte("x")}},
		"OneKeyIsWrittenTwice":  {{Key: "b", Value: []byte("x")}, {Key: "b", Value: []byte("y")}},
	} {
		tx := One(q, Piece(1, 1))
		tx.States = writes
		if err := e.Apply(t.Context(), tx); !errors.Is(err, record.ErrConflict) {
			t.Errorf("%s: %v", name, err)
		}
	}
	wantHead(t, e, q, mark(1, 0, 0))
	wantState(t, e, "a", 1, "1")
	wantState(t, e, "b", 0, "")
	apply(t, e, One(q, Piece(1, 1)))
}

func listsStates(t *testing.T, h Harness) {
	e := h.Engine()
	want := []string{"x", "x/", "x/1", "x/10", "x/2", "x/\xff", "x0", "\xff\xff"}
	for _, k := range slices.Backward(want) {
		apply(t, e, &record.Tx{States: []record.StateWrite{{Key: k, Value: []byte("of " + k)}}})
	}
	for prefix, n := range map[string]int{"": 8, "x": 7, "x/": 5, "x/1": 2, "y": 0, "\xff": 1} {
		var got []string
		err := e.States(t.Context(), prefix, func(s record.State) error {
			if string(s.Value) != "of "+s.Key || s.Version != 1 {
				return fmt.Errorf("state %q is %q in version %d", s.Key, s.Value, s.Version)
			}
			got = append(got, s.Key)
			return nil
		})
		if err != nil || len(got) != n || !slices.IsSorted(got) {
			t.Errorf("under %q there are %q, %v", prefix, got, err)
		}
	}
	seen := 0
	if err := e.States(t.Context(), "x", func(record.State) error { seen++; return record.ErrStop }); err != nil || seen != 1 {
		t.Errorf("stopped after %d with %v", seen, err)
	}
	big := strings.Repeat("v", 200<<10)
	for i := range 9 {
		apply(t, e, &record.Tx{States: []record.StateWrite{{Key: "big/" + strconv.Itoa(i), Value: []byte(big)}}})
	}
	seen = 0
	if err := e.States(t.Context(), "big/", func(record.State) error { seen++; return nil }); err != nil || seen != 9 {
		t.Errorf("%d large states were listed: %v", seen, err)
	}
}

func races(t *testing.T, h Harness) {
	e := h.Engine()
	const writers, rounds = 8, 20
	var won atomic.Int64
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for r := range uint64(rounds) {
				tx := One(Queue(byte(w)), Piece(r, 1))
				tx.States = []record.StateWrite{{Key: "race", Old: r, Value: []byte(strconv.Itoa(w))}}
				for {
					err := e.Apply(t.Context(), tx)
					if err == nil {
						won.Add(1)
					} else if !errors.Is(err, record.ErrConflict) {
						t.Errorf("a racing write gave %v", err)
						return
					}
					if s, err := e.State(t.Context(), "race"); err != nil || s.Version > r {
						break
					}
				}
			}
		})
	}
	wg.Wait()
	if won.Load() != rounds {
		t.Fatalf("%d writes won %d rounds", won.Load(), rounds)
	}
	var entries uint64
	e = h.Crash(t)
	for w := range writers {
		entries += uint64(len(Read(t, e, Queue(byte(w)), 1)))
	}
	if entries != rounds {
		t.Fatalf("%d winners left %d entries", rounds, entries)
	}
}

func concurrentAppends(t *testing.T, h Harness) {
	e := h.Engine()
	const writers, rounds = 8, 25
	var mu sync.Mutex
	given := map[uint64]uint64{} // sequence → seed
	var wg sync.WaitGroup
	for w := range uint64(writers) {
		wg.Go(func() {
			for r := range uint64(rounds) {
				seed := w*1000 + r
				tx := &record.Tx{Appends: []record.Append{
					{Queue: Queue(1), Arrival: arrival, Pieces: []record.Piece{Piece(seed, 20)}},
					{Queue: Queue(byte(2 + w%3)), Arrival: arrival, Pieces: []record.Piece{Piece(seed, 20)}},
				}}
				if err := e.Apply(t.Context(), tx); err != nil {
					t.Errorf("append: %v", err)
					return
				}
				mu.Lock()
				given[tx.Appends[0].First] = seed
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	checkGiven(t, e, given)
	checkGiven(t, h.Crash(t), given)
}

// checkGiven checks that queue 1 holds each sequence once, with what its writer wrote.
func checkGiven(t *testing.T, e journal.Engine, given map[uint64]uint64) {
	t.Helper()
	all := Read(t, e, Queue(1), 1)
	if len(all) != len(given) {
		t.Fatalf("%d entries of %d", len(all), len(given))
	}
	for i, r := range all {
		want := Piece(given[r.Sequence], 20)
		if r.Sequence != uint64(i+1) || r.RawCRC != want.RawCRC || r.Before.Records != uint64(i) {
			t.Fatalf("entry %d is %+v", i+1, r)
		}
	}
}

func readersAndWriters(t *testing.T, h Harness) {
	e := h.Engine()
	q := Queue(1)
	var answered atomic.Uint64
	stop := make(chan struct{})
	var readers, writers sync.WaitGroup
	for range 3 {
		readers.Go(func() { readUntil(t, e, q, &answered, stop) })
	}
	for w := range uint64(4) {
		writers.Go(func() {
			for i := range uint64(50) {
				if err := e.Apply(t.Context(), One(q, Piece(w*100+i, 100))); err != nil {
					t.Errorf("append: %v", err)
					return
				}
				answered.Add(1)
			}
		})
	}
	writers.Wait()
	close(stop)
	readers.Wait()
}

// readUntil reads a queue over and over: what was answered before a read is in it, in order.
func readUntil(t *testing.T, e journal.Engine, q record.Queue, answered *atomic.Uint64, stop chan struct{}) {
	for {
		before := answered.Load()
		var last uint64
		err := e.Read(t.Context(), q, 1, func(r *record.Entry) error {
			if r.Sequence != last+1 || r.Missing > 0 || r.Before.Records != last {
				return fmt.Errorf("entry %d follows %d: %+v", r.Sequence, last, r)
			}
			last = r.Sequence
			return nil
		})
		if err != nil || last < before {
			t.Errorf("read %d entries where %d were answered: %v", last, before, err)
			return
		}
		select {
		case <-stop:
			return
		default:
		}
	}
}

func crashes(t *testing.T, h Harness) {
	e := h.Engine()
	q := Queue(1)
	var pieces []record.Piece
	for round := range uint64(5) {
		for i := range uint64(20) {
			p := Piece(round*100+i, 500)
			pieces = append(pieces, p)
			tx := One(q, p)
			tx.States = []record.StateWrite{{Key: "n", Old: uint64(len(pieces) - 1), Value: []byte(strconv.Itoa(len(pieces)))}}
			apply(t, e, tx)
		}
		e = h.Crash(t)
		wantEntries(t, e, q, 1, expect(q, pieces...))
		wantState(t, e, "n", uint64(len(pieces)), strconv.Itoa(len(pieces)))
	}
}

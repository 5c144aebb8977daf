package pebble

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/cockroachdb/pebble/v2"

	"hydrant/internal/journal"
	"hydrant/internal/record"
)

// queue is what is kept in memory of one queue, about 150 bytes. It is loaded when the queue
// is first used.
type queue struct {
	name record.Queue

	// mu is held while sequences are assigned and handed to Pebble, which keeps their order
	// in the log, but not while that is being synced: so one queue's writes share syncs too.
	// Several queues are locked in the order of their keys.
	mu      sync.Mutex
	loaded  bool
	gone    bool        // forgotten; look the name up again
	life    int         // grows with each drop
	next    record.Mark // behind the last entry given to Pebble
	durable record.Mark // behind the last entry known to be on disk
	floor   record.Mark // of the first entry that is not trimmed
}

// begin is the mark of a queue that never had an entry.
var begin = record.Mark{Position: record.Position{Entry: 1}}

// queues finds queues by name.
type queues struct {
	mu sync.Mutex
	m  map[record.Queue]*queue
}

func (t *queues) find(name record.Queue) *queue {
	t.mu.Lock()
	defer t.mu.Unlock()
	q := t.m[name]
	if q == nil {
		q = &queue{name: name}
		t.m[name] = q
	}
	return q
}

// forget takes out a queue whose drop is durable. Its lock is held.
func (t *queues) forget(q *queue) {
	q.gone = true
	t.mu.Lock()
	delete(t.m, q.name)
	t.mu.Unlock()
}

// lockQueue returns the named queue, loaded and locked. e.gate is held for reading.
func (e *Engine) lockQueue(name record.Queue) (*queue, error) {
	for {
		q := e.queues.find(name)
		q.mu.Lock()
		if q.gone {
			q.mu.Unlock()
			continue
		}
		if err := e.load(q); err != nil {
			q.mu.Unlock()
			return nil, fmt.Errorf("load queue %s: %w", name, err)
		}
		return q, nil
	}
}

// load finds head and floor of q. The head is the later of what the meta value and the last
// entry say: either may have been damaged. q.mu is held.
func (e *Engine) load(q *queue) error {
	if q.loaded {
		return nil
	}
	next, floor := begin, begin
	key := metaKey(q.name)
	value, closer, err := e.db.Get(key)
	switch {
	case err == nil:
		n, f, ok := parseMeta(key, value)
		if e := closer.Close(); e != nil {
			return e
		}
		if ok {
			next, floor = n, f
		}
	case !errors.Is(err, pebble.ErrNotFound):
		return err
	}
	last, err := e.lastMark(q.name)
	if err != nil {
		return err
	}
	if last.Entry > next.Entry {
		next = last
	}
	q.next, q.durable, q.floor, q.loaded = next, next, floor, true
	return nil
}

// lastMark returns the mark behind the last readable entry of a queue, or begin.
func (e *Engine) lastMark(name record.Queue) (record.Mark, error) {
	return e.markBefore(name, ^uint64(0))
}

// markBefore returns the mark behind the last readable entry below a sequence, or begin if
// there is none. e.gate is held for reading.
func (e *Engine) markBefore(name record.Queue, sequence uint64) (record.Mark, error) {
	it, err := e.db.NewIter(&pebble.IterOptions{
		LowerBound: entryKey(name, 0),
		UpperBound: entryKey(name, sequence),
	})
	if err != nil {
		return begin, err
	}
	mark := begin
	var entry record.Entry
	for ok := it.Last(); ok; ok = it.Prev() {
		if readEntry(it, name, &entry) == nil {
			mark = entry.After()
			break
		}
	}
	return mark, errors.Join(it.Error(), it.Close())
}

// markFrom returns the mark of the first readable entry from a sequence on, or end if there
// is none below it. e.gate is held for reading.
func (e *Engine) markFrom(name record.Queue, sequence uint64, end record.Mark) (record.Mark, error) {
	if sequence >= end.Entry {
		return end, nil
	}
	it, err := e.db.NewIter(&pebble.IterOptions{
		LowerBound: entryKey(name, sequence),
		UpperBound: entryKey(name, end.Entry),
	})
	if err != nil {
		return end, err
	}
	mark := end
	var entry record.Entry
	for ok := it.First(); ok; ok = it.Next() {
		if readEntry(it, name, &entry) == nil {
			mark = record.Mark{Position: record.Position{Entry: entry.Sequence}, Before: entry.Before}
			break
		}
	}
	return mark, errors.Join(it.Error(), it.Close())
}

// errMisplaced says that an entry lies under another's key.
var errMisplaced = fmt.Errorf("%w: it lies under another entry's key", journal.ErrDamagedEntry)

// readEntry parses the entry that the iterator stands on.
func readEntry(it *pebble.Iterator, name record.Queue, entry *record.Entry) error {
	value, err := it.ValueAndErr()
	if err != nil {
		return err
	}
	return parseEntryAt(it.Key(), value, name, entry)
}

// parseEntryAt parses an entry of the named queue and checks that it belongs under its key.
func parseEntryAt(key, value []byte, name record.Queue, entry *record.Entry) error {
	if err := journal.ParseEntry(value, entry); err != nil {
		return err
	}
	_, sequence, ok := parseEntryKey(key)
	if !ok || entry.Sequence != sequence || entry.Queue != name {
		return errMisplaced
	}
	return nil
}

// compareQueues orders queues as their keys are ordered.
func compareQueues(a, b record.Queue) int {
	if c := bytes.Compare(a.Stream[:], b.Stream[:]); c != 0 {
		return c
	}
	if a.Output != b.Output {
		return int(a.Output) - int(b.Output)
	}
	switch {
	case a.Shard < b.Shard:
		return -1
	case a.Shard > b.Shard:
		return 1
	}
	return 0
}

// namedBy collects the queues that tx names, sorted, each once.
func namedBy(dst []record.Queue, tx *record.Tx) []record.Queue {
	for i := range tx.Appends {
		dst = append(dst, tx.Appends[i].Queue)
	}
	for _, t := range tx.Trims {
		dst = append(dst, t.Queue)
	}
	for _, r := range tx.Raises {
		dst = append(dst, r.Queue)
	}
	dst = append(dst, tx.Drops...)
	if len(dst) > 1 {
		slices.SortFunc(dst, compareQueues)
		dst = slices.Compact(dst)
	}
	return dst
}

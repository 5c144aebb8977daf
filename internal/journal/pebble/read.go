package pebble

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/cockroachdb/pebble/v2"

	"hydrant/internal/record"
)

// chunkBytes is how much of a queue is read at once. Entries are copied out of Pebble before
// callers see them: a caller may take minutes over one, and an open iterator would keep
// memtables and tables alive all that time, and a damaged table from being replaced.
const chunkBytes = 512 << 10

// chunk is a run of entries or states, copied out of Pebble.
type chunk struct {
	buf   []byte
	items []item
	entry record.Entry
}

// item is one value of a chunk: keys and values lie in buf back to back.
type item struct{ key, value int } // their ends

// add copies a key and its value into the chunk.
func (c *chunk) add(key, value []byte) {
	c.buf = append(c.buf, key...)
	k := len(c.buf)
	c.buf = append(c.buf, value...)
	c.items = append(c.items, item{k, len(c.buf)})
}

func (c *chunk) reset() { c.buf, c.items = c.buf[:0], c.items[:0] }

// at returns the key and value of the i-th item.
func (c *chunk) at(i int) (key, value []byte) {
	start := 0
	if i > 0 {
		start = c.items[i-1].value
	}
	it := c.items[i]
	return c.buf[start:it.key], c.buf[it.key:it.value:it.value]
}

func (e *Engine) newChunk() *chunk {
	if c, ok := e.chunks.Get().(*chunk); ok {
		return c
	}
	return &chunk{}
}

// fill copies what lies between two keys into the chunk until it is full or the end is
// reached, and reports whether it was reached.
func (e *Engine) fill(c *chunk, lower, upper []byte) (end bool, err error) {
	c.reset()
	it, err := e.db.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: upper})
	if err != nil {
		return false, err
	}
	ok := it.First()
	for ; ok && len(c.buf) < chunkBytes; ok = it.Next() {
		value, err := it.ValueAndErr()
		if err != nil {
			return false, errors.Join(err, it.Close())
		}
		c.add(it.Key(), value)
	}
	return !ok, errors.Join(it.Error(), it.Close())
}

// reading is one Read under way.
type reading struct {
	e     *Engine
	q     record.Queue
	fn    func(*record.Entry) error
	chunk *chunk

	at    record.Mark // the next entry; Before is only known if known is set
	known bool
}

// Read implements journal.Engine. Where the beginning of a gap is not known, because from
// lies behind it, the entry that stands for it has a Lost of zero and the Before of what
// follows; the same is true of trimmed stretches. A reader that has its own mark finds what
// it missed by comparing.
func (e *Engine) Read(ctx context.Context, q record.Queue, from uint64, fn func(*record.Entry) error) error {
	r := &reading{e: e, q: q, fn: fn, chunk: e.newChunk()}
	defer e.chunks.Put(r.chunk)
	r.at.Entry = max(from, 1)
	err := r.run(ctx)
	if errors.Is(err, record.ErrStop) {
		return nil
	}
	return err
}

func (r *reading) run(ctx context.Context) error {
	for {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("read queue %s: %w", r.q, err)
		}
		var end record.Mark
		var whole bool
		err := r.e.healing(ctx, func() (err error) {
			end, whole, err = r.next()
			return err
		})
		if err != nil {
			return fmt.Errorf("read queue %s: %w", r.q, err)
		}
		if err := r.pass(); err != nil {
			return err
		}
		if !whole {
			continue
		}
		if r.at.Entry >= end.Entry {
			return nil
		}
		if err := r.passGap(end); err != nil {
			return err
		}
	}
}

// next reads the next chunk. It returns the durable end, and whether the chunk reaches it.
func (r *reading) next() (end record.Mark, whole bool, err error) {
	r.e.gate.RLock()
	defer r.e.gate.RUnlock()
	r.chunk.reset()
	if err := r.e.usable(); err != nil {
		return end, false, err
	}
	q, err := r.e.lockQueue(r.q)
	if err != nil {
		return end, false, err
	}
	end, floor := q.durable, q.floor
	q.mu.Unlock()
	if r.at.Entry == floor.Entry {
		r.at, r.known = floor, true
	}
	if r.at.Entry >= end.Entry {
		return end, true, nil
	}
	whole, err = r.e.fill(r.chunk, entryKey(r.q, r.at.Entry), entryKey(r.q, end.Entry))
	return end, whole, err
}

// pass hands the chunk's entries to the caller, gaps first.
func (r *reading) pass() error {
	entry := &r.chunk.entry
	for i := range r.chunk.items {
		key, value := r.chunk.at(i)
		if err := parseEntryAt(key, value, r.q, entry); err != nil {
			r.e.medic.noteDamaged(key, err.Error())
			continue // it becomes part of a gap
		}
		if entry.Sequence > r.at.Entry {
			follows := record.Mark{Position: record.Position{Entry: entry.Sequence}, Before: entry.Before}
			if err := r.passGap(follows); err != nil {
				return err
			}
		}
		r.at, r.known = entry.After(), true
		if err := r.fn(entry); err != nil {
			return err
		}
	}
	return nil
}

// passGap hands over one entry for all that is missing up to the given mark, or two if the
// beginning was trimmed and the rest is damaged.
func (r *reading) passGap(to record.Mark) error {
	floor, end, err := r.e.bounds(r.q)
	if err != nil {
		return fmt.Errorf("read queue %s: %w", r.q, err)
	}
	if end.Entry < to.Entry {
		return record.ErrStop // the queue was dropped meanwhile
	}
	if floor.Entry > r.at.Entry {
		if floor.Entry > to.Entry {
			floor = to
		}
		if err := r.missing(floor, floor.Before); err != nil {
			return err
		}
		r.known = true
	}
	if r.at.Entry >= to.Entry {
		return nil
	}
	if !r.known {
		if err := r.findBefore(); err != nil {
			return fmt.Errorf("read queue %s: %w", r.q, err)
		}
	}
	before := to.Before
	if r.known {
		before = r.at.Before
	}
	return r.missing(to, before)
}

// missing hands over an entry for what lies between r.at and to.
func (r *reading) missing(to record.Mark, before record.Counts) error {
	gap := record.Entry{
		Queue: r.q, Sequence: r.at.Entry, Before: before,
		Missing: to.Entry - r.at.Entry, Lost: to.Before.Sub(before),
	}
	r.at = to
	return r.fn(&gap)
}

// findBefore looks for the counts before r.at at its neighbour below.
func (r *reading) findBefore() error {
	r.e.gate.RLock()
	defer r.e.gate.RUnlock()
	if err := r.e.usable(); err != nil {
		return err
	}
	mark, err := r.e.markBefore(r.q, r.at.Entry)
	if err != nil && !pebble.IsCorruptionError(err) {
		return err
	}
	if err == nil && mark.Entry == r.at.Entry {
		r.at, r.known = mark, true
	}
	return nil
}

// bounds returns the marks of the first entry of q that is not trimmed and of its durable end.
func (e *Engine) bounds(name record.Queue) (floor, end record.Mark, err error) {
	e.gate.RLock()
	defer e.gate.RUnlock()
	if err := e.usable(); err != nil {
		return floor, end, err
	}
	q, err := e.lockQueue(name)
	if err != nil {
		return floor, end, err
	}
	defer q.mu.Unlock()
	return q.floor, q.durable, nil
}

// Head implements journal.Engine.
func (e *Engine) Head(ctx context.Context, name record.Queue) (record.Mark, error) {
	var head record.Mark
	err := e.healing(ctx, func() error {
		e.gate.RLock()
		defer e.gate.RUnlock()
		if err := e.usable(); err != nil {
			return err
		}
		q, err := e.lockQueue(name)
		if err != nil {
			return err
		}
		defer q.mu.Unlock()
		head = q.durable
		return nil
	})
	if err != nil {
		return head, fmt.Errorf("head of queue %s: %w", name, err)
	}
	return head, nil
}

// State implements journal.Engine. Once the disk has failed it refuses: the last write may
// be visible without being durable.
func (e *Engine) State(ctx context.Context, key string) (record.State, error) {
	var state record.State
	err := e.healing(ctx, func() (err error) {
		e.gate.RLock()
		defer e.gate.RUnlock()
		lock := &e.keys[e.stripe(key)]
		lock.RLock()
		defer lock.RUnlock()
		if err := e.writable(); err != nil {
			return err
		}
		state, err = e.getState(key)
		return err
	})
	if err != nil {
		return record.State{}, fmt.Errorf("read state %q: %w", key, err)
	}
	return state, nil
}

// getState reads a state and copies its value. e.gate and the key's lock are held.
func (e *Engine) getState(key string) (record.State, error) {
	k := stateKey(key)
	value, closer, err := e.db.Get(k)
	if errors.Is(err, pebble.ErrNotFound) {
		return record.State{Key: key}, nil
	}
	if err != nil {
		return record.State{}, err
	}
	s, ok := parseState(k, value)
	s.Value = append([]byte{}, s.Value...)
	if err := closer.Close(); err != nil {
		return record.State{}, err
	}
	if !ok {
		return record.State{}, fmt.Errorf("%w: the value does not match its checksum", ErrDamaged)
	}
	return s, nil
}

// States implements journal.Engine. It shows no key twice, but not all at one moment: keys
// written meanwhile may or may not be seen.
func (e *Engine) States(ctx context.Context, prefix string, fn func(record.State) error) error {
	c := e.newChunk()
	defer e.chunks.Put(c)
	lower, upper := stateKey(prefix), prefixEnd(stateKey(prefix))
	for {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("read states under %q: %w", prefix, err)
		}
		var end bool
		err := e.healing(ctx, func() (err error) {
			end, err = e.fillStates(c, lower, upper)
			return err
		})
		if err != nil {
			return fmt.Errorf("read states under %q: %w", prefix, err)
		}
		for i := range c.items {
			key, value := c.at(i)
			s, ok := parseState(key, value)
			if !ok {
				return fmt.Errorf("read state %q: %w: the value does not match its checksum", key[1:], ErrDamaged)
			}
			if err := fn(s); errors.Is(err, record.ErrStop) {
				return nil
			} else if err != nil {
				return err
			}
			lower = append(append(lower[:0], key...), 0)
		}
		if end {
			return nil
		}
	}
}

// fillStates reads a chunk of states while no state is being written, so that all it sees is
// durable.
func (e *Engine) fillStates(c *chunk, lower, upper []byte) (bool, error) {
	e.gate.RLock()
	defer e.gate.RUnlock()
	for i := range e.keys {
		e.keys[i].RLock()
	}
	defer func() {
		for i := range e.keys {
			e.keys[i].RUnlock()
		}
	}()
	if err := e.writable(); err != nil {
		return false, err
	}
	return e.fill(c, lower, upper)
}

// prefixEnd is the first key behind all that start with prefix, whose first byte is not 0xff.
func prefixEnd(prefix []byte) []byte {
	end := append([]byte{}, prefix...)
	for i := len(end) - 1; ; i-- {
		if end[i]++; end[i] != 0 {
			return end[:i+1]
		}
	}
}

// keyLocks are the locks of state keys. A writer holds them until its write is synced, so a
// reader that gets one sees only durable values.
type keyLocks [stripes]sync.RWMutex

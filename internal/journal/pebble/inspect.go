package pebble

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"hydrant/internal/journal"
	"hydrant/internal/record"
)

// QueueReport is what Inspect found of one queue.
type QueueReport struct {
	Queue   record.Queue
	Floor   record.Mark // of the first entry that is not trimmed
	Head    record.Mark // behind the last entry
	Entries uint64      // that can be read
	Stored  uint64      // their stored bytes
	Gaps    []Gap       // where entries are missing
}

// Gap is a stretch of entries that cannot be read.
type Gap struct {
	From, Entries uint64
	Lost          record.Counts
}

// Visitor is told what Inspect finds. Nil functions are not called; an error from one ends
// the inspection with it.
type Visitor struct {
	Queue func(QueueReport) error
	// Entry is called with each readable entry of a queue, in order, before its Queue. The
	// entry is valid only during the call. Without Queue it is not called.
	Entry func(*record.Entry) error
	State func(record.State) error
	// Damage is told of each damaged file, entry and state, before what lies in it is
	// visited. Copy is empty: nothing is set aside.
	Damage func(journal.Damage)
}

// Inspect reads a whole journal that no engine has open, as an engine would see it after all
// repairs, and changes nothing but taking the folder's lock. It needs memory for one table at
// a time, and for each damaged one.
func Inspect(ctx context.Context, o Options, v Visitor) error {
	o = o.withDefaults()
	o.OnDamage = func(d journal.Damage) {
		if v.Damage != nil {
			v.Damage(d)
		}
	}
	if _, err := o.FS.Stat(o.Dir); err != nil {
		return fmt.Errorf("inspect journal: %w", err)
	}
	lock, err := lockDir(o)
	if err != nil {
		return err
	}
	e := newEngine(o, lock)
	e.medic.readOnly, e.disk.tables = true, e.openTable
	err = e.inspect(ctx, v)
	if e := lock.Close(); err == nil {
		err = e
	}
	if err != nil {
		return fmt.Errorf("inspect journal: %w", err)
	}
	return nil
}

// inspect opens Pebble for reading and visits everything.
func (e *Engine) inspect(ctx context.Context, v Visitor) error {
	if err := e.medic.beginOpening(); err != nil {
		return err
	}
	opt := e.pebbleOptions(e.disk, e.lock)
	opt.ReadOnly = true
	db, err := pebble.Open(e.opt.Dir, opt)
	if err != nil {
		return err
	}
	e.db = db
	return errors.Join(e.visitQueues(ctx, v), e.visitStates(ctx, v), db.Close())
}

// openTable opens a table, or a cured one in memory in its place.
func (e *Engine) openTable(path string) (vfs.File, error) {
	data, err := readFile(e.opt.FS, path)
	if err != nil {
		return nil, err
	}
	c, err := cureTable(data, e.tableOptions())
	if err != nil {
		return nil, err
	}
	if c.sound() {
		return e.opt.FS.Open(path)
	}
	if err := e.medic.report(path, c.reason(), 0); err != nil {
		return nil, err
	}
	return vfs.NewMemFile(c.data), nil
}

// visitQueues visits every queue that has a meta value or an entry.
func (e *Engine) visitQueues(ctx context.Context, v Visitor) error {
	if v.Queue == nil {
		return nil
	}
	at := []byte{metaKind}
	for {
		name, ok, err := e.nextQueue(at)
		if err != nil || !ok {
			return err
		}
		r, err := e.visitQueue(ctx, name, v.Entry)
		if err != nil {
			return err
		}
		if err := v.Queue(r); err != nil {
			return err
		}
		at = append(metaKey(name), 0)
	}
}

// nextQueue returns the first queue at or behind a meta key: the lesser one of the next meta
// value and the next entry.
func (e *Engine) nextQueue(at []byte) (name record.Queue, ok bool, err error) {
	meta, err := e.firstKey(at, []byte{metaKind + 1})
	if err != nil {
		return name, false, err
	}
	from := append([]byte{entryKind}, at[1:]...)
	if len(at) > metaKeyBytes { // behind that queue's entries
		from = append(bytes.Repeat([]byte{0xff}, 8), 0)
		from = append(append([]byte{entryKind}, at[1:metaKeyBytes]...), from...)
	}
	entry, err := e.firstKey(from, []byte{entryKind + 1})
	if err != nil {
		return name, false, err
	}
	key := meta
	if meta == nil || entry != nil && bytes.Compare(entry[1:metaKeyBytes], meta[1:metaKeyBytes]) < 0 {
		key = entry
	}
	name, ok = parseQueueKey(key)
	return name, ok, nil
}

// firstKey returns the first key between two, or nil.
func (e *Engine) firstKey(lower, upper []byte) ([]byte, error) {
	it, err := e.db.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: upper})
	if err != nil {
		return nil, err
	}
	var key []byte
	if it.First() {
		key = bytes.Clone(it.Key())
	}
	return key, errors.Join(it.Error(), it.Close())
}

// visitQueue reads a whole queue and shows each entry to visit, unless that is nil.
func (e *Engine) visitQueue(ctx context.Context, name record.Queue, visit func(*record.Entry) error) (QueueReport, error) {
	r := QueueReport{Queue: name}
	var err error
	if r.Floor, r.Head, err = e.bounds(name); err != nil {
		return r, err
	}
	err = e.Read(ctx, name, r.Floor.Entry, func(entry *record.Entry) error {
		if entry.Missing > 0 {
			r.Gaps = append(r.Gaps, Gap{entry.Sequence, entry.Missing, entry.Lost})
			return nil
		}
		r.Entries++
		r.Stored += uint64(len(entry.Stored))
		if visit == nil {
			return nil
		}
		return visit(entry)
	})
	return r, err
}

// visitStates visits every state and reports those that do not match their checksums.
func (e *Engine) visitStates(ctx context.Context, v Visitor) error {
	c := e.newChunk()
	lower := []byte{stateKind}
	for end := false; !end; {
		if err := ctx.Err(); err != nil {
			return err
		}
		var err error
		if end, err = e.fillStates(c, lower, []byte{stateKind + 1}); err != nil {
			return err
		}
		for i := range c.items {
			key, value := c.at(i)
			s, ok := parseState(key, value)
			if !ok {
				e.medic.noteDamaged(key, "the value does not match its checksum")
			} else if v.State != nil {
				if err := v.State(s); err != nil {
					return err
				}
			}
			lower = append(append(lower[:0], key...), 0)
		}
	}
	return nil
}

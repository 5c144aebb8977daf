package pebble

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/maphash"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"hydrant/internal/journal"
	"hydrant/internal/record"
)

// stripes is how many locks all state keys share.
const stripes = 256

// promiseBytes is the length of a promise: 'p' and a Pebble sequence number.
const promiseBytes = 9

// write is one Apply under way.
type write struct {
	e       *Engine
	tx      *record.Tx
	batch   *pebble.Batch
	names   []record.Queue
	touched []touched
	stripes []int
	entry   record.Entry
}

// touched is a queue that a write changes: as it is, and as it will be.
type touched struct {
	q           *queue
	next, floor record.Mark
	meta        bool // its meta value is to be written
	dropped     bool
	life        int // of q when the write was committed
}

// Apply implements journal.Engine. Pieces that no entry can hold are refused before anything
// is written.
//
// The story: take the locks of the states and compare their versions; take the queues' locks,
// assign sequences, encode everything straight into one batch and hand it to Pebble, which
// puts batches into the log in this order; let go of the queues, so that the next write can
// join the same sync; wait for the sync; only then move the durable watermarks and let go of
// the states. A crash before the sync leaves all of it or nothing, a crash after it all.
func (e *Engine) Apply(ctx context.Context, tx *record.Tx) error {
	size, err := sizeOf(tx)
	if err != nil {
		return fmt.Errorf("journal write: %w", err)
	}
	return e.healing(ctx, func() error { return e.apply(ctx, tx, size) })
}

func (e *Engine) apply(ctx context.Context, tx *record.Tx, size uint64) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("journal write: %w", err)
	}
	e.gate.RLock()
	defer e.gate.RUnlock()
	if err := e.writable(); err != nil {
		return err
	}
	if len(tx.Appends) > 0 && !tx.Moves {
		if err := e.space.admit(e.held, size); err != nil {
			return fmt.Errorf("append to the journal: %w", err)
		}
	}
	w := e.newWrite(tx, size)
	defer w.free()
	w.lockStates()
	defer w.unlockStates()
	if err := w.compareVersions(); err != nil {
		return err
	}
	if err := w.commit(); err != nil {
		return err
	}
	if err := w.sync(); err != nil {
		return err
	}
	w.publish()
	return nil
}

// sizeOf checks what tx asks for and returns roughly what it takes in the log.
func sizeOf(tx *record.Tx) (uint64, error) {
	size := uint64(64)
	for i := range tx.Appends {
		for j := range tx.Appends[i].Pieces {
			p := &tx.Appends[i].Pieces[j]
			if len(p.Lengths) == 0 || len(p.Lengths) > record.MaxEntryRecords || len(p.Stored) > journal.MaxStoredBytes {
				return 0, fmt.Errorf("piece of %d records in %d bytes is no entry", len(p.Lengths), len(p.Stored))
			}
			size += uint64(len(p.Stored) + 3*len(p.Lengths) + 256)
		}
	}
	for _, s := range tx.States {
		size += uint64(len(s.Key) + len(s.Value) + 64)
	}
	return size + 128*uint64(len(tx.Trims)+len(tx.Drops)), nil
}

func (e *Engine) newWrite(tx *record.Tx, size uint64) *write {
	w, ok := e.writes.Get().(*write)
	if !ok {
		w = &write{e: e}
	}
	w.tx = tx
	w.batch = e.db.NewBatch(pebble.WithInitialSizeBytes(int(size)), pebble.WithMaxRetainedSizeBytes(retainedBatch))
	return w
}

// retainedBatch is how large a batch's memory may be to be used again.
const retainedBatch = 1 << 20

// free gives the write back. A batch that failed is left to the garbage collector: Pebble may
// still hold it.
func (w *write) free() {
	if w.batch != nil && w.e.failed() == nil {
		if err := w.batch.Close(); err != nil {
			w.e.log.Warn("batch was not closed", "error", err)
		}
	}
	clear(w.touched)
	w.tx, w.batch, w.entry.Piece = nil, nil, record.Piece{}
	w.names, w.touched, w.stripes = w.names[:0], w.touched[:0], w.stripes[:0]
	w.e.writes.Put(w)
}

func (e *Engine) stripe(key string) int {
	return int(maphash.String(e.seed, key) % stripes)
}

// lockStates takes the locks of all state keys, each once and in order.
func (w *write) lockStates() {
	for i := range w.tx.States {
		w.stripes = append(w.stripes, w.e.stripe(w.tx.States[i].Key))
	}
	slices.Sort(w.stripes)
	w.stripes = slices.Compact(w.stripes)
	for _, i := range w.stripes {
		w.e.keys[i].Lock()
	}
}

func (w *write) unlockStates() {
	for _, i := range w.stripes {
		w.e.keys[i].Unlock()
	}
}

// compareVersions refuses the write if a state is not as the writer saw it. Two writes to one
// key in one Tx contradict each other.
func (w *write) compareVersions() error {
	if key, twice := writtenTwice(w.tx.States); twice {
		return fmt.Errorf("state %q is written twice: %w", key, record.ErrConflict)
	}
	for _, s := range w.tx.States {
		now, err := w.e.getState(s.Key)
		if err != nil {
			return w.e.giveUpUnlessDamaged(fmt.Errorf("read state %q: %w", s.Key, err))
		}
		if now.Version != s.Old {
			return fmt.Errorf("state %q has version %d, not %d: %w", s.Key, now.Version, s.Old, record.ErrConflict)
		}
	}
	return nil
}

// writtenTwice returns a key that is written more than once. Most writes have one or two keys;
// one that opens or ends partitions may have thousands.
func writtenTwice(states []record.StateWrite) (string, bool) {
	if len(states) < 2 {
		return "", false
	}
	if len(states) == 2 {
		return states[0].Key, states[0].Key == states[1].Key
	}
	keys := make(map[string]struct{}, len(states))
	for i := range states {
		key := states[i].Key
		if _, ok := keys[key]; ok {
			return key, true
		}
		keys[key] = struct{}{}
	}
	return "", false
}

// commit assigns sequences and hands the batch to Pebble, all under the queues' locks.
func (w *write) commit() error {
	w.names = namedBy(w.names, w.tx)
	defer func() {
		for _, t := range w.touched {
			t.q.mu.Unlock()
		}
	}()
	for _, name := range w.names {
		q, err := w.e.lockQueue(name)
		if err != nil {
			return w.e.giveUpUnlessDamaged(err)
		}
		w.touched = append(w.touched, touched{q: q, next: q.next, floor: q.floor})
	}
	if err := w.encode(); err != nil {
		return w.e.giveUp(err)
	}
	if err := w.e.db.ApplyNoSyncWait(w.batch, pebble.Sync); err != nil {
		return w.e.giveUp(err)
	}
	for i := range w.touched {
		t := &w.touched[i]
		t.q.next, t.q.floor = t.next, t.floor
		if t.dropped {
			t.q.durable = begin
			t.q.life++
		}
		t.life = t.q.life
	}
	return nil
}

// sync waits until the batch is on disk.
func (w *write) sync() error {
	number := w.batch.SeqNum()
	if err := w.batch.SyncWait(); err != nil {
		return w.e.giveUp(err)
	}
	if err := w.e.failed(); err != nil {
		return err
	}
	for known := w.e.synced.Load(); uint64(number) > known; known = w.e.synced.Load() {
		if w.e.synced.CompareAndSwap(known, uint64(number)) {
			break
		}
	}
	return nil
}

// publish moves the durable watermarks. A later write of the same queue may have done it (its
// sync covered this one), or dropped the queue.
func (w *write) publish() {
	for i := range w.touched {
		t := &w.touched[i]
		t.q.mu.Lock()
		if t.life == t.q.life && t.next.Entry > t.q.durable.Entry {
			t.q.durable = t.next
		}
		if t.dropped && t.life == t.q.life && t.q.next == begin {
			w.e.queues.forget(t.q)
		}
		t.q.mu.Unlock()
	}
}

// find returns a queue that the write changes. They are in the order of their keys.
func (w *write) find(name record.Queue) *touched {
	i, ok := slices.BinarySearchFunc(w.touched, name, func(t touched, name record.Queue) int {
		return compareQueues(t.q.name, name)
	})
	if !ok {
		return nil
	}
	return &w.touched[i]
}

// encode fills the batch: the promise first, then what is forgotten, then what is new.
func (w *write) encode() error {
	var promise [promiseBytes]byte
	promise[0] = 'p'
	binary.BigEndian.PutUint64(promise[1:], w.e.synced.Load())
	err := w.batch.LogData(promise[:], nil)
	for _, name := range w.tx.Drops {
		err = errors.Join(err, w.encodeDrop(name))
	}
	for _, t := range w.tx.Trims {
		err = errors.Join(err, w.encodeTrim(t))
	}
	for _, r := range w.tx.Raises {
		if t := w.find(r.Queue); t.next.Entry < r.Mark.Entry {
			t.next, t.meta = r.Mark, true
		}
	}
	for i := range w.tx.Appends {
		err = errors.Join(err, w.encodeAppend(&w.tx.Appends[i]))
	}
	for i := range w.touched {
		err = errors.Join(err, w.encodeMeta(&w.touched[i]))
	}
	for i := range w.tx.States {
		err = errors.Join(err, w.encodeState(&w.tx.States[i]))
	}
	return err
}

// fewEntries is how many entries of a dropped queue are deleted one by one. Partitions come and
// go by the thousand, and so many range tombstones would slow down every reader.
const fewEntries = 256

// encodeDrop forgets a queue. What the same Tx appends to it starts a new one.
func (w *write) encodeDrop(name record.Queue) error {
	t := w.find(name)
	from, to := t.q.floor.Entry, t.q.next.Entry
	t.next, t.floor, t.dropped = begin, begin, true
	err := w.batch.Delete(metaKey(name), nil)
	if to-from > fewEntries {
		return errors.Join(err, w.batch.DeleteRange(entryKey(name, 0), queueEnd(name), nil))
	}
	for ; from < to; from++ {
		err = errors.Join(err, w.batch.Delete(entryKey(name, from), nil))
	}
	return err
}

// encodeTrim forgets the entries below t.Before, always from the queue's first key: the
// tombstones of a queue then cover each other and Pebble keeps one.
func (w *write) encodeTrim(t record.Trim) error {
	q := w.find(t.Queue)
	before := min(t.Before, q.next.Entry)
	if before <= q.floor.Entry {
		return nil
	}
	floor, err := w.e.markFrom(t.Queue, before, q.next)
	if err != nil {
		// The entry at the new floor cannot be read now; its counts are only needed to say
		// exactly what a gap there held.
		floor = record.Mark{Position: record.Position{Entry: before}, Before: q.floor.Before}
	}
	q.floor, q.meta = floor, true
	return w.batch.DeleteRange(entryKey(t.Queue, 0), entryKey(t.Queue, before), nil)
}

// encodeAppend writes entries straight into the batch.
func (w *write) encodeAppend(a *record.Append) error {
	t := w.find(a.Queue)
	a.First = t.next.Entry
	for i := range a.Pieces {
		w.entry = record.Entry{
			Queue:    a.Queue,
			Sequence: t.next.Entry,
			Before:   t.next.Before,
			Arrival:  a.Arrival.UnixMilli(),
			Piece:    a.Pieces[i],
		}
		size := journal.EntrySize(&w.entry)
		op := w.batch.SetDeferred(entryKeyBytes, size)
		appendEntryKey(op.Key[:0], a.Queue, t.next.Entry)
		journal.AppendEntry(op.Value[:0:size], &w.entry)
		if err := op.Finish(); err != nil {
			return err
		}
		t.next, t.meta = w.entry.After(), true
	}
	return nil
}

// encodeMeta keeps head and floor of a queue. It is written with every append: the head then
// survives damage to the last entry, and the last entry damage to the meta value.
func (w *write) encodeMeta(t *touched) error {
	if !t.meta {
		return nil
	}
	op := w.batch.SetDeferred(metaKeyBytes, metaBytes)
	key := appendQueueKey(op.Key[:0], metaKind, t.q.name)
	putChecksum(key, appendMeta(op.Value[:0], t.next, t.floor))
	return op.Finish()
}

func (w *write) encodeState(s *record.StateWrite) error {
	if s.Value == nil {
		return w.batch.Delete(stateKey(s.Key), nil)
	}
	op := w.batch.SetDeferred(1+len(s.Key), stateHead+len(s.Value))
	key := append(append(op.Key[:0], stateKind), s.Key...)
	value := binary.BigEndian.AppendUint64(append(op.Value[:0], 0, 0, 0, 0), s.Old+1)
	putChecksum(key, append(value, s.Value...))
	return op.Finish()
}

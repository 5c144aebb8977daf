package stage

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"

	"hydrant/internal/record"
	"hydrant/internal/stream"
)

var errShort = errors.New("the journal holds less than it says")

// runner processes one ingest log. Its life is a loop: read ahead while batches are due and
// the pipeline has room, wait for the oldest batch, store what came of it. Only the storing
// leaves anything behind, and it is one write: results, account and trim. A crash before it
// makes the batch be processed again, and nobody has seen the results of the first time.
type runner struct {
	queue   record.Queue
	opt     *Options
	log     *slog.Logger
	reader  Reader
	version atomic.Pointer[version] // of the stream, that the next batch is read under
	account atomic.Pointer[Account] // as stored
	flushed atomic.Pointer[record.Mark]
	trouble atomic.Pointer[trouble] // nil while all is well
	first   atomic.Pointer[arrival] // see arrived
	wake    chan struct{}           // capacity 1: something was appended, flushed, or updated

	// The rest belongs to the goroutine of run.
	saved   *saved
	current *version    // that renew has seen
	reading record.Mark // behind the last batch that was read
	batches []*batch    // in the pipeline, in order; each holds a slot
}

// version is a stream's definition and its pipeline.
type version struct {
	def *stream.Definition
	Pipeline
}

// run processes until ctx ends. It returns an error only when the journal no longer serves.
func (r *runner) run(ctx context.Context) error {
	r.reader.Pass(r.saved.Checkpoint, nil)
	for ctx.Err() == nil {
		err := r.goOn(ctx)
		if isFatal(err) {
			return fmt.Errorf("process %s: %w", r.queue, err)
		}
		if err != nil && ctx.Err() == nil {
			r.pause(ctx, err)
		}
	}
	return nil
}

// goOn processes from the checkpoint on until something fails.
func (r *runner) goOn(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer r.abandon()
	defer cancel()
	r.reading = r.saved.Checkpoint
	for ctx.Err() == nil {
		if err := r.step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// abandon gives up all that is in the pipeline: it is read again.
func (r *runner) abandon() { r.giveUp(0) }

// giveUp ends the batches in the pipeline but for the first so many, waits for them, and
// forgets them: they are read again. Nothing of them is stored, whatever came of them.
func (r *runner) giveUp(keep int) {
	for _, b := range r.batches[keep:] {
		b.cancel()
	}
	for _, b := range r.batches[keep:] {
		<-b.done
		b.slot.release()
	}
	r.batches, r.reading = slices.Delete(r.batches, keep, len(r.batches)), r.saved.Checkpoint
	if keep > 0 {
		r.reading = r.batches[keep-1].to
	}
}

// renew makes the stream's newest version that of all batches which are still being
// processed: a function that hangs, or is not there, is left as soon as another is named.
// Batches that came through the former version before any that did not are stored as they
// are.
func (r *runner) renew() {
	v := r.version.Load()
	if v == r.current {
		return
	}
	r.current = v
	r.trouble.Store(nil) // it was the former version's
	for i, b := range r.batches {
		if b.version != v && !b.passed() {
			r.giveUp(i)
			return
		}
	}
}

// step reads ahead as far as it may and then waits for something to happen.
func (r *runner) step(ctx context.Context) error {
	r.renew()
	wait, err := r.readAhead(ctx)
	if err != nil {
		return err
	}
	if err := r.trimOnTime(ctx); err != nil {
		return err
	}
	if trim := r.reader.UntilTrim(); trim > 0 && (wait == 0 || trim < wait) {
		wait = trim
	}
	var first <-chan struct{}
	if len(r.batches) > 0 {
		first = r.batches[0].done
	}
	var fire <-chan time.Time
	if wait > 0 {
		t := time.NewTimer(wait)
		defer t.Stop()
		fire = t.C
	}
	select {
	case <-ctx.Done():
	case <-r.wake:
	case <-fire:
	case <-first:
		return r.store(ctx)
	}
	return nil
}

// readAhead sends batches into the pipeline, while they are due and there is room. It
// returns how long it is until one is due by age; 0 if something else comes first.
func (r *runner) readAhead(ctx context.Context) (time.Duration, error) {
	for {
		v := r.version.Load()
		if len(r.batches) >= max(v.Parallel, 1) {
			return 0, nil
		}
		head, wait, err := r.due(ctx, v)
		if err != nil || head == nil {
			return wait, err
		}
		slot, ok := r.opt.Slots.take(ctx, len(r.batches) == 0)
		if !ok {
			return 0, nil // a batch that is done makes us look again
		}
		b, err := r.read(ctx, r.reading, *head, v.Bytes)
		if err != nil {
			slot.release()
			return 0, err
		}
		b.slot, b.version, r.reading = slot, v, b.to
		r.batches = append(r.batches, b)
		b.start(ctx)
	}
}

// due returns the end of the queue if a batch is due behind what was read; otherwise how
// long it is until one is.
func (r *runner) due(ctx context.Context, v *version) (head *record.Mark, wait time.Duration, err error) {
	h, err := r.opt.Log.Head(ctx, r.queue)
	if err != nil {
		return nil, 0, err
	}
	if h.Entry <= r.reading.Entry {
		return nil, 0, nil
	}
	pending := h.Before.Sub(r.reading.Before)
	if f := r.flushed.Load(); pending.Bytes >= uint64(v.Bytes) || v.Age == 0 || f != nil && r.reading.Less(f.Position) {
		return &h, 0, nil
	}
	oldest, err := r.oldest(ctx)
	if err != nil {
		return nil, 0, err
	}
	if age := r.opt.Now().Sub(oldest); age < v.Age {
		return nil, v.Age - age, nil
	}
	return &h, 0, nil
}

// oldest is when the first record behind what was read arrived; now, if it says that it has
// not yet: the clock was set back, and nothing waits longer than the pipeline's age.
func (r *runner) oldest(ctx context.Context) (at time.Time, err error) {
	err = r.opt.Log.Read(ctx, r.queue, r.reading.Entry, func(e *record.Entry) error {
		if at = time.UnixMilli(e.Arrival); e.Missing > 0 {
			at = time.Time{}
		}
		return record.ErrStop
	})
	if now := r.opt.Now(); at.After(now) {
		at = now.Add(-maxSkew)
	}
	return at, err
}

// maxSkew is taken for the age of records from the future.
const maxSkew = time.Hour

// store writes what came of the oldest batch.
func (r *runner) store(ctx context.Context) error {
	b := r.batches[0]
	if b.err != nil && b.version != r.version.Load() {
		return nil // renew gives it up
	}
	if b.err != nil {
		return b.err
	}
	tx, next, err := r.settle(ctx, b)
	if err != nil {
		return err
	}
	r.saved.Account = next
	r.saved.version++
	r.account.Store(&next)
	r.reader.Pass(next.Checkpoint, tx.Trims)
	r.batches = r.batches[1:]
	b.cancel() // its context, which nobody needs any more
	b.slot.release()
	r.trouble.Store(nil)
	for i := range tx.Appends {
		r.opt.OnAppend(tx.Appends[i].Queue)
	}
	r.tell(b)
	return nil
}

// settle stores what came of a batch, and returns what was written.
func (r *runner) settle(ctx context.Context, b *batch) (tx *record.Tx, next Account, err error) {
	place, err := b.partition(b.Prefix, func(shares []record.Share) (record.Placement, error) {
		return r.opt.Partitions.Place(r.queue, shares)
	})
	if err != nil {
		return nil, next, err
	}
	stored := false
	defer func() { place.Done(stored) }()
	res, err := b.results(r.queue, place)
	if err != nil {
		return nil, next, err
	}
	if tx, next, err = r.transaction(ctx, b, res); err != nil {
		return nil, next, err
	}
	tx.States = append(tx.States, place.States...)
	tx.Drops = append(tx.Drops, place.Drops...)
	if err := r.opt.Log.Apply(ctx, tx); err != nil {
		return nil, next, fmt.Errorf("store processed records: %w", err)
	}
	stored = true
	return tx, next, nil
}

// trimOnTime trims a queue that is too quiet to do so with its batches.
func (r *runner) trimOnTime(ctx context.Context) error {
	trims := r.reader.DueTrim(r.saved.Checkpoint)
	if trims == nil {
		return nil
	}
	if err := r.opt.Log.Apply(ctx, &record.Tx{Trims: trims}); err != nil {
		return fmt.Errorf("trim %s: %w", r.queue, err)
	}
	r.reader.Pass(r.saved.Checkpoint, trims)
	return nil
}

// transaction is the one write that makes a batch's results those of its records for good.
func (r *runner) transaction(ctx context.Context, b *batch, res *results) (*record.Tx, Account, error) {
	next := r.saved.Account
	next.Checkpoint = b.to
	next.Taken, next.Dropped = next.Taken.Add(res.taken), next.Dropped.Add(res.dropped)
	next.Failed = next.Failed.Add(res.failed).Add(b.lost)
	tx := &record.Tx{Moves: true, Trims: r.reader.DueTrim(b.to)}
	def := r.version.Load().def
	for _, l := range res.lines {
		if o := l.queue.Output; o == record.Processed || o == record.Partition {
			next.Made = next.Made.Add(record.Counts{Records: uint64(len(l.Lengths)), Bytes: uint64(len(l.Data))})
		}
		pieces, err := r.opt.Pieces(ctx, def, l.Batch)
		if err != nil {
			return nil, next, err
		}
		tx.Appends = append(tx.Appends, record.Append{Queue: l.queue, Arrival: l.arrival, Pieces: pieces})
	}
	w, err := r.saved.write(r.queue, next)
	if err != nil {
		return nil, next, err
	}
	tx.States = append(tx.States, w)
	return tx, next, nil
}

// tell reports the failures of a batch, each kind once.
func (r *runner) tell(b *batch) {
	def, told := r.version.Load().def, map[string]bool{}
	for i := range b.out {
		if f := b.out[i].Failure; f != nil && !told[f.Code] {
			told[f.Code] = true
			r.opt.OnFailure(def, f)
		}
	}
	if b.lost.Records > 0 {
		r.log.Error("records could not be read from the journal and are counted as failed",
			"records", b.lost.Records, "bytes", b.lost.Bytes,
			"next", "see the damaged files set aside in the data directory; hydrant doctor explains them")
	}
}

const (
	firstPause = 100 * time.Millisecond
	maxPause   = 30 * time.Second
)

// pause reports a batch that could not be processed and waits before it is tried again,
// longer each time. Records stay where they are.
func (r *runner) pause(ctx context.Context, err error) {
	n := r.fail(err)
	wait := maxPause
	if n < 9 {
		wait = min(firstPause<<n, maxPause)
	}
	wait = wait/2 + rand.N(wait/2)
	if n&(n-1) == 0 { // the 1st, 2nd, 4th, 8th ... in a row
		r.log.Warn("records could not be processed; they are kept in the journal and it is tried again",
			"error", err, "failures", n, "retry_in", wait.Round(time.Millisecond))
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	for r.version.Load() == r.current {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			return
		case <-r.wake:
		}
	}
}

func (r *runner) nudge() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// isFatal reports whether the journal cannot go on, or another writer moved our state.
func isFatal(err error) bool {
	return errors.Is(err, record.ErrUncertain) || errors.Is(err, record.ErrClosed) || errors.Is(err, record.ErrConflict)
}

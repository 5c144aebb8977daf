package deliver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"hydrant/internal/record"
)

// runner delivers one output. Its life is a loop of three steps, and what is stored says
// which one is next, so a restart simply goes on:
//
//	no plan          → plan      wait until a buffer is due, store the plan
//	a plan           → prepare   encode, upload the parts, store the manifest
//	a manifest       → finish    make the objects visible, store the checkpoint
//
// A crash before the plan is stored leaves nothing. After it, uploads that the plan names
// may lie about: they are aborted and the range is planned afresh. After the manifest
// nothing is encoded anew: the uploads are completed, and a plain put is repeated with the
// same bytes. After the checkpoint the next plan begins where this one ended.
type runner struct {
	output   record.Queue           // which output of which stream, and shard
	from     atomic.Pointer[Reader] // of the queue that its records lie in; replaced by its goroutine
	sources  func(record.Queue) *source
	grown    func(record.Queue) // told of a queue that the runner has written to
	launched bool               // under Manager.mu
	opt      *Options
	log      *slog.Logger
	target   atomic.Pointer[target]
	wake     chan struct{} // capacity 1: something was appended, flushed, or the target changed
	status   atomic.Pointer[Status]
	flush    atomic.Pointer[flush]   // the last one; nil: none since the start
	first    atomic.Pointer[arrival] // found last; any goroutine may replace it
	parts    *partitions             // of the data of a partitioned stream, and of each of its partitions
	part     *partition              // the one that is delivered

	// The rest belongs to the goroutine of run.
	state   *savedProgress
	ours    bool          // the plan was made here and nothing was tried with it yet
	sealed  bool          // the manifest was made here and nothing was tried with it yet
	visible atomic.Bool   // something of the manifest may be visible; set by concurrent calls
	suspect bool          // an upload may exist that the manifest does not name
	done    []bool        // objects of the manifest that the store has acknowledged
	lost    record.Counts // found unreadable when the manifest's objects were encoded again
	bodies  []*buffer     // of the manifest's plain puts; nil entries are encoded again
	misfits *misfits      // of the manifest; nil: not at hand
	noTable time.Time     // since when the stream's table cannot be had; zero: it can
	held    *reservation
	seen    []sight // of a queue of the stage, behind the checkpoint
	looked  bool    // at such a queue, in this life
	fails   int     // steps that failed in a row
}

// leaves reports whether the records are to be processed from now on.
func (r *runner) leaves() bool { return r.target.Load().staged && !r.state.Staged }

func (r *runner) reader() *Reader { return r.from.Load() }

// queue is where the output's records lie.
func (r *runner) queue() record.Queue { return r.reader().source.queue }

// run delivers until ctx ends. It returns an error only when the journal no longer serves.
func (r *runner) run(ctx context.Context) error {
	defer r.freeBodies()
	state, err := loadProgress(ctx, r.opt.Log, r.output)
	if err != nil {
		return r.halt(ctx, err)
	}
	r.state, r.suspect = state, r.part == nil || state.version > 1
	r.reader().Pass(state.Checkpoint, nil)
	r.visible.Store(true) // a former life may have tried
	r.publish(nil)
	for ctx.Err() == nil {
		err := r.step(ctx)
		if errors.Is(err, errPartitionDone) {
			return nil
		}
		if isFatal(err) {
			return fmt.Errorf("deliver %s: %w", r.output, err)
		}
		if err != nil && ctx.Err() == nil {
			r.pause(ctx, err)
		}
	}
	return nil
}

// halt waits for the end of ctx: without its state an output cannot go on, but the others
// can. Its records stay where they are.
func (r *runner) halt(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	if isFatal(err) {
		return fmt.Errorf("deliver %s: %w", r.output, err)
	}
	r.log.Error("this output cannot be delivered: its state in the journal is unreadable; its records are kept",
		"error", err, "next", "stop the node and run hydrant doctor")
	s := *r.status.Load()
	s.Fails, s.LastError = 1, err.Error()
	r.status.Store(&s)
	<-ctx.Done()
	return nil
}

// raise lifts the end of the queue to the checkpoint. It lies below it when damage took the
// last entries, all delivered: new ones must not get their sequences and be passed over. So
// this comes before the door opens.
func (r *runner) raise(ctx context.Context, to record.Mark) error {
	head, err := r.opt.Log.Head(ctx, r.queue())
	if err != nil {
		return err
	}
	raise, damaged := record.RaiseTo(to, r.queue(), head)
	if !damaged {
		return nil
	}
	r.log.Error("damage took the end of this stream's queue, all of it delivered; the sequence goes on behind it",
		"from", head.Entry, "to", raise.Mark.Entry)
	return r.opt.Log.Apply(ctx, &record.Tx{Raises: []record.Raise{raise}})
}

// step does what the stored state says is next.
func (r *runner) step(ctx context.Context) error {
	switch p := r.state.Plan; {
	case p == nil && r.part != nil:
		return r.planPartition(ctx)
	case p == nil:
		return r.plan(ctx)
	case p.Manifest == nil:
		return r.prepare(ctx)
	default:
		return r.finish(ctx)
	}
}

// plan waits until a buffer is due and stores what will be done about it.
func (r *runner) plan(ctx context.Context) error {
	p, err := r.waitDue(ctx)
	if err != nil {
		return err
	}
	next := r.state.progress
	next.Plan = p
	if err := r.state.save(ctx, r.opt.Log, next); err != nil {
		return err
	}
	r.ours = true
	return nil
}

// prepare makes everything ready but visible. A plan that was tried before, here or in a
// former life, is not tried again: its uploads go, and the range is planned afresh under
// the stream's newest version. A paused stream gives its plan up: it makes no new objects.
func (r *runner) prepare(ctx context.Context) error {
	t := r.target.Load()
	if !r.ours || t.version != r.state.Plan.Version || t.paused {
		return r.abandon(ctx)
	}
	r.ours = false
	m, err := r.fill(ctx, t)
	if err != nil {
		r.freeBodies()
		return err
	}
	next := r.state.progress
	sealed := *next.Plan
	sealed.Manifest = m
	next.Plan = &sealed
	if err := r.state.save(ctx, r.opt.Log, next); err != nil {
		r.freeBodies()
		return err
	}
	r.sealed = true
	r.visible.Store(false)
	return nil
}

// abandon aborts the uploads that the plan began and forgets the plan.
func (r *runner) abandon(ctx context.Context) error {
	r.freeBodies()
	if err := r.sweepBegun(ctx); err != nil {
		return err
	}
	next := r.state.progress
	next.Strays = r.strays(next.Strays, next.Plan)
	next.Plan = nil
	return r.state.save(ctx, r.opt.Log, next)
}

// finish makes the manifest's objects visible and commits.
func (r *runner) finish(ctx context.Context) error {
	start := time.Now()
	if err := r.completeAll(ctx); err != nil {
		r.freeBodies()
		if errors.Is(err, errRedo) {
			return r.unseal(ctx)
		}
		return err
	}
	misfits := r.misfits
	r.freeBodies()
	r.misfits = misfits
	r.sweepDoubtful(ctx)
	err := r.commit(ctx, start)
	r.misfits = nil
	return err
}

// unseal takes the manifest back. It is stored before anything is aborted: with a manifest,
// uploads that are gone mean that they were completed.
func (r *runner) unseal(ctx context.Context) error {
	next := r.state.progress
	plan := *next.Plan
	plan.Manifest = nil
	next.Plan = &plan
	r.done = nil
	return r.state.save(ctx, r.opt.Log, next)
}

// commit moves the checkpoint, counts, ends the plan, and trims what nobody needs any
// more, in one write. If more is due already the next plan is part of it.
func (r *runner) commit(ctx context.Context, completed time.Time) error {
	p, m := r.state.Plan, r.state.Plan.Manifest
	next := r.state.progress
	next.Checkpoint = m.To
	done := m.To.Before.Sub(r.state.Checkpoint.Before)
	lost := m.Lost.Add(r.lost)
	failed := lost.Add(m.Unconverted)
	next.Delivered = next.Delivered.Add(less(done, failed))
	next.Failed = next.Failed.Add(failed)
	next.Strays = r.strays(next.Strays, p)
	for i := range m.Objects {
		next.Objects++
		next.ObjectBytes += uint64(m.Objects[i].Size)
	}
	next.Plan = nil
	trims := r.reader().DueTrim(m.To)
	tx := &record.Tx{Trims: trims}
	if err := r.appendMisfits(ctx, tx); err != nil {
		return err
	}
	ended := r.store(ctx, &next, m.To, tx)
	if ended != nil && !errors.Is(ended, errPartitionDone) {
		return ended
	}
	r.ours = next.Plan != nil
	r.suspect, r.sealed, r.lost, r.done = false, false, record.Counts{}, nil
	r.fails = 0 // only a whole delivery ends an alarm: a plan alone always succeeds
	r.reader().Pass(m.To, trims)
	r.tellMisfits()
	for i := range tx.Appends {
		r.grown(tx.Appends[i].Queue)
	}
	r.publish(nil)
	r.report(p, completed, lost)
	return ended
}

// store makes next the state, and plans what is due next.
func (r *runner) store(ctx context.Context, next *progress, to record.Mark, tx *record.Tx) error {
	if r.part != nil {
		return r.commitPartition(ctx, *next, to, tx)
	}
	if !anyDue(next.Strays) { // else waitDue looks at the strays first
		next.Plan = r.nextPlan(ctx, to)
	}
	return r.state.saveWith(ctx, r.opt.Log, *next, tx)
}

// report logs each object once, when it is delivered for good.
func (r *runner) report(p *plan, completed time.Time, lost record.Counts) {
	m := p.Manifest
	for i := range m.Objects {
		o := &m.Objects[i]
		r.log.Info("object delivered", "bucket", o.Bucket, "key", o.Key,
			"records", o.Held.Records, "raw_bytes", o.Held.Bytes, "object_bytes", o.Size,
			"parts", len(o.Parts), "version", p.Version,
			"since_plan", r.opt.Now().Sub(p.Made).Round(time.Millisecond),
			"complete", time.Since(completed).Round(time.Millisecond))
		r.opt.OnObject(time.Since(completed), o.Size)
	}
	if lost.Records > 0 {
		r.log.Error("records could not be read from the journal and are counted as failed",
			"records", lost.Records, "bytes", lost.Bytes,
			"next", "see the damaged files set aside in the data directory; hydrant doctor explains them")
	}
}

// freeBodies gives up the encoded bytes and their share of the memory.
func (r *runner) freeBodies() {
	for _, b := range r.bodies {
		if b != nil {
			b.free()
		}
	}
	r.bodies = nil
	r.misfits = nil
	if r.held != nil {
		r.held.release()
		r.held = nil
	}
}

// isFatal reports whether the journal cannot go on, or another writer moved our state.
func isFatal(err error) bool {
	return errors.Is(err, record.ErrUncertain) || errors.Is(err, record.ErrClosed) || errors.Is(err, record.ErrConflict)
}

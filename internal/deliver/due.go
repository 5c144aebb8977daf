package deliver

import (
	"context"
	"fmt"
	"time"

	"hydrant/internal/batch"
	"hydrant/internal/record"
	"hydrant/internal/stream"
)

// maxObjects bounds the objects of one plan. They are prepared one after the other and
// made visible at once, so the store's latency is paid once for all of them. Past four
// buffers of backlog the buffers themselves grow (spec firehose.md section 3.4).
const maxObjects = 4

// Delivered entries are trimmed when so much has gathered, or a minute has passed.
const (
	trimBytes    = 64 << 20
	trimInterval = time.Minute
)

// waitDue returns a plan as soon as a buffer is due.
func (r *runner) waitDue(ctx context.Context) (*plan, error) {
	for {
		if err := r.sweepLate(ctx); err != nil {
			return nil, err
		}
		if r.leaves() {
			if err := r.handOver(ctx); err != nil {
				return nil, err
			}
		}
		p, wait, err := r.due(ctx, r.state.Checkpoint)
		if p != nil || err != nil {
			return p, err
		}
		if err := r.trimOnTime(ctx); err != nil {
			return nil, err
		}
		if err := r.sleep(ctx, wait); err != nil {
			return nil, err
		}
	}
}

// sleep waits until something was appended or changed, or for the given time (0: no
// timer), or until it is time to trim or to look for strays.
func (r *runner) sleep(ctx context.Context, wait time.Duration) error {
	wait = sooner(wait, r.reader().UntilTrim())
	return nap(ctx, r.wake, sooner(wait, untilLook(r.state.Strays)))
}

// nap waits for a wake, or for the given time (0: no timer). Its error is that of ctx.
func nap(ctx context.Context, wake <-chan struct{}, wait time.Duration) error {
	var fire <-chan time.Time
	if wait > 0 {
		t := time.NewTimer(wait)
		defer t.Stop()
		fire = t.C
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-wake:
	case <-fire:
	}
	return nil
}

// sooner is the shorter of two times to wait, of which 0 is for ever.
func sooner(a, b time.Duration) time.Duration {
	if a == 0 || b > 0 && b < a {
		return b
	}
	return a
}

// nextPlan is due without waiting. An error must not keep a commit back: waitDue will meet
// it again.
func (r *runner) nextPlan(ctx context.Context, from record.Mark) *plan {
	p, _, err := r.due(ctx, from)
	if err != nil {
		return nil
	}
	return p
}

// due returns the plan for what lies behind from, if a buffer there is due by size, by age
// or by a flush; otherwise how long it is until one is due by age (0: nothing lies there, or
// the stream is paused, and somebody will wake us).
func (r *runner) due(ctx context.Context, from record.Mark) (*plan, time.Duration, error) {
	t := r.target.Load()
	if t.paused || r.leaves() {
		return nil, 0, nil
	}
	head, err := r.opt.Log.Head(ctx, r.queue())
	if err != nil {
		return nil, 0, err
	}
	pending := head.Before.Sub(from.Before)
	if head.Entry == from.Entry || pending.Records == 0 {
		return nil, 0, nil
	}
	now := r.opt.Now()
	grown := batch.Grow(t.limits, pending.Bytes, stream.MaxBufferBytes)
	full := min(pending.Bytes/grown.Bytes, maxObjects)
	flushed, err := r.flushing(ctx, from)
	if err != nil {
		return nil, 0, err
	}
	if backlog := grown.Bytes > t.limits.Bytes; full == 0 && !backlog && !flushed {
		oldest, err := r.entered(ctx, from, head, now)
		if err != nil {
			return nil, 0, err
		}
		if ok, wait := t.limits.Due(pending.Bytes, oldest, now); !ok {
			return nil, wait, nil
		}
	}
	p := &plan{
		Version: t.version, Nonce: newNonce(), Made: now, Upto: head,
		Limit: grown.Bytes, Objects: max(int(full), 1),
	}
	if int64(p.Limit) > r.opt.PartBytes {
		p.Objects = 1 // its parts are uploaded at once; see completeUpload
	}
	return p, 0, nil
}

// firstArrival is when the first record behind from arrived. One from the future (the clock
// was set back) counts from when it was first seen, so that no buffer waits longer than its
// interval. It may be called from any goroutine.
func (r *runner) firstArrival(ctx context.Context, from record.Mark) (time.Time, error) {
	if a := r.first.Load(); a != nil && a.behind == from {
		return a.at, nil
	}
	var first *arrival
	err := r.opt.Log.Read(ctx, r.queue(), from.Entry, func(e *record.Entry) error {
		first = &arrival{at: r.opt.Now(), behind: from}
		if arrived := time.UnixMilli(e.Arrival); e.Missing == 0 && arrived.Before(first.at) {
			first.at = arrived
		}
		return record.ErrStop
	})
	if err != nil {
		return time.Time{}, fmt.Errorf("read the oldest record: %w", err)
	}
	if first == nil {
		return time.Time{}, fmt.Errorf("%w: the journal ends before entry %d", errShort, from.Entry)
	}
	r.first.Store(first)
	return first.at, nil
}

// arrival is when the first record behind a mark arrived.
type arrival struct {
	at     time.Time
	behind record.Mark
}

// trimOnTime trims a queue that is too quiet to do so with its commits.
func (r *runner) trimOnTime(ctx context.Context) error {
	trims := r.reader().DueTrim(r.state.Checkpoint)
	if trims == nil {
		return nil
	}
	if err := r.opt.Log.Apply(ctx, &record.Tx{Trims: trims}); err != nil {
		return fmt.Errorf("trim %s: %w", r.queue(), err)
	}
	r.reader().Pass(r.state.Checkpoint, trims)
	return nil
}

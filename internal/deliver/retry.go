package deliver

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"hydrant/internal/record"
)

var (
	errShort        = errors.New("the journal holds less than it says")
	errRedo         = errors.New("the prepared objects are gone and must be made again")
	errNegativeSeek = errors.New("seek before the start")
)

const (
	firstPause = 100 * time.Millisecond
	maxPause   = 30 * time.Second
)

// pause reports a failed step and waits before the next, longer each time. A change of the
// stream, or a flush, ends the wait: what failed may have been repaired.
func (r *runner) pause(ctx context.Context, err error) {
	wait := backoff(r.fails)
	r.fails++
	r.publish(err)
	if r.opt.OnFailure != nil {
		r.opt.OnFailure(r.target.Load().def, r.output.Output, err)
	}
	if r.fails&(r.fails-1) == 0 { // the 1st, 2nd, 4th, 8th ... failure in a row
		pending := r.current(ctx).Pending
		r.log.Warn("delivery failed; the records are kept in the journal and it is tried again",
			"error", err, "failures", r.fails, "retry_in", wait.Round(time.Millisecond),
			"pending_records", pending.Records, "pending_bytes", pending.Bytes)
	}
	told := r.order()
	t := time.NewTimer(wait)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			return
		case <-r.wake:
			if r.order() != told {
				return
			}
		}
	}
}

// backoff is the pause after n failures in a row: doubling, up to half a minute, and
// jittered so that a thousand streams do not return to a recovering store at once.
func backoff(n int) time.Duration {
	d := maxPause
	if n < 9 {
		d = min(firstPause<<n, maxPause)
	}
	return d/2 + rand.N(d/2)
}

// call makes one call to the destination under the global limit and a deadline by size.
func (o *Options) call(ctx context.Context, size int64, f func(context.Context) error) error {
	if err := o.Uploads.acquire(ctx); err != nil {
		return err
	}
	defer o.Uploads.release()
	// A minute, and one second more for every 100 KiB: a slow line is not a dead one.
	ctx, cancel := context.WithTimeout(ctx, time.Minute+time.Duration(size/(100<<10))*time.Second)
	defer cancel()
	return f(ctx)
}

// attempts is how often a single part is tried before its whole plan is given up.
const attempts = 4

// insist makes a call several times. Errors that say for sure that nothing can come of it
// are returned at once.
func (r *runner) insist(ctx context.Context, size int64, f func(context.Context) error) error {
	for n := 0; ; n++ {
		err := r.opt.call(ctx, size, f)
		if err == nil || n+1 == attempts || ctx.Err() != nil || hopeless(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(backoff(n)):
		}
	}
}

func hopeless(err error) bool {
	return errors.Is(err, record.ErrUploadGone) || errors.Is(err, record.ErrNoBucket) || errors.Is(err, record.ErrDenied)
}

// Slots bounds how many calls to destinations run at once, over all runners.
type Slots chan struct{}

// NewSlots returns n slots.
func NewSlots(n int) Slots { return make(Slots, max(n, 1)) }

func (s Slots) acquire(ctx context.Context) error {
	select {
	case s <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s Slots) release() { <-s }

package deliver

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"hydrant/internal/record"
)

// takenAway is how young a plan must be for a missing upload of a missing object to mean
// "completed, and already consumed" rather than "lost by the store".
const takenAway = 24 * time.Hour

// completeAll makes every object of the manifest visible: those with bytes at hand, and
// the multipart uploads, at once; those that have to be encoded again one by one.
func (r *runner) completeAll(ctx context.Context) error {
	m := r.state.Plan.Manifest
	first := r.sealed // nothing of this manifest was tried before
	r.sealed = false
	g, gctx := errgroup.WithContext(ctx)
	for i := range m.Objects {
		o := &m.Objects[i]
		switch {
		case o.Upload != "":
			g.Go(func() error { return r.completeUpload(gctx, o, first) })
		case i < len(r.bodies) && r.bodies[i] != nil:
			g.Go(func() error { return r.put(gctx, o, r.bodies[i]) })
		}
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for i := range m.Objects {
		if o := &m.Objects[i]; o.Upload == "" && (i >= len(r.bodies) || r.bodies[i] == nil) {
			if err := r.putAgain(ctx, m, o); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *runner) put(ctx context.Context, o *preparedItem, b Body) error {
	err := r.call(ctx, b.Size(), func(ctx context.Context) error {
		return r.opt.Destination.Put(ctx, o.Object, b)
	})
	if err != nil {
		return fmt.Errorf("put %s: %w", o.Key, r.unlessMoved(err))
	}
	return nil
}

// unlessMoved turns a missing bucket into errRedo when the stream has been updated since
// the plan was made: nothing of the plan can be in a bucket that is not there, so it may
// go where the stream points now.
func (r *runner) unlessMoved(err error) error {
	if errors.Is(err, record.ErrNoBucket) && r.target.Load().version != r.state.Plan.Version {
		return fmt.Errorf("%w: %w", errRedo, err)
	}
	return err
}

// completeUpload completes a multipart upload that may have been completed before. If
// nothing was tried yet, a missing upload can only be lost.
func (r *runner) completeUpload(ctx context.Context, o *preparedItem, first bool) error {
	err := r.call(ctx, 0, func(ctx context.Context) error {
		return r.opt.Destination.Complete(ctx, o.Object, o.Upload, o.Parts)
	})
	if err == nil {
		return nil
	}
	if !errors.Is(err, record.ErrUploadGone) {
		return fmt.Errorf("complete upload of %s: %w", o.Key, r.unlessMoved(err))
	}
	size, found, err := r.size(ctx, o.Object)
	switch {
	case err != nil:
		return fmt.Errorf("look for %s: %w", o.Key, r.unlessMoved(err))
	case found && size == o.Size:
		return nil
	case found:
		r.log.Error("the delivered object has another size than it was uploaded with",
			"bucket", o.Bucket, "key", o.Key, "uploaded", o.Size, "found", size)
		return nil
	case !first && r.opt.Now().Sub(r.state.Plan.Made) < takenAway:
		r.log.Warn("the object was completed earlier and has been taken away since",
			"bucket", o.Bucket, "key", o.Key)
		return nil
	}
	r.log.Error("the store has lost an upload before it was completed; the records are delivered again",
		"bucket", o.Bucket, "key", o.Key)
	return fmt.Errorf("complete upload of %s: %w", o.Key, errRedo)
}

func (r *runner) size(ctx context.Context, o record.Object) (size int64, found bool, err error) {
	err = r.call(ctx, 0, func(ctx context.Context) error {
		size, found, err = r.opt.Destination.Size(ctx, o)
		return err
	})
	return size, found, err
}

// sweep aborts every upload under the object's key and returns how many there were.
func (r *runner) sweep(ctx context.Context, o record.Object) (n int, err error) {
	err = r.insist(ctx, 0, func(ctx context.Context) error {
		n, err = r.opt.Destination.Sweep(ctx, o, "")
		return err
	})
	if errors.Is(err, record.ErrNoBucket) {
		return 0, nil // without a bucket there are no uploads
	}
	return n, err
}

// putAgain encodes the object from the journal once more and puts it.
func (r *runner) putAgain(ctx context.Context, m *manifest, o *preparedItem) error {
	held, err := r.opt.Memory.reserve(ctx, o.Size+slackBytes)
	if err != nil {
		return err
	}
	defer held.release()
	buf := &buffer{memory: r.opt.Memory}
	defer buf.free()
	lost, err := r.encodeRange(ctx, m.Format, o, buf)
	if err != nil {
		return fmt.Errorf("encode %s again: %w", o.Key, err)
	}
	if lost.Records == 0 && buf.Size() != o.Size {
		r.log.Warn("the object is encoded to another size than before", "key", o.Key, "before", o.Size, "now", buf.Size())
	}
	if err := r.put(ctx, o, buf); err != nil {
		return err
	}
	r.lost = r.lost.Add(lost)
	return nil
}

// encodeRange writes the records from o.From to o.To into buf, as they were encoded when
// the manifest was made, and returns what could not be read any more.
func (r *runner) encodeRange(ctx context.Context, f format, o *preparedItem, buf *buffer) (lost record.Counts, err error) {
	encoding, err := r.opt.Encodings.Encoding(f.Compression, f.Level)
	if err != nil {
		return lost, err
	}
	enc := encoding.NewEncoder(buf)
	at := o.From
	err = r.opt.Log.Read(ctx, r.queue, at.Entry, func(e *record.Entry) error {
		from, to := uint32(0), uint32(len(e.Lengths))
		if e.Sequence == o.From.Entry {
			from = o.From.Index
		}
		if e.Sequence > o.To.Entry || e.Sequence == o.To.Entry && o.To.Index == 0 {
			return record.ErrStop
		}
		if e.Missing > 0 {
			end := e.After()
			if o.To.Less(end.Position) {
				end = o.To
			}
			lost = lost.Add(end.Before.Sub(at.Before))
			at = end
			return nil
		}
		if e.Sequence == o.To.Entry {
			to = o.To.Index
		}
		at = e.After()
		return enc.Add(e, from, to)
	})
	if err != nil {
		enc.Abandon()
		return lost, err
	}
	return lost, enc.Close()
}

// sweepDoubtful aborts uploads under the plan's keys beside those just completed. There
// can be some if a beginning was not answered, or if the plan is of a former life.
func (r *runner) sweepDoubtful(ctx context.Context) error {
	if !r.suspect {
		return nil
	}
	return r.sweepBegun(ctx)
}

// sweepBegun aborts every upload under the keys that the plan has begun. A store that does
// not let us look must not stop delivery: such keys are kept as strays.
func (r *runner) sweepBegun(ctx context.Context) error {
	for _, o := range r.state.Plan.Begun {
		_, err := r.sweep(ctx, o)
		if errors.Is(err, record.ErrDenied) {
			r.suspect = true
			r.log.Warn("the store does not let us abort unfinished uploads", "bucket", o.Bucket, "key", o.Key, "error", err)
			continue
		}
		if err != nil {
			return fmt.Errorf("abort uploads of %s: %w", o.Key, err)
		}
	}
	return nil
}

// strayAge is how long after a doubtful call its key is looked at once more: later than any
// call that was given up can still be carried out. A restart begins the time anew.
const strayAge = 10 * time.Minute

// strays returns the list with the plan's doubtful keys added.
func (r *runner) strays(list []stray, p *plan) []stray {
	if !r.suspect {
		return list
	}
	for _, o := range p.Begun {
		list = append(slices.Clip(list), stray{o, r.opt.Now(), time.Now()})
	}
	return list
}

// sweepLate looks at the strays that are old enough and forgets those that are settled.
// What the store refuses is tried again after the same time.
func (r *runner) sweepLate(ctx context.Context) error {
	changed := false
	keep := make([]stray, 0, len(r.state.Strays))
	for _, s := range r.state.Strays {
		if time.Since(s.seen) < strayAge {
			keep = append(keep, s)
			continue
		}
		changed = true
		n, err := r.sweep(ctx, s.Object)
		if err != nil {
			r.log.Debug("could not look for late uploads", "bucket", s.Bucket, "key", s.Key, "error", err)
			keep = append(keep, stray{s.Object, s.Since, time.Now()})
		} else if n > 0 {
			r.log.Info("aborted an upload that the store made late", "bucket", s.Bucket, "key", s.Key)
		}
	}
	if !changed {
		return nil
	}
	next := r.state.progress
	next.Strays = keep
	return r.state.save(ctx, r.opt.Log, next)
}

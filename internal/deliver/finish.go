package deliver

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"hydrant/internal/record"
)

// takenAway is how young a plan must be for a missing upload of a missing object to mean
// "completed, and already consumed" rather than "lost by the store".
const takenAway = 24 * time.Hour

// completeAll makes every object of the manifest visible that is not yet known to be: those
// with bytes at hand, and the multipart uploads, at once; those that have to be encoded
// again one by one. What the store has acknowledged is not sent again when another fails.
func (r *runner) completeAll(ctx context.Context) error {
	m := r.state.Plan.Manifest
	first := r.sealed // nothing of this manifest was tried before
	r.sealed = false
	if r.done == nil {
		r.done = make([]bool, len(m.Objects))
	}
	var g errgroup.Group // one that fails must not leave the others in doubt
	for i := range m.Objects {
		o := &m.Objects[i]
		switch {
		case r.done[i]:
		case o.Upload != "":
			g.Go(func() error { return mark(&r.done[i], r.completeUpload(ctx, o, first)) })
		case i < len(r.bodies) && r.bodies[i] != nil:
			g.Go(func() error { return mark(&r.done[i], r.put(ctx, o, r.bodies[i])) })
		}
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for i := range m.Objects {
		if r.done[i] {
			continue
		}
		if err := mark(&r.done[i], r.putAgain(ctx, m, &m.Objects[i])); err != nil {
			return err
		}
	}
	return nil
}

// mark notes whether something is done, and passes its error on.
func mark(done *bool, err error) error {
	*done = err == nil
	return err
}

func (r *runner) put(ctx context.Context, o *preparedItem, b Body) error {
	err := r.opt.call(ctx, b.Size(), func(ctx context.Context) error {
		return r.opt.Destination.Put(ctx, o.Object, b)
	})
	if !errors.Is(err, record.ErrDenied) {
		r.visible.Store(true)
	}
	if err != nil {
		return fmt.Errorf("put %s: %w", o.Key, r.unlessMoved(err))
	}
	return nil
}

// unlessMoved turns an error into errRedo when the stream has been updated since the plan
// was made and nothing of the plan can be visible: because the bucket is not there, or
// because every call was refused. Then the records may go where the stream points now.
func (r *runner) unlessMoved(err error) error {
	moved := r.target.Load().version != r.state.Plan.Version
	nowhere := errors.Is(err, record.ErrNoBucket) || errors.Is(err, record.ErrDenied) && !r.visible.Load()
	if moved && nowhere {
		return fmt.Errorf("%w: %w", errRedo, err)
	}
	return err
}

// completeUpload completes a multipart upload that may have been completed before. If
// nothing was tried yet, a missing upload can only be lost; its plan is then made anew, which
// repeats nothing because an object large enough for an upload is alone in its plan.
func (r *runner) completeUpload(ctx context.Context, o *preparedItem, first bool) error {
	err := r.opt.call(ctx, 0, func(ctx context.Context) error {
		return r.opt.Destination.Complete(ctx, o.Object, o.Upload, o.Parts)
	})
	if !errors.Is(err, record.ErrDenied) {
		r.visible.Store(true)
	}
	if err == nil {
		return nil
	}
	if !errors.Is(err, record.ErrUploadGone) {
		return fmt.Errorf("complete upload of %s: %w", o.Key, r.unlessMoved(err))
	}
	size, found, err := r.size(ctx, o.Object)
	if !first && r.opt.Now().Sub(r.state.Plan.Made) < takenAway {
		// It was completed earlier, whatever the store says, or does not let us ask.
		if err == nil && !found {
			r.log.Warn("the object was completed earlier and has been taken away since", "bucket", o.Bucket, "key", o.Key)
		}
		return nil
	}
	switch {
	case err != nil:
		return fmt.Errorf("look for %s: %w", o.Key, r.unlessMoved(err))
	case found && size == o.Size:
		return nil
	case found:
		r.log.Error("the delivered object has another size than it was uploaded with",
			"bucket", o.Bucket, "key", o.Key, "uploaded", o.Size, "found", size)
		return nil
	}
	r.log.Error("the store has lost an upload before it was completed; the records are delivered again",
		"bucket", o.Bucket, "key", o.Key)
	return fmt.Errorf("complete upload of %s: %w", o.Key, errRedo)
}

func (r *runner) size(ctx context.Context, o record.Object) (size int64, found bool, err error) {
	err = r.opt.call(ctx, 0, func(ctx context.Context) error {
		size, found, err = r.opt.Destination.Size(ctx, o)
		return err
	})
	return size, found, err
}

// sweep aborts every upload under the object's key and returns how many there were.
func (r *runner) sweep(ctx context.Context, o record.Object) (n int, err error) {
	err = r.insist(ctx, 0, func(ctx context.Context) error {
		n, err = r.opt.Destination.Sweep(ctx, o)
		return err
	})
	if errors.Is(err, record.ErrNoBucket) {
		return 0, nil // without a bucket there are no uploads
	}
	return n, err
}

// putAgain encodes the object from the journal once more and puts it.
func (r *runner) putAgain(ctx context.Context, m *manifest, o *preparedItem) error {
	need := o.Size + slackBytes
	if c := m.Format.Conversion; c != nil {
		need += c.MemoryBytes + c.LeastBytes + 2*maxMisfitBytes
	}
	held, err := r.opt.Memory.reserve(ctx, need)
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
	if lost.Records > 0 { // what was put before the damage must not be replaced by less
		if size, found, err := r.size(ctx, o.Object); err != nil {
			return fmt.Errorf("look for %s: %w", o.Key, err)
		} else if found && size == o.Size {
			return nil
		}
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
func (r *runner) encodeRange(ctx context.Context, f Format, o *preparedItem, buf *buffer) (lost record.Counts, err error) {
	encoding, err := r.opt.Encodings.Encoding(f)
	if err != nil {
		return lost, err
	}
	enc := encoding.NewEncoder(buf)
	var got record.Counts
	err = r.readRange(ctx, o, func(e *record.Entry, from, to uint32) error {
		got = got.Add(e.Range(from, to))
		return addAll(enc, e, from, to, func(record.Converter) error { return nil })
	})
	if err != nil {
		enc.Abandon()
		return lost, err
	}
	return o.Held.Sub(got), enc.Close()
}

// readRange calls fn with what can be read of the records from o.From to o.To.
func (r *runner) readRange(ctx context.Context, o *preparedItem, fn func(e *record.Entry, from, to uint32) error) error {
	return r.opt.Log.Read(ctx, r.queue(), o.From.Entry, func(e *record.Entry) error {
		from, to := uint32(0), uint32(len(e.Lengths))
		if e.Sequence == o.From.Entry {
			from = o.From.Index
		}
		if e.Sequence > o.To.Entry || e.Sequence == o.To.Entry && o.To.Index == 0 {
			return record.ErrStop
		}
		if e.Missing > 0 {
			return nil
		}
		if e.Sequence == o.To.Entry {
			to = o.To.Index
		}
		return fn(e, from, to)
	})
}

// sweepDoubtful aborts uploads under the plan's keys beside those just completed. There
// can be some if a beginning was not answered, or if the plan is of a former life.
func (r *runner) sweepDoubtful(ctx context.Context) {
	if !r.suspect {
		return
	}
	if err := r.sweepBegun(ctx); err != nil { // commit keeps the keys as strays
		r.log.Warn("could not look for uploads that are left over; it is done later", "error", err)
	}
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

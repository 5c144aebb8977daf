package stage

import (
	"context"
	"fmt"
	"time"

	"hydrant/internal/record"
)

// batch is a run of records in the pipeline.
type batch struct {
	*version // of the stream that it goes through: keys and prefix must be of the same one
	from, to record.Mark
	lost     record.Counts // of damaged entries within it
	items    []record.Item
	sources  record.Counts // of items, before the pipeline
	slot     slot
	cancel   context.CancelFunc
	done     chan struct{} // closed when the pipeline has ended
	out      []record.Item
	err      error

	shares  []record.Share // of a partitioned stream
	shareOf []int          // by item of out that goes on: which share it is in
}

// read gathers the next batch: what lies behind from, up to the pipeline's bytes but at
// least one record, and not behind upto.
func (r *runner) read(ctx context.Context, from, upto record.Mark, most int) (*batch, error) {
	b := &batch{from: from, to: from, done: make(chan struct{})}
	ids := record.IDs{}
	err := r.opt.Log.Read(ctx, r.queue, from.Entry, func(e *record.Entry) error {
		if e.Sequence >= upto.Entry {
			return record.ErrStop
		}
		if e.Missing > 0 {
			b.lost = b.lost.Add(e.After().Before.Sub(b.to.Before))
			b.to = e.After()
			return nil
		}
		first := uint32(0)
		if e.Sequence == b.to.Entry {
			first = b.to.Index
		}
		ids = record.NewIDs(r.queue, e.Sequence)
		return b.add(r.opt.Decoder, e, &ids, first, most)
	})
	if err != nil {
		return nil, fmt.Errorf("read records to process from entry %d: %w", from.Entry, err)
	}
	if b.to == from {
		return nil, fmt.Errorf("%w: nothing at entry %d", errShort, from.Entry)
	}
	return b, nil
}

// add takes records of an entry from one index on, as many as fit.
func (b *batch) add(d Decoder, e *record.Entry, ids *record.IDs, first uint32, most int) error {
	to := first
	for size := b.sources.Bytes; int(to) < len(e.Lengths); to++ {
		size += uint64(e.Lengths[to])
		if len(b.items)+int(to-first) > 0 && (size > uint64(most) || len(b.items)+int(to-first) >= maxItems) {
			break
		}
	}
	err := d.Range(e, first, to, func(raw []byte) error {
		raw = append([]byte(nil), raw...) // it is only lent
		for i := first; i < to; i++ {
			n := e.Lengths[i]
			b.items = append(b.items, record.Item{
				ID: string(ids.Append(nil, i)), Arrival: time.UnixMilli(e.Arrival), Source: raw[:n:n], Data: raw[:n:n],
			})
			raw = raw[n:]
		}
		return nil
	})
	if err != nil {
		return err
	}
	n := e.Range(first, to)
	b.sources = b.sources.Add(n)
	b.to = record.Mark{Position: record.Position{Entry: e.Sequence, Index: to}, Before: b.to.Before.Add(n)}
	if int(to) < len(e.Lengths) {
		return record.ErrStop
	}
	b.to = e.After()
	return nil
}

// maxItems bounds the records of a batch, for small ones take more memory than their bytes.
const maxItems = 10_000

// start sends the batch into the pipeline, until it has come through, ctx ends, or it is
// cancelled.
func (b *batch) start(ctx context.Context) {
	ctx, b.cancel = context.WithCancel(ctx)
	go b.run(ctx)
}

// passed reports whether the batch has come through the pipeline.
func (b *batch) passed() bool {
	select {
	case <-b.done:
		return b.err == nil
	default:
		return false
	}
}

// run sends the batch through the pipeline.
func (b *batch) run(ctx context.Context) {
	defer close(b.done)
	b.out = append([]record.Item(nil), b.items...)
	for _, s := range b.Steps {
		if b.out, b.err = s.Process(ctx, b.out); b.err != nil {
			return
		}
	}
}

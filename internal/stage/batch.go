package stage

import (
	"context"
	"fmt"
	"time"

	"hydrant/internal/record"
)

// batch is a run of records in the pipeline.
type batch struct {
	from, to record.Mark
	lost     record.Counts // of damaged entries within it
	items    []record.Item
	sources  record.Counts // of items, before the pipeline
	slot     slot
	done     chan struct{} // closed when the pipeline has ended
	out      []record.Item
	err      error
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

// run sends the batch through the pipeline.
func (b *batch) run(ctx context.Context, steps []Processor) {
	defer close(b.done)
	b.out = append([]record.Item(nil), b.items...)
	for _, s := range steps {
		if b.out, b.err = s.Process(ctx, b.out); b.err != nil {
			return
		}
	}
}

// results is what a batch has come to, by output, and in numbers.
type results struct {
	queues  map[record.Output]*lines
	taken   record.Counts
	dropped record.Counts
	failed  record.Counts
}

// lines are the records for one queue.
type lines struct {
	record.Batch
	arrival time.Time // of the oldest
}

func (l *lines) add(data []byte, arrival time.Time) {
	l.Data = append(l.Data, data...)
	l.Lengths = append(l.Lengths, uint32(len(data)))
	if l.arrival.IsZero() || arrival.Before(l.arrival) {
		l.arrival = arrival
	}
}

// results sorts the items that came out. What became of a source record is what became of
// the last item with its Source: where a record was taken apart, some of its parts may fail.
func (b *batch) results() (*results, error) {
	res := &results{queues: map[record.Output]*lines{}}
	if n := b.processed(); n.Records > 0 {
		res.queues[record.Processed] = &lines{Batch: record.Batch{
			Data: make([]byte, 0, n.Bytes), Lengths: make([]uint32, 0, n.Records),
		}}
	}
	for i := range b.out {
		item := &b.out[i]
		if item.Goes() && len(item.Data) > record.MaxProducedBytes {
			item.Failure = tooLarge(len(item.Data))
		}
		switch {
		case item.Dropped:
		case item.Failure != nil:
			line, err := item.Failure.AppendLine(nil, item.Source, item.Arrival)
			if err != nil {
				return nil, fmt.Errorf("write a failure record: %w", err)
			}
			res.queue(item.Failure.Output).add(line, item.Arrival)
		default:
			res.queue(record.Processed).add(item.Data, item.Arrival)
		}
	}
	res.count(b)
	return res, nil
}

// processed counts what goes on to the destination, so that it is laid out in one go.
func (b *batch) processed() (n record.Counts) {
	for i := range b.out {
		if item := &b.out[i]; item.Goes() && len(item.Data) <= record.MaxProducedBytes {
			n = n.Add(record.Counts{Records: 1, Bytes: uint64(len(item.Data))})
		}
	}
	return n
}

// tooLarge is the failure of a record that has become larger than a queue takes.
func tooLarge(size int) *record.Failure {
	return &record.Failure{
		Output: record.ProcessingFailed, Code: "Processing.RecordTooLarge", Attempts: 1, Ended: time.Now(),
		Message: fmt.Sprintf("The processed record has %d bytes. It may have %d at most.", size, record.MaxProducedBytes),
	}
}

func (res *results) queue(o record.Output) *lines {
	l := res.queues[o]
	if l == nil {
		l = new(lines)
		res.queues[o] = l
	}
	return l
}

// count tells what became of each source record. The items of one stand together, in the
// order of the sources; a source of which nothing is left was dropped.
func (res *results) count(b *batch) {
	next := 0
	for i := range b.items {
		source := &b.items[i]
		n := record.Counts{Records: 1, Bytes: uint64(len(source.Source))}
		goes, failed := false, false
		for ; next < len(b.out) && sameSource(source, &b.out[next]); next++ {
			goes = goes || b.out[next].Goes()
			failed = failed || b.out[next].Failure != nil
		}
		switch {
		case goes:
			res.taken = res.taken.Add(n)
		case failed:
			res.failed = res.failed.Add(n)
		default:
			res.dropped = res.dropped.Add(n)
		}
	}
}

// sameSource reports whether an item came of a source. Its ID is that of the source, or
// begins with it.
func sameSource(source, item *record.Item) bool {
	return len(item.ID) >= len(source.ID) && item.ID[:len(source.ID)] == source.ID
}

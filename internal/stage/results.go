package stage

import (
	"fmt"
	"slices"
	"time"

	"hydrant/internal/record"
)

// partition sorts what goes on by its partitions and has them placed. Records without one
// fail; so do those of partitions that are too many.
func (b *batch) partition(prefix func([]byte, *record.Item) ([]byte, *record.Failure), place func([]record.Share) (record.Placement, error)) (record.Placement, error) {
	b.refuseLarge()
	if prefix == nil {
		return record.Placement{Done: func(bool) {}}, nil
	}
	b.shares = b.share(prefix)
	p, err := place(b.shares)
	if err != nil {
		return p, err
	}
	for i := range b.out {
		if item := &b.out[i]; item.Goes() && p.Queues[b.shareOf[i]] == (record.Queue{}) {
			item.Failure = tooManyPartitions()
		}
	}
	return p, nil
}

// refuseLarge fails records that have become larger than a queue takes.
func (b *batch) refuseLarge() {
	for i := range b.out {
		if item := &b.out[i]; item.Goes() && len(item.Data) > record.MaxProducedBytes {
			item.Failure = tooLarge(len(item.Data))
		}
	}
}

// share finds the partition of each item that goes on.
func (b *batch) share(prefix func([]byte, *record.Item) ([]byte, *record.Failure)) []record.Share {
	var shares []record.Share
	var p []byte
	known := map[string]int{}
	b.shareOf = make([]int, len(b.out))
	for i := range b.out {
		item := &b.out[i]
		if !item.Goes() {
			continue
		}
		var failure *record.Failure
		if p, failure = prefix(p[:0], item); failure != nil {
			item.Failure = failure
			continue
		}
		at, ok := known[string(p)]
		if !ok {
			at = len(shares)
			shares = append(shares, record.Share{Prefix: string(p), Arrival: item.Arrival})
			known[shares[at].Prefix] = at
		}
		b.shareOf[i] = at
		s := &shares[at]
		s.Counts = s.Counts.Add(record.Counts{Records: 1, Bytes: uint64(len(item.Data))})
		if item.Arrival.Before(s.Arrival) {
			s.Arrival = item.Arrival
		}
	}
	return shares
}

// tooManyPartitions is the failure of a record that would open a partition beyond the quota
// (spec firehose.md section 7.5).
func tooManyPartitions() *record.Failure {
	return &record.Failure{
		Output: record.ProcessingFailed, Code: "DynamicPartitioning.ActivePartitionsLimitExceeded", Attempts: 1, Ended: time.Now(),
		Message: "The number of active partitions of this stream has reached its quota.",
	}
}

// results is what a batch has come to, by queue, and in numbers.
type results struct {
	lines   []*lines // in the order of the first record of each
	taken   record.Counts
	dropped record.Counts
	failed  record.Counts
}

// lines are the records for one queue.
type lines struct {
	record.Batch
	queue   record.Queue
	arrival time.Time // of the oldest
}

func (l *lines) add(data []byte, arrival time.Time) {
	l.Data = append(l.Data, data...)
	l.Lengths = append(l.Lengths, uint32(len(data)))
	if l.arrival.IsZero() || arrival.Before(l.arrival) {
		l.arrival = arrival
	}
}

// results sorts the items that came out into the queues of the outputs beside q. What became
// of a source record is what became of the last item with its Source: where a record was taken
// apart, some of its parts may fail.
func (b *batch) results(q record.Queue, place record.Placement) (*results, error) {
	res := &results{}
	known := map[record.Output]*lines{}
	output := func(o record.Output) *lines {
		if known[o] == nil {
			known[o] = &lines{queue: record.Queue{Stream: q.Stream, Output: o, Shard: q.Shard}}
			res.lines = append(res.lines, known[o])
		}
		return known[o]
	}
	goes := b.goes(q, place)
	res.lines = append(res.lines, goes...)
	for i := range b.out {
		item := &b.out[i]
		switch {
		case item.Dropped:
		case item.Failure != nil:
			line, err := item.Failure.AppendLine(nil, item.Source, item.Arrival)
			if err != nil {
				return nil, fmt.Errorf("write a failure record: %w", err)
			}
			output(item.Failure.Output).add(line, item.Arrival)
		case place.Queues == nil:
			goes[0].add(item.Data, item.Arrival)
		default:
			goes[b.shareOf[i]].add(item.Data, item.Arrival)
		}
	}
	res.lines = slices.DeleteFunc(res.lines, func(l *lines) bool { return len(l.Lengths) == 0 })
	res.count(b)
	return res, nil
}

// goes are the lines of what goes on to the destination, each laid out in one go: one for
// each partition, or one for all.
func (b *batch) goes(q record.Queue, place record.Placement) []*lines {
	if place.Queues == nil {
		n := b.processed()
		q.Output = record.Processed
		return []*lines{newLines(q, n)}
	}
	all := make([]*lines, len(b.shares))
	for i := range b.shares {
		n := b.shares[i].Counts
		if place.Queues[i] == (record.Queue{}) {
			n = record.Counts{}
		}
		all[i] = newLines(place.Queues[i], n)
	}
	return all
}

func newLines(q record.Queue, n record.Counts) *lines {
	return &lines{queue: q, Batch: record.Batch{Data: make([]byte, 0, n.Bytes), Lengths: make([]uint32, 0, n.Records)}}
}

// processed counts what goes on to the destination.
func (b *batch) processed() (n record.Counts) {
	for i := range b.out {
		if item := &b.out[i]; item.Goes() {
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

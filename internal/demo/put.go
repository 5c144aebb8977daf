package demo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"time"
)

const (
	// linger is how long a batch that has begun waits for more: input from a pipe may come
	// slowly, and is to be seen arriving.
	linger = 200 * time.Millisecond
	// maxAttempts is how often a batch is put without a single record being accepted.
	maxAttempts = 12
)

// errRefused says that the node accepts no more records for now.
var errRefused = errors.New("the node refuses the records")

// putter puts records in batches, one after the other, so that they keep their order.
type putter struct {
	api    *firehose
	stream string
	// pause says how long to wait after so many refusals in a row.
	pause func(refusals int) time.Duration
	// accepted is called after each answer with what it accepted.
	accepted func(records, bytes int64)
	retried  int64 // records that were put again
}

// slowDown is the pause that clients of AWS make: doubling up to five seconds, jittered.
func slowDown(refusals int) time.Duration {
	d := min(100*time.Millisecond<<min(refusals, 6), 5*time.Second)
	return d/2 + rand.N(d/2)
}

// putAll puts everything that the source has. Its error says why not all of it was accepted.
//
// The source is read by a goroutine of its own, since standard input may keep it waiting
// while a batch is to be sent. When ctx ends, that goroutine ends with its next record; one
// that waits for standard input ends with the process.
func (p *putter) putAll(ctx context.Context, from source) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	records, ended := make(chan []byte, maxBatchRecords), make(chan error, 1)
	go func() {
		defer close(records)
		ended <- feed(ctx, from, records)
	}()
	var b batch
	for more := true; more; {
		if more = b.gather(ctx, records); len(b.records) == 0 {
			break
		}
		if err := p.put(ctx, b.records); err != nil {
			return err
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return <-ended
}

// feed sends copies of all records of a source.
func feed(ctx context.Context, from source, to chan<- []byte) error {
	for {
		r, err := from.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		select {
		case to <- bytes.Clone(r):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// batch is the records of one request.
type batch struct {
	records [][]byte
	over    []byte // a record that did not fit and begins the next batch
}

// gather fills the batch anew: up to its limits, up to the end, or with what has come when
// linger is over. It returns false when nothing can follow.
func (b *batch) gather(ctx context.Context, from <-chan []byte) (more bool) {
	b.records = b.records[:0]
	size := 0
	if b.over != nil {
		b.records, size, b.over = append(b.records, b.over), len(b.over), nil
	}
	var late <-chan time.Time
	for len(b.records) < maxBatchRecords {
		if late == nil && len(b.records) > 0 {
			t := time.NewTimer(linger)
			defer t.Stop()
			late = t.C
		}
		select {
		case r, ok := <-from:
			if !ok {
				return false
			}
			if size+len(r) > maxBatchBytes {
				b.over = r
				return true
			}
			b.records, size = append(b.records, r), size+len(r)
		case <-late:
			return true
		case <-ctx.Done():
			b.records = b.records[:0]
			return false
		}
	}
	return true
}

// put puts a batch, and again what of it was refused, until all of it is accepted.
func (p *putter) put(ctx context.Context, records [][]byte) error {
	for refusals := 0; ; refusals++ {
		refused, err := p.api.putRecordBatch(ctx, p.stream, records)
		reason := err
		switch {
		case hasCode(err, "ServiceUnavailableException", "ServiceUnavailable", "ThrottlingException"):
		case err != nil:
			return err
		default:
			rest := again(records, refused)
			p.accepted(count(records, rest))
			if len(rest) == 0 {
				return nil
			}
			if len(rest) < len(records) {
				refusals = 0
			}
			records = rest
			reason = &apiError{Code: refused[0].code, Message: refused[0].message}
		}
		if refusals == maxAttempts {
			return fmt.Errorf("%w, %d times in a row: %w", errRefused, refusals+1, reason)
		}
		p.retried += int64(len(records))
		if err := sleep(ctx, p.pause(refusals)); err != nil {
			return err
		}
	}
}

// again returns the records that were refused, in their order.
func again(records [][]byte, refused []refusal) [][]byte {
	rest := make([][]byte, len(refused))
	for i, r := range refused {
		rest[i] = records[r.index]
	}
	return rest
}

// count returns how many records, and of how many bytes, are in all but not in rest.
func count(all, rest [][]byte) (records, bytes int64) {
	for _, r := range all {
		bytes += int64(len(r))
	}
	for _, r := range rest {
		bytes -= int64(len(r))
	}
	return int64(len(all) - len(rest)), bytes
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

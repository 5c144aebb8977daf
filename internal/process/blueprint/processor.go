package blueprint

import (
	"context"
	"fmt"
	"time"

	"hydrant/internal/record"
)

// What the error output says of a record that a function has failed (spec firehose.md
// section 5.5): the same whatever the reason.
const (
	failedCode    = "Lambda.ProcessingFailedStatus"
	failedMessage = "ProcessingFailed status set for record"
)

// Memory that the outputs of a batch share: a slab at a time. A record whose output might
// not fit into what is left of one gets the next.
const (
	minSlab = 4 << 10
	maxSlab = 1 << 20
)

// Processor has a blueprint transform records. It may be used by many goroutines at once.
type Processor struct {
	blueprint Blueprint
	function  string
	now       func() time.Time
}

// NewProcessor returns the processor of a blueprint, the ARN by which failures call it, and
// the clock that they are dated by.
func NewProcessor(b Blueprint, arn string, now func() time.Time) *Processor {
	return &Processor{b, arn, now}
}

// Process replaces the data of each item by what the blueprint makes of it. The only error is
// that of ctx.
func (p *Processor) Process(ctx context.Context, items []record.Item) ([]record.Item, error) {
	if p.blueprint.identity {
		return items, nil
	}
	left := 0
	for i := range items {
		left += len(items[i].Data)
	}
	var slab []byte
	for i := range items {
		item := &items[i]
		size := len(item.Data)
		if item.Goes() {
			if err := ctx.Err(); err != nil {
				return nil, fmt.Errorf("transform %d records by %s: %w", len(items), p.blueprint.Name, err)
			}
			if cap(slab) < roomFor(size) {
				slab = make([]byte, 0, min(max(roomFor(left), minSlab), max(roomFor(size), maxSlab)))
			}
			slab = p.item(item, slab)
		}
		left -= size
	}
	return items, nil
}

// roomFor is the memory that outputs of so much input need at most, as a rule.
func roomFor(size int) int { return 2*size + 512 }

// item transforms an item into free, an empty buffer, and returns what is left of it.
func (p *Processor) item(item *record.Item, free []byte) (left []byte) {
	out, result, _ := p.blueprint.transform(free, item.Data)
	switch {
	case result == Dropped:
		item.Dropped = true
	case result != Ok || len(out) > record.MaxProducedBytes:
		item.Failure = &record.Failure{
			Output: record.ProcessingFailed, Code: failedCode, Message: failedMessage,
			Attempts: 1, Ended: p.now(), Function: p.function,
		}
	default:
		item.Data = out[:len(out):len(out)]
		if len(out) <= cap(free) { // it lies there; else it has got memory of its own
			return free[len(out):len(out)]
		}
	}
	return free
}

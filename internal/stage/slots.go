package stage

import "context"

// Slots bound how many batches are in pipelines at once, and with them the memory that
// processing takes. There are some for the first batch of a stream and others for what it
// has beside: functions that hang with all the batches they can get do not keep other
// streams from being processed.
type Slots struct{ first, more chan struct{} }

// NewSlots returns slots for the first batch of so many streams, and for so many more.
func NewSlots(first, more int) Slots {
	return Slots{make(chan struct{}, max(first, 1)), make(chan struct{}, max(more, 1))}
}

// slot is a place that was taken.
type slot struct{ of chan struct{} }

func (s slot) release() { <-s.of }

// take takes a slot. Only the first batch of a stream waits for one, or until ctx ends.
func (s Slots) take(ctx context.Context, first bool) (slot, bool) {
	if first {
		select {
		case s.first <- struct{}{}:
			return slot{s.first}, true
		case <-ctx.Done():
			return slot{}, false
		}
	}
	select {
	case s.more <- struct{}{}:
		return slot{s.more}, true
	default:
		return slot{}, false
	}
}

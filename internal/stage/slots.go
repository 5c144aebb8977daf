package stage

import "context"

// Slots bounds how many batches are in pipelines at once, over all streams, and with them
// the memory that processing takes.
type Slots chan struct{}

// NewSlots returns n slots.
func NewSlots(n int) Slots { return make(Slots, max(n, 1)) }

// tryAcquire takes a slot. Only who must have one waits for it, or until ctx ends.
func (s Slots) tryAcquire(must bool, ctx context.Context) bool {
	if must {
		select {
		case s <- struct{}{}:
			return true
		case <-ctx.Done():
			return false
		}
	}
	select {
	case s <- struct{}{}:
		return true
	default:
		return false
	}
}

func (s Slots) release(n int) {
	for range n {
		<-s
	}
}

package aws

import (
	"context"
	"sync"
)

// Budget is a number of bytes that requests share. Those who ask first are served first,
// whatever they ask for, so that large requests do not starve among small ones.
type Budget struct {
	total int64

	mu      sync.Mutex
	used    int64     // guarded by mu
	waiting []*waiter // guarded by mu; in the order they came
}

// waiter is one who waits for bytes. ready is closed when they are granted.
type waiter struct {
	n     int64
	ready chan struct{}
}

// NewBudget returns a budget of total bytes.
func NewBudget(total int64) *Budget { return &Budget{total: total} }

// Total returns the size of the budget in bytes.
func (b *Budget) Total() int64 { return b.total }

// Used returns how many bytes are granted at present.
func (b *Budget) Used() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.used
}

// Waiting returns how many wait for bytes at present.
func (b *Budget) Waiting() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.waiting)
}

// TryAcquire takes n bytes if they are there and nobody waits. It returns how many it took,
// which is what Release has to be given: at most the whole budget, so that who wants more
// than there is gets everything instead of waiting for ever.
func (b *Budget) TryAcquire(n int64) (int64, bool) {
	n = min(n, b.total)
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.waiting) > 0 || b.used+n > b.total {
		return 0, false
	}
	b.used += n
	return n, true
}

// Acquire is TryAcquire that waits for its turn until ctx ends, whose error it then returns.
func (b *Budget) Acquire(ctx context.Context, n int64) (int64, error) {
	n = min(n, b.total)
	w := &waiter{n, make(chan struct{})}
	b.mu.Lock()
	b.waiting = append(b.waiting, w)
	b.grant()
	b.mu.Unlock()
	select {
	case <-w.ready:
		return n, nil
	case <-ctx.Done():
	}
	if b.leave(w) {
		return 0, ctx.Err()
	}
	return n, nil // it was granted meanwhile
}

// leave takes w out of the line; false means that it is not there any more.
func (b *Budget) leave(w *waiter) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, other := range b.waiting {
		if other == w {
			b.waiting = append(b.waiting[:i], b.waiting[i+1:]...)
			b.grant() // those behind w may fit
			return true
		}
	}
	return false
}

// Release gives back n bytes, as granted.
func (b *Budget) Release(n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.used -= n
	if b.used < 0 {
		panic("aws: more bytes released than were acquired")
	}
	b.grant()
}

// grant serves the line from its head as far as there is room. mu is held.
func (b *Budget) grant() {
	served := 0
	for _, w := range b.waiting {
		if b.used+w.n > b.total {
			break
		}
		b.used += w.n
		close(w.ready)
		served++
	}
	left := copy(b.waiting, b.waiting[served:])
	clear(b.waiting[left:])
	b.waiting = b.waiting[:left]
}

package aws

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// ErrNoMemory says that a request waited for memory until its deadline.
var ErrNoMemory = errors.New("no memory for the request")

// classes are the sizes that buffers come in. They are at most a third larger than what was
// asked for, from 4 KiB on; the last one holds the largest body and its headroom.
var classes = [...]int{
	4 << 10, 6 << 10, 8 << 10, 12 << 10, 16 << 10, 24 << 10, 32 << 10, 48 << 10,
	64 << 10, 96 << 10, 128 << 10, 192 << 10, 256 << 10, 384 << 10, 512 << 10, 768 << 10,
	1 << 20, 3 << 19, 2 << 20, 3 << 20, 4 << 20, 6 << 20, 8 << 20, MaxBody + 4<<10,
}

// idlePeriod is after how long an unused free buffer is given back to the runtime.
const idlePeriod = 10 * time.Second

// Buffers lends out memory within a budget. Returned buffers are kept for the next request
// of their size, outside the garbage collector's rhythm: megabytes that are thrown away and
// made again with each collection would cost more than the requests. Lent and kept
// buffers together stay within the budget, apart from a single buffer larger than all of it.
type Buffers struct {
	budget *Budget
	wait   time.Duration

	mu   sync.Mutex
	idle int64                  // bytes in free; guarded by mu
	free [len(classes)][][]byte // last in, first out; guarded by mu
	// low is the fewest free buffers of each class since the last sweep: as many were not
	// needed. Guarded by mu.
	low      [len(classes)]int
	sweeping bool // a sweep is due; guarded by mu
}

// NewBuffers lends out at most total bytes at once. Who finds nothing left waits in line, for
// at most wait.
func NewBuffers(total int64, wait time.Duration) *Buffers {
	return &Buffers{budget: NewBudget(total), wait: wait}
}

// Budget shows what is in use and who waits.
func (b *Buffers) Budget() *Budget { return b.budget }

// Buffer is borrowed memory. Its content is whatever the last borrower left.
type Buffer struct {
	Bytes []byte // the whole class, at least what was asked for

	owner   *Buffers
	class   int
	granted int64
}

// Get lends a buffer of at least n bytes, n being at most that of the largest class. It waits
// for room in the budget; ErrNoMemory tells that there was none in time, any other error
// that ctx ended.
func (b *Buffers) Get(ctx context.Context, n int) (Buffer, error) {
	class, _ := slices.BinarySearch(classes[:], n)
	if class == len(classes) {
		return Buffer{}, fmt.Errorf("%w: %d bytes are more than any buffer has", ErrNoMemory, n)
	}
	size := int64(classes[class])
	granted, ok := b.budget.TryAcquire(size)
	if !ok {
		var err error
		if granted, err = b.acquire(ctx, size); err != nil {
			return Buffer{}, err
		}
	}
	return Buffer{Bytes: b.take(class), owner: b, class: class, granted: granted}, nil
}

// acquire waits for room.
func (b *Buffers) acquire(ctx context.Context, size int64) (int64, error) {
	limited, cancel := context.WithTimeout(ctx, b.wait)
	defer cancel()
	granted, err := b.budget.Acquire(limited, size)
	if err == nil {
		return granted, nil
	}
	if ctx.Err() != nil {
		return 0, fmt.Errorf("waiting for %d bytes: %w", size, ctx.Err())
	}
	return 0, fmt.Errorf("%w: waited %v for %d bytes", ErrNoMemory, b.wait, size)
}

// take returns a kept buffer or makes one.
func (b *Buffers) take(class int) []byte {
	b.mu.Lock()
	if n := len(b.free[class]); n > 0 {
		kept := b.pop(class)
		b.low[class] = min(b.low[class], n-1)
		b.mu.Unlock()
		return kept
	}
	b.shrink()
	b.mu.Unlock()
	return make([]byte, classes[class])
}

// Release gives the buffer back. It must not be used afterwards; a second call does nothing.
func (l *Buffer) Release() {
	if l.owner == nil {
		return
	}
	b, bytes, class, granted := l.owner, l.Bytes, l.class, l.granted
	*l = Buffer{}
	b.budget.Release(granted)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.free[class] = append(b.free[class], bytes)
	b.idle += int64(len(bytes))
	b.shrink()
	if !b.sweeping && b.idle > 0 {
		b.sweeping = true
		time.AfterFunc(idlePeriod, b.sweep)
	}
}

// pop takes the last free buffer of a class. mu is held.
func (b *Buffers) pop(class int) []byte {
	list := b.free[class]
	last := list[len(list)-1]
	list[len(list)-1] = nil
	b.free[class] = list[:len(list)-1]
	b.idle -= int64(len(last))
	return last
}

// shrink drops free buffers, the largest first, until they fit beside the lent ones. mu is held.
func (b *Buffers) shrink() {
	room := b.budget.Total() - b.budget.Used()
	for class := len(classes) - 1; class >= 0 && b.idle > room; class-- {
		for len(b.free[class]) > 0 && b.idle > room {
			b.pop(class)
		}
	}
}

// sweep drops the buffers that nobody needed since the last sweep.
func (b *Buffers) sweep() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for class := range classes {
		for range min(b.low[class], len(b.free[class])) {
			b.pop(class)
		}
		b.low[class] = len(b.free[class])
	}
	b.sweeping = b.idle > 0
	if b.sweeping {
		time.AfterFunc(idlePeriod, b.sweep)
	}
}

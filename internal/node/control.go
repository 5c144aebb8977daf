package node

import (
	"sync"
	"time"
)

// calls counts how often each control operation is called, for the quota of spec section
// 11.1. Each operation has a bucket that holds a second's worth of calls and fills by as
// many in a second.
type calls struct {
	perSecond float64
	now       func() time.Time

	mu   sync.Mutex
	left map[string]*bucket // by operation
}

// bucket is what an operation has left.
type bucket struct {
	calls float64
	at    time.Time // of calls
}

// control is the API's quota of control calls; nil if there is none.
func (n *Node) control() func(operation string) bool {
	most := n.opt.Config.Quotas.ControlPerSecond
	if most == 0 {
		return nil
	}
	c := &calls{perSecond: float64(most), now: n.opt.Now, left: map[string]*bucket{}}
	return c.take
}

// take takes a call from the quota of its operation and reports whether there was one left.
// A clock that was set back adds nothing.
func (c *calls) take(operation string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	b := c.left[operation]
	if b == nil {
		b = &bucket{calls: c.perSecond, at: now}
		c.left[operation] = b
	}
	passed := max(now.Sub(b.at).Seconds(), 0)
	b.calls, b.at = min(b.calls+passed*c.perSecond, c.perSecond), now
	if b.calls < 1 {
		return false
	}
	b.calls--
	return true
}

package lambda

import (
	"fmt"
	"sync"
)

// trouble is calls that failed in a row, of all batches together. Those that look for poison
// do not count: they fail because the batch did.
type trouble struct {
	mu   sync.Mutex
	row  int
	last error // nil while all is well
}

// add notes a failure and returns how many there were in a row.
func (t *trouble) add(err error) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.row++
	t.last = err
	return t.row
}

// over notes a call that succeeded.
func (t *trouble) over() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.row, t.last = 0, nil
}

// Trouble is how many calls failed in a row, and why the last one did; 0 and nil when the
// last one succeeded. Of a call that hangs it tells once that has come to an end.
func (p *Processor) Trouble() (fails int, last error) {
	p.trouble.mu.Lock()
	defer p.trouble.mu.Unlock()
	if p.trouble.last == nil {
		return 0, nil
	}
	return p.trouble.row, fmt.Errorf("invoke %s: %w", p.opt.Function, p.trouble.last)
}

// complain notes an attempt at a batch that failed. The log is told of the 1st, 2nd, 4th,
// 8th ... in a row: of all calls or, where others succeed meanwhile, of this batch.
func (p *Processor) complain(attempt int, err error) {
	n := max(p.trouble.add(err), attempt)
	if n&(n-1) != 0 {
		return
	}
	more := max(p.opt.Retries+1-attempt, 0)
	p.opt.Logger.Warn("a call of the function failed",
		"function", p.opt.Function, "error", err, "failures", n, "attempt", attempt, "attempts_left", more,
		"next", "repair the function, or update the stream to name another")
}

package s3

import (
	"errors"
	"io"
	"sync"

	"hydrant/internal/record"
)

// errOver is what a transport reads that still wants to send a body after the call ended.
var errOver = errors.New("the call that sent this body is over")

// guard lends a body to one call. An HTTP transport may go on reading a request's body in
// a goroutine of its own after it has returned, for instance when the answer came early;
// the memory behind the body belongs to the caller again by then. end waits for a read in
// progress, which only copies, and fails all later ones.
type guard struct {
	mu   sync.Mutex
	r    io.ReadSeekCloser // guarded by mu
	over bool              // guarded by mu
}

func newGuard(b record.Body) *guard { return &guard{r: b.Reader()} }

// Read reads from the body while the call lasts.
func (g *guard) Read(p []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.over {
		return 0, errOver
	}
	return g.r.Read(p)
}

// Seek moves within the body while the call lasts.
func (g *guard) Seek(offset int64, whence int) (int64, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.over {
		return 0, errOver
	}
	return g.r.Seek(offset, whence)
}

// end gives the body back. Closing a reader of memory or of a file that was only read
// cannot lose anything.
func (g *guard) end() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.over = true
	_ = g.r.Close()
}

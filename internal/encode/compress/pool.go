// Package compress makes compressed objects (gzip, zip, both forms of Snappy) out of entries,
// and the stored bytes that entries carry, so that each byte is compressed once: for a stream
// of gzip or zip objects the journal already holds the deflate blocks that will be delivered
// (DESIGN.md section 6).
//
//   - Piece: records compressed together when they came in, as deflate blocks that end in a
//     sync flush, refer to nothing outside of the piece, and contain no final block. Such
//     blocks can be joined byte for byte, as pigz does.
//   - Member: one gzip header, joined blocks, one empty final block, one trailer. Every
//     object is exactly one member, since several clients stop reading after the first.
//   - Archive: a zip file of one file that holds joined blocks.
//   - Frame: what makes a member or an archive out of joined blocks.
//   - Block: raw bytes gathered from entries that cannot be copied, compressed together,
//     into deflate blocks of the same form or a block of Snappy.
//   - Lane: the right to have a block compressed beside the goroutine that gathers.
//   - Pool: the compressors, about 1 MB each, that all packers and encoders share.
package compress

import (
	"fmt"
	"runtime"
	"sync"

	"github.com/klauspost/compress/flate"

	"hydrant/internal/encode"
)

// BestLevel is the highest deflate level, the slowest and smallest. The lowest is 1.
const BestLevel = 9

// Pool bounds the memory of compression: at most as many compressors as it has workers,
// each 0.8 to 1.4 MB, and two lanes per worker of two times BlockBytes. It keeps as many idle
// blocks as there are lanes; each has the size it was last used with, at most half a megabyte.
// A goroutine that wants a compressor while all are busy waits for one; whoever has one only
// computes.
type Pool struct {
	tokens  chan struct{} // one per compressor in use
	lanes   chan struct{} // one per block given to a lane and not yet written
	decoder encode.Decoder

	mu     sync.Mutex
	idle   []*deflater // guarded by mu; with those in use at most cap(tokens)
	blocks []*block    // guarded by mu; at most cap(lanes)
}

// NewPool returns a pool of the given number of compressors; 0 means one more than there
// are processors. Nothing is allocated until it is used.
func NewPool(workers int) *Pool {
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0) + 1
	}
	return &Pool{
		tokens: make(chan struct{}, workers),
		lanes:  make(chan struct{}, 2*workers),
	}
}

// deflate appends raw as deflate blocks of the level to dst: fresh window, sync flush at
// the end, no final block. The result depends on raw and level alone.
func (p *Pool) deflate(dst, raw []byte, level int) []byte {
	p.tokens <- struct{}{}
	d := p.deflater(level)
	dst = d.append(dst, raw)
	p.mu.Lock()
	p.idle = append(p.idle, d)
	p.mu.Unlock()
	<-p.tokens
	return dst
}

// deflater takes an idle compressor of the level, or makes one. The caller holds a token,
// so when all places are taken by idle ones of other levels, one of those makes room.
func (p *Pool) deflater(level int) *deflater {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := len(p.idle) - 1; i >= 0; i-- {
		if d := p.idle[i]; d.level == level {
			p.idle = append(p.idle[:i], p.idle[i+1:]...)
			return d
		}
	}
	if len(p.idle) > 0 && len(p.idle)+len(p.tokens) > cap(p.tokens) {
		p.idle = append(p.idle[:0], p.idle[1:]...)
	}
	return newDeflater(level)
}

// deflater is one compressor and where it writes to.
type deflater struct {
	level int
	w     *flate.Writer
	dst   []byte
}

func newDeflater(level int) *deflater {
	d := &deflater{level: level}
	w, err := flate.NewWriter(d, level)
	if err != nil {
		panic(fmt.Sprintf("deflate level %d was not checked: %v", level, err))
	}
	d.w = w
	return d
}

// Write takes what the compressor puts out.
func (d *deflater) Write(b []byte) (int, error) {
	d.dst = append(d.dst, b...)
	return len(b), nil
}

func (d *deflater) append(dst, raw []byte) []byte {
	d.dst = dst
	d.w.Reset(d)
	_, err := d.w.Write(raw)
	if err == nil {
		err = d.w.Flush()
	}
	if err != nil {
		panic(fmt.Sprintf("deflate into memory failed: %v", err)) // Write above never does
	}
	dst, d.dst = d.dst, nil
	return dst
}

// checkLevel panics unless level is 1 to 9: levels come from checked configuration.
func checkLevel(level int) {
	if level < 1 || level > BestLevel {
		panic(fmt.Sprintf("deflate level %d is not between 1 and %d", level, BestLevel))
	}
}

package orc

import (
	"bytes"
	"sync"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/s2"
)

// effort is how hard ZLIB tries.
type effort int

// Streams of values are worth more work than streams of lengths and messages (section 3).
const (
	small effort = 1
	large effort = 6
)

// headerBytes is the length of a chunk's header.
const headerBytes = 3

// codec makes chunks. Those of a file share one.
type codec struct {
	kind  Compression
	limit int // bytes of a chunk, before compression
	frame []byte
	body  bytes.Buffer
}

// deflaters are compressors of both efforts. One takes some hundred kilobytes.
var deflaters = map[effort]*sync.Pool{small: newDeflaters(small), large: newDeflaters(large)}

func newDeflaters(e effort) *sync.Pool {
	return &sync.Pool{New: func() any {
		w, err := flate.NewWriter(nil, int(e))
		if err != nil {
			panic(err) // the levels above are valid
		}
		return w
	}}
}

// chunk is the frame of src, which is at most one chunk: a header and the compressed bytes, or
// the bytes as they are if compression does not shrink them. The result is only lent.
func (c *codec) chunk(src []byte, e effort) []byte {
	if c.kind == None {
		return src
	}
	if need := headerBytes + s2.MaxEncodedLen(len(src)); cap(c.frame) < need {
		c.frame = make([]byte, need)
	}
	frame := c.frame[:cap(c.frame)]
	n := c.compress(frame[headerBytes:], src, e)
	original := 0
	if n >= len(src) {
		n, original = copy(frame[headerBytes:], src), 1
	}
	header := n<<1 | original
	frame[0], frame[1], frame[2] = byte(header), byte(header>>8), byte(header>>16)
	return frame[:headerBytes+n]
}

// compress puts the compressed src into dst, which has room for it, and tells its length.
func (c *codec) compress(dst, src []byte, e effort) int {
	if c.kind == Snappy {
		return len(s2.EncodeSnappy(dst, src))
	}
	w := deflaters[e].Get().(*flate.Writer)
	defer deflaters[e].Put(w)
	c.body.Reset()
	w.Reset(&c.body)
	// Writes to a bytes.Buffer do not fail.
	w.Write(src)
	w.Close()
	if c.body.Len() >= len(src) {
		return len(src)
	}
	return copy(dst, c.body.Bytes())
}

// append adds a whole message or stream to dst, in as many chunks as it takes.
func (c *codec) append(dst, src []byte, e effort) []byte {
	for len(src) > 0 {
		n := min(len(src), c.limit)
		dst = append(dst, c.chunk(src[:n], e)...)
		src = src[n:]
	}
	return dst
}

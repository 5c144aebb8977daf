package deliver

import (
	"context"
	"io"
	"sync"

	"golang.org/x/sync/semaphore"
)

// DefaultPartBytes is the size of the parts of a multipart upload, and about the largest
// object that is stored with a plain put. S3 asks for at least 5 MiB (all parts but the last),
// and its 10,000 parts allow more than any buffer holds.
const DefaultPartBytes = 8 << 20

// chunkBytes is the unit in which encoded bytes are held. Small objects take few chunks.
const chunkBytes = 64 << 10

// Memory bounds the encoded bytes that all runners hold together. A runner reserves what
// its plan needs before it starts and holds nothing while it waits for it, so runners
// cannot block each other for ever.
type Memory struct {
	total int64
	sem   *semaphore.Weighted

	mu   sync.Mutex
	free [][]byte // chunks for the next part
}

// minMemory lets one runner fill a part while another part of it is being uploaded.
const minMemory = 2*DefaultPartBytes + slackBytes

// NewMemory returns a budget of the given bytes, at least enough for two parts.
func NewMemory(bytes int64) *Memory {
	bytes = max(bytes, minMemory)
	return &Memory{total: bytes, sem: semaphore.NewWeighted(bytes)}
}

// reserve waits until want bytes (at most the total) are free and takes them.
func (m *Memory) reserve(ctx context.Context, want int64) (*reservation, error) {
	want = min(want, m.total)
	if err := m.sem.Acquire(ctx, want); err != nil {
		return nil, err
	}
	return &reservation{memory: m, bytes: want}, nil
}

// reservation is a runner's share of the memory. Its methods belong to the runner's
// goroutine; bodies may be read elsewhere meanwhile.
type reservation struct {
	memory *Memory
	bytes  int64
}

// extend takes more bytes if they are free at once.
func (r *reservation) extend(bytes int64) bool {
	if !r.memory.sem.TryAcquire(bytes) {
		return false
	}
	r.bytes += bytes
	return true
}

// shrink gives back what is not needed beyond bytes.
func (r *reservation) shrink(bytes int64) {
	if bytes < r.bytes {
		r.memory.sem.Release(r.bytes - bytes)
		r.bytes = bytes
	}
}

// release gives everything back. The chunks must have been freed before.
func (r *reservation) release() {
	if r.bytes > 0 {
		r.memory.sem.Release(r.bytes)
		r.bytes = 0
	}
}

func (m *Memory) chunk() []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	if n := len(m.free); n > 0 {
		c := m.free[n-1]
		m.free = m.free[:n-1]
		return c
	}
	return make([]byte, 0, chunkBytes)
}

// keptChunks bounds what stays allocated between deliveries, 4 MiB.
const keptChunks = 64

func (m *Memory) put(chunks [][]byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range chunks {
		if len(m.free) < keptChunks {
			m.free = append(m.free, c[:0])
		}
	}
}

// buffer is a Body in chunks, written once and read any number of times.
type buffer struct {
	memory *Memory
	chunks [][]byte // all full but the last
	size   int64
}

// Write appends p. It never fails.
func (b *buffer) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		last := len(b.chunks) - 1
		if last < 0 || len(b.chunks[last]) == chunkBytes {
			b.chunks = append(b.chunks, b.memory.chunk())
			last++
		}
		c := b.chunks[last]
		k := copy(c[len(c):chunkBytes], p)
		b.chunks[last] = c[:len(c)+k]
		p = p[k:]
	}
	b.size += int64(n)
	return n, nil
}

// Size is how many bytes were written.
func (b *buffer) Size() int64 { return b.size }

// held is how many bytes of the reservation the buffer takes.
func (b *buffer) held() int64 { return int64(len(b.chunks)) * chunkBytes }

// Reader returns the bytes from the start. It is valid until the buffer is freed.
func (b *buffer) Reader() io.ReadSeekCloser { return &bufferReader{b: b} }

// free gives the chunks back; nobody may read any more.
func (b *buffer) free() {
	b.memory.put(b.chunks)
	b.chunks, b.size = nil, 0
}

type bufferReader struct {
	b   *buffer
	off int64
}

// Read copies the next bytes, at most to the end of a chunk.
func (r *bufferReader) Read(p []byte) (int, error) {
	if r.off >= r.b.size {
		return 0, io.EOF
	}
	n := copy(p, r.b.chunks[r.off/chunkBytes][r.off%chunkBytes:])
	r.off += int64(n)
	return n, nil
}

// WriteTo hands over whole chunks.
func (r *bufferReader) WriteTo(w io.Writer) (int64, error) {
	var total int64
	for r.off < r.b.size {
		n, err := w.Write(r.b.chunks[r.off/chunkBytes][r.off%chunkBytes:])
		r.off += int64(n)
		total += int64(n)
		if err != nil {
			return total, err
		}
	}
	return total, nil
}

// Seek moves as io.Seeker says.
func (r *bufferReader) Seek(off int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		off += r.off
	case io.SeekEnd:
		off += r.b.size
	}
	if off < 0 {
		return r.off, errNegativeSeek
	}
	r.off = off
	return off, nil
}

// Close does nothing: the buffer outlives its readers.
func (r *bufferReader) Close() error { return nil }

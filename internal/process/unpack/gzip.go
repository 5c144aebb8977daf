package unpack

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/klauspost/compress/gzip"
)

// errTooLarge says that a record would be opened into more than was allowed.
var errTooLarge = errors.New("more bytes than allowed")

// Memory that an idle inflater may keep: enough for what most documents hold.
const (
	firstBytes = 64 << 10
	keptBytes  = 1 << 20
)

// inflater opens gzip. It belongs to one goroutine; its memory is used again for the next
// record and, through the pool, by the next batch.
type inflater struct {
	in  bytes.Reader
	z   gzip.Reader
	out []byte
}

var inflaters = sync.Pool{New: func() any { return new(inflater) }}

func takeInflater() *inflater { return inflaters.Get().(*inflater) }

func (f *inflater) give() {
	if cap(f.out) > keptBytes {
		f.out = nil
	}
	f.in.Reset(nil)
	inflaters.Put(f)
}

// inflate opens data as gzip does: the members one after the other; what follows the last of
// them and is none is garbage, and ignored. A member that is damaged or cut off spoils it all.
// The result is only lent, until the next call. It is never longer than limit: beyond it the
// error wraps errTooLarge.
func (f *inflater) inflate(data []byte, limit int) ([]byte, error) {
	f.in.Reset(data)
	f.out = f.out[:0]
	for first := true; first || f.in.Len() > 0; first = false {
		if err := f.z.Reset(&f.in); err != nil {
			if first {
				return nil, fmt.Errorf("read the head of a gzip member: %w", err)
			}
			break // garbage
		}
		f.z.Multistream(false)
		if err := f.member(limit); err != nil {
			return nil, err
		}
	}
	return f.out, nil
}

// member appends what the member holds whose head was read. One byte beyond the limit tells
// a record that reaches it from one that passes it.
func (f *inflater) member(limit int) error {
	for {
		if len(f.out) == cap(f.out) {
			f.out = slices.Grow(f.out, max(firstBytes, len(f.out)))
		}
		n, err := f.z.Read(f.out[len(f.out):min(cap(f.out), limit+1)])
		f.out = f.out[:len(f.out)+n]
		switch {
		case len(f.out) > limit:
			return fmt.Errorf("open a gzip member: %w: %d", errTooLarge, limit)
		case err == io.EOF:
			return nil
		case err != nil:
			return fmt.Errorf("open a gzip member after %d bytes: %w", len(f.out), err)
		}
	}
}

package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync"

	"hydrant/internal/durable"
)

// copyBytes is how much of a body is in memory at a time.
const copyBytes = 256 << 10

// copyBuffers are reused between bodies.
var copyBuffers = sync.Pool{New: func() any { return new([copyBytes]byte) }}

// clientBody is the body of a request. Its errors are the client's, not the disk's.
type clientBody struct{ io.Reader }

var errBody = errors.New("read the request's body")

// Read reads on.
func (b clientBody) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err == nil || err == io.EOF {
		return n, err
	}
	return n, fmt.Errorf("%w: %w", errBody, err)
}

// receive writes a body to a file in staging, encrypted unless seal is nil, and checks that
// it is what was expected. The file is the caller's to commit or abort.
func (s *Store) receive(ctx context.Context, body io.Reader, e expectation, seal *sealing) (*durable.File, digest, error) {
	f, err := s.disk.Create(s.stagingPath, filePerm)
	if err != nil {
		return nil, digest{}, err
	}
	out, err := copyInto(ctx, f, body, e, seal)
	if err != nil {
		return nil, digest{}, errors.Join(err, f.Abort())
	}
	return f, out, nil
}

func copyInto(ctx context.Context, f io.Writer, body io.Reader, e expectation, seal *sealing) (digest, error) {
	d := newDigester(e)
	if seal == nil {
		if err := copyBody(ctx, f, d, body); err != nil {
			return digest{}, err
		}
		return d.finish()
	}
	sealed, err := newSealer(f, seal)
	if err != nil {
		return digest{}, err
	}
	if err := copyBody(ctx, sealed, d, body); err != nil {
		return digest{}, err
	}
	out, err := d.finish()
	if err != nil {
		return digest{}, err
	}
	if seal.hide {
		out.tag, out.quick = sealed.hide(out.tag), false
	}
	return out, sealed.finish()
}

// copyBody passes a body through d into f, in pieces of the buffer's size so that small
// reads do not become small writes.
func copyBody(ctx context.Context, f io.Writer, d *digester, body io.Reader) error {
	buffer := copyBuffers.Get().(*[copyBytes]byte)
	defer copyBuffers.Put(buffer)
	for {
		n, err := fill(ctx, buffer[:], body)
		if n > 0 {
			if d.size+int64(n) > maxPut {
				return with(errEntityTooLarge, "MaxSizeAllowed", strconv.FormatInt(maxPut, 10))
			}
			if _, err := d.Write(buffer[:n]); err != nil {
				return err
			}
			if _, err := f.Write(buffer[:n]); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// fill reads until p is full or body ends, which is io.EOF. Unlike io.ReadFull it tells an
// end that the body's reader calls unexpected from one that p was too large for.
func fill(ctx context.Context, p []byte, body io.Reader) (n int, err error) {
	for n < len(p) && err == nil {
		if err := ctx.Err(); err != nil {
			return n, err
		}
		var m int
		m, err = body.Read(p[n:])
		n += m
	}
	return n, err
}

package parquet

import (
	"bytes"
	"fmt"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/s2"
)

// press compresses pages. Its buffers are shared by all leaves of a writer.
type press struct {
	codec   Compression
	raw     []byte // what a page is put together in
	out     []byte
	indexes hybrid // what the indexes of a page are encoded in
	header  bytes.Buffer
}

// gzips are idle compressors, which take about 1 MB each.
var gzips = sync.Pool{New: func() any { return gzip.NewWriter(nil) }}

// compress returns raw compressed. The result is only lent.
func (p *press) compress(raw []byte) ([]byte, error) {
	switch p.codec {
	case Snappy:
		p.out = s2.EncodeSnappy(p.out[:cap(p.out)], raw)
		return p.out, nil
	case Gzip:
		return p.gzip(raw)
	}
	return raw, nil
}

func (p *press) gzip(raw []byte) ([]byte, error) {
	z := gzips.Get().(*gzip.Writer)
	defer gzips.Put(z)
	to := bytes.NewBuffer(p.out[:0])
	z.Reset(to)
	if _, err := z.Write(raw); err != nil {
		return nil, fmt.Errorf("compress a page: %w", err)
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("compress a page: %w", err)
	}
	p.out = to.Bytes()
	return p.out, nil
}

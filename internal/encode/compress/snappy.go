package compress

import (
	"encoding/binary"
	"fmt"
	"io"

	"github.com/klauspost/compress/s2"

	"hydrant/internal/record"
)

// The two forms of Snappy objects (spec firehose.md section 4.7), integers big-endian:
//
//	Snappy         82 53 4E 41 50 50 59 00  version 1  compatible with 1
//	               then blocks: compressed length, raw Snappy block of up to 32 KiB
//	HADOOP_SNAPPY  blocks: raw length, compressed length, raw Snappy block
//
// The first is the stream of snappy-java. The second is read by Hadoop's SnappyCodec, whose
// buffers hold 256 KiB: its blocks are kept so small that even incompressible ones fit.
const (
	xerialHeader     = "\x82SNAPPY\x00\x00\x00\x00\x01\x00\x00\x00\x01"
	xerialBlockBytes = 32 << 10
	hadoopBlockBytes = 218_000
)

// SnappyEncoding makes Snappy objects of either form.
type SnappyEncoding struct {
	pool       *Pool
	content    string // Content-Encoding
	header     string
	blockBytes int
	rawLengths bool // blocks begin with their raw length
}

// Snappy returns the encoding of CompressionFormat Snappy: the stream of snappy-java.
func Snappy(pool *Pool) *SnappyEncoding {
	return &SnappyEncoding{pool: pool, content: "snappy-java", header: xerialHeader, blockBytes: xerialBlockBytes}
}

// HadoopSnappy returns the encoding of CompressionFormat HADOOP_SNAPPY.
func HadoopSnappy(pool *Pool) *SnappyEncoding {
	return &SnappyEncoding{pool: pool, content: "hadoop-snappy", blockBytes: hadoopBlockBytes, rawLengths: true}
}

// ContentEncoding is snappy-java or hadoop-snappy.
func (s *SnappyEncoding) ContentEncoding() string { return s.content }

// NewEncoder returns an encoder that writes one object to w. It holds one block and what that
// is compressed to, at most about half a megabyte. The bytes depend on the records alone.
func (s *SnappyEncoding) NewEncoder(w io.Writer) record.Encoder {
	return &snappyEncoder{SnappyEncoding: s, w: w}
}

// snappyEncoder writes one object. It belongs to one goroutine.
type snappyEncoder struct {
	*SnappyEncoding
	w       io.Writer
	started bool
	raw     []byte // of the open block
	out     []byte // a block as it is written
}

// Add appends the records from to to-1 of e, whose stored bytes are proven first.
func (n *snappyEncoder) Add(e *record.Entry, from, to uint32) error {
	return n.pool.decoder.Range(e, from, to, n.gather)
}

// gather fills blocks. They are cut by size alone, so that the object does not depend on how
// records came.
func (n *snappyEncoder) gather(raw []byte) error {
	for len(raw) > 0 {
		k := min(len(raw), n.blockBytes-len(n.raw))
		n.raw = append(n.raw, raw[:k]...)
		raw = raw[k:]
		if len(n.raw) == n.blockBytes {
			if err := n.flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

// flush writes the open block.
func (n *snappyEncoder) flush() error {
	if err := n.start(); err != nil || len(n.raw) == 0 {
		return err
	}
	b := n.out[:0]
	if n.rawLengths {
		b = binary.BigEndian.AppendUint32(b, uint32(len(n.raw)))
	}
	at := len(b) + 4 // where the block begins
	if most := at + s2.MaxEncodedLen(len(n.raw)); cap(b) < most {
		b = append(make([]byte, 0, most), b...)
	}
	block := s2.EncodeSnappy(b[at:cap(b)], n.raw)
	b = binary.BigEndian.AppendUint32(b, uint32(len(block)))
	b = b[:at+len(block)]
	n.out, n.raw = b, n.raw[:0]
	if _, err := n.w.Write(b); err != nil {
		return fmt.Errorf("write %d bytes of a snappy object: %w", len(b), err)
	}
	return nil
}

func (n *snappyEncoder) start() error {
	if n.started {
		return nil
	}
	n.started = true
	if n.header == "" {
		return nil
	}
	if _, err := io.WriteString(n.w, n.header); err != nil {
		return fmt.Errorf("write the header of a snappy object: %w", err)
	}
	return nil
}

// Close writes the last block.
func (n *snappyEncoder) Close() error { return n.flush() }

// Abandon has nothing to free but memory.
func (n *snappyEncoder) Abandon() {}

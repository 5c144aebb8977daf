package compress

import (
	"encoding/binary"
	"fmt"
	"io"
	"slices"

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

// NewEncoder returns an encoder that writes one object to w. The bytes depend on the records
// back to back and on nothing else, not even on how entries cut them.
//
// An encoder holds at most one block and what that is compressed to, about half a megabyte
// for HADOOP_SNAPPY and an eighth of that for Snappy; between blocks, nothing.
func (s *SnappyEncoding) NewEncoder(w io.Writer) record.Encoder {
	return &snappyEncoder{SnappyEncoding: s, w: w}
}

// snappyEncoder writes one object. It belongs to one goroutine.
type snappyEncoder struct {
	*SnappyEncoding
	w       io.Writer
	started bool
	open    *block // being gathered; nil while there is nothing
}

// Add appends the records from to to-1 of e, whose stored bytes are proven first. After an
// error the encoder can only be abandoned.
func (n *snappyEncoder) Add(e *record.Entry, from, to uint32) error {
	return n.pool.decoder.Range(e, from, to, n.gather)
}

// gather fills blocks and writes those that are full: they are cut by size alone.
func (n *snappyEncoder) gather(raw []byte) error {
	for len(raw) > 0 {
		if n.open == nil {
			n.open = n.pool.block()
		}
		k := min(len(raw), n.blockBytes-len(n.open.raw))
		n.open.raw = append(n.open.raw, raw[:k]...)
		raw = raw[k:]
		if len(n.open.raw) == n.blockBytes {
			if err := n.flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

// flush writes the open block and gives its memory back.
func (n *snappyEncoder) flush() error {
	if err := n.start(); err != nil || n.open == nil {
		return err
	}
	b := n.open
	n.open = nil
	defer n.pool.free(b)
	b.out = n.frame(b.out[:0], b.raw)
	if _, err := n.w.Write(b.out); err != nil {
		return fmt.Errorf("write %d bytes of a snappy object: %w", len(b.out), err)
	}
	return nil
}

// frame appends raw as one block behind its lengths to dst.
func (s *SnappyEncoding) frame(dst, raw []byte) []byte {
	if s.rawLengths {
		dst = binary.BigEndian.AppendUint32(dst, uint32(len(raw)))
	}
	at := len(dst) + 4 // where the block begins
	dst = slices.Grow(dst, 4+s2.MaxEncodedLen(len(raw)))
	block := s2.EncodeSnappy(dst[at:cap(dst)], raw) // in place: there is room
	return binary.BigEndian.AppendUint32(dst, uint32(len(block)))[:at+len(block)]
}

// start writes the header, once.
func (n *snappyEncoder) start() error {
	if n.started || n.header == "" {
		return nil
	}
	n.started = true
	if _, err := io.WriteString(n.w, n.header); err != nil {
		return fmt.Errorf("write the header of a snappy object: %w", err)
	}
	return nil
}

// Close writes the last block.
func (n *snappyEncoder) Close() error {
	defer n.Abandon()
	return n.flush()
}

// Abandon gives the memory of the open block back.
func (n *snappyEncoder) Abandon() {
	if n.open != nil {
		n.pool.free(n.open)
		n.open = nil
	}
}

package compress

import (
	"encoding/binary"
	"io"

	"hydrant/internal/record"
)

// A member, the form of every gzip object (RFC 1952, integers little-endian):
//
//	header    1f 8b 08 00  00 00 00 00  00 ff   deflate, no name, no time, unknown system
//	blocks    deflate blocks and the empty last one (deflated.go)
//	trailer   CRC-32 of the raw bytes, number of raw bytes modulo 2^32
const header = "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"

// GzipEncoding makes gzip objects at one deflate level.
type GzipEncoding struct{ deflating }

// Gzip returns the encoding of the level, 1 to 9, over the pool's compressors.
func Gzip(pool *Pool, level int) *GzipEncoding {
	checkLevel(level)
	return &GzipEncoding{deflating{pool, level}}
}

// ContentEncoding is gzip.
func (*GzipEncoding) ContentEncoding() string { return "gzip" }

// NewEncoder returns an encoder that writes one gzip member to w. The bytes depend on the
// level and on the records that are added, entry by entry, and on nothing else.
//
// An encoder holds no compressor. It holds at most BlockBytes of raw bytes, and for
// moments what they were compressed to and the scratch of one entry being decoded (at most
// 1,024,000 bytes); while it only copies, it holds nothing. What else is in flight is
// bounded by the pool, for all encoders together.
func (g *GzipEncoding) NewEncoder(w io.Writer) record.Encoder {
	return &encoder{deflating: &g.deflating, frame: gzipFrame{}, w: w}
}

// gzipFrame is the member around the blocks.
type gzipFrame struct{}

func (gzipFrame) first(*record.Entry, uint32) {}

func (gzipFrame) head() []byte { return []byte(header) }

func (gzipFrame) tail(crc uint32, raw, _ uint64) ([]byte, error) {
	return binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(nil, crc), uint32(raw)), nil
}

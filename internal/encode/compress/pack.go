package compress

import (
	"hash/crc32"

	"github.com/klauspost/compress/s2"

	"hydrant/internal/record"
)

// CopyBytes is from how many raw bytes on a piece is stored as deflate blocks and copied
// into objects. Smaller pieces compress badly on their own (on synthetic JSON 1.3 times at
// 512 bytes, 3.1 at 8 KiB, 3.4 at 64 KiB), so they are gathered and compressed at delivery.
const CopyBytes = 16 << 10

// plainBytes is below how many raw bytes nothing is compressed: too little to gain.
const plainBytes = 256

// Packer chooses the form that records are stored in. It may be used by many goroutines.
type Packer struct {
	pool *Pool
}

// NewPacker returns a packer that compresses with the pool's compressors.
func NewPacker(pool *Pool) *Packer { return &Packer{pool: pool} }

// Pack makes a piece of raw, the records of the given lengths back to back, for a stream
// whose objects are gzip or zip at gzipLevel (1 to 9; 0: they are neither):
//
//   - CopyBytes or more of such a stream become deflate blocks that are delivered as they are;
//   - everything else becomes an S2 block if that saves an eighth,
//   - or stays as it is, and always below 256 bytes.
//
// The piece's Stored is made in dst[:0] if its capacity suffices, or is raw itself.
func (p *Packer) Pack(dst, raw []byte, lengths []uint32, gzipLevel int) record.Piece {
	piece := record.Piece{
		RawBytes: uint32(len(raw)),
		RawCRC:   crc32.ChecksumIEEE(raw),
		Lengths:  lengths,
		Stored:   raw,
	}
	switch {
	case gzipLevel > 0 && len(raw) >= CopyBytes:
		checkLevel(gzipLevel)
		piece.Codec, piece.Level = record.Deflate, int8(gzipLevel)
		piece.Stored = p.pool.deflate(dst[:0], raw, gzipLevel)
	case len(raw) >= plainBytes:
		if b := s2.Encode(dst[:cap(dst)], raw); len(b) <= len(raw)-len(raw)/8 {
			piece.Codec, piece.Stored = record.S2, b
		}
	}
	return piece
}

package compress

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"hydrant/internal/record"
)

// An archive, the form of ZIP objects (APPNOTE.TXT of the zip format, integers little-endian):
// one file, of which the sizes follow its deflate blocks, then the directory of that one file.
const (
	zipLocal      = 0x04034b50
	zipDescriptor = 0x08074b50
	zipCentral    = 0x02014b50
	zipEnd        = 0x06054b50

	zipVersion    = 20     // 2.0: deflate
	zipSizesLater = 1 << 3 // flag: sizes and CRC follow the data
	zipDeflate    = 8      // method
	zipEpoch      = 0x0021 // date: 1980-01-01, the first there is; objects do not depend on clocks
)

// errZipSize says that an object is larger than archives without extensions can say.
var errZipSize = errors.New("a zip object holds 4 GiB at most")

// ZipEncoding makes zip objects at one deflate level.
type ZipEncoding struct{ deflating }

// Zip returns the encoding of the level, 1 to 9, over the pool's compressors. Its deflate
// blocks are those of Gzip: entries stored for one can be copied by the other.
func Zip(pool *Pool, level int) *ZipEncoding {
	checkLevel(level)
	return &ZipEncoding{deflating{pool, level}}
}

// ContentEncoding is zip.
func (*ZipEncoding) ContentEncoding() string { return "zip" }

// NewEncoder returns an encoder that writes an archive of one file to w. It differs from
// that of Gzip in what stands around the deflate blocks.
func (z *ZipEncoding) NewEncoder(w io.Writer) record.Encoder {
	return &encoder{deflating: &z.deflating, frame: new(zipFrame), w: w}
}

// zipFrame is the archive around the blocks.
type zipFrame struct{ id [16]byte }

// first names the file after its first record: a UUID as Firehose has one, and the same each
// time the object is made.
func (z *zipFrame) first(e *record.Entry, from uint32) {
	b := append([]byte("zip"), e.Queue.Stream[:]...)
	b = binary.BigEndian.AppendUint16(b, uint16(e.Queue.Output))
	b = binary.BigEndian.AppendUint32(b, e.Queue.Shard)
	b = binary.BigEndian.AppendUint64(b, e.Sequence)
	b = binary.BigEndian.AppendUint32(b, from)
	sum := sha256.Sum256(b)
	copy(z.id[:], sum[:])
}

// name is the UUID, of version 4 (RFC 9562).
func (z *zipFrame) name() string {
	id := z.id
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}

func (z *zipFrame) head() []byte {
	name := z.name()
	b := binary.LittleEndian.AppendUint32(nil, zipLocal)
	b = appendShorts(b, zipVersion, zipSizesLater, zipDeflate, 0, zipEpoch)
	b = appendLongs(b, 0, 0, 0)
	b = appendShorts(b, uint16(len(name)), 0)
	return append(b, name...)
}

func (z *zipFrame) tail(crc uint32, raw, deflated uint64) ([]byte, error) {
	if raw > math.MaxUint32 || deflated > math.MaxUint32 {
		return nil, errZipSize
	}
	name, head := z.name(), len(z.head())
	b := appendLongs(nil, zipDescriptor, crc, uint32(deflated), uint32(raw))
	directory := uint64(head) + deflated + uint64(len(b))
	begin := len(b)
	b = appendLongs(b, zipCentral)
	b = appendShorts(b, zipVersion, zipVersion, zipSizesLater, zipDeflate, 0, zipEpoch)
	b = appendLongs(b, crc, uint32(deflated), uint32(raw))
	b = appendShorts(b, uint16(len(name)), 0, 0, 0, 0)
	b = appendLongs(b, 0, 0) // attributes, and where the file begins
	b = append(b, name...)
	size := len(b) - begin
	b = appendLongs(b, zipEnd)
	b = appendShorts(b, 0, 0, 1, 1)
	b = appendLongs(b, uint32(size), uint32(directory))
	return appendShorts(b, 0), nil
}

func appendShorts(b []byte, values ...uint16) []byte {
	for _, v := range values {
		b = binary.LittleEndian.AppendUint16(b, v)
	}
	return b
}

func appendLongs(b []byte, values ...uint32) []byte {
	for _, v := range values {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	return b
}

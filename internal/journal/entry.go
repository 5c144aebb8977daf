package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"hydrant/internal/record"
)

// An entry as stored, integers big-endian:
//
//	 0  magic         4   "HYE" and the format version, 1
//	 4  header CRC    4   CRC-32C of bytes 0-3 and 8-(header length)
//	 8  header length 4   up to where the stored bytes begin
//	12  stored length 4
//	16  stored CRC    4   CRC-32C of the stored bytes
//	20  raw CRC       4   CRC-32 (IEEE) of the raw bytes
//	24  raw length    4
//	28  records       4
//	32  stream       16
//	48  output        2
//	50  shard         4
//	54  sequence      8
//	62  before        8+8 records and bytes of the queue before this entry
//	78  arrival       8   Unix milliseconds
//	86  codec         1
//	87  level         1   of the deflate codec
//	88  key id        1+n length and text; 0 when not encrypted
//	..  lengths           one uvarint per record
//	..  stored bytes
//
// The header's CRC covers the CRC of the stored bytes, so together they cover the entry.
const (
	entryFixed = 89
	entryMagic = "HYE\x01"
)

// MaxStoredBytes bounds what an entry's stored bytes may be: the largest record, and room
// for a codec that makes it longer.
const MaxStoredBytes = record.MaxProducedBytes + 1<<20

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// ErrDamagedEntry is wrapped by every refusal of ParseEntry.
var ErrDamagedEntry = errors.New("damaged entry")

// EntrySize returns how many bytes AppendEntry appends for e.
func EntrySize(e *record.Entry) int {
	n := entryFixed + len(e.KeyID) + len(e.Lengths) + len(e.Stored)
	for _, l := range e.Lengths {
		for ; l >= 0x80; l >>= 7 {
			n++
		}
	}
	return n
}

// AppendEntry appends e in its stored form to dst. e.Stored must not be modified meanwhile.
func AppendEntry(dst []byte, e *record.Entry) []byte {
	start := len(dst)
	dst = append(dst, entryMagic...)
	dst = append(dst, 0, 0, 0, 0, 0, 0, 0, 0)
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(e.Stored)))
	dst = binary.BigEndian.AppendUint32(dst, crc32.Checksum(e.Stored, castagnoli))
	dst = binary.BigEndian.AppendUint32(dst, e.RawCRC)
	dst = binary.BigEndian.AppendUint32(dst, e.RawBytes)
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(e.Lengths)))
	dst = append(dst, e.Queue.Stream[:]...)
	dst = binary.BigEndian.AppendUint16(dst, uint16(e.Queue.Output))
	dst = binary.BigEndian.AppendUint32(dst, e.Queue.Shard)
	dst = binary.BigEndian.AppendUint64(dst, e.Sequence)
	dst = binary.BigEndian.AppendUint64(dst, e.Before.Records)
	dst = binary.BigEndian.AppendUint64(dst, e.Before.Bytes)
	dst = binary.BigEndian.AppendUint64(dst, uint64(e.Arrival))
	dst = append(dst, byte(e.Codec), byte(e.Level), byte(len(e.KeyID)))
	dst = append(dst, e.KeyID...)
	for _, n := range e.Lengths {
		dst = binary.AppendUvarint(dst, uint64(n))
	}
	head := dst[start:]
	binary.BigEndian.PutUint32(head[8:], uint32(len(head)))
	binary.BigEndian.PutUint32(head[4:], headerCRC(head))
	return append(dst, e.Stored...)
}

func headerCRC(head []byte) uint32 {
	return crc32.Update(crc32.Checksum(head[:4], castagnoli), castagnoli, head[8:])
}

func damaged(what string) error { return fmt.Errorf("%w: %s", ErrDamagedEntry, what) }

// ParseEntry reads the entry that b holds exactly, into e. e.Stored and e.KeyID share b's
// memory where they can; e.Lengths is reused. Every error wraps ErrDamagedEntry.
func ParseEntry(b []byte, e *record.Entry) error {
	if err := parseHeader(b, e); err != nil {
		return err
	}
	if crc32.Checksum(e.Stored, castagnoli) != binary.BigEndian.Uint32(b[16:]) {
		return damaged("stored bytes do not match their checksum")
	}
	return nil
}

// parseHeader is ParseEntry but for the checksum of the stored bytes.
func parseHeader(b []byte, e *record.Entry) error {
	if len(b) < entryFixed || string(b[:4]) != entryMagic {
		return damaged("no entry of version 1")
	}
	size := binary.BigEndian.Uint32(b[8:])
	stored := binary.BigEndian.Uint32(b[12:])
	if size < entryFixed || uint64(size)+uint64(stored) != uint64(len(b)) || stored > MaxStoredBytes {
		return damaged("lengths do not add up")
	}
	head := b[:size]
	if headerCRC(head) != binary.BigEndian.Uint32(b[4:]) {
		return damaged("header does not match its checksum")
	}
	lengths := e.Lengths[:0]
	*e = record.Entry{
		Queue: record.Queue{
			Output: record.Output(binary.BigEndian.Uint16(b[48:])),
			Shard:  binary.BigEndian.Uint32(b[50:]),
		},
		Sequence: binary.BigEndian.Uint64(b[54:]),
		Before: record.Counts{
			Records: binary.BigEndian.Uint64(b[62:]),
			Bytes:   binary.BigEndian.Uint64(b[70:]),
		},
		Arrival: int64(binary.BigEndian.Uint64(b[78:])),
		Piece: record.Piece{
			Codec:    record.Codec(b[86]),
			Level:    int8(b[87]),
			RawBytes: binary.BigEndian.Uint32(b[24:]),
			RawCRC:   binary.BigEndian.Uint32(b[20:]),
			Stored:   b[size:],
		},
	}
	copy(e.Queue.Stream[:], b[32:48])
	keyEnd := entryFixed + int(b[88])
	if keyEnd > len(head) {
		return damaged("key id is cut off")
	}
	e.KeyID = string(head[entryFixed:keyEnd])
	var err error
	e.Lengths, err = parseLengths(lengths, head[keyEnd:], binary.BigEndian.Uint32(b[28:]), e.RawBytes)
	return err
}

// parseLengths reads n record lengths, which must fill b and add up to total.
func parseLengths(dst []uint32, b []byte, n, total uint32) ([]uint32, error) {
	if n == 0 || n > record.MaxEntryRecords || int(n) > len(b) {
		return dst, damaged("impossible number of records")
	}
	var sum uint64
	for range n {
		v, w := binary.Uvarint(b)
		if w <= 0 || v > record.MaxProducedBytes {
			return dst, damaged("impossible record length")
		}
		b = b[w:]
		sum += v
		dst = append(dst, uint32(v))
	}
	if len(b) != 0 || sum != uint64(total) {
		return dst, damaged("record lengths do not add up")
	}
	return dst, nil
}

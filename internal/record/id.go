package record

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"time"
)

// StreamID is the ULID of a stream incarnation: 48 bits of Unix milliseconds, 80 random
// bits. A stream that was deleted and made again has another one.
type StreamID [16]byte

// NewStreamID makes an id for the given time from random bytes of r (nil: crypto/rand).
func NewStreamID(now time.Time, r io.Reader) (StreamID, error) {
	if r == nil {
		r = rand.Reader
	}
	var id StreamID
	ms := uint64(now.UnixMilli())
	for i := range 6 {
		id[i] = byte(ms >> (40 - 8*i))
	}
	if _, err := io.ReadFull(r, id[6:]); err != nil {
		return StreamID{}, fmt.Errorf("random bytes for a stream id: %w", err)
	}
	return id, nil
}

const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// String gives the 26 characters of Crockford's base32, as ULIDs are written.
func (id StreamID) String() string {
	hi, lo := binary.BigEndian.Uint64(id[:8]), binary.BigEndian.Uint64(id[8:])
	var b [26]byte
	for i := 25; i >= 0; i-- {
		b[i] = crockford[lo&31]
		lo = lo>>5 | hi<<59
		hi >>= 5
	}
	return string(b[:])
}

// ParseStreamID reads what String wrote. Only upper case is taken.
func ParseStreamID(s string) (StreamID, error) {
	var id StreamID
	if len(s) != 26 || s[0] > '7' {
		return id, fmt.Errorf("stream id %q is not a ULID", s)
	}
	var hi, lo uint64
	for i := range len(s) {
		v := indexByte(crockford, s[i])
		if v < 0 {
			return id, fmt.Errorf("stream id %q is not a ULID", s)
		}
		hi = hi<<5 | lo>>59
		lo = lo<<5 | uint64(v)
	}
	binary.BigEndian.PutUint64(id[:8], hi)
	binary.BigEndian.PutUint64(id[8:], lo)
	return id, nil
}

func indexByte(s string, c byte) int {
	for i := range len(s) {
		if s[i] == c {
			return i
		}
	}
	return -1
}

// MarshalText writes the id as String does.
func (id StreamID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText reads the id as ParseStreamID does.
func (id *StreamID) UnmarshalText(b []byte) error {
	v, err := ParseStreamID(string(b))
	*id = v
	return err
}

// A RecordId is 36 bytes in URL-safe base64 without padding, 48 characters:
//
//	stream 16 | output 2 | shard 4 | entry 8 | index 2 | CRC-32C of the rest 4
//
// all big-endian. The index of a record in its entry is below 65,536 (an entry holds at
// most MaxEntryRecords), so two bytes hold it.
const (
	idBytes = 36
	// IDLength is the length of a RecordId in characters.
	IDLength = idBytes / 3 * 4
	// MaxEntryRecords is how many records an entry may hold.
	MaxEntryRecords = 1 << 16
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// AppendID appends the RecordId of the record at p in q to dst.
func AppendID(dst []byte, q Queue, p Position) []byte {
	ids := NewIDs(q, p.Entry)
	return ids.Append(dst, p.Index)
}

// idHead is how much of a RecordId the records of one entry share, in bytes and in
// characters: all but the index and the checksum.
const (
	idHead     = 30
	idHeadText = idHead / 3 * 4
)

// IDs makes the RecordIds of the records of one entry.
type IDs struct {
	head [idHeadText]byte // what they share, encoded
	crc  uint32           // state of the CRC behind it
}

// NewIDs returns the RecordIds of an entry of q.
func NewIDs(q Queue, entry uint64) IDs {
	var b [idHead]byte
	copy(b[:16], q.Stream[:])
	binary.BigEndian.PutUint16(b[16:], uint16(q.Output))
	binary.BigEndian.PutUint32(b[18:], q.Shard)
	binary.BigEndian.PutUint64(b[22:], entry)
	ids := IDs{crc: ^uint32(0)}
	for _, c := range b {
		ids.crc = step(ids.crc, c)
	}
	base64.RawURLEncoding.Encode(ids.head[:], b[:])
	return ids
}

// Append appends the RecordId of the record at the index to dst.
func (ids *IDs) Append(dst []byte, index uint32) []byte {
	crc := ^step(step(ids.crc, byte(index>>8)), byte(index))
	tail := uint64(uint16(index))<<32 | uint64(crc)
	dst = append(dst, ids.head[:]...)
	return append(dst,
		urlSafe[tail>>42&63], urlSafe[tail>>36&63], urlSafe[tail>>30&63], urlSafe[tail>>24&63],
		urlSafe[tail>>18&63], urlSafe[tail>>12&63], urlSafe[tail>>6&63], urlSafe[tail&63])
}

// step takes one byte into the state of a CRC. For so few of them this is quicker than
// package crc32, which also makes what it is given escape to the heap.
func step(crc uint32, b byte) uint32 { return castagnoli[byte(crc)^b] ^ crc>>8 }

const urlSafe = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// ErrBadID says that a text is not a RecordId.
var ErrBadID = errors.New("not a RecordId of this server")

// ParseID finds the queue and position that a RecordId names.
func ParseID(s string) (Queue, Position, error) {
	var b [idBytes]byte
	if len(s) != IDLength {
		return Queue{}, Position{}, ErrBadID
	}
	if n, err := base64.RawURLEncoding.Decode(b[:], []byte(s)); err != nil || n != idBytes {
		return Queue{}, Position{}, ErrBadID
	}
	if crc32.Checksum(b[:32], castagnoli) != binary.BigEndian.Uint32(b[32:]) {
		return Queue{}, Position{}, ErrBadID
	}
	q := Queue{Output: Output(binary.BigEndian.Uint16(b[16:])), Shard: binary.BigEndian.Uint32(b[18:])}
	copy(q.Stream[:], b[:16])
	return q, Position{binary.BigEndian.Uint64(b[22:]), uint32(binary.BigEndian.Uint16(b[30:]))}, nil
}

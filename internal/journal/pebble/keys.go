package pebble

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"

	"hydrant/internal/record"
)

// The first byte of a key says what it names. The letters are stored and must never change.
// A queue's head can be had from its meta value or from its last entry, so the two should not
// be damaged together: metas sort before all entries, far from the last ones of a table.
const (
	metaKind  = 'c'
	entryKind = 'e'
	stateKind = 's'

	queueBytes    = 16 + 2 + 4
	entryKeyBytes = 1 + queueBytes + 8
	metaKeyBytes  = 1 + queueBytes
	markBytes     = 24
	metaBytes     = 4 + 2*markBytes
	stateHead     = 4 + 8
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// appendQueueKey appends the key that names q under the given kind.
func appendQueueKey(dst []byte, kind byte, q record.Queue) []byte {
	dst = append(dst, kind)
	dst = append(dst, q.Stream[:]...)
	dst = binary.BigEndian.AppendUint16(dst, uint16(q.Output))
	return binary.BigEndian.AppendUint32(dst, q.Shard)
}

// appendEntryKey appends the key of the entry of q with the given sequence.
func appendEntryKey(dst []byte, q record.Queue, sequence uint64) []byte {
	return binary.BigEndian.AppendUint64(appendQueueKey(dst, entryKind, q), sequence)
}

func entryKey(q record.Queue, sequence uint64) []byte {
	return appendEntryKey(make([]byte, 0, entryKeyBytes), q, sequence)
}

// queueEnd is the first key behind all entries of q.
func queueEnd(q record.Queue) []byte {
	return append(entryKey(q, ^uint64(0)), 0)
}

func metaKey(q record.Queue) []byte {
	return appendQueueKey(make([]byte, 0, metaKeyBytes), metaKind, q)
}

func stateKey(key string) []byte {
	return append(append(make([]byte, 0, 1+len(key)), stateKind), key...)
}

// parseQueueKey reads the queue that an entry's or a meta key names.
func parseQueueKey(key []byte) (record.Queue, bool) {
	var q record.Queue
	if len(key) < metaKeyBytes || (key[0] != entryKind && key[0] != metaKind) {
		return q, false
	}
	copy(q.Stream[:], key[1:])
	q.Output = record.Output(binary.BigEndian.Uint16(key[17:]))
	q.Shard = binary.BigEndian.Uint32(key[19:])
	return q, true
}

// parseEntryKey reads an entry's key.
func parseEntryKey(key []byte) (record.Queue, uint64, bool) {
	if len(key) != entryKeyBytes || key[0] != entryKind {
		return record.Queue{}, 0, false
	}
	q, ok := parseQueueKey(key)
	return q, binary.BigEndian.Uint64(key[metaKeyBytes:]), ok
}

// describeKey says in words what a key names, for reports.
func describeKey(key []byte) string {
	if q, sequence, ok := parseEntryKey(key); ok {
		return fmt.Sprintf("entry %d of queue %s", sequence, q)
	}
	if q, ok := parseQueueKey(key); ok && len(key) == metaKeyBytes {
		return fmt.Sprintf("the head of queue %s", q)
	}
	if len(key) > 0 && key[0] == stateKind {
		return fmt.Sprintf("state %q", key[1:])
	}
	return fmt.Sprintf("key %x", key)
}

func appendMark(dst []byte, m record.Mark) []byte {
	dst = binary.BigEndian.AppendUint64(dst, m.Entry)
	dst = binary.BigEndian.AppendUint64(dst, m.Before.Records)
	return binary.BigEndian.AppendUint64(dst, m.Before.Bytes)
}

func parseMark(b []byte) record.Mark {
	return record.Mark{
		Position: record.Position{Entry: binary.BigEndian.Uint64(b)},
		Before: record.Counts{
			Records: binary.BigEndian.Uint64(b[8:]),
			Bytes:   binary.BigEndian.Uint64(b[16:]),
		},
	}
}

// putChecksum fills in the checksum that a meta or state value begins with.
func putChecksum(key, value []byte) {
	binary.BigEndian.PutUint32(value, valueChecksum(key, value))
}

func valueChecksum(key, value []byte) uint32 {
	return crc32.Update(crc32.Checksum(key, castagnoli), castagnoli, value[4:])
}

func checksumHolds(key, value []byte) bool {
	return len(value) >= 4 && binary.BigEndian.Uint32(value) == valueChecksum(key, value)
}

// appendMeta appends a queue's meta value with a checksum still to be filled in.
func appendMeta(dst []byte, next, floor record.Mark) []byte {
	return appendMark(appendMark(append(dst, 0, 0, 0, 0), next), floor)
}

// parseMeta reads a meta value; false says that it is damaged.
func parseMeta(key, value []byte) (next, floor record.Mark, ok bool) {
	if len(value) != metaBytes || !checksumHolds(key, value) {
		return next, floor, false
	}
	return parseMark(value[4:]), parseMark(value[4+markBytes:]), true
}

// parseState reads a state value, which shares value's memory; false says that it is damaged.
func parseState(key, value []byte) (record.State, bool) {
	if len(key) == 0 || len(value) < stateHead || !checksumHolds(key, value) {
		return record.State{}, false
	}
	return record.State{
		Key:     string(key[1:]),
		Value:   value[stateHead:],
		Version: binary.BigEndian.Uint64(value[4:]),
	}, true
}

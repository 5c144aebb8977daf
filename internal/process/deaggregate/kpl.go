package deaggregate

import (
	"bytes"
	"crypto/md5"

	"hydrant/internal/record"
)

// An aggregate of the Kinesis Producer Library:
//
//	magic    f3 89 9a c2
//	message  AggregatedRecord, in protocol buffers' wire format (proto2)
//	MD5      16 bytes, of the message
//
//	AggregatedRecord  1 repeated string partition_key_table
//	                  2 repeated string explicit_hash_key_table
//	                  3 repeated Record records
//	Record            1 required uint64 partition_key_index
//	                  2 optional uint64 explicit_hash_key_index
//	                  3 required bytes  data
//	                  4 repeated Tag    tags
const magic = "\xf3\x89\x9a\xc2"

// UserRecord is one of the records of an aggregate, as its producer knew it. Its place in the
// aggregate is its sub-sequence number.
type UserRecord struct {
	PartitionKey    string
	ExplicitHashKey string // empty for none
	Data            []byte // in the memory of the aggregate
}

// KPL returns the records of an item that is an aggregate, as items whose source they are
// themselves: source record backup comes behind it. ok is false for every item that is none,
// which then goes on as it is.
func KPL(item record.Item) (items []record.Item, ok bool) {
	if !item.Goes() {
		return nil, false
	}
	records, ok := UserRecords(item.Data)
	if !ok {
		return nil, false
	}
	items = make([]record.Item, len(records))
	for i, id := range ids(item.ID, len(records)) {
		items[i] = item
		items[i].ID, items[i].Source, items[i].Data = id, records[i].Data, records[i].Data
	}
	return items, true
}

// UserRecords returns the records of an aggregate, one at least. ok is false if data is no
// aggregate: its magic, its MD5 or its message is not as it should be, or it holds nothing.
func UserRecords(data []byte) (records []UserRecord, ok bool) {
	body, ok := bytes.CutPrefix(data, []byte(magic))
	if !ok || len(body) <= md5.Size {
		return nil, false
	}
	message, sum := body[:len(body)-md5.Size], body[len(body)-md5.Size:]
	if [md5.Size]byte(sum) != md5.Sum(message) {
		return nil, false
	}
	var a aggregate
	if !a.read(message) {
		return nil, false
	}
	return a.resolve()
}

// aggregate is an AggregatedRecord.
type aggregate struct {
	keys     []string
	hashKeys []string
	members  []member
}

// member is a Record. The tables that it points into may stand behind it.
type member struct {
	key     uint64
	hashKey uint64
	data    []byte
	has     [4]bool // by the number of the field
}

// Numbers of fields.
const (
	fieldKeyTable     = 1
	fieldHashKeyTable = 2
	fieldRecords      = 3

	fieldKey     = 1
	fieldHashKey = 2
	fieldData    = 3
)

func (a *aggregate) read(message []byte) bool {
	for len(message) > 0 {
		f, rest, ok := nextField(message)
		if !ok {
			return false
		}
		message = rest
		switch {
		case f.is(fieldKeyTable, wireBytes):
			a.keys = append(a.keys, string(f.bytes))
		case f.is(fieldHashKeyTable, wireBytes):
			a.hashKeys = append(a.hashKeys, string(f.bytes))
		case f.is(fieldRecords, wireBytes):
			var m member
			if !m.read(f.bytes) {
				return false
			}
			a.members = append(a.members, m)
		}
	}
	return true
}

// read reports whether the message is a Record with what it must have. Tags are passed over.
func (m *member) read(message []byte) bool {
	for len(message) > 0 {
		f, rest, ok := nextField(message)
		if !ok {
			return false
		}
		message = rest
		switch {
		case f.is(fieldKey, wireVarint):
			m.key = f.varint
		case f.is(fieldHashKey, wireVarint):
			m.hashKey = f.varint
		case f.is(fieldData, wireBytes):
			m.data = f.bytes
		default:
			continue
		}
		m.has[f.number] = true
	}
	return m.has[fieldKey] && m.has[fieldData]
}

// resolve puts keys in place of their indexes.
func (a *aggregate) resolve() ([]UserRecord, bool) {
	records := make([]UserRecord, len(a.members))
	for i := range a.members {
		m, r := &a.members[i], &records[i]
		if m.key >= uint64(len(a.keys)) {
			return nil, false
		}
		r.PartitionKey, r.Data = a.keys[m.key], m.data
		if m.has[fieldHashKey] {
			if m.hashKey >= uint64(len(a.hashKeys)) {
				return nil, false
			}
			r.ExplicitHashKey = a.hashKeys[m.hashKey]
		}
	}
	return records, len(records) > 0
}

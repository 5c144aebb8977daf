package deaggregate

import "encoding/binary"

// Wire types of protocol buffers. Groups, which nobody has used for long, are not known.
const (
	wireVarint  = 0
	wireFixed64 = 1
	wireBytes   = 2
	wireFixed32 = 5
)

// maxField is the highest number that a field may have.
const maxField = 1<<29 - 1

// field is one field of a message in protocol buffers' wire format.
type field struct {
	number uint64
	wire   uint64
	varint uint64 // of wireVarint
	bytes  []byte // of the other wire types
}

// is reports whether the field has a number and a wire type. One of another type than it
// should have is unknown, and passed over.
func (f *field) is(number, wire uint64) bool { return f.number == number && f.wire == wire }

// nextField cuts the first field off a message.
func nextField(b []byte) (f field, rest []byte, ok bool) {
	tag, b, ok := cutVarint(b)
	f.number, f.wire = tag>>3, tag&7
	if !ok || f.number == 0 || f.number > maxField {
		return f, nil, false
	}
	size := uint64(0)
	switch f.wire {
	case wireVarint:
		f.varint, b, ok = cutVarint(b)
		return f, b, ok
	case wireBytes:
		if size, b, ok = cutVarint(b); !ok {
			return f, nil, false
		}
	case wireFixed64:
		size = 8
	case wireFixed32:
		size = 4
	default:
		return f, nil, false
	}
	if size > uint64(len(b)) {
		return f, nil, false
	}
	f.bytes = b[:size:size]
	return f, b[size:], true
}

func cutVarint(b []byte) (v uint64, rest []byte, ok bool) {
	v, n := binary.Uvarint(b)
	if n <= 0 {
		return 0, nil, false
	}
	return v, b[n:], true
}

package orc

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// field is a field of a message.
type field struct {
	number int
	value  uint64 // of a varint or a fixed64
	bytes  []byte // of a string, bytes or a message
}

// fields are those of a message.
func fields(b []byte) (all []field, err error) {
	for len(b) > 0 {
		number, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return nil, protowire.ParseError(n)
		}
		b = b[n:]
		f := field{number: int(number)}
		switch typ {
		case protowire.VarintType:
			f.value, n = protowire.ConsumeVarint(b)
		case protowire.Fixed64Type:
			f.value, n = protowire.ConsumeFixed64(b)
		case protowire.BytesType:
			f.bytes, n = protowire.ConsumeBytes(b)
		default:
			return nil, fmt.Errorf("wire type %d", typ)
		}
		if n < 0 {
			return nil, protowire.ParseError(n)
		}
		b = b[n:]
		all = append(all, f)
	}
	return all, nil
}

// parsed is a message by its fields.
type parsed map[int][]field

func parse(b []byte) (parsed, error) {
	all, err := fields(b)
	m := parsed{}
	for _, f := range all {
		m[f.number] = append(m[f.number], f)
	}
	return m, err
}

func (m parsed) has(number int) bool { return len(m[number]) > 0 }

// uint is a number that has to be there.
func (m parsed) uint(number int) (int, error) {
	if len(m[number]) != 1 {
		return 0, fmt.Errorf("field %d stands there %d times", number, len(m[number]))
	}
	return int(m[number][0].value), nil
}

// uints are several of them.
func (m parsed) uints(numbers ...int) (vals []int, err error) {
	for _, number := range numbers {
		v, err := m.uint(number)
		if err != nil {
			return nil, err
		}
		vals = append(vals, v)
	}
	return vals, nil
}

// unpack are the numbers of a packed field.
func (m parsed) unpack(number int) (vals []uint64) {
	for _, f := range m[number] {
		for b := f.bytes; len(b) > 0; {
			v, n := protowire.ConsumeVarint(b)
			vals, b = append(vals, v), b[n:]
		}
	}
	return vals
}

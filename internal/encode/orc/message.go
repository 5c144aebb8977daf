package orc

import (
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// message is a protobuf message that is being made. Zero values are written too, because
// readers tell absent fields from those (section 2).
type message []byte

func (m message) uint(field protowire.Number, v uint64) message {
	return protowire.AppendVarint(protowire.AppendTag(m, field, protowire.VarintType), v)
}

// sint adds a number in zigzag.
func (m message) sint(field protowire.Number, v int64) message {
	return m.uint(field, protowire.EncodeZigZag(v))
}

func (m message) bool(field protowire.Number, v bool) message {
	return m.uint(field, protowire.EncodeBool(v))
}

func (m message) double(field protowire.Number, v float64) message {
	m = protowire.AppendTag(m, field, protowire.Fixed64Type)
	return protowire.AppendFixed64(m, math.Float64bits(v))
}

// bytes adds bytes or another message.
func (m message) bytes(field protowire.Number, v []byte) message {
	return protowire.AppendBytes(protowire.AppendTag(m, field, protowire.BytesType), v)
}

func (m message) string(field protowire.Number, v string) message {
	return protowire.AppendString(protowire.AppendTag(m, field, protowire.BytesType), v)
}

// packed adds numbers back to back, in two parts.
func (m message) packed(field protowire.Number, first, second []uint64) message {
	size := 0
	for _, v := range first {
		size += protowire.SizeVarint(v)
	}
	for _, v := range second {
		size += protowire.SizeVarint(v)
	}
	m = protowire.AppendTag(m, field, protowire.BytesType)
	m = protowire.AppendVarint(m, uint64(size))
	for _, v := range first {
		m = protowire.AppendVarint(m, v)
	}
	for _, v := range second {
		m = protowire.AppendVarint(m, v)
	}
	return m
}

package serde

import (
	"encoding/binary"

	"hydrant/internal/column"
)

// canonical is the last key of a vector as bytes that only the same key has.
func canonical(v *column.Vector) []byte {
	switch v.Type.Kind {
	case column.String, column.Varchar, column.Char, column.Binary:
		return v.Value(len(v.Ends) - 1)
	case column.Float, column.Double:
		return binary.LittleEndian.AppendUint64(nil, floatKey(v.Floats[len(v.Floats)-1]))
	case column.Decimal:
		d := v.Decimals[len(v.Decimals)-1]
		return binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(nil, d.Lo), uint64(d.Hi))
	}
	b := binary.LittleEndian.AppendUint64(nil, uint64(v.Ints[len(v.Ints)-1]))
	if v.Type.Kind == column.Timestamp {
		b = binary.LittleEndian.AppendUint32(b, uint32(v.Nanos[len(v.Nanos)-1]))
	}
	return b
}

// drop takes the last key back from its vector.
func drop(v *column.Vector) {
	v.Present = v.Present[:len(v.Present)-1]
	switch v.Type.Kind {
	case column.String, column.Varchar, column.Char, column.Binary:
		v.Bytes = v.Bytes[:len(v.Bytes)-len(v.Value(len(v.Ends)-1))]
		v.Ends = v.Ends[:len(v.Ends)-1]
		return
	case column.Float, column.Double:
		v.Floats = v.Floats[:len(v.Floats)-1]
		return
	case column.Decimal:
		v.Decimals = v.Decimals[:len(v.Decimals)-1]
		return
	case column.Timestamp:
		v.Nanos = v.Nanos[:len(v.Nanos)-1]
	}
	v.Ints = v.Ints[:len(v.Ints)-1]
}

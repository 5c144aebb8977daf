package parquet

import (
	"encoding/hex"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"

	"pgregory.net/rapid"

	"hydrant/internal/column"
)

// The model of a value is what a reader should make of it, as JSON has it: nil; bool; a
// text; for a list its elements, for a map its pairs, for a struct its fields as []any.
// Numbers are texts: integers and decimals in decimal, floats as the bits of a float64 (all
// NaN are "nan"), dates as days, timestamps as nanoseconds since 1970, bytes in hex.

// primitives are all types without parts, with some parameters.
var primitives = []column.Type{
	{Kind: column.Boolean}, {Kind: column.TinyInt}, {Kind: column.SmallInt}, {Kind: column.Int}, {Kind: column.BigInt},
	{Kind: column.Float}, {Kind: column.Double}, {Kind: column.String}, {Kind: column.Varchar, Length: 20},
	{Kind: column.Char, Length: 3}, {Kind: column.Binary}, {Kind: column.Date}, {Kind: column.Timestamp},
	{Kind: column.Decimal, Precision: 1}, {Kind: column.Decimal, Precision: 9, Scale: 9},
	{Kind: column.Decimal, Precision: 10, Scale: 2}, {Kind: column.Decimal, Precision: 18, Scale: 4},
	{Kind: column.Decimal, Precision: 19, Scale: 0}, {Kind: column.Decimal, Precision: 38, Scale: 10},
}

// fieldNames are names with which readers might confuse the format's own.
var fieldNames = []string{
	"a", "b", "bag", "array_element", "map", "key", "value", "array", "a_tuple", "element", "list", "ключ", "a b", "x.y", "item",
}

// drawType draws a type that is nested at most so deep.
func drawType(t *rapid.T, depth int) *column.Type {
	kind := rapid.IntRange(0, 6).Draw(t, "kind")
	if depth == 0 || kind < 3 {
		p := rapid.SampledFrom(primitives).Draw(t, "primitive")
		return &p
	}
	switch kind {
	case 3, 4:
		return &column.Type{Kind: column.List, Elem: drawType(t, depth-1)}
	case 5:
		return &column.Type{Kind: column.Map, Key: drawType(t, 0), Elem: drawType(t, depth-1)}
	}
	return drawStruct(t, depth-1, 3)
}

func drawStruct(t *rapid.T, depth, most int) *column.Type {
	s := &column.Type{Kind: column.Struct}
	for _, name := range rapid.SliceOfNDistinct(rapid.SampledFrom(fieldNames), 1, most, rapid.ID[string]).Draw(t, "names") {
		s.Fields = append(s.Fields, column.Field{Name: name, Type: drawType(t, depth)})
	}
	return s
}

// drawValue adds a value, or a null, to a vector and returns its model.
func drawValue(t *rapid.T, v *column.Vector, required bool) any {
	if !required && rapid.IntRange(0, 3).Draw(t, "null") == 0 {
		v.Null()
		return nil
	}
	switch v.Type.Kind {
	case column.List:
		n := rapid.IntRange(0, 3).Draw(t, "elements")
		v.Many(n)
		all := []any{}
		for range n {
			all = append(all, drawValue(t, v.Children[0], false))
		}
		return all
	case column.Map:
		return drawMap(t, v)
	case column.Struct:
		v.Struct()
		all := []any{}
		for _, c := range v.Children {
			all = append(all, drawValue(t, c, false))
		}
		return all
	}
	return drawPrimitive(t, v)
}

// drawMap draws keys first, into a vector of their own, so that none comes twice.
func drawMap(t *rapid.T, v *column.Vector) any {
	keys, all, seen := v.Children[0], []any{}, map[any]bool{"nan": true}
	for range rapid.IntRange(0, 3).Draw(t, "pairs") {
		one := column.NewBatch(&column.Type{Kind: column.Struct, Fields: []column.Field{{Name: "k", Type: v.Type.Key}}}).Columns[0]
		key := drawPrimitive(t, one)
		same := key
		if key == floatText(math.Copysign(0, -1)) {
			same = floatText(0)
		}
		if seen[same] {
			continue
		}
		seen[same] = true
		addVector(keys, one)
		all = append(all, []any{key, nil})
	}
	v.Many(len(all))
	for _, pair := range all {
		pair.([]any)[1] = drawValue(t, v.Children[1], false)
	}
	return all
}

// addVector appends the one value of a vector to another.
func addVector(to, from *column.Vector) {
	last := uint32(len(to.Bytes))
	to.Present = append(to.Present, true)
	to.Ints = append(to.Ints, from.Ints...)
	to.Nanos = append(to.Nanos, from.Nanos...)
	to.Floats = append(to.Floats, from.Floats...)
	to.Decimals = append(to.Decimals, from.Decimals...)
	to.Bytes = append(to.Bytes, from.Bytes...)
	for _, end := range from.Ends {
		to.Ends = append(to.Ends, last+end)
	}
}

func drawPrimitive(t *rapid.T, v *column.Vector) any {
	switch k := v.Type.Kind; k {
	case column.Boolean:
		x := rapid.Bool().Draw(t, "boolean")
		v.Int(map[bool]int64{true: 1}[x])
		return x
	case column.TinyInt:
		return addInt(v, int64(rapid.Int8().Draw(t, "tinyint")))
	case column.SmallInt:
		return addInt(v, int64(rapid.Int16().Draw(t, "smallint")))
	case column.Int:
		return addInt(v, int64(rapid.Int32().Draw(t, "int")))
	case column.BigInt:
		return addInt(v, rapid.Int64().Draw(t, "bigint"))
	case column.Date:
		return addInt(v, rapid.Int64Range(-719_162, 2_932_896).Draw(t, "date")) // years 1 to 9999
	case column.Float, column.Double:
		return drawFloat(t, v)
	case column.Decimal:
		return drawDecimal(t, v)
	case column.Timestamp:
		s, n := rapid.Int64Range(-9e9, 9e9).Draw(t, "seconds"), rapid.Int32Range(0, 999_999_999).Draw(t, "nanos")
		v.Time(s, n)
		return strconv.FormatInt(s*1e9+int64(n), 10)
	case column.Binary:
		b := rapid.SliceOfN(rapid.Byte(), 0, 20).Draw(t, "binary")
		v.Text(b)
		return hex.EncodeToString(b)
	}
	s := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"", "a", "prefix-12345678", "prefix-12345679", "prefix-1", "\x00", "𝄞é"})).Draw(t, "string")
	v.Text([]byte(s))
	return s
}

func addInt(v *column.Vector, i int64) any {
	v.Int(i)
	return strconv.FormatInt(i, 10)
}

func drawFloat(t *rapid.T, v *column.Vector) any {
	x := rapid.OneOf(rapid.Float64(), rapid.SampledFrom([]float64{
		0, math.Copysign(0, -1), math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat32, math.SmallestNonzeroFloat32,
	})).Draw(t, "double")
	if v.Type.Kind == column.Float {
		x = float64(float32(x))
	}
	v.Float(x)
	return floatText(x)
}

func floatText(x float64) string {
	if math.IsNaN(x) {
		return "nan"
	}
	return fmt.Sprintf("%016x", math.Float64bits(x))
}

func drawDecimal(t *rapid.T, v *column.Vector) any {
	p := v.Type.Precision
	digits := rapid.StringMatching(fmt.Sprintf("-?([0-9]{1,%d}|9{%d})", p, p)).Draw(t, "decimal")
	n, _ := new(big.Int).SetString(digits, 10)
	v.Decimal(int128(n))
	return decimalText(n, v.Type.Scale)
}

func int128(n *big.Int) column.Int128 {
	word := new(big.Int).And(n, new(big.Int).SetUint64(math.MaxUint64))
	return column.Int128{Hi: new(big.Int).Rsh(n, 64).Int64(), Lo: word.Uint64()}
}

// decimalText writes a decimal with all digits of its scale.
func decimalText(n *big.Int, scale int) string {
	digits := new(big.Int).Abs(n).String()
	if missing := scale + 1 - len(digits); missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	if scale > 0 {
		digits = digits[:len(digits)-scale] + "." + digits[len(digits)-scale:]
	}
	if n.Sign() < 0 {
		return "-" + digits
	}
	return digits
}

// slot is a slot of a leaf; the model of its value is nil if there is none.
type slot struct {
	rep, def int
	value    any
}

// leaves appends the slots of a value to those of the leaves of its type, one record at a
// time: the definition of levels, as slow and plain as can be.
func leaves(t *column.Type, value any, rep, def, depth int, required bool, out [][]slot) (rest [][]slot) {
	if value != nil && !required {
		def++
	}
	fields := parts(t)
	switch {
	case len(fields) == 0:
		out[0] = append(out[0], slot{rep, def, value})
		return out[1:]
	case t.Kind == column.Struct:
		for i, f := range fields {
			var field any
			if value != nil {
				field = value.([]any)[i]
			}
			out = leaves(f, field, rep, def, depth, false, out)
		}
		return out
	}
	elements, _ := value.([]any)
	if len(elements) == 0 {
		for _, f := range fields {
			out = leaves(f, nil, rep, def, depth+1, false, out)
		}
		return out
	}
	for i, e := range elements {
		if i > 0 {
			rep = depth + 1
		}
		if t.Kind == column.List {
			rest = leaves(t.Elem, e, rep, def+1, depth+1, false, out)
			continue
		}
		pair := e.([]any)
		rest = leaves(t.Key, pair[0], rep, def+1, depth+1, true, out)
		rest = leaves(t.Elem, pair[1], rep, def+1, depth+1, false, rest)
	}
	return rest
}

// parts are the types inside of a type.
func parts(t *column.Type) []*column.Type {
	switch t.Kind {
	case column.List:
		return []*column.Type{t.Elem}
	case column.Map:
		return []*column.Type{t.Key, t.Elem}
	case column.Struct:
		var all []*column.Type
		for _, f := range t.Fields {
			all = append(all, f.Type)
		}
		return all
	}
	return nil
}

// leafTypes are the primitive types in a type, in order.
func leafTypes(t *column.Type) []*column.Type {
	inner := parts(t)
	if len(inner) == 0 {
		return []*column.Type{t}
	}
	var all []*column.Type
	for _, p := range inner {
		all = append(all, leafTypes(p)...)
	}
	return all
}

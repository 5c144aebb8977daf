package serde

import (
	"strings"

	"hydrant/internal/column"
)

// value reads the value at at into the vector, an entry for it whatever it is. Like all that
// reads values it returns where the value ends, or -1 with r.fault set.
func (r *Reader) value(n *node, v *column.Vector, at int) int {
	d := r.data
	if at >= len(d) {
		return r.ends(at, ": expected a value")
	}
	if d[at] == 'n' {
		v.Null()
		return r.word(at, "null")
	}
	switch n.kind {
	case column.TinyInt, column.SmallInt, column.Int, column.BigInt:
		return r.integer(n, v, at)
	case column.Float, column.Double, column.Decimal:
		return r.fraction(n, v, at)
	case column.String, column.Varchar, column.Char, column.Binary:
		return r.string(n, v, at)
	case column.Boolean:
		return r.boolean(n, v, at)
	case column.Date, column.Timestamp:
		return r.moment(n, v, at)
	case column.List:
		return r.list(n, v, at)
	case column.Map:
		if d[at] != '{' {
			return r.notObject(at)
		}
		return r.mapping(n, v, at)
	}
	switch {
	case d[at] == '{':
		v.Struct()
		return r.structure(n, v.Children, at)
	case d[at] == '[' && !r.hive:
		v.Struct()
		return r.positions(n, v.Children, at)
	}
	return r.notObject(at)
}

// Words of Java for the values of JSON: the classes that OpenX's parser makes of them, and
// the tokens of Jackson.
func (r *Reader) javaClass(at int) string {
	switch c := r.data[at]; {
	case c == '"':
		return "java.lang.String"
	case c == '[':
		return "org.openx.data.jsonserde.json.JSONArray"
	case c == '{':
		return "org.openx.data.jsonserde.json.JSONObject"
	case c == 't' || c == 'f':
		return "java.lang.Boolean"
	}
	if r.whole(at) {
		return "java.lang.Long"
	}
	return "java.lang.Double"
}

func (r *Reader) token(at int) string {
	switch r.data[at] {
	case '"':
		return "VALUE_STRING"
	case '[':
		return "START_ARRAY"
	case '{':
		return "START_OBJECT"
	case 't':
		return "VALUE_TRUE"
	case 'f':
		return "VALUE_FALSE"
	}
	if r.whole(at) {
		return "VALUE_NUMBER_INT"
	}
	return "VALUE_NUMBER_FLOAT"
}

// whole reports whether the number at at was written without point and exponent.
func (r *Reader) whole(at int) bool {
	var n number
	n.parse(r.data[at:], true)
	return n.whole
}

// shownAt is the value at at for a message: a text without quotes, others as they are
// written. end is -1 if it is malformed.
func (r *Reader) shownAt(at int) (value []byte, end int) {
	if r.data[at] == '"' {
		return r.text(at)
	}
	end = r.skip(at)
	if end < 0 {
		return nil, -1
	}
	return r.data[at:end], end
}

// notObject stops at a value that should be an object.
func (r *Reader) notObject(at int) int {
	value, end := r.shownAt(at)
	if end < 0 {
		return -1
	}
	if r.hive {
		return r.misfits("java.io.IOException: Start of Object expected")
	}
	return r.misfits("Data is not JSONObject  but " + r.javaClass(at) + " with value " + shown(value))
}

// notPrimitive stops at a value that should be one of a primitive type.
func (r *Reader) notPrimitive(n *node, at int) int {
	value, end := r.shownAt(at)
	if end < 0 {
		return -1
	}
	if !r.hive {
		return r.noInput(value)
	}
	switch n.kind {
	case column.Boolean:
		return r.misfits("Current token (" + r.token(at) + ") not of boolean type")
	case column.TinyInt, column.SmallInt, column.Int, column.BigInt, column.Float, column.Double, column.Decimal:
		return r.misfits("Current token (" + r.token(at) + ") not numeric, can not use numeric value accessors")
	}
	return r.misfitsWhole(textRoot)
}

// converted reads the text at at into a vector of another primitive type, as OpenX does.
func (r *Reader) converted(n *node, v *column.Vector, at int) int {
	text, next := r.text(at)
	if next < 0 || !r.convert(n, v, text) {
		return -1
	}
	return next
}

// convert reads a text into the vector of a primitive type. OpenX does so with texts that
// stand where something else is wanted, and both do with the keys of maps.
func (r *Reader) convert(n *node, v *column.Vector, text []byte) bool {
	fits := true
	switch n.kind {
	case column.TinyInt, column.SmallInt, column.Int, column.BigInt:
		var i int64
		if i, fits = javaInteger(text, n.kind); fits {
			v.Int(i)
		}
	case column.Float, column.Double:
		var f float64
		if f, fits = javaFloat(text, n.kind); fits {
			v.Float(f)
		}
	case column.Decimal:
		fits = decimalText(n.typ, v, text)
	case column.Boolean:
		v.Int(truth(len(text) == 4 && strings.EqualFold(string(text), "true")))
	case column.Date, column.Timestamp:
		return r.convertMoment(n, v, text)
	default:
		v.Text(cut(n.typ, text))
	}
	if !fits {
		r.noInput(text)
	}
	return fits
}

func truth(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func (r *Reader) boolean(n *node, v *column.Vector, at int) int {
	switch r.data[at] {
	case 't':
		v.Int(1)
		return r.word(at, "true")
	case 'f':
		v.Int(0)
		return r.word(at, "false")
	case '"':
		if !r.hive {
			return r.converted(n, v, at)
		}
	}
	return r.notPrimitive(n, at)
}

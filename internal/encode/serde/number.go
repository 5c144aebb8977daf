package serde

import (
	"bytes"
	"math"
	"strconv"
	"unsafe"

	"hydrant/internal/column"
)

// number is a number in decimal notation: mantissa * 10^exp, or its text if it is long.
type number struct {
	text     []byte
	negative bool
	whole    bool // neither point nor exponent was written
	long     bool // the mantissa has more digits than a word holds, and is not set
	mantissa uint64
	exp      int
}

// maxDigits is how many digits always fit a word.
const maxDigits = 19

// maxExponent bounds exponents, so that sums of them cannot overflow.
const maxExponent = 1 << 28

// parse reads the number that text starts with and returns its size, or -1. Strict is the
// grammar of JSON; without, it is that of Java's decimals: a plus, leading zeros and a point
// without digits on one side are fine too.
func (n *number) parse(text []byte, strict bool) (size int) {
	i := 0
	if i < len(text) && (text[i] == '-' || text[i] == '+' && !strict) {
		n.negative = text[i] == '-'
		i++
	}
	from := i
	i = n.digits(text, i)
	before, after := i-from, 0
	if strict && (before == 0 || before > 1 && text[from] == '0') {
		return -1
	}
	n.whole = true
	if i < len(text) && text[i] == '.' {
		n.whole = false
		i++
		from = i
		i = n.digits(text, i)
		after = i - from
		n.exp = -after
		if strict && after == 0 {
			return -1
		}
	}
	if before+after == 0 {
		return -1
	}
	if i < len(text) && text[i]|0x20 == 'e' {
		n.whole = false
		if i = n.exponent(text, i+1); i < 0 {
			return -1
		}
	}
	n.text = text[:i]
	return i
}

// digits adds the digits that follow to the mantissa.
func (n *number) digits(text []byte, i int) int {
	m := n.mantissa
	for i < len(text) {
		c := text[i] - '0'
		if c > 9 {
			break
		}
		if m >= 1e18 { // one more digit may be one too many
			n.long = true
		}
		m = m*10 + uint64(c)
		i++
	}
	n.mantissa = m
	return i
}

func (n *number) exponent(text []byte, i int) int {
	negative := false
	if i < len(text) && (text[i] == '-' || text[i] == '+') {
		negative = text[i] == '-'
		i++
	}
	from, e := i, 0
	for i < len(text) && text[i]-'0' <= 9 {
		if e < maxExponent {
			e = e*10 + int(text[i]-'0')
		}
		i++
	}
	if i == from {
		return -1
	}
	if negative {
		e = -e
	}
	n.exp += e
	return i
}

// The most of each kind of integer; the least is one less than its opposite.
var mostOf = [...]uint64{
	column.TinyInt: math.MaxInt8, column.SmallInt: math.MaxInt16, column.Int: math.MaxInt32, column.BigInt: math.MaxInt64,
}

// signed is the integer if the kind holds it.
func signed(magnitude uint64, negative bool, k column.Kind) (int64, bool) {
	if negative {
		return -int64(magnitude), magnitude <= mostOf[k]+1
	}
	return int64(magnitude), magnitude <= mostOf[k]
}

// integer reads into a column of integers.
func (r *Reader) integer(n *node, v *column.Vector, at int) int {
	d := r.data
	c := d[at]
	if c == '"' && !r.hive {
		return r.converted(n, v, at)
	}
	if i, next := shortInteger(d, at); next > 0 {
		if i <= mostOf[n.kind] {
			v.Int(int64(i))
			return next
		}
	} else if c != '-' && c-'0' > 9 {
		return r.notPrimitive(n, at)
	}
	var num number
	next := r.number(&num, at)
	if next < 0 {
		return -1
	}
	i, ok := num.integer(n.kind)
	if !ok {
		return r.noInput(num.text)
	}
	v.Int(i)
	return next
}

// shortInteger takes a whole number of up to 18 digits with something behind it, which is
// what nearly all are. Of others next is 0.
func shortInteger(d []byte, at int) (i uint64, next int) {
	from := at
	for at < len(d) && d[at]-'0' <= 9 {
		i = i*10 + uint64(d[at]-'0')
		at++
	}
	digits := at - from
	if digits == 0 || digits >= maxDigits || d[from] == '0' && digits > 1 {
		return 0, 0
	}
	if at == len(d) || d[at] == '.' || d[at]|0x20 == 'e' {
		return 0, 0
	}
	return i, at
}

func (n *number) integer(k column.Kind) (int64, bool) {
	if !n.whole {
		return 0, false
	}
	if !n.long {
		return signed(n.mantissa, n.negative, k)
	}
	i, err := strconv.ParseInt(lent(n.text), 10, 64)
	if err != nil || i > int64(mostOf[k]) || i < -int64(mostOf[k])-1 {
		return 0, false
	}
	return i, true
}

// lent is b as a string that must not be kept.
func lent(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// javaInteger reads a text as Integer.parseInt and its like do, or, behind 0x, in base 16
// as OpenX does.
func javaInteger(text []byte, k column.Kind) (int64, bool) {
	base := 10
	if len(text) > 2 && text[0] == '0' && text[1]|0x20 == 'x' {
		base, text = 16, text[2:]
	}
	bits := [...]int{column.TinyInt: 8, column.SmallInt: 16, column.Int: 32, column.BigInt: 64}[k]
	i, err := strconv.ParseInt(lent(text), base, bits)
	return i, err == nil
}

// Powers of ten that a float64 holds exactly.
var tens = [...]float64{
	1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
}

// float is the nearest float64. A mantissa and a power of ten that are both exact need only
// one rounding, which is that of the division or product.
func (n *number) float() (float64, bool) {
	if n.long || n.mantissa > 1<<53 || n.exp > 22 || n.exp < -22 {
		f, err := strconv.ParseFloat(lent(n.text), 64)
		return f, err == nil
	}
	f := float64(n.mantissa)
	if n.exp < 0 {
		f /= tens[-n.exp]
	} else {
		f *= tens[n.exp]
	}
	if n.negative {
		f = -f
	}
	return f, true
}

// narrow rounds a float to what the kind holds. Finite ones stay so.
func narrow(f float64, k column.Kind) (float64, bool) {
	if k == column.Double {
		return f, true
	}
	low := float64(float32(f))
	return low, !math.IsInf(low, 0) || math.IsInf(f, 0)
}

// fraction reads into a column of floats, doubles or decimals.
func (r *Reader) fraction(n *node, v *column.Vector, at int) int {
	c := r.data[at]
	if c == '"' && !r.hive {
		return r.converted(n, v, at)
	}
	if c != '-' && c-'0' > 9 {
		return r.notPrimitive(n, at)
	}
	var num number
	next := r.number(&num, at)
	if next < 0 {
		return -1
	}
	if n.kind == column.Decimal {
		d, ok := num.decimal(n.typ.Precision, n.typ.Scale)
		if !ok {
			return r.noInput(num.text)
		}
		v.Decimal(d)
		return next
	}
	f, ok := num.float()
	if ok {
		f, ok = narrow(f, n.kind)
	}
	if !ok {
		return r.noInput(num.text)
	}
	v.Float(f)
	return next
}

// javaFloat reads a text as Double.parseDouble does, without its hexadecimal notation: white
// space around it and a D or F behind it are fine, and so are NaN and Infinity.
func javaFloat(text []byte, k column.Kind) (float64, bool) {
	text = bytes.TrimFunc(text, func(c rune) bool { return c <= ' ' })
	switch string(text) {
	case "NaN", "+NaN", "-NaN":
		return math.NaN(), true
	case "Infinity", "+Infinity":
		return math.Inf(1), true
	case "-Infinity":
		return math.Inf(-1), true
	}
	if n := len(text); n > 0 && (text[n-1]|0x20 == 'd' || text[n-1]|0x20 == 'f') {
		text = text[:n-1]
	}
	var num number
	if num.parse(text, false) != len(text) {
		return 0, false
	}
	f, ok := num.float()
	if !ok {
		return 0, false
	}
	return narrow(f, k)
}

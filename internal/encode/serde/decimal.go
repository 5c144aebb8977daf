package serde

import (
	"math/bits"

	"hydrant/internal/column"
)

// most128 is the highest precision of a decimal.
const most128 = 38

// wide is an unsigned integer of 128 bits.
type wide struct{ hi, lo uint64 }

func (a wide) less(b wide) bool { return a.hi < b.hi || a.hi == b.hi && a.lo < b.lo }

// append is a * 10 + digit, for numbers that have room for it.
func (a wide) append(digit byte) wide {
	hi, lo := bits.Mul64(a.lo, 10)
	lo, carry := bits.Add64(lo, uint64(digit), 0)
	return wide{a.hi*10 + hi + carry, lo}
}

func (a wide) next() wide {
	lo, carry := bits.Add64(a.lo, 1, 0)
	return wide{a.hi + carry, lo}
}

// int128 is a or its opposite in two's complement.
func (a wide) int128(negative bool) column.Int128 {
	if negative {
		lo, borrow := bits.Sub64(0, a.lo, 0)
		hi, _ := bits.Sub64(0, a.hi, borrow)
		a = wide{hi, lo}
	}
	return column.Int128{Hi: int64(a.hi), Lo: a.lo}
}

// powers are those of ten, up to the first that no decimal reaches.
var powers = func() (p [most128 + 1]wide) {
	p[0].lo = 1
	for i := 1; i < len(p); i++ {
		p[i] = p[i-1].append(0)
	}
	return p
}()

// decimal is the number without its point, at a scale, rounded HALF_UP. It reports whether
// the precision is enough.
func (n *number) decimal(precision, scale int) (column.Int128, bool) {
	w, ok := n.unscaled(scale)
	if !ok || !w.less(powers[precision]) {
		return column.Int128{}, false
	}
	return w.int128(n.negative), true
}

// unscaled is the magnitude times 10^scale, rounded, if it has up to 38 digits.
func (n *number) unscaled(scale int) (wide, bool) {
	shift := n.exp + scale
	if n.long || shift < -maxDigits || shift > maxDigits {
		return n.longhand(scale)
	}
	if shift >= 0 {
		hi, lo := bits.Mul64(n.mantissa, powers[shift].lo)
		w := wide{hi, lo}
		return w, w.less(powers[most128])
	}
	by := powers[-shift].lo
	q, rest := n.mantissa/by, n.mantissa%by
	if rest >= by-rest {
		q++
	}
	return wide{lo: q}, true
}

// longhand is unscaled digit by digit.
func (n *number) longhand(scale int) (w wide, ok bool) {
	kept := n.kept(scale)
	started := false
	for _, c := range n.text {
		if c|0x20 == 'e' {
			break
		}
		if c-'0' > 9 {
			continue
		}
		if kept == 0 {
			if c >= '5' {
				w = w.next()
			}
			return w, w.less(powers[most128])
		}
		if kept < 0 {
			return w, true
		}
		kept--
		if !w.less(powers[most128-1]) {
			return w, false
		}
		w = w.append(c - '0')
		started = started || c != '0'
	}
	for ; kept > 0 && started; kept-- {
		if !w.less(powers[most128-1]) {
			return w, false
		}
		w = w.append(0)
	}
	return w, true
}

// kept is how many of the digits that are written stand before the point once the number is
// scaled. It may be below zero, or beyond the last digit.
func (n *number) kept(scale int) int {
	digits := 0
	for _, c := range n.text {
		if c|0x20 == 'e' {
			break
		}
		if c-'0' <= 9 {
			digits++
		}
	}
	return digits + n.exp + scale // exp counts the digits behind the point already
}

// decimalText reads a text into a column of decimals, as BigDecimal does.
func decimalText(t *column.Type, v *column.Vector, text []byte) bool {
	var n number
	if n.parse(text, false) != len(text) {
		return false
	}
	d, ok := n.decimal(t.Precision, t.Scale)
	if ok {
		v.Decimal(d)
	}
	return ok
}

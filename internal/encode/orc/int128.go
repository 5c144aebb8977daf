package orc

import (
	"math/bits"

	"hydrant/internal/column"
)

// maxDecimal is the length of a decimal's text: 38 digits, sign, a leading zero and the point,
// and then some.
const maxDecimal = 48

func less(a, b column.Int128) bool { return a.Hi < b.Hi || a.Hi == b.Hi && a.Lo < b.Lo }

// add128 is a + b, and whether it fits.
func add128(a, b column.Int128) (column.Int128, bool) {
	lo, carry := bits.Add64(a.Lo, b.Lo, 0)
	hi := a.Hi + b.Hi + int64(carry)
	return column.Int128{Hi: hi, Lo: lo}, (a.Hi^hi)&(b.Hi^hi) >= 0
}

// magnitude is v without its sign.
func magnitude(v column.Int128) (hi, lo uint64) {
	if v.Hi >= 0 {
		return uint64(v.Hi), v.Lo
	}
	lo, borrow := bits.Sub64(0, v.Lo, 0)
	hi, _ = bits.Sub64(0, uint64(v.Hi), borrow)
	return hi, lo
}

// 10^38, the first number of 39 digits.
const (
	tooLongHi = 0x4b3b4ca85a86c47a
	tooLongLo = 0x098a224000000000
)

// tooLong reports whether v has more than 38 digits.
func tooLong(v column.Int128) bool {
	hi, lo := magnitude(v)
	return hi > tooLongHi || hi == tooLongHi && lo >= tooLongLo
}

// appendVarint128 appends a varint in zigzag (section 5.5).
func appendVarint128(dst []byte, v column.Int128) []byte {
	sign := uint64(v.Hi >> 63)
	lo := v.Lo<<1 ^ sign
	hi := (uint64(v.Hi)<<1 | v.Lo>>63) ^ sign
	for hi != 0 {
		dst = append(dst, byte(lo)|0x80)
		lo, hi = lo>>7|hi<<57, hi>>7
	}
	for lo >= 0x80 {
		dst = append(dst, byte(lo)|0x80)
		lo >>= 7
	}
	return append(dst, byte(lo))
}

// appendDecimal appends a decimal as text, without an exponent and without zeros at the end of
// its fraction: 12.50 is 12.5 (section 9).
func appendDecimal(dst []byte, v column.Int128, scale int) []byte {
	var room [maxDecimal]byte
	at := len(room)
	hi, lo := magnitude(v)
	for digits := 0; hi != 0 || lo != 0 || digits <= scale; digits++ {
		if digits == scale && scale > 0 && at < len(room) {
			at--
			room[at] = '.'
		}
		var digit uint64
		hi, digit = hi/10, hi%10
		lo, digit = bits.Div64(digit, lo, 10)
		if digit == 0 && digits < scale && at == len(room) {
			continue // a zero at the end of the fraction
		}
		at--
		room[at] = '0' + byte(digit)
	}
	if v.Hi < 0 {
		at--
		room[at] = '-'
	}
	return append(dst, room[at:]...)
}

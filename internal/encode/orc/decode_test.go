package orc

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"
)

// The decoders of the test reader (section 18): written for being right, of the specification
// and not of the encoders.

var errShort = errors.New("the stream ends early")

// decodeBytes decodes byte RLE, up to most values or so.
func decodeBytes(b []byte, most int) (vals []byte, err error) {
	for len(b) > 0 && len(vals) < most {
		c := int(int8(b[0]))
		b = b[1:]
		if c >= 0 {
			if len(b) < 1 {
				return nil, errShort
			}
			for range c + 3 {
				vals = append(vals, b[0])
			}
			b = b[1:]
			continue
		}
		if len(b) < -c {
			return nil, errShort
		}
		vals = append(vals, b[:-c]...)
		b = b[-c:]
	}
	return vals, nil
}

// varint takes a varint.
func varint(b []byte, signed bool) (int64, []byte, error) {
	u, n := binary.Uvarint(b)
	if n <= 0 {
		return 0, nil, errShort
	}
	if signed {
		return unzigzag(u), b[n:], nil
	}
	return int64(u), b[n:], nil
}

func unzigzag(u uint64) int64 { return int64(u>>1) ^ -int64(u&1) }

// decodeInts1 decodes RLEv1, up to most values or so.
func decodeInts1(b []byte, signed bool, most int) (vals []int64, err error) {
	for len(b) > 0 && len(vals) < most {
		c := int(int8(b[0]))
		b = b[1:]
		if c >= 0 {
			if len(b) < 2 {
				return nil, errShort
			}
			delta := int64(int8(b[0]))
			var first int64
			if first, b, err = varint(b[1:], signed); err != nil {
				return nil, err
			}
			for i := range c + 3 {
				vals = append(vals, first+int64(i)*delta)
			}
			continue
		}
		for range -c {
			var v int64
			if v, b, err = varint(b, signed); err != nil {
				return nil, err
			}
			vals = append(vals, v)
		}
	}
	return vals, nil
}

// bitReader takes numbers of some bits, the most significant first.
type bitReader struct {
	b  []byte
	at int
}

func (r *bitReader) take(width int) (v uint64, err error) {
	if r.at+width > 8*len(r.b) {
		return 0, errShort
	}
	for width > 0 {
		n := min(width, 8-r.at%8)
		bits := r.b[r.at/8] << (r.at % 8) >> (8 - n)
		v, r.at, width = v<<n|uint64(bits), r.at+n, width-n
	}
	return v, nil
}

// rest is what is behind the byte that was begun.
func (r *bitReader) rest() []byte { return r.b[(r.at+7)/8:] }

// codedWidth is the width of a code.
func codedWidth(code int, delta bool) int {
	switch {
	case code == 0 && delta:
		return 0
	case code < 24:
		return code + 1
	case code < 28:
		return 26 + 2*(code-24)
	}
	return 40 + 8*(code-28)
}

// decodeInts2 decodes RLEv2.
func decodeInts2(b []byte, signed bool) ([]int64, error) { return decodeSome2(b, signed, 1<<30) }

// decodeSome2 decodes RLEv2, up to most values or so.
func decodeSome2(b []byte, signed bool, most int) (vals []int64, err error) {
	for len(b) > 0 && len(vals) < most {
		var run []int64
		if b[0]>>6 == 0 {
			run, b, err = decodeRepeat(b, signed)
		} else if len(b) < 2 {
			err = errShort
		} else {
			n := int(b[0]&1)<<8 + int(b[1]) + 1
			code := int(b[0] >> 1 & 31)
			switch b[0] >> 6 {
			case 1:
				run, b, err = decodeDirect(b[2:], n, codedWidth(code, false), signed)
			case 2:
				run, b, err = decodePatched(b[2:], n, codedWidth(code, false))
			case 3:
				run, b, err = decodeDelta(b[2:], n, codedWidth(code, true), signed)
			}
		}
		if err != nil {
			return nil, err
		}
		vals = append(vals, run...)
	}
	return vals, nil
}

func decodeRepeat(b []byte, signed bool) ([]int64, []byte, error) {
	size, n := int(b[0]>>3&7)+1, int(b[0]&7)+3
	r := bitReader{b: b[1:]}
	u, err := r.take(8 * size)
	v := int64(u)
	if signed {
		v = unzigzag(u)
	}
	return repeated(n, v), r.rest(), err
}

func decodeDirect(b []byte, n, width int, signed bool) (vals []int64, rest []byte, err error) {
	r := bitReader{b: b}
	for range n {
		u, err := r.take(width)
		if err != nil {
			return nil, nil, err
		}
		v := int64(u)
		if signed {
			v = unzigzag(u)
		}
		vals = append(vals, v)
	}
	return vals, r.rest(), nil
}

func decodeDelta(b []byte, n, width int, signed bool) ([]int64, []byte, error) {
	v, b, err := varint(b, signed)
	if err != nil {
		return nil, nil, err
	}
	delta, b, err := varint(b, true)
	if err != nil {
		return nil, nil, err
	}
	if width != 0 && delta == 0 || width == 1 {
		return nil, nil, fmt.Errorf("first delta %d at width %d", delta, width)
	}
	vals := []int64{v}
	r := bitReader{b: b}
	for i := 1; i < n; i++ {
		step := delta
		if i > 1 && width > 0 {
			u, err := r.take(width)
			if err != nil {
				return nil, nil, err
			}
			if step = int64(u); delta < 0 {
				step = -step
			}
		}
		v += step
		vals = append(vals, v)
	}
	return vals, r.rest(), nil
}

func decodePatched(b []byte, n, width int) ([]int64, []byte, error) {
	if len(b) < 2 {
		return nil, nil, errShort
	}
	baseBytes, patchWidth := int(b[0]>>5)+1, codedWidth(int(b[0]&31), false)
	gapWidth, patches := int(b[1]>>5)+1, int(b[1]&31)
	r := bitReader{b: b[2:]}
	negative, err := r.take(1)
	if err != nil {
		return nil, nil, err
	}
	size, err := r.take(8*baseBytes - 1)
	if err != nil {
		return nil, nil, err
	}
	base := int64(size)
	if negative == 1 {
		base = -base
	}
	vals, rest, err := decodeDirect(r.rest(), n, width, false)
	if err != nil {
		return nil, nil, err
	}
	if gapWidth+patchWidth > 64 {
		return nil, nil, fmt.Errorf("gaps of %d bits and patches of %d", gapWidth, patchWidth)
	}
	r = bitReader{b: rest}
	at := 0
	for range patches {
		entry, err := r.take(closest(gapWidth + patchWidth))
		if err != nil {
			return nil, nil, err
		}
		if at += int(entry >> patchWidth); at >= n {
			return nil, nil, fmt.Errorf("a patch at %d of %d", at, n)
		}
		vals[at] |= int64(entry & (1<<patchWidth - 1) << width)
	}
	for i := range vals {
		vals[i] += base
	}
	return vals, r.rest(), nil
}

// decodeDecimals takes n varints in zigzag of any length, and tells how many bytes they take.
func decodeDecimals(b []byte, n int) (vals []*big.Int, used int, err error) {
	for range n {
		v, shift := new(big.Int), uint(0)
		for {
			if used >= len(b) {
				return nil, 0, errShort
			}
			c := b[used]
			used++
			v.Or(v, new(big.Int).Lsh(big.NewInt(int64(c&0x7f)), shift))
			if shift += 7; c < 0x80 {
				break
			}
		}
		odd := v.Bit(0) == 1
		if v.Rsh(v, 1); odd {
			v.Not(v)
		}
		vals = append(vals, v)
	}
	return vals, used, nil
}

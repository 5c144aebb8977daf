package orc

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

// zigzag maps signed numbers to unsigned ones: 0, -1, 1, -2 to 0, 1, 2, 3.
func zigzag(v int64) uint64 { return uint64(v<<1) ^ uint64(v>>63) }

// closest is the narrowest width of RLEv2 that holds as many bits (section 5.4).
func closest(width int) int {
	switch {
	case width <= 1:
		return 1
	case width <= 24:
		return width
	case width <= 32:
		return (width + 1) &^ 1 // 26, 28, 30 and 32
	}
	return (width + 7) &^ 7
}

// aligned is the narrowest width a reader unpacks fast that holds as many bits.
func aligned(width int) int {
	switch {
	case width <= 2:
		return max(width, 1)
	case width <= 4:
		return 4
	}
	return (width + 7) &^ 7
}

// widthCode is the 5-bit code of a width that exists.
func widthCode(width int) byte {
	switch {
	case width <= 24:
		return byte(width - 1)
	case width <= 32:
		return byte(24 + (width-26)/2)
	}
	return byte(28 + (width-40)/8)
}

// widthOf is the closest width for a value.
func widthOf(v uint64) int { return closest(bits.Len64(v)) }

// pack appends the low bits of each value, most significant bit first, and fills up the last byte.
func pack(dst []byte, vals []int64, width int) []byte {
	if width%8 == 0 {
		return packBytes(dst, vals, width)
	}
	if width <= 4 && width != 3 {
		return packSmall(dst, vals, width)
	}
	mask := uint64(1)<<width - 1
	var acc uint64 // the top bits that no byte was made of yet
	used := 0
	for _, v := range vals {
		low := uint64(v) & mask
		if used+width <= 64 {
			acc |= low << (64 - used - width)
			used += width
		} else {
			over := used + width - 64
			dst = binary.BigEndian.AppendUint64(dst, acc|low>>over)
			acc, used = low<<(64-over), over
		}
	}
	for ; used > 0; used -= 8 {
		dst = append(dst, byte(acc>>56))
		acc <<= 8
	}
	return dst
}

// packBytes packs values of whole bytes: it writes eight of each and moves on by the width.
func packBytes(dst []byte, vals []int64, width int) []byte {
	at, end, size := len(dst), len(dst)+width/8*len(vals), width/8
	room := slices.Grow(dst, end+8-at)[:end+8]
	for _, v := range vals {
		binary.BigEndian.PutUint64(room[at:], uint64(v)<<(64-width))
		at += size
	}
	return room[:end]
}

// packZigzag packs values of whole bytes in zigzag.
func packZigzag(dst []byte, vals []int64, width int) []byte {
	at, end, size := len(dst), len(dst)+width/8*len(vals), width/8
	room := slices.Grow(dst, end+8-at)[:end+8]
	for _, v := range vals {
		binary.BigEndian.PutUint64(room[at:], zigzag(v)<<(64-width))
		at += size
	}
	return room[:end]
}

// packSmall packs values of 1, 2 or 4 bits.
func packSmall(dst []byte, vals []int64, width int) []byte {
	mask, per := int64(1)<<width-1, 8/width
	for len(vals) >= per {
		var b int64
		for _, v := range vals[:per] {
			b = b<<width | v&mask
		}
		dst = append(dst, byte(b))
		vals = vals[per:]
	}
	if len(vals) > 0 {
		var b int64
		for _, v := range vals {
			b = b<<width | v&mask
		}
		dst = append(dst, byte(b<<(8-width*len(vals))))
	}
	return dst
}

package pebble

import "hash/crc32"

// Pebble stores the CRC-32C of chunks and blocks rotated and shifted by a constant, so that
// stored checksums do not look like data.
const crcShift = 0xa282ead8

func maskCRC(c uint32) uint32 { return (c>>15 | c<<17) + crcShift }

func unmaskCRC(m uint32) uint32 { m -= crcShift; return m>>17 | m<<15 }

// unstep undoes one step of the CRC register over a zero byte: table entries differ in their
// first byte, so the entry that a step used can be told from the register after it.
var unstep = func() (t [256]byte) {
	for i, v := range castagnoli {
		t[v>>24] = byte(i)
	}
	return t
}()

// mend finds the one byte of data that has to be XORed with flip to make its CRC-32C equal to
// want. It returns false if no single byte explains the difference.
//
// A CRC is linear: the difference between the two checksums depends only on what changed and
// how many bytes follow it. So the difference is taken back byte by byte, from the end, until
// it is what one wrong byte leaves there. Bytes wrong in other ways look like one wrong byte
// with a chance of about len(data)/2²⁴, so what was mended has to be verified by other means.
func mend(data []byte, want uint32) (at int, flip byte, ok bool) {
	diff := crc32.Checksum(data, castagnoli) ^ want
	if diff == 0 {
		return 0, 0, false
	}
	for at = len(data) - 1; at >= 0; at-- {
		b := unstep[diff>>24]
		if castagnoli[b] == diff {
			return at, b, true
		}
		diff = (diff^castagnoli[b])<<8 | uint32(b)
	}
	return 0, 0, false
}

// oneByteApart says that two words differ in exactly one of their four bytes.
func oneByteApart(a, b uint32) bool {
	x, n := a^b, 0
	for ; x > 0; x >>= 8 {
		if x&0xff != 0 {
			n++
		}
	}
	return n == 1
}

package compress

import "hash/crc32"

// A CRC-32 is the remainder of the message, as a polynomial over GF(2), modulo the IEEE
// polynomial P. Hence the CRC of a message A followed by B of n bytes is
//
//	crc(AB) = crc(A) · x^(8n) + crc(B)  (mod P)
//
// and joining checksums costs one multiplication, whatever n is. Polynomials are held bit
// reversed, as the CRC itself is: the highest bit is the coefficient of x^0.

// powers[k] is x^(2^k) mod P. The order of x divides 2^32-1, so 32 of them serve all exponents.
var powers = func() (t [32]uint32) {
	t[0] = 1 << 30 // x
	for k := 1; k < len(t); k++ {
		t[k] = multiply(t[k-1], t[k-1])
	}
	return t
}()

// multiply returns a·b mod P.
func multiply(a, b uint32) uint32 {
	var product uint32
	for ; a != 0; a <<= 1 {
		product ^= b & -(a >> 31)
		b = b>>1 ^ crc32.IEEE&-(b&1) // b·x
	}
	return product
}

// shift returns x^(8n) mod P: what a CRC is multiplied with when n bytes follow.
func shift(n uint64) uint32 {
	product := uint32(1 << 31) // x^0
	for k := 3; n != 0; k, n = k+1, n>>1 {
		if n&1 != 0 {
			product = multiply(powers[k&31], product)
		}
	}
	return product
}

// checksum is the CRC-32 of bytes that were seen only in runs, with the factor of the last
// length kept: runs of one length follow each other.
type checksum struct {
	crc    uint32
	length uint64
	factor uint32
}

// append adds a run of n bytes whose own CRC-32 is crc.
func (c *checksum) append(crc uint32, n uint64) {
	if n == 0 {
		return
	}
	if n != c.length {
		c.length, c.factor = n, shift(n)
	}
	c.crc = multiply(c.factor, c.crc) ^ crc
}

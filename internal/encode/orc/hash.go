package orc

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// Hashes of bloom filters (section 10).

// wang is Thomas Wang's hash of a number.
func wang(k int64) uint64 {
	k = ^k + (k << 21)
	k ^= k >> 24
	k = k + (k << 3) + (k << 8)
	k ^= k >> 14
	k = k + (k << 2) + (k << 4)
	k ^= k >> 28
	k += k << 31
	return uint64(k)
}

const (
	murmurSeed = 104729
	murmurC1   = 0x87c37b91114253d5
	murmurC2   = 0x4cf5ad432745937f
)

// murmur is the hash of bytes that Hive made of Murmur3.
func murmur(b []byte) uint64 {
	h, size := uint64(murmurSeed), uint64(len(b))
	for ; len(b) >= 8; b = b[8:] {
		h ^= murmurWord(binary.LittleEndian.Uint64(b))
		h = bits.RotateLeft64(h, 27)*5 + 0x52dce729
	}
	if len(b) > 0 {
		var k uint64
		for i, c := range b {
			k |= uint64(c) << (8 * i)
		}
		h ^= murmurWord(k)
	}
	h ^= size
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}

func murmurWord(k uint64) uint64 { return bits.RotateLeft64(k*murmurC1, 31) * murmurC2 }

// floatKey is what the hash of a number with a point is made of.
func floatKey(f float64) int64 { return int64(math.Float64bits(canonical(f))) }

// canonical is f, or the one NaN that is written.
func canonical(f float64) float64 {
	if f != f {
		return math.Float64frombits(0x7ff8000000000000)
	}
	return f
}

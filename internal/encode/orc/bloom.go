package orc

import "math"

// Bounds of bloom filters: rows they are made for, and share of false positives (sections 10, 12).
const (
	maxBloomRows = 1 << 20
	minBloomFPP  = 0.0001
	maxBloomFPP  = 0.9999
)

// bloomShape is how many bits the filters of a file have, and how many each value sets.
func bloomShape(rows int, fpp float64) (m, k int) {
	n, p := float64(min(rows, maxBloomRows)), min(max(fpp, minBloomFPP), maxBloomFPP)
	nb := int(-n * math.Log(p) / (math.Ln2 * math.Ln2))
	m = nb + (64 - nb%64)
	return m, max(1, int(math.Floor(float64(m)/n*math.Ln2+0.5)))
}

// bloom is the filters of a node in the current stripe.
type bloom struct {
	m, k   int
	bits   []byte // of the current row group
	groups []byte // of those before it, as messages of a BloomFilterIndex
	body   message
}

func newBloom(m, k int) *bloom { return &bloom{m: m, k: k, bits: make([]byte, m/8)} }

// add sets the bits for a hash.
func (b *bloom) add(hash uint64) {
	h1, h2 := int32(hash), int32(hash>>32)
	for range b.k {
		h1 += h2
		c := h1
		if c < 0 {
			c = ^c
		}
		at := uint32(c) % uint32(b.m)
		b.bits[at/8] |= 1 << (at % 8)
	}
}

// endGroup keeps the filter of the row group.
func (b *bloom) endGroup() {
	b.body = b.body[:0].uint(1, uint64(b.k)).bytes(3, b.bits)
	b.groups = message(b.groups).bytes(1, b.body)
	clear(b.bits)
}

// reset forgets the filters, for the next stripe.
func (b *bloom) reset() {
	b.groups = b.groups[:0]
	clear(b.bits)
}

// held is how many bytes the filters take.
func (b *bloom) held() int64 {
	if b == nil {
		return 0
	}
	return int64(len(b.bits) + len(b.groups))
}

package compress

import (
	"hash/crc32"
	"math/rand/v2"
	"testing"
)

func TestJoinedChecksumsAreTheChecksumOfTheWhole(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, size := range []int{0, 1, 2, 7, 8, 255, 256, 4095, 65536, 200_001} {
		whole := randomBytes(r, 3*size+5)
		var c checksum
		rest := whole
		for _, n := range []int{size, size, 0, 5, size} {
			c.append(crc32.ChecksumIEEE(rest[:n]), uint64(n))
			rest = rest[n:]
		}
		if want := crc32.ChecksumIEEE(whole); c.crc != want {
			t.Errorf("runs of %d bytes: %08x instead of %08x", size, c.crc, want)
		}
	}
}

// The CRC of a terabyte of zeros behind a message is a matter of exponents: doubling the
// number of zeros by joining must agree with asking for it directly.
func TestShiftsOfHugeLengthsAgree(t *testing.T) {
	for n := uint64(1); n < 1<<62; n *= 2 {
		if got, want := shift(2*n), multiply(shift(n), shift(n)); got != want {
			t.Fatalf("shift by %d bytes: %08x instead of %08x", 2*n, got, want)
		}
	}
}

func FuzzJoinedChecksums(f *testing.F) {
	f.Add([]byte("hello, world"), uint16(5))
	f.Fuzz(func(t *testing.T, b []byte, at uint16) {
		k := min(int(at), len(b))
		var c checksum
		c.append(crc32.ChecksumIEEE(b[:k]), uint64(k))
		c.append(crc32.ChecksumIEEE(b[k:]), uint64(len(b)-k))
		if c.crc != crc32.ChecksumIEEE(b) {
			t.Fatalf("cut at %d of %d", k, len(b))
		}
	})
}

func BenchmarkJoinChecksums(b *testing.B) {
	b.ReportAllocs()
	var c checksum
	for n := uint64(100_000); b.Loop(); n++ {
		c.append(0x12345678, n)
	}
}

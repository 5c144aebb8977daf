package orc

import (
	"math/big"
	"testing"

	"hydrant/internal/column"
)

// int128 is a number that may be too large for an int64.
func int128(t testing.TB, text string) column.Int128 {
	t.Helper()
	v, ok := new(big.Int).SetString(text, 10)
	if !ok {
		t.Fatalf("%q is no number", text)
	}
	return fromBig(v)
}

func fromBig(v *big.Int) column.Int128 {
	low := new(big.Int).And(v, new(big.Int).SetUint64(^uint64(0)))
	return column.Int128{Hi: new(big.Int).Rsh(v, 64).Int64(), Lo: low.Uint64()}
}

func toBig(v column.Int128) *big.Int {
	b := new(big.Int).Lsh(big.NewInt(v.Hi), 64)
	return b.Or(b, new(big.Int).SetUint64(v.Lo))
}

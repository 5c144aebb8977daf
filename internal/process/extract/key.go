package extract

import (
	"encoding/json"
	"math/big"
	"unicode"

	"github.com/itchyny/gojq"
)

// A key is a partition key of one record.
type key struct{ name, value string }

// check judges keys by the rules that hold wherever they come from.
func check(keys []key) error {
	if len(keys) == 0 {
		return nullOrNone
	}
	if len(keys) > MaxKeys {
		return manyKeys
	}
	size := 0
	for _, k := range keys {
		if size += len(k.name) + len(k.value); size > MaxKeysBytes {
			return largeKeys
		}
		if k.value == "" {
			return nullOrNone
		}
		// An object's name takes the value as it is (spec section 7.4).
		for _, r := range k.value {
			if unicode.IsControl(r) {
				return hasControl
			}
		}
	}
	return nil
}

// text is the value of a key for a value of gojq; false if it cannot be one.
func text(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return string([]rune(v)), true // @base64d may make bytes that are no UTF-8
	case json.Number:
		return v.String(), true
	case bool, int, float64, *big.Int:
		b, err := gojq.Marshal(v)
		return string(b), err == nil && string(b) != "null" // as NaN is written
	}
	return "", false
}

package config

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strconv"
	"strings"
)

// Size is a number of bytes.
type Size int64

const (
	kibibyte Size = 1 << 10
	mebibyte Size = 1 << 20
	gibibyte Size = 1 << 30
	tebibyte Size = 1 << 40
)

// units are the words a size may end with, the largest first, as String looks for the
// largest that fits. Those of 1,024 are told apart from those of 1,000 by their i.
var units = []struct {
	name  string
	bytes Size
}{
	{"TiB", tebibyte}, {"GiB", gibibyte}, {"MiB", mebibyte}, {"KiB", kibibyte},
	{"TB", 1e12}, {"GB", 1e9}, {"MB", 1e6}, {"KB", 1e3}, {"kB", 1e3}, {"B", 1},
}

// ErrBadSize is wrapped by what ParseSize refuses.
var ErrBadSize = errors.New("is not a size such as 256MiB, 1.5GB or 0")

// ParseSize reads a size: a number, with a fraction if need be, and a unit (B, KB, MB, GB,
// TB by thousands; KiB, MiB, GiB, TiB by 1,024s), with or without a space between. A
// number alone is bytes. A fraction of a byte is cut off.
func ParseSize(text string) (Size, error) {
	number, unit := text, Size(1)
	for _, u := range units {
		if n, ok := strings.CutSuffix(text, u.name); ok {
			number, unit = strings.TrimSuffix(n, " "), u.bytes
			break
		}
	}
	whole, fraction, hasFraction := strings.Cut(number, ".")
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || whole[0] < '0' || whole[0] > '9' || hasFraction && fraction == "" {
		return 0, fmt.Errorf("%q %w", text, ErrBadSize)
	}
	if n > math.MaxInt64/int64(unit) {
		return 0, fmt.Errorf("%q %w: more than 8 EiB", text, ErrBadSize)
	}
	part, err := fractionOf(fraction, unit)
	if err != nil || n*int64(unit) > math.MaxInt64-part {
		return 0, fmt.Errorf("%q %w", text, ErrBadSize)
	}
	return Size(n*int64(unit) + part), nil
}

// fractionOf returns the bytes that the digits behind a decimal point stand for. Nine of
// them are enough for whole bytes of every unit that people write fractions of.
func fractionOf(digits string, unit Size) (int64, error) {
	if digits == "" {
		return 0, nil
	}
	if len(digits) > 9 || strings.Trim(digits, "0123456789") != "" {
		return 0, ErrBadSize
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("fraction %q: %w", digits, err)
	}
	return int64(float64(n) * float64(unit) / math.Pow10(len(digits))), nil
}

// String writes the size with the largest unit that leaves a whole number, in 1,024s
// where that can be.
func (s Size) String() string {
	for _, u := range units {
		if s != 0 && s%u.bytes == 0 {
			return strconv.FormatInt(int64(s/u.bytes), 10) + u.name
		}
	}
	return "0"
}

// Set reads a flag's value, as ParseSize does.
func (s *Size) Set(text string) error {
	v, err := ParseSize(text)
	if err != nil {
		return err
	}
	*s = v
	return nil
}

// Type names the kind of value in a command's help.
func (s *Size) Type() string { return "size" }

// UnmarshalText reads a value of the file, as ParseSize does.
func (s *Size) UnmarshalText(text []byte) error { return s.Set(string(text)) }

// Secret is a text that shows itself to nobody but Reveal's caller: not in logs, not in
// errors, not when a Config is printed.
type Secret string

const redacted = "[redacted]"

// Reveal returns the secret itself.
func (s Secret) Reveal() string { return string(s) }

// String hides the secret; so do GoString, LogValue and MarshalText.
func (s Secret) String() string { return redacted }

// GoString hides the secret from %#v.
func (s Secret) GoString() string { return redacted }

// LogValue hides the secret from log/slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText hides the secret from JSON and YAML.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// UnmarshalText reads a value of the file.
func (s *Secret) UnmarshalText(text []byte) error {
	*s = Secret(text)
	return nil
}

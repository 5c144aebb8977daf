package config

import (
	"errors"
	"math"
	"testing"
)

func TestSizesAreRead(t *testing.T) {
	tests := []struct {
		text string
		want Size
	}{
		{"0", 0}, {"0B", 0}, {"17", 17}, {"17B", 17}, {"1KiB", 1024}, {"1KB", 1000}, {"1kB", 1000}, {"256MiB", 256 << 20},
		{"256 MiB", 256 << 20}, {"1.5GB", 1_500_000_000}, {"0.5GiB", 512 << 20}, {"2TiB", 2 << 40},
		{"9223372036854775807", math.MaxInt64}, {"8388607TiB", 8388607 << 40},
	}
	for _, tt := range tests {
		got, err := ParseSize(tt.text)
		if err != nil || got != tt.want {
			t.Errorf("%q: %d, %v, want %d", tt.text, got, err, tt.want)
		}
	}
}

func TestWhatIsNoSizeIsRefused(t *testing.T) {
	for _, text := range []string{
		"", "MiB", "-1", "+1", "1e9", "1.", ".5GB", "1.5.5", "1 000", "1_000", "0x10", "10XB", "10mib", "10  MiB",
		" 1", "1 ", "1.-5GB", "1.0000000001GB", "9223372036854775808", "8388608TiB", "9000000TB0", "٣MiB", "1,5GB",
	} {
		if got, err := ParseSize(text); !errors.Is(err, ErrBadSize) {
			t.Errorf("%q: %d, %v", text, got, err)
		}
	}
}

func TestSizesAreWrittenAsPeopleWriteThem(t *testing.T) {
	for want, size := range map[string]Size{
		"0": 0, "1B": 1, "1KB": 1000, "1KiB": 1024, "256MiB": 256 << 20, "3GiB": 3 << 30, "1536MiB": 3 << 29, "2TiB": 2 << 40,
	} {
		if got := size.String(); got != want {
			t.Errorf("%d is written %q, want %q", int64(size), got, want)
		}
	}
}

// Whatever is read is never negative, and comes back from what is written of it.
func FuzzParseSize(f *testing.F) {
	for _, text := range []string{"256MiB", "1.5GB", "0", "17", "8388607TiB", "1.999999999TiB", "9223372036854775807B"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		size, err := ParseSize(text)
		if err != nil {
			if !errors.Is(err, ErrBadSize) || size != 0 {
				t.Fatalf("%q: %d, %v", text, size, err)
			}
			return
		}
		if size < 0 {
			t.Fatalf("%q became %d", text, int64(size))
		}
		if again, err := ParseSize(size.String()); err != nil || again != size {
			t.Fatalf("%q became %d, written %s, read as %d, %v", text, int64(size), size, int64(again), err)
		}
	})
}

// Any file at all is either read or refused with ErrBadFile.
func FuzzParse(f *testing.F) {
	f.Add("data: x\nendpoints: {s3: {url: http://h, acl: false}}\n")
	f.Add("a: &a [*a]\n")
	f.Add("? [a]\n: b\n")
	f.Add("<<: {region: x}\n")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := parse("f", []byte(text))
		if err == nil {
			err = c.Validate()
		}
		if err != nil && !errors.Is(err, ErrBadFile) {
			t.Fatalf("refused with %v", err)
		}
	})
}

package deaggregate

import (
	"bytes"
	stdjson "encoding/json"
	"errors"
	"testing"
)

// The parts and white space are all there is, in order, and each part is JSON.
func FuzzSplitJSON(f *testing.F) {
	for _, s := range []string{"", `{"a":1}{"b":{}}[{}]`, " {}\n1 \"a\"", `{"a":`, "{}x", "12 -3e5nulltrue"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		before := bytes.Clone(data)
		parts, err := splitJSON(nil, data)
		if !bytes.Equal(data, before) {
			t.Fatal("the record was changed")
		}
		if err != nil {
			if stdjson.Valid(data) && !errors.Is(err, errTooMany) {
				t.Fatalf("the standard library takes %q: %v", data, err)
			}
			return
		}
		rest := data
		for _, part := range parts {
			var ok bool
			if rest, ok = bytes.CutPrefix(bytes.TrimLeft(rest, " \t\r\n"), part); !ok || !stdjson.Valid(part) || len(part) == 0 {
				t.Fatalf("%q is not next in %q", part, rest)
			}
		}
		if len(bytes.TrimLeft(rest, " \t\r\n")) > 0 || len(parts) == 0 || len(parts) > MaxParts {
			t.Fatalf("%d parts and %q", len(parts), rest)
		}
	})
}

// The parts with delimiters between them are the record.
func FuzzDelimited(f *testing.F) {
	f.Add([]byte("a####b####"), []byte("####"))
	f.Add([]byte("aaa"), []byte("aa"))
	f.Fuzz(func(t *testing.T, data, delimiter []byte) {
		if len(delimiter) == 0 {
			return
		}
		parts, err := delimited(delimiter)(nil, data)
		if err != nil {
			if bytes.Count(data, delimiter) < MaxParts {
				t.Fatal(err)
			}
			return
		}
		got := bytes.Join(parts, delimiter)
		if !bytes.Equal(got, data) && !bytes.Equal(append(got, delimiter...), data) {
			t.Fatalf("%q out of %q", parts, data)
		}
	})
}

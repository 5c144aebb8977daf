package blueprint

import (
	"encoding/csv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// anyText draws bytes of which many need care.
func anyText() *rapid.Generator[string] {
	piece := rapid.OneOf(rapid.SampledFrom(splinters()), rapid.StringN(0, 12, -1), rapid.Just("plain ASCII, which is most of what there is"))
	return rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(piece, 0, 8).Draw(t, "pieces"), "")
	})
}

func TestJSONStringsAreThoseOfTheReference(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anyText().Draw(t, "s")
		if got := string(appendJSON(nil, []byte(s))); got != refQuote(s) {
			t.Fatalf("%s, and the reference makes %s", got, refQuote(s))
		}
		if got := string(appendASCII(nil, []byte(s))); got != refASCII(s) {
			t.Fatalf("%s, and the reference makes %s", got, refASCII(s))
		}
	})
}

func TestEveryByteIsQuotedAtEveryPlace(t *testing.T) {
	for c := range 256 {
		for at := range 18 {
			b := []byte("abcdefghijklmnopqr")
			b[at] = byte(c)
			if got := string(appendJSON(nil, b)); got != refQuote(string(b)) {
				t.Errorf("%q: %s", b, got)
			}
			if got := string(appendASCII(nil, b)); got != refASCII(string(b)) {
				t.Errorf("%q: %s", b, got)
			}
		}
	}
}

func TestColumnsAreReadBackByACSVReader(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := strings.ReplaceAll(anyText().Draw(t, "s"), "\r", "") // which the reader does not keep
		got, err := csv.NewReader(strings.NewReader("x," + string(appendCSV(nil, []byte(s))) + "\n")).Read()
		if err != nil || len(got) != 2 || got[1] != s {
			t.Fatalf("%q %v", got, err)
		}
	})
}

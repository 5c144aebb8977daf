package blueprint

import (
	"bytes"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"pgregory.net/rapid"
)

// agree fails the test if a blueprint that parses and its reference differ on a record.
func agree(t interface{ Fatalf(string, ...any) }, b *Blueprint, ref reference, record []byte) {
	before := bytes.Clone(record)
	out, result, reason := b.Transform([]byte("before"), record)
	if !bytes.Equal(record, before) {
		t.Fatalf("%s has changed its record", b.Name)
	}
	got, ok := strings.CutPrefix(string(out), "before")
	want, taken := ref(string(record))
	if !ok || got != want || (result == Ok) != taken || (reason == "") != taken || result == Dropped {
		t.Fatalf("%s\nrecord    %q\nresult    %v %s\noutput    %q\nreference %q, taken: %v", b.Name, record, result, reason, got, want, taken)
	}
	if strings.HasPrefix(got, "{") && !jsontext.Value(got).IsValid() {
		t.Fatalf("%s makes no JSON: %s", b.Name, got)
	}
}

// splinters are what mutations put in: what the grammars are made of, and what they are not.
func splinters() []string {
	return []string{"", " ", "  ", "\t", "\n", "\r", "\"", "\\", "\\\"", "[", "]", "] ", " [", "<", ">", "<1.2> ", "<12> ", "<123> ", "<34>",
		"<34>1 ", "-", " - ", ":", ": ", "::", ",", ".", "/", "=", "0", "1", "9", "60", "123456789", " 200 5", "\" 200 5", "Jan", "February",
		"Sep", "may", "31", "+0100", " -2400", " +0160", "Z", "T", ".5", "\x00", "\x7f", "\xff", "\xc3", "ä", "日", "😀", "\u2028", "\ufeff",
		"[a@1 x=\"1\"]", " y=\"\\]\"", "app[1]: ", "2003-10-11T22:14:15Z", "0000", "9999"}
}

// mutated draws a sample line to which a few things have happened.
func mutated(t *rapid.T, lines [][]byte) []byte {
	line := bytes.Clone(rapid.SampledFrom(lines).Draw(t, "line"))
	for range rapid.IntRange(0, 4).Draw(t, "mutations") {
		from := rapid.IntRange(0, len(line)).Draw(t, "from")
		to := min(len(line), from+rapid.IntRange(0, 6).Draw(t, "cut"))
		in := []byte(rapid.SampledFrom(splinters()).Draw(t, "in"))
		if rapid.IntRange(0, 9).Draw(t, "graft") == 0 {
			other := rapid.SampledFrom(lines).Draw(t, "other")
			in = other[rapid.IntRange(0, len(other)).Draw(t, "at"):]
		}
		line = bytes.Join([][]byte{line[:from], in, line[to:]}, nil)
	}
	return line
}

func TestMutatedLinesBecomeWhatTheReferenceMakesOfThem(t *testing.T) {
	for name, ref := range references() {
		t.Run(name, func(t *testing.T) {
			b := named(t, name)
			lines := append(sampleLines(t, logOf(name)), []byte(b.Example.Input))
			for _, line := range lines {
				agree(t, &b, ref, line)
			}
			rapid.Check(t, func(t *rapid.T) {
				agree(t, &b, ref, mutated(t, lines))
			})
		})
	}
}

// fuzz compares a blueprint with its reference.
func fuzz(f *testing.F, name string) {
	b, ref := named(f, name), references()[name]
	for _, line := range sampleLines(f, logOf(name)) {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, record []byte) {
		agree(t, &b, ref, record)
	})
}

func FuzzApacheJSON(f *testing.F)   { fuzz(f, "kinesis-firehose-apachelog-to-json") }
func FuzzApachePython(f *testing.F) { fuzz(f, "kinesis-firehose-apachelog-to-json-python") }
func FuzzApacheCSV(f *testing.F)    { fuzz(f, "kinesis-firehose-apachelog-to-csv") }
func FuzzSyslogJSON(f *testing.F)   { fuzz(f, "kinesis-firehose-syslog-to-json") }
func FuzzSyslogPython(f *testing.F) { fuzz(f, "kinesis-firehose-syslog-to-json-python") }
func FuzzSyslogCSV(f *testing.F)    { fuzz(f, "kinesis-firehose-syslog-to-csv") }
func FuzzAccessJSON(f *testing.F)   { fuzz(f, "hydrant-apachelog-to-json") }
func FuzzAccessCSV(f *testing.F)    { fuzz(f, "hydrant-apachelog-to-csv") }
func FuzzMessageJSON(f *testing.F)  { fuzz(f, "hydrant-syslog-to-json") }
func FuzzMessageCSV(f *testing.F)   { fuzz(f, "hydrant-syslog-to-csv") }

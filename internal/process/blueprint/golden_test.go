package blueprint

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// logOf is the file of sample lines for a blueprint, or nothing if it takes no lines.
func logOf(name string) string {
	switch {
	case bytes.Contains([]byte(name), []byte("apachelog")):
		return "access.log"
	case bytes.Contains([]byte(name), []byte("syslog")):
		return "syslog.log"
	}
	return ""
}

// sampleLines are the lines of a file, each with its LF.
func sampleLines(t testing.TB, file string) [][]byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(b, []byte("\n"))
	return lines[:len(lines)-1]
}

func TestSampleLogsBecomeTheGoldenFiles(t *testing.T) {
	for _, b := range All() {
		log := logOf(b.Name)
		if log == "" {
			continue
		}
		t.Run(b.Name, func(t *testing.T) {
			var got []byte
			for _, line := range sampleLines(t, log) {
				out, result, reason := b.Transform(nil, line)
				got = append(append(got, result.String()...), ' ')
				got = append(append(got, bytes.TrimSuffix(out, []byte("\n"))...), reason...)
				got = append(got, '\n')
			}
			golden := filepath.Join("testdata", b.Name+".golden")
			if *update {
				if err := os.WriteFile(golden, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

package parquet

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// python is a Python with pyarrow and DuckDB: that of the path, or that of the checkout.
func python(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{"python3", filepath.Join(root, ".tools", "clients", "bin", "python")} {
		if exec.Command(p, "-c", "import pyarrow.parquet, duckdb").Run() == nil {
			return p
		}
	}
	t.Skip("no python3 with pyarrow and duckdb, on the PATH or in .tools/clients")
	return ""
}

// keep writes a sample, and what it should hold, to a folder.
func (s *sample) keep(t *testing.T, folder, name string) {
	t.Helper()
	columns := ""
	for i, f := range s.schema.Fields {
		values := []any{}
		for _, row := range s.rows {
			values = append(values, row.([]any)[i])
		}
		columns += fmt.Sprintf(",%s:%s", marshal(t, f.Name), marshal(t, values))
	}
	text := fmt.Sprintf(`{"rows":%d,"columns":{%s}}`, len(s.rows), columns[1:])
	path := filepath.Join(folder, name)
	if err := os.WriteFile(path+".json", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+".parquet", s.file, 0o600); err != nil {
		t.Fatal(err)
	}
}

func marshal(t *testing.T, v any) string {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(b.String())
}

// judge lets Python read all files of a folder.
func judge(t *testing.T, python, folder string) {
	t.Helper()
	out, err := exec.Command(python, "testdata/judge.py", folder).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%.8000s", err, out)
	}
	t.Logf("%s", bytes.TrimSpace(out))
}

// Other readers find the same values: Apache Arrow's, written in C++, and DuckDB's. All
// codecs, versions and dictionaries meet with row groups of many sizes.
func TestOtherReadersReadWhatWasWritten(t *testing.T) {
	interpreter, folder := python(t), t.TempDir()
	n := 0
	for _, c := range []Compression{Uncompressed, Gzip, Snappy} {
		for _, d := range []bool{false, true} {
			for _, v := range []Version{V1, V2} {
				for i, group := range []int64{0, 1, 300, 2000, 0, 1000, 4000} {
					o := Options{Compression: c, Dictionary: d, Version: v, RowGroupBytes: group, MaxPaddingBytes: int64(i%2) * 200}
					s := rapid.Custom(func(t *rapid.T) *sample { return drawSample(t, o) }).Example(n)
					s.keep(t, folder, fmt.Sprintf("%03d", n))
					n++
				}
			}
		}
	}
	judge(t, interpreter, folder)
}

package parquet

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"hydrant/internal/column"
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

// Pages and dictionaries of the sizes that they have in service are read as well.
func TestOtherReadersReadLargeFiles(t *testing.T) {
	interpreter, folder := python(t), t.TempDir()
	for i, c := range []struct {
		rows    int
		options Options
	}{
		{21_000, Options{Compression: Snappy, Dictionary: true}}, // more than a page of any column
		{4_000, Options{Compression: Gzip, Version: V2, Dictionary: true, PageBytes: 64 << 10}},
		{4_000, Options{Compression: Snappy, PageBytes: 64 << 10, RowGroupBytes: 300_000, MaxPaddingBytes: 100_000}},
	} {
		b := benchBatch(t, c.rows)
		s := &sample{schema: b.Schema, rows: batchModels(b), file: write(t, b.Schema, c.options, b)}
		s.keep(t, folder, fmt.Sprint(i))
	}
	judge(t, interpreter, folder)
}

// batchModels are the models of all rows.
func batchModels(b *column.Batch) (rows []any) {
	var columns [][]any
	for _, v := range b.Columns {
		columns = append(columns, new(walk).models(v, v.Len()))
	}
	for i := range b.Rows {
		row := []any{}
		for _, c := range columns {
			row = append(row, c[i])
		}
		rows = append(rows, row)
	}
	return rows
}

// walk reads a vector from its start.
type walk struct {
	children     []*walk
	entry, value int
}

// models are the models of the next n entries, of the types that benchBatch has.
func (w *walk) models(v *column.Vector, n int) (all []any) {
	for len(w.children) < len(v.Children) {
		w.children = append(w.children, new(walk))
	}
	for ; n > 0; n-- {
		present := v.Present[w.entry]
		w.entry++
		if !present {
			all = append(all, nil)
			continue
		}
		all = append(all, w.model(v, w.value))
		w.value++
	}
	return all
}

func (w *walk) model(v *column.Vector, i int) any {
	switch v.Type.Kind {
	case column.List:
		return append([]any{}, w.children[0].models(v.Children[0], int(v.Lengths[i]))...)
	case column.Struct:
		all := []any{}
		for k, c := range v.Children {
			all = append(all, w.children[k].models(c, 1)...)
		}
		return all
	case column.Boolean:
		return v.Ints[i] == 1
	case column.Float, column.Double:
		return floatText(v.Floats[i])
	case column.Decimal:
		return decimalText(new(big.Int).SetUint64(v.Decimals[i].Lo), v.Type.Scale)
	case column.Timestamp:
		return strconv.FormatInt(v.Ints[i]*1e9+int64(v.Nanos[i]), 10)
	case column.String:
		return string(v.Value(i))
	}
	return strconv.FormatInt(v.Ints[i], 10)
}

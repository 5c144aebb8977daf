package orc

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"hydrant/internal/column"
)

// reader is a program that reads files with pyarrow, which is Apache's C++ reader, and
// compares each row with a line of JSON beside the file.
const reader = `
import sys, json, struct
import pyarrow as pa, pyarrow.orc as orc

def plain(s):
    t = s.type
    if not s.is_valid: return None
    if pa.types.is_timestamp(t): return "ns:%d" % s.value
    if pa.types.is_date32(t): return s.value
    if pa.types.is_decimal(t): return "dec:%s" % format(s.as_py(), "f")
    if pa.types.is_floating(t): return "f:" + struct.pack(">d", s.as_py()).hex()
    if pa.types.is_binary(t): return "hex:" + s.as_py().hex()
    if pa.types.is_map(t): return [[plain(e["key"]), plain(e["value"])] for e in s.values] if s.values is not None else []
    if pa.types.is_list(t): return [plain(e) for e in s.values] if s.values is not None else []
    if pa.types.is_struct(t): return [plain(s[i]) for i in range(t.num_fields)]
    return s.as_py()

bad = 0
for path in sys.argv[1:]:
    f = orc.ORCFile(path)
    rows = []
    for i in range(f.nstripes):
        rows += [plain(r) for r in pa.Table.from_batches([f.read_stripe(i)]).to_struct_array().combine_chunks()]
    want = [json.loads(line) for line in open(path + ".json")]
    if f.nrows != len(want) or len(rows) != len(want):
        print(path, "has", f.nrows, "rows and", len(rows), "in stripes, not", len(want)); bad += 1
    for i, (r, w) in enumerate(zip(rows, want)):
        if r != w:
            print(path, "row", i, "is", str(r)[:3000], "not", str(w)[:3000]); bad += 1; break
    whole = f.read()
    if whole.num_rows != len(want): print(path, "read whole has", whole.num_rows); bad += 1
sys.exit(bad > 0)
`

// python is one that can read ORC files.
func python(t *testing.T) string {
	t.Helper()
	for _, path := range []string{"python3", "../../../.tools/clients/bin/python"} {
		if exec.Command(path, "-c", "import pyarrow.orc").Run() == nil {
			return path
		}
	}
	t.Skip("there is no python that can import pyarrow.orc, on the PATH or in .tools/clients")
	return ""
}

// line takes values out of vectors, row by row, as JSON has them.
type line struct{ entry, value map[*column.Vector]int }

func (l line) next(v *column.Vector) any {
	e := l.entry[v]
	l.entry[v]++
	if !v.Present[e] {
		return nil
	}
	i := l.value[v]
	l.value[v]++
	switch v.Type.Kind {
	case column.Struct:
		fields := []any{}
		for _, child := range v.Children {
			fields = append(fields, l.next(child))
		}
		return fields
	case column.List, column.Map:
		elements := []any{}
		for range v.Lengths[i] {
			if v.Type.Kind == column.List {
				elements = append(elements, l.next(v.Children[0]))
			} else {
				key := l.next(v.Children[0])
				elements = append(elements, []any{key, l.next(v.Children[1])})
			}
		}
		return elements
	}
	return jsonOf(v.Type, valueOf(v, i))
}

// jsonOf is a value as the program tells it.
func jsonOf(t *column.Type, v any) any {
	switch t.Kind {
	case column.Boolean:
		return v.(int64) == 1
	case column.Float, column.Double:
		return fmt.Sprintf("f:%016x", v)
	case column.Decimal:
		return "dec:" + fixedText(v.(string), t.Scale)
	case column.Timestamp:
		m := v.(moment)
		return fmt.Sprintf("ns:%d", m.seconds*1e9+int64(m.nanos))
	case column.Binary:
		return "hex:" + hex.EncodeToString([]byte(v.(string)))
	}
	return v
}

// fixedText is a decimal with all digits of its scale.
func fixedText(text string, scale int) string {
	whole, fraction, _ := strings.Cut(text, ".")
	if scale == 0 {
		return whole
	}
	return whole + "." + fraction + strings.Repeat("0", scale-len(fraction))
}

// writeJSON puts the rows of batches into a file, a line each.
func writeJSON(t *testing.T, path string, batches []*column.Batch) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := json.NewEncoder(f)
	for _, b := range batches {
		l := line{map[*column.Vector]int{}, map[*column.Vector]int{}}
		for range b.Rows {
			row := []any{}
			for _, v := range b.Columns {
				row = append(row, l.next(v))
			}
			if err := lines.Encode(row); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// Apache's C++ reader sees the values that were written: each type, compression and version,
// with and without dictionaries and nulls, in several stripes.
func TestPyarrowReadsTheSame(t *testing.T) {
	t.Parallel()
	program := python(t)
	schema := mustType(t, everyType)
	dir := t.TempDir()
	var args []string
	add := func(name string, o Options, batches ...*column.Batch) {
		path := filepath.Join(dir, name+".orc")
		if err := os.WriteFile(path, writeStripes(t, o, batches...), 0o600); err != nil {
			t.Fatal(err)
		}
		writeJSON(t, path+".json", batches)
		args = append(args, path)
	}
	seed := uint64(100)
	for _, compression := range []Compression{None, ZLIB, Snappy} {
		for _, version := range []Version{V0_12, V0_11} {
			for _, threshold := range []float64{0, 0.5, 1} {
				seed++
				m := newMaker(seed)
				m.modern = true
				o := Options{Compression: compression, Version: version, DictionaryThreshold: threshold, RowIndexStride: 300,
					StripeBytes: 20_000, CompressionBlock: []int{0, 4096, 300}[seed%3], BloomColumns: []string{"i", "str"},
					Padding: seed%2 == 0, PaddingTolerance: 1, BlockBytes: 50_000}
				add(fmt.Sprintf("%d-%d-%v", compression, version, threshold), o, m.batch(schema, 400), m.batch(schema, 350))
			}
		}
	}
	for nulls := range 2 {
		m := newMaker(seed)
		m.modern = true
		b := column.NewBatch(schema)
		for i := range b.Columns {
			m.habit(b.Columns[i]).nulls = 10 * nulls
		}
		m.fill(b, 300)
		add(fmt.Sprintf("nulls-%d", nulls), Options{Compression: Snappy}, b)
	}
	add("large", Options{Compression: Snappy, DictionaryThreshold: 0.8}, mixed(t, 11_000))
	add("extremes", Options{Compression: Snappy}, extremes(t))
	out, err := exec.Command(program, append([]string{"-c", reader}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%.5000s", err, out)
	}
}

// extremes are rows of the ends of each type.
func extremes(t *testing.T) *column.Batch {
	b := column.NewBatch(mustType(t, "struct<t:tinyint,s:smallint,i:int,l:bigint,f:float,d:double,big:decimal(38,0),day:date,ts:timestamp,str:string>"))
	for row := range 100 {
		low := row%2 == 0
		b.Begin()
		for i, bits := range []int{7, 15, 31, 63} {
			v := int64(math.MaxInt64) >> (63 - bits)
			if low {
				v = -v - 1
			}
			b.Columns[i].Int(v)
		}
		b.Columns[4].Float(math.MaxFloat32)
		b.Columns[5].Float(math.SmallestNonzeroFloat64)
		most := int128(t, "99999999999999999999999999999999999999")
		if low {
			most = int128(t, "-99999999999999999999999999999999999999")
		}
		b.Columns[6].Decimal(most)
		b.Columns[7].Int([]int64{-719162, 2932896}[row%2])
		b.Columns[8].Time([]int64{-9_000_000_000, 9_000_000_000}[row%2], 999_999_999)
		b.Columns[9].Text(make([]byte, row*100))
		b.End()
	}
	return b
}

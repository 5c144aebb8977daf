package serde

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"testing"
	"time"

	"hydrant/internal/column"
)

func parsed(t testing.TB, typ string) *column.Type {
	t.Helper()
	got, err := column.ParseType(typ)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// openX is what AWS has by default.
var openX = OpenX{CaseInsensitive: true}

// read appends one record and returns its rows as text, and the failures as "message <- bytes".
func read(t testing.TB, r *Reader, schema *column.Type, data string) (rows, failures []string) {
	t.Helper()
	b := column.NewBatch(schema)
	r.Append(b, []byte(data), func(doc []byte, e *Error) {
		failures = append(failures, e.Message+" <- "+string(doc))
	})
	return dump(t, b), failures
}

// cursor walks over the vectors of a batch row by row.
type cursor struct {
	entry, value map[*column.Vector]int
	err          error
}

// dump writes the rows of a batch, and fails the test if a vector holds more or less than
// its rows have.
func dump(t testing.TB, b *column.Batch) []string {
	t.Helper()
	c := &cursor{entry: map[*column.Vector]int{}, value: map[*column.Vector]int{}}
	var rows []string
	for range b.Rows {
		var cells []string
		for _, v := range b.Columns {
			cells = append(cells, c.next(v))
		}
		rows = append(rows, strings.Join(cells, "|"))
	}
	for _, v := range b.Columns {
		c.finished(v)
	}
	if c.err != nil {
		t.Fatal(c.err)
	}
	return rows
}

func (c *cursor) wrong(format string, args ...any) string {
	if c.err == nil {
		c.err = fmt.Errorf(format, args...)
	}
	return "?"
}

// finished checks that nothing is left in the vector.
func (c *cursor) finished(v *column.Vector) {
	values := map[string]int{
		"ints": len(v.Ints), "floats": len(v.Floats), "decimals": len(v.Decimals), "ends": len(v.Ends), "lengths": len(v.Lengths),
	}
	total := 0
	for _, n := range values {
		total += n
	}
	want := c.value[v]
	if v.Type.Kind == column.Struct {
		want = 0
	}
	if c.entry[v] != v.Len() || total != want {
		c.wrong("%s has %d entries and %v, %d and %d were walked over", v.Type, v.Len(), values, c.entry[v], want)
	}
	if v.Type.Kind == column.Timestamp && len(v.Nanos) != len(v.Ints) {
		c.wrong("%d timestamps have %d nanos", len(v.Ints), len(v.Nanos))
	}
	if n := len(v.Ends); n > 0 && int(v.Ends[n-1]) != len(v.Bytes) {
		c.wrong("%s has %d bytes for values up to %d", v.Type, len(v.Bytes), v.Ends[n-1])
	}
	for _, child := range v.Children {
		c.finished(child)
	}
}

func (c *cursor) next(v *column.Vector) string {
	i := c.entry[v]
	if c.entry[v]++; i >= v.Len() {
		return c.wrong("%s has no entry %d", v.Type, i)
	}
	if !v.Present[i] {
		return "null"
	}
	at := c.value[v]
	c.value[v]++
	switch v.Type.Kind {
	case column.Boolean:
		return strconv.FormatBool(v.Ints[at] != 0)
	case column.Float, column.Double:
		return strconv.FormatFloat(v.Floats[at], 'g', -1, 64)
	case column.Decimal:
		return scaled(v.Decimals[at], v.Type.Scale)
	case column.String, column.Varchar, column.Char, column.Binary:
		return strconv.Quote(string(v.Value(at)))
	case column.Date:
		return time.Unix(v.Ints[at]*secondsOfDay, 0).UTC().Format(time.DateOnly)
	case column.Timestamp:
		return time.Unix(v.Ints[at], int64(v.Nanos[at])).UTC().Format("2006-01-02 15:04:05.999999999")
	case column.List, column.Map, column.Struct:
		return c.nested(v, at)
	}
	return strconv.FormatInt(v.Ints[at], 10)
}

func (c *cursor) nested(v *column.Vector, at int) string {
	var cells []string
	if v.Type.Kind == column.Struct {
		for i, child := range v.Children {
			cells = append(cells, v.Type.Fields[i].Name+":"+c.next(child))
		}
		return "{" + strings.Join(cells, " ") + "}"
	}
	for range v.Lengths[at] {
		cell := c.next(v.Children[0])
		if v.Type.Kind == column.Map {
			cell += "=" + c.next(v.Children[1])
		}
		cells = append(cells, cell)
	}
	return "[" + strings.Join(cells, " ") + "]"
}

// scaled writes a decimal with its point.
func scaled(d column.Int128, scale int) string {
	i := new(big.Int).Lsh(big.NewInt(d.Hi), 64)
	i.Add(i, new(big.Int).SetUint64(d.Lo))
	return new(big.Rat).SetFrac(i, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale)), nil)).FloatString(scale)
}

// rule is a value in a column of a type, and what becomes of it.
type rule struct {
	name, typ, json string
	want            string // a row of the one column; or "! message", the document's failure
}

// testRules reads each value as the column c of a row with a column on each side of it, next
// to rows that fit, so that whatever goes wrong shows in the others too.
func testRules(t *testing.T, rules []rule, reader func(*column.Type) (*Reader, error)) {
	for _, tt := range rules {
		t.Run(tt.name+" "+tt.typ+" "+tt.json, func(t *testing.T) {
			schema := parsed(t, "struct<first:int,c:"+tt.typ+",last:string>")
			r, err := reader(schema)
			if err != nil {
				t.Fatal(err)
			}
			doc := `{"first":2,"c":` + tt.json + `,"last":"z"}`
			around := `{"first":1,"c":null,"last":"a"}`
			rows, failures := read(t, r, schema, around+" "+doc+around)
			want := []string{`1|null|"a"`, `2|` + tt.want + `|"z"`, `1|null|"a"`}
			var wantFailures []string
			if message, ok := strings.CutPrefix(tt.want, "! "); ok {
				want = []string{want[0], want[2]}
				wantFailures = []string{message + " <- " + doc}
			}
			same(t, rows, want)
			same(t, failures, wantFailures)
		})
	}
}

func same(t *testing.T, got, want []string) {
	t.Helper()
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

package serde

import (
	"fmt"
	"strings"
	"testing"

	"hydrant/internal/column"
)

// Where each object has a key twice, the last value wins at every depth. An object is gone
// over once for each around it; if it were twice for each, this would not end.
func TestRepeatedKeysInDeepObjects(t *testing.T) {
	const depth = 400
	schema := parsed(t, "struct<a:string>")
	r, err := NewOpenX(schema, openX)
	if err != nil {
		t.Fatal(err)
	}
	doc := strings.Repeat(`{"a":0,"a":`, depth) + `1` + strings.Repeat("}", depth)
	rows, failures := read(t, r, schema, doc)
	want := strings.Repeat(`{\"a\":`, depth-1) + "1" + strings.Repeat("}", depth-1)
	same(t, rows, []string{`"` + want + `"`})
	same(t, failures, nil)
}

// Objects with many keys are looked through in one go.
func TestManyKeys(t *testing.T) {
	schema := parsed(t, "struct<m:map<string,int>,n:map<bigint,int>,d:map<decimal(20,1),int>,f:map<double,int>,t:map<timestamp,int>,s:string>")
	r, err := NewOpenX(schema, openX)
	if err != nil {
		t.Fatal(err)
	}
	const many = 5000
	var members []string
	for i := range many {
		members = append(members, fmt.Sprintf(`"%d":%d`, i, i))
	}
	for _, last := range []string{"", `,"2500":-1`} {
		object := "{" + strings.Join(members, ",") + last + "}"
		b := column.NewBatch(schema)
		record := fmt.Sprintf(`{"m":%[1]s,"n":%[1]s,"d":%[1]s,"f":%[1]s,"t":%[1]s,"s":%[1]s}`, object)
		r.Append(b, []byte(record), func(_ []byte, e *Error) { t.Fatal(e) })
		dump(t, b)
		wanted := "2500"
		if last != "" {
			wanted = "-1"
		}
		for i, v := range b.Columns[:5] {
			if n, got := v.Lengths[0], v.Children[1].Ints[2500]; n != many || fmt.Sprint(got) != wanted {
				t.Errorf("column %d has %d entries, and %d for 2500", i, n, got)
			}
		}
		if !strings.Contains(string(b.Columns[5].Value(0)), `"2499":2499,"2500":`+wanted+`,"2501"`) {
			t.Errorf("the text has another value for 2500 than %s", wanted)
		}
	}
}

package schema

import (
	"strings"
	"testing"
)

func TestTablesThatStreamsCannotConvertTo(t *testing.T) {
	for _, c := range []struct {
		name    string
		columns []Column
		want    string
	}{
		{"usable", []Column{{Name: "a", Type: "int"}, {Name: "b", Type: "struct<a:int>"}}, ""},
		{"a type that is none", []Column{{Name: "a", Type: "strng"}}, `column "a": not a Hive type: `},
		{"two columns of a name", []Column{{Name: "a", Type: "int"}, {Name: "b", Type: "int"}, {Name: "a", Type: "int"}},
			`column "a": columns 1 and 3 have this name`},
		{"names that differ in case", []Column{{Name: "A", Type: "int"}, {Name: "a", Type: "int"}}, `column "a": columns 1 and 2 have this name`},
		{"no name", []Column{{Name: "a", Type: "int"}, {Type: "int"}}, "column 2: it has no name"},
		{"no names", []Column{{Type: "int"}, {Type: "int"}}, "column 1: it has no name; column 2: it has no name"},
		{"no columns", nil, "a table without columns"},
		{"several faults", []Column{{Name: "a", Type: "int"}, {Name: "A", Type: "strng"}},
			`column "A": columns 1 and 2 have this name; column "A": not a Hive type: `},
	} {
		table := Table{PartitionKeys: []Column{{Name: "a", Type: "int"}}}
		table.Storage.Columns = c.columns
		got := strings.Join(table.Unusable(), "; ")
		if got != c.want && (!strings.HasSuffix(c.want, ": ") || !strings.HasPrefix(got, c.want)) {
			t.Errorf("%s: %s\nwant %s", c.name, got, c.want)
		}
	}
}

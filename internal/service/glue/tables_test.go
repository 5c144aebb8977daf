package glue

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hydrant/internal/column"
)

func TestStreamsFindTheirTables(t *testing.T) {
	w := newWorld(t)
	w.make(fields{"Name": "T", "PartitionKeys": array{fields{"Name": "day", "Type": "string"}},
		"StorageDescriptor": fields{"Columns": array{fields{"Name": "A", "Type": "INT"}, fields{"Name": "b", "Type": "array<string>"}}}},
		fields{"Name": "empty"}, fields{"Name": "odd", "StorageDescriptor": fields{"Columns": array{fields{"Name": "u", "Type": "uniontype<int,string>"}}}})
	first := []Column{{Name: "A", Type: "INT"}, {Name: "b", Type: "array<string>"}}
	w.must("UpdateTable", fields{"DatabaseName": "db", "TableInput": table("t", "c")})
	second := []Column{{Name: "c", Type: "string"}}
	for _, c := range []struct {
		name string
		ref  Ref
		want *TableVersion
		code string
	}{
		{"newest", Ref{Database: "db", Table: "t"}, &TableVersion{"1", second}, ""},
		{"newest by its word", Ref{Database: "DB", Table: "T", Version: Latest, CatalogID: account, Region: testRegion}, &TableVersion{"1", second}, ""},
		{"pinned", Ref{Database: "db", Table: "t", Version: "0"}, &TableVersion{"0", first}, ""},
		{"without columns", Ref{Database: "db", Table: "empty"}, &TableVersion{"0", nil}, ""},
		{"version that is not there", Ref{Database: "db", Table: "t", Version: "2"}, nil, NotFound},
		{"version that is none", Ref{Database: "db", Table: "t", Version: "latest"}, nil, Invalid},
		{"table", Ref{Database: "db", Table: "x"}, nil, NotFound},
		{"database", Ref{Database: "x", Table: "t"}, nil, NotFound},
		{"catalogue", Ref{Database: "db", Table: "t", CatalogID: "x"}, nil, NotFound},
		{"region", Ref{Database: "db", Table: "t", Region: "eu-west-1"}, nil, NotFound},
	} {
		got, err := w.Table(t.Context(), c.ref)
		var told *Error
		if code := ""; c.code != "" {
			if errors.As(err, &told) {
				code = told.Code
			}
			if code != c.code {
				t.Errorf("%s: %v", c.name, err)
			}
			continue
		}
		if d := cmp.Diff(c.want, got); err != nil || d != "" {
			t.Errorf("%s: %v %s", c.name, err, d)
		}
	}
	types, err := (&TableVersion{Columns: first}).Types()
	if err != nil || len(types) != 2 || types[0].Name != "a" || types[0].Type.Kind != column.Int || types[1].Type.String() != "array<string>" {
		t.Errorf("%v %v", types, err)
	}
	odd, err := w.Table(t.Context(), Ref{Database: "db", Table: "odd"})
	if err != nil {
		t.Fatal(err)
	}
	var at *ColumnError
	if _, err := odd.Types(); !errors.Is(err, column.ErrUnsupported) || !errors.As(err, &at) || at.Column != "u" {
		t.Error(err)
	}
}

func BenchmarkTable(b *testing.B) {
	w := newWorld(b)
	columns := make([]string, 100)
	for i := range columns {
		columns[i] = "column_" + versionID(uint64(i))
	}
	w.make(table("t", columns...))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := w.Table(b.Context(), Ref{Database: "db", Table: "t"}); err != nil {
			b.Fatal(err)
		}
	}
}

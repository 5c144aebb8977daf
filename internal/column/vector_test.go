package column

import "testing"

// A row that does not fit is taken back from every column and from what is nested in them.
func TestARowIsTakenBackWhole(t *testing.T) {
	schema, err := ParseType("struct<a:int,b:array<struct<c:string,d:timestamp>>,e:map<string,decimal(38,2)>,f:double>")
	if err != nil {
		t.Fatal(err)
	}
	b := NewBatch(schema)
	row := func(n int) {
		b.Begin()
		b.Columns[0].Int(1)
		b.Columns[1].Many(n)
		for range n {
			s := b.Columns[1].Children[0]
			s.Struct()
			s.Children[0].Text([]byte("text"))
			s.Children[1].Time(1, 2)
		}
		b.Columns[2].Many(1)
		b.Columns[2].Children[0].Text([]byte("key"))
		b.Columns[2].Children[1].Decimal(Int128{-1, 5})
		b.Columns[3].Float(0.5)
	}
	row(2)
	b.End()
	size := b.Size()
	row(3)
	b.Undo()
	b.Begin()
	b.Columns[0].Null()
	b.Undo()
	if b.Rows != 1 || b.Size() != size {
		t.Fatalf("%d rows of %d bytes, want 1 of %d", b.Rows, b.Size(), size)
	}
	for _, v := range b.Columns {
		if v.Len() != 1 {
			t.Fatalf("%s has %d entries", v.Type, v.Len())
		}
	}
	if got := b.Columns[1].Children[0].Children[0]; got.Len() != 2 || string(got.Value(1)) != "text" {
		t.Fatalf("got %+v", got)
	}
	b.Reset()
	if b.Rows != 0 || b.Size() != 0 {
		t.Fatalf("%d rows of %d bytes after Reset", b.Rows, b.Size())
	}
}

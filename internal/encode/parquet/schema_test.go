package parquet

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	parquetgo "github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/format"

	"hydrant/internal/column"
)

// goldenSchema has every type once, alone or in another one.
const goldenSchema = "struct<zeta:boolean,ti:tinyint,si:smallint,i:int,bi:bigint,f:float,d:double,dec:decimal(10,2),wide:decimal(38,10)," +
	"s:string,vc:varchar(20),c:char(3),bin:binary,day:date,at:timestamp,tags:array<string>,by_id:map<int,double>," +
	"deep:array<map<string,struct<x:array<decimal(5,1)>>>>>"

// goldenText is the schema element by element: the annotation of old readers, a slash, and
// that of new ones.
const goldenText = `hive_schema
  optional BOOLEAN zeta
  optional INT32 ti INT_8/INT(8,true)
  optional INT32 si INT_16/INT(16,true)
  optional INT32 i
  optional INT64 bi
  optional FLOAT f
  optional DOUBLE d
  optional FIXED_LEN_BYTE_ARRAY(5) dec DECIMAL(10,2)/DECIMAL(10,2)
  optional FIXED_LEN_BYTE_ARRAY(16) wide DECIMAL(38,10)/DECIMAL(38,10)
  optional BYTE_ARRAY s UTF8/STRING
  optional BYTE_ARRAY vc UTF8/STRING
  optional BYTE_ARRAY c UTF8/STRING
  optional BYTE_ARRAY bin
  optional INT32 day DATE/DATE
  optional INT96 at
  optional group tags LIST/LIST
    repeated group bag
      optional BYTE_ARRAY array_element UTF8/STRING
  optional group by_id MAP/MAP
    repeated group map
      required INT32 key
      optional DOUBLE value
  optional group deep LIST/LIST
    repeated group bag
      optional group array_element MAP/MAP
        repeated group map
          required BYTE_ARRAY key UTF8/STRING
          optional group value
            optional group x LIST/LIST
              repeated group bag
                optional FIXED_LEN_BYTE_ARRAY(3) array_element DECIMAL(5,1)/DECIMAL(5,1)
`

var oldAnnotations = map[deprecated.ConvertedType]string{
	deprecated.UTF8: "UTF8", deprecated.Map: "MAP", deprecated.MapKeyValue: "MAP_KEY_VALUE", deprecated.List: "LIST",
	deprecated.Decimal: "DECIMAL", deprecated.Date: "DATE", deprecated.Int8: "INT_8", deprecated.Int16: "INT_16",
}

// schemaText writes the first of the elements, and those inside of it.
func schemaText(elements []format.SchemaElement, indent string, out *strings.Builder) (rest []format.SchemaElement) {
	e := &elements[0]
	rest = elements[1:]
	text := e.Name
	if e.RepetitionType.Valid {
		what := "group"
		if e.Type.Valid {
			what = e.Type.V.String()
		}
		if e.TypeLength.Valid {
			what += fmt.Sprintf("(%d)", e.TypeLength.V)
		}
		text = fmt.Sprintf("%s %s %s", strings.ToLower(e.RepetitionType.V.String()), what, e.Name)
	}
	if e.ConvertedType.Valid {
		text += " " + oldAnnotations[e.ConvertedType.V]
		if e.Precision.Valid {
			text += fmt.Sprintf("(%d,%d)", e.Precision.V, e.Scale.V)
		}
	}
	if e.LogicalType.Value != nil {
		text += "/" + e.LogicalType.String()
	}
	out.WriteString(indent + text + "\n")
	for range e.NumChildren.V {
		rest = schemaText(rest, indent+"  ", out)
	}
	return rest
}

// write writes batches as a file.
func write(t *testing.T, schema *column.Type, o Options, batches ...*column.Batch) []byte {
	t.Helper()
	var file bytes.Buffer
	w, err := NewWriter(&file, schema, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range batches {
		if err := w.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// open opens a file with parquet-go.
func open(t *testing.T, file []byte) *parquetgo.File {
	t.Helper()
	f, err := parquetgo.OpenFile(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// The schema is that of section 6.5 to the letter: names, order, physical types, lengths and
// annotations.
func TestSchemaIsHives(t *testing.T) {
	m := open(t, write(t, mustType(t, goldenSchema), Options{})).Metadata()
	var out strings.Builder
	if rest := schemaText(m.Schema, "", &out); len(rest) > 0 || out.String() != goldenText {
		t.Errorf("the schema is\n%s", out.String())
	}
	if m.CreatedBy != "hydrant" {
		t.Errorf("created by %q", m.CreatedBy)
	}
}

// Each decimal takes the fewest bytes that hold it, as in Hive's table of lengths.
func TestDecimalsTakeTheFewestBytes(t *testing.T) {
	want := []int{1, 1, 2, 2, 3, 3, 4, 4, 4, 5, 5, 6, 6, 6, 7, 7, 8, 8, 9, 9, 9, 10, 10, 11, 11, 11, 12, 12, 13, 13, 13, 14, 14, 15, 15, 16, 16, 16}
	for i, w := range want {
		if got := decimalLength(i + 1); got != w {
			t.Errorf("%d digits take %d bytes instead of %d", i+1, got, w)
		}
	}
}

func TestSchemasThatAreRefused(t *testing.T) {
	deep := &column.Type{Kind: column.Int}
	for range 200 {
		deep = &column.Type{Kind: column.List, Elem: deep}
	}
	for name, schema := range map[string]*column.Type{
		"no struct":      {Kind: column.Int},
		"no columns":     {Kind: column.Struct},
		"no fields":      {Kind: column.Struct, Fields: []column.Field{{Name: "a", Type: &column.Type{Kind: column.Struct}}}},
		"no name":        {Kind: column.Struct, Fields: []column.Field{{Type: &column.Type{Kind: column.Int}}}},
		"a name twice":   {Kind: column.Struct, Fields: []column.Field{{Name: "a", Type: &column.Type{}}, {Name: "a", Type: &column.Type{}}}},
		"too deep":       {Kind: column.Struct, Fields: []column.Field{{Name: "a", Type: deep}}},
		"no decimal":     {Kind: column.Struct, Fields: []column.Field{{Name: "a", Type: &column.Type{Kind: column.Decimal, Precision: 39}}}},
		"not a kind":     {Kind: column.Struct, Fields: []column.Field{{Name: "a", Type: &column.Type{Kind: 99}}}},
		"a struct's key": {Kind: column.Struct, Fields: []column.Field{{Name: "a", Type: &column.Type{Kind: column.Map, Key: &column.Type{Kind: column.List, Elem: &column.Type{}}, Elem: &column.Type{}}}}},
	} {
		if _, err := NewWriter(io.Discard, schema, Options{}); !errors.Is(err, ErrSchema) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOptionsThatAreRefused(t *testing.T) {
	for _, o := range []Options{
		{RowGroupBytes: -1}, {PageBytes: -1}, {MaxPaddingBytes: -1}, {MemoryBytes: -1}, {Compression: 9}, {Version: 2},
	} {
		if _, err := NewWriter(io.Discard, mustType(t, "struct<a:int>"), o); !errors.Is(err, ErrOptions) {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

// Types may be nested as deep as the catalogue allows, and levels still fit.
func TestDeepestTypes(t *testing.T) {
	for word, level := range map[string]int{"array<%s>": 127, "map<int,%s>": 127, "struct<a:%s>": 64} {
		text := "int"
		for range column.MaxDepth - 1 {
			text = fmt.Sprintf(word, text)
		}
		schema := mustType(t, "struct<a:"+text+">")
		b := column.NewBatch(schema)
		addDeep(b.Columns[0])
		b.End()
		b.Columns[0].Null()
		b.End()
		f := open(t, write(t, schema, Options{Compression: Snappy}, b))
		chunks := f.RowGroups()[0].ColumnChunks()
		types := leafTypes(schema)
		last := readLeaf(t, types[len(types)-1], chunks[len(chunks)-1])
		if fmt.Sprint(last[0].value) != "42" || last[1].value != nil || last[0].def != level || last[1].def != 0 {
			t.Errorf("%s: %v", word, last)
		}
	}
}

// addDeep adds a value in lists, maps and structs of one element.
func addDeep(v *column.Vector) {
	switch v.Type.Kind {
	case column.List, column.Map:
		v.Many(1)
	case column.Struct:
		v.Struct()
	default:
		v.Int(42)
	}
	for _, c := range v.Children {
		addDeep(c)
	}
}

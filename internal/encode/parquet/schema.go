package parquet

import (
	"errors"
	"fmt"
	"math/big"

	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"hydrant/internal/column"
)

// ErrSchema is wrapped by refusals of schemas, and of batches that have another one.
var ErrSchema = errors.New("schema cannot be written as Parquet")

// Names that Hive's Parquet writer gives.
const (
	rootName  = "hive_schema"
	bagName   = "bag"           // the repeated group in a list
	elemName  = "array_element" // what it repeats
	pairsName = "map"           // the repeated group in a map
	keyName   = "key"
	valueName = "value"
)

// maxLeaves bounds the columns of a file, those inside of others counted. Glue takes 400 KiB
// for a table's columns, which are fewer.
const maxLeaves = 100_000

// node is a type of the schema, with the levels that slots have at it.
type node struct {
	kind      column.Kind
	required  bool  // a key of a map
	def       uint8 // the definition level of a slot where a value of this type stands
	rep       uint8 // the highest repetition level here; in a list or map, that of its elements
	children  []*node
	leaf      *leaf // of a primitive type
	at, ahead cursor

	// Scratch of shredding.
	defs               []uint8 // the slots that the parent handed over, if they are a copy
	elemReps, elemDefs []uint8 // the slots of the elements of a list or map
}

// builder makes the nodes and the schema elements of the footer.
type builder struct {
	options  *Options
	elements []format.SchemaElement
	leaves   []*leaf
	path     []string
}

// build makes the nodes of the columns.
func (b *builder) build(schema *column.Type) ([]*node, error) {
	if schema.Kind != column.Struct || len(schema.Fields) == 0 {
		return nil, fmt.Errorf("%w: it has no columns", ErrSchema)
	}
	b.elements = append(b.elements, format.SchemaElement{
		Name: rootName, NumChildren: thrift.New(int32(len(schema.Fields))),
	})
	nodes, err := b.fields(schema, 0, 0)
	if err == nil && len(b.leaves) > maxLeaves {
		err = fmt.Errorf("%w: %d columns, those inside of others counted, are more than %d", ErrSchema, len(b.leaves), maxLeaves)
	}
	return nodes, err
}

func (b *builder) fields(t *column.Type, def, rep uint8) ([]*node, error) {
	var nodes []*node
	names := map[string]bool{}
	for _, f := range t.Fields {
		if f.Name == "" || names[f.Name] {
			return nil, fmt.Errorf("%w: two fields are called %.60q, or one has no name", ErrSchema, f.Name)
		}
		names[f.Name] = true
		n, err := b.node(f.Name, f.Type, false, def, rep)
		if err != nil {
			return nil, err
		}
		nodes = append(nodes, n)
	}
	return nodes, nil
}

// node adds a type that is called name, where def and rep are the levels of what it stands in.
func (b *builder) node(name string, t *column.Type, required bool, def, rep uint8) (*node, error) {
	b.path = append(b.path, name)
	defer func() { b.path = b.path[:len(b.path)-1] }()
	if len(b.path) > 2*column.MaxDepth+2 {
		return nil, fmt.Errorf("%w: types are nested more than %d deep", ErrSchema, column.MaxDepth)
	}
	n := &node{kind: t.Kind, required: required, def: def, rep: rep}
	repetition := format.Required
	if !required {
		repetition = format.Optional
		n.def++
	}
	e := format.SchemaElement{Name: name, RepetitionType: thrift.New(repetition)}
	var err error
	switch t.Kind {
	case column.List, column.Map:
		err = b.repeated(n, t, e)
	case column.Struct:
		if len(t.Fields) == 0 {
			return nil, fmt.Errorf("%w: the struct %.60q has no fields", ErrSchema, name)
		}
		e.NumChildren = thrift.New(int32(len(t.Fields)))
		b.elements = append(b.elements, e)
		n.children, err = b.fields(t, n.def, n.rep)
	default:
		err = b.primitive(n, t, e)
	}
	return n, err
}

// repeated adds a list or a map. Nothing but the outer group is annotated, as readers want
// it: MAP_KEY_VALUE inside is for writers that left it off outside.
func (b *builder) repeated(n *node, t *column.Type, outer format.SchemaElement) error {
	inner := format.SchemaElement{Name: bagName, RepetitionType: thrift.New(format.Repeated), NumChildren: thrift.New(int32(1))}
	outer.NumChildren = thrift.New(int32(1))
	if t.Kind == column.List {
		annotate(&outer, deprecated.List, &format.ListType{})
	} else {
		annotate(&outer, deprecated.Map, &format.MapType{})
		inner.Name, inner.NumChildren = pairsName, thrift.New(int32(2))
	}
	b.elements = append(b.elements, outer, inner)
	b.path = append(b.path, inner.Name)
	defer func() { b.path = b.path[:len(b.path)-1] }()
	n.rep++
	name := elemName
	if t.Kind == column.Map {
		if t.Key.Kind >= column.List {
			return fmt.Errorf("%w: the key of a map must be primitive", ErrSchema)
		}
		key, err := b.node(keyName, t.Key, true, n.def+1, n.rep)
		if err != nil {
			return err
		}
		n.children, name = append(n.children, key), valueName
	}
	elem, err := b.node(name, t.Elem, false, n.def+1, n.rep)
	n.children = append(n.children, elem)
	return err
}

func (b *builder) primitive(n *node, t *column.Type, e format.SchemaElement) error {
	if err := describe(&e, t); err != nil {
		return err
	}
	b.elements = append(b.elements, e)
	n.leaf = &leaf{
		options: b.options, kind: t.Kind, physical: e.Type.V, width: plainWidth(&e),
		maxDef: n.def, maxRep: n.rep, path: append([]string(nil), b.path...),
	}
	n.leaf.bounds.kind = t.Kind
	b.leaves = append(b.leaves, n.leaf)
	return nil
}

// describe sets the physical type of a leaf and its annotation (spec section 6.5).
func describe(e *format.SchemaElement, t *column.Type) error {
	physical := format.Int32
	switch t.Kind {
	case column.Boolean:
		physical = format.Boolean
	case column.TinyInt:
		annotate(e, deprecated.Int8, &format.IntType{BitWidth: 8, IsSigned: true})
	case column.SmallInt:
		annotate(e, deprecated.Int16, &format.IntType{BitWidth: 16, IsSigned: true})
	case column.Int:
	case column.BigInt:
		physical = format.Int64
	case column.Float:
		physical = format.Float
	case column.Double:
		physical = format.Double
	case column.Decimal:
		physical = format.FixedLenByteArray
		if t.Precision < 1 || t.Precision > 38 || t.Scale < 0 || t.Scale > t.Precision {
			return fmt.Errorf("%w: %s is no decimal", ErrSchema, t)
		}
		e.TypeLength = thrift.New(int32(decimalLength(t.Precision)))
		e.Precision, e.Scale = thrift.New(int32(t.Precision)), thrift.New(int32(t.Scale))
		annotate(e, deprecated.Decimal, &format.DecimalType{Precision: int32(t.Precision), Scale: int32(t.Scale)})
	case column.String, column.Varchar, column.Char:
		physical = format.ByteArray
		annotate(e, deprecated.UTF8, &format.StringType{})
	case column.Binary:
		physical = format.ByteArray
	case column.Date:
		annotate(e, deprecated.Date, &format.DateType{})
	case column.Timestamp:
		physical = format.Int96
	default:
		return fmt.Errorf("%w: type %d is unknown", ErrSchema, t.Kind)
	}
	e.Type = thrift.New(physical)
	return nil
}

// annotate says what an element means, in the old words and in the new ones.
func annotate(e *format.SchemaElement, old deprecated.ConvertedType, logical format.LogicalTypeValue) {
	e.ConvertedType, e.LogicalType.Value = thrift.New(old), logical
}

// plainWidth is how many bytes a value takes, PLAIN; 0 if that differs.
func plainWidth(e *format.SchemaElement) int {
	switch e.Type.V {
	case format.Int32, format.Float:
		return 4
	case format.Int64, format.Double:
		return 8
	case format.Int96:
		return 12
	case format.FixedLenByteArray:
		return int(e.TypeLength.V)
	}
	return 0
}

// decimalLength is how many bytes a two's complement integer of so many digits needs at least.
func decimalLength(precision int) int {
	largest := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(precision)), nil)
	return largest.Sub(largest, big.NewInt(1)).BitLen()/8 + 1
}

package column

// Int128 is a two's complement integer of 128 bits: Hi*2^64 + Lo.
type Int128 struct {
	Hi int64
	Lo uint64
}

// Vector is the values of one type. Which of the slices are used depends on the kind:
//
//	Boolean                          Ints, 0 or 1
//	TinyInt, SmallInt, Int, BigInt   Ints
//	Date                             Ints, days since 1970-01-01 (proleptic Gregorian)
//	Timestamp                        Ints, seconds since 1970-01-01 UTC, rounded down, and Nanos, 0 to 999,999,999
//	Float, Double                    Floats; those of Float were rounded to float32
//	Decimal                          Decimals, without the point: 1.50 as decimal(5,2) is 150
//	String, Varchar, Char, Binary    Bytes and Ends; text is UTF-8, a char is not padded
//	List, Map                        Lengths, and Children: the elements; or the keys and the values
//	Struct                           Children, one for each field
//
// Map keys are always present, and no two of a map are the same.
type Vector struct {
	Type     *Type
	Present  []bool
	Ints     []int64
	Nanos    []int32
	Floats   []float64
	Decimals []Int128
	Bytes    []byte   // the values back to back
	Ends     []uint32 // where each value ends in Bytes
	Lengths  []uint32 // elements of each list or map
	Children []*Vector

	mark mark
}

// mark is how long the slices of a vector were at a moment.
type mark struct{ entries, values, bytes int }

// newVector returns an empty vector of the type.
func newVector(t *Type) *Vector {
	v := &Vector{Type: t}
	switch t.Kind {
	case List:
		v.Children = []*Vector{newVector(t.Elem)}
	case Map:
		v.Children = []*Vector{newVector(t.Key), newVector(t.Elem)}
	case Struct:
		for i := range t.Fields {
			v.Children = append(v.Children, newVector(t.Fields[i].Type))
		}
	}
	return v
}

// Len is how many entries the vector has, nulls included.
func (v *Vector) Len() int { return len(v.Present) }

// Null adds an entry without a value.
func (v *Vector) Null() { v.Present = append(v.Present, false) }

// Int adds a value to a vector of booleans, integers or dates.
func (v *Vector) Int(i int64) {
	v.Present = append(v.Present, true)
	v.Ints = append(v.Ints, i)
}

// Time adds a timestamp.
func (v *Vector) Time(seconds int64, nanos int32) {
	v.Int(seconds)
	v.Nanos = append(v.Nanos, nanos)
}

// Float adds a value to a vector of floats or doubles.
func (v *Vector) Float(f float64) {
	v.Present = append(v.Present, true)
	v.Floats = append(v.Floats, f)
}

// Decimal adds an unscaled decimal.
func (v *Vector) Decimal(d Int128) {
	v.Present = append(v.Present, true)
	v.Decimals = append(v.Decimals, d)
}

// Text adds a value to a vector of strings or of bytes; b is copied.
func (v *Vector) Text(b []byte) {
	v.Present = append(v.Present, true)
	v.Bytes = append(v.Bytes, b...)
	v.Ends = append(v.Ends, uint32(len(v.Bytes)))
}

// Many adds a list or map of n elements, which are added to the children.
func (v *Vector) Many(n int) {
	v.Present = append(v.Present, true)
	v.Lengths = append(v.Lengths, uint32(n))
}

// Struct adds a struct, whose fields are added to the children, each of them.
func (v *Vector) Struct() { v.Present = append(v.Present, true) }

// Value is the i-th value of a vector of strings or of bytes. It is only lent.
func (v *Vector) Value(i int) []byte {
	from := uint32(0)
	if i > 0 {
		from = v.Ends[i-1]
	}
	return v.Bytes[from:v.Ends[i]]
}

// values is how many values there are, for kinds that keep them in the vector itself.
func (v *Vector) values() int {
	switch v.Type.Kind {
	case Float, Double:
		return len(v.Floats)
	case Decimal:
		return len(v.Decimals)
	case String, Varchar, Char, Binary:
		return len(v.Ends)
	case List, Map:
		return len(v.Lengths)
	case Struct:
		return 0
	}
	return len(v.Ints)
}

// cut takes back what was added since the mark.
func (v *Vector) cut(m mark) {
	v.Present = v.Present[:m.entries]
	switch v.Type.Kind {
	case Float, Double:
		v.Floats = v.Floats[:m.values]
	case Decimal:
		v.Decimals = v.Decimals[:m.values]
	case String, Varchar, Char, Binary:
		v.Ends, v.Bytes = v.Ends[:m.values], v.Bytes[:m.bytes]
	case List, Map:
		v.Lengths = v.Lengths[:m.values]
	case Struct:
	case Timestamp:
		v.Ints, v.Nanos = v.Ints[:m.values], v.Nanos[:m.values]
	default:
		v.Ints = v.Ints[:m.values]
	}
}

// Batch is rows of a table. Rows are added by adding an entry to each column between Begin
// and End; Undo takes back a row that does not fit.
type Batch struct {
	Schema  *Type // a struct
	Rows    int
	Columns []*Vector // one for each field of the schema
	all     []*Vector // and all their children
}

// NewBatch returns a batch without rows. The schema is a struct whose fields are the columns.
func NewBatch(schema *Type) *Batch {
	b := &Batch{Schema: schema}
	for i := range schema.Fields {
		v := newVector(schema.Fields[i].Type)
		b.Columns = append(b.Columns, v)
		b.all = v.family(b.all)
	}
	return b
}

func (v *Vector) family(all []*Vector) []*Vector {
	all = append(all, v)
	for _, c := range v.Children {
		all = c.family(all)
	}
	return all
}

// Begin marks the start of a row.
func (b *Batch) Begin() {
	for _, v := range b.all {
		v.mark = mark{len(v.Present), v.values(), len(v.Bytes)}
	}
}

// End counts the row that was begun.
func (b *Batch) End() { b.Rows++ }

// Undo takes back what was added since Begin.
func (b *Batch) Undo() {
	for _, v := range b.all {
		v.cut(v.mark)
	}
}

// Reset takes back all rows and keeps the memory.
func (b *Batch) Reset() {
	b.Rows = 0
	for _, v := range b.all {
		v.cut(mark{})
	}
}

// Size is about how many bytes the values take.
func (b *Batch) Size() int64 {
	var n int64
	for _, v := range b.all {
		n += int64(len(v.Present) + 8*len(v.Ints) + 4*len(v.Nanos) + 8*len(v.Floats) + 16*len(v.Decimals) +
			len(v.Bytes) + 4*len(v.Ends) + 4*len(v.Lengths))
	}
	return n
}

package serde

import (
	"fmt"
	"hash/maphash"

	"hydrant/internal/column"
)

// OpenX are the options of OpenXJsonSerDe (spec section 6.3).
type OpenX struct {
	// CaseInsensitive lower-cases keys before they are matched, at every depth, and those of
	// maps and of objects rendered as text too. AWS has it on by default.
	CaseInsensitive bool
	// ConvertDots has the key a.b match the column a_b.
	ConvertDots bool
	// Mappings are keys of JSON by the column, or member of a struct, that is read from them.
	Mappings map[string]string
}

// Hive are the options of HiveJsonSerDe (spec section 6.3).
type Hive struct {
	// TimestampFormats are patterns of Joda-Time, tried in order, and the word millis. With
	// none, timestamps are read as java.sql.Timestamp.valueOf does.
	TimestampFormats []string
}

// Reader reads records into batches of one schema. It keeps its memory from record to
// record, so only one goroutine may use it at a time.
type Reader struct {
	root    *node
	hive    bool
	fold    bool // keys are lower-cased
	dots    bool // dots in keys are underscores
	formats []*joda
	zones   zones

	data    []byte // the record
	fault   fault
	careful bool // see careful.go
	depth   int
	stamp   uint64 // counts the objects read; see member.seen

	unescaped []byte   // the last text that had escapes
	lowered   []byte   // the last key in lower case
	stray     slot     // for a key that is not kept
	places    []int    // careful: where values are, a stack
	spans     []span   // keys of objects being rendered, a stack
	table     []uint32 // keys seen; see twins
	seed      maphash.Seed
}

// NewOpenX returns a reader for the schema, a struct whose fields are the columns. Errors
// wrap ErrInvalidSchema, for a column with binary in it, or ErrInvalidOptions.
func NewOpenX(schema *column.Type, o OpenX) (*Reader, error) {
	if hasKind(schema, column.Binary) {
		return nil, &Error{CodeSchema, textSchema}
	}
	if err := CheckMappings(o.Mappings); err != nil {
		return nil, err
	}
	r := &Reader{fold: o.CaseInsensitive, dots: o.ConvertDots}
	return r.plan(schema, o.Mappings)
}

// NewHive returns a reader for the schema, a struct whose fields are the columns. Errors
// wrap ErrInvalidSchema or ErrInvalidOptions.
func NewHive(schema *column.Type, o Hive) (*Reader, error) {
	formats, err := compileFormats(o.TimestampFormats)
	if err != nil {
		return nil, err
	}
	r := &Reader{hive: true, fold: true, formats: formats}
	return r.plan(schema, nil)
}

func (r *Reader) plan(schema *column.Type, mappings map[string]string) (*Reader, error) {
	if schema.Kind != column.Struct {
		return nil, fmt.Errorf("%w: it is %s, not a struct of columns", ErrInvalidSchema, schema.Kind)
	}
	r.seed = maphash.MakeSeed()
	r.root = r.newNode(schema, lowerKeys(mappings))
	return r, nil
}

// Append adds a row to b for each document of the record that fits the schema of the reader,
// which must be that of b. Each of the others leaves no trace in b and is told to fail with
// its bytes, which are only lent, and the reason. A record without documents fails whole,
// and so does all that follows the start of a document that is no JSON.
func (r *Reader) Append(b *column.Batch, data []byte, fail func(doc []byte, e *Error)) {
	r.AppendUntil(b, data, func() bool { return false }, fail)
}

// AppendUntil is Append that ends behind a document after which full says so, and returns what
// is left of the record: nothing, or what begins with a document.
func (r *Reader) AppendUntil(b *column.Batch, data []byte, full func() bool, fail func(doc []byte, e *Error)) (rest []byte) {
	r.data = data
	at := space(data, 0)
	if at == len(data) {
		fail(data, &Error{CodeMalformed, textEmpty})
	}
	for at < len(data) {
		end := r.row(b, at)
		if end < 0 {
			if end = r.failed(at, fail); end < 0 {
				break
			}
		}
		if at = space(data, end); at < len(data) && full() {
			rest = data[at:]
			break
		}
	}
	r.data = nil
	return rest
}

// failed tells fail about the document that starts at from, and returns where it ends, or -1
// if it is malformed. A document may turn out to be malformed behind what did not fit; AWS
// parses documents whole before it looks at values, so malformed it is then.
func (r *Reader) failed(from int, fail func(doc []byte, e *Error)) int {
	e := r.error(from)
	r.depth = 0
	end := r.skip(from)
	if end < 0 {
		fail(r.data[from:], r.error(from))
		return -1
	}
	fail(r.data[from:end], e)
	return end
}

// row adds the document at from to the batch, and returns where it ends, or -1 with the
// batch as it was and r.fault set. What does not fit may belong to a key that comes again,
// so such documents are read carefully before they fail.
func (r *Reader) row(b *column.Batch, from int) int {
	b.Begin()
	r.careful = false
	end := r.document(b, from)
	if end < 0 && r.fault.kind != malformed {
		b.Undo()
		r.careful = true
		end = r.document(b, from)
	}
	if end < 0 {
		b.Undo()
		return -1
	}
	b.End()
	return end
}

func (r *Reader) document(b *column.Batch, at int) int {
	r.depth, r.places, r.spans = 0, r.places[:0], r.spans[:0]
	switch r.data[at] {
	case '{':
		return r.structure(r.root, b.Columns, at)
	case '[':
		if r.hive {
			return r.misfitsWhole(textRoot)
		}
		return r.notObject(at)
	}
	if r.skip(at) < 0 {
		return -1
	}
	return r.misfitsWhole(textPrimitive)
}

package orc

import (
	"fmt"
	"io"
	"math"

	"hydrant/internal/column"
)

// The size of a stripe is looked at after so many rows, or about so many bytes (section 12).
const (
	checkRows  = 1000
	checkBytes = 1 << 20
)

// maxStripeRows keeps row numbers within int32 (section 8.3).
const maxStripeRows = math.MaxInt32 - checkRows

// Writer writes an ORC file. It is used by one goroutine at a time.
type Writer struct {
	out    counter
	opt    Options
	schema *column.Type
	shared shared
	root   *node
	all    []*node // in the order of their numbers
	err    error   // what made the file useless, or ErrClosed

	rows       int64
	stripeRows int
	groupRows  int
	checkIn    int   // rows until the size is looked at
	unchecked  int64 // bytes of rows since it was

	stripes   message // StripeInformation, as fields of the footer
	metadata  message
	buf, body message // for messages that are made
	packed    []byte  // and for their chunks
}

// counter counts what is written.
type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

// NewWriter returns a Writer of a file to w, which is written to in order and not closed. The
// schema is a struct whose fields are the columns. Errors wrap ErrOptions or ErrSchema, or are
// those of w.
func NewWriter(w io.Writer, schema *column.Type, o Options) (*Writer, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	nodes, err := checkSchema(schema, 0)
	if err != nil {
		return nil, err
	}
	if schema.Kind != column.Struct {
		return nil, fmt.Errorf("%w: %s is no struct", ErrSchema, schema.Kind)
	}
	blooms, unknown := bloomNodes(schema, o.BloomColumns)
	if len(unknown) > 0 {
		return nil, fmt.Errorf("%w: there is no column %.100q for a bloom filter", ErrOptions, unknown[0])
	}
	if o.Version == V0_11 {
		blooms = nil
	}
	f := &Writer{out: counter{w: w}, opt: o, schema: schema, checkIn: checkRows}
	f.shared.version = o.Version
	f.shared.codec = codec{kind: o.Compression, limit: o.chunkBytes(nodes)}
	f.root = newNode(schema, &f.shared, &f.opt, blooms, &f.all)
	_, err = io.WriteString(&f.out, magic)
	return f, err
}

// Write adds the rows of a batch, which the caller may change afterwards. It ends stripes as
// they are full. Errors wrap ErrSchema if the batch has another schema; after those of the
// file's own writer, and after Close, every call fails.
func (f *Writer) Write(b *column.Batch) error {
	if f.err != nil {
		return f.err
	}
	if err := f.fits(b); err != nil {
		return err
	}
	for _, n := range f.all {
		n.begin()
	}
	size := max(b.Size()/int64(max(b.Rows, 1)), 1)
	step := int(max(checkBytes/size, 1))
	for done := 0; done < b.Rows; {
		n := min(b.Rows-done, f.opt.RowIndexStride-f.groupRows, f.checkIn, step)
		f.add(b, n)
		done += n
		f.unchecked += int64(n) * size
		if err := f.border(); err != nil {
			return err
		}
	}
	return nil
}

// fits reports how a batch differs from the schema.
func (f *Writer) fits(b *column.Batch) error {
	if len(b.Columns) != len(f.schema.Fields) {
		return fmt.Errorf("%w: a batch of %d columns for %d", ErrSchema, len(b.Columns), len(f.schema.Fields))
	}
	for i, v := range b.Columns {
		field := f.schema.Fields[i]
		if v.Type != field.Type && v.Type.String() != field.Type.String() {
			return fmt.Errorf("%w: column %.100q is %.100s in a batch, not %.100s", ErrSchema, field.Name, v.Type, field.Type)
		}
		if v.Len() != b.Rows {
			return fmt.Errorf("%w: column %.100q has %d entries for %d rows", ErrSchema, field.Name, v.Len(), b.Rows)
		}
	}
	return nil
}

// add adds the next n rows of a batch, which are all in one row group.
func (f *Writer) add(b *column.Batch, n int) {
	if f.groupRows == 0 {
		for _, n := range f.all {
			n.mark()
		}
	}
	f.root.group.count += uint64(n)
	for i, child := range f.root.children {
		child.write(b.Columns[i], n)
	}
	f.rows += int64(n)
	f.stripeRows += n
	f.groupRows += n
	f.checkIn -= n
}

// border ends the row group and the stripe, if they are full.
func (f *Writer) border() error {
	if f.groupRows == f.opt.RowIndexStride {
		f.endGroup()
	}
	if f.checkIn > 0 && f.unchecked < checkBytes {
		return nil
	}
	f.checkIn, f.unchecked = checkRows, 0
	if f.shared.full || f.stripeRows >= maxStripeRows || f.estimate() >= f.opt.StripeBytes || f.Buffered() >= f.opt.MemoryBytes {
		return f.Flush()
	}
	return nil
}

// estimate is the size of the stripe, as far as it is known (section 12).
func (f *Writer) estimate() (size int64) {
	for _, n := range f.all {
		size += n.buffered()
	}
	return size
}

// Buffered is how many bytes of the stripe are held: compressed chunks, open ones,
// dictionaries, bloom filters and row index. Memory kept for the next stripe is not counted.
func (f *Writer) Buffered() (size int64) {
	if f.stripeRows == 0 {
		return 0
	}
	for _, n := range f.all {
		size += n.held()
	}
	return size
}

// Rows is how many rows were written.
func (f *Writer) Rows() int64 { return f.rows }

// Written is how many bytes were written to the file so far.
func (f *Writer) Written() int64 { return f.out.n }

// Flush ends the stripe, if it has rows.
func (f *Writer) Flush() error {
	if f.err != nil || f.stripeRows == 0 {
		return f.err
	}
	f.err = f.writeStripe()
	return f.err
}

// Close ends the stripe and the file. The Writer cannot be used afterwards.
func (f *Writer) Close() error {
	err := f.Flush()
	if err == nil {
		err = f.writeTail()
	}
	f.err = either(err, ErrClosed)
	return err
}

func (f *Writer) endGroup() {
	for _, n := range f.all {
		n.endGroup()
	}
	f.groupRows = 0
}

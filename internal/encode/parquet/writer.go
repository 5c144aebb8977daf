package parquet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"hydrant/internal/column"
)

// Errors of Write, wrapped.
var (
	// ErrRow: a row has more than 512 MiB, which is more than a page may hold safely.
	ErrRow = errors.New("row is too large for Parquet")
	// ErrRowGroups: the file has 32,767 row groups, as many as the format can count.
	ErrRowGroups = errors.New("too many row groups in a Parquet file")
	// ErrClosed: the footer was written.
	ErrClosed = errors.New("file is closed already")
)

const (
	magic         = "PAR1"
	maxRowBytes   = 512 << 20
	maxRowGroups  = math.MaxInt16
	maxSliceBytes = 64 << 10
	maxSliceRows  = 1024
	footerBytes   = 160 // of a column chunk in the footer, about, besides its bounds
)

// Writer writes a file. It is for one goroutine. After an error of the writer that it writes
// to, the file is lost, and all calls return that error.
type Writer struct {
	to         io.Writer
	options    Options
	schema     *column.Type
	sliceBytes int
	rowBytes   int // the largest row
	elements   []format.SchemaElement
	columns    []*node
	leaves     []*leaf
	press      press

	offset int64 // bytes written
	groups []format.RowGroup
	footer int64 // about how many bytes the footer will have
	target int64 // at how many bytes the row group ends
	rows   int64 // in ended row groups
	open   int64 // rows in the open row group
	err    error
}

// NewWriter returns a writer of a file whose columns are the fields of schema, in that order
// and all of them optional. Nothing is written before the first row group ends. Errors wrap
// ErrSchema or ErrOptions.
func NewWriter(w io.Writer, schema *column.Type, o Options) (*Writer, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	f := &Writer{to: w, options: o, schema: schema, sliceBytes: maxSliceBytes, rowBytes: maxRowBytes, press: press{codec: o.Compression}}
	if o.MemoryBytes > 0 {
		f.sliceBytes = int(max(min(maxSliceBytes, o.MemoryBytes/8), 1))
	}
	b := builder{options: &f.options}
	var err error
	if f.columns, err = b.build(schema); err != nil {
		return nil, err
	}
	f.elements, f.leaves = b.elements, b.leaves
	l := o.share(len(f.leaves))
	for _, leaf := range f.leaves {
		leaf.limits = l
		leaf.begin()
	}
	f.aim()
	return f, nil
}

// Rows is how many rows were written, those that are still held counted.
func (w *Writer) Rows() int64 { return w.rows + w.open }

// Buffered is how many bytes are held that were not written: finished pages, open pages and
// dictionaries of the open row group, and about what the footer will have. Buffers that are
// empty, and those that a page is put together and compressed in, come on top.
func (w *Writer) Buffered() int64 {
	n := w.footer
	for _, l := range w.leaves {
		n += l.held()
	}
	return n
}

// Write appends the rows of a batch with the writer's schema. It copies what it needs. Row
// groups that reach a limit meanwhile are written. Errors wrap ErrSchema if the batch has
// another schema, ErrRow, ErrRowGroups or ErrClosed, or are those of the underlying writer;
// then a part of the rows may have been taken.
func (w *Writer) Write(b *column.Batch) error {
	if w.err != nil {
		return w.err
	}
	if b.Schema != w.schema && b.Schema.String() != w.schema.String() {
		return fmt.Errorf("%w: the rows have the columns %.200s", ErrSchema, b.Schema)
	}
	for _, n := range w.columns {
		n.rewind()
	}
	guess := w.fitting(b.Size(), int64(b.Rows))
	for left := b.Rows; left > 0; {
		rows, size := w.measure(b, min(left, guess))
		if size > w.rowBytes {
			return fmt.Errorf("%w: it has %d bytes", ErrRow, size)
		}
		if err := w.append(b, rows); err != nil {
			w.err = err
			return err
		}
		guess = w.fitting(int64(size), int64(rows))
		left -= rows
	}
	return nil
}

// fitting is how many rows like those seen make a slice.
func (w *Writer) fitting(size, rows int64) int {
	return int(max(min(int64(w.sliceBytes)*rows/max(size, 1), maxSliceRows), 1))
}

// measure looks rows ahead in all columns, fewer if they are much more than a slice. It
// returns how many, and about how many bytes they have.
func (w *Writer) measure(b *column.Batch, rows int) (int, int) {
	for {
		size := 0
		for i, n := range w.columns {
			size += n.measure(b.Columns[i], rows)
		}
		if rows == 1 || size <= 2*w.sliceBytes {
			return rows, size
		}
		rows /= 2
	}
}

// append appends the rows that were measured, and ends what is full.
func (w *Writer) append(b *column.Batch, rows int) error {
	for i, n := range w.columns {
		n.column(b.Columns[i])
	}
	w.open += int64(rows)
	held := w.footer
	for _, l := range w.leaves {
		if err := l.advance(rows, &w.press); err != nil {
			return err
		}
		held += l.held()
	}
	if held-w.footer >= w.target || w.options.MemoryBytes > 0 && held >= w.options.MemoryBytes {
		return w.endRowGroup()
	}
	return nil
}

// Flush ends the row group and writes it. Without rows it does nothing.
func (w *Writer) Flush() error {
	if w.err == nil {
		w.err = w.endRowGroup()
	}
	return w.err
}

// Close ends the row group and writes the footer. It does not close the underlying writer.
// A second call returns ErrClosed.
func (w *Writer) Close() error {
	if err := w.Flush(); err != nil {
		return err
	}
	err := w.writeFooter()
	w.err = ErrClosed
	if err != nil {
		w.err = err
	}
	w.release()
	return err
}

// release lets go of the memory.
func (w *Writer) release() {
	w.rows += w.open
	w.leaves, w.columns, w.groups, w.press, w.footer, w.open = nil, nil, nil, press{}, 0, 0
}

// put writes bytes, after the magic bytes if they are the first.
func (w *Writer) put(b []byte) error {
	if w.offset == 0 {
		w.offset = int64(len(magic))
		if _, err := io.WriteString(w.to, magic); err != nil {
			return fmt.Errorf("write a Parquet file: %w", err)
		}
	}
	if len(b) == 0 {
		return nil
	}
	n, err := w.to.Write(b)
	w.offset += int64(n)
	if err != nil {
		return fmt.Errorf("write a Parquet file: %w", err)
	}
	return nil
}

func (w *Writer) endRowGroup() error {
	if w.open == 0 {
		return nil
	}
	if len(w.groups) == maxRowGroups {
		return ErrRowGroups
	}
	for _, l := range w.leaves {
		if err := l.endPage(&w.press); err != nil {
			return err
		}
	}
	if err := w.pad(); err != nil {
		return err
	}
	g := format.RowGroup{FileOffset: w.offset, NumRows: w.open, Ordinal: int16(len(w.groups))}
	for _, l := range w.leaves {
		c, err := l.end(w)
		if err != nil {
			return err
		}
		g.Columns = append(g.Columns, c)
		g.TotalByteSize += c.MetaData.TotalUncompressedSize
		g.TotalCompressedSize += c.MetaData.TotalCompressedSize
		w.footer += footerBytes + int64(2*len(c.MetaData.Statistics.MinValue)+2*len(c.MetaData.Statistics.MaxValue))
		l.begin()
	}
	w.groups = append(w.groups, g)
	w.rows, w.open = w.rows+w.open, 0
	w.aim()
	return nil
}

// rest is how many bytes the block of the file system has left.
func (w *Writer) rest() int64 {
	return w.options.RowGroupBytes - max(w.offset, int64(len(magic)))%w.options.RowGroupBytes
}

// pad fills a block up with zeros if the rest of it is not worth a row group. The first row
// group of a file stands at its start, whatever the options say.
func (w *Writer) pad() error {
	if err := w.put(nil); err != nil { // the magic bytes
		return err
	}
	rest := w.rest()
	if len(w.groups) == 0 || rest == w.options.RowGroupBytes || rest > w.options.MaxPaddingBytes {
		return nil
	}
	zeros := make([]byte, min(rest, maxSliceBytes))
	for rest > 0 {
		n := min(rest, int64(len(zeros)))
		if err := w.put(zeros[:n]); err != nil {
			return err
		}
		rest -= n
	}
	return nil
}

// aim sets the size of the next row group: a block; or, with padding, what is left of one
// less what the last slice may be too much, if padding can make up for that.
func (w *Writer) aim() {
	w.target = w.options.RowGroupBytes
	most := w.options.MaxPaddingBytes
	if rest := w.rest(); most > 0 && rest > most {
		w.target = rest - min(most, int64(2*w.sliceBytes))
	} else if most > 0 {
		w.target -= min(most, int64(2*w.sliceBytes), w.target-1)
	}
}

// writeFooter writes what makes the file one.
func (w *Writer) writeFooter() error {
	m := format.FileMetaData{
		Version: int32(w.options.Version) + 1, Schema: w.elements, NumRows: w.rows,
		RowGroups: w.groups, CreatedBy: w.options.CreatedBy,
	}
	for range w.leaves {
		m.ColumnOrders = append(m.ColumnOrders, format.ColumnOrder{Value: &format.TypeDefinedOrder{}})
	}
	b, err := thrift.Marshal(new(thrift.CompactProtocol), &m)
	if err != nil {
		return fmt.Errorf("encode the footer of a Parquet file: %w", err)
	}
	b = binary.LittleEndian.AppendUint32(b, uint32(len(b)))
	return w.put(append(b, magic...))
}

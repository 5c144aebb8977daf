package pebble

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
	"strings"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/objstorage"
	"github.com/cockroachdb/pebble/v2/objstorage/objstorageprovider"
	"github.com/cockroachdb/pebble/v2/sstable"
	"github.com/cockroachdb/pebble/v2/sstable/block"
	"github.com/cockroachdb/pebble/v2/sstable/colblk"
	"github.com/cockroachdb/pebble/v2/vfs"

	"hydrant/internal/record"
)

// A table is a row of blocks, each followed by its type (1 byte, 0: not compressed) and the
// masked CRC-32C over both; its footer says where the index is, and the index where the
// blocks are. A block with one wrong byte is mended where it lies: Pebble never caches what
// does not match its checksum, so the next read finds it right. What cannot be mended is left
// out of a rebuilt table, for which Pebble has to be closed and opened again.

// cure is what can be done for a damaged table.
type cure struct {
	data    []byte   // the table as it should be
	changed []int64  // offsets of mended bytes; empty if the table was rebuilt
	rebuilt bool     // data is another table of the same length
	lost    []string // what data does not hold any more, in words
}

func (c *cure) sound() bool { return len(c.changed) == 0 && !c.rebuilt }

// reason says in words what was done.
func (c *cure) reason() string {
	if c.rebuilt {
		return "cannot be read: " + strings.Join(c.lost, "; ")
	}
	return fmt.Sprintf("wrong bytes, which were put right: %d", len(c.changed))
}

// cureTable examines the whole of a table, which it may change.
func cureTable(data []byte, o *pebble.Options) (*cure, error) {
	t := &tableBytesReader{data: data}
	c := &cure{data: data}
	format := o.FormatMajorVersion.MaxTableFormat()
	r, err := sstable.NewReader(context.Background(), t, o.MakeReaderOptions())
	if err != nil {
		return c, c.rebuildBlindly(format, o, err)
	}
	layout, err := r.Layout()
	if err != nil {
		return c, errors.Join(c.rebuildBlindly(format, o, err), r.Close())
	}
	from := &remains{blocks: dataBlocks(t, layout)}
	from.spans, err = rangeDeletions(r)
	if err != nil {
		c.lost = append(c.lost, fmt.Sprintf("what was trimmed last (%s)", firstLine(err)))
	}
	c.changed = t.mended
	if err != nil || from.damaged() {
		err = c.rebuild(layout.Format, o, from)
	}
	return c, errors.Join(err, r.Close())
}

// rebuildBlindly rebuilds a table whose index cannot be used. What its trims covered may show
// again in older tables; a queue's floor hides it until the next trim.
func (c *cure) rebuildBlindly(format sstable.TableFormat, o *pebble.Options, why error) error {
	c.lost = append(c.lost, fmt.Sprintf("the index (%s)", firstLine(why)))
	return c.rebuild(format, o, &remains{blocks: walkBlocks(c.data), blind: true})
}

// firstLine keeps Pebble's long errors short.
func firstLine(err error) string {
	s, _, _ := strings.Cut(err.Error(), "\n")
	return s
}

// tableBytesReader is a table in memory that mends what is read of it. Pebble reads exactly
// one block with its trailer at a time, but for the footer.
type tableBytesReader struct {
	data   []byte
	mended []int64
}

var _ objstorage.Readable = (*tableBytesReader)(nil)

// ReadAt implements objstorage.Readable.
func (t *tableBytesReader) ReadAt(_ context.Context, p []byte, off int64) error {
	if off < 0 || off+int64(len(p)) > int64(len(t.data)) {
		return io.ErrUnexpectedEOF
	}
	if off+int64(len(p)) < int64(len(t.data)) {
		t.check(off, int64(len(p)))
	}
	copy(p, t.data[off:])
	return nil
}

// check verifies a block and its trailer, mends one wrong byte, and reports whether the block
// is right.
func (t *tableBytesReader) check(off, length int64) bool {
	if off < 0 || length <= block.TrailerLen || off+length > int64(len(t.data)) {
		return false
	}
	b := t.data[off : off+length]
	sum := b[length-4:]
	want := binary.LittleEndian.Uint32(sum)
	is := maskCRC(crc32.Checksum(b[:length-4], castagnoli))
	if is == want {
		return true
	}
	if oneByteApart(is, want) {
		t.note(off+length-4, 4)
		binary.LittleEndian.PutUint32(sum, is)
		return true
	}
	at, flip, ok := mend(b[:length-4], unmaskCRC(want))
	if ok {
		b[at] ^= flip
		t.note(off+int64(at), 1)
	}
	return ok
}

func (t *tableBytesReader) note(off, n int64) {
	for i := range n {
		t.mended = append(t.mended, off+i)
	}
}

// Close implements objstorage.Readable.
func (t *tableBytesReader) Close() error { return nil }

// Size implements objstorage.Readable.
func (t *tableBytesReader) Size() int64 { return int64(len(t.data)) }

// NewReadHandle implements objstorage.Readable.
func (t *tableBytesReader) NewReadHandle(objstorage.ReadBeforeSize) objstorage.ReadHandle {
	h := objstorage.MakeNoopReadHandle(t)
	return &h
}

// remains is what a rebuilt table is made from: its data blocks with their types, nil for one
// that is damaged, and its trims. Blind says that blocks of other kinds may be among them.
type remains struct {
	blocks [][]byte
	spans  []sstable.Span
	blind  bool
}

func (r *remains) damaged() bool {
	return slices.ContainsFunc(r.blocks, func(b []byte) bool { return b == nil })
}

// dataBlocks returns the data blocks that a table's index names.
func dataBlocks(t *tableBytesReader, layout *sstable.Layout) (blocks [][]byte) {
	for _, h := range layout.Data {
		var b []byte
		if t.check(int64(h.Offset), int64(h.Length)+block.TrailerLen) {
			b = t.data[h.Offset : h.Offset+h.Length+1]
		}
		blocks = append(blocks, b)
	}
	return blocks
}

// walkBlocks finds blocks without an index: they lie back to back from the table's beginning,
// and each ends where its checksum holds. The walk ends at the first damaged one.
func walkBlocks(data []byte) (blocks [][]byte) {
	for start := 0; ; {
		end := blockEnd(data[start:])
		if end == 0 {
			return append(blocks, nil)
		}
		blocks = append(blocks, data[start:start+end])
		start += end + 4
	}
}

// blockEnd returns the length of the block, with its type, that data begins with, or 0.
func blockEnd(data []byte) int {
	crc := uint32(0)
	for i := 0; i+5 <= len(data); i++ {
		crc = crc32.Update(crc, castagnoli, data[i:i+1])
		if i > 0 && maskCRC(crc) == binary.LittleEndian.Uint32(data[i+1:]) {
			return i + 1
		}
	}
	return 0
}

// rangeDeletions reads the trims that a table holds.
func rangeDeletions(r *sstable.Reader) (spans []sstable.Span, err error) {
	it, err := r.NewRawRangeDelIter(context.Background(), sstable.NoFragmentTransforms, sstable.NoReadEnv)
	if err != nil || it == nil {
		return nil, err
	}
	defer it.Close()
	s, err := it.First()
	for ; s != nil && err == nil; s, err = it.Next() {
		spans = append(spans, s.Clone())
	}
	return spans, err
}

// rebuild makes a table of what remains, with the length of the old one: the manifest knows it.
func (c *cure) rebuild(format sstable.TableFormat, o *pebble.Options, from *remains) error {
	mem := vfs.NewMem()
	f, err := mem.Create("table", vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	w := sstable.NewRawWriter(objstorageprovider.NewFileWritable(f), o.MakeWriterOptions(0, format))
	if err := c.refill(w, o, from); err != nil {
		return errors.Join(err, w.Close())
	}
	if err := w.Close(); err != nil {
		return fmt.Errorf("rebuild table: %w", err)
	}
	b, err := mem.UnsafeGetFileDataBuffer("table")
	if err != nil {
		return err
	}
	if len(b) > len(c.data) {
		return fmt.Errorf("rebuilt table of %d bytes is longer than the damaged one of %d", len(b), len(c.data))
	}
	footer := len(b) - format.FooterSize()
	whole := make([]byte, 0, len(c.data))
	whole = append(whole, b[:footer]...)
	whole = append(whole, make([]byte, len(c.data)-len(b))...)
	c.data, c.changed, c.rebuilt = append(whole, b[footer:]...), nil, true
	return nil
}

// refill writes all readable keys and trims into a new table.
func (c *cure) refill(w sstable.RawWriter, o *pebble.Options, from *remains) error {
	var last []byte
	for _, b := range from.blocks {
		kvs, err := decodeBlock(b, o)
		if from.blind && err == nil && !ours(kvs, last) {
			continue // an index, or properties
		}
		for _, kv := range kvs {
			if err := w.Add(kv.key, kv.value, false); err != nil {
				return fmt.Errorf("rebuild table: %w", err)
			}
			last = kv.key.UserKey
		}
		if err != nil {
			c.lost = append(c.lost, fmt.Sprintf("what follows %s (%s)", describeLast(last), firstLine(err)))
		}
	}
	for _, s := range from.spans {
		if err := w.EncodeSpan(s); err != nil {
			return fmt.Errorf("rebuild table: %w", err)
		}
	}
	return nil
}

// keyValue is a key with what Pebble keeps under it.
type keyValue struct {
	key   sstable.InternalKey
	value []byte
}

// ours says that keys and values from a blindly found block are what this package stores and
// follow a table's last key.
func ours(kvs []keyValue, last []byte) bool {
	var entry record.Entry
	for _, kv := range kvs {
		op := operation{kind: byte(kv.key.Kind()), key: kv.key.UserKey, value: kv.value}
		if bytes.Compare(last, kv.key.UserKey) > 0 || op.kind == opLogData || !verifyOperation(op, &entry) {
			return false
		}
		last = kv.key.UserKey
	}
	return true
}

var errBadBlock = errors.New("a block that does not match its checksum")

// decodeBlock reads the keys and values of a data block with its type behind it. What was
// read before an error is good.
func decodeBlock(b []byte, o *pebble.Options) (kvs []keyValue, err error) {
	if b == nil {
		return nil, errBadBlock
	}
	defer func() {
		// Pebble's decoder trusts what matches its checksum and panics otherwise. A block in
		// which the wrong byte was changed matches too.
		if r := recover(); r != nil {
			err = fmt.Errorf("a block that makes no sense: %v", r)
		}
	}()
	if b[len(b)-1] != byte(block.NoCompressionIndicator) {
		return nil, fmt.Errorf("a block of unknown type %d", b[len(b)-1])
	}
	schema := o.KeySchemas[o.KeySchema]
	var d colblk.DataBlockDecoder
	d.Init(schema, bytes.Clone(b[:len(b)-1])) // it wants aligned memory
	var it colblk.DataBlockIter
	it.InitOnce(schema, o.Comparer, nil)
	if err := it.Init(&d, sstable.NoTransforms); err != nil {
		return nil, err
	}
	for kv := it.First(); kv != nil; kv = it.Next() {
		kvs = append(kvs, keyValue{kv.K.Clone(), kv.InPlaceValue()})
	}
	return kvs, nil
}

func describeLast(key []byte) string {
	if key == nil {
		return "the table's beginning"
	}
	return describeKey(key)
}

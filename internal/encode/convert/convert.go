// Package convert makes objects of rows out of JSON records (spec firehose.md section 6). It
// joins a deserializer and a file format, which know nothing of each other.
//
//   - Reader: turns the documents of a record into rows (encode/serde).
//   - Writer: turns rows into a file (encode/parquet, encode/orc).
//   - Misfit: a document that no row could be made of. The others of its record are written.
//
// Rows are gathered in a batch of about a MiB, which is written and used again, so an encoder
// holds that and what its writer holds.
package convert

import (
	"io"
	"sync"
	"time"

	"hydrant/internal/column"
	"hydrant/internal/encode"
	"hydrant/internal/record"
)

// Reader turns records into rows. It is used by one goroutine at a time.
type Reader interface {
	// Append adds a row to b for each document of a record. Those that do not fit are told to
	// fail, with their bytes and why, and leave no row. It ends behind a document after which
	// full says so, and returns what is left of the record.
	Append(b *column.Batch, data []byte, full func() bool, fail func(document []byte, code, message string)) (rest []byte)
}

// Writer writes one file.
type Writer interface {
	// Write adds the rows. The batch is the caller's again when it returns.
	Write(b *column.Batch) error
	// Close writes what is left and the end of the file.
	Close() error
}

// Options say what objects are made of and how. All are required.
type Options struct {
	Schema    *column.Type // a struct of the table's columns
	NewReader func() (Reader, error)
	NewWriter func(w io.Writer) (Writer, error)
}

// Encoding makes objects of rows.
type Encoding struct {
	opt     Options
	decoder encode.Decoder
	hands   sync.Pool // of *hand
}

// New returns the encoding. An error is one of NewReader: the schema and the deserializer do
// not go together.
func New(opt Options) (*Encoding, error) {
	e := &Encoding{opt: opt}
	h, err := e.newHand()
	if err != nil {
		return nil, err
	}
	e.hands.Put(h)
	return e, nil
}

// hand is what an encoder works with, and leaves to the next one.
type hand struct {
	reader Reader
	batch  *column.Batch
}

func (e *Encoding) newHand() (*hand, error) {
	r, err := e.opt.NewReader()
	if err != nil {
		return nil, err
	}
	return &hand{r, column.NewBatch(e.opt.Schema)}, nil
}

// ContentEncoding is none: the file compresses itself (spec section 4.7).
func (e *Encoding) ContentEncoding() string { return "" }

// NewEncoder returns an encoder that writes one object to w. It is a record.Converter.
func (e *Encoding) NewEncoder(w io.Writer) record.Encoder {
	n := &encoder{of: e}
	n.full, n.fail = n.isFull, n.failed // once, and not for each record
	h, ok := e.hands.Get().(*hand)
	if !ok {
		h, n.err = e.newHand()
	}
	n.hand = h
	if n.err == nil {
		n.writer, n.err = e.opt.NewWriter(w)
	}
	return n
}

// A batch is written when it holds so many rows, or bytes.
const (
	batchRows  = 4096
	batchBytes = 1 << 20
)

// Misfits are bounded as well: an Add ends where failure records of about maxMisfitBytes have
// come together, each of lineBytes and its document in base64. Of a record with more than
// maxParts misfits all that follows is one more.
const (
	maxMisfitBytes = 4 << 20
	lineBytes      = 512
	maxParts       = 1000
)

// encoder implements record.Converter. After an error it can only be abandoned.
type encoder struct {
	of     *Encoding
	hand   *hand
	writer Writer
	rows   int64
	err    error

	full func() bool
	fail func(document []byte, code, message string)

	// Of the last Add.
	misfits []record.Misfit
	bytes   int // that they take as failure records, about
	unread  record.Counts
	added   uint32

	// Of the last record.
	position record.Position
	arrival  time.Time
	parts    int
}

// Add makes rows of the records from to to-1 of e, or of the first of them; see Added.
func (n *encoder) Add(e *record.Entry, from, to uint32) error {
	if n.err != nil {
		return n.err
	}
	clear(n.misfits)
	n.misfits, n.bytes, n.unread, n.added = n.misfits[:0], 0, record.Counts{}, from
	return n.of.decoder.Range(e, from, to, func(raw []byte) error {
		for i := from; i < to && n.bytes < maxMisfitBytes; i++ {
			size := e.Lengths[i]
			if err := n.add(e, i, raw[:size]); err != nil {
				n.err = err
				return err
			}
			raw, n.added = raw[size:], i+1
		}
		return nil
	})
}

// add makes rows of one record.
func (n *encoder) add(e *record.Entry, index uint32, data []byte) error {
	n.position, n.arrival, n.parts = record.Position{Entry: e.Sequence, Index: index}, time.UnixMilli(e.Arrival), 0
	rows := n.rows
	for rest := data; ; {
		before := n.hand.batch.Rows
		rest = n.hand.reader.Append(n.hand.batch, rest, n.full, n.fail)
		n.rows += int64(n.hand.batch.Rows - before)
		if n.batchIsFull() {
			if err := n.flush(); err != nil {
				return err
			}
		}
		if len(rest) > 0 && n.parts >= maxParts {
			last := &n.misfits[len(n.misfits)-1]
			n.failed(rest, last.Code, last.Message)
			rest = nil
		}
		if len(rest) == 0 {
			break
		}
	}
	if n.rows == rows && n.parts > 0 {
		n.unread = n.unread.Add(record.Counts{Records: 1, Bytes: uint64(len(data))})
	}
	return nil
}

// isFull says whether the reader has to stop behind a document.
func (n *encoder) isFull() bool { return n.parts >= maxParts || n.batchIsFull() }

func (n *encoder) batchIsFull() bool {
	b := n.hand.batch
	return b.Rows >= batchRows || b.Size() >= batchBytes
}

// failed takes note of a misfit.
func (n *encoder) failed(document []byte, code, message string) {
	n.misfits = append(n.misfits, record.Misfit{
		Position: n.position, Part: n.parts, Arrival: n.arrival, Document: append([]byte(nil), document...), Code: code, Message: message,
	})
	n.bytes += lineBytes + len(document)*4/3
	n.parts++
}

// flush writes the rows that have gathered.
func (n *encoder) flush() error {
	b := n.hand.batch
	if b.Rows == 0 {
		return nil
	}
	err := n.writer.Write(b)
	b.Reset()
	return err
}

// Misfits implements record.Converter.
func (n *encoder) Misfits() ([]record.Misfit, record.Counts) { return n.misfits, n.unread }

// Added implements record.Converter.
func (n *encoder) Added() uint32 { return n.added }

// Rows implements record.Converter.
func (n *encoder) Rows() int64 { return n.rows }

// Close writes the rest of the file.
func (n *encoder) Close() error {
	if n.err != nil {
		return n.err
	}
	if n.err = n.flush(); n.err == nil {
		n.err = n.writer.Close()
	}
	n.leave()
	return n.err
}

// Abandon frees the encoder.
func (n *encoder) Abandon() { n.leave() }

// leave gives the batch and the reader to the next encoder.
func (n *encoder) leave() {
	if n.hand != nil {
		n.hand.batch.Reset()
		n.of.hands.Put(n.hand)
	}
	n.hand, n.writer, n.misfits = nil, nil, nil
}

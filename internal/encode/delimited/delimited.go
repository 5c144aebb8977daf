// Package delimited is what the processor AppendDelimiterToRecord does: it puts an LF between
// the records of an object and none behind the last (spec firehose.md section 5.6), also
// where a record ends in one already. It is no processor, since only who writes an object
// knows which records stand beside each other in it; and other outputs of the same records
// have no LF.
//
//   - Inner encoding: the one that makes the objects, of any form; this one goes around it.
//   - Joined: an entry made of another, whose records from the second of the object on begin
//     with an LF. The inner encoding sees nothing else.
//
// What it costs is the copying of deflate blocks: an LF cannot be put into blocks without
// making them anew, so gzip and zip objects are compressed at delivery. An entry of a single
// record goes to the inner encoding as it is, behind an entry that is one LF, and is copied
// as ever.
package delimited

import (
	"hash/crc32"
	"io"
	"sync"

	"hydrant/internal/encode"
	"hydrant/internal/record"
)

// Inner is an encoding as deliver knows it.
type Inner interface {
	// ContentEncoding is the object's Content-Encoding header; empty for none.
	ContentEncoding() string
	// NewEncoder returns an encoder that writes one object to w.
	NewEncoder(w io.Writer) record.Encoder
}

// Encoding makes the objects of its inner encoding, with an LF between records. Its encoders
// share one decoder and hold no memory of their own between calls.
type Encoding struct {
	inner   Inner
	decoder encode.Decoder
	joints  sync.Pool // of *joint
}

// New returns the encoding around the inner one.
func New(inner Inner) *Encoding { return &Encoding{inner: inner} }

// ContentEncoding is that of the inner encoding.
func (d *Encoding) ContentEncoding() string { return d.inner.ContentEncoding() }

// NewEncoder returns an encoder that writes one object to w.
func (d *Encoding) NewEncoder(w io.Writer) record.Encoder {
	return &encoder{Encoder: d.inner.NewEncoder(w), encoding: d}
}

// encoder passes Close and Abandon to the inner one: nothing stands behind the last record.
type encoder struct {
	record.Encoder
	encoding *Encoding
	any      bool // a record was added
}

// Add appends the records from to to-1 of e. After an error the encoder can only be abandoned.
func (n *encoder) Add(e *record.Entry, from, to uint32) error {
	if from >= to { // nothing, or nonsense, which the inner encoding refuses
		return n.Encoder.Add(e, from, to)
	}
	first := !n.any
	n.any = true
	if to-from == 1 {
		if !first {
			if err := n.Encoder.Add(lf(e), 0, 1); err != nil {
				return err
			}
		}
		return n.Encoder.Add(e, from, to)
	}
	return n.encoding.decoder.Range(e, from, to, func(raw []byte) error {
		j := n.encoding.take()
		defer n.encoding.joints.Put(j)
		j.join(e, from, to, raw, first)
		return n.Encoder.Add(&j.entry, from, to)
	})
}

// lf is an entry of one record, an LF, in the place of e.
func lf(e *record.Entry) *record.Entry {
	raw := []byte{'\n'}
	return &record.Entry{Queue: e.Queue, Sequence: e.Sequence, Before: e.Before, Arrival: e.Arrival, Piece: record.Piece{
		RawBytes: 1, RawCRC: crc32.ChecksumIEEE(raw), Lengths: []uint32{1}, Stored: raw,
	}}
}

// joint is the memory of a joined entry: of a piece with an LF per record at most, since
// larger entries hold a single record.
type joint struct {
	entry   record.Entry
	raw     []byte
	lengths []uint32
}

func (d *Encoding) take() *joint {
	if j, ok := d.joints.Get().(*joint); ok {
		return j
	}
	return new(joint)
}

// join makes j.entry the joined entry of the records from to to-1 of e, which are raw, back
// to back. They keep their indexes, for forms of objects that name things after them; the
// records before them are left empty, and there are none behind.
func (j *joint) join(e *record.Entry, from, to uint32, raw []byte, first bool) {
	j.raw, j.lengths = j.raw[:0], append(j.lengths[:0], e.Lengths[:to]...)
	clear(j.lengths[:from])
	for i := from; i < to; i++ {
		if !first || i > from {
			j.raw = append(j.raw, '\n')
			j.lengths[i]++
		}
		n := e.Lengths[i]
		j.raw = append(j.raw, raw[:n]...)
		raw = raw[n:]
	}
	j.entry = record.Entry{Queue: e.Queue, Sequence: e.Sequence, Before: e.Before, Arrival: e.Arrival, Piece: record.Piece{
		RawBytes: uint32(len(j.raw)), RawCRC: crc32.ChecksumIEEE(j.raw), Lengths: j.lengths, Stored: j.raw,
	}}
}

// Package lines is the encoding of uncompressed objects: the records back to back exactly
// as they came, nothing between them and nothing behind (spec firehose.md section 4.7).
// Whoever wants lines sends records that end in one.
package lines

import (
	"fmt"
	"io"

	"hydrant/internal/encode"
	"hydrant/internal/record"
)

// Encoding writes records verbatim. Its encoders share one decoder and hold no memory
// between calls.
type Encoding struct {
	decoder encode.Decoder
}

// New returns the encoding.
func New() *Encoding { return new(Encoding) }

// ContentEncoding is empty: such objects carry no Content-Encoding.
func (*Encoding) ContentEncoding() string { return "" }

// NewEncoder returns an encoder that writes one object to w.
func (l *Encoding) NewEncoder(w io.Writer) record.Encoder { return &encoder{&l.decoder, w} }

type encoder struct {
	decoder *encode.Decoder
	w       io.Writer
}

// Add writes the records from to to-1 of e, whose stored bytes are proven first.
func (n *encoder) Add(e *record.Entry, from, to uint32) error {
	return n.decoder.Range(e, from, to, n.write)
}

func (n *encoder) write(raw []byte) error {
	if len(raw) == 0 {
		return nil
	}
	if _, err := n.w.Write(raw); err != nil {
		return fmt.Errorf("write %d bytes of an object: %w", len(raw), err)
	}
	return nil
}

// Close has nothing to do: the object ends with its last record.
func (n *encoder) Close() error { return nil }

// Abandon has nothing to free.
func (n *encoder) Abandon() {}

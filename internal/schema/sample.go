package schema

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Bounds of a sample.
const (
	// MaxSampleBytes is how much is read of a sample, after decompression.
	MaxSampleBytes = 64 << 20
	// MaxDocuments is how many documents are looked at.
	MaxDocuments = 100_000
)

// ErrSample says that a sample cannot be used: it is no JSON, or not objects, or has too
// many keys. The error says where.
var ErrSample = errors.New("sample cannot be used")

// Read has the inference look at the documents of a sample: JSON objects one after the other,
// with or without white space between, compressed with gzip or not. It stops at the bounds,
// which is noted and no failure. Errors wrap ErrSample, or are the reader's.
func (i *Inference) Read(r io.Reader) error {
	in, err := decompressed(r)
	if err != nil {
		return err
	}
	lines := &lineReader{r: io.LimitReader(in, MaxSampleBytes+1)}
	d := jsontext.NewDecoder(lines, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	for {
		kind := d.PeekKind()
		if kind == jsontext.Kind(0) {
			if _, err = d.ReadToken(); errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
				return nil
			}
			return i.ended(lines, d, err)
		}
		if i.documents == MaxDocuments {
			i.notes.add("only the first %d documents were looked at", MaxDocuments)
			return nil
		}
		if kind != '{' {
			return fmt.Errorf("%w: %s: document %d is not an object, which the records of a stream must be",
				ErrSample, lines.place(d.InputOffset()+spaces(d.UnreadBuffer())), i.documents+1)
		}
		value, err := d.ReadValue()
		if err != nil {
			return i.ended(lines, d, err)
		}
		if err := i.add(value); err != nil {
			return fmt.Errorf("%w, in the document that ends at %s", err, lines.place(d.InputOffset()))
		}
	}
}

// spaces counts the white space and commas before the next value.
func spaces(b []byte) int64 { return int64(len(b) - len(bytes.TrimLeft(b, " \t\r\n,"))) }

// ended explains why a document could not be read.
func (i *Inference) ended(lines *lineReader, d *jsontext.Decoder, err error) error {
	var syntax *jsontext.SyntacticError
	switch {
	case lines.err != nil:
		return fmt.Errorf("read the sample behind %s: %w", lines.place(d.InputOffset()), lines.err)
	case lines.at > MaxSampleBytes:
		i.notes.add("only the first %d MiB were looked at", MaxSampleBytes>>20)
		return nil
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%w: %s: the document does not end", ErrSample, lines.place(lines.at))
	case errors.As(err, &syntax):
		return fmt.Errorf("%w: %s: no JSON: %w", ErrSample, lines.place(syntax.ByteOffset), syntax.Err)
	}
	return fmt.Errorf("%w: %w", ErrSample, err)
}

// decompressed looks whether the sample is a gzip stream.
func decompressed(r io.Reader) (io.Reader, error) {
	b := bufio.NewReader(r)
	if head, _ := b.Peek(2); !bytes.Equal(head, []byte{0x1f, 0x8b}) { // a shorter sample is none
		return b, nil
	}
	z, err := gzip.NewReader(b)
	if err != nil {
		return nil, fmt.Errorf("%w: it begins like gzip, and is not: %w", ErrSample, err)
	}
	return z, nil
}

// lineReader remembers where lines begin.
type lineReader struct {
	r     io.Reader
	at    int64
	lines []int64 // offsets behind line feeds
	err   error   // of the reader, other than its end
}

// Read implements io.Reader.
func (l *lineReader) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	for i, c := range p[:n] {
		if c == '\n' {
			l.lines = append(l.lines, l.at+int64(i)+1)
		}
	}
	l.at += int64(n)
	if err != nil && !errors.Is(err, io.EOF) {
		l.err = err
	}
	return n, err
}

// place names an offset as line and column, counted in bytes from 1.
func (l *lineReader) place(offset int64) string {
	line, begin := 1, int64(0)
	for _, at := range l.lines {
		if at > offset {
			break
		}
		line, begin = line+1, at
	}
	return fmt.Sprintf("line %d, column %d", line, offset-begin+1)
}

// PlaceOf names the place of an error of decoding JSON in its text, as Read does; empty if
// the error names none.
func PlaceOf(text []byte, err error) string {
	var syntax *jsontext.SyntacticError
	var meaning *json.SemanticError
	var at int64
	switch {
	case errors.As(err, &syntax):
		at = syntax.ByteOffset
	case errors.As(err, &meaning):
		at = meaning.ByteOffset
	default:
		return ""
	}
	l := &lineReader{r: bytes.NewReader(text)}
	_, _ = io.Copy(io.Discard, struct{ io.Reader }{l}) // reads from memory
	return l.place(at)
}

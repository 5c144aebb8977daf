package deaggregate

import (
	"bytes"
	"fmt"
	"io"
	"sync"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// delimited splits at a delimiter, which is dropped. An empty last part is dropped too: it is
// what a delimiter behind the last part leaves.
func delimited(delimiter []byte) splitter {
	return func(dst [][]byte, data []byte) ([][]byte, error) {
		for len(data) > 0 {
			if len(dst) == MaxParts {
				return dst, errTooMany
			}
			part, rest, _ := bytes.Cut(data, delimiter)
			dst = append(dst, part[:len(part):len(part)])
			data = rest
		}
		return dst, nil
	}
}

// lenient leaves to later steps what does not matter for where documents end.
var lenient = json.JoinOptions(jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))

// reader is a decoder and what it reads, pooled for the memory of its stack.
type reader struct {
	dec jsontext.Decoder
	in  bytes.Buffer
}

var readers = sync.Pool{New: func() any { return new(reader) }}

// reset has the decoder read b where it lies; it does not write there.
func (r *reader) reset(b []byte) {
	r.in = *bytes.NewBuffer(b)
	r.dec.Reset(&r.in, lenient)
}

// splitJSON splits a sequence of JSON documents, with or without white space between them,
// which is dropped. A sequence of none is not taken for one.
func splitJSON(dst [][]byte, data []byte) ([][]byte, error) {
	r := readers.Get().(*reader)
	defer readers.Put(r)
	defer r.reset(nil)
	r.reset(data)
	for {
		part, err := r.dec.ReadValue()
		switch {
		case err == io.EOF && len(dst) > 0:
			return dst, nil
		case err != nil:
			return dst, fmt.Errorf("%w: %w", errNotJSON, err)
		case len(dst) == MaxParts:
			return dst, errTooMany
		}
		dst = append(dst, part[:len(part):len(part)])
	}
}

package firehose

import (
	"bytes"
	"fmt"
	"sync"

	"github.com/go-json-experiment/json/jsontext"

	"hydrant/internal/aws"
	"hydrant/internal/ingest"
	"hydrant/internal/record"
)

// headroom is how far a request's body lies behind the start of its buffer. Records are
// decoded into the front of that buffer while their base64 is read from further behind; the
// distance only grows, so not even a decoder that stores whole vector registers overtakes
// its source.
const headroom = aws.Headroom

// put is one PutRecord or PutRecordBatch, read and decoded. Puts are pooled, with the
// memory that a batch needs beside its buffer.
type put struct {
	name    []byte // the stream's, as far as it was readable
	spans   []span // base64 of each record, in the body
	escaped bool   // some of the base64 has JSON escapes
	batch   record.Batch
	// invalid is what breaks the members' constraints. It is told only after the caller
	// was found to be allowed the operation (spec section 1.6, rule 2).
	invalid violations
	receipt ingest.Receipt
	scratch []byte // unescaped base64
}

var puts = sync.Pool{New: func() any {
	return &put{
		name:  make([]byte, 0, 64),
		spans: make([]span, 0, maxBatchRecords),
		batch: record.Batch{Lengths: make([]uint32, 0, maxBatchRecords)},
	}
}}

func newPut() *put { return puts.Get().(*put) }

// maxPooled is the most memory, in bytes, that a put takes back into the pool for
// something that is small as a rule and may be large.
const maxPooled = 64 << 10

// free gives the put back. Its batch and receipt must not be used any more.
func (p *put) free() {
	if cap(p.name)+cap(p.scratch) > maxPooled {
		return
	}
	*p = put{
		name:    p.name[:0],
		spans:   p.spans[:0],
		batch:   record.Batch{Lengths: p.batch.Lengths[:0]},
		receipt: ingest.Receipt{Runs: p.receipt.Runs[:0]},
		scratch: p.scratch[:0],
	}
	puts.Put(p)
}

// read reads the body buf[headroom:] of an operation and decodes its records into the
// front of buf, back to back. Errors are errSerialization; broken constraints are left in
// p.invalid.
func (p *put) read(buf []byte, op *putOperation) error {
	if p.scan(buf[headroom:], op) {
		err := p.decode(buf)
		p.checkLengths(op)
		return err
	}
	p.name, p.spans, p.escaped = p.name[:0], p.spans[:0], false
	return p.walk(buf, op)
}

// checkLengths finds the records that are too long, which is all that can be wrong with
// the members of a body that scan took.
func (p *put) checkLengths(op *putOperation) {
	for i, n := range p.batch.Lengths {
		if n > record.MaxRecordBytes {
			p.invalid.bounds(op.path(i), dataShape, int64(n), "length")
		}
	}
}

// walk reads any JSON, however unusual, by the operation's shape.
func (p *put) walk(buf []byte, op *putOperation) error {
	root, err := parseBody(op.input, buf[headroom:])
	if err != nil {
		return err
	}
	blobs := op.blobs(root)
	for _, b := range blobs {
		p.spans = append(p.spans, b.content)
		p.escaped = p.escaped || b.escaped
	}
	if name := root.members[0]; name != nil {
		p.name = append(p.name, name.text...)
	}
	if err := p.decode(buf); err != nil {
		return err
	}
	for i, b := range blobs {
		b.size = int(p.batch.Lengths[i])
	}
	p.invalid.check(op.input, root)
	return nil
}

// decode turns the base64 of all spans into the batch, at the front of buf.
func (p *put) decode(buf []byte) error {
	end := 0
	for i, s := range p.spans {
		src := buf[headroom+s.start : headroom+s.end]
		if p.escaped && bytes.IndexByte(src, '\\') >= 0 {
			var err error
			if src, err = p.unescape(buf[headroom+s.start-1 : headroom+s.end+1]); err != nil {
				return err
			}
		}
		n, err := decodeRecord(buf[end:], src)
		if err != nil {
			return malformed("Data of record %d is not valid base64.", i+1)
		}
		end += n
		p.batch.Lengths = append(p.batch.Lengths, uint32(n))
	}
	p.batch.Data = buf[:end:end]
	return nil
}

// unescape returns the content of a quoted string that has escapes.
func (p *put) unescape(quoted []byte) ([]byte, error) {
	plain, rest := p.scratch[:0], quoted[1:len(quoted)-1]
	var err error
	for {
		i := bytes.IndexByte(rest, '\\')
		if i < 0 {
			plain = append(plain, rest...)
			break
		}
		if rest[i+1] != '/' {
			plain, err = jsontext.AppendUnquote(plain[:0], quoted)
			break
		}
		plain = append(plain, rest[:i]...)
		plain = append(plain, '/')
		rest = rest[i+2:]
	}
	p.scratch = plain
	if err != nil {
		return nil, malformed("")
	}
	return plain, nil
}

// decodeRecord decodes one record's base64. The decoder skips line breaks; they would make
// the result shorter than the source says, because each four characters that are not
// padding give three bytes. JSON allows no line break inside a string, and an escaped one
// is no better base64.
func decodeRecord(dst, src []byte) (int, error) {
	want := len(src) / 4 * 3
	switch {
	case len(src) == 0:
		return 0, nil
	case len(src)%4 != 0:
		return 0, errSerialization
	case src[len(src)-2] == '=':
		want -= 2
	case src[len(src)-1] == '=':
		want--
	}
	n, err := decodeBase64(dst, src)
	if err != nil {
		return 0, fmt.Errorf("decode base64: %w", err)
	}
	if n != want {
		return 0, errSerialization
	}
	return n, nil
}

// putOperation is how PutRecord and PutRecordBatch differ to their reader.
type putOperation struct {
	action  string
	input   *shape // its members are the stream's name and the records
	records string // the member that holds the records
	list    bool   // it is a list of them
}

var (
	singlePut = &putOperation{"PutRecord", putRecordInput, "Record", false}
	batchPut  = &putOperation{"PutRecordBatch", putRecordBatchInput, "Records", true}
)

var dataShape = modelRecord.members[0].shape

// path is where violations of record i are, counted from 0.
func (op *putOperation) path(i int) string {
	if op.list {
		return fmt.Sprintf("records.%d.member.data", i+1)
	}
	return "record.data"
}

// blobs are the Data members that a body has, in order.
func (op *putOperation) blobs(root *node) []*node {
	records := root.members[1]
	if records == nil {
		return nil
	}
	all := records.items
	if !op.list {
		all = []*node{records}
	}
	var blobs []*node
	for _, r := range all {
		if !r.null && r.members[0] != nil {
			blobs = append(blobs, r.members[0])
		}
	}
	return blobs
}

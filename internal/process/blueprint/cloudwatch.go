package blueprint

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"sync"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/klauspost/compress/gzip"
)

// Why a record is no message of CloudWatch Logs.
const (
	noGzip       = "it is not gzip, or damaged"
	tooLarge     = "it opens into more than 16 MiB"
	noDocument   = "what is in the gzip is not a document of CloudWatch Logs with messages"
	otherMessage = "its messageType is neither DATA_MESSAGE nor CONTROL_MESSAGE"
)

// maxDocument is the most that a record may be opened into: a small one may open into very
// much. keptBytes is what an idle opener may keep.
const (
	maxDocument = 16 << 20
	keptBytes   = 1 << 20
)

// errDocument says that JSON is not what it should be.
var errDocument = errors.New("not a document of CloudWatch Logs")

// lenient takes what logs may bring: broken UTF-8 and halves of surrogate pairs.
var lenient = json.JoinOptions(jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))

// opener opens records and reads the documents in them. It belongs to one goroutine; pooled
// for its memory.
type opener struct {
	in       bytes.Reader
	zip      gzip.Reader
	document []byte
	source   bytes.Buffer
	json     jsontext.Decoder
}

var openers = sync.Pool{New: func() any { return new(opener) }}

func (o *opener) give() {
	if cap(o.document) > keptBytes {
		o.document = nil
	}
	o.in.Reset(nil)
	o.read(nil)
	openers.Put(o)
}

func (o *opener) read(document []byte) {
	o.source = *bytes.NewBuffer(document)
	o.json.Reset(&o.source, lenient)
}

// cloudWatch is Amazon's blueprint: the messages of a document, each with an LF behind it.
// Control messages are dropped. Amazon's function puts records back into the stream when its
// answer gets too large; here there is no answer that could.
func cloudWatch(dst, data []byte) ([]byte, Result, string) {
	o := openers.Get().(*opener)
	defer o.give()
	if reason := o.open(data); reason != "" {
		return failed(dst, reason)
	}
	o.read(o.document)
	out, kind, err := o.messages(dst)
	switch {
	case err != nil:
		return failed(dst, noDocument)
	case kind == "DATA_MESSAGE":
		return out, Ok, ""
	case kind == "CONTROL_MESSAGE":
		return dst, Dropped, ""
	}
	return failed(dst, otherMessage)
}

// open opens data into o.document, or says why it cannot.
func (o *opener) open(data []byte) (reason string) {
	o.in.Reset(data)
	o.document = o.document[:0]
	if err := o.zip.Reset(&o.in); err != nil {
		return noGzip
	}
	for {
		if len(o.document) == cap(o.document) {
			o.document = slices.Grow(o.document, max(64<<10, len(o.document)))
		}
		n, err := o.zip.Read(o.document[len(o.document):cap(o.document)])
		o.document = o.document[:len(o.document)+n]
		switch {
		case len(o.document) > maxDocument:
			return tooLarge
		case err == io.EOF:
			return ""
		case err != nil:
			return noGzip
		}
	}
}

// messages appends the messages of the document and tells its messageType. A document of
// another type need not have events.
func (o *opener) messages(dst []byte) (out []byte, kind string, err error) {
	start, data, events := len(dst), false, error(errDocument)
	err = o.members(func(name []byte) error {
		switch string(name) {
		case "messageType":
			v, err := o.json.ReadValue()
			kind = kindOf(v)
			data = kind == "DATA_MESSAGE"
			return err
		case "logEvents":
			if o.json.PeekKind() != '[' {
				return o.json.SkipValue()
			}
			dst, events, err = o.events(dst[:start])
			return err
		}
		return o.json.SkipValue()
	})
	if err == nil {
		if _, err = o.json.ReadToken(); err == io.EOF {
			err = nil
		} else if err == nil {
			err = errDocument // something follows
		}
	}
	if err == nil && data {
		err = events
	}
	return dst, kind, err
}

func kindOf(v jsontext.Value) string {
	switch string(v) {
	case `"DATA_MESSAGE"`:
		return "DATA_MESSAGE"
	case `"CONTROL_MESSAGE"`:
		return "CONTROL_MESSAGE"
	}
	return ""
}

// events appends the messages of the array that comes next. If one of them has none, missing
// is an error, and reading goes on, for the document may be of a type that needs no events.
func (o *opener) events(dst []byte) (out []byte, missing, err error) {
	if _, err = o.json.ReadToken(); err != nil {
		return dst, nil, err
	}
	for o.json.PeekKind() != ']' {
		if o.json.PeekKind() != '{' {
			missing = errDocument
			if err = o.json.SkipValue(); err != nil {
				return dst, missing, err
			}
			continue
		}
		found, start := false, len(dst)
		err = o.members(func(name []byte) error {
			if string(name) != "message" {
				return o.json.SkipValue()
			}
			v, err := o.json.ReadValue()
			if found = v.Kind() == '"'; found {
				// The decoder has proven it; what AppendUnquote complains of is broken
				// UTF-8, in place of which it puts U+FFFD.
				dst, _ = jsontext.AppendUnquote(dst[:start], v)
				dst = append(dst, '\n')
			}
			return err
		})
		if err != nil {
			return dst, missing, err
		}
		if !found {
			missing = errDocument
		}
	}
	_, err = o.json.ReadToken()
	return dst, missing, err
}

// members reads the object that comes next. It calls value with each name, which is only
// lent, where the decoder stands before the value.
func (o *opener) members(value func(name []byte) error) error {
	if o.json.PeekKind() != '{' {
		return errDocument
	}
	if _, err := o.json.ReadToken(); err != nil {
		return err
	}
	for o.json.PeekKind() != '}' {
		v, err := o.json.ReadValue()
		if err != nil {
			return err
		}
		name := v[1 : len(v)-1]
		if bytes.IndexByte(name, '\\') >= 0 {
			name, _ = jsontext.AppendUnquote(nil, v)
		}
		if err := value(name); err != nil {
			return err
		}
	}
	_, err := o.json.ReadToken()
	return err
}

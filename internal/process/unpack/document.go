package unpack

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// errNoDocument says that bytes are not a document of CloudWatch Logs.
var errNoDocument = errors.New("not a document of CloudWatch Logs")

// lenient takes what a log may bring with it: broken UTF-8 and halves of surrogate pairs, as
// programs write that cut their messages. Looking for names that come twice would cost more
// than it tells.
var lenient = json.JoinOptions(jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))

// kind is the messageType of a document.
type kind int

const (
	unknown kind = iota
	data         // DATA_MESSAGE: events
	control      // CONTROL_MESSAGE: a check
)

// reader reads documents. It belongs to one goroutine; pooled for the memory of its decoder.
type reader struct {
	dec jsontext.Decoder
	in  bytes.Buffer
}

var readers = sync.Pool{New: func() any { return new(reader) }}

func takeReader() *reader { return readers.Get().(*reader) }

func (r *reader) give() {
	r.reset(nil)
	readers.Put(r)
}

// reset has the decoder read b where it lies; it does not write there.
func (r *reader) reset(b []byte) {
	r.in = *bytes.NewBuffer(b)
	r.dec.Reset(&r.in, lenient)
}

// check tells what kind of document b is. It proves that b is JSON to its end, an object with
// a messageType that is known and an array logEvents.
func (r *reader) check(b []byte) (kind, error) {
	return r.read(b, func() error {
		v, err := r.dec.ReadValue()
		if err == nil && v.Kind() != '[' {
			err = errors.New("logEvents is not an array")
		}
		return err
	})
}

// messages appends the messages of the events in document b to dst, each with an LF behind
// it, and proves that every event has one.
func (r *reader) messages(dst, b []byte) ([]byte, kind, error) {
	start := len(dst)
	k, err := r.read(b, func() error {
		var err error
		dst, err = r.events(dst[:start])
		return err
	})
	return dst, k, err
}

// read walks through the members of document b and calls events where the decoder stands
// before the value of logEvents.
func (r *reader) read(b []byte, events func() error) (kind, error) {
	r.reset(b)
	k, found := unknown, false
	err := r.members("a document", func(name []byte) error {
		switch string(name) {
		case "messageType":
			v, err := r.dec.ReadValue()
			k = kindOf(v)
			return err
		case "logEvents":
			found = true
			return events()
		}
		return r.dec.SkipValue()
	})
	switch {
	case err != nil:
	case k == unknown:
		err = errors.New("its messageType is missing or unknown")
	case !found:
		err = errors.New("its logEvents are missing")
	default:
		if _, err = r.dec.ReadToken(); err == io.EOF {
			return k, nil
		}
		if err == nil {
			err = errors.New("something follows it")
		}
	}
	return unknown, fmt.Errorf("%w: %w", errNoDocument, err)
}

func kindOf(v jsontext.Value) kind {
	switch string(v) {
	case `"DATA_MESSAGE"`:
		return data
	case `"CONTROL_MESSAGE"`:
		return control
	}
	return unknown
}

// events appends the messages of the array that comes next.
func (r *reader) events(dst []byte) ([]byte, error) {
	if t, err := r.dec.ReadToken(); err != nil {
		return dst, err
	} else if t.Kind() != '[' {
		return dst, errors.New("logEvents is not an array")
	}
	for r.dec.PeekKind() != ']' {
		found, start := false, len(dst)
		err := r.members("an event", func(name []byte) error {
			if string(name) != "message" {
				return r.dec.SkipValue()
			}
			v, err := r.dec.ReadValue()
			if err != nil {
				return err
			}
			if v.Kind() != '"' {
				return errors.New("a message is not a string")
			}
			// The decoder has proven it; what AppendUnquote complains of is broken UTF-8,
			// in place of which it puts U+FFFD.
			dst, _ = jsontext.AppendUnquote(dst[:start], v)
			dst, found = append(dst, '\n'), true
			return nil
		})
		if err != nil {
			return dst, err
		}
		if !found {
			return dst, errors.New("an event has no message")
		}
	}
	_, err := r.dec.ReadToken()
	return dst, err
}

// members reads the object that comes next. It calls value with each name, which is only
// lent, where the decoder stands before the value.
func (r *reader) members(what string, value func(name []byte) error) error {
	if t, err := r.dec.ReadToken(); err != nil {
		return err
	} else if t.Kind() != '{' {
		return errors.New(what + " is not an object")
	}
	for r.dec.PeekKind() != '}' {
		v, err := r.dec.ReadValue()
		if err != nil {
			return err
		}
		if err := value(unquoted(v)); err != nil {
			return err
		}
	}
	_, err := r.dec.ReadToken()
	return err
}

// unquoted is the text of a JSON string, in place if it has no escapes, as names never do.
func unquoted(v jsontext.Value) []byte {
	if bytes.IndexByte(v, '\\') < 0 {
		return v[1 : len(v)-1]
	}
	b, _ := jsontext.AppendUnquote(nil, v)
	return b
}

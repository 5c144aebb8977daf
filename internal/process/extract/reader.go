package extract

import (
	"bytes"
	stdjson "encoding/json"
	"errors"
	"io"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// lenient takes what jq takes: broken UTF-8 and halves of surrogate pairs, for which U+FFFD
// stands in, and names that come twice, of which the last counts.
var lenient = json.JoinOptions(jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))

// reader reads JSON. It belongs to one goroutine.
type reader struct {
	dec jsontext.Decoder
	in  bytes.Buffer
}

// reset has the decoder read b where it lies; it does not write there.
func (r *reader) reset(b []byte) {
	r.in = *bytes.NewBuffer(b)
	r.dec.Reset(&r.in, lenient)
}

// atEnd reports whether nothing but white space follows.
func (r *reader) atEnd() bool {
	_, err := r.dec.ReadToken()
	return err == io.EOF
}

// skip proves the value that comes next. SkipValue would spare memory where a value does not
// lie there as a whole, and take nearly twice the time.
func (r *reader) skip() error {
	_, err := r.dec.ReadValue()
	return err
}

// document is b as a value of gojq; if it is an object, with no more than the members that are
// wanted. b must be one JSON value. Numbers keep their digits.
func (r *reader) document(b []byte, wanted reads) (any, error) {
	r.reset(b)
	v, err := r.top(wanted)
	if err == nil && !r.atEnd() {
		err = errors.New("something follows the document")
	}
	return v, err
}

// top reads the value that comes next, with the members that are wanted.
func (r *reader) top(wanted reads) (any, error) {
	if wanted.all || r.dec.PeekKind() != '{' {
		return r.value()
	}
	if _, err := r.dec.ReadToken(); err != nil {
		return nil, err
	}
	return r.object(&wanted)
}

// value reads the value that comes next. The decoder bounds the depth.
func (r *reader) value() (any, error) {
	t, err := r.dec.ReadToken()
	if err != nil {
		return nil, err
	}
	switch t.Kind() {
	case 'n':
		return nil, nil
	case 't', 'f':
		return t.Bool(), nil
	case '"':
		return t.String(), nil
	case '0':
		return stdjson.Number(t.String()), nil
	case '[':
		return r.array()
	}
	return r.object(nil)
}

func (r *reader) array() (any, error) {
	list := []any{}
	for r.dec.PeekKind() != ']' {
		v, err := r.value()
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	_, err := r.dec.ReadToken()
	return list, err
}

// object reads an object behind its brace; wanted is nil for all of its members.
func (r *reader) object(wanted *reads) (any, error) {
	members := map[string]any{}
	for r.dec.PeekKind() != '}' {
		v, err := r.dec.ReadValue()
		if err != nil {
			return nil, err
		}
		text := unquoted(v)
		if wanted != nil && !wanted.has(text) {
			if err := r.skip(); err != nil {
				return nil, err
			}
			continue
		}
		name := string(text)
		if members[name], err = r.value(); err != nil {
			return nil, err
		}
	}
	_, err := r.dec.ReadToken()
	return members, err
}

// unquoted is the text of a JSON string, in place if it is plain, as names are.
func unquoted(v []byte) []byte {
	plain := v[1 : len(v)-1]
	for _, c := range plain {
		if c == '\\' || c >= 0x80 {
			return unescaped(v)
		}
	}
	return plain
}

// unescaped is the text of a JSON string that the decoder has proven. What AppendUnquote
// complains of is broken UTF-8, in place of which it puts U+FFFD.
func unescaped(v []byte) []byte {
	b, _ := jsontext.AppendUnquote(nil, v)
	return b
}

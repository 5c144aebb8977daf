package firehose

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// errSerialization is wrapped by every refusal of a body that is not the JSON its shape
// wants. A *serializationError has the words for the client.
var errSerialization = errors.New("body does not fit its shape")

// serializationError is an errSerialization; message may be empty (spec section 1.6).
type serializationError struct{ message string }

func (e *serializationError) Error() string { return errSerialization.Error() + ": " + e.message }
func (e *serializationError) Unwrap() error { return errSerialization }

func malformed(format string, args ...any) error {
	return &serializationError{fmt.Sprintf(format, args...)}
}

// maxNodes bounds what one body may make of the server's memory. The largest legal
// request, a batch of 500 records, has about 1,000.
const maxNodes = 10_000

// maxText is how many bytes of a text are judged if its shape does not need more: a pattern
// takes up to a third of a second for a MiB. What is longer is too long or no value of an
// enum, and the rest of it would not change that. Of a pattern only its beginning and its
// end are asked, as if what is between them fitted.
const maxText = 64 << 10

// judged is how many bytes of a text of this shape are judged: if there are more, those
// alone, without the maxCut bytes that cutting may take, are too many characters.
func (s *shape) judged() int {
	if s.high > (math.MaxInt-maxCut)/utf8.UTFMax-1 {
		return maxText
	}
	return max(maxText, utf8.UTFMax*(int(s.high)+1)+maxCut)
}

// node is a value of the body that its shape knows.
type node struct {
	null    bool
	text    string
	number  float64
	integer int64
	members []*node          // of a structure, as in shape.members; nil: absent
	items   []*node          // of a list, one more than it may have at most
	entries map[string]*node // of a mapping
	content span             // of a blob: the string in the body
	escaped bool             // of a blob: the content has escapes
	size    int              // of a blob: its bytes, known once it is decoded
}

// walker reads a body by its shape. Unknown members are skipped, and must only be JSON.
// Members that the shape knows may appear once.
type walker struct {
	body  []byte
	dec   *jsontext.Decoder
	nodes int
}

// parseBody reads the whole body. Errors are errSerialization.
func parseBody(s *shape, body []byte) (*node, error) {
	// Names that nobody looks at need not be told apart, which saves remembering them.
	w := walker{body: body, dec: jsontext.NewDecoder(bytes.NewBuffer(body), jsontext.AllowDuplicateNames(true))}
	n, err := w.value(s)
	if err != nil {
		return nil, err
	}
	if n.null {
		return nil, malformed("")
	}
	if _, err := w.dec.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, malformed("")
	}
	return n, nil
}

// wants says which JSON each kind of shape takes, and how a refusal names the kind.
var wants = map[kind]struct {
	json    jsontext.Kind
	article string
}{
	structure: {jsontext.KindBeginObject, ""},
	mapping:   {jsontext.KindBeginObject, ""},
	list:      {jsontext.KindBeginArray, ""},
	text:      {jsontext.KindString, "a String"},
	blob:      {jsontext.KindString, "a Blob"},
	integer:   {jsontext.KindNumber, "an Integer"},
	double:    {jsontext.KindNumber, "a Double"},
	boolean:   {jsontext.KindTrue, "a Boolean"},
}

// value reads one value of the given shape.
func (w *walker) value(s *shape) (*node, error) {
	if w.nodes++; w.nodes > maxNodes {
		return nil, malformed("The request has too many members.")
	}
	got := w.dec.PeekKind()
	if got == jsontext.KindNull {
		if _, err := w.dec.ReadToken(); err != nil {
			return nil, malformed("")
		}
		return &node{null: true}, nil
	}
	want := wants[s.kind].json
	if got == jsontext.KindFalse && want == jsontext.KindTrue {
		got = want
	}
	if got != want {
		return nil, w.misfit(s.kind, got)
	}
	switch s.kind {
	case structure:
		return w.structure(s)
	case list:
		return w.list(s)
	case mapping:
		return w.mapping(s)
	default:
		return w.scalar(s)
	}
}

// misfit finds the words for JSON of the wrong kind. If the value is not even JSON there
// are none.
func (w *walker) misfit(want kind, got jsontext.Kind) error {
	if _, err := w.dec.ReadToken(); err != nil {
		return malformed("")
	}
	var name string
	switch got {
	case jsontext.KindBeginObject:
		return malformed("Start of structure or map found where not expected.")
	case jsontext.KindBeginArray:
		return malformed("Start of list found where not expected.")
	case jsontext.KindString:
		name = "STRING_VALUE"
	case jsontext.KindNumber:
		name = "NUMBER_VALUE"
	case jsontext.KindTrue:
		name = "TRUE_VALUE"
	case jsontext.KindFalse:
		name = "FALSE_VALUE"
	}
	switch want {
	case structure, mapping:
		return malformed("Expected structure, map or null")
	case list:
		return malformed("Expected list or null")
	}
	return malformed("%s can not be converted to %s", name, wants[want].article)
}

// scalar reads a string, number or boolean of the right kind.
func (w *walker) scalar(s *shape) (*node, error) {
	raw, err := w.dec.ReadValue()
	if err != nil {
		return nil, malformed("")
	}
	n := &node{}
	switch s.kind {
	case blob:
		end := uint32(w.dec.InputOffset())
		n.content = span{end - uint32(len(raw)) + 1, end - 1}
		n.escaped = bytes.IndexByte(raw, '\\') >= 0
	case text:
		if n.text, err = unquote(raw, s.judged()); err != nil {
			return nil, err
		}
	case integer:
		if n.integer, err = strconv.ParseInt(string(raw), 10, 64); err != nil {
			return nil, malformed("NUMBER_VALUE can not be converted to an Integer")
		}
	case double:
		if n.number, err = strconv.ParseFloat(string(raw), 64); err != nil {
			return nil, malformed("NUMBER_VALUE can not be converted to a Double")
		}
	}
	return n, nil
}

// unquote returns the content of a quoted string, or about n bytes of it.
func unquote(raw []byte, n int) (string, error) {
	content := raw[1 : len(raw)-1]
	if bytes.IndexByte(content, '\\') >= 0 {
		var err error
		if content, err = jsontext.AppendUnquote(nil, raw); err != nil {
			return "", malformed("")
		}
	}
	if len(content) <= n {
		return string(content), nil
	}
	return cut(content, n), nil
}

// maxCut is how many bytes more than it was told to cut may take away.
const maxCut = 3 * (utf8.UTFMax - 1)

// cut takes the middle out of a text that has more than n bytes, which leaves up to n. It
// splits no character and, in a text of base64, no group of four.
func cut(content []byte, n int) string {
	const group = 4
	excess := (len(content) - n + group - 1) / group * group
	head, tail := content[:n/2], content[n/2+excess:]
	for !utf8.RuneStart(content[len(head)]) {
		head = head[:len(head)-1]
	}
	for !utf8.RuneStart(tail[0]) {
		tail = tail[1:]
	}
	return string(head) + string(tail)
}

// structure reads an object whose members the shape names.
func (w *walker) structure(s *shape) (*node, error) {
	n := &node{members: make([]*node, len(s.members))}
	seen := make([]bool, len(s.members))
	return n, w.object(func(name string) error {
		i := s.member(name)
		if i < 0 {
			if err := w.dec.SkipValue(); err != nil {
				return malformed("")
			}
			return nil
		}
		if seen[i] {
			return malformed("")
		}
		seen[i] = true
		v, err := w.value(s.members[i].shape)
		if err != nil {
			return err
		}
		if !v.null || s.members[i].notNull {
			n.members[i] = v
		}
		return nil
	})
}

// member is the index of the member of that name, -1 if there is none.
func (s *shape) member(name string) int {
	for i := range s.members {
		if s.members[i].name == name {
			return i
		}
	}
	return -1
}

// mapping reads an object whose names are data. Names that were cut may look alike, and are
// too long anyway.
func (w *walker) mapping(s *shape) (*node, error) {
	n := &node{entries: map[string]*node{}}
	return n, w.object(func(name string) error {
		if n.entries[name] != nil && len(name) < maxText-maxCut {
			return malformed("")
		}
		v, err := w.value(s.of)
		n.entries[name] = v
		return err
	})
}

// object reads an object, calling member for each name, which must read the value.
func (w *walker) object(member func(name string) error) error {
	if _, err := w.dec.ReadToken(); err != nil {
		return malformed("")
	}
	for w.dec.PeekKind() != jsontext.KindEndObject {
		raw, err := w.dec.ReadValue()
		if err != nil {
			return malformed("")
		}
		name, err := unquote(raw, maxText)
		if err != nil {
			return err
		}
		if err := member(name); err != nil {
			return err
		}
	}
	if _, err := w.dec.ReadToken(); err != nil {
		return malformed("")
	}
	return nil
}

// list reads an array. Of the elements behind the last allowed one it keeps one, which
// shows that there are too many; the others must only be JSON.
func (w *walker) list(s *shape) (*node, error) {
	if _, err := w.dec.ReadToken(); err != nil {
		return nil, malformed("")
	}
	n := &node{}
	for w.dec.PeekKind() != jsontext.KindEndArray {
		if int64(len(n.items)) > s.high {
			if err := w.dec.SkipValue(); err != nil {
				return nil, malformed("")
			}
			continue
		}
		v, err := w.value(s.of)
		if err != nil {
			return nil, err
		}
		n.items = append(n.items, v)
	}
	if _, err := w.dec.ReadToken(); err != nil {
		return nil, malformed("")
	}
	return n, nil
}

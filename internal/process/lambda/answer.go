package lambda

import (
	"bytes"
	"encoding/base64"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// answer is what a function returns (spec section 5.4).
type answer struct {
	Records []outcome `json:"records"`
}

type outcome struct {
	ID       string         `json:"recordId"`
	Result   string         `json:"result"`
	Data     jsontext.Value `json:"data"` // as it came, in quotes; nil or null for none
	Metadata jsontext.Value `json:"metadata"`

	data []byte // Data, decoded; nil for none
}

// parse reads an answer. It is false if the answer is none: one that is not JSON, has an
// unknown result or data that is no base64 makes the batch fail as a whole.
func parse(b []byte) (a answer, ok bool) {
	if a.Records, ok = scan(b); !ok {
		if json.Unmarshal(b, &a, lenient) != nil {
			return a, false
		}
	}
	for i := range a.Records {
		o := &a.Records[i]
		switch o.Result {
		case "Ok":
			if !o.decode() {
				return a, false
			}
		case "Dropped", "ProcessingFailed":
		default:
			return a, false
		}
	}
	return a, true
}

// lenient is how JSON is read: functions come in all languages, and what JSON leaves open is
// taken.
var lenient = json.JoinOptions(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))

// keys are the partition keys: texts (spec section 7.3). Anything else is no key, and fails
// the record if its prefix wants it, not the batch.
func (o *outcome) keys() map[string]string {
	var m struct {
		Keys map[string]jsontext.Value `json:"partitionKeys"`
	}
	if o.Metadata.Kind() != '{' || json.Unmarshal(o.Metadata, &m, lenient) != nil || len(m.Keys) == 0 {
		return nil
	}
	keys := make(map[string]string, len(m.Keys))
	for name, value := range m.Keys {
		if value.Kind() != '"' {
			continue
		}
		if text, err := jsontext.AppendUnquote(nil, value); err == nil { // else it is no UTF-8
			keys[name] = string(text)
		}
	}
	return keys
}

// decode decodes the data, if there is any.
func (o *outcome) decode() bool {
	text := []byte(o.Data)
	if len(text) == 0 || string(text) == "null" {
		return true
	}
	if text[0] != '"' {
		return false
	}
	if inner := text[1 : len(text)-1]; bytes.IndexByte(inner, '\\') < 0 {
		text = inner
	} else {
		var err error
		if text, err = jsontext.AppendUnquote(nil, text); err != nil {
			return false
		}
	}
	if bytes.IndexByte(text, '\r') >= 0 || bytes.IndexByte(text, '\n') >= 0 { // which package base64 would skip
		return false
	}
	o.data = make([]byte, base64.StdEncoding.DecodedLen(len(text)))
	n, err := base64.StdEncoding.Decode(o.data, text)
	o.data = o.data[:n]
	return err == nil
}

// scan reads an answer as functions as a rule write it: nothing but records, of them nothing
// but id, result and data, and no escapes. It is false for all others, which may be JSON all
// the same. It is several times as fast as a decoder that must expect everything, and data
// is most of what travels.
func scan(b []byte) (records []outcome, ok bool) {
	s := scanner{b}
	if !s.take('{') || string(s.text()) != "records" || !s.take(':') || !s.take('[') {
		return nil, false
	}
	for !s.take(']') {
		if len(records) > 0 && !s.take(',') {
			return nil, false
		}
		var o outcome
		if !s.record(&o) {
			return nil, false
		}
		records = append(records, o)
	}
	return records, s.take('}') && len(s.space()) == 0
}

// scanner is what is left of an answer.
type scanner struct{ rest []byte }

// space skips white space and returns what is left.
func (s *scanner) space() []byte {
	for len(s.rest) > 0 && (s.rest[0] == ' ' || s.rest[0] == '\n' || s.rest[0] == '\t' || s.rest[0] == '\r') {
		s.rest = s.rest[1:]
	}
	return s.rest
}

// take takes a character off, behind white space.
func (s *scanner) take(c byte) bool {
	if b := s.space(); len(b) == 0 || b[0] != c {
		return false
	}
	s.rest = s.rest[1:]
	return true
}

// quoted takes a string off, with its quotes. It is nil if none comes or one with escapes.
func (s *scanner) quoted() []byte {
	b := s.space()
	if len(b) == 0 || b[0] != '"' {
		return nil
	}
	end := bytes.IndexByte(b[1:], '"')
	if end < 0 || bytes.IndexByte(b[1:1+end], '\\') >= 0 {
		return nil
	}
	s.rest = b[end+2:]
	return b[: end+2 : end+2]
}

// text is what stands between the quotes of a short string of plain characters.
func (s *scanner) text() []byte {
	q := s.quoted()
	if len(q) < 2 {
		return nil
	}
	q = q[1 : len(q)-1]
	for _, c := range q {
		if c < 0x20 || c >= 0x7f {
			return nil
		}
	}
	return q
}

// record takes a record off: each of its members once.
func (s *scanner) record(o *outcome) bool {
	if !s.take('{') {
		return false
	}
	for first := true; !s.take('}'); first = false {
		if !first && !s.take(',') {
			return false
		}
		name := s.text()
		if name == nil || !s.take(':') {
			return false
		}
		switch {
		case string(name) == "recordId" && o.ID == "":
			o.ID = string(s.text())
			if o.ID == "" {
				return false
			}
		case string(name) == "result" && o.Result == "":
			if o.Result = string(s.text()); o.Result == "" {
				return false
			}
		case string(name) == "data" && o.Data == nil:
			if o.Data = s.quoted(); o.Data == nil {
				return false
			}
		default:
			return false
		}
	}
	return true
}

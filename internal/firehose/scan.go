package firehose

import "bytes"

// span is the content of a JSON string, without its quotes: body[start:end].
type span struct{ start, end uint32 }

// scanner reads the puts that SDKs send, and those only: one object with the two members
// that the operation has, in either order, without nulls, unknown members, escapes other
// than \/ or anything that breaks a constraint. It knows nothing of errors: what it does
// not take goes to walk.go, which reads any JSON and finds the words for what is wrong.
//
// It hardly looks into the strings of the records: what JSON forbids in a string (control
// characters, bad UTF-8) is not base64 either, but for line breaks, which decodeRecord
// notices.
type scanner struct {
	body []byte
	i    int
}

// scan reads body into p and reports whether it could. It changes nothing in the body.
func (p *put) scan(body []byte, op *putOperation) bool {
	s := scanner{body: body}
	if !s.take('{') || !p.scanMember(&s, op) || !s.take(',') || !p.scanMember(&s, op) || !s.take('}') {
		return false
	}
	s.space()
	return s.i == len(body)
}

// scanMember reads one member of the request, which must not be there yet. So two members
// are both members.
func (p *put) scanMember(s *scanner, op *putOperation) bool {
	name, ok := s.text()
	if !ok || !s.take(':') {
		return false
	}
	switch string(s.body[name.start:name.end]) {
	case "DeliveryStreamName":
		return len(p.name) == 0 && p.scanName(s)
	case op.records:
		if len(p.spans) > 0 {
			return false
		}
		if op.list {
			return p.scanRecords(s)
		}
		return p.scanRecord(s)
	}
	return false
}

// scanName reads the stream's name. It is copied: decoding overwrites the body.
func (p *put) scanName(s *scanner) bool {
	v, ok := s.text()
	if !ok || !isStreamName(s.body[v.start:v.end]) {
		return false
	}
	p.name = append(p.name, s.body[v.start:v.end]...)
	return true
}

// scanRecords reads the list of a batch.
func (p *put) scanRecords(s *scanner) bool {
	if !s.take('[') {
		return false
	}
	for p.scanRecord(s) {
		if !s.take(',') {
			return s.take(']')
		}
	}
	return false
}

// scanRecord reads one {"Data":"…"}.
func (p *put) scanRecord(s *scanner) bool {
	if len(p.spans) == maxBatchRecords || !s.take('{') {
		return false
	}
	name, ok := s.text()
	if !ok || string(s.body[name.start:name.end]) != "Data" || !s.take(':') {
		return false
	}
	data, ok := s.text()
	if !ok || !s.take('}') {
		return false
	}
	if content := s.body[data.start:data.end]; bytes.IndexByte(content, '\\') >= 0 {
		if !onlySlashesEscaped(content) {
			return false
		}
		p.escaped = true
	}
	p.spans = append(p.spans, data)
	return true
}

// onlySlashesEscaped reports whether each backslash of a string's content begins the
// escape of a slash, as some encoders write base64.
func onlySlashesEscaped(content []byte) bool {
	for {
		i := bytes.IndexByte(content, '\\')
		if i < 0 {
			return true
		}
		if i+1 == len(content) || content[i+1] != '/' {
			return false
		}
		content = content[i+2:]
	}
}

// space skips white space.
func (s *scanner) space() {
	for s.i < len(s.body) {
		switch s.body[s.i] {
		case ' ', '\t', '\n', '\r':
			s.i++
		default:
			return
		}
	}
}

// take reads c, after white space.
func (s *scanner) take(c byte) bool {
	if s.i < len(s.body) && s.body[s.i] == c { // what compact writers send
		s.i++
		return true
	}
	s.space()
	if s.i < len(s.body) && s.body[s.i] == c {
		s.i++
		return true
	}
	return false
}

// text reads a string, after white space. It ends at the next quote; an escaped quote ends
// the content in a backslash, which none of the callers takes.
func (s *scanner) text() (span, bool) {
	if !s.take('"') {
		return span{}, false
	}
	n := bytes.IndexByte(s.body[s.i:], '"')
	if n < 0 {
		return span{}, false
	}
	v := span{uint32(s.i), uint32(s.i + n)}
	s.i += n + 1
	return v, true
}

// isStreamName checks 1–64 characters of [a-zA-Z0-9_.-] (spec section 2.1).
func isStreamName(name []byte) bool {
	if len(name) < 1 || len(name) > 64 {
		return false
	}
	for _, c := range name {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '_', c == '.', c == '-':
		default:
			return false
		}
	}
	return true
}

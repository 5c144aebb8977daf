package blueprint

import "bytes"

// Why a record is no syslog to Hydrant's blueprints.
const (
	badPriority  = "the priority is not a number from 0 to 191 in < >"
	badVersion   = "the version of syslog is not 1"
	noTime       = "there is no time in front: neither Oct 11 22:14:15 nor 2003-10-11T22:14:15.003Z"
	noHeader     = "behind the version there are not time, host, program, process and message id"
	badStructure = "the structured data is broken or too much"
)

// message is a record of syslog of either kind. Of what is nil there is nothing.
type message struct {
	facility, severity           int // -1 without a priority
	timestamp, hostname, program []byte
	processid, messageid         []byte
	structured                   []byte // elements as they came
	text                         []byte // never empty
}

// parse takes a record apart, or says why it cannot. A version behind the priority makes it
// one of RFC 5424. The line break at its end is not part of the text; others are.
func (m *message) parse(data []byte) (reason string) {
	data = trimLine(data)
	m.facility, m.severity = -1, -1
	if len(data) == 0 || data[0] != '<' {
		return m.parseOld(data)
	}
	n := spanOf(data[1:], digit)
	if n == 0 || n > 3 || n+1 == len(data) || data[n+1] != '>' {
		return badPriority
	}
	priority, _ := decimal(data[1:], n)
	if priority > 191 {
		return badPriority
	}
	m.facility, m.severity = priority/8, priority%8
	data = data[n+2:]
	if n = spanOf(data, digit); n > 0 && n < 4 && n < len(data) && data[n] == ' ' {
		if n != 1 || data[0] != '1' {
			return badVersion
		}
		return m.parseNew(data[2:])
	}
	return m.parseOld(data)
}

// parseNew parses a record of RFC 5424 behind its version.
func (m *message) parseNew(s []byte) (reason string) {
	var head [5][]byte
	for i := range head {
		word, rest, ok := cutClass(s, header, ' ')
		if !ok {
			return noHeader
		}
		head[i], s = something(word), rest
	}
	m.timestamp, m.hostname, m.program, m.processid, m.messageid = head[0], head[1], head[2], head[3], head[4]
	if m.timestamp != nil && fullTime(m.timestamp) != len(m.timestamp) {
		return noTime
	}
	n := structurePrefix(s)
	if n == 0 {
		return badStructure
	}
	m.structured, s = something(s[:n]), s[n:]
	if len(s) > 0 {
		m.setText(bytes.TrimPrefix(s[1:], []byte("\ufeff")))
	}
	return ""
}

// parseOld parses a record as RFC 3164 describes it and programs write it: behind the time,
// which may be a full one, a host, a tag and the text. Tags are told by what ends them; where
// a tag stands in the place of the host, as on local sockets, there is no host.
func (m *message) parseOld(s []byte) (reason string) {
	n := oldTime(s)
	if n == 0 {
		n = fullTime(s)
	}
	if n == 0 || n < len(s) && s[n] != ' ' {
		return noTime
	}
	m.timestamp, s = s[:n], s[min(n+1, len(s)):]
	if len(s) > 0 && s[0] == '<' {
		s = s[pairPrefix(s):] // facility and level, as some syslogs write them
	}
	if m.cutTag(s) {
		return ""
	}
	if n = bytes.IndexByte(s, ' '); n < 0 {
		n = len(s)
	}
	if n > 0 {
		m.hostname = something(s[:n])
	}
	s = s[min(n+1, len(s)):]
	if !m.cutTag(s) {
		m.setText(s)
	}
	return ""
}

func (m *message) setText(s []byte) {
	if len(s) > 0 {
		m.text = s
	}
}

// cutTag takes a tag from the front of s and leaves the rest to be the text: program: or
// program[123]:, where a process may do without the colon.
func (m *message) cutTag(s []byte) bool {
	n := 0
	for n < len(s) && s[n] > ' ' && s[n] != ':' && s[n] != '[' {
		n++
	}
	if n == 0 || n == len(s) || s[n] <= ' ' {
		return false
	}
	program, rest, pid := s[:n], s[n:], []byte(nil)
	if rest[0] == '[' {
		end := spanNot(rest, space)
		if end = bytes.IndexByte(rest[:end], ']'); end < 2 {
			return false
		}
		pid, rest = rest[1:end], rest[end+1:]
	}
	switch {
	case bytes.HasPrefix(rest, []byte(": ")):
		rest = rest[2:]
	case len(rest) > 0 && rest[0] == ' ':
		rest = rest[1:]
	case len(rest) == 1 && rest[0] == ':':
		rest = rest[1:]
	case len(rest) > 0:
		return false // an address of IPv6, or text
	}
	m.program, m.processid = program, pid
	m.setText(rest)
	return true
}

// oldTime is the length of Oct 11 22:14:15 at the front of s, where a day before the tenth
// has a blank or a zero in front, or neither; and of the fraction behind it, if there is one.
func oldTime(s []byte) int {
	if len(s) < 14 || s[0] < 'A' || s[0] > 'Z' || monthOf(s) == 0 || s[3] != ' ' {
		return 0
	}
	n := 4
	if s[4] == ' ' {
		n = 5
	}
	day := dayPrefix(s[n:])
	if n += day; day == 0 || n+9 > len(s) || s[n] != ' ' || !dayTime(s[n+1:]) {
		return 0
	}
	return n + 9 + fraction(s[n+9:])
}

// fullTime is the length of a time of RFC 3339 at the front of s, or 0.
func fullTime(s []byte) int {
	if len(s) < 20 || s[4] != '-' || s[7] != '-' || s[10] != 'T' || !dayTime(s[11:]) {
		return 0
	}
	year, ok1 := decimal(s, 4)
	month, ok2 := decimal(s[5:], 2)
	day, ok3 := decimal(s[8:], 2)
	if c := (clock{year: year, month: month, day: day}); !ok1 || !ok2 || !ok3 || !c.valid() {
		return 0
	}
	n := 19 + fraction(s[19:])
	switch zone := s[n:]; {
	case len(zone) > 0 && zone[0] == 'Z':
		return n + 1
	case len(zone) < 6 || zone[0] != '+' && zone[0] != '-' || zone[3] != ':':
	default:
		hh, ok1 := decimal(zone[1:], 2)
		mm, ok2 := decimal(zone[4:], 2)
		if ok1 && ok2 && hh < 24 && mm < 60 {
			return n + 6
		}
	}
	return 0
}

// dayTime reports whether s begins with a time such as 22:14:15, which may be a leap second.
func dayTime(s []byte) bool {
	if len(s) < 8 || s[2] != ':' || s[5] != ':' {
		return false
	}
	hour, ok1 := decimal(s, 2)
	minute, ok2 := decimal(s[3:], 2)
	second, ok3 := decimal(s[6:], 2)
	return ok1 && ok2 && ok3 && hour < 24 && minute < 60 && second < 61
}

// fraction is the length of a dot and up to nine digits at the front of s, or 0.
func fraction(s []byte) int {
	if len(s) < 2 || s[0] != '.' {
		return 0
	}
	if n := spanOf(s[1:], digit); n > 0 && n < 10 {
		return 1 + n
	}
	return 0
}

// messageJSON makes a line of JSON. All members are there, null if there is nothing.
func messageJSON(dst, data []byte) ([]byte, Result, string) {
	var m message
	if reason := m.parse(data); reason != "" {
		return failed(dst, reason)
	}
	dst = appendLevel(append(dst, `{"facility":`...), m.facility, "null")
	dst = appendLevel(append(dst, `,"severity":`...), m.severity, "null")
	dst = appendText(append(dst, `,"timestamp":`...), m.timestamp)
	dst = appendText(append(dst, `,"hostname":`...), m.hostname)
	dst = appendText(append(dst, `,"program":`...), m.program)
	dst = appendText(append(dst, `,"processid":`...), m.processid)
	dst = appendText(append(dst, `,"messageid":`...), m.messageid)
	dst = append(dst, `,"structureddata":`...)
	if m.structured == nil {
		dst = append(dst, "null"...)
	} else {
		dst = appendStructure(dst, m.structured)
	}
	dst = appendText(append(dst, `,"message":`...), m.text)
	return append(dst, '}', '\n'), Ok, ""
}

// appendLevel appends a facility or a severity, or none.
func appendLevel(dst []byte, n int, none string) []byte {
	switch {
	case n < 0:
		return append(dst, none...)
	case n < 10:
		return append(dst, byte('0'+n))
	}
	return append2(dst, n)
}

// messageCSV makes nine columns, empty if there is nothing; structured data is as it came.
func messageCSV(dst, data []byte) ([]byte, Result, string) {
	var m message
	if reason := m.parse(data); reason != "" {
		return failed(dst, reason)
	}
	dst = append(appendLevel(dst, m.facility, ""), ',')
	dst = append(appendLevel(dst, m.severity, ""), ',')
	dst = append(append(dst, m.timestamp...), ',')
	dst = append(appendCSV(dst, m.hostname), ',')
	dst = append(appendCSV(dst, m.program), ',')
	dst = append(appendCSV(dst, m.processid), ',')
	dst = append(appendCSV(dst, m.messageid), ',')
	dst = append(appendCSV(dst, m.structured), ',')
	return append(appendCSV(dst, m.text), '\n'), Ok, ""
}

package blueprint

import (
	"bytes"
	"unicode/utf8"
)

// Why a line is no syslog to Amazon's blueprints.
const (
	noMoment  = "it does not begin with a month, a day and a time, such as Oct 11 22:14:15"
	badPair   = "what stands in < > behind the time is not two numbers"
	noSender  = "there is no host behind the time"
	noProgram = "there is no program with a colon and a space behind the host"
)

// syslogLine is a line of syslog as Amazon's blueprints see it: as files have it, without a
// priority.
type syslogLine struct {
	timestamp, hostname, program []byte
	processid                    []byte // nil if there is none
	message                      []byte
}

// parse takes line apart, or says why it cannot.
func (s *syslogLine) parse(line []byte) (reason string) {
	n := momentPrefix(line)
	if n == 0 || n == len(line) || line[n] != ' ' {
		return noMoment
	}
	s.timestamp, line = line[:n], line[n+1:]
	if len(line) > 0 && line[0] == '<' {
		if n = pairPrefix(line); n == 0 {
			return badPair
		}
		line = line[n:]
	}
	var ok bool
	if s.hostname, line, ok = cutClass(line, hostname, ' '); !ok {
		return noSender
	}
	n = spanOf(line, program)
	s.program, line = line[:n], line[n:]
	s.processid, line = cutPID(line)
	if n == 0 || len(line) < 2 || line[0] != ':' || line[1] != ' ' {
		return noProgram
	}
	s.message = firstLine(line[2:])
	return ""
}

// cutPID takes [123] from the front of s, if it is there; numbers do not begin with zero.
func cutPID(s []byte) (pid, rest []byte) {
	if len(s) < 3 || s[0] != '[' || s[1] == '0' {
		return nil, s
	}
	n := 1 + spanOf(s[1:], digit)
	if n == 1 || n == len(s) || s[n] != ']' {
		return nil, s
	}
	return s[1:n], s[n+1:]
}

// pairPrefix is the length of <12.34> and a space at the front of s: two numbers with any one
// character between, which may itself be a digit, so that <123> is a pair, too.
func pairPrefix(s []byte) int {
	n := 1 + spanOf(s[1:], digit)
	if n >= 4 && bytes.HasPrefix(s[n:], []byte("> ")) {
		return n + 2
	}
	if n == 1 || n == len(s) || s[n] == '\n' || s[n] == '\r' {
		return 0
	}
	_, size := utf8.DecodeRune(s[n:])
	n += size
	digits := spanOf(s[n:], digit)
	if n += digits; digits == 0 || !bytes.HasPrefix(s[n:], []byte("> ")) {
		return 0
	}
	return n + 2
}

// momentPrefix is the length of the month, day and time at the front of s, or 0.
func momentPrefix(s []byte) int {
	n := monthPrefix(s)
	if n == 0 {
		return 0
	}
	blanks := spanOf(s[n:], space)
	n += blanks
	day := dayPrefix(s[n:])
	if n += day; blanks == 0 || day == 0 {
		return 0
	}
	blanks = spanOf(s[n:], space)
	n += blanks
	t := timePrefix(s[n:])
	if blanks == 0 || t == 0 {
		return 0
	}
	return n + t
}

// monthPrefix is the length of the English month at the front of s, short or full.
func monthPrefix(s []byte) int {
	if len(s) < 3 || s[0] < 'A' || s[0] > 'Z' || s[1] < 'a' || s[2] < 'a' {
		return 0
	}
	m := monthOf(s)
	if m == 0 {
		return 0
	}
	if rest := monthEnds[m]; len(s)-3 >= len(rest) && string(s[3:3+len(rest)]) == rest {
		return 3 + len(rest)
	}
	return 3
}

// monthEnds is what follows the abbreviation of each month in its name.
var monthEnds = [...]string{"", "uary", "ruary", "ch", "il", "", "e", "y", "ust", "tember", "ober", "ember", "ember"}

// dayPrefix is the length of a day from 1 to 31, with or without a zero in front.
func dayPrefix(s []byte) int {
	n := spanOf(s, digit)
	if n == 1 && s[0] != '0' {
		return 1
	}
	if n != 2 {
		return 0
	}
	if d, _ := decimal(s, 2); d < 1 || d > 31 {
		return 0
	}
	return 2
}

// timePrefix is the length of 22:14:15 at the front of s, perhaps with a fraction. Hours and
// seconds may have one digit.
func timePrefix(s []byte) int {
	hour, rest, ok := oneOrTwo(s, ':')
	if !ok || hour > 23 || len(rest) < 4 || rest[2] != ':' {
		return 0
	}
	minute, ok := decimal(rest, 2)
	if !ok || minute > 59 {
		return 0
	}
	rest = rest[3:]
	n := spanOf(rest, digit)
	if n == 0 || n > 2 {
		return 0
	}
	if second, _ := decimal(rest, n); second > 60 {
		return 0
	}
	rest = rest[n:]
	if len(rest) > 1 && (rest[0] == ':' || rest[0] == '.' || rest[0] == ',') {
		if n = spanOf(rest[1:], digit); n > 0 {
			rest = rest[1+n:]
		}
	}
	return len(s) - len(rest)
}

// syslogJSON is Amazon's blueprint in Node.js.
func syslogJSON(dst, data []byte) ([]byte, Result, string) {
	var s syslogLine
	if reason := s.parse(data); reason != "" {
		return failed(dst, reason)
	}
	dst = appendJSON(append(dst, `{"timestamp":`...), s.timestamp)
	dst = appendJSON(append(dst, `,"hostname":`...), s.hostname)
	dst = appendJSON(append(dst, `,"program":`...), s.program)
	if s.processid != nil {
		dst = appendJSON(append(dst, `,"processid":`...), s.processid)
	}
	return append(appendJSON(append(dst, `,"message":`...), s.message), '}'), Ok, ""
}

// syslogPython is Amazon's blueprint in Python.
func syslogPython(dst, data []byte) ([]byte, Result, string) {
	var s syslogLine
	if reason := s.parse(data); reason != "" {
		return failed(dst, reason)
	}
	dst = appendASCII(append(dst, `{"timestamp": `...), s.timestamp)
	dst = appendASCII(append(dst, `, "hostname": `...), s.hostname)
	dst = appendASCII(append(dst, `, "program": `...), s.program)
	dst = append(dst, `, "processid": `...)
	if s.processid != nil {
		dst = appendASCII(dst, s.processid)
	} else {
		dst = append(dst, "null"...)
	}
	return append(appendASCII(append(dst, `, "message": `...), s.message), '}'), Ok, ""
}

// syslogCSV is Amazon's blueprint in Python; the one in Node.js makes a sixth column of
// nothing but the word undefined.
func syslogCSV(dst, data []byte) ([]byte, Result, string) {
	var s syslogLine
	if reason := s.parse(data); reason != "" {
		return failed(dst, reason)
	}
	dst = append(append(dst, s.timestamp...), ',')
	dst = append(append(dst, s.hostname...), ',')
	dst = append(append(dst, s.program...), ',')
	if s.processid != nil {
		dst = append(dst, s.processid...)
	} else {
		dst = append(dst, "null"...)
	}
	return append(append(append(dst, ','), s.message...), '\n'), Ok, ""
}

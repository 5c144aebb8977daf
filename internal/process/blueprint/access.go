package blueprint

import "bytes"

// Why a line is no access log to Hydrant's blueprints.
const (
	accessNoUsers   = "it does not begin with a host, an ident and a user"
	accessNoTime    = "there is no time such as [10/Oct/2000:13:55:36 -0700]"
	accessNoRequest = "there is no request in quotes"
	accessNoNumbers = "behind the request there are not a status and a number of bytes"
	accessManyLines = "it holds more than one line"
)

// accessLine is a line of a common or combined access log, as Apache, nginx and others write
// it. Quoted texts stay escaped as in the log, for only so nothing of them is lost. Of what
// is nil there is nothing, which the log says by a dash or by leaving it out.
type accessLine struct {
	host, ident, authuser    []byte
	datetime                 []byte // with the zone
	local, utc               clock
	request, response, bytes []byte
	referer, agent           []byte
}

// parse takes line apart, or says why it cannot. What follows the user agent, such as times
// that servers were taught to log, is not looked at.
func (a *accessLine) parse(line []byte) (reason string) {
	line = trimLine(line)
	if bytes.IndexByte(line, '\n') >= 0 {
		return accessManyLines // the others would be lost
	}
	host, line, ok1 := bytes.Cut(line, []byte(" "))
	ident, line, ok2 := bytes.Cut(line, []byte(" "))
	user, line, ok3 := bytes.Cut(line, []byte(" [")) // users may hold blanks
	if !ok1 || !ok2 || !ok3 || len(host) == 0 || len(ident) == 0 || len(user) == 0 {
		return accessNoUsers
	}
	if bytes.HasPrefix(user, []byte("- ")) {
		return accessNoUsers // a word too many, such as the virtual host in front
	}
	a.host, a.ident, a.authuser = host, something(ident), something(user)
	if !a.parseTime(line) {
		return accessNoTime
	}
	request, line, ok := cutQuoted(line[len(a.datetime)+1:])
	if !ok {
		return accessNoRequest
	}
	a.request = something(request)
	return a.parseRest(line)
}

// something is s, or nil for the dash.
func something(s []byte) []byte {
	if isDash(s) {
		return nil
	}
	return s
}

// parseTime reads the time that line begins with, up to its bracket.
func (a *accessLine) parseTime(line []byte) bool {
	const size = len("10/Oct/2000:13:55:36 -0700")
	if len(line) <= size || line[size] != ']' || line[20] != ' ' || line[21] != '+' && line[21] != '-' {
		return false
	}
	a.datetime = line[:size]
	minutes, ok := offset(line[21:size])
	if !ok {
		return false
	}
	if a.local, ok = accessClock(line[:20]); !ok {
		return false
	}
	a.utc, ok = a.local.utc(minutes)
	return ok
}

// parseRest takes what follows the request.
func (a *accessLine) parseRest(line []byte) (reason string) {
	if len(line) == 0 || line[0] != ' ' {
		return accessNoNumbers
	}
	response, line, ok := bytes.Cut(line[1:], []byte(" "))
	if !ok || !isDash(response) && (len(response) != 3 || spanOf(response, digit) != 3) {
		return accessNoNumbers
	}
	size := spanNot(line, space)
	a.bytes, line = line[:size], line[size:]
	if size == 0 || !isDash(a.bytes) && spanOf(a.bytes, digit) < size {
		return accessNoNumbers
	}
	a.response, a.bytes = something(response), something(a.bytes)
	if a.referer, line, ok = cutQuoted(line); ok {
		a.agent, _, _ = cutQuoted(line)
	}
	a.referer, a.agent = something(a.referer), something(a.agent)
	return ""
}

// cutQuoted takes from the front of s a blank and a text in quotes. A quote within has a
// backslash before it, which has none of its own.
func cutQuoted(s []byte) (text, rest []byte, ok bool) {
	if len(s) < 3 || s[0] != ' ' || s[1] != '"' {
		return nil, s, false
	}
	in := s[2:]
	for i := 0; ; i++ {
		n := bytes.IndexByte(in[i:], '"')
		if n < 0 {
			return nil, s, false
		}
		i += n
		slashes := i
		for slashes > 0 && in[slashes-1] == '\\' {
			slashes--
		}
		if (i-slashes)%2 == 0 {
			return in[:i], in[i+1:], true
		}
	}
}

// accessJSON makes a line of JSON: the members of Amazon's blueprint, then referer and agent.
// All are there, null if there is nothing.
func accessJSON(dst, data []byte) ([]byte, Result, string) {
	var a accessLine
	if reason := a.parse(data); reason != "" {
		return failed(dst, reason)
	}
	dst = appendJSON(append(dst, `{"host":`...), a.host)
	dst = appendText(append(dst, `,"ident":`...), a.ident)
	dst = appendText(append(dst, `,"authuser":`...), a.authuser)
	dst = appendText(append(dst, `,"request":`...), a.request)
	dst = appendCount(append(dst, `,"response":`...), a.response)
	dst = appendCount(append(dst, `,"bytes":`...), a.bytes)
	verb, _, more := bytes.Cut(a.request, []byte(" "))
	if !more {
		verb = nil
	}
	dst = appendText(append(dst, `,"verb":`...), verb)
	dst = append(a.local.append(append(dst, `,"@timestamp":"`...)), `.000Z"`...)
	dst = append(append(dst, `,"timezone":"`...), a.datetime[21:]...)
	dst = append(a.utc.append(append(dst, `","@timestamp_utc":"`...)), `.000Z"`...)
	dst = appendText(append(dst, `,"referer":`...), a.referer)
	dst = appendText(append(dst, `,"agent":`...), a.agent)
	return append(dst, '}', '\n'), Ok, ""
}

// appendText appends s as a JSON string, or null if it is nil.
func appendText(dst, s []byte) []byte {
	if s == nil {
		return append(dst, "null"...)
	}
	return appendJSON(dst, s)
}

// appendCount appends digits as a JSON number, or null if there are none.
func appendCount(dst, digits []byte) []byte {
	if digits == nil {
		return append(dst, "null"...)
	}
	return appendNumber(dst, digits)
}

// accessCSV makes nine columns, empty if there is nothing.
func accessCSV(dst, data []byte) ([]byte, Result, string) {
	var a accessLine
	if reason := a.parse(data); reason != "" {
		return failed(dst, reason)
	}
	dst = append(appendCSV(dst, a.host), ',')
	dst = append(appendCSV(dst, a.ident), ',')
	dst = append(appendCSV(dst, a.authuser), ',')
	dst = append(append(dst, a.datetime...), ',')
	dst = append(appendCSV(dst, a.request), ',')
	dst = append(append(dst, a.response...), ',')
	dst = append(append(dst, a.bytes...), ',')
	dst = append(appendCSV(dst, a.referer), ',')
	return append(appendCSV(dst, a.agent), '\n'), Ok, ""
}

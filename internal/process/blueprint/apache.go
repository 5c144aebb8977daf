package blueprint

import "bytes"

// Why a line is no access log to Amazon's blueprints.
const (
	noHost     = "the host is not an IPv4 address with a space behind it"
	noUsers    = "behind the host there are not ident and user, with a space behind each"
	noDate     = "there is no date in square brackets"
	noZone     = "the date has no time zone"
	noRequest  = "there is no request in quotes"
	noResponse = "behind the request there are not a status of three digits and a number of bytes"
)

// apacheLine is a line of a common access log as Amazon's blueprints see it. What follows the
// bytes, such as the referer, is not looked at.
type apacheLine struct {
	host, ident, authuser    []byte
	date, zone               []byte // zone with the white space before it; empty if there is none
	request, response, bytes []byte
}

// parse takes line apart, or says why it cannot.
func (a *apacheLine) parse(line []byte) (reason string) {
	var ok bool
	if a.host, line, ok = cutClass(line, number, ' '); !ok {
		return noHost
	}
	if a.ident, line, ok = cutText(line); !ok {
		return noUsers
	}
	if a.authuser, line, ok = cutText(line); !ok {
		return noUsers
	}
	if line, ok = a.parseDate(line); !ok {
		return noDate
	}
	if len(line) < 2 || line[0] != ' ' || line[1] != '"' {
		return noRequest
	}
	return a.parseRequest(line[2:])
}

// parseDate takes the date in its brackets from the front of line.
func (a *apacheLine) parseDate(line []byte) (rest []byte, ok bool) {
	if len(line) == 0 || line[0] != '[' {
		return line, false
	}
	line = line[1:]
	n := spanOf(line, moment)
	a.date, line = line[:n], line[n:]
	a.zone = nil
	if len(line) > 6 && is(line[0], space) && (line[1] == '+' || line[1] == '-') && spanOf(line[2:6], digit) == 4 {
		a.zone, line = line[:6], line[6:]
	}
	if n == 0 || len(line) == 0 || line[0] != ']' {
		return line, false
	}
	return line[1:], true
}

// parseRequest finds the end of the request that line begins with: the first quote, not at
// once and on the same line, behind which there is what must be. So quotes in a request do no
// harm, whether they are escaped or not.
func (a *apacheLine) parseRequest(line []byte) (reason string) {
	for end := 0; ; {
		i := bytes.IndexByte(line[end:], '"')
		if i < 0 || len(firstLine(line[end:end+i])) < i {
			return a.whyNot(end)
		}
		if end += i; end > 0 && a.parseNumbers(line[end+1:]) {
			a.request = line[:end]
			return ""
		}
		end++
	}
}

func (a *apacheLine) whyNot(end int) string {
	if end < 2 {
		return noRequest
	}
	return noResponse
}

// parseNumbers takes the status and the bytes from the front of s.
func (a *apacheLine) parseNumbers(s []byte) bool {
	if len(s) < 6 || s[0] != ' ' || spanOf(s[1:4], digit) != 3 || s[4] != ' ' {
		return false
	}
	a.response, s = s[1:4], s[5:]
	a.bytes = s[:spanOf(s, digit)]
	return len(a.bytes) > 0
}

// timezone is the zone without the white space before it.
func (a *apacheLine) timezone() []byte { return a.zone[1:] }

// apacheJSON is Amazon's blueprint in Node.js.
func apacheJSON(dst, data []byte) ([]byte, Result, string) {
	var a apacheLine
	if reason := a.parse(data); reason != "" {
		return failed(dst, reason)
	}
	dst = appendJSON(append(dst, `{"host":`...), a.host)
	dst = appendJSON(append(dst, `,"ident":`...), a.ident)
	dst = appendJSON(append(dst, `,"authuser":`...), a.authuser)
	dst = appendJSON(append(dst, `,"request":`...), a.request)
	dst = appendNumber(append(dst, `,"response":`...), a.response)
	dst = appendNumber(append(dst, `,"bytes":`...), a.bytes)
	if verb, _, more := bytes.Cut(a.request, []byte(" ")); more {
		dst = appendJSON(append(dst, `,"verb":`...), verb)
	}
	dst = append(dst, `,"@timestamp":`...)
	c, isTime := accessClock(a.date)
	if isTime {
		dst = append(c.append(append(dst, '"')), `.000Z"`...)
	} else {
		dst = appendJSON(dst, a.date)
	}
	if len(a.zone) > 0 {
		dst = appendJSON(append(dst, `,"timezone":`...), a.timezone())
		if u, ok := a.utc(c, isTime); ok {
			dst = append(u.append(append(dst, `,"@timestamp_utc":"`...)), `.000Z"`...)
		}
	}
	return append(dst, '}'), Ok, ""
}

// utc is the time of the line in UTC, if there is one.
func (a *apacheLine) utc(c clock, isTime bool) (clock, bool) {
	minutes, ok := offset(a.timezone())
	if !ok || !isTime {
		return c, false
	}
	return c.utc(minutes)
}

// apachePython is Amazon's blueprint in Python: members in another order, with blanks between,
// nothing but ASCII, and other forms of time.
func apachePython(dst, data []byte) ([]byte, Result, string) {
	var a apacheLine
	if reason := a.parse(data); reason != "" {
		return failed(dst, reason)
	}
	dst = appendASCII(append(dst, `{"host": `...), a.host)
	dst = appendASCII(append(dst, `, "ident": `...), a.ident)
	dst = appendASCII(append(dst, `, "authuser": `...), a.authuser)
	dst = append(dst, `, "@timestamp": `...)
	c, isTime := accessClock(a.date)
	if isTime {
		dst = append(c.append(append(dst, '"')), '"')
	} else {
		dst = appendASCII(dst, a.date)
	}
	dst = appendASCII(append(dst, `, "request": `...), a.request)
	dst = appendNumber(append(dst, `, "response": `...), a.response)
	dst = appendNumber(append(dst, `, "bytes": `...), a.bytes)
	if verb, ok := firstOfMany(a.request); ok {
		dst = appendASCII(append(dst, `, "verb": `...), verb)
	}
	if len(a.zone) > 0 {
		dst = appendASCII(append(dst, `, "timezone": `...), a.timezone())
		if u, ok := a.utc(c, isTime); ok {
			dst = append(u.append(append(dst, `, "@timestamp_utc": "`...)), `+00:00"`...)
		}
	}
	return append(dst, '}'), Ok, ""
}

// firstOfMany returns the first word of s, if there are two or more.
func firstOfMany(s []byte) (first []byte, ok bool) {
	s = s[spanOf(s, space):]
	n := spanNot(s, space)
	rest := s[n:]
	return s[:n], spanOf(rest, space) < len(rest)
}

// apacheCSV is Amazon's blueprint: columns as they are, without quotes.
func apacheCSV(dst, data []byte) ([]byte, Result, string) {
	var a apacheLine
	if reason := a.parse(data); reason != "" {
		return failed(dst, reason)
	}
	if len(a.zone) == 0 {
		return failed(dst, noZone)
	}
	dst = append(append(dst, a.host...), ',')
	dst = append(append(dst, a.ident...), ',')
	dst = append(append(dst, a.authuser...), ',')
	dst = append(append(append(dst, a.date...), a.zone...), ',')
	dst = append(append(dst, a.request...), ',')
	dst = append(append(dst, a.response...), ',')
	return append(append(dst, a.bytes...), '\n'), Ok, ""
}

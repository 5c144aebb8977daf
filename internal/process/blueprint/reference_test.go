package blueprint

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"

	"github.com/go-json-experiment/json/jsontext"
)

// A reference is a blueprint made the slow and obvious way: a regular expression of the spec
// and a template. It tells whether the record is taken.
type reference func(record string) (out string, ok bool)

// references are those of the blueprints that parse.
func references() map[string]reference {
	return map[string]reference{
		"kinesis-firehose-apachelog-to-json":        refApacheJSON,
		"kinesis-firehose-apachelog-to-json-python": refApachePython,
		"kinesis-firehose-apachelog-to-csv":         refApacheCSV,
		"kinesis-firehose-syslog-to-json":           refSyslogJSON,
		"kinesis-firehose-syslog-to-json-python":    refSyslogPython,
		"kinesis-firehose-syslog-to-csv":            refSyslogCSV,
		"hydrant-apachelog-to-json":                 refAccessJSON,
		"hydrant-apachelog-to-csv":                  refAccessCSV,
		"hydrant-syslog-to-json":                    refMessageJSON,
		"hydrant-syslog-to-csv":                     refMessageCSV,
	}
}

// valid puts U+FFFD in the place of each byte that is no UTF-8.
func valid(s string) string { return string([]rune(s)) }

func refQuote(s string) string {
	b, err := jsontext.AppendQuote(nil, valid(s))
	if err != nil {
		panic(err)
	}
	return string(b)
}

func refASCII(s string) string {
	var b strings.Builder
	for _, r := range refQuote(s) {
		if r < 0x7f {
			b.WriteRune(r)
			continue
		}
		for _, unit := range utf16.Encode([]rune{r}) {
			fmt.Fprintf(&b, `\u%04x`, unit)
		}
	}
	return b.String()
}

func refNumber(digits string) string {
	if t := strings.TrimLeft(digits, "0"); t != "" {
		return t
	}
	return "0"
}

func refColumn(s string) string {
	if strings.ContainsAny(s, "\",\r\n") {
		return `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
	}
	return s
}

// ws and text are \s and \S of ASCII.
const (
	ws   = `[ \t\n\v\f\r]`
	text = `[^ \t\n\v\f\r]`
)

var (
	apachePattern = regexp.MustCompile(`^([\d.]+) (` + text + `+) (` + text + `+) \[([\w:/]+)(` + ws + `[+\-]\d{4})?\] "([^\r\n]+?)" (\d{3}) (\d+)`)
	zonedPattern  = regexp.MustCompile(`^([\d.]+) (` + text + `+) (` + text + `+) \[([\w:/]+` + ws + `[+\-]\d{4})\] "([^\r\n]+?)" (\d{3}) (\d+)`)
)

// refTimes are the two times of a date, empty where there is none.
func refTimes(date, zone string) (local, utc string) {
	const layout = "2006-01-02T15:04:05"
	t, err := time.Parse("2/Jan/2006:15:04:05", date)
	if err != nil {
		return "", ""
	}
	local = t.Format(layout)
	if len(zone) == 5 && zone[1:3] < "24" && zone[3:] < "60" {
		hours, _ := strconv.Atoi(zone[1:3])
		minutes, _ := strconv.Atoi(zone[3:])
		ahead := time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute
		if zone[0] == '-' {
			ahead = -ahead
		}
		if u := t.Add(-ahead); u.Year() >= 0 && u.Year() <= 9999 {
			utc = u.Format(layout)
		}
	}
	return local, utc
}

func refApacheJSON(record string) (string, bool) {
	m := apachePattern.FindStringSubmatch(record)
	if m == nil {
		return "", false
	}
	s := fmt.Sprintf(`{"host":%s,"ident":%s,"authuser":%s,"request":%s,"response":%s,"bytes":%s`,
		refQuote(m[1]), refQuote(m[2]), refQuote(m[3]), refQuote(m[6]), refNumber(m[7]), refNumber(m[8]))
	if words := strings.Split(m[6], " "); len(words) > 1 {
		s += `,"verb":` + refQuote(words[0])
	}
	zone := strings.TrimSpace(m[5])
	local, utc := refTimes(m[4], zone)
	if local != "" {
		s += `,"@timestamp":"` + local + `.000Z"`
	} else {
		s += `,"@timestamp":` + refQuote(m[4])
	}
	if zone != "" {
		s += `,"timezone":"` + zone + `"`
	}
	if utc != "" {
		s += `,"@timestamp_utc":"` + utc + `.000Z"`
	}
	return s + "}", true
}

func refApachePython(record string) (string, bool) {
	m := apachePattern.FindStringSubmatch(record)
	if m == nil {
		return "", false
	}
	zone := strings.TrimSpace(m[5])
	local, utc := refTimes(m[4], zone)
	if local == "" {
		local = m[4]
	}
	s := fmt.Sprintf(`{"host": %s, "ident": %s, "authuser": %s, "@timestamp": %s, "request": %s, "response": %s, "bytes": %s`,
		refASCII(m[1]), refASCII(m[2]), refASCII(m[3]), refASCII(local), refASCII(m[6]), refNumber(m[7]), refNumber(m[8]))
	words := strings.FieldsFunc(m[6], func(r rune) bool { return strings.ContainsRune(" \t\n\v\f\r", r) })
	if len(words) > 1 {
		s += `, "verb": ` + refASCII(words[0])
	}
	if zone != "" {
		s += `, "timezone": "` + zone + `"`
	}
	if utc != "" {
		s += `, "@timestamp_utc": "` + utc + `+00:00"`
	}
	return s + "}", true
}

func refApacheCSV(record string) (string, bool) {
	m := zonedPattern.FindStringSubmatch(record)
	if m == nil {
		return "", false
	}
	return strings.Join(m[1:], ",") + "\n", true
}

var syslogPattern = regexp.MustCompile(`^(\b(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|Jun(?:e)?|Jul(?:y)?|Aug(?:ust)?` +
	`|Sep(?:tember)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)\b` + ws + `+(?:0[1-9]|[12][0-9]|3[01]|[1-9])` + ws + `+` +
	`(?:2[0123]|[01]?[0-9]):[0-5][0-9]:(?:[0-5]?[0-9]|60)(?:[:.,][0-9]+)?) ` +
	`(?:<[0-9]+[^\r\n][0-9]+> )?([a-zA-Z0-9._-]+) ([\w./%-]+)(?:\[([1-9][0-9]*)\])?: ([^\r\n]*)`)

func refSyslogJSON(record string) (string, bool) {
	m := syslogPattern.FindStringSubmatch(record)
	if m == nil {
		return "", false
	}
	s := `{"timestamp":` + refQuote(m[1]) + `,"hostname":` + refQuote(m[2]) + `,"program":` + refQuote(m[3])
	if m[4] != "" {
		s += `,"processid":` + refQuote(m[4])
	}
	return s + `,"message":` + refQuote(m[5]) + "}", true
}

func refSyslogPython(record string) (string, bool) {
	m := syslogPattern.FindStringSubmatch(record)
	if m == nil {
		return "", false
	}
	pid := "null"
	if m[4] != "" {
		pid = refASCII(m[4])
	}
	return fmt.Sprintf(`{"timestamp": %s, "hostname": %s, "program": %s, "processid": %s, "message": %s}`,
		refASCII(m[1]), refASCII(m[2]), refASCII(m[3]), pid, refASCII(m[5])), true
}

func refSyslogCSV(record string) (string, bool) {
	m := syslogPattern.FindStringSubmatch(record)
	if m == nil {
		return "", false
	}
	if m[4] == "" {
		m[4] = "null"
	}
	return strings.Join(m[1:], ",") + "\n", true
}

// nullable is a text that may not be there.
func nullable(there bool, quoted string) string {
	if there {
		return quoted
	}
	return "null"
}

// dashNull quotes a text of an access log; there is none in the place of a dash.
func dashNull(s string) string { return nullable(s != "-", refQuote(s)) }

// dashEmpty is a column of an access log.
func dashEmpty(s string) string {
	if s == "-" {
		return ""
	}
	return refColumn(s)
}

const inQuotes = `"((?:[^"\\]|\\.)*)"`

var accessPattern = regexp.MustCompile(`(?s)^(\d{2}/\w{3}/\d{4}:\d\d:\d\d:\d\d ([+-]\d{4}))\] ` + inQuotes +
	` (\d{3}|-) (\d+|-)(?: ` + inQuotes + `)?(?: ` + inQuotes + `)?`)

// refAccess takes a line apart: host, ident, user, and the parts of the pattern, with dashes
// for what is not there.
func refAccess(record string) (parts []string, local, utc string, ok bool) {
	record = strings.TrimSuffix(strings.TrimSuffix(record, "\n"), "\r")
	host, rest, ok1 := strings.Cut(record, " ")
	ident, rest, ok2 := strings.Cut(rest, " ")
	user, rest, ok3 := strings.Cut(rest, " [")
	ok = ok1 && ok2 && ok3 && host != "" && ident != "" && user != "" && !strings.HasPrefix(user, "- ") && !strings.Contains(record, "\n")
	at := accessPattern.FindStringSubmatchIndex(rest)
	if !ok || at == nil {
		return nil, "", "", false
	}
	if tail := rest[at[11]:]; tail != "" && !strings.ContainsAny(tail[:1], " \t\n\v\f\r") {
		return nil, "", "", false
	}
	parts = []string{host, ident, user}
	for i := 2; i < len(at); i += 2 {
		if at[i] < 0 {
			parts = append(parts, "-")
		} else {
			parts = append(parts, rest[at[i]:at[i+1]])
		}
	}
	local, utc = refTimes(parts[3][:20], parts[4])
	return parts, local, utc, local != "" && utc != ""
}

func refAccessJSON(record string) (string, bool) {
	p, local, utc, ok := refAccess(record)
	if !ok {
		return "", false
	}
	verb, _, more := strings.Cut(p[5], " ")
	return fmt.Sprintf(`{"host":%s,"ident":%s,"authuser":%s,"request":%s,"response":%s,"bytes":%s,"verb":%s,`+
		`"@timestamp":"%s.000Z","timezone":"%s","@timestamp_utc":"%s.000Z","referer":%s,"agent":%s}`+"\n",
		refQuote(p[0]), dashNull(p[1]), dashNull(p[2]), dashNull(p[5]), nullable(p[6] != "-", refNumber(p[6])),
		nullable(p[7] != "-", refNumber(p[7])), nullable(more, refQuote(verb)), local, p[4], utc, dashNull(p[8]), dashNull(p[9])), true
}

func refAccessCSV(record string) (string, bool) {
	p, _, _, ok := refAccess(record)
	if !ok {
		return "", false
	}
	return strings.Join([]string{refColumn(p[0]), dashEmpty(p[1]), dashEmpty(p[2]), p[3], dashEmpty(p[5]), dashEmpty(p[6]),
		dashEmpty(p[7]), dashEmpty(p[8]), dashEmpty(p[9])}, ",") + "\n", true
}

const (
	fullTimes   = `\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d{1,9})?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)`
	oldTimes    = `[A-Z]\w\w (?: (?:0?[1-9]|[12]\d|3[01])|(?:0?[1-9]|[12]\d|3[01])) (?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d{1,9})?`
	elementName = `[^\x00- =\]"\x7f-\x{10ffff}]+`
	paramForm   = ` (` + elementName + `)="((?:[^"\\]|\\.)*)"`
	elementForm = `\[(` + elementName + `)((?:` + paramForm + `)*)\]`
)

var (
	versioned    = regexp.MustCompile(`(?s)^<(\d{1,3})>(\d{1,3}) (.*)$`)
	newPattern   = regexp.MustCompile(`(?s)^([!-~]+) ([!-~]+) ([!-~]+) ([!-~]+) ([!-~]+) (-|(?:` + elementForm + `)+)( .*)?$`)
	oldPattern   = regexp.MustCompile(`(?s)^(?:<(\d{1,3})>)?(` + oldTimes + `|` + fullTimes + `)(?: (?:<\d+[^\r\n]\d+> )?(.*))?$`)
	tagPattern   = regexp.MustCompile(`(?s)^([^\x00- :\[]+)(?:\[([^\] \t\n\v\f\r]+)\](?:: | |:?$)|: |:$)(.*)$`)
	fullPattern  = regexp.MustCompile(`^(` + fullTimes + `)$`)
	elements     = regexp.MustCompile(`(?s)` + elementForm)
	params       = regexp.MustCompile(`(?s)` + paramForm)
	valueEscapes = regexp.MustCompile(`(?s)\\(["\\\]])`)
)

// refMessage takes a record apart: priority, time, host, program, process, message id,
// structured data, text; empty where there is nothing.
func refMessage(record string) (p [8]string, ok bool) {
	record = strings.TrimSuffix(strings.TrimSuffix(record, "\n"), "\r")
	if m := versioned.FindStringSubmatch(record); m != nil {
		n := newPattern.FindStringSubmatch(m[3])
		if m[2] != "1" || n == nil || n[1] != "-" && !isFullTime(n[1]) {
			return p, false
		}
		p[0] = m[1]
		for i := range 6 {
			p[i+1] = strings.TrimPrefix(n[i+1], "-")
			if n[i+1] != "-" {
				p[i+1] = n[i+1]
			}
		}
		p[7] = strings.TrimPrefix(strings.TrimPrefix(n[len(n)-1], " "), "\ufeff")
		return p, refPriority(p[0]) && refStructured(p[6]) != "broken"
	}
	m := oldPattern.FindStringSubmatch(record)
	if m == nil || !isFullTime(m[2]) && !isOldTime(m[2]) {
		return p, false
	}
	p[0], p[1] = m[1], m[2]
	rest := m[3]
	tag := tagPattern.FindStringSubmatch(rest)
	if tag == nil {
		var host string
		host, rest, _ = strings.Cut(rest, " ")
		if host != "-" {
			p[2] = host
		}
		tag = tagPattern.FindStringSubmatch(rest)
	}
	if tag != nil {
		p[3], p[4], p[7] = tag[1], tag[2], tag[3]
	} else {
		p[7] = rest
	}
	return p, refPriority(p[0])
}

func refPriority(s string) bool {
	n, err := strconv.Atoi(s)
	return s == "" || err == nil && n <= 191
}

func isFullTime(s string) bool {
	if !fullPattern.MatchString(s) {
		return false
	}
	_, err := time.Parse("2006-01-02", s[:10])
	return err == nil
}

func isOldTime(s string) bool {
	_, err := time.Parse("Jan", s[:3])
	return err == nil
}

// refStructured is structured data as JSON.
func refStructured(s string) string {
	var ids []string
	var out []string
	for _, e := range elements.FindAllStringSubmatch(s, -1) {
		var order []string
		values := map[string][]string{}
		all := params.FindAllStringSubmatch(e[2], -1)
		for _, p := range all {
			if values[p[1]] == nil {
				order = append(order, p[1])
			}
			values[p[1]] = append(values[p[1]], refQuote(valueEscapes.ReplaceAllString(p[2], "$1")))
		}
		var members []string
		for _, name := range order {
			v := values[name][0]
			if len(values[name]) > 1 {
				v = "[" + strings.Join(values[name], ",") + "]"
			}
			members = append(members, refQuote(name)+":"+v)
		}
		for _, id := range ids {
			if id == e[1] {
				return "broken"
			}
		}
		if ids = append(ids, e[1]); len(ids) > maxElements || len(all) > maxParams {
			return "broken"
		}
		out = append(out, refQuote(e[1])+":{"+strings.Join(members, ",")+"}")
	}
	return "{" + strings.Join(out, ",") + "}"
}

func refMessageJSON(record string) (string, bool) {
	p, ok := refMessage(record)
	if !ok {
		return "", false
	}
	facility, severity := "null", "null"
	if p[0] != "" {
		n, _ := strconv.Atoi(p[0])
		facility, severity = strconv.Itoa(n/8), strconv.Itoa(n%8)
	}
	q := func(i int) string { return nullable(p[i] != "", refQuote(p[i])) }
	return fmt.Sprintf(`{"facility":%s,"severity":%s,"timestamp":%s,"hostname":%s,"program":%s,"processid":%s,"messageid":%s,`+
		`"structureddata":%s,"message":%s}`+"\n", facility, severity, q(1), q(2), q(3), q(4), q(5),
		nullable(p[6] != "", refStructured(p[6])), q(7)), true
}

func refMessageCSV(record string) (string, bool) {
	p, ok := refMessage(record)
	if !ok {
		return "", false
	}
	var b bytes.Buffer
	if p[0] == "" {
		b.WriteByte(',')
	} else {
		n, _ := strconv.Atoi(p[0])
		fmt.Fprintf(&b, "%d,%d", n/8, n%8)
	}
	for _, s := range p[1:] {
		b.WriteString("," + refColumn(s))
	}
	return b.String() + "\n", true
}

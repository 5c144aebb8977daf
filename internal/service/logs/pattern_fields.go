package logs

import (
	"strings"
)

// fieldPattern matches messages by their fields, which stand between spaces.
type fieldPattern struct {
	fields []field
	rest   int // index of the ... among fields; -1 if there is none
}

// field is a name and what is said of the field.
type field struct {
	name string
	when [][]comparison // any of these, of which all must hold; none: any value will do
}

func (p *patternParser) fieldPattern() (pattern, error) {
	p.rest = p.rest[1:]
	f := &fieldPattern{rest: -1}
	for {
		p.skipSpace()
		switch {
		case p.take("..."):
			if f.rest >= 0 {
				return nil, badPattern("... may stand once")
			}
			f.rest = len(f.fields)
		default:
			one, err := p.field()
			if err != nil {
				return nil, err
			}
			f.fields = append(f.fields, one)
		}
		if p.take(",") {
			continue
		}
		if p.skipSpace(); p.rest == "]" {
			return f, nil
		}
		return nil, badPattern("a comma or ] is wanted in place of %q", p.rest)
	}
}

func (p *patternParser) field() (f field, err error) {
	if f.name = p.fieldName(); f.name == "" {
		return f, badPattern("a field's name is wanted in place of %q", p.rest)
	}
	if p.skipSpace(); strings.HasPrefix(p.rest, ",") || strings.HasPrefix(p.rest, "]") {
		return f, nil
	}
	f.when = [][]comparison{nil}
	for {
		c, err := p.comparison(",]&| \t\r\n")
		if err != nil {
			return f, err
		}
		last := len(f.when) - 1
		f.when[last] = append(f.when[last], c)
		switch {
		case p.take("&&"):
		case p.take("||"):
			f.when = append(f.when, nil)
		default:
			return f, nil
		}
		// Every condition names the field again.
		if p.skipSpace(); p.fieldName() != f.name {
			return f, badPattern("conditions of a field must all be about %s", f.name)
		}
	}
}

func (p *patternParser) fieldName() string {
	return strings.TrimSpace(p.until(",]=!<>&| \t\r\n\"%["))
}

func (f *field) holds(value string) bool {
	if len(f.when) == 0 {
		return true
	}
	for _, all := range f.when {
		holds := true
		for i := range all {
			holds = holds && all[i].compareText(value)
		}
		if holds {
			return true
		}
	}
	return false
}

func (p *fieldPattern) match(message []byte) bool { return p.values(message) != nil }

func (p *fieldPattern) extract(message []byte) map[string]string {
	out := map[string]string{}
	for i, v := range p.values(message) {
		out["$"+p.fields[i].name] = v
	}
	return out
}

// values are those of the fields, if the message has them and they are as wanted.
func (p *fieldPattern) values(message []byte) []string {
	all := splitFields(string(message))
	switch {
	case p.rest < 0 && len(all) != len(p.fields), len(all) < len(p.fields):
		return nil
	case p.rest >= 0:
		behind := len(p.fields) - p.rest
		all = append(all[:p.rest:p.rest], all[len(all)-behind:]...)
	}
	for i := range p.fields {
		if !p.fields[i].holds(all[i]) {
			return nil
		}
	}
	return all
}

// splitFields cuts a message at its spaces. What stands in quotation marks or brackets is
// one field, without them.
func splitFields(s string) []string {
	all := []string{}
	for {
		if s = strings.TrimLeft(s, " \t\r\n"); s == "" {
			return all
		}
		end := -1
		switch s[0] {
		case '"':
			end = strings.IndexByte(s[1:], '"')
		case '[':
			end = strings.IndexByte(s[1:], ']')
		}
		if end >= 0 {
			all, s = append(all, s[1:end+1]), s[end+2:]
			continue
		}
		if end = strings.IndexAny(s, " \t\r\n"); end < 0 {
			end = len(s)
		}
		all, s = append(all, s[:end]), s[end:]
	}
}

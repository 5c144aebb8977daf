package logs

import (
	"bytes"
	"regexp"
	"strings"
)

// termPattern matches messages that hold all required terms, or any optional one where none
// is required, and none of the excluded ones.
type termPattern struct{ required, optional, excluded []term }

// term is a text that a message may hold, or a regular expression.
type term struct {
	text  []byte
	regex *regexp.Regexp
}

func (t *term) in(message []byte) bool {
	if t.regex != nil {
		return t.regex.Match(message)
	}
	return bytes.Contains(message, t.text)
}

func (p *patternParser) terms() (pattern, error) {
	var all termPattern
	for p.skipSpace(); p.rest != ""; p.skipSpace() {
		list := &all.required
		switch p.rest[0] {
		case '-':
			list, p.rest = &all.excluded, p.rest[1:]
		case '?':
			list, p.rest = &all.optional, p.rest[1:]
		}
		t, err := p.term()
		if err != nil {
			return nil, err
		}
		*list = append(*list, t)
	}
	return &all, nil
}

func (p *patternParser) term() (t term, err error) {
	var text string
	switch {
	case strings.HasPrefix(p.rest, `"`):
		text, err = p.quoted()
	case strings.HasPrefix(p.rest, "%"):
		t.regex, err = p.regex()
		return t, err
	default:
		text = p.until(" \t\r\n\"")
	}
	if err == nil && text == "" {
		err = badPattern("a term is empty")
	}
	return term{text: []byte(text)}, err
}

func (p *termPattern) match(message []byte) bool {
	for i := range p.excluded {
		if p.excluded[i].in(message) {
			return false
		}
	}
	for i := range p.required {
		if !p.required[i].in(message) {
			return false
		}
	}
	if len(p.required) > 0 || len(p.optional) == 0 {
		return true
	}
	for i := range p.optional {
		if p.optional[i].in(message) {
			return true
		}
	}
	return false
}

func (p *termPattern) extract([]byte) map[string]string { return map[string]string{} }

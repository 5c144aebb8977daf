package logs

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// A filter pattern selects events by their message (spec neighbours.md section 6.6). There
// are three kinds: terms, conditions on JSON, and conditions on fields between spaces.

// Limits of patterns.
const (
	maxPattern = 1024 // characters
	maxRegexes = 2
	maxDepth   = 32 // of parentheses
)

// pattern says whether a message matches, and which named values it was judged by.
type pattern interface {
	match(message []byte) bool
	// extract returns the values of a message that matches, by their names.
	extract(message []byte) map[string]string
}

var errPattern = errors.New("filter pattern is not valid")

func badPattern(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errPattern, fmt.Sprintf(format, args...))
}

// parsePattern reads a filter pattern. An empty one matches everything. Errors wrap
// errPattern.
func parsePattern(text string) (pattern, error) {
	if utf8.RuneCountInString(text) > maxPattern {
		return nil, badPattern("more than %d characters", maxPattern)
	}
	text = strings.TrimSpace(text)
	p := &patternParser{rest: text}
	switch {
	case strings.HasPrefix(text, "{"):
		return p.jsonPattern()
	case strings.HasPrefix(text, "["):
		return p.fieldPattern()
	}
	return p.terms()
}

// patternParser takes a pattern from the front.
type patternParser struct {
	rest    string
	regexes int
	depth   int
}

func (p *patternParser) skipSpace() { p.rest = strings.TrimLeft(p.rest, " \t\r\n") }

// take takes a text off, if it comes next behind spaces.
func (p *patternParser) take(text string) bool {
	p.skipSpace()
	rest, ok := strings.CutPrefix(p.rest, text)
	if ok {
		p.rest = rest
	}
	return ok
}

// takeWord takes a keyword off, which must end there.
func (p *patternParser) takeWord(word string) bool {
	p.skipSpace()
	rest, ok := strings.CutPrefix(p.rest, word)
	if !ok || rest != "" && isWordByte(rest[0]) {
		return false
	}
	p.rest = rest
	return true
}

func isWordByte(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// until takes everything off before the first byte of stop.
func (p *patternParser) until(stop string) string {
	i := strings.IndexAny(p.rest, stop)
	if i < 0 {
		i = len(p.rest)
	}
	text := p.rest[:i]
	p.rest = p.rest[i:]
	return text
}

// quoted takes a text in double quotes off; the opening one comes next.
func (p *patternParser) quoted() (string, error) {
	var b strings.Builder
	for i := 1; i < len(p.rest); i++ {
		switch c := p.rest[i]; {
		case c == '"':
			p.rest = p.rest[i+1:]
			return b.String(), nil
		case c == '\\' && i+1 < len(p.rest) && (p.rest[i+1] == '"' || p.rest[i+1] == '\\'):
			i++
			b.WriteByte(p.rest[i])
		default:
			b.WriteByte(c)
		}
	}
	return "", badPattern("a quotation mark is not closed")
}

// regex takes a regular expression off; the opening percent sign comes next.
func (p *patternParser) regex() (*regexp.Regexp, error) {
	end := strings.IndexByte(p.rest[1:], '%')
	if end < 0 {
		return nil, badPattern("a regular expression is not closed")
	}
	text := p.rest[1 : end+1]
	p.rest = p.rest[end+2:]
	if p.regexes++; p.regexes > maxRegexes {
		return nil, badPattern("more than %d regular expressions", maxRegexes)
	}
	return compileRegex(text)
}

// regexForm is what regular expressions may be made of: no parentheses, and no escapes but
// those of classes, bytes and the operators.
var regexForm = regexp.MustCompile(`^(?:[A-Za-z0-9:_#=@/;,\- ^$?\[\]{}|*+.!<>'"~&]|\\[dDsSwW]|\\x[0-9a-fA-F]{2}|\\[^A-Za-z0-9])+$`)

func compileRegex(text string) (*regexp.Regexp, error) {
	if !regexForm.MatchString(text) {
		return nil, badPattern("the regular expression %q has characters that are not allowed", text)
	}
	re, err := regexp.Compile(text)
	if err != nil {
		return nil, badPattern("the regular expression %q: %v", text, err)
	}
	return re, nil
}

package logs

import (
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
)

// jsonPattern matches messages that are JSON and fulfil a condition.
type jsonPattern struct {
	when  condition
	names []*selector // of the condition, in its order
}

// condition is judged on a JSON value.
type condition interface{ holds(doc any) bool }

type (
	allOf []condition
	anyOf []condition
)

func (a allOf) holds(doc any) bool {
	for _, c := range a {
		if !c.holds(doc) {
			return false
		}
	}
	return true
}

func (a anyOf) holds(doc any) bool {
	for _, c := range a {
		if c.holds(doc) {
			return true
		}
	}
	return false
}

// jsonTest is a condition on one value.
type jsonTest struct {
	of   *selector
	test func(v any, found bool) bool
}

func (t *jsonTest) holds(doc any) bool { return t.test(t.of.find(doc)) }

func (p *patternParser) jsonPattern() (pattern, error) {
	p.rest = p.rest[1:]
	j := &jsonPattern{}
	c, err := p.alternatives(j)
	if err != nil {
		return nil, err
	}
	if p.skipSpace(); p.rest != "}" {
		return nil, badPattern("} is wanted in place of %q", p.rest)
	}
	j.when = c
	return j, nil
}

// alternatives takes conditions off that are joined by ||.
func (p *patternParser) alternatives(j *jsonPattern) (condition, error) {
	var all anyOf
	for {
		c, err := p.conjunction(j)
		if err != nil {
			return nil, err
		}
		if all = append(all, c); !p.take("||") {
			return all, nil
		}
	}
}

// conjunction takes conditions off that are joined by &&.
func (p *patternParser) conjunction(j *jsonPattern) (condition, error) {
	var all allOf
	for {
		c, err := p.condition(j)
		if err != nil {
			return nil, err
		}
		if all = append(all, c); !p.take("&&") {
			return all, nil
		}
	}
}

func (p *patternParser) condition(j *jsonPattern) (condition, error) {
	if p.take("(") {
		if p.depth++; p.depth > maxDepth {
			return nil, badPattern("parentheses are nested too deeply")
		}
		c, err := p.alternatives(j)
		if err != nil {
			return nil, err
		}
		p.depth--
		if !p.take(")") {
			return nil, badPattern(") is wanted in place of %q", p.rest)
		}
		return c, nil
	}
	of, err := p.selector()
	if err != nil {
		return nil, err
	}
	j.names = append(j.names, of)
	test, err := p.jsonTest()
	return &jsonTest{of, test}, err
}

// jsonTest takes off what is said of a selector.
func (p *patternParser) jsonTest() (func(any, bool) bool, error) {
	switch {
	case p.takeWord("IS"):
		switch {
		case p.takeWord("NULL"):
			return func(v any, found bool) bool { return found && v == nil }, nil
		case p.takeWord("TRUE"):
			return func(v any, _ bool) bool { return v == true }, nil
		case p.takeWord("FALSE"):
			return func(v any, _ bool) bool { return v == false }, nil
		}
		return nil, badPattern("NULL, TRUE or FALSE is wanted behind IS")
	case p.takeWord("NOT"):
		if !p.takeWord("EXISTS") {
			return nil, badPattern("EXISTS is wanted behind NOT")
		}
		return func(_ any, found bool) bool { return !found }, nil
	}
	c, err := p.comparison(" \t\r\n)&|}")
	if err != nil {
		return nil, err
	}
	return func(v any, _ bool) bool {
		switch v := v.(type) {
		case string:
			return c.compareText(v)
		case float64:
			return c.compareNumber(v)
		}
		return false // absent, or no value that has a text
	}, nil
}

func (p *jsonPattern) match(message []byte) bool {
	doc, ok := parseMessage(message)
	return ok && p.when.holds(doc)
}

// parseMessage reads a message that is a JSON object or array.
func parseMessage(message []byte) (doc any, ok bool) {
	for i := range message {
		switch message[i] {
		case ' ', '\t', '\r', '\n':
			continue
		case '{', '[':
			return doc, json.Unmarshal(message[i:], &doc) == nil
		}
		break
	}
	return nil, false
}

func (p *jsonPattern) extract(message []byte) map[string]string {
	out := map[string]string{}
	doc, ok := parseMessage(message)
	if !ok {
		return out
	}
	for _, s := range p.names {
		switch v, _ := s.find(doc); v := v.(type) {
		case string:
			out[s.text] = v
		case float64:
			out[s.text] = strconv.FormatFloat(v, 'f', -1, 64)
		case bool:
			out[s.text] = strconv.FormatBool(v)
		}
	}
	return out
}

// selector names a value in a document: $.a.b[0]['c'].
type selector struct {
	text  string
	steps []any // string: a member; int: an element
}

// selector takes a selector off.
func (p *patternParser) selector() (*selector, error) {
	p.skipSpace()
	before := p.rest
	if !p.take("$") {
		return nil, badPattern("a selector is wanted in place of %q", p.rest)
	}
	s := &selector{}
	for {
		switch {
		case strings.HasPrefix(p.rest, "."):
			p.rest = p.rest[1:]
			name := p.until(". \t\r\n[]=!<>&|(){}\"'%")
			if name == "" || strings.Contains(name, "*") {
				return nil, badPattern("a member's name is wanted in place of %q", p.rest)
			}
			s.steps = append(s.steps, name)
		case strings.HasPrefix(p.rest, "["):
			step, err := p.index()
			if err != nil {
				return nil, err
			}
			s.steps = append(s.steps, step)
		default:
			if len(s.steps) == 0 {
				return nil, badPattern("a selector names nothing")
			}
			s.text = before[:len(before)-len(p.rest)]
			return s, nil
		}
	}
}

// index takes [0] or ['name'] off.
func (p *patternParser) index() (any, error) {
	end := strings.IndexByte(p.rest, ']')
	if end < 0 {
		return nil, badPattern("] is wanted in %q", p.rest)
	}
	inner := strings.TrimSpace(p.rest[1:end])
	p.rest = p.rest[end+1:]
	if n := len(inner); n >= 2 && inner[0] == inner[n-1] && (inner[0] == '\'' || inner[0] == '"') {
		return inner[1 : n-1], nil
	}
	i, err := strconv.Atoi(inner)
	if err != nil || i < 0 {
		return nil, badPattern("%q is neither an index nor a name in quotes", inner)
	}
	return i, nil
}

// find returns what the selector names.
func (s *selector) find(doc any) (v any, found bool) {
	for _, step := range s.steps {
		switch step := step.(type) {
		case string:
			object, ok := doc.(map[string]any)
			if !ok {
				return nil, false
			}
			if doc, ok = object[step]; !ok {
				return nil, false
			}
		case int:
			list, ok := doc.([]any)
			if !ok || step >= len(list) {
				return nil, false
			}
			doc = list[step]
		}
	}
	return doc, true
}

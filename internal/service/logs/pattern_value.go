package logs

import (
	"regexp"
	"strconv"
	"strings"
)

// comparison is an operator and what a value is compared with.
type comparison struct {
	op     string // = != < > <= >=
	text   string // may hold wildcards
	quoted bool
	number float64
	isNum  bool
	regex  *regexp.Regexp
}

// operators, the longer ones first.
var operators = []string{"!=", "<=", ">=", "=", "<", ">"}

// comparison takes an operator and a value off. stop ends a value that is not quoted.
func (p *patternParser) comparison(stop string) (c comparison, err error) {
	for _, op := range operators {
		if p.take(op) {
			c.op = op
			break
		}
	}
	p.skipSpace()
	switch {
	case c.op == "":
		return c, badPattern("an operator is wanted before %q", p.rest)
	case strings.HasPrefix(p.rest, `"`):
		c.quoted = true
		c.text, err = p.quoted()
	case strings.HasPrefix(p.rest, "%"):
		c.regex, err = p.regex()
	default:
		if c.text = strings.TrimSpace(p.until(stop)); c.text == "" {
			return c, badPattern("a value is wanted behind %q", c.op)
		}
	}
	if err != nil {
		return c, err
	}
	if !c.quoted && c.regex == nil {
		c.number, err = strconv.ParseFloat(c.text, 64)
		c.isNum = err == nil && !strings.ContainsAny(c.text, "xXnNpP_") // no hexadecimal, no infinity
	}
	if orders := c.op[0] == '<' || c.op[0] == '>'; orders && !c.isNum {
		return c, badPattern("%s compares with numbers only", c.op)
	}
	return c, nil
}

// text compares a text.
func (c *comparison) compareText(s string) bool {
	if orders := c.op[0] == '<' || c.op[0] == '>'; orders {
		n, err := strconv.ParseFloat(s, 64)
		return err == nil && c.compareNumber(n)
	}
	equal := false
	if c.regex != nil {
		equal = c.regex.MatchString(s)
	} else {
		equal = wildcard(c.text, s)
	}
	return equal == (c.op == "=")
}

// compareNumber compares a number. One that is written otherwise is the same.
func (c *comparison) compareNumber(n float64) bool {
	if !c.isNum {
		return c.compareText(strconv.FormatFloat(n, 'f', -1, 64))
	}
	switch c.op {
	case "=":
		return n == c.number
	case "!=":
		return n != c.number
	case "<":
		return n < c.number
	case ">":
		return n > c.number
	case "<=":
		return n <= c.number
	}
	return n >= c.number
}

// wildcard reports whether s is the pattern, in which * stands for any characters. It takes
// time in proportion to both lengths at most times the number of stars, not more: a star
// never gives back what the one before it took.
func wildcard(pattern, s string) bool {
	first, rest, more := strings.Cut(pattern, "*")
	if !more {
		return pattern == s
	}
	s, ok := strings.CutPrefix(s, first)
	if !ok {
		return false
	}
	for {
		var middle string
		if middle, rest, more = strings.Cut(rest, "*"); !more {
			return strings.HasSuffix(s, middle)
		}
		i := strings.Index(s, middle)
		if i < 0 {
			return false
		}
		s = s[i+len(middle):]
	}
}

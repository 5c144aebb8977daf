package firehose

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// violations collects what breaks the constraints of a request's members, in the form of
// spec section 1.7.
type violations struct{ found []string }

// message is the text of the ValidationException; empty if nothing was found.
func (v *violations) message() string {
	switch len(v.found) {
	case 0:
		return ""
	case 1:
		return "1 validation error detected: " + v.found[0]
	}
	return strconv.Itoa(len(v.found)) + " validation errors detected: " + strings.Join(v.found, "; ")
}

// maxViolations bounds an answer, which could else be a hundred times its request. The most
// that a client meets by mistake are those of 500 records.
const maxViolations = 1000

func (v *violations) add(path, constraint string) {
	if len(v.found) == maxViolations {
		return
	}
	v.found = append(v.found, "Value at '"+path+"' failed to satisfy constraint: "+constraint)
}

const notNull = "Member must not be null"

// check judges a body, of which n is the top-level structure.
func (v *violations) check(s *shape, n *node) { v.structure("", s, n) }

func (v *violations) value(path string, s *shape, n *node) {
	if n.null {
		v.add(path, notNull)
		return
	}
	switch s.kind {
	case structure:
		v.structure(path+".", s, n)
	case list:
		v.bounds(path, s, int64(len(n.items)), "length")
		for i, item := range n.items[:min(int64(len(n.items)), s.high)] {
			v.value(path+"."+strconv.Itoa(i+1)+".member", s.of, item)
		}
	case mapping:
		v.mapping(path, s, n)
	case text:
		for _, c := range s.broken(n.text) {
			v.add(path, c)
		}
	case blob:
		v.bounds(path, s, int64(n.size), "length")
	case integer:
		v.bounds(path, s, n.integer, "value")
	case double:
		v.number(path, s, n.number)
	}
}

// structure judges the members in the order of the shape. prefix is the structure's path
// and a dot, or empty.
func (v *violations) structure(prefix string, s *shape, n *node) {
	for i, m := range s.members {
		path := prefix + lowerFirst(m.name)
		switch {
		case n.members[i] != nil:
			v.value(path, m.shape, n.members[i])
		case m.required:
			v.add(path, notNull)
		}
	}
}

// mapping tells broken keys once and broken values once, however many there are.
func (v *violations) mapping(path string, s *shape, n *node) {
	badKey, badValue := false, false
	for key, value := range n.entries {
		badKey = badKey || len(s.key.broken(key)) > 0
		badValue = badValue || value.null || len(s.of.broken(value.text)) > 0
	}
	if badKey {
		v.add(path, "Map keys must satisfy constraint: ["+strings.Join(s.key.constraints(), ", ")+"]")
	}
	if badValue {
		v.add(path, "Map value must satisfy constraint: ["+strings.Join(s.of.constraints(), ", ")+"]")
	}
}

func (v *violations) bounds(path string, s *shape, n int64, of string) {
	if n > s.high {
		v.add(path, atMost(of, s.high))
	}
	if n < s.low {
		v.add(path, atLeast(of, s.low))
	}
}

func (v *violations) number(path string, s *shape, x float64) {
	if s.high < unbounded && x > float64(s.high) {
		v.add(path, atMost("value", s.high))
	}
	if s.low > -unbounded && x < float64(s.low) {
		v.add(path, atLeast("value", s.low))
	}
}

// broken lists the constraints of a text shape that a text breaks. Lengths count
// characters, that is code points.
func (s *shape) broken(text string) []string {
	var broken []string
	n := int64(utf8.RuneCountInString(text))
	if n > s.high {
		broken = append(broken, atMost("length", s.high))
	}
	if n < s.low {
		broken = append(broken, atLeast("length", s.low))
	}
	if s.fits != nil && !s.fits(text) {
		broken = append(broken, matching(s.pattern))
	}
	if s.enum != nil && !slices.Contains(s.enum, text) {
		broken = append(broken, "Member must satisfy enum value set: ["+strings.Join(s.enum, ", ")+"]")
	}
	return broken
}

// constraints lists all constraints of a text shape with bounds and a pattern.
func (s *shape) constraints() []string {
	return []string{atMost("length", s.high), atLeast("length", s.low), matching(s.pattern)}
}

func atMost(of string, n int64) string {
	return fmt.Sprintf("Member must have %s less than or equal to %d", of, n)
}

func atLeast(of string, n int64) string {
	return fmt.Sprintf("Member must have %s greater than or equal to %d", of, n)
}

func matching(pattern string) string {
	return "Member must satisfy regular expression pattern: " + pattern
}

func lowerFirst(name string) string { return strings.ToLower(name[:1]) + name[1:] }

package schema

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"hydrant/internal/column"
)

// form is what a JSON value looks like, as far as columns are concerned.
type form uint8

const (
	boolean   form = iota
	small          // integers of 32 bits
	large          // of 64 bits
	huge           // larger ones
	fraction       // other numbers
	outsized       // numbers that double does not hold
	timestamp      // texts that a timestamp is read from
	date           // texts yyyy-mm-dd
	text
	object
	list
	forms
)

// shape is what was seen at one place of the documents.
type shape struct {
	name   string     // of a member, as it came first
	seen   [forms]int // values by form; null is none
	fields []*shape   // of objects, in the order of their first appearance
	byName map[string]*shape
	elem   *shape // of lists; and the values of objects that are maps for sure
	many   bool   // fields were too many: they are merged into elem
}

// mapKeys is how many different keys make a map of objects whose values are alike: keys that
// are data (ids, dates) are many, and those that are names are few.
const mapKeys = 32

// Bounds of what is remembered.
const (
	maxKeys   = 1024    // of one object, before it is a map for sure
	maxShapes = 100_000 // places in all documents
)

// fold is the name of the column or field of a key: Hive knows no case.
func fold(key string) string { return strings.ToLower(key) }

// field finds or makes the shape of a key.
func (s *shape) field(key string) (_ *shape, made bool) {
	name := fold(key)
	if f := s.byName[name]; f != nil {
		return f, false
	}
	if s.byName == nil {
		s.byName = map[string]*shape{}
	}
	f := &shape{name: key}
	s.byName[name], s.fields = f, append(s.fields, f)
	return f, true
}

// merge adds what another shape has seen.
func (s *shape) merge(o *shape) {
	for i, n := range o.seen {
		s.seen[i] += n
	}
	s.many = s.many || o.many
	if o.elem != nil {
		if s.elem == nil {
			s.elem = &shape{}
		}
		s.elem.merge(o.elem)
	}
	for _, f := range o.fields {
		mine, _ := s.field(f.name)
		mine.merge(f)
	}
}

// collapse makes a map of an object with very many keys.
func (s *shape) collapse() {
	if s.elem == nil {
		s.elem = &shape{}
	}
	for _, f := range s.fields {
		s.elem.merge(f)
	}
	s.many, s.fields, s.byName = true, nil, nil
}

// formOf says what a number or text looks like.
func formOf(value jsontext.Token) form {
	if value.Kind() == '0' {
		return numberForm(value.String())
	}
	s := value.String()
	switch {
	case isTimestamp(s):
		return timestamp
	case isDate(s):
		return date
	}
	return text
}

func numberForm(s string) form {
	digits := strings.TrimPrefix(s, "-")
	switch n := len(digits); {
	case strings.ContainsAny(s, ".eE") || n > 38:
		if _, err := strconv.ParseFloat(s, 64); err != nil {
			return outsized
		}
		return fraction
	case n < 10, n == 10 && digits <= "2147483647":
		return small
	case n < 19, n == 19 && digits <= "9223372036854775807":
		return large
	}
	return huge
}

// timestampForm is how timestamps are written that OpenX reads (spec neighbours.md section
// 3.4). time.Parse alone takes more: commas, runs of spaces, and hours of one digit behind a T.
var timestampForm = regexp.MustCompile(`^(?:\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z|` +
	`\d{4}-\d{1,2}-\d{1,2} \d{1,2}:\d\d:\d\d(?:\.\d{1,9})?)$`)

func isTimestamp(s string) bool {
	if len(s) < len("2026-1-5 1:15:00") || len(s) > len("2026-01-15T10:15:00.123456789Z") || s[4] != '-' {
		return false
	}
	return timestampForm.MatchString(s) && (parses("2006-01-02T15:04:05Z", s) || parses("2006-1-2 15:04:05", s))
}

func isDate(s string) bool { return len(s) == len(time.DateOnly) && parses(time.DateOnly, s) }

// parses says whether a text has a layout, and a moment that columns hold: those begin with
// the year 1.
func parses(layout, s string) bool {
	t, err := time.Parse(layout, s)
	return err == nil && t.Year() > 0
}

// numbers counts the numbers among what was seen.
func (s *shape) numbers() int {
	return s.seen[small] + s.seen[large] + s.seen[huge] + s.seen[fraction] + s.seen[outsized]
}

func (s *shape) texts() int { return s.seen[timestamp] + s.seen[date] + s.seen[text] }

// kinds counts the kinds of values that have nothing in common.
func (s *shape) kinds() (n int) {
	for _, seen := range []int{s.seen[boolean], s.numbers(), s.texts(), s.seen[object], s.seen[list]} {
		if seen > 0 {
			n++
		}
	}
	return n
}

// isMap says whether the keys of objects are data.
func (s *shape) isMap() bool {
	if s.many || len(s.fields) == 0 {
		return true
	}
	if len(s.fields) <= mapKeys {
		return false
	}
	all := &shape{}
	for _, f := range s.fields {
		all.merge(f)
	}
	return all.kinds() <= 1
}

// number is the narrowest type of all numbers that were seen; string if no type of numbers
// holds them.
func (s *shape) number() *column.Type {
	switch {
	case s.seen[outsized] > 0:
		return &column.Type{Kind: column.String}
	case s.seen[fraction] > 0:
		return &column.Type{Kind: column.Double}
	case s.seen[huge] > 0:
		return &column.Type{Kind: column.Decimal, Precision: 38}
	case s.seen[large] > 0:
		return &column.Type{Kind: column.BigInt}
	}
	return &column.Type{Kind: column.Int}
}

// written is the type of all texts that were seen.
func (s *shape) written() *column.Type {
	switch s.texts() {
	case s.seen[timestamp]:
		return &column.Type{Kind: column.Timestamp}
	case s.seen[date]:
		return &column.Type{Kind: column.Date}
	}
	return &column.Type{Kind: column.String}
}

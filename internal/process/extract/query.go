package extract

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/itchyny/gojq"
)

// parse reads a query of at most MaxQueryChars. Its errors wrap ErrQuery.
func parse(query string) (*gojq.Query, error) {
	if strings.TrimSpace(query) == "" {
		return nil, fmt.Errorf("%w: it is empty", ErrQuery)
	}
	if utf8.RuneCountInString(query) > MaxQueryChars {
		return nil, fmt.Errorf("%w: it is longer than %d characters", ErrQuery, MaxQueryChars)
	}
	q, err := gojq.Parse(query)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrQuery, err)
	}
	if len(q.Imports) > 0 || q.Meta != nil {
		return nil, fmt.Errorf("%w: %w", ErrQuery, errors.New("modules are not supported"))
	}
	return q, nil
}

// names are those of the members of what q makes, each once; nil if they depend on the record.
// That is known where q ends in an object construction, or in a sum of them.
func names(q *gojq.Query) []string {
	switch {
	case q == nil:
		return nil
	case q.Op == gojq.OpPipe:
		return names(q.Right)
	case q.Op == gojq.OpAdd:
		left, right := names(q.Left), names(q.Right)
		if left == nil || right == nil {
			return nil
		}
		return distinct(append(left, right...))
	case q.Term == nil || len(q.Term.SuffixList) > 0:
		return nil
	case q.Term.Type == gojq.TermTypeQuery:
		return names(q.Term.Query)
	case q.Term.Type == gojq.TermTypeObject:
		return namesOf(q.Term.Object)
	}
	return nil
}

func namesOf(o *gojq.Object) []string {
	list := make([]string, 0, len(o.KeyVals))
	for _, kv := range o.KeyVals {
		name, ok := nameOf(kv)
		if !ok {
			return nil
		}
		list = append(list, name)
	}
	return distinct(list)
}

// nameOf is the name of a member; false if it has to be computed.
func nameOf(kv *gojq.ObjectKeyVal) (string, bool) {
	switch {
	case kv.Key != "": // {a}, {a:1}, {$a}
		return strings.TrimPrefix(kv.Key, "$"), kv.Val == nil || kv.Key[0] != '$'
	case kv.KeyString != nil: // {"a":1}
		return literal(kv.KeyString)
	case kv.KeyQuery != nil && kv.KeyQuery.Term != nil && len(kv.KeyQuery.Term.SuffixList) == 0: // {("a"):1}
		return literal(kv.KeyQuery.Term.Str)
	}
	return "", false
}

// literal is a string without interpolation.
func literal(s *gojq.String) (string, bool) {
	if s == nil || s.Queries != nil {
		return "", false
	}
	return s.Str, true
}

// distinct keeps the first of each name.
func distinct(list []string) []string {
	kept := list[:0]
	for _, name := range list {
		if !slices.Contains(kept, name) {
			kept = append(kept, name)
		}
	}
	return kept
}

package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// utf16 is a character as Java's patterns write it.
var utf16 = regexp.MustCompile(`\\u([0-9a-fA-F]{4})`)

// text is a string, of which the printed pattern stays Java's whatever decides it here.
func text(name string, s shape) (string, error) {
	pattern := s.Pattern
	if printed, ok := patterns[name]; ok {
		pattern = printed
	}
	if len(s.Enum) > 0 {
		if pattern != "" || s.Min != nil || s.Max != nil {
			return "", unusable("an enum with more constraints cannot be said")
		}
		values, err := reordered(s.Enum, enumOrders[name])
		if err != nil {
			return "", err
		}
		return "enumOf(" + quoted(values) + ")", nil
	}
	if pattern == "" || pattern == anything {
		return fmt.Sprintf("stringOf(%s, %s)", low(s), high(s)), nil
	}
	if fits, ok := matchers[pattern]; ok {
		return fmt.Sprintf("matchOf(%s, %s, %s, %s)", low(s), high(s), literal(pattern), fits), nil
	}
	ours := utf16.ReplaceAllString(pattern, `\x{$1}`)
	if _, err := regexp.Compile(ours); err != nil {
		return "", unusable("its pattern needs a matcher: %v", err)
	}
	if ours != pattern {
		return fmt.Sprintf("matchOf(%s, %s, %s, fitsWhole(%s))", low(s), high(s), literal(pattern), literal(ours)), nil
	}
	return fmt.Sprintf("patternOf(%s, %s, %s)", low(s), high(s), literal(pattern)), nil
}

// reordered puts values in the given order, which must name the same ones; an empty order
// leaves them.
func reordered(values []string, order string) ([]string, error) {
	if order == "" {
		return values, nil
	}
	wanted := strings.Fields(order)
	if !slices.Equal(slices.Sorted(slices.Values(wanted)), slices.Sorted(slices.Values(values))) {
		return nil, unusable("its order names %v, but the model has %v", wanted, values)
	}
	return wanted, nil
}

func low(s shape) string {
	if s.Min == nil {
		return "0"
	}
	return fmt.Sprint(*s.Min)
}

func high(s shape) string {
	if s.Max == nil {
		return "unbounded"
	}
	return fmt.Sprint(*s.Max)
}

// literal quotes a pattern as it is read best.
func literal(pattern string) string {
	if strings.Contains(pattern, "`") {
		return fmt.Sprintf("%q", pattern)
	}
	return "`" + pattern + "`"
}

func quoted(values []string) string {
	all := make([]string, len(values))
	for i, v := range values {
		all[i] = fmt.Sprintf("%q", v)
	}
	return strings.Join(all, ", ")
}

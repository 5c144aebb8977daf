package glue

import (
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

var testKeys3 = []Column{{Name: "day", Type: "date"}, {Name: "Hour", Type: "int"}, {Name: "or", Type: "string"}}

func TestExpressionsChoosePartitions(t *testing.T) {
	values := []string{"2026-01-15", "9", "it's"}
	for _, c := range []struct {
		text string
		want bool
	}{
		{"", true},
		{"day = '2026-01-15'", true},
		{"DAY='2026-01-15'", true},
		{"day > \"2026-01-02\"", true},
		{"hour = 9", true},
		{"hour = '09'", true},
		{"hour < 10", true}, // as texts it were not
		{"hour >= 9.5", false},
		{"hour <> 9", false},
		{"hour != 8", true},
		{"hour <= -1", false},
		{"`or` = 'it''s'", true},
		{"hour in (7, 8, 9)", true},
		{"hour NOT IN (7, 8)", true},
		{"hour between 8 and 10 and day like '2026-%'", true},
		{"hour not between 1 and 8", true},
		{"day like '2026-01-1_'", true},
		{"day like '2026-01-1'", false},
		{"`or` like 'it.s'", false},
		{"hour = 1 or hour = 9 and day = 'x'", false},
		{"(hour = 1 or hour = 9) and not (day = 'x')", true},
		{"not hour = 9 or hour = 9", true},
	} {
		m, err := parsePredicate(c.text, testKeys3)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
		} else if m(values) != c.want {
			t.Errorf("%s is %v", c.text, !c.want)
		}
	}
	m, err := parsePredicate("hour >= 0", testKeys3)
	if err != nil || m([]string{"d", "__HIVE_DEFAULT_PARTITION__", ""}) {
		t.Errorf("a value that is no number satisfies a comparison: %v", err)
	}
	if m([]string{"short"}) {
		t.Error("values that are not there satisfy a comparison")
	}
}

func TestExpressionsThatMeanNothingAreRefused(t *testing.T) {
	for text, want := range map[string]string{
		"month = 1":              "there is no such partition key, at character 1",
		"day":                    "an operator was expected, at character 4",
		"day =":                  "a text in quotes or a number was expected, at character 6",
		"day == 'x'":             "an operator was expected, at character 5",
		"hour = 'x'":             "a number was expected, at character 8",
		"day = 'x":               "a text does not end, at character 7",
		"day = 'x' day":          "nothing more was expected, at character 11",
		"(day = 'x'":             ") was expected, at character 11",
		"day in ()":              "a text in quotes or a number was expected, at character 9",
		"day between 'a' or":     "AND was expected, at character 17",
		"day like 5":             "a pattern in quotes was expected, at character 10",
		"day = 'x' and":          "the name of a partition key was expected, at character 14",
		"day = 'x' ; drop":       "a character that means nothing, at character 11",
		"day is null":            "an operator was expected, at character 5",
		"'x' = day":              "the name of a partition key was expected, at character 1",
		strings.Repeat("(", 200): "nested more than 100 deep",
	} {
		_, err := parsePredicate(text, testKeys3)
		var told *Error
		if !errors.As(err, &told) || told.Code != Invalid || !strings.Contains(told.Message, want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// A random expression, and what Go says it is.
func TestExpressionsMeanWhatTheySay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		hour := rapid.IntRange(0, 23).Draw(t, "hour")
		text, want := drawExpression(t, hour, 4)
		m, err := parsePredicate(text, testKeys3)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if m([]string{"", versionID(uint64(hour)), ""}) != want {
			t.Fatalf("%s of %d is not %v", text, hour, want)
		}
	})
}

func drawExpression(t *rapid.T, hour, depth int) (string, bool) {
	kind := rapid.IntRange(0, 3).Draw(t, "kind")
	if depth == 0 || kind == 0 {
		n := rapid.IntRange(0, 23).Draw(t, "n")
		text := versionID(uint64(n))
		switch rapid.IntRange(0, 3).Draw(t, "operator") {
		case 0:
			return "hour = " + text, hour == n
		case 1:
			return "hour<'" + text + "'", hour < n
		case 2:
			return "hour IN (3," + text + ")", hour == n || hour == 3
		}
		return "hour between 4 and " + text, hour >= 4 && hour <= n
	}
	a, isA := drawExpression(t, hour, depth-1)
	b, isB := drawExpression(t, hour, depth-1)
	switch kind {
	case 1:
		return "(" + a + ") and (" + b + ")", isA && isB
	case 2:
		return "(" + a + ") OR (" + b + ")", isA || isB
	}
	return "not (" + a + ")", !isA
}

func FuzzExpressions(f *testing.F) {
	for _, text := range []string{"day = 'x' and (hour in (1,2) or not `or` like '%a_')", "hour between -1 and 1e9", "((", "day <>", "'", "hour = 1e99999999999"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		m, err := parsePredicate(text, testKeys3)
		var told *Error
		if err != nil && (!errors.As(err, &told) || told.Code != Invalid) {
			t.Fatal(err)
		}
		if err == nil {
			m([]string{"2026-01-15", "9", "x"})
			m(nil)
		}
	})
}

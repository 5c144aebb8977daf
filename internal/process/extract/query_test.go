package extract

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestOnlyJQ16IsAnEngine(t *testing.T) {
	for _, engine := range []string{"", "jq-1.6", "JQ-1.7"} {
		_, err := New("{a:.a}", engine, clock)
		if !errors.Is(err, ErrEngine) || err.Error() != "MetaDataExtraction JSON Parsing Engine has to be one of JQ-1.6" {
			t.Errorf("%q: %v", engine, err)
		}
	}
}

func TestAQueryThatCannotRunIsRefused(t *testing.T) {
	var many []string
	for i := range MaxKeys + 1 {
		many = append(many, fmt.Sprintf("k%d:.a", i))
	}
	for _, test := range []struct{ name, query string }{
		{"empty", ""},
		{"blank", " \n"},
		{"half", "{a:.a"},
		{"an unknown function", "{a:nothing}"},
		{"an unknown variable", "{$x}"},
		{"its own place", "{$__loc__}"},
		{"the file name", "{a:input_filename}"},
		{"the next input", "{a:input}"},
		{"a module", `import "m" as m; {a:.a}`},
		{"an include", `include "m"; {a:.a}`},
		{"module data", `import "m" as $m; {a:$m}`},
		{"a module itself", `module {}; {a:.a}`},
		{"too long", "{a:.a}" + strings.Repeat(" ", MaxQueryChars)},
		{"too many keys", "{" + strings.Join(many, ",") + "}"},
	} {
		if _, err := New(test.query, "JQ-1.6", clock); !errors.Is(err, ErrQuery) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
	extraction(t, "{"+strings.Join(many[1:], ",")+"}")
	extraction(t, "{a:.ü}"[:3]+`."ü"}`+strings.Repeat(" ", MaxQueryChars-8))
}

func TestKeysAreToldWhereTheyDoNotDependOnTheRecord(t *testing.T) {
	for _, test := range []struct {
		query string
		want  []string
	}{
		{"{a:.a,b:.b.c}", []string{"a", "b"}},
		{`{"a b":.a,("c"):1,"d"}`, []string{"a b", "c", "d"}},
		{"{a:.x,a:.y}", []string{"a"}},
		{"{if:1,and:2}", []string{"if", "and"}},
		{". as $x | {$x,y:1}", []string{"x", "y"}},
		{"def f: .x; .y | ({a:f})", []string{"a"}},
		{"{a:1} + {b:2,a:3}", []string{"a", "b"}},
		{"{}", []string{}},
		{`{"a\(.x)":1}`, nil},
		{"{(.x):1}", nil},
		{"{a:1}.a", nil},
		{"{a:1} + .", nil},
		{"{a:1} * {b:1}", nil},
		{".a", nil},
		{"if .x then {a:1} else {b:1} end", nil},
	} {
		if diff := cmp.Diff(test.want, extraction(t, test.query).Keys()); diff != "" {
			t.Errorf("%s: %s", test.query, diff)
		}
	}
}

func TestOnlyPathQueriesHaveAPlan(t *testing.T) {
	for query, want := range map[string]bool{
		"{a:.a}":                       true,
		"{a}":                          true,
		`{"a"}`:                        true,
		`{a:."b"}`:                     true,
		`{a:.["b"]}`:                   true,
		`{a:.b["c"].d?}`:               true,
		`{("a"):.b}`:                   true,
		"{}":                           false,
		"{a:.}":                        false,
		"{a:.a[0]}":                    false,
		"{a:.a[]}":                     false,
		"{a:.a[1:]}":                   false,
		"{a:.a[.b]}":                   false,
		`{a:.a["b\(.c)"]}`:             false,
		"{a:.a|.b}":                    false,
		"{a:1}":                        false,
		"{a:.a,a:.b}":                  false,
		"{a:.x,b:.x.y}":                false,
		"{a:.x.y,b:.x}":                false,
		"{a:.a}|.":                     false,
		"{a:.a}?":                      false,
		"{(.a):.b}":                    false,
		"def f: 1; {a:.a}":             false,
		"{a:(def f: 1; .a)}":           false,
		". as $x | {$x}":               false,
		`{"a\(1)":.a}`:                 false,
		`{a:.a,b:(.a|strftime("%Y"))}`: false,
	} {
		if got := extraction(t, query).plan != nil; got != want {
			t.Errorf("%s: %v", query, got)
		}
	}
}

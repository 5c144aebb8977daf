package extract

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"hydrant/internal/record"
)

// same fails t unless a walk by the plan of query and the interpreter alone make the same of
// data, the words of its failure included.
func same(t interface {
	Helper()
	Fatalf(string, ...any)
}, query, data string) {
	t.Helper()
	var got [2]record.Item
	for i := range got {
		e, err := New(query, "JQ-1.6", clock)
		if err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		if i == 1 {
			e.plan = nil
		}
		out, err := e.Process(context.Background(), []record.Item{{Data: []byte(data)}})
		if err != nil {
			t.Fatalf("%s of %q: %v", query, data, err)
		}
		got[i] = out[0]
	}
	if diff := cmp.Diff(got[1], got[0]); diff != "" {
		t.Fatalf("%s of %q:\n%s", query, data, diff)
	}
}

// pathQueries look up the names that documents have.
var pathQueries = []string{
	"{a}", "{a,b}", "{a:.a.b}", "{x:.a.b,y:.a.c,z:.b}", "{x:.a.a.a,y:.a.b}", "{x:.b?.a?,y:.b.a}",
	`{x:."",y:.["é"]}`, `{x:.a["\ufffd"]}`, "{x:.c,y:.c,z:.b}",
}

// documents writes JSON of few names, so that paths meet them, and sometimes breaks it.
func documents() *rapid.Generator[string] {
	blank := rapid.SampledFrom([]string{"", "", "", " ", "\n\t"})
	name := rapid.SampledFrom([]string{
		`"a"`, `"a"`, `"b"`, `"c"`, `""`, `"é"`, `"\u0061"`, `"\u00E9"`, "\"\xff\"", `"\ud800"`, `"\n"`,
	})
	scalar := rapid.OneOf(
		rapid.SampledFrom([]string{
			"null", "true", "false", "0", "-0", "1.50", "1e5", "1E999", "123456789012345678901234567890",
			`""`, `"x"`, `"a/b"`, `"\u0000"`, `"\t"`, `"\ud83d\ude00"`, `"\udc00"`, "\"\xc3\x28\"", "\"\u0085\"", `"é"`,
			"nul", "01", "NaN", "'x'", `"`, "\"\n\"",
		}),
		rapid.SampledFrom([]string{`"x"`, "1", "true"}), // or too little would come through
	)
	var value func(depth int) *rapid.Generator[string]
	value = func(depth int) *rapid.Generator[string] {
		return rapid.Custom(func(t *rapid.T) string {
			b := blank.Draw(t, "blank")
			kind := rapid.SampledFrom([]string{"object", "object", "object", "scalar", "scalar", "array"}).Draw(t, "kind")
			switch {
			case depth == 0 || kind == "scalar":
				return b + scalar.Draw(t, "scalar") + b
			case kind == "array":
				return b + "[" + value(depth-1).Draw(t, "element") + "]" + b
			}
			s := b + "{"
			for i := range rapid.IntRange(0, 4).Draw(t, "members") {
				if i > 0 {
					s += ","
				}
				s += name.Draw(t, "name") + ":" + value(depth-1).Draw(t, "value")
			}
			return s + "}" + b
		})
	}
	return value(3)
}

func TestAWalkGivesWhatTheInterpreterGives(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		same(t, rapid.SampledFrom(pathQueries).Draw(t, "query"), documents().Draw(t, "document"))
	})
}

func FuzzAWalkGivesWhatTheInterpreterGives(f *testing.F) {
	for _, data := range []string{
		guide, `{"a":1,"b":"x"}`, `{"a":{"b":true,"c":1.0},"b":"é"}`, `{"a":1,"a":{"b":2}}`, "{\"\xff\":1}", `{"":1,"é":2}`,
		`{"a":{"a":{"a":"\u0061"},"b":-0}}`, "[]", `{"c":"","b":null}`, `{"a":1}]`,
	} {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data string) {
		for _, query := range pathQueries {
			same(t, query, data)
		}
	})
}

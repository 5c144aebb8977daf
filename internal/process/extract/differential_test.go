package extract

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"hydrant/internal/record"
)

// same fails t unless query makes the same of data with all short cuts as with none: no walk
// by a plan, and an interpreter that gets all of the record. It includes the words of a failure.
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
			e.plan, e.jq.reads.all = nil, true
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

// otherQueries have no plan; most of them name what they read.
var otherQueries = []string{
	`{x:.a.b,y:.b|tostring}`, `{x:(.a|length),y:.b}`, `{x:(.a//.b//"z")}`, `{x:.a[.b]}`, `{x:.a[.b:]}`, `{x:.a[.b]?}`,
	`{"\(.a)":.b}`, `{(.a|tostring):.c}`, `{x:"\(.a)-\(.b|@base64)"}`, `{x:(@uri "\(.a.b)")}`, `{x:(if .a then .b else .c end)}`,
	`{x:(if .a then .b end)}`, `{x:(-.a)}`, `{x:[.a,.b][1]}`, `{x:{a,c}.a}`, `{x:(.a+.b)}`, `{x:.a[]}`, `{x:(.a==.b)}`,
	`{x:length}`, `{x:(.|tojson)}`, `{x:([..]|tojson)}`, `{x:(keys|join("-"))}`, `. as $r|{x:$r.a}`, `.a|{b}`, `{x:.[]}`,
	`{x:(try .a.b catch .)}`, `{x:(.a=1|tojson)}`, `{x:(. as {a:$v}|$v)}`, `{x:@json}`, `def f: .a; {x:f}`, `{x:.a?}, .b`,
	`{x:(.a as $v|.b)}`, `{x:.["a","b"]}`, `{x:(.a|{a:.}|tojson)}`, `{x:(now|type),y:(1,2)}`, `{x:(reduce .a[]? as $i (0;.+1))}`,
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

func TestAQueryMakesTheSameOfWhatItReadsAsOfTheWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		same(t, rapid.SampledFrom(otherQueries).Draw(t, "query"), documents().Draw(t, "document"))
	})
}

func TestWhatAQueryReadsIsToldFromItsNames(t *testing.T) {
	for query, want := range map[string]reads{
		`{a:.b,c:.d|strftime("%Y")}`: {names: []string{"b", "d"}},
		`{a,b:.a[.c:.d].e}`:          {names: []string{"a", "c", "d"}},
		`{a:now}`:                    {},
		`{a:(if .b then 1 end)}`:     {all: true, names: []string{"b"}},
		`{a:(.b=1)}`:                 {all: true},
		`{a:length}`:                 {all: true},
		`{a:.["b","c"]}`:             {all: true},
		`. as $r | {a:$r.b}`:         {all: true},
	} {
		if diff := cmp.Diff(want, extraction(t, query).jq.reads, cmp.AllowUnexported(reads{})); diff != "" {
			t.Errorf("%s: %s", query, diff)
		}
	}
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

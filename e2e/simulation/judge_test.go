package simulation

import (
	"encoding/base64"
	"encoding/json"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"
)

func TestTheJudgeKnowsWhereARecordBelongs(t *testing.T) {
	l := &layout{tag: "s0/t1/", query: &queries[2], function: true, segments: []segment{
		{value: "s0/t1/"}, {fromQuery, "k"}, {value: "/m="}, {fromQuery, "m"}, {value: "/"}, {fromFunction, "f"},
		{value: "/"}, {byTime, "yyyy-MM-dd-HH-mm"}, {value: "/"}, {byChance, "random-string"}, {value: "-"},
	}}
	if got, want := l.prefix(), "s0/t1/!{partitionKeyFromQuery:k}/m=!{partitionKeyFromQuery:m}/!{partitionKeyFromLambda:f}/"+
		"!{timestamp:yyyy-MM-dd-HH-mm}/!{firehose:random-string}-"; got != want {
		t.Errorf("the prefix is %s, not %s", got, want)
	}
	at := time.Date(2000, 1, 1, 0, 5, 59, 0, time.UTC)
	good := keys{json: true, k: value{`"a/b"`, "a/b", true}, u: 7, f: value{`"g"`, "g", true}}
	bad, none := good, keys{}
	bad.f = value{}
	for name, c := range map[string]struct {
		keys   keys
		key    string
		prefix string
	}{
		"its own":              {good, "s0/t1/a/b/m=1/g/2000-01-01-00-05/0123456789a-s0-1", "s0/t1/a/b/m=1/g/2000-01-01-00-05/*-"},
		"within a minute":      {good, "s0/t1/a/b/m=1/g/2000-01-01-00-06/0123456789a-s0-1", "s0/t1/a/b/m=1/g/2000-01-01-00-06/*-"},
		"too early":            {good, "s0/t1/a/b/m=1/g/2000-01-01-00-04/0123456789a-s0-1", ""},
		"too late":             {good, "s0/t1/a/b/m=1/g/2000-01-01-00-07/0123456789a-s0-1", ""},
		"another k":            {good, "s0/t1/a/c/m=1/g/2000-01-01-00-05/0123456789a-s0-1", ""},
		"another m":            {good, "s0/t1/a/b/m=2/g/2000-01-01-00-05/0123456789a-s0-1", ""},
		"another f":            {good, "s0/t1/a/b/m=1/h/2000-01-01-00-05/0123456789a-s0-1", ""},
		"not random":           {good, "s0/t1/a/b/m=1/g/2000-01-01-00-05/0123456789-s0-1", ""},
		"cut off":              {good, "s0/t1/a/b/m=1/g/2000-01", ""},
		"no key of a function": {bad, "s0/t1/a/b/m=1/g/2000-01-01-00-05/0123456789a-s0-1", ""},
		"no JSON":              {none, "s0/t1/a/b/m=1/g/2000-01-01-00-05/0123456789a-s0-1", ""},
	} {
		prefix, _, err := l.match(c.key, &note{keys: c.keys, from: at, to: at.Add(time.Second)})
		if prefix != c.prefix || (err == nil) != (c.prefix != "") {
			t.Errorf("%s: %q, %v", name, prefix, err)
		}
	}
}

func TestTheJudgeKnowsWhatIsTakenApart(t *testing.T) {
	good := keys{json: true, k: value{`"a"`, "a", true}, f: value{`"g"`, "g", true}}
	bad := keys{json: true}
	whole := func(k keys) part { return part{form: entire, keys: k} }
	many := slices.Repeat([]part{whole(good)}, mostParts)
	segments := []segment{{value: "s0/t1/"}, {fromQuery, "k"}, {value: "/"}}
	for name, c := range map[string]struct {
		parts                []part
		documents, delimited [2]int // records, and how many fail
	}{
		"one":                 {[]part{whole(good)}, [2]int{1, 0}, [2]int{1, 0}},
		"one without its key": {[]part{whole(good), whole(bad)}, [2]int{2, 1}, [2]int{2, 1}},
		"a broken one":        {[]part{whole(good), {form: broken}, whole(good)}, [2]int{1, 1}, [2]int{3, 1}},
		"nothing between":     {[]part{whole(good), {form: empty}, whole(good)}, [2]int{2, 0}, [2]int{2, 0}},
		"nothing behind":      {[]part{whole(good), {form: empty}}, [2]int{1, 0}, [2]int{1, 0}},
		"as many as may be":   {many, [2]int{mostParts, 0}, [2]int{mostParts, 0}},
		"too many":            {append(slices.Clone(many), whole(good)), [2]int{1, 1}, [2]int{1, 1}},
	} {
		for kind, want := range map[string][2]int{documents: c.documents, delimited: c.delimited} {
			l := &layout{tag: "s0/t1/", query: &queries[0], segments: segments, split: kind}
			if records, bad := l.apart(&aggregate{parts: c.parts}); [2]int{records, bad} != want {
				t.Errorf("%s, %s: %d records, %d fail; want %v", name, kind, records, bad, want)
			}
		}
	}
}

func TestTheJudgeKnowsWhatMayBecomeOfParts(t *testing.T) {
	good := part{keys: keys{json: true, k: value{`"a"`, "a", true}}}
	know := &note{of: &aggregate{parts: []part{good, good, {keys: keys{json: true}}}}}
	l := &layout{query: &queries[0], segments: []segment{{fromQuery, "k"}}, split: documents}
	s, w := &streamLife{layouts: []*layout{l}}, &world{}
	for name, c := range map[string]struct {
		delivered int
		failed    map[string]int
		all, some bool // whether it fits if nothing can be lost, or some can
	}{
		"as it should be":     {2, map[string]int{noKeys: 1}, true, true},
		"one is missing":      {1, map[string]int{noKeys: 1}, false, true},
		"one failure too few": {2, nil, false, true},
		"one too many":        {2, map[string]int{noKeys: 2}, false, false},
		"a function fails":    {0, map[string]int{"Lambda.FunctionError": 3}, true, true},
		"fails for no reason": {1, map[string]int{noKeys: 2}, false, false},
		"no quota":            {1, map[string]int{noKeys: 1, tooMany: 1}, false, false},
	} {
		r := &remains{delivered: c.delivered, in: l, failed: c.failed}
		if all, some := w.fits(s, know, r, true), w.fits(s, know, r, false); all != c.all || some != c.some {
			t.Errorf("%s: %v, and %v if some may be lost", name, all, some)
		}
	}
}

func TestTheJudgeKnowsTheCellsOfARow(t *testing.T) {
	cell := parquet.ValueOf
	for _, c := range []struct {
		value value
		cell  parquet.Value
		want  bool
	}{
		{value{}, parquet.NullValue(), true},
		{value{raw: "null"}, parquet.NullValue(), true},
		{value{}, cell(""), false},
		{value{raw: `""`, text: true}, cell(""), true},
		{value{raw: `""`, text: true}, parquet.NullValue(), false},
		{value{raw: `"bell\u0007"`, text: true}, cell("bell\a"), true},
		{value{raw: `["a"]`}, cell(`["a"]`), true},
		{value{raw: "12.5"}, cell("12.5"), true},
		{value{raw: "12.5"}, cell("12"), false},
	} {
		if got := c.value.is(c.cell); got != c.want {
			t.Errorf("%s in %v: %v", c.value.raw, c.cell, got)
		}
	}
}

func TestRecordsWithKeysAreJSONAndAreFoundAgain(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	fill := newFiller(r)
	for range 500 {
		want, k := name{uint32(r.IntN(9)), r.Uint32(), r.Uint64()}, drawKeys(r, 40)
		size := leastJSON(k) + r.IntN(3000)
		b := fill.json(nil, want, k, size, r.IntN(1<<20))
		if !json.Valid(b) || len(b) != size {
			t.Fatalf("%d bytes instead of %d: %s", len(b), size, b)
		}
		n, took, err := parse(append(b, b...))
		if err != nil || n != want || took != size {
			t.Fatalf("%+v of %d bytes, %v; it is %+v of %d", n, took, err, want, size)
		}
		if got, want := string(metadata(base64.StdEncoding.EncodeToString(b))), k.f.raw; want != "" && got != `{"partitionKeys":{"f":`+want+`}}` {
			t.Fatalf("the function makes %s of %s", got, want)
		}
		b[r.IntN(size)] ^= 4
		if _, _, err := parse(b); err == nil {
			t.Fatalf("nobody sees the flipped bit in %s", b)
		}
	}
}

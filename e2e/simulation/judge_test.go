package simulation

import (
	"encoding/base64"
	"encoding/json"
	"math/rand/v2"
	"testing"
	"time"
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

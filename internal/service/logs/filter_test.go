package logs

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestPatternsSelectMessages(t *testing.T) {
	const access = `127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534`
	const event = `{"eventType":"UpdateTrail","sourceIPAddress":"123.123.123.123","count":3,"ok":true,"none":null,"list":[{"id":7},{"id":"x"}],"a.b":1}`
	for _, c := range []struct {
		pattern string
		yes, no []string
	}{
		{"", []string{"", "anything"}, nil},
		{"   ", []string{"anything"}, nil},
		{"ERROR", []string{"an ERROR", "ERRORS"}, []string{"error", ""}},
		{"ERROR ARGUMENTS", []string{"ARGUMENTS and ERROR"}, []string{"ERROR alone"}},
		{`"INTERNAL SERVER ERROR"`, []string{"[INTERNAL SERVER ERROR]"}, []string{"INTERNAL ERROR SERVER"}},
		{`"a \"b\""`, []string{`x a "b" y`}, []string{"a b"}},
		{"ERROR -EXITING", []string{"ERROR"}, []string{"ERROR EXITING", "other"}},
		{"-EXITING", []string{"other"}, []string{"EXITING"}},
		{"?ERROR ?WARN", []string{"ERROR", "WARN"}, []string{"INFO"}},
		{"ERROR ?WARN", []string{"ERROR"}, []string{"WARN"}}, // an optional term says nothing beside a required one
		{"%AUTHORIZED|DENIED%", []string{"UNAUTHORIZED", "DENIED"}, []string{"fine"}},
		{`%5\d\d%`, []string{"status 503"}, []string{"status 404"}},

		{`{ $.eventType = "UpdateTrail" }`, []string{event}, []string{`{"eventType":"x"}`, "UpdateTrail", `{"eventType":`, ""}},
		{`{ $.eventType = Update* }`, []string{event}, []string{`{"eventType":"aUpdate"}`}},
		{`{ $.sourceIPAddress != 123.123.* }`, []string{`{"sourceIPAddress":"1.2.3.4"}`}, []string{event, `{}`}},
		{`{ $.count = 3 }`, []string{event, `{"count":3.0}`, `{"count":"3"}`}, []string{`{"count":4}`}},
		{`{ $.count >= 3e0 && $.count < 4 }`, []string{event}, []string{`{"count":2}`, `{"count":true}`}},
		{`{ $.count = 3* }`, []string{event, `{"count":31}`}, []string{`{"count":4}`}},
		{`{ $.ok IS TRUE }`, []string{event}, []string{`{"ok":"true"}`, `{}`}},
		{`{ $.ok IS FALSE }`, []string{`{"ok":false}`}, []string{event}},
		{`{ $.none IS NULL }`, []string{event}, []string{`{}`}},
		{`{ $.absent NOT EXISTS }`, []string{event}, []string{`{"absent":null}`}},
		{`{ $.list[0].id = 7 }`, []string{event}, []string{`{"list":[]}`, `{"list":{"0":1}}`}},
		{`{ $.list = * }`, nil, []string{event}}, // a list has no value of its own
		{`{ $['a.b'] = 1 }`, []string{event}, []string{`{"a":{"b":1}}`}},
		{`{ $.eventType = %^Up% }`, []string{event}, []string{`{"eventType":"down"}`}},
		{`{ ($.count = 1 || $.count = 3) && $.ok IS TRUE }`, []string{event}, []string{`{"count":1}`}},
		{`{ $.count = 3 || $.count = 1 && $.ok IS FALSE }`, []string{event}, []string{`{"count":1,"ok":true}`}},
		{`{$.a=1}`, []string{`{"a":1}`, ` {"a":1} `}, []string{`{"b":1}`}},

		{`[ip, user, username, timestamp, request, status_code, bytes]`, []string{access}, []string{"too few", access + " more"}},
		{`[ip, user, username, timestamp, request, status_code = 4*, bytes]`, []string{access}, []string{strings.Replace(access, "404", "200", 1)}},
		{`[..., status_code = 4* || status_code = 5*, bytes]`, []string{access, "503 1"}, []string{"200 1"}},
		{`[..., request = "*index*", status_code, bytes > 1000]`, []string{access}, []string{strings.Replace(access, "1534", "10", 1)}},
		{`[ip = %^127%, ...]`, []string{access}, []string{"1.2.3.4 x"}},
		{`[ip, ..., bytes != 1534]`, []string{"a 2", "a b c 3"}, []string{access, "a"}},
		{`[w1 = "a b" && w1 != c]`, []string{`"a b"`, `[a b]`}, []string{"a b"}},
	} {
		p, err := parsePattern(c.pattern)
		if err != nil {
			t.Errorf("%s: %v", c.pattern, err)
			continue
		}
		for _, m := range c.yes {
			if !p.match([]byte(m)) {
				t.Errorf("%s does not match %s", c.pattern, m)
			}
		}
		for _, m := range c.no {
			if p.match([]byte(m)) {
				t.Errorf("%s matches %s", c.pattern, m)
			}
		}
	}
}

func TestWhatIsNoPatternIsRefused(t *testing.T) {
	for _, pattern := range []string{
		`"open`, `-`, `?`, `%open`, `%(a)%`, `%[%`, `%a% %b% %c%`, strings.Repeat("x", maxPattern+1),
		`{`, `{}`, `{ $.a }`, `{ $.a = }`, `{ $.a = 1`, `{ $.a = 1 } x`, `{ a = 1 }`, `{ $ = 1 }`, `{ $.* = 1 }`, `{ $.a > "b" }`,
		`{ $.a EXISTS }`, `{ $.a IS NOT NULL }`, `{ $.a[x] = 1 }`, `{ $.a[0 = 1 }`, `{ ($.a = 1 }`, `{ $.a = 1 && }`,
		`{` + strings.Repeat("(", maxDepth+1) + `$.a = 1` + strings.Repeat(")", maxDepth+1) + `}`,
		`[`, `[]`, `[a`, `[a,]`, `[a b]`, `[a = 1 && b = 2]`, `[..., a, ...]`, `[a > b]`, `[a = 1] x`,
	} {
		if _, err := parsePattern(pattern); !errors.Is(err, errPattern) {
			t.Errorf("%s: %v", pattern, err)
		}
	}
}

// Many stars do not make a match slow.
func TestWildcardsTakeTimeInProportion(t *testing.T) {
	s := strings.Repeat("a", 1<<20)
	if wildcard(strings.Repeat("*a", 500)+"b", s) || !wildcard(strings.Repeat("*a", 500), s) {
		t.Error("wrong")
	}
	for _, c := range []struct {
		pattern, s string
		want       bool
	}{{"a*a", "a", false}, {"a*a", "aa", true}, {"*", "", true}, {"**", "x", true}, {"a*", "ba", false}, {"*ab*cd", "xabcabcd", true}, {"", "", true}} {
		if got := wildcard(c.pattern, c.s); got != c.want {
			t.Errorf("%q on %q: %v", c.pattern, c.s, got)
		}
	}
}

func TestEventsAreFilteredOverStreamsInOrder(t *testing.T) {
	w := newWorld(t)
	w.make("g", "a", "b", "other")
	w.say("g", "a", millis, "ERROR a1", "fine", "ERROR a2")
	w.say("g", "b", millis+1, "ERROR b1", "ERROR b2")
	w.say("g", "other", millis, "ERROR o1")
	for name, c := range map[string]struct {
		in   fields
		want []string
	}{
		"all":                 {fields{}, []string{"ERROR a1", "ERROR o1", "fine", "ERROR b1", "ERROR a2", "ERROR b2"}},
		"a pattern":           {fields{"filterPattern": "ERROR"}, []string{"ERROR a1", "ERROR o1", "ERROR b1", "ERROR a2", "ERROR b2"}},
		"streams":             {fields{"logStreamNames": []string{"a", "b"}, "filterPattern": "ERROR"}, []string{"ERROR a1", "ERROR b1", "ERROR a2", "ERROR b2"}},
		"a prefix of streams": {fields{"logStreamNamePrefix": "o"}, []string{"ERROR o1"}},
		"times":               {fields{"startTime": millis + 1, "endTime": millis + 1}, []string{"fine", "ERROR b1"}},
	} {
		for _, limit := range []int{0, 1, 2} {
			in := maps.Clone(c.in)
			in["logGroupName"] = "g"
			if limit > 0 {
				in["limit"] = limit
			}
			var got []string
			ids := map[string]bool{}
			for pages := 0; ; pages++ {
				var out filterOutput
				w.into(&out, "FilterLogEvents", in)
				for _, e := range out.Events {
					got = append(got, e.Message)
					ids[e.ID] = true
				}
				if in["nextToken"] = out.Token; out.Token == "" {
					break
				}
				if pages > 20 {
					t.Fatal("the pages do not end")
				}
			}
			// Events of one time come in the order of their streams' ids.
			slices.Sort(got)
			slices.Sort(c.want)
			if !slices.Equal(got, c.want) || len(ids) != len(c.want) {
				t.Errorf("%s, %d a page: %q with %d ids, want %q", name, limit, got, len(ids), c.want)
			}
		}
	}
}

// The latest time that a number can be is no time at which a search begins anew or ends early.
func TestTimesAtTheEndOfAllTimesAreTaken(t *testing.T) {
	w := newWorld(t)
	w.make("g", "s")
	w.say("g", "s", millis, "one", "two")
	var found filterOutput
	w.into(&found, "FilterLogEvents", fields{"logGroupName": "g", "endTime": int64(math.MaxInt64)})
	if len(found.Events) != 2 {
		t.Errorf("found %+v", found.Events)
	}
	in := fields{"logGroupName": "g", "logStreamName": "s", "startTime": int64(math.MaxInt64), "startFromHead": true}
	var page getOutput
	w.into(&page, "GetLogEvents", in)
	in["nextToken"] = page.Forward
	w.into(&page, "GetLogEvents", in)
	if len(page.Events) != 0 || page.Forward != in["nextToken"] {
		t.Errorf("%+v", page)
	}
}

func TestFiltersRefuseWhatTheyMust(t *testing.T) {
	w := newWorld(t)
	w.make("g", "s")
	w.refuse("FilterLogEvents", fields{"logGroupName": "none"}, notFound, "log group does not exist")
	w.refuse("FilterLogEvents", fields{"logGroupName": "g", "logStreamNames": []string{"none"}}, notFound, "log stream does not exist")
	w.refuse("FilterLogEvents", fields{"logGroupName": "g", "logStreamNames": []string{"s"}, "logStreamNamePrefix": "s"}, invalid, "Only one")
	w.refuse("FilterLogEvents", fields{"logGroupName": "g", "filterPattern": "{"}, invalid, "Invalid filter pattern.")
	w.refuse("FilterLogEvents", fields{"logGroupName": "g", "nextToken": "x"}, invalid, "nextToken")
	w.refuse("FilterLogEvents", fields{}, invalid, "Either")
	w.refuse("TestMetricFilter", fields{"filterPattern": "x"}, invalid, "'logEventMessages'")
	w.refuse("TestMetricFilter", fields{"logEventMessages": []string{"x"}}, invalid, "'filterPattern'")
	w.refuse("TestMetricFilter", fields{"filterPattern": "[", "logEventMessages": []string{"x"}}, invalid, "Invalid filter pattern.")
}

func TestAFilterIsTriedOnMessages(t *testing.T) {
	w := newWorld(t)
	var out testFilterOutput
	w.into(&out, "TestMetricFilter", fields{"filterPattern": `[..., code = 4*, bytes]`, "logEventMessages": []string{"x 200 1", "y 404 2"}})
	if len(out.Matches) != 1 || out.Matches[0].Number != 2 || fmt.Sprint(out.Matches[0].Values) != "map[$bytes:2 $code:404]" {
		t.Fatalf("%+v", out)
	}
	w.into(&out, "TestMetricFilter", fields{"filterPattern": `{ $.a.b = 1 }`, "logEventMessages": []string{`{"a":{"b":1}}`}})
	if len(out.Matches) != 1 || fmt.Sprint(out.Matches[0].Values) != "map[$.a.b:1]" {
		t.Fatalf("%+v", out)
	}
}

// Whatever is sent as a pattern is refused or judges any message, in bounded time.
func FuzzPattern(f *testing.F) {
	for _, p := range []string{`a -b ?c "d e" %f%`, `{ ($.a[0]['b'] = 1e3 || $.c != x*) && $.d IS NULL }`, `[a, ..., b = 4* || b != "5 6", c >= 1]`} {
		f.Add(p, `{"a":[{"b":1000}],"c":"y","d":null}`)
		f.Add(p, `1 "2 3" [4] 404 "5 6" 7`)
	}
	f.Fuzz(func(t *testing.T, pattern, message string) {
		p, err := parsePattern(pattern)
		if err != nil {
			if !errors.Is(err, errPattern) {
				t.Fatal(err)
			}
			return
		}
		begin := time.Now()
		if p.match([]byte(message)) {
			p.extract([]byte(message))
		}
		if len(message) < 1<<16 && time.Since(begin) > 10*time.Second {
			t.Fatalf("took %s", time.Since(begin))
		}
	})
}

func TestAWriterMakesItsStreamWhereItIsMissing(t *testing.T) {
	w := newWorld(t)
	for range 2 {
		if err := w.Ensure(t.Context(), "/aws/lambda/f", "2026/[$LATEST]x"); err != nil {
			t.Fatal(err)
		}
		if err := w.Put(t.Context(), "/aws/lambda/f", "2026/[$LATEST]x", []Event{{w.clock(), "line"}}); err != nil {
			t.Fatal(err)
		}
	}
	if got := w.read("/aws/lambda/f", "2026/[$LATEST]x"); len(got) != 2 {
		t.Fatalf("%q", got)
	}
}

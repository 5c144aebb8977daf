package extract

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hydrant/internal/record"
)

var noon = time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC)

func clock() time.Time { return noon }

func extraction(t testing.TB, query string) *Extraction {
	t.Helper()
	e, err := New(query, "JQ-1.6", clock)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// one processes a record.
func one(t testing.TB, e *Extraction, data string) record.Item {
	t.Helper()
	out, err := e.Process(context.Background(), []record.Item{{ID: "1", Source: []byte("source"), Data: []byte(data)}})
	if err != nil || len(out) != 1 {
		t.Fatalf("%d items, %v", len(out), err)
	}
	return out[0]
}

// guide is the sample of the developer guide.
const guide = `{"type":{"device":"mobile","event":"e"},"customer_id":"1234567890","event_timestamp":1565382027}`

func TestTheSampleOfTheGuideGivesTheKeysOfTheGuide(t *testing.T) {
	e := extraction(t, `{customer_id:.customer_id,device:.type.device,year:.event_timestamp|strftime("%Y"),`+
		`month:.event_timestamp|strftime("%m"),day:.event_timestamp|strftime("%d"),hour:.event_timestamp|strftime("%H")}`)
	want := map[string]string{
		"customer_id": "1234567890", "device": "mobile", "year": "2019", "month": "08", "day": "09", "hour": "20",
	}
	if diff := cmp.Diff(want, one(t, e, guide).Queried); diff != "" {
		t.Fatal(diff)
	}
	names := []string{"customer_id", "device", "year", "month", "day", "hour"}
	if diff := cmp.Diff(names, e.Keys()); diff != "" {
		t.Fatal(diff)
	}
}

// ways are an extraction as it is and without its walk.
func ways(t testing.TB, query string) map[string]*Extraction {
	walks, runs := extraction(t, query), extraction(t, query)
	runs.plan = nil
	return map[string]*Extraction{"as it is": walks, "by the interpreter": runs}
}

func TestARecordGetsItsKeysOrFails(t *testing.T) {
	type keys = map[string]string
	long := strings.Repeat("x", MaxKeysBytes)
	tests := []struct {
		name, query, data string
		keys              keys
		message           refusal
	}{
		{"a string", "{a:.a}", `{"a":"x y/ü"}`, keys{"a": "x y/ü"}, ""},
		{"an integer", "{a:.a}", `{"a":-12345678901234567890}`, keys{"a": "-12345678901234567890"}, ""},
		{"a fraction", "{a:.a}", `{"a":1.50}`, keys{"a": "1.50"}, ""},
		{"an exponent", "{a:.a}", `{"a":1E400}`, keys{"a": "1E400"}, ""},
		{"booleans", "{a:.a,b:.b}", `{"b":false,"a":true}`, keys{"a": "true", "b": "false"}, ""},
		{"arithmetic", "{a:(.a+1),b:(.a/2)}", `{"a":1}`, keys{"a": "2", "b": "0.5"}, ""},
		{"a short form", `{a,"b c"}`, `{"a":1,"b c":2}`, keys{"a": "1", "b c": "2"}, ""},
		{"names in quotes", `{a:."b c",d:.e["f"].g}`, `{"b c":1,"e":{"f":{"g":2}}}`, keys{"a": "1", "d": "2"}, ""},
		{"one path twice", `{a:.x.y,b:.x.y,c:.x.z}`, `{"x":{"y":"1","z":"2"}}`, keys{"a": "1", "b": "1", "c": "2"}, ""},
		{"a path that may fail", `{a:.x?.y?}`, `{"x":{"y":"1"}}`, keys{"a": "1"}, ""},
		{"one name twice", `{a:.x,a:.y}`, `{"x":1,"y":2}`, keys{"a": "2"}, ""},
		{"a member twice", `{a:.x}`, `{"x":1,"x":2}`, keys{"a": "2"}, ""},
		{"a member twice, first null", `{a:.x.y}`, `{"x":null,"x":{"y":2}}`, keys{"a": "2"}, ""},
		{"escapes", `{a:.x}`, `{"\u0078":"\u0041\/\ud83d\ude00"}`, keys{"a": "A/😀"}, ""},
		{"broken UTF-8", `{a:.x}`, "{\"x\":\"\xff\\ud800\"}", keys{"a": "\ufffd\ufffd"}, ""},
		{"bytes that are no UTF-8", `{a:(.x|@base64d)}`, `{"x":"/2E="}`, keys{"a": "\ufffda"}, ""},
		{"white space around", `{a:.x}`, " {\"x\":1}\r\n", keys{"a": "1"}, ""},
		{"a default", `{a:(.x//"none")}`, `{}`, keys{"a": "none"}, ""},
		{"a computed name", `{(.x):.y}`, `{"x":"k","y":"v"}`, keys{"k": "v"}, ""},
		{"an array", `{a:.[1]}`, `[1,2]`, keys{"a": "2"}, ""},
		{"as large as allowed", `{a:.x}`, `{"x":"` + long[1:] + `"}`, keys{"a": long[1:]}, ""},
		{"the environment", `{a:(env|length),b:($ENV|length)}`, `{}`, keys{"a": "0", "b": "0"}, ""},

		{"null", "{a:.a}", `{"a":null}`, nil, nullOrNone},
		{"missing", "{a:.a}", `{}`, nil, nullOrNone},
		{"missing on the way", "{a:.a.b}", `{"a":null}`, nil, nullOrNone},
		{"empty", "{a:.a}", `{"a":""}`, nil, nullOrNone},
		{"one of two missing", "{a:.a,b:.b}", `{"a":1}`, nil, nullOrNone},
		{"an object", "{a:.a}", `{"a":{}}`, nil, nullOrNone},
		{"an array for a value", "{a:.a}", `{"a":[1]}`, nil, nullOrNone},
		{"not a number", "{a:nan}", `{}`, nil, nullOrNone},
		{"no members", "{}", `{}`, nil, nullOrNone},
		{"no output", "empty", `{}`, nil, nullOrNone},
		{"a path that failed", "{a:.x?.y?}", `{"x":1}`, nil, nullOrNone},
		{"a member below a leaf", "{a:.x,b:.x.y}", `{"x":{"y":1}}`, nil, nullOrNone},

		{"two outputs", "{a:.a[]}", `{"a":[1,2]}`, nil, manyOut},
		{"no object", ".a", `{"a":"x"}`, nil, manyOut},
		{"a failure behind an object", "{a:1}, error", `"no"`, nil, queryError + `error: no`},
		{"a member of a number", "{a:.a}", `1`, nil, queryError + `expected an object but got: number (1)`},
		{"an end", "halt_error", `{}`, nil, queryError + "halt error: {}"},
		{"control characters", "{a:.a}", `{"a":"x\ny"}`, nil, hasControl},
		{"too large", "{a:.a}", `{"a":"` + long + `"}`, nil, largeKeys},
		{"too many", "[range(51)|{key:tostring,value:1}]|from_entries", `{}`, nil, manyKeys},

		{"text", "{a:.a}", `hello`, nil, notJSON},
		{"nothing", "{a:.a}", ``, nil, notJSON},
		{"half a document", "{a:.a}", `{"a":1`, nil, notJSON},
		{"two documents", "{a:.a}", `{"a":1}{"a":1}`, nil, notJSON},
		{"a comma too many", "{a:.a}", `{"a":1,}`, nil, notJSON},
		{"garbage in what is not looked up", "{a:.a}", `{"a":1,"b":[1,}`, nil, notJSON},
		{"a number of jq's own", "{a:.a}", `{"a":nan}`, nil, notJSON},
		{"too deep", "{a:.a}", strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000), nil, notJSON},
	}
	for _, test := range tests {
		for way, e := range ways(t, test.query) {
			t.Run(test.name+" "+way, func(t *testing.T) {
				want := record.Item{ID: "1", Source: []byte("source"), Data: []byte(test.data), Queried: test.keys}
				if test.message != "" {
					want.Failure = &record.Failure{
						Output: record.ProcessingFailed, Code: "DynamicPartitioning.MetadataExtractionFailed",
						Message: string(test.message), Attempts: 1, Ended: noon,
					}
				}
				if diff := cmp.Diff(want, one(t, e, test.data)); diff != "" {
					t.Fatal(diff)
				}
			})
		}
	}
}

// A prefix may name keys of both sources, also of the same name (spec section 7.3).
func TestKeysStandBesideThoseOfAFunction(t *testing.T) {
	had := map[string]string{"a": "function", "b": "function"}
	out, err := extraction(t, "{a:.a}").Process(context.Background(), []record.Item{{Data: []byte(`{"a":1}`), Keys: had}})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"a": "1"}, out[0].Queried); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]string{"a": "function", "b": "function"}, out[0].Keys); diff != "" {
		t.Error(diff)
	}
}

func TestItemsThatFailedOrWereDroppedPassUnchanged(t *testing.T) {
	items := func() []record.Item {
		return []record.Item{{Failure: &record.Failure{Code: "earlier"}}, {Dropped: true}}
	}
	out, err := extraction(t, "{a:.a}").Process(context.Background(), items())
	if diff := cmp.Diff(items(), out); diff != "" || err != nil {
		t.Error(err, diff)
	}
}

func TestAProcessorStopsWhenItsContextHasEnded(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := extraction(t, "{a:.a}").Process(ctx, []record.Item{{Data: []byte(`{"a":1}`)}})
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestAQueryThatNeverEndsFailsItsRecordAndNoOther(t *testing.T) {
	e := extraction(t, `if .a then {a:1} else last(repeat(1)) end`)
	if e.jq.time != MaxTime {
		t.Fatal(e.jq.time)
	}
	e.jq.time = 20 * time.Millisecond
	out, err := e.Process(context.Background(), []record.Item{
		{Data: []byte(`{}`)}, {Data: []byte(`{"a":true}`)},
	})
	if err != nil {
		t.Fatal(err)
	}
	if f := out[0].Failure; f == nil || f.Message != string(tookLong) {
		t.Errorf("%+v", f)
	}
	if diff := cmp.Diff(map[string]string{"a": "1"}, out[1].Queried); diff != "" {
		t.Error(diff)
	}
}

func TestAContextThatEndsWhileAQueryRunsFailsNoRecord(t *testing.T) {
	e := extraction(t, `last(repeat(1))`)
	e.jq.time = time.Hour
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	if _, err := e.Process(ctx, []record.Item{{Data: []byte(`{}`)}}); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

func TestTheLimitsAreThoseThatMessagesName(t *testing.T) {
	for limit, message := range map[int64]refusal{MaxTime.Milliseconds(): tookLong, MaxKeys: manyKeys, MaxKeysBytes: largeKeys} {
		if !strings.Contains(string(message), fmt.Sprintf(" %d ", limit)) {
			t.Errorf("%v: %s", limit, message)
		}
	}
}

func TestWhatAQuerySaysOfAFailureIsBounded(t *testing.T) {
	item := one(t, extraction(t, `error("ü" * 1000)`), `{}`)
	if f := item.Failure; f == nil || len(f.Message) > maxMessage+len(queryError)+8 {
		t.Errorf("%+v", f)
	}
}

func TestPatternsOfRecordsAreForgotten(t *testing.T) {
	e := extraction(t, `{a:(.x|test(.))}`)
	first := e.jq.code.Load()
	for i := range freshBytes/recordBytes + 1 {
		if item := one(t, e, fmt.Sprintf(`{"x":"%d"}`, i)); !item.Goes() {
			t.Fatal(item.Failure)
		}
	}
	if e.jq.code.Load() == first {
		t.Error("the query was not compiled anew")
	}
}

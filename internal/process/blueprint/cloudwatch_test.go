package blueprint

import (
	"fmt"
	"strings"
	"testing"

	stdjson "encoding/json"
)

func TestDocumentsOfCloudWatchLogsBecomeTheirMessages(t *testing.T) {
	event := func(message string) string { return `{"id":"1","timestamp":1,"message":` + message + `}` }
	document := func(kind string, events ...string) string {
		return fmt.Sprintf(`{"messageType":%q,"owner":"1","logGroup":"g","logStream":"s","subscriptionFilters":["f"],"logEvents":[%s]}`,
			kind, strings.Join(events, ","))
	}
	tests := []struct {
		name, document string
		want           string
		result         Result
		reason         string
	}{
		{"messages", document("DATA_MESSAGE", event(`"line 1"`), event(`"line 2"`)), "line 1\nline 2\n", Ok, ""},
		{"escapes", document("DATA_MESSAGE", event(`"a\"\\\u00e4\n\ud83d\ude00"`)), "a\"\\ä\n😀\n", Ok, ""},
		{"a message that ends in LF", document("DATA_MESSAGE", event(`"a\n"`)), "a\n\n", Ok, ""},
		{"an empty message", document("DATA_MESSAGE", event(`""`)), "\n", Ok, ""},
		{"broken UTF-8 and half a pair", document("DATA_MESSAGE", event("\"\xff\""), event(`"\ud800"`)), "\ufffd\n\ufffd\n", Ok, ""},
		{"no events", document("DATA_MESSAGE"), "", Ok, ""},
		{"more members", document("DATA_MESSAGE", `{"message":"a","extractedFields":{"@aws.account":"1"}}`), "a\n", Ok, ""},
		{"the type behind the events", `{"logEvents":[{"message":"a"}],"messageType":"DATA_MESSAGE"}`, "a\n", Ok, ""},
		{"an escaped name", `{"\u006dessageType":"DATA_MESSAGE","logEvents":[{"m\u0065ssage":"a"}]}`, "a\n", Ok, ""},
		{"names that come twice", `{"logEvents":[{"message":"x"}],"messageType":"X","messageType":"DATA_MESSAGE","logEvents":[{"message":"x","message":"a"}]}`, "a\n", Ok, ""},
		{"a control message", document("CONTROL_MESSAGE", event(`"CWL CONTROL MESSAGE: Checking health of destination Firehose."`)), "", Dropped, ""},
		{"a control message without events", `{"messageType":"CONTROL_MESSAGE"}`, "", Dropped, ""},
		{"another type", document("OTHER"), "", ProcessingFailed, otherMessage},
		{"no type", `{"logEvents":[]}`, "", ProcessingFailed, otherMessage},
		{"a type that is a number", `{"messageType":1,"logEvents":[]}`, "", ProcessingFailed, otherMessage},
		{"another object", `{}`, "", ProcessingFailed, otherMessage},
		{"data without events", `{"messageType":"DATA_MESSAGE"}`, "", ProcessingFailed, noDocument},
		{"events that are no array", `{"messageType":"DATA_MESSAGE","logEvents":{}}`, "", ProcessingFailed, noDocument},
		{"an event that is no object", document("DATA_MESSAGE", event(`"a"`), `"b"`), "", ProcessingFailed, noDocument},
		{"an event without a message", document("DATA_MESSAGE", event(`"a"`), `{}`), "", ProcessingFailed, noDocument},
		{"a message that is no string", document("DATA_MESSAGE", event(`1`)), "", ProcessingFailed, noDocument},
		{"an array", `[]`, "", ProcessingFailed, noDocument},
		{"two documents", document("DATA_MESSAGE") + document("DATA_MESSAGE"), "", ProcessingFailed, noDocument},
		{"half a document", document("DATA_MESSAGE", event(`"a"`))[:100], "", ProcessingFailed, noDocument},
		{"nothing", "", "", ProcessingFailed, noDocument},
		{"a bomb", document("DATA_MESSAGE", event(`"`+strings.Repeat(" ", maxDocument)+`"`)), "", ProcessingFailed, tooLarge},
	}
	for _, test := range tests {
		out, result, reason := cloudWatch([]byte("before"), gz(t, test.document))
		if string(out) != "before"+test.want || result != test.result || reason != test.reason {
			t.Errorf("%s: %q %v %s", test.name, out, result, reason)
		}
	}
}

func TestWhatIsNoGzipFails(t *testing.T) {
	packed := gz(t, `{"messageType":"DATA_MESSAGE","logEvents":[]}`)
	for _, data := range [][]byte{nil, []byte("x"), packed[:len(packed)-1], packed[:12], append(packed[:len(packed):len(packed)], 'x')} {
		if out, result, reason := cloudWatch(nil, data); len(out) > 0 || result != ProcessingFailed || reason != noGzip {
			t.Errorf("%q: %q %v %s", data, out, result, reason)
		}
	}
}

// The standard library, which is as lenient, makes the same of a document.
func FuzzCloudWatch(f *testing.F) {
	f.Add(`{"messageType":"DATA_MESSAGE","logEvents":[{"message":"a"},{"message":"\ud800\\"}]}`)
	f.Add(`{"messageType":"CONTROL_MESSAGE","logEvents":[{}]}`)
	f.Add(`{"messageType":"X"}`)
	f.Fuzz(func(t *testing.T, document string) {
		out, result, reason := cloudWatch([]byte("before"), gz(t, document))
		if result != Ok && string(out) != "before" || (reason != "") != (result == ProcessingFailed) {
			t.Fatalf("%q %v %s", out, result, reason)
		}
		var d map[string]stdjson.RawMessage
		if stdjson.Unmarshal([]byte(document), &d) != nil || d == nil {
			if result != ProcessingFailed {
				t.Fatalf("not an object, and yet %v", result)
			}
			return
		}
		var events []struct{ Message *string }
		switch string(d["messageType"]) {
		case `"CONTROL_MESSAGE"`:
			if result != Dropped {
				t.Fatal(result, reason)
			}
		case `"DATA_MESSAGE"`:
			if result != Ok || stdjson.Unmarshal(d["logEvents"], &events) != nil {
				return
			}
			want := "before"
			for _, e := range events {
				if e.Message == nil {
					return // the standard library knows other spellings of a name, and null
				}
				want += *e.Message + "\n"
			}
			if string(out) != want {
				t.Fatalf("%q, and the standard library makes %q", out, want)
			}
		default:
			if result != ProcessingFailed {
				t.Fatal(result)
			}
		}
	})
}

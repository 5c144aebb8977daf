package unpack

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hydrant/internal/record"
)

func TestExtractionIsTrueOrFalse(t *testing.T) {
	for value, want := range map[string]bool{"true": true, "True": true, "FALSE": false, "false": false} {
		if l, err := NewLogProcessing(value, clock); err != nil || l.extract != want {
			t.Errorf("%q: %v", value, err)
		}
	}
	for _, value := range []string{"", "yes", "1"} {
		_, err := NewLogProcessing(value, clock)
		if err == nil || err.Error() != "Invalid parameter value for DataMessageExtraction. Allowed values are True and False." {
			t.Errorf("%q: %v", value, err)
		}
	}
}

func TestADocumentBecomesItsMessages(t *testing.T) {
	dropped := func(i *record.Item) { i.Dropped = true }
	fails := func(i *record.Item) { i.Failure = &nonconforming }
	is := func(s string) func(*record.Item) { return func(i *record.Item) { i.Data = []byte(s) } }
	tests := []struct {
		name, data string
		want       func(*record.Item)
	}{
		{"one event", document(`"line 1"`), is("line 1\n")},
		{"more events", document(`"a"`, `""`, `"c\n"`), is("a\n\nc\n\n")},
		{"escapes", document(`"{\"a\":\"\u00e4\t\\\ud83d\ude00\"}"`), is("{\"a\":\"ä\t\\😀\"}\n")},
		{"broken UTF-8 and half a surrogate pair", document("\"<\xff>\"", `"<\ud800>"`), is("<\ufffd>\n<\ufffd>\n")},
		{"members in another order and unknown ones",
			`{"x":{"logEvents":[1]},"logEvents":[{"message":"a","extractedFields":{"message":"no"}}],"policyLevel":"ACCOUNT","messageType":"DATA_MESSAGE"}`, is("a\n")},
		{"names with escapes", `{"message\u0054ype":"DATA_MESSAGE","logEvents":[{"m\u0065ssage":"a"}]}`, is("a\n")},
		{"names that come twice", `{"messageType":"CONTROL_MESSAGE","logEvents":[{"message":"a"}],"messageType":"DATA_MESSAGE","logEvents":[{"message":"b","message":"c"}]}`, is("c\n")},

		{"a control message", controlMessage, dropped},
		{"a control message that tells late", `{"logEvents":[{"message":"a"}],"messageType":"CONTROL_MESSAGE"}`, dropped},
		{"no events", document(), dropped},

		{"nothing", "", fails},
		{"an event without a message", `{"messageType":"DATA_MESSAGE","logEvents":[{"message":"a"},{"id":"1"}]}`, fails},
		{"an event that is no object", `{"messageType":"DATA_MESSAGE","logEvents":["a"]}`, fails},
		{"a message that is no string", document(`"a"`, `null`), fails},
		{"logEvents that are no array", `{"messageType":"DATA_MESSAGE","logEvents":"a"}`, fails},
		{"half a document", document(`"a"`)[:100], fails},
		{"half an event", document(`"a"`)[:len(document(`"a"`))-3], fails},
		{"something behind", document(`"a"`) + "x", fails},
	}
	logs, err := NewLogProcessing("true", clock)
	if err != nil {
		t.Fatal(err)
	}
	var in, want []record.Item // together, for they share memory that must not be mixed up
	for _, test := range tests {
		w := item(test.data)
		w.ID = test.name
		in = append(in, w)
		test.want(&w)
		want = append(want, w)
	}
	out, err := logs.Process(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, out); diff != "" {
		t.Fatal(diff)
	}
}

func TestWithoutExtractionDocumentsPassAsTheyAre(t *testing.T) {
	logs, err := NewLogProcessing("false", clock)
	if err != nil {
		t.Fatal(err)
	}
	items := []record.Item{item(document(`"a"`)), item(controlMessage)}
	out, err := logs.Process(context.Background(), items)
	if diff := cmp.Diff([]record.Item{item(document(`"a"`)), item(controlMessage)}, out); diff != "" || err != nil {
		t.Fatal(err, diff)
	}
}

func BenchmarkLogProcessing(b *testing.B) {
	doc := []byte(typicalDocument())
	items := make([]record.Item, 100)
	logs, err := NewLogProcessing("true", clock)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(doc) * len(items)))
	b.ReportAllocs()
	for b.Loop() {
		for i := range items {
			items[i] = record.Item{Data: doc}
		}
		out, err := logs.Process(context.Background(), items)
		if err != nil || !out[0].Goes() {
			b.Fatal(err, out[0].Failure)
		}
	}
}

package deaggregate

import (
	"context"
	"encoding/base64"
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

func item(data string) record.Item {
	return record.Item{ID: "id", Arrival: noon.Add(-time.Minute), Source: []byte("source"), Data: []byte(data)}
}

// newDeaggregation splits at the delimiter, or JSON if it is empty.
func newDeaggregation(t testing.TB, delimiter string) *Deaggregation {
	t.Helper()
	subRecordType := "DELIMITED"
	if delimiter == "" {
		subRecordType = "JSON"
	}
	d, err := New(subRecordType, base64.StdEncoding.EncodeToString([]byte(delimiter)), clock)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestParametersAreCheckedInFirehosesWords(t *testing.T) {
	tests := []struct{ subRecordType, delimiter, want string }{
		{"JSON", "", ""},
		{"JSON", "ignored", ""},
		{"DELIMITED", "IyMjIw==", ""},
		{"", "", "SubRecordType has to be one of JSON, DELIMITED"},
		{"json", "", "SubRecordType has to be one of JSON, DELIMITED"},
		{"DELIMITED", "", "Delimiter should be present for DELIMITED"},
		{"DELIMITED", "####", "the delimiter has to be base64: illegal base64 data at input byte 0"},
	}
	for _, test := range tests {
		_, err := New(test.subRecordType, test.delimiter, clock)
		if err == nil && test.want != "" || err != nil && err.Error() != test.want {
			t.Errorf("%+v: %v", test, err)
		}
	}
}

func TestARecordIsTakenApart(t *testing.T) {
	none := []string{}
	many := func(part, between string, n int) (record string, parts []string) {
		for range n {
			parts = append(parts, part)
		}
		return strings.Join(parts, between), parts
	}
	json500, parts500 := many(`{"a":1}`, "", 500)
	json501, _ := many(`{"a":1}`, "", 501)
	lines500, lineParts500 := many("line", "\n", 500)
	lines501, _ := many("line", "\n", 501)
	tests := []struct {
		name, delimiter, data string
		want                  []string // empty: it fails
	}{
		{"one document", "", `{"a":1}`, []string{`{"a":1}`}},
		{"documents without anything between", "", `{"a":1}{"b":{}}[{}]`, []string{`{"a":1}`, `{"b":{}}`, `[{}]`}},
		{"documents with white space between", "", " \t{\"a\": 1}\r\n\n{} \n", []string{`{"a": 1}`, `{}`}},
		{"an array stays one document", "", `[{"a":1},{"a":2}]`, []string{`[{"a":1},{"a":2}]`}},
		{"values that are no objects", "", `1 "a""b"true null-2`, []string{`1`, `"a"`, `"b"`, `true`, `null`, `-2`}},
		{"braces and quotes in strings", "", `{"a":"}{\"","b":"\\"}{}`, []string{`{"a":"}{\"","b":"\\"}`, `{}`}},
		{"names that come twice and broken UTF-8", "", "{\"a\":1,\"a\":2}{\"a\":\"\xff\\ud800\"}", []string{`{"a":1,"a":2}`, "{\"a\":\"\xff\\ud800\"}"}},
		{"500 documents", "", json500, parts500},
		{"500 documents and white space", "", json500 + " \n", parts500},
		{"501 documents stay whole", "", json501, []string{json501}},
		{"nothing", "", "", none},
		{"only white space", "", " \n", none},
		{"text", "", "hello", none},
		{"half a document", "", `{"a":1}{"b":`, none},
		{"garbage between", "", `{"a":1},{"b":1}`, none},
		{"garbage behind", "", `{"a":1}x`, none},
		{"deeper than anybody writes", "", strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000), none},

		{"parts", "####", "a####b####c", []string{"a", "b", "c"}},
		{"a delimiter behind the last", "\n", "a\nb\n", []string{"a", "b"}},
		{"empty parts", "\n", "\na\n\nb\n\n", []string{"", "a", "", "b", ""}},
		{"a delimiter that overlaps itself", "aa", "xaaaay", []string{"x", "", "y"}},
		{"half a delimiter", "####", "a###b", []string{"a###b"}},
		{"only a delimiter", "\n", "\n", []string{""}},
		{"nothing to split", "\n", "", []string{""}},
		{"any bytes", "\x00", "\xff\x00\xfe", []string{"\xff", "\xfe"}},
		{"500 lines", "\n", lines500, lineParts500},
		{"500 whole lines", "\n", lines500 + "\n", lineParts500},
		{"501 lines stay whole", "\n", lines501, []string{lines501}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			out, err := newDeaggregation(t, test.delimiter).Process(context.Background(), []record.Item{item(test.data)})
			if err != nil {
				t.Fatal(err)
			}
			var want []record.Item
			for i, part := range test.want {
				w := item(part)
				if len(test.want) > 1 {
					w.ID, w.Source = fmt.Sprintf("id.%03d", i), []byte(part)
				}
				want = append(want, w)
			}
			if len(test.want) == 0 {
				w := item(test.data)
				w.Failure = &record.Failure{
					Output: record.ProcessingFailed, Code: "DynamicPartitioning.MetadataExtractionFailed",
					Message: "Non JSON record provided", Attempts: 1, Ended: noon,
				}
				want = append(want, w)
			}
			if diff := cmp.Diff(want, out); diff != "" {
				t.Fatal(diff)
			}
		})
	}
}

func TestPartsStandInThePlaceOfTheirRecord(t *testing.T) {
	failed, dropped, first, last := item("{}{}"), item("{}{}"), item("1 2"), item("3")
	failed.Failure, dropped.Dropped = &record.Failure{Code: "earlier"}, true
	first.ID, last.ID = "first", "last"
	out, err := newDeaggregation(t, "").Process(context.Background(), []record.Item{failed, first, dropped, last})
	if err != nil {
		t.Fatal(err)
	}
	one, two := first, first
	one.ID, one.Source, one.Data = "first.000", []byte("1"), []byte("1")
	two.ID, two.Source, two.Data = "first.001", []byte("2"), []byte("2")
	if diff := cmp.Diff([]record.Item{failed, one, two, dropped, last}, out); diff != "" {
		t.Fatal(diff)
	}
}

func TestWhoGrowsAPartDoesNotTouchItsNeighbour(t *testing.T) {
	for delimiter, data := range map[string]string{"": "[1][2]", "\n": "[1]\n[2]"} {
		out, err := newDeaggregation(t, delimiter).Process(context.Background(), []record.Item{item(data)})
		if err != nil {
			t.Fatal(err)
		}
		_ = append(out[0].Data, "xxxx"...)
		if got := string(out[1].Data); got != "[2]" {
			t.Errorf("%q: %q", delimiter, got)
		}
	}
}

func TestTheProcessorStopsWhenItsContextHasEnded(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := newDeaggregation(t, "").Process(ctx, []record.Item{item("{}")}); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
}

func TestIDsSortAndNoneBeginsWithAnother(t *testing.T) {
	for _, n := range []int{1, 2, 500, 1000, 1001} {
		got := ids("id", n)
		for i := 1; i < len(got); i++ {
			if got[i-1] >= got[i] || len(got[i-1]) != len(got[i]) {
				t.Fatalf("%q before %q", got[i-1], got[i])
			}
		}
	}
	if diff := cmp.Diff([]string{"id.000", "id.001"}, ids("id", 2)); diff != "" {
		t.Error(diff)
	}
	if got := ids("id", 1001)[1000]; got != "id.1000" {
		t.Error(got)
	}
}

func BenchmarkDeaggregation(b *testing.B) {
	const event = `{"customer_id":"1234567890","event_timestamp":1565382027,"type":{"device":"mobile","event":"user_clicked_submit_button"},"tags":["a","b"],"value":12.5}`
	for _, bench := range []struct{ name, delimiter, between string }{{"JSON", "", ""}, {"DELIMITED", "\n", "\n"}} {
		b.Run(bench.name, func(b *testing.B) {
			data := []byte(strings.Repeat(event+bench.between, 200))
			d := newDeaggregation(b, bench.delimiter)
			items := make([]record.Item, 100)
			for i := range items {
				items[i] = record.Item{ID: strings.Repeat("x", record.IDLength), Data: data}
			}
			b.SetBytes(int64(len(data) * len(items)))
			b.ReportAllocs()
			for b.Loop() {
				out, err := d.Process(context.Background(), items)
				if err != nil || len(out) != 200*len(items) {
					b.Fatal(err, len(out))
				}
			}
		})
	}
}

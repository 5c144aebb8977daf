package unpack

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hydrant/internal/record"
)

func decompression(t testing.TB) *Decompression {
	t.Helper()
	d, err := NewDecompression("GZIP", clock)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestOnlyGzipIsAFormat(t *testing.T) {
	for _, format := range []string{"", "gzip", "Snappy"} {
		if _, err := NewDecompression(format, clock); err == nil || err.Error() != "CompressionFormat has to be GZIP" {
			t.Errorf("%q: %v", format, err)
		}
	}
}

func TestARecordBecomesItsDocumentOrFails(t *testing.T) {
	doc := document(`"line 1"`)
	packed := gz(t, doc)
	half := len(doc) / 2
	tests := []struct {
		name, data string
		want       string // empty: it fails
	}{
		{"a document", packed, doc},
		{"a control message", gz(t, controlMessage), controlMessage},
		{"no events", gz(t, document()), document()},
		{"white space around", gz(t, " "+doc+"\n"), " " + doc + "\n"},
		{"two members", gz(t, doc[:half]) + gz(t, doc[half:]), doc},
		{"an empty member before and behind", gz(t, "") + packed + gz(t, ""), doc},
		{"garbage behind", packed + "garbage", doc},
		{"zeros behind", packed + strings.Repeat("\x00", 512), doc},
		{"half a head behind", packed + "\x1f\x8b", doc},
		{"broken UTF-8 and half a surrogate pair", gz(t, document("\"\xff\"", `"\ud800"`)), document("\"\xff\"", `"\ud800"`)},

		{"nothing", "", ""},
		{"no gzip", doc, ""},
		{"half a member", packed[:len(packed)/2], ""},
		{"a member without its trailer", packed[:len(packed)-8], ""},
		{"a wrong checksum", packed[:len(packed)-8] + "\x00\x00\x00\x00" + packed[len(packed)-4:], ""},
		{"half a member behind", packed + packed[:len(packed)-1], ""},
		{"an empty member", gz(t, ""), ""},
		{"text", gz(t, "hello"), ""},
		{"half a document", gz(t, doc[:half]), ""},
		{"two documents", gz(t, doc+doc), ""},
		{"an array", gz(t, "["+doc+"]"), ""},
		{"another object", gz(t, `{"a":1}`), ""},
		{"another type", gz(t, `{"messageType":"X","logEvents":[]}`), ""},
		{"a type that is no string", gz(t, `{"messageType":1,"logEvents":[]}`), ""},
		{"no logEvents", gz(t, `{"messageType":"DATA_MESSAGE"}`), ""},
		{"logEvents that are no array", gz(t, `{"messageType":"DATA_MESSAGE","logEvents":{}}`), ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			out, err := decompression(t).Process(context.Background(), []record.Item{item(test.data)})
			if err != nil {
				t.Fatal(err)
			}
			want := item(test.data)
			if test.want != "" {
				want.Data = []byte(test.want)
			} else {
				want.Failure = &nonconforming
			}
			if diff := cmp.Diff([]record.Item{want}, out); diff != "" {
				t.Fatal(diff)
			}
		})
	}
}

func TestItemsThatFailedOrWereDroppedPassUnchanged(t *testing.T) {
	failed, dropped := item("x"), item("y")
	failed.Failure, dropped.Dropped = &record.Failure{Code: "earlier"}, true
	logs, err := NewLogProcessing("true", clock)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []interface {
		Process(context.Context, []record.Item) ([]record.Item, error)
	}{decompression(t), logs} {
		out, err := p.Process(context.Background(), []record.Item{failed, dropped})
		if diff := cmp.Diff([]record.Item{failed, dropped}, out); diff != "" || err != nil {
			t.Errorf("%T: %v\n%s", p, err, diff)
		}
	}
}

func TestAProcessorStopsWhenItsContextHasEnded(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := decompression(t).Process(ctx, []record.Item{item("x")}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	logs, _ := NewLogProcessing("true", clock)
	if _, err := logs.Process(ctx, []record.Item{item("x")}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// documentOf is a document of the given size: one message of blanks.
func documentOf(size int) string {
	return document(`"` + strings.Repeat(" ", size-len(document(`""`))) + `"`)
}

// small is a decompression with limits that are met soon.
func small() *Decompression {
	return &Decompression{clock, 200_000, 2_000_000}
}

func TestTheLimitsAreThoseThatAreDocumented(t *testing.T) {
	if d := decompression(t); d.maxDocument != MaxDocumentBytes || d.maxBatch != MaxBatchBytes {
		t.Fatalf("%+v", d)
	}
}

func TestADocumentMayBeAsLargeAsTheLimitAndNoLarger(t *testing.T) {
	d := small()
	out, err := d.Process(context.Background(), []record.Item{
		item(gz(t, documentOf(d.maxDocument))),
		item(gz(t, documentOf(d.maxDocument+1))),
		item(gz(t, documentOf(d.maxDocument)) + gz(t, " ")),
		item(gz(t, strings.Repeat(" ", 100*d.maxDocument))),
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out[0].Data) != d.maxDocument || !out[0].Goes() {
		t.Errorf("%d bytes, %+v", len(out[0].Data), out[0].Failure)
	}
	for _, o := range out[1:] {
		if o.Failure == nil || o.Failure.Message != "Decompression failed because the record holds more than 200000 bytes." {
			t.Errorf("%+v", o.Failure)
		}
	}
}

func TestABatchOfBombsIsBoundedAsAWhole(t *testing.T) {
	d := small()
	bomb := gz(t, documentOf(d.maxDocument))
	items := make([]record.Item, d.maxBatch/d.maxDocument+1)
	for i := range items {
		items[i] = item(bomb)
	}
	out, err := d.Process(context.Background(), items)
	if err != nil {
		t.Fatal(err)
	}
	for i, o := range out[:len(out)-1] {
		if !o.Goes() {
			t.Fatalf("record %d: %+v", i, o.Failure)
		}
	}
	last := out[len(out)-1].Failure
	if last == nil || last.Message != "Decompression failed because the records processed together hold more than 2000000 bytes." {
		t.Fatalf("%+v", last)
	}
}

func BenchmarkDecompression(b *testing.B) {
	doc := typicalDocument()
	packed := []byte(gz(b, doc))
	items := make([]record.Item, 100)
	d := decompression(b)
	b.SetBytes(int64(len(doc) * len(items)))
	b.ReportAllocs()
	for b.Loop() {
		for i := range items {
			items[i] = record.Item{Data: packed}
		}
		out, err := d.Process(context.Background(), items)
		if err != nil || !out[0].Goes() {
			b.Fatal(err, out[0].Failure)
		}
	}
	b.ReportMetric(float64(len(packed)*len(items)), "gzip-B/op")
}

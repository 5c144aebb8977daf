package blueprint

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hydrant/internal/record"
)

const functionARN = "arn:aws:lambda:us-east-1:123456789012:function:kinesis-firehose-cloudwatch-logs-processor"

// noon is when failures happen.
func noon() time.Time { return time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC) }

func processor(t testing.TB, name string) *Processor {
	t.Helper()
	return NewProcessor(named(t, name), functionARN, noon)
}

func TestItemsGoOnOrAreDroppedOrFail(t *testing.T) {
	packed := gz(t, `{"messageType":"DATA_MESSAGE","logEvents":[{"message":"line 1"}]}`)
	control := gz(t, `{"messageType":"CONTROL_MESSAGE","logEvents":[]}`)
	items := []record.Item{
		{ID: "1", Source: packed, Data: packed},
		{ID: "2", Source: control, Data: control},
		{ID: "3", Source: []byte("x"), Data: []byte("x")},
		{ID: "4", Data: packed, Dropped: true},
		{ID: "5", Data: packed, Failure: &record.Failure{Code: "earlier"}},
	}
	got, err := processor(t, "kinesis-firehose-cloudwatch-logs-processor").Process(context.Background(), items)
	want := []record.Item{
		{ID: "1", Source: packed, Data: []byte("line 1\n")},
		{ID: "2", Source: control, Data: control, Dropped: true},
		{ID: "3", Source: []byte("x"), Data: []byte("x"), Failure: &record.Failure{
			Output: record.ProcessingFailed, Code: "Lambda.ProcessingFailedStatus",
			Message: "ProcessingFailed status set for record", Attempts: 1, Ended: noon(), Function: functionARN,
		}},
		{ID: "4", Data: packed, Dropped: true},
		{ID: "5", Data: packed, Failure: &record.Failure{Code: "earlier"}},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
}

func TestOutputsOfABatchDoNotTouchEachOther(t *testing.T) {
	var items []record.Item
	var want []string
	for i := range 3000 {
		text := strings.Repeat("\x01", i%700) // six times as long in JSON
		items = append(items, record.Item{Data: fmt.Appendf(nil, "Oct 11 22:14:15 host app[%d]: %s", i+1, text)})
		want = append(want, fmt.Sprintf(`{"timestamp":"Oct 11 22:14:15","hostname":"host","program":"app","processid":"%d","message":"%s"}`,
			i+1, strings.Repeat(`\u0001`, i%700)))
	}
	got, err := processor(t, "kinesis-firehose-syslog-to-json").Process(context.Background(), items)
	if err != nil {
		t.Fatal(err)
	}
	for i := range got {
		if string(got[i].Data) != want[i] {
			t.Fatalf("record %d: %s", i, got[i].Data)
		}
		_ = append(got[i].Data, "what the next processor appends"...)
	}
	for i := range got {
		if string(got[i].Data) != want[i] {
			t.Fatalf("record %d after appending: %s", i, got[i].Data)
		}
	}
}

func TestARecordThatGetsTooLargeFails(t *testing.T) {
	line := []byte("Oct 11 22:14:15 host app: ")
	items := []record.Item{
		{Data: append(line[:len(line):len(line)], make([]byte, record.MaxProducedBytes/6)...)},
		{Data: append(line[:len(line):len(line)], make([]byte, record.MaxProducedBytes/6-100)...)},
	}
	got, err := processor(t, "kinesis-firehose-syslog-to-json").Process(context.Background(), items)
	if err != nil || got[0].Failure == nil || got[1].Failure != nil {
		t.Errorf("%v %v %v", err, got[0].Failure, got[1].Failure)
	}
}

func TestTheGeneralTemplateCopiesNothing(t *testing.T) {
	data := []byte("\xff\n")
	got, err := processor(t, "kinesis-firehose-process-record").Process(context.Background(), []record.Item{{Data: data}})
	if err != nil || &got[0].Data[0] != &data[0] || !bytes.Equal(got[0].Data, []byte("\xff\n")) {
		t.Errorf("%v %q", err, got[0].Data)
	}
}

func TestAProcessorStopsWhenItsContextHasEnded(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := processor(t, "kinesis-firehose-syslog-to-json").Process(ctx, []record.Item{{Data: []byte("x")}})
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestABatchTakesLittleMemoryBesideItsOutputs(t *testing.T) {
	for _, b := range All() {
		if b.Example.Gzipped {
			continue // its memory is a pool's, which may be emptied at any time
		}
		p := processor(t, b.Name)
		records := workload(t, b)
		items := make([]record.Item, len(records))
		allocs := testing.AllocsPerRun(20, func() {
			for i := range items {
				items[i] = record.Item{Data: records[i]}
			}
			if _, err := p.Process(context.Background(), items); err != nil {
				t.Fatal(err)
			}
		})
		if perRecord := allocs / float64(len(items)); perRecord > 0.1 {
			t.Errorf("%s: %.2f allocations a record", b.Name, perRecord)
		}
	}
}

package unpack

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"

	"hydrant/internal/record"
)

var noon = time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC)

func clock() time.Time { return noon }

// gz is b as one gzip member.
func gz(t testing.TB, b string) string {
	t.Helper()
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, 6)
	if err == nil {
		_, err = w.Write([]byte(b))
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// document is what CloudWatch Logs sends for the messages, which are JSON strings.
func document(messages ...string) string {
	var b strings.Builder
	b.WriteString(`{"messageType":"DATA_MESSAGE","owner":"123456789012","logGroup":"g","logStream":"s","subscriptionFilters":["f"],"logEvents":[`)
	for i, m := range messages {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"id":"3195310660696698337880902507980421114328961542429822%04d","timestamp":1432826855000,"message":%s}`, i, m)
	}
	return b.String() + `]}`
}

const controlMessage = `{"messageType":"CONTROL_MESSAGE","owner":"CloudwatchLogs","logGroup":"","logStream":"","subscriptionFilters":[],` +
	`"logEvents":[{"id":"","timestamp":1600000000000,"message":"CWL CONTROL MESSAGE: Checking health of destination Firehose."}]}`

// item is a record as it comes.
func item(data string) record.Item {
	return record.Item{ID: "id", Arrival: noon, Source: []byte(data), Data: []byte(data)}
}

// nonconforming is the failure of a record that holds no document.
var nonconforming = record.Failure{
	Output: record.Undecompressed, Code: "Decompression failed.", Attempts: 1, Ended: noon,
	Message: "Decompression failed because input data does not conform to cloudwatch log.",
}

// typicalDocument is a document of 100 lines of an access log, about 27 KB.
func typicalDocument() string {
	lines := make([]string, 100)
	for i := range lines {
		lines[i] = fmt.Sprintf(`"10.0.%d.%d - - [15/Jan/2026:12:00:%02d +0000] \"GET /items/%d HTTP/1.1\" 200 %d \"https://example.com/\" \"Mozilla/5.0\""`,
			i%7, i*31%251, i%60, i*7919%10007, i*i%9973)
	}
	return document(lines...)
}

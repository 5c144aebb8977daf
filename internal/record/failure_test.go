package record

import (
	"testing"
	"time"
)

// The lines are those of spec firehose.md sections 5.5.1 and 9.9, byte by byte.
func TestFailureRecordsHaveTheMembersOfTheirKindInOrder(t *testing.T) {
	for name, c := range map[string]struct {
		failure Failure
		want    string
	}{
		"of a function": {
			Failure{Code: "Lambda.ProcessingFailedStatus", Message: "ProcessingFailed status set for record", Function: "arn:aws:lambda:us-east-1:123456789012:function:f:$LATEST"},
			`{"rawData":"eyJpZCI6MX0K","errorCode":"Lambda.ProcessingFailedStatus","errorMessage":"ProcessingFailed status set for record",` +
				`"attemptsMade":1,"arrivalTimestamp":1768471200123,"attemptEndingTimestamp":1768471260456,` +
				`"lambdaARN":"arn:aws:lambda:us-east-1:123456789012:function:f:$LATEST"}`,
		},
		"of decompression": {
			Failure{Code: "Decompression failed.", Message: "Decompression failed because input data does not conform to cloudwatch log."},
			`{"attemptsMade":1,"arrivalTimestamp":1768471200123,"errorCode":"Decompression failed.",` +
				`"errorMessage":"Decompression failed because input data does not conform to cloudwatch log.","attemptEndingTimestamp":1768471260456,"rawData":"eyJpZCI6MX0K"}`,
		},
	} {
		c.failure.Attempts, c.failure.Ended = 1, time.UnixMilli(1768471260456)
		got, err := c.failure.AppendLine([]byte("before\n"), []byte("{\"id\":1}\n"), time.UnixMilli(1768471200123))
		if want := "before\n" + c.want + "\n"; err != nil || string(got) != want {
			t.Errorf("%s: %v\ngot  %s\nwant %s", name, err, got, want)
		}
	}
}

package record

import (
	"testing"
	"time"
)

// The lines are those of spec firehose.md sections 5.5.1 and 9.9, byte by byte.
func TestFailureRecordsHaveTheMembersOfTheirKindInOrder(t *testing.T) {
	f := Failure{
		Raw: []byte("{\"id\":1}\n"), Code: "Lambda.ProcessingFailedStatus", Message: "ProcessingFailed status set for record",
		Attempts: 1, Arrival: time.UnixMilli(1768471200123), Ended: time.UnixMilli(1768471260456),
	}
	for name, c := range map[string]struct {
		line func() ([]byte, error)
		want string
	}{
		"of a function": {
			func() ([]byte, error) {
				return f.AppendLambda([]byte("before\n"), "arn:aws:lambda:us-east-1:123456789012:function:f:$LATEST")
			},
			`{"rawData":"eyJpZCI6MX0K","errorCode":"Lambda.ProcessingFailedStatus","errorMessage":"ProcessingFailed status set for record",` +
				`"attemptsMade":1,"arrivalTimestamp":1768471200123,"attemptEndingTimestamp":1768471260456,` +
				`"lambdaARN":"arn:aws:lambda:us-east-1:123456789012:function:f:$LATEST"}`,
		},
		"of decompression": {
			func() ([]byte, error) { return f.AppendPlain([]byte("before\n")) },
			`{"attemptsMade":1,"arrivalTimestamp":1768471200123,"errorCode":"Lambda.ProcessingFailedStatus",` +
				`"errorMessage":"ProcessingFailed status set for record","attemptEndingTimestamp":1768471260456,"rawData":"eyJpZCI6MX0K"}`,
		},
	} {
		got, err := c.line()
		if want := "before\n" + c.want + "\n"; err != nil || string(got) != want {
			t.Errorf("%s: %v\ngot  %s\nwant %s", name, err, got, want)
		}
	}
}

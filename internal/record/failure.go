package record

import (
	"time"

	"github.com/go-json-experiment/json"
)

// Failure is what the error output holds of a record that could not be processed or
// delivered: one line of JSON (spec firehose.md sections 5.5.1, 6.6 and 9.9). Each kind has
// its own members, in an order that readers of the files have come to rely on.
type Failure struct {
	Raw      []byte // the source record, as it came
	Code     string // Lambda.ProcessingFailedStatus
	Message  string
	Attempts int       // how often it was tried
	Arrival  time.Time // of the record
	Ended    time.Time // the last attempt
}

// AppendLambda appends the line of a record that the function of that ARN has failed.
func (f *Failure) AppendLambda(dst []byte, function string) ([]byte, error) {
	return appendLine(dst, struct {
		RawData                []byte `json:"rawData"`
		ErrorCode              string `json:"errorCode"`
		ErrorMessage           string `json:"errorMessage"`
		AttemptsMade           int    `json:"attemptsMade"`
		ArrivalTimestamp       int64  `json:"arrivalTimestamp"`
		AttemptEndingTimestamp int64  `json:"attemptEndingTimestamp"`
		LambdaARN              string `json:"lambdaARN"`
	}{f.Raw, f.Code, f.Message, f.Attempts, f.Arrival.UnixMilli(), f.Ended.UnixMilli(), function})
}

// AppendPlain appends the line of a record that failed at a step with nothing to add, such
// as decompression.
func (f *Failure) AppendPlain(dst []byte) ([]byte, error) {
	return appendLine(dst, struct {
		AttemptsMade           int    `json:"attemptsMade"`
		ArrivalTimestamp       int64  `json:"arrivalTimestamp"`
		ErrorCode              string `json:"errorCode"`
		ErrorMessage           string `json:"errorMessage"`
		AttemptEndingTimestamp int64  `json:"attemptEndingTimestamp"`
		RawData                []byte `json:"rawData"`
	}{f.Attempts, f.Arrival.UnixMilli(), f.Code, f.Message, f.Ended.UnixMilli(), f.Raw})
}

// appendLine appends v and a line feed (spec firehose.md section 4.6).
func appendLine(dst []byte, v any) ([]byte, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return dst, err
	}
	return append(append(dst, b...), '\n'), nil
}

package errorlog

import (
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json"

	"hydrant/internal/record"
	"hydrant/internal/stream"
)

// Failure is one step of a stream that failed.
type Failure struct {
	Stream    *stream.Definition
	Output    record.Output // that it happened at
	Err       error         // its words are those of a record.Complaint in it, if there is one
	Processor string        // ARN of the function that failed; empty for any other step
	At        time.Time
}

// Event is one line of a log stream.
type Event struct {
	Time    time.Time
	Message string
}

// entry is the message of an event, its members in the order of the spec.
type entry struct {
	ARN         string `json:"deliveryStreamARN"`
	Destination string `json:"destination"`
	Version     int    `json:"deliveryStreamVersionId"`
	Message     string `json:"message"`
	Code        string `json:"errorCode"`
	Processor   string `json:"processor,omitzero"`
}

// The words for whatever has none of its own.
const (
	internalCode    = "InternalError"
	internalMessage = "An internal error occurred while attempting to deliver data. Delivery will be retried; " +
		"if the error persists, then it will be reported to AWS for resolution."
)

// maxMessage bounds a message in bytes: what a destination says may be long.
const maxMessage = 16 << 10

// options say where the failure is logged, and about which destination.
func (f *Failure) options() (o *stream.CloudWatchLoggingOptions, destination string) {
	s3 := f.Stream.S3
	if f.Output == record.Backup && s3.S3Backup != nil {
		s3 = s3.S3Backup
	}
	return &s3.CloudWatchLogging, s3.BucketARN
}

// event is the failure as an event of its log stream. What Hydrant knows of an error that
// has no words of its own stands behind the spec's, for Firehose's says nothing.
func (f *Failure) event(destination string) (Event, error) {
	e := entry{
		ARN: f.Stream.ARN, Destination: destination, Version: f.Stream.Version,
		Message: internalMessage, Code: internalCode, Processor: f.Processor,
	}
	var words *record.Complaint
	if errors.As(f.Err, &words) {
		e.Code, e.Message = words.Code, words.Message
	} else if f.Err != nil {
		e.Message += " " + f.Err.Error()
	}
	e.Message = cut(strings.ToValidUTF8(e.Message, "\uFFFD"), maxMessage)
	b, err := json.Marshal(e)
	return Event{Time: f.At, Message: string(b)}, err
}

// cut shortens s to at most n bytes, between characters.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

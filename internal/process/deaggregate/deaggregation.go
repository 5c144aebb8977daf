package deaggregate

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"time"

	"hydrant/internal/record"
)

// MaxParts is the most parts that a record is taken apart into. One of more goes on whole.
const MaxParts = 500

// Refusals of parameters, the first two in Firehose's words.
var (
	ErrSubRecordType = errors.New("SubRecordType has to be one of JSON, DELIMITED")
	ErrNoDelimiter   = errors.New("Delimiter should be present for DELIMITED") //lint:ignore ST1005 not ours
	ErrBadDelimiter  = errors.New("the delimiter has to be base64")
)

// What the error output says of a record that is not JSON (spec sections 5.6, 7.2 and 7.5).
const (
	failedCode = "DynamicPartitioning.MetadataExtractionFailed"
	notJSON    = "Non JSON record provided"
)

// What splitters answer in place of parts.
var (
	errTooMany = errors.New("too many parts")
	errNotJSON = errors.New("not a sequence of JSON documents")
)

// A splitter appends the parts of data to dst. Its errors wrap errTooMany or errNotJSON.
type splitter func(dst [][]byte, data []byte) ([][]byte, error)

// Deaggregation takes records apart. It may be used by many goroutines at once.
type Deaggregation struct {
	split splitter
	now   func() time.Time
}

// New returns the processor with the parameters SubRecordType and Delimiter, which is empty
// where there is none, and the clock that failures are dated by.
func New(subRecordType, delimiter string, now func() time.Time) (*Deaggregation, error) {
	switch subRecordType {
	case "JSON":
		return &Deaggregation{splitJSON, now}, nil
	case "DELIMITED":
		b, err := base64.StdEncoding.DecodeString(delimiter)
		switch {
		case err != nil:
			return nil, fmt.Errorf("%w: %w", ErrBadDelimiter, err)
		case len(b) == 0:
			return nil, ErrNoDelimiter
		}
		return &Deaggregation{delimited(b), now}, nil
	}
	return nil, ErrSubRecordType
}

// Process puts the parts of each item in its place. An item of a single part keeps its id.
// One of more than MaxParts stays as it is, and so does one without any, where the parts are
// delimited: nothing disappears. The only error is that of ctx.
func (d *Deaggregation) Process(ctx context.Context, items []record.Item) ([]record.Item, error) {
	out := make([]record.Item, 0, len(items))
	var parts [][]byte
	for i := range items {
		item := items[i]
		if !item.Goes() {
			out = append(out, item)
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("take %d records apart: %w", len(items), err)
		}
		var err error
		parts, err = d.split(parts[:0], item.Data)
		switch {
		case errors.Is(err, errNotJSON):
			item.Failure = &record.Failure{
				Output: record.ProcessingFailed, Code: failedCode, Message: notJSON, Attempts: 1, Ended: d.now(),
			}
			out = append(out, item)
		case err != nil || len(parts) == 0:
			out = append(out, item)
		case len(parts) == 1:
			item.Data = parts[0]
			out = append(out, item)
		default:
			out = appendParts(out, item, parts)
		}
	}
	return out, nil
}

// appendParts appends an item for each part. Should one fail, it is the part that is told of:
// hundreds of failures with all of the record each would be hundreds of times its size.
func appendParts(out []record.Item, item record.Item, parts [][]byte) []record.Item {
	if cap(out)-len(out) < len(parts) {
		out = slices.Grow(out, max(len(parts), len(out))) // twice as many: they are large, and seldom alone
	}
	for i, id := range ids(item.ID, len(parts)) {
		item.ID, item.Data, item.Source = id, parts[i], parts[i]
		out = append(out, item)
	}
	return out
}

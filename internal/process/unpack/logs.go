package unpack

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"hydrant/internal/record"
)

// ErrExtraction refuses a DataMessageExtraction, in Firehose's words.
var ErrExtraction = errors.New("Invalid parameter value for DataMessageExtraction. Allowed values are True and False.") //lint:ignore ST1005 not ours

// LogProcessing turns documents of CloudWatch Logs into the messages of their events, each
// with an LF behind it. It may be used by many goroutines at once.
//
// Firehose makes empty records of control messages. We drop what becomes empty, for an empty
// record is of use to nobody and fails where records are converted. Without extraction all
// documents pass as they are, control messages too.
type LogProcessing struct {
	extract bool
	now     func() time.Time
}

// NewLogProcessing returns the processor with the parameter DataMessageExtraction, true or
// false in any case of letters, and the clock that failures are dated by.
func NewLogProcessing(dataMessageExtraction string, now func() time.Time) (*LogProcessing, error) {
	extract := strings.EqualFold(dataMessageExtraction, "true")
	if !extract && !strings.EqualFold(dataMessageExtraction, "false") {
		return nil, ErrExtraction
	}
	return &LogProcessing{extract, now}, nil
}

// Process replaces the data of each item by its messages. The only error is that of ctx.
func (l *LogProcessing) Process(ctx context.Context, items []record.Item) ([]record.Item, error) {
	if !l.extract {
		return items, nil
	}
	r := takeReader()
	defer r.give()
	var messages []byte // of one item at a time: those that stay get memory of their size
	for i := range items {
		item := &items[i]
		if !item.Goes() {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("extract messages from %d records: %w", len(items), err)
		}
		var k kind
		var err error
		messages, k, err = r.messages(messages[:0], item.Data)
		switch {
		case err != nil:
			item.Failure = failed(notADocument, l.now())
		case k == control || len(messages) == 0:
			item.Dropped = true
		default:
			item.Data = bytes.Clone(messages)
		}
	}
	return items, nil
}

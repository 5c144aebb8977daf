package unpack

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"hydrant/internal/record"
)

// ErrFormat refuses a CompressionFormat, in Firehose's words.
var ErrFormat = errors.New("CompressionFormat has to be GZIP")

// Decompression turns records from gzip into the documents of CloudWatch Logs that they hold.
// It may be used by many goroutines at once.
type Decompression struct {
	now         func() time.Time
	maxDocument int // MaxDocumentBytes, and less in tests
	maxBatch    int // MaxBatchBytes
}

// NewDecompression returns the processor with the parameter CompressionFormat, and the clock
// that failures are dated by.
func NewDecompression(compressionFormat string, now func() time.Time) (*Decompression, error) {
	if compressionFormat != "GZIP" {
		return nil, ErrFormat
	}
	return &Decompression{now, MaxDocumentBytes, MaxBatchBytes}, nil
}

// Process replaces the data of each item by its document. The only error is that of ctx.
func (d *Decompression) Process(ctx context.Context, items []record.Item) ([]record.Item, error) {
	f, r := takeInflater(), takeReader()
	defer f.give()
	defer r.give()
	left := d.maxBatch
	for i := range items {
		item := &items[i]
		if !item.Goes() {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("decompress %d records: %w", len(items), err)
		}
		document, err := f.inflate(item.Data, min(left, d.maxDocument))
		if err == nil {
			_, err = r.check(document)
		}
		if err != nil {
			item.Failure = failed(d.why(err, left), d.now())
			continue
		}
		item.Data = bytes.Clone(document)
		left -= len(document)
	}
	return items, nil
}

// why says for people what err is, after which left bytes were allowed to the batch.
func (d *Decompression) why(err error, left int) string {
	switch {
	case !errors.Is(err, errTooLarge):
		return notADocument
	case left < d.maxDocument:
		return fmt.Sprintf(batchLarge, d.maxBatch)
	}
	return fmt.Sprintf(documentLarge, d.maxDocument)
}

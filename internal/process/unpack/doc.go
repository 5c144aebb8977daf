// Package unpack is the two processors that open what CloudWatch Logs sends (spec firehose.md
// section 5.6, neighbours.md section 6.5).
//
//   - Document: the JSON that CloudWatch Logs makes of the events of one log stream: an
//     object with a messageType and an array logEvents. One record is one document, gzipped.
//   - Decompression: the processor that turns the gzip into the document.
//   - LogProcessing: the processor that turns the document into the messages of its events,
//     a line each.
//   - Control message: the document by which CloudWatch Logs checks that somebody listens.
//     It has nothing to deliver.
//   - Bomb: a small record that opens into very much. MaxDocumentBytes and MaxBatchBytes
//     bound what any can take.
//
// A record that is not such a document fails with the words of the spec and goes to the
// output record.Undecompressed.
package unpack

import (
	"time"

	"hydrant/internal/record"
)

// Limits of what records may be opened into.
const (
	// MaxDocumentBytes is the largest document. More than record.MaxProducedBytes, for its
	// messages alone may fit in there.
	MaxDocumentBytes = 16 << 20
	// MaxBatchBytes is how much the documents of the records processed together may hold. It
	// is many times what logs of a batch come to, so that only bombs meet it.
	MaxBatchBytes = 256 << 20
)

// What the error output says (spec section 5.6). The limits are our own, and so are their words.
const (
	failedCode    = "Decompression failed."
	notADocument  = "Decompression failed because input data does not conform to cloudwatch log."
	documentLarge = "Decompression failed because the record holds more than %d bytes."
	batchLarge    = "Decompression failed because the records processed together hold more than %d bytes."
)

// failed is the failure of a record that cannot be opened.
func failed(message string, now time.Time) *record.Failure {
	return &record.Failure{
		Output: record.Undecompressed, Code: failedCode, Message: message, Attempts: 1, Ended: now,
	}
}

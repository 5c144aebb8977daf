// Package stream says what a delivery stream is: its definition with all defaults filled
// in, and the checks that a definition passes. Member names are those of the Firehose API
// (spec firehose.md section 2.3 and appendix A), so that what is stored is what Describe shows.
//
//   - Definition: everything that is known of one stream incarnation.
//   - Version: starts at 1 and grows with every effective update.
//   - Status: the state machine of spec section 2.2.
package stream

import (
	"time"

	"hydrant/internal/record"
)

// Status is where a stream stands in its life (spec section 2.2).
type Status string

// The statuses that Hydrant uses.
const (
	Creating       Status = "CREATING"
	CreatingFailed Status = "CREATING_FAILED"
	Active         Status = "ACTIVE"
	Deleting       Status = "DELETING"
	DeletingFailed Status = "DELETING_FAILED"
)

// Type is where a stream's records come from.
type Type string

// DirectPut streams take records from PutRecord and PutRecordBatch.
const DirectPut Type = "DirectPut"

// Definition is everything that is known of one stream incarnation.
type Definition struct {
	ID      record.StreamID `json:"id"`
	Name    string          `json:"name"`
	ARN     string          `json:"arn"`
	Type    Type            `json:"type"`
	Status  Status          `json:"status"`
	Failure *Failure        `json:"failure,omitzero"`
	Version int             `json:"version"`
	Created time.Time       `json:"created"`
	Updated time.Time       `json:"updated,omitzero"`
	// Shards is how many shards the ingest log has; a stream starts with one.
	Shards uint32 `json:"shards"`
	Tags   []Tag  `json:"tags,omitzero"`
	// ThroughputHint is DirectPutSourceConfiguration.ThroughputHintInMBs; 0 when not given.
	ThroughputHint int `json:"throughputHint,omitzero"`
	// S3 is the destination, from either S3 shape, defaults filled in.
	S3 *S3Destination `json:"s3"`
}

// Failure says why a stream is CREATING_FAILED or DELETING_FAILED.
type Failure struct {
	Type    string `json:"Type"`
	Details string `json:"Details"`
}

// Tag is a key and value that users attach to a stream.
type Tag struct {
	Key   string  `json:"Key"`
	Value *string `json:"Value,omitzero"`
}

// BufferingHints say when a buffer is delivered: at a size in MiB of record bytes before
// compression, or at an age in seconds, whichever is first (spec section 3).
type BufferingHints struct {
	SizeInMBs         int `json:"SizeInMBs"`
	IntervalInSeconds int `json:"IntervalInSeconds"`
}

// Compression is S3's CompressionFormat.
type Compression string

// The compressions that are built.
const (
	Uncompressed Compression = "UNCOMPRESSED"
	Gzip         Compression = "GZIP"
)

// S3Destination is an S3 or ExtendedS3 destination (spec section 9.1). Pointers tell an
// empty string that was sent from a member that was not.
type S3Destination struct {
	RoleARN           string         `json:"RoleARN"`
	BucketARN         string         `json:"BucketARN"`
	Prefix            *string        `json:"Prefix,omitzero"`
	ErrorOutputPrefix *string        `json:"ErrorOutputPrefix,omitzero"`
	BufferingHints    BufferingHints `json:"BufferingHints"`
	CompressionFormat Compression    `json:"CompressionFormat"`
	FileExtension     *string        `json:"FileExtension,omitzero"`
	CustomTimeZone    *string        `json:"CustomTimeZone,omitzero"`
}

// MaxBufferBytes is the largest buffer of an S3 destination, 128 MiB (spec section 3.2).
const MaxBufferBytes = 128 << 20

// BufferBytes is the size hint in bytes.
func (d *S3Destination) BufferBytes() uint64 { return uint64(d.BufferingHints.SizeInMBs) << 20 }

// BufferInterval is the age hint.
func (d *S3Destination) BufferInterval() time.Duration {
	return time.Duration(d.BufferingHints.IntervalInSeconds) * time.Second
}

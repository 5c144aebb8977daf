// Package stream says what a delivery stream is: its definition with all defaults filled
// in, and the checks that a definition passes. Member names are those of the Firehose API
// (spec firehose.md section 2.3 and appendix A), so that what is stored is what Describe shows.
//
//   - Definition: everything that is known of one stream incarnation.
//   - Version: starts at 1 and grows with every effective update.
//   - Status: the state machine of spec section 2.2.
//   - Configuration: a destination as a client sent it, before the defaults.
//   - Destination: the same with the defaults, as it is stored and shown.
//   - Refusal: why a configuration cannot be a stream's, in the words that clients get.
package stream

import (
	"strings"
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

// The types of the API. Only DirectPut streams, which take records from PutRecord and
// PutRecordBatch, are built.
const (
	DirectPut Type = "DirectPut"
	Kinesis   Type = "KinesisStreamAsSource"
	MSK       Type = "MSKAsSource"
	Database  Type = "DatabaseAsSource"
)

// Definition is everything that is known of one stream incarnation. A definition that the
// registry handed out is shared by all its readers and must not be changed.
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
	// Paused: records are taken in and kept, and no new objects are made of them.
	Paused bool  `json:"paused,omitzero"`
	Tags   []Tag `json:"tags,omitzero"`
	// ThroughputHint is DirectPutSourceConfiguration.ThroughputHintInMBs; 0 when not given.
	ThroughputHint int `json:"throughputHint,omitzero"`
	// Encryption is that of the records while the journal holds them.
	Encryption Encryption `json:"encryption,omitzero"`
	// S3 is the destination, from either S3 shape, defaults filled in.
	S3 *S3Destination `json:"s3"`
}

// Failure says why a stream is CREATING_FAILED or DELETING_FAILED: one of the types that
// spec section 2.2 lists, and a sentence. As an error it tells the registry that trying
// again is of no use.
type Failure struct {
	Type    string `json:"Type"`
	Details string `json:"Details"`
}

// Error gives the failure as one line.
func (f *Failure) Error() string { return f.Type + ": " + f.Details }

// Tag is a key and value that users attach to a stream.
type Tag struct {
	Key   string  `json:"Key"`
	Value *string `json:"Value,omitzero"`
}

// ARN names a stream of an account and region (spec section 2.1).
func ARN(partition, region, account, name string) string {
	return "arn:" + partition + ":firehose:" + region + ":" + account + ":deliverystream/" + name
}

// regionOf is the region that an ARN names.
func regionOf(arn string) string {
	parts := strings.SplitN(arn, ":", 5)
	if len(parts) < 5 {
		return ""
	}
	return parts[3]
}

// UniqueTags returns the tags with each key once; the last value of a key counts (spec
// section 2.10). The order is that of the keys' first appearance.
func UniqueTags(tags []Tag) []Tag {
	at := make(map[string]int, len(tags))
	var unique []Tag
	for _, t := range tags {
		if i, ok := at[t.Key]; ok {
			unique[i] = t
			continue
		}
		at[t.Key] = len(unique)
		unique = append(unique, t)
	}
	return unique
}

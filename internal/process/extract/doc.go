// Package extract is the processor MetadataExtraction, which reads the partition keys of a
// record out of it with a jq query (spec firehose.md sections 5.6, 7.2 and 7.5).
//
//   - Query: a program of jq 1.6 that makes one object of a record; its members are the keys.
//     A string is a key's value as it is, a number or a boolean by its JSON text.
//   - Path query: one that only picks members, such as {customer_id:.customer_id,
//     device:.type.device}. It needs no interpreter.
//   - Plan: the tree of names that a path query looks up.
//   - Walk: one pass over a record by a plan. It either finds every key, or leaves the record
//     to the interpreter, which alone decides about failures and words them.
//
// The interpreter gets no more of a record than the members that its query names, where that
// can be told: most of the time goes into making values of what nobody asks for.
//
// The interpreter is gojq. It knows all that a query of jq 1.6 may ask for, and more; numbers
// that a query only hands on keep their digits, which jq 1.6 would round. The environment is
// empty, and there are no modules and no further inputs to read. The clock is the machine's,
// to a query that asks for now, and so is the zone of localtime and strflocaltime.
//
// What a query may take is bounded: its length, the time for a record, the number and size of
// the keys. Three things escape the deadline, which gojq looks at between two instructions:
// the compiling of a regular expression, arithmetic on numbers of very many digits, and a
// single step that asks for much memory, such as setting element 500,000,000 of an empty
// array. Memory is thus bounded only by what a query can ask for in MaxTime and one step more.
// A query that is made to harm its own node can do so; only the owner of a stream writes them.
//
// A record that has no keys fails with the words of the spec, where it has some, and goes to
// the output record.ProcessingFailed.
package extract

import (
	"time"

	"hydrant/internal/record"
)

// Limits of queries and of what they make.
const (
	MaxQueryChars = 5120                   // of a processor's parameter
	MaxKeys       = 50                     // of a record
	MaxKeysBytes  = 16 << 10               // names and values together; a key of S3 has 1,024
	MaxTime       = 100 * time.Millisecond // for a record
)

// A refusal says why a record has no keys, in the words of its failure.
type refusal string

func (r refusal) Error() string { return string(r) }

// What the error output says. The first two messages are Firehose's (spec section 7.2).
const (
	failedCode = "DynamicPartitioning.MetadataExtractionFailed"

	notJSON    refusal = "Non JSON record provided"
	nullOrNone refusal = "partitionKeys values must not be null or empty"
	manyOut    refusal = "The MetadataExtractionQuery must yield one object"
	tookLong   refusal = "The MetadataExtractionQuery took longer than 100 ms"
	manyKeys   refusal = "The MetadataExtractionQuery must not yield more than 50 keys"
	largeKeys  refusal = "partitionKeys must not hold more than 16384 bytes"
	hasControl refusal = "partitionKeys values must not contain control characters"
	queryError         = "The MetadataExtractionQuery failed: " // and why
)

// failed is the failure of a record without keys.
func failed(message string, now time.Time) *record.Failure {
	return &record.Failure{
		Output: record.ProcessingFailed, Code: failedCode, Message: message, Attempts: 1, Ended: now,
	}
}

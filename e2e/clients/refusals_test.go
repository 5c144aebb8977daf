package clients

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// refusal is a request and what it must be answered, in the words of spec section 2.13, or
// of 1.5 to 1.7 and 2.8 to 2.12 where that has none. All tours send the same ones.
type refusal struct {
	// Name says what is wrong with the request.
	Name      string `json:"name"`
	Operation string `json:"operation"`
	// Input is the request. Blobs are text, which the senders encode.
	Input   m      `json:"input"`
	Code    string `json:"code"`
	Message string `json:"message"`
	// Status is that of HTTP, 400 if nothing else is said.
	Status int `json:"status"`
	// Reason is the member code of an InvalidKMSResourceException.
	Reason string `json:"reason"`
	// Handmade requests are such as neither boto3 nor the AWS CLI can send.
	Handmade bool `json:"-"`
	// Full requests go to the node whose quota of streams is used up.
	Full bool `json:"-"`
}

// m is a JSON object.
type m = map[string]any

// refusals lists all of them, as they are in world w. Section 2.13 has more: the errors of
// sources and destinations that are not built, and that of a stream deleted while it is
// CREATING, which nobody is quick enough to see. The conformance tests of internal/firehose
// see it.
func refusals(w *world) []refusal {
	var all []refusal
	for _, group := range [][]refusal{
		framework, creations, sources, prefixes, options, conversions, partitions, updates, puts, tags, encryption,
	} {
		all = append(all, group...)
	}
	for i := range all {
		r := &all[i]
		if r.Status == 0 {
			r.Status = 400
		}
		r.Message = strings.ReplaceAll(r.Message, "<key>", w.key)
	}
	return all
}

// sendable are those of the refusals that boto3 and the AWS CLI can send to one of the
// world's two nodes.
func sendable(all []refusal, full bool) []refusal {
	var some []refusal
	for _, r := range all {
		if !r.Handmade && r.Full == full {
			some = append(some, r)
		}
	}
	return some
}

// write leaves v as JSON where a client that is another program finds it.
func write(t *testing.T, name string, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// broken is the message of a ValidationException: pairs of a path and its constraint.
func broken(pairs ...string) string {
	var found []string
	for i := 0; i < len(pairs); i += 2 {
		found = append(found, fmt.Sprintf("Value at '%s' failed to satisfy constraint: %s", pairs[i], pairs[i+1]))
	}
	if len(found) == 1 {
		return "1 validation error detected: " + found[0]
	}
	return fmt.Sprintf("%d validation errors detected: %s", len(found), strings.Join(found, "; "))
}

const (
	notNull = "Member must not be null"
	atLeast = "Member must have %s greater than or equal to %d"
	atMost  = "Member must have %s less than or equal to %d"
)

// on adds the name of a stream to a request.
func on(stream string, members m) m { return with(members, m{"DeliveryStreamName": stream}) }

// with is both objects in one.
func with(a, b m) m {
	both := m{}
	for _, part := range []m{a, b} {
		for k, v := range part {
			both[k] = v
		}
	}
	return both
}

// lake is an S3 destination with those members beside the required ones.
func lake(members m) m {
	return with(m{"RoleARN": role, "BucketARN": "arn:aws:s3:::lake"}, members)
}

// created asks for a stream to S3 with those members.
func created(members m) m { return on("new", m{"ExtendedS3DestinationConfiguration": lake(members)}) }

// updated changes those members of the destination of a stream of version 1.
func updated(stream string, members m) m {
	return on(stream, m{"CurrentDeliveryStreamVersionId": "1", "DestinationId": destinationID, "ExtendedS3DestinationUpdate": members})
}

// times is a list of n equal elements.
func times(n int, element any) []any {
	list := make([]any, n)
	for i := range list {
		list[i] = element
	}
	return list
}

const (
	role          = "arn:aws:iam::000000000000:role/tour"
	destinationID = "destinationId-000000000001"
)

// text is s, n times.
func text(n int, s string) string { return strings.Repeat(s, n) }

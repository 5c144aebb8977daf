// Package deliver brings what lies in a stream's outputs to its destination, exactly once.
//
//   - Runner: the goroutine that owns one output; nobody else moves its checkpoint.
//   - Checkpoint: the mark behind the last record that is delivered for good.
//   - Plan: the promise to deliver what follows the checkpoint, with the nonce that all
//     object names are made from.
//   - Manifest: what exactly was prepared (keys, upload ids, ETags, counts); once it is
//     stored, the plan's objects are these and no others.
//   - Commit: checkpoint, counts and the end of the plan, in one journal write.
//
// runner.go tells the story from top to bottom; DESIGN.md section 3 has the reasons.
package deliver

import (
	"context"
	"io"

	"hydrant/internal/record"
)

// Log is what delivery needs of the journal. The methods are those of journal.Engine and
// promise the same.
type Log interface {
	Apply(ctx context.Context, tx *record.Tx) error
	Read(ctx context.Context, q record.Queue, from uint64, fn func(*record.Entry) error) error
	Head(ctx context.Context, q record.Queue) (record.Mark, error)
	State(ctx context.Context, key string) (record.State, error)
	States(ctx context.Context, prefix string, fn func(record.State) error) error
}

// Body is bytes that can be sent again from the start; destinations know it from record.
type Body = record.Body

// Destination is a store of objects that become visible whole or not at all. It makes one
// attempt per call and never retries: the runner does, with backoff. A nil error means that
// the thing happened; any other error means that it may or may not have, except that
// record.ErrNoBucket and record.ErrDenied say for sure that this call changed nothing.
// All methods may be called at once, and end soon after ctx does.
type Destination interface {
	// Put stores a whole object, little more than a part, replacing one of that name.
	Put(ctx context.Context, o record.Object, b Body) error
	// Begin starts a multipart upload, invisible until Complete, and returns its id.
	Begin(ctx context.Context, o record.Object) (upload string, err error)
	// Part uploads one part (1 to 10,000). Every part but the last has
	// Options.PartBytes or more. A part sent again replaces the former.
	Part(ctx context.Context, o record.Object, upload string, number int32, b Body) (record.Part, error)
	// Complete makes the object visible. record.ErrUploadGone: the store does not know the
	// upload, because it was completed or aborted before.
	Complete(ctx context.Context, o record.Object, upload string, parts []record.Part) error
	// Size returns the object's size in bytes, and false if there is no such object.
	Size(ctx context.Context, o record.Object) (int64, bool, error)
	// Sweep aborts every upload under exactly this key and returns how many it aborted.
	Sweep(ctx context.Context, o record.Object) (int, error)
}

// Encoding makes encoders of one kind. The same entries through the same encoding give the
// same bytes, always: delivery repeats a put after a crash and relies on it.
type Encoding interface {
	// ContentEncoding is the object's Content-Encoding header; empty for none.
	ContentEncoding() string
	// NewEncoder returns an encoder that writes one object to w.
	NewEncoder(w io.Writer) Encoder
}

// Encoder writes one object; encodings know it from record.
type Encoder = record.Encoder

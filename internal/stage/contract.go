package stage

import (
	"context"
	"time"

	"hydrant/internal/record"
	"hydrant/internal/stream"
)

// Log is what the stage needs of the journal. The methods are those of journal.Engine and
// promise the same.
type Log interface {
	Apply(ctx context.Context, tx *record.Tx) error
	Read(ctx context.Context, q record.Queue, from uint64, fn func(*record.Entry) error) error
	Head(ctx context.Context, q record.Queue) (record.Mark, error)
	State(ctx context.Context, key string) (record.State, error)
}

// Processor turns items into items, as the comment of record.Item says. An error means that
// the batch could not be processed now, as when ctx has ended or a service that must answer
// does not; it is tried again, from the start of the pipeline. What goes wrong with single
// records, or with a batch for good, is in their Failure.
type Processor interface {
	Process(ctx context.Context, items []record.Item) ([]record.Item, error)
}

// Troubled is a Processor that tries again by itself what went wrong, as long as its Process
// takes.
type Troubled interface {
	// Trouble is how often it failed in a row, and why the last time; 0 and nil while all is
	// well. It may be called by any goroutine.
	Trouble() (fails int, last error)
}

// Pipeline is what one version of a stream has its records go through. Without Steps they
// pass as they are.
type Pipeline struct {
	Steps []Processor
	// Prefix appends the prefix of an item's object to dst. Nil: the stream is not partitioned.
	// The runners of a stream's shards may call it at once.
	Prefix   func(dst []byte, i *record.Item) ([]byte, *record.Failure)
	Bytes    int           // a batch is processed when it holds so many raw bytes
	Age      time.Duration // or when its first record is so old
	Parallel int           // batches in the pipeline at once
}

// Pipelines makes the pipeline of a stream's version.
type Pipelines func(d *stream.Definition) (Pipeline, error)

// Pieces packs records for the queues of a stream, as its ingest log is packed: at most
// record.MaxPieceBytes each, sealed where the stream is encrypted.
type Pieces func(ctx context.Context, d *stream.Definition, b record.Batch) ([]record.Piece, error)

// Partitions finds the queues of a stream's partitions, for the queue of its ingest log. It
// does not wait.
type Partitions interface {
	Place(q record.Queue, shares []record.Share) (record.Placement, error)
}

// Reader is the stage's say in what is trimmed of an ingest log.
type Reader interface {
	DueTrim(to record.Mark) []record.Trim
	UntilTrim() time.Duration
	Pass(to record.Mark, trims []record.Trim)
	Leave()
}

// Decoder opens entries: encode.Decoder.
type Decoder interface {
	// Range calls fn once with the raw bytes of the records from to to-1 of e, which are only
	// lent.
	Range(e *record.Entry, from, to uint32, fn func(raw []byte) error) error
}

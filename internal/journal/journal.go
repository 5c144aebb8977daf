// Package journal keeps records until they are delivered, and everything else that must
// outlive the process. It declares the contract that an engine fulfils (Engine) and the
// form of an entry; the engines are its subfolders, and journaltest is the suite that
// every engine passes. docs/JOURNAL.md draws keys and entries.
//
//   - Durable: a write that was answered is on disk and survives a power cut.
//   - Durable watermark: the end of a queue as far as it is durable. Readers stop there.
//   - Trim: forgetting the entries before a sequence. A trimmed queue keeps its counts.
//   - State: small named values with versions, changed by compare-and-set.
package journal

import (
	"context"

	"hydrant/internal/record"
)

// Engine stores queues of entries and named state. All methods may be called from many
// goroutines at once.
//
// Nothing here retries: an error means that the engine could not do it, and for Apply it
// is one of two kinds. One that wraps record.ErrUncertain leaves the outcome open, and the
// engine refuses every write until it is opened again. With any other (record.ErrConflict,
// record.ErrNoSpace, record.ErrClosed, the context's own, a request that no entry can hold)
// nothing was stored and the engine goes on.
type Engine interface {
	// Apply makes the whole of tx durable at once, or none of it, and returns when it is
	// on disk. It assigns the sequences (Append.First). Once Apply has begun to write,
	// cancelling ctx no longer stops it. A Raise lifts the end of a queue that lies below its
	// mark, as if what lies between had been there and was lost; it never lowers one.
	Apply(ctx context.Context, tx *record.Tx) error

	// Read calls fn with the durable entries of q from the given sequence on, in order,
	// until the durable end or until fn returns an error. record.ErrStop ends the read
	// without an error. The entry and all it points to are valid only during the call. A
	// trimmed or damaged stretch before readable entries, or before the durable end,
	// arrives as one entry with Missing above zero (a trimmed one only if from lies in it).
	Read(ctx context.Context, q record.Queue, from uint64, fn func(*record.Entry) error) error

	// Head returns the durable end of q: the sequence that the next entry will get, and
	// the counts of all that were ever appended. A queue without entries starts at 1.
	Head(ctx context.Context, q record.Queue) (record.Mark, error)

	// State returns the durable value of key. A key that does not exist has Version 0 and
	// a nil Value, without an error.
	State(ctx context.Context, key string) (record.State, error)

	// States calls fn with every key that starts with prefix, in byte order, until fn
	// returns an error; record.ErrStop ends it without one. The value is valid only
	// during the call.
	States(ctx context.Context, prefix string, fn func(record.State) error) error

	// Space says how much the engine stores and how much room is left. It is cheap
	// (figures may be a second old).
	Space() record.Space

	// Close ends the engine after the writes in progress.
	Close() error
}

// Damage is a stretch of stored data that could not be read. It was set aside, not
// deleted; the rest of the journal serves on.
type Damage struct {
	File     string // the damaged file, relative to the engine's folder
	Copy     string // where a copy was put aside, relative to the data directory; empty if that failed
	Reason   string // what the engine found
	Salvaged int    // batches behind the damage that were brought back (WAL only)
}

package operate

import (
	"context"
	"errors"
	"time"

	"hydrant/internal/record"
	"hydrant/internal/registry"
	"hydrant/internal/stream"
)

// Errors that both ends know: Delivery and the service give them, and Client gives them again.
var (
	// ErrNoStream: no stream has the name.
	ErrNoStream = errors.New("no such stream")
	// ErrNotActive: the stream's status does not allow what was asked.
	ErrNotActive = errors.New("the stream is not active")
	// ErrPaused: the stream delivers nothing until it is resumed.
	ErrPaused = errors.New("the stream is paused")
)

// Streams is what the service needs of the registry; *registry.Registry promises the same.
type Streams interface {
	Get(name string) (*stream.Definition, bool)
	List(after string, limit int, of stream.Type) (names []string, more bool)
	Edit(ctx context.Context, name string, edit func(*stream.Definition) (bool, error)) error
}

var _ Streams = (*registry.Registry)(nil)

// Delivery is what the service needs of delivery.
type Delivery interface {
	// Flush makes all due that the stream holds now, and says how far that is. It does not
	// wait. Errors: ErrPaused, ErrNotActive if the stream is not being delivered.
	Flush(ctx context.Context, id record.StreamID) ([]Mark, error)
	// Status returns where the delivery of a stream stands; false if it is not being delivered.
	Status(ctx context.Context, id record.StreamID) (Status, bool)
}

// Mark is a place in one output: all before it that there had ever been for it.
type Mark struct {
	Queue  record.Queue
	Before record.Counts
}

// Status is where the delivery of a stream stands.
type Status struct {
	Data, Backup, Failures Account
	Fails                  int    // attempts that failed in a row
	LastError              string // of the last of them; empty while all is well
	Done                   []Mark // of each output
	Partitions             *int   // open, or not delivered yet; nil: the stream is not partitioned
}

// Account is how far an output is.
type Account struct {
	Delivered, Pending record.Counts
	Objects, Bytes     uint64    // as stored
	Oldest             time.Time // arrival of the oldest pending record; zero: there is none
}

package glue

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"hydrant/internal/aws"
	"hydrant/internal/record"
)

// Log is what the catalogue needs of the journal (journal.Engine promises the same).
type Log interface {
	Apply(ctx context.Context, tx *record.Tx) error
	State(ctx context.Context, key string) (record.State, error)
	States(ctx context.Context, prefix string, fn func(record.State) error) error
}

// Options are what a Service is opened with. All fields but Full are required.
type Options struct {
	Log       Log
	Partition string // of ARNs: aws
	Region    string
	Account   string // 12 digits; also the id of the catalogue
	Logger    *slog.Logger
	Now       func() time.Time
	// Full says whether there is no room for more definitions; those that are there can
	// still be deleted. Nil: there always is room.
	Full func() bool
}

// Service is the catalogue. It is safe for many goroutines.
type Service struct {
	opt    Options
	change sync.Mutex // held over each change, so that those of this node do not meet in the journal
}

// Open returns the catalogue that the journal holds. It first ends deletions that a crash
// has interrupted.
func Open(ctx context.Context, o Options) (*Service, error) {
	s := &Service{opt: o}
	return s, s.sweepAll(ctx)
}

// JSON returns the API, to be mounted as glue.
func (s *Service) JSON() *aws.JSON {
	return aws.NewJSON("glue", "AWSGlue", map[string]aws.Operation{
		"BatchCreatePartition":    handle(s, s.batchCreatePartition),
		"BatchDeleteTable":        handle(s, s.batchDeleteTable),
		"BatchDeleteTableVersion": handle(s, s.batchDeleteTableVersion),
		"CreateDatabase":          handle(s, s.createDatabase),
		"CreatePartition":         handle(s, s.createPartition),
		"CreateTable":             handle(s, s.createTable),
		"DeleteDatabase":          handle(s, s.deleteDatabase),
		"DeletePartition":         handle(s, s.deletePartition),
		"DeleteTable":             handle(s, s.deleteTable),
		"DeleteTableVersion":      handle(s, s.deleteTableVersion),
		"GetDatabase":             handle(s, s.getDatabase),
		"GetDatabases":            handle(s, s.getDatabases),
		"GetPartition":            handle(s, s.getPartition),
		"GetPartitionIndexes":     handle(s, s.getPartitionIndexes),
		"GetPartitions":           handle(s, s.getPartitions),
		"GetTable":                handle(s, s.getTable),
		"GetTables":               handle(s, s.getTables),
		"GetTableVersion":         handle(s, s.getTableVersion),
		"GetTableVersions":        handle(s, s.getTableVersions),
		"GetTags":                 handle(s, s.getTags),
		"UpdateDatabase":          handle(s, s.updateDatabase),
		"UpdateTable":             handle(s, s.updateTable),
	}, nil)
}

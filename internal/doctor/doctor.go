// Package doctor looks at a data directory while no node runs on it: what it holds, what is
// still to be delivered, and what is damaged. It reads every stored entry, so that what it
// calls healthy was read, not assumed.
//
//   - Report: everything that was found.
//   - Examination: one pass over the directory, which changes nothing.
//   - Repair: what a node does when it is opened on damage: log entries behind a bad place
//     are brought back, damaged tables are replaced by what can be read of them, and copies
//     of the damaged files are set aside. The examination after it says what remained.
//   - Stretch: entries of a queue that can no longer be read. What they held is counted.
//   - Stray: a queue or an output's state whose stream is not there.
//   - Set aside: copies of damaged files, in the folder damaged. Nothing uses them.
package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"hydrant/internal/journal/pebble"
)

// Options say what to look at. Data is required.
type Options struct {
	Data string // data directory
	// Repair makes Examine repair first.
	Repair bool
	// Logger gets what the engine says while it is open.
	Logger *slog.Logger
}

// Errors of Examine.
var (
	// ErrNoData: the directory is not there, or no node has ever run on it.
	ErrNoData = errors.New("no node has kept data there")
	// ErrRunning: a node runs on the directory.
	ErrRunning = errors.New("a node is running on it")
)

// Examine looks at a data directory, after repairing it if that is asked for. Damage is no
// error: the report tells of it.
func Examine(ctx context.Context, o Options) (*Report, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	dir := filepath.Join(o.Data, journalFolder)
	if info, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) || err == nil && !info.IsDir() {
		return nil, fmt.Errorf("examine %s: %w; name another directory with --data", o.Data, ErrNoData)
	} else if err != nil {
		return nil, fmt.Errorf("examine %s: %w", o.Data, err)
	}
	r := &Report{Data: o.Data}
	if o.Repair {
		if err := repair(ctx, o, r); err != nil {
			return nil, explain(o, "repair", err)
		}
	}
	if err := examineJournal(ctx, o, r); err != nil {
		return nil, explain(o, "examine", err)
	}
	var err error
	if r.Buckets, err = countBuckets(ctx, filepath.Join(o.Data, bucketsFolder)); err != nil {
		return nil, explain(o, "examine", err)
	}
	if r.SetAside, err = listFiles(filepath.Join(o.Data, damagedFolder)); err != nil {
		return nil, explain(o, "examine", err)
	}
	r.Healthy = r.healthy()
	return r, nil
}

func explain(o Options, what string, err error) error {
	if errors.Is(err, pebble.ErrLocked) {
		err = fmt.Errorf("%w, and only it may touch the data: stop it first (its metrics page tells of damage): %w", ErrRunning, err)
	}
	return fmt.Errorf("%s %s: %w", what, o.Data, err)
}

// Where a node keeps its things in the data directory (docs/JOURNAL.md, and the package
// comment of service/s3).
const (
	journalFolder = "journal"
	bucketsFolder = "buckets"
	damagedFolder = "damaged"
)

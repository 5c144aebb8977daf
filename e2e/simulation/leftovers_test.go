package simulation

import (
	"context"
	"fmt"
	"strings"

	"hydrant/internal/journal/pebble"
	"hydrant/internal/record"
)

// judgeJournal looks through the journal that a calm life has left, in which everything was
// delivered: no partition is left of it. w.mu is held.
func (w *world) judgeJournal() {
	if !w.plan.chance.partitions {
		return
	}
	err := pebble.Inspect(context.Background(), pebble.Options{Dir: w.data + "/journal", FS: w.disk, Logger: w.story.logger(0)}, pebble.Visitor{
		Queue: func(q pebble.QueueReport) error {
			if q.Queue.Output == record.Partition {
				w.books.fault("the queue %s of a partition is left over, with %d entries", q.Queue, q.Entries)
			}
			return nil
		},
		State: func(s record.State) error {
			if strings.Contains(s.Key, fmt.Sprintf("/%d/", record.Partition)) && !isTotal(s.Key) {
				w.books.fault("the state %s of a partition is left over: %s", s.Key, s.Value)
			}
			return nil
		},
	})
	if err != nil {
		w.books.fault("the journal cannot be inspected: %v", err)
	}
}

// isTotal reports whether a state is that of all partitions of the first shard together.
func isTotal(key string) bool { return strings.HasSuffix(key, fmt.Sprintf("/%d/0", record.Partition)) }

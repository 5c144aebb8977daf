package node

import (
	"slices"
	"time"

	"hydrant/internal/deliver"
	"hydrant/internal/record"
	"hydrant/internal/telemetry"
)

// age is how long ago a moment was; 0 for no moment.
func (n *Node) age(t time.Time) time.Duration {
	if t.IsZero() {
		return 0
	}
	return max(n.opt.Now().Sub(t), 0)
}

// partitionsOf are those of a stream; nil if it is not partitioned.
func partitionsOf(s deliver.StreamStatus) *telemetry.Partitions {
	if !s.Partitioned {
		return nil
	}
	return &telemetry.Partitions{Open: uint64(s.Partitions), Refused: s.Refused}
}

// backupOf is the backup of a stream; nil if it has none.
func backupOf(s deliver.StreamStatus) *telemetry.Backup {
	if !slices.ContainsFunc(s.Queues, func(q deliver.QueueStatus) bool { return q.Queue.Output == record.Backup }) {
		return nil
	}
	return &telemetry.Backup{Delivered: s.Backup.Delivered.Records, Pending: s.Backup.Pending.Records}
}

// Package pebble is the journal's embedded engine: journal.Engine on one Pebble store in one
// folder of one machine. Pebble gives one write-ahead log shared by all queues (so that
// concurrent writes share a sync), batches that make appends, state changes and trims atomic,
// and checksums on every block. This package adds what Pebble leaves open: sequences and
// counts, a durable watermark, a disk that fails in order, and what happens when stored bytes
// go bad.
//
// Keys, integers big-endian, so that Pebble's byte order is the queues' order:
//
//	meta   'c' stream(16) output(2) shard(4)              → crc(4) next mark(24) floor mark(24)
//	entry  'e' stream(16) output(2) shard(4) sequence(8)  → the entry (journal.AppendEntry)
//	state  's' key                                        → crc(4) version(8) value
//
// A mark is sequence(8) records(8) bytes(8). The checksums are CRC-32C over the key and what
// follows the checksum. Every batch begins with a promise, a piece of log data that is never
// stored: 'p' and the Pebble sequence number (8) up to which writes are known to be synced.
//
// The words:
//
//   - Head: the mark behind a queue's last entry. The next entry gets its sequence.
//   - Durable watermark: the head as far as it is known to be on disk; readers stop there.
//   - Floor: the mark of the first entry that was not trimmed.
//   - Gap: sequences between the floor and the head that have no readable entry. Readers get
//     one entry with Missing for each gap.
//   - Frozen: what the disk becomes when a write to the log or the manifest fails. Pebble is
//     told that all is well, so that it can be closed in order, while nothing is written any
//     more and every caller is refused with record.ErrUncertain.
//   - Promise: what tells damage from a torn tail. A bad place in the log that lies before a
//     promised write was once whole.
//   - Mend: putting one wrong byte right by solving the checksum for it.
//   - Rebuild: replacing a table by one with all of its blocks that can still be read.
//   - Ballast: a file that is given up when the disk is full, so that delivery can go on.
//
// Apply (apply.go) tells the story of a write; read.go that of a reader; log.go and table.go
// say what happens to damaged files. docs/JOURNAL.md has the same for operators.
package pebble

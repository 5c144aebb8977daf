// Package ingest is the one door to the journal: it checks limits and room, cuts requests
// into pieces, gathers small requests into one entry, and answers with RecordIds once the
// journal has everything on disk.
//
//   - Door: the queue of waiting requests in front of one shard.
//   - Group: the requests that one journal write stores together.
package ingest

import (
	"context"

	"hydrant/internal/record"
	"hydrant/internal/stream"
)

// Log is what ingest needs of the journal (journal.Engine promises the same).
type Log interface {
	Apply(ctx context.Context, tx *record.Tx) error
}

// Packer turns raw records into a piece under the stream's codec. Implementations are
// called from many goroutines and bound their own memory.
type Packer interface {
	// Pack compresses raw (the records back to back) into dst[:0] where that saves space,
	// for a stream whose objects are made of deflate blocks of the given level (0: they are not).
	// It returns the piece, whose Stored may share dst's or raw's memory.
	Pack(dst []byte, raw []byte, lengths []uint32, gzipLevel int) record.Piece
}

// Sealer makes pieces unreadable while the journal holds them. It is called from many
// goroutines; a piece's Stored is new memory afterwards.
type Sealer interface {
	Seal(p *record.Piece)
}

// FindSealer returns what seals the pieces of a stream now; nil: it is not encrypted. A
// *record.KeyError says that its key cannot be used.
type FindSealer func(ctx context.Context, d *stream.Definition) (Sealer, error)

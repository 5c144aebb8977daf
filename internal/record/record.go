// Package record is the vocabulary that every room shares: what a record is while
// it travels, how a place in the journal is written down, and what the journal is
// asked to keep. It has no behaviour of its own beyond encoding those words.
//
//   - A Record is the bytes of one Record.Data. It is never split and never changed.
//   - A Queue is one log of entries: a shard of one output of one stream incarnation.
//   - An Entry is what one request (or a few small ones together) stored in a queue.
//   - A Piece is an entry's content before the journal gave it a place.
//   - A Position is (entry sequence, index of the record in the entry).
//   - A Mark is a position together with the counts of everything before it.
//   - A Tx is a set of appends, state writes and trims that happen together or not at all.
package record

import (
	"errors"
	"fmt"
	"io"
	"time"
)

// MaxRecordBytes is the largest record, 1,000 KiB before base64 (spec firehose.md 11.1).
const MaxRecordBytes = 1_024_000

// MaxProducedBytes is the largest record that may lie in the journal: what processors make
// of one, or its failure record, may be larger than what came.
const MaxProducedBytes = 8 << 20

// MaxPieceBytes is where raw bytes are cut into pieces, at a record boundary. Only a
// piece of a single record may be larger (DESIGN.md section 2, "Entry").
const MaxPieceBytes = 256 << 10

// Output numbers the queues that a stream feeds. The numbers are stored in keys and
// entries and must never change.
type Output uint16

// The outputs of a stream. Without processors Data is the ingest log itself.
const (
	Data             Output = 0 // records on their way to the destination
	Backup           Output = 1 // source records, as they came
	ProcessingFailed Output = 2 // failure records of error-output-type processing-failed
	Processed        Output = 3 // what the processors made of the records, on its way to the destination
	Undecompressed   Output = 4 // failure records of error-output-type decompression-failed
	Unconverted      Output = 5 // failure records of error-output-type format-conversion-failed
	Partition        Output = 6 // processed records of one partition; see Queue.Partition
)

// Queue names one log of entries: one shard of one output of one stream incarnation.
type Queue struct {
	Stream StreamID
	Output Output
	Shard  uint32
}

// MaxPartitions is how many partitions a shard can have open at once. Their numbers are from 1
// to it.
const MaxPartitions = 1<<partitionBits - 1

const partitionBits = 24

// Partition is the queue of a partition of q's shard. A number is given out again once its
// queue was dropped. Number 0 is no queue: it stands for all partitions of the shard.
func (q Queue) Partition(number uint32) Queue {
	return Queue{Stream: q.Stream, Output: Partition, Shard: q.Shard<<partitionBits | number}
}

// Partitioned is the shard of a queue that Partition has named, and its number.
func (q Queue) Partitioned() (shard, number uint32) {
	return q.Shard >> partitionBits, q.Shard & MaxPartitions
}

// String gives the queue as it is written in logs and reports: STREAMID/output/shard.
func (q Queue) String() string {
	return fmt.Sprintf("%s/%d/%d", q.Stream, q.Output, q.Shard)
}

// Position is the place of a record in its queue: the sequence of its entry, counted
// from 1, and its index in that entry, counted from 0.
type Position struct {
	Entry uint64 `json:"entry"`
	Index uint32 `json:"index,omitzero"`
}

// Less reports whether p lies before o.
func (p Position) Less(o Position) bool {
	return p.Entry < o.Entry || p.Entry == o.Entry && p.Index < o.Index
}

// Counts is a number of records and of their raw bytes (before any compression).
type Counts struct {
	Records uint64 `json:"records"`
	Bytes   uint64 `json:"bytes"`
}

// Add returns c + o.
func (c Counts) Add(o Counts) Counts { return Counts{c.Records + o.Records, c.Bytes + o.Bytes} }

// Sub returns c - o; o must not exceed c.
func (c Counts) Sub(o Counts) Counts { return Counts{c.Records - o.Records, c.Bytes - o.Bytes} }

// Mark is a position with the counts of all records that were ever before it in the
// queue, trimmed ones included, so that two marks give the size of what lies between.
type Mark struct {
	Position
	Before Counts `json:"before"`
}

// Batch is the records of one request: their bytes back to back, and each one's length.
type Batch struct {
	Data    []byte
	Lengths []uint32
}

// Codec says how an entry's bytes are stored.
type Codec uint8

// The codecs. The numbers are stored in entries and must never change.
const (
	None    Codec = 0 // raw bytes, back to back
	S2      Codec = 1 // one S2 block of the raw bytes
	Deflate Codec = 2 // deflate blocks ending in a sync flush, none of them final (RFC 1951)
)

// Piece is a run of records ready for the journal.
type Piece struct {
	Codec    Codec
	Level    int8     // deflate level that made Stored; 0 for other codecs
	RawBytes uint32   // sum of Lengths
	RawCRC   uint32   // CRC-32 (IEEE) of the raw bytes, as gzip wants it
	Lengths  []uint32 // raw length of each record, bytes
	Stored   []byte   // the raw bytes under Codec
	// KeyID names the data key that Stored is sealed with; empty when it is not. What a
	// sealed piece's Stored holds is vault's to say; its RawCRC is zero.
	KeyID string
}

// Counts returns the piece's records and raw bytes.
func (p *Piece) Counts() Counts { return Counts{uint64(len(p.Lengths)), uint64(p.RawBytes)} }

// Range counts the records from to to-1.
func (p *Piece) Range(from, to uint32) Counts {
	n := Counts{Records: uint64(to - from)}
	for _, l := range p.Lengths[from:to] {
		n.Bytes += uint64(l)
	}
	return n
}

// Entry is a piece at its place in a queue. While Missing is above zero it stands for
// that many entries, from Sequence on, which are damaged beyond reading: it carries no
// piece, and Lost counts what they held.
type Entry struct {
	Queue    Queue
	Sequence uint64
	Before   Counts // of the queue, before this entry
	Arrival  int64  // when the records were accepted, Unix milliseconds, UTC
	Piece
	Missing uint64
	Lost    Counts
}

// Counts returns what the entry stands for: its records, or those lost with it.
func (e *Entry) Counts() Counts {
	if e.Missing > 0 {
		return e.Lost
	}
	return e.Piece.Counts()
}

// After returns the mark behind the whole entry.
func (e *Entry) After() Mark {
	n := max(e.Missing, 1)
	return Mark{Position{Entry: e.Sequence + n}, e.Before.Add(e.Counts())}
}

// Append asks for pieces to be stored at the end of a queue. Apply sets First to the
// sequence of the first piece's entry; the others follow without gaps.
type Append struct {
	Queue   Queue
	Arrival time.Time // stored to the millisecond
	Pieces  []Piece
	First   uint64
}

// State is one named value and its version, which starts at 1 and grows by one with each write.
type State struct {
	Key     string
	Value   []byte
	Version uint64
}

// StateWrite asks for a value to be stored if the key's version is still Old (0: the key
// does not exist). The new version is Old+1. A nil Value deletes the key.
type StateWrite struct {
	Key   string
	Old   uint64
	Value []byte
}

// Trim asks for the entries of a queue with a sequence below Before to be forgotten. The
// queue's next sequence and counts stay.
type Trim struct {
	Queue  Queue
	Before uint64
}

// Raise asks for the end of a queue to be at least Mark: damage has taken entries that are
// known to have been there, and their sequences must not be given out again.
type Raise struct {
	Queue Queue
	Mark  Mark
}

// RaiseTo is the raise that a reader's checkpoint asks for: none if the queue's end lies there
// or behind it. An entry that is done in part counts as done, since the rest of it is lost.
func RaiseTo(checkpoint Mark, q Queue, end Mark) (Raise, bool) {
	if checkpoint.Index > 0 {
		checkpoint = Mark{Position: Position{Entry: checkpoint.Entry + 1}, Before: checkpoint.Before}
	}
	return Raise{q, checkpoint}, end.Entry < checkpoint.Entry
}

// Tx is what the journal makes durable at once, or not at all.
type Tx struct {
	Appends []Append
	States  []StateWrite
	Trims   []Trim
	Raises  []Raise
	Drops   []Queue // queues to forget entirely, their sequence and counts too
	// Moves says that the appends take the place of records that lie here already. They are
	// let in when new ones find no space: without them none would be made.
	Moves bool
}

// Space is what the journal knows of its disk, in bytes.
type Space struct {
	Stored uint64 // held by the journal's own files
	Free   uint64 // free for it on the file system; the ballast is not free
	Total  uint64 // size of the file system
}

// Errors that rooms tell each other by. They are wrapped with what was being done.
var (
	// ErrConflict: a StateWrite found another version. Nothing of the Tx was stored.
	ErrConflict = errors.New("state was changed by another writer")
	// ErrUncertain: the outcome is unknown; part of what was asked may turn out stored
	// after the next start. The journal takes no more writes.
	ErrUncertain = errors.New("outcome of the write is unknown")
	// ErrNoSpace: the disk, or the share of it that was allowed, is full. Nothing was stored.
	ErrNoSpace = errors.New("no space left for the journal")
	// ErrClosed: the journal is closed.
	ErrClosed = errors.New("journal is closed")
	// ErrStop, returned by a callback, ends a read without an error.
	ErrStop = errors.New("stop reading")
	// ErrThrottled: a budget (memory, disk, quota) is used up; the producer should slow down.
	ErrThrottled = errors.New("slow down")

	// ErrUploadGone: the destination does not know the multipart upload (any more).
	ErrUploadGone = errors.New("no such upload")
	// ErrNoBucket: the bucket does not exist, so nothing can have been written to it.
	ErrNoBucket = errors.New("no such bucket")
	// ErrDenied: the destination refuses our credentials or permissions.
	ErrDenied = errors.New("access denied")
)

// Complaint is an error in the words that users know: a code and a message of spec
// firehose.md section 12.4. Whoever meets the foreign error makes it; who logs it for users
// finds it with errors.As.
type Complaint struct {
	Code    string // S3.NoSuchBucket
	Message string
	Err     error // what happened
}

// Error is what happened; the words are for others.
func (c *Complaint) Error() string { return c.Err.Error() }

// Unwrap is what happened.
func (c *Complaint) Unwrap() error { return c.Err }

// KeyError says for sure that a KMS key cannot be used: it is disabled, gone, being deleted,
// or we are not allowed to use it. Other failures of a KMS are other errors, and pass.
type KeyError struct {
	Code    string // of KMS: DisabledException, NotFoundException, KMSInvalidStateException, AccessDeniedException
	Message string
}

// Error is the code and the message.
func (e *KeyError) Error() string { return e.Code + ": " + e.Message }

// DataKey is a key that data is encrypted with, as a KMS makes it: in plain, to be used and
// forgotten, and wrapped under one of its own keys, to be stored beside the data.
type DataKey struct {
	KeyARN    string // of the KMS key that wraps it
	Plaintext []byte // 32 bytes, for AES-256
	Blob      []byte // the plaintext, wrapped
}

// Object is what a destination is asked to store: a name and how to label it. Bytes and
// counts travel beside it.
type Object struct {
	Bucket          string `json:"bucket"`
	Key             string `json:"key"`
	ContentType     string `json:"contentType,omitzero"`
	ContentEncoding string `json:"contentEncoding,omitzero"`
	// KMSKey is the ARN of the key that the store shall encrypt the object with (SSE-KMS);
	// empty leaves it to the store's and the bucket's default.
	KMSKey string `json:"kmsKey,omitzero"`
}

// Part is one uploaded part of a multipart upload.
type Part struct {
	Number int32  `json:"n"` // from 1
	ETag   string `json:"etag"`
}

// Body is bytes that can be sent again from the start. Destinations call Reader for each
// attempt and Close every reader, and keep nothing of it after they return.
type Body interface {
	Size() int64
	Reader() io.ReadSeekCloser
}

// Encoder writes one object. It belongs to one goroutine.
type Encoder interface {
	// Add appends the records from to to-1 (indices within the entry). Nothing of the
	// entry is kept after Add returns.
	Add(e *Entry, from, to uint32) error
	// Close writes what is left and the end of the object. It does not close the writer.
	Close() error
	// Abandon frees the encoder without finishing the object.
	Abandon()
}

// Converter is an Encoder of rows: records, or documents in them, may not fit.
type Converter interface {
	Encoder
	// Added is how far the last Add came: behind which record of the entry it ended. It ends
	// early where there are so many misfits that they have to be taken first.
	Added() uint32
	// Misfits are the documents of the last Add that no row was made of, and the records of
	// which there is no row at all. They are valid until the next Add.
	Misfits() ([]Misfit, Counts)
	// Rows is how many were made. Without any there is no object.
	Rows() int64
}

// Misfit is a document that no row could be made of (spec firehose.md section 6.6).
type Misfit struct {
	Position     // of its record
	Part     int // which of the record's misfits it is, from 0
	Arrival  time.Time
	Document []byte
	Code     string
	Message  string
}

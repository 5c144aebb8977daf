package ingest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"hydrant/internal/record"
	"hydrant/internal/stream"
)

// ErrClosed says that the stream takes no more records: it is being deleted.
var ErrClosed = errors.New("stream takes no more records")

// packAlone is from how many raw bytes on a request is packed by its own goroutine, into
// entries of its own. Smaller ones are gathered: a piece below 16 KiB compresses badly
// (DESIGN.md section 6) and an entry of its own costs more than its records.
const packAlone = 16 << 10

// Options are what ingest is built from. The fields up to GzipLevel are required.
type Options struct {
	Log    Log
	Packer Packer
	Now    func() time.Time // wall clock, for arrival times
	// GzipLevel is the deflate level of streams whose objects are gzip or zip, 1 to 9.
	GzipLevel int
	// OnAppend is told, after each durable write, which queue has grown. It must not block.
	OnAppend func(record.Queue)
	// Sealer finds the sealers of encrypted streams; nil: there are none.
	Sealer FindSealer
	// Quota says what a stream of a name may take; nil: nothing is bounded. It is asked once
	// for each stream.
	Quota func(name string) Quota
	// OnThrottle is told how many records a quota has refused. It must not block.
	OnThrottle func(name string, records int)
}

// Ingest stores records. It has no goroutines of its own: the requests themselves take
// turns at writing.
type Ingest struct {
	opt   Options
	doors sync.Map // record.Queue → *door

	meters sync.Map // record.StreamID → *meter, of streams with a quota

	requests sync.Pool // of *request, with the memory that packing needs
	groups   sync.Pool // of *group
}

// New returns an Ingest over a journal.
func New(opt Options) *Ingest {
	if opt.OnAppend == nil {
		opt.OnAppend = func(record.Queue) {}
	}
	if opt.Sealer == nil {
		opt.Sealer = func(context.Context, *stream.Definition) (Sealer, error) { return nil, nil }
	}
	return &Ingest{opt: opt}
}

// Put stores the records of b in the ingest log of d and returns when they are on disk.
// It reports in got where they are. Nothing of b is kept.
//
// A stream with a quota takes the first records of b that it has room for. Errors:
// record.ErrThrottled when quota or journal have no room (nothing was stored), ErrClosed
// when the stream is going away, a *record.KeyError when its key cannot be used (nothing was
// stored), others when the journal failed (the records may be stored).
func (in *Ingest) Put(ctx context.Context, d *stream.Definition, b record.Batch, got *Receipt) error {
	q := record.Queue{Stream: d.ID, Output: record.Data, Shard: firstShard}
	got.Queue, got.Runs = q, got.Runs[:0]
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("put to stream %s: %w", d.Name, err)
	}
	b, room := in.within(d, b)
	if !room {
		return fmt.Errorf("put to stream %s: quota: %w", d.Name, record.ErrThrottled)
	}
	sealer, err := in.opt.Sealer(ctx, d)
	if err != nil {
		return fmt.Errorf("put to stream %s: %w", d.Name, err)
	}
	req := in.newRequest(in.level(d), sealer, b, got)
	defer in.free(req)
	if len(b.Data) >= packAlone {
		req.pack(in.opt.Packer)
	}
	if err := in.door(q).pass(in, req); err != nil {
		return fmt.Errorf("put to stream %s: %w", d.Name, err)
	}
	return nil
}

// firstShard takes all requests: a stream starts with one shard, and none gets more yet. The
// order of one client's records holds within a shard.
const firstShard = 0

// level is the deflate level that entries of the stream are stored under, 0 for none.
func (in *Ingest) level(d *stream.Definition) int {
	if d.S3 != nil && d.S3.CompressionFormat.Deflated() {
		return in.opt.GzipLevel
	}
	return 0
}

func (in *Ingest) door(q record.Queue) *door {
	if d, ok := in.doors.Load(q); ok {
		return d.(*door)
	}
	d, _ := in.doors.LoadOrStore(q, &door{queue: q})
	return d.(*door)
}

// Close makes a stream's doors refuse every Put from now on and returns when the writes in
// progress are done, so that nothing can follow into a queue that is being dropped. The
// closed doors stay, some hundred bytes each: a request that looked the stream up before
// must find them closed.
func (in *Ingest) Close(d *stream.Definition) {
	for shard := range max(d.Shards, 1) {
		in.door(record.Queue{Stream: d.ID, Output: record.Data, Shard: shard}).close()
	}
	in.meters.Delete(d.ID)
}

// request is one Put on its way through a door.
type request struct {
	batch  record.Batch
	level  int
	sealer Sealer // nil: the stream is not encrypted
	got    *Receipt
	pieces []record.Piece // packed by the requester; none for a small request
	arena  []byte         // backs the pieces
	turn   chan outcome   // capacity 1
}

type outcome struct {
	lead bool // the door is yours: write the next group
	err  error
}

func (in *Ingest) newRequest(level int, sealer Sealer, b record.Batch, got *Receipt) *request {
	r, ok := in.requests.Get().(*request)
	if !ok {
		r = &request{turn: make(chan outcome, 1)}
	}
	r.batch, r.level, r.sealer, r.got = b, level, sealer, got
	return r
}

func (in *Ingest) free(r *request) {
	clear(r.pieces)
	r.batch, r.sealer, r.got, r.pieces, r.arena = record.Batch{}, nil, nil, r.pieces[:0], r.arena[:0]
	in.requests.Put(r)
}

// pack cuts the request into pieces at record boundaries, packs each and seals it.
func (r *request) pack(p Packer) {
	data, lengths := r.batch.Data, r.batch.Lengths
	for len(lengths) > 0 {
		n, size := cut(lengths)
		r.arena = room(r.arena, size)
		dst := r.arena[len(r.arena):]
		piece := p.Pack(dst, data[:size], lengths[:n], r.level)
		if len(piece.Stored) <= cap(dst) && sameStart(dst, piece.Stored) {
			r.arena = r.arena[:len(r.arena)+len(piece.Stored)]
		}
		r.pieces = append(r.pieces, piece)
		if r.sealer != nil {
			r.sealer.Seal(&r.pieces[len(r.pieces)-1])
		}
		data, lengths = data[size:], lengths[n:]
	}
}

// Pieces packs and seals records of d as they would lie in its ingest log, for queues that
// are fed from there. Nothing of b is kept, but b must stay as it is while the pieces are in
// use. Errors are those of the sealer.
func (in *Ingest) Pieces(ctx context.Context, d *stream.Definition, b record.Batch) ([]record.Piece, error) {
	sealer, err := in.opt.Sealer(ctx, d)
	if err != nil {
		return nil, fmt.Errorf("pack records of stream %s: %w", d.Name, err)
	}
	r := &request{level: in.level(d), sealer: sealer, batch: b}
	r.pack(in.opt.Packer)
	return r.pieces, nil
}

// room returns arena with space for a packed piece of size raw bytes behind its length.
// What earlier pieces point to stays where it is.
func room(arena []byte, size int) []byte {
	need := size + size/64 + 1024
	if cap(arena)-len(arena) >= need {
		return arena
	}
	return make([]byte, 0, max(need, 2*cap(arena)))
}

// sameStart reports whether b is what was written at the start of dst's space.
func sameStart(dst, b []byte) bool {
	return len(b) > 0 && cap(dst) > 0 && &dst[:1][0] == &b[0]
}

// cut returns how many records, and bytes, make the next piece: at most MaxPieceBytes and
// MaxEntryRecords, but always one record.
func cut(lengths []uint32) (n, size int) {
	for n < len(lengths) && n < record.MaxEntryRecords {
		l := int(lengths[n])
		if n > 0 && size+l > record.MaxPieceBytes {
			break
		}
		size += l
		n++
	}
	return n, size
}

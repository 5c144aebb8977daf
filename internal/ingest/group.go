package ingest

import (
	"context"
	"errors"
	"fmt"

	"hydrant/internal/record"
)

// group is the requests that one journal write stores, and the memory to line them up.
// Groups are pooled rather than kept by the doors: a thousand busy streams write few at a time.
type group struct {
	requests []*request
	pieces   []record.Piece
	level    int      // of the small requests being gathered
	sealer   Sealer   // of the same
	raw      []byte   // their records
	lens     []uint32 // lengths of all gathered records; those of the open piece begin at open
	open     int
	packed   []byte // backs the gathered pieces
}

func (in *Ingest) newGroup() *group {
	if g, ok := in.groups.Get().(*group); ok {
		return g
	}
	return new(group)
}

func (in *Ingest) freeGroup(g *group) {
	clear(g.requests)
	clear(g.pieces)
	*g = group{requests: g.requests[:0], pieces: g.pieces[:0], raw: g.raw[:0], lens: g.lens[:0], packed: g.packed[:0]}
	in.groups.Put(g)
}

// gather lines up the group's pieces in the order of the requests; small requests that
// follow each other share a piece. Each request learns its place relative to the group's
// first entry.
func (g *group) gather(p Packer) {
	for _, r := range g.requests {
		if len(r.pieces) > 0 {
			g.flush(p)
			for i := range r.pieces {
				g.note(r, 0, len(r.pieces[i].Lengths))
				g.pieces = append(g.pieces, r.pieces[i])
			}
			continue
		}
		if g.level != r.level || g.sealer != r.sealer || !g.fits(r) {
			g.flush(p)
		}
		g.level, g.sealer = r.level, r.sealer
		g.note(r, len(g.lens)-g.open, len(r.batch.Lengths))
		g.raw = append(g.raw, r.batch.Data...)
		g.lens = append(g.lens, r.batch.Lengths...)
	}
	g.flush(p)
}

// fits reports whether the open piece has room for r.
func (g *group) fits(r *request) bool {
	return len(g.raw)+len(r.batch.Data) <= record.MaxPieceBytes &&
		len(g.lens)-g.open+len(r.batch.Lengths) <= record.MaxEntryRecords
}

// note records that n records of r begin at index in the piece that comes next.
func (g *group) note(r *request, index, n int) {
	r.got.Runs = append(r.got.Runs, Run{
		First:   record.Position{Entry: uint64(len(g.pieces)), Index: uint32(index)},
		Records: n,
	})
}

// flush packs the open piece and seals it.
func (g *group) flush(p Packer) {
	if len(g.lens) == g.open {
		return
	}
	g.packed = room(g.packed, len(g.raw))
	start := len(g.packed)
	piece := p.Pack(g.packed[start:], g.raw, g.lens[g.open:len(g.lens):len(g.lens)], g.level)
	g.pieces = append(g.pieces, piece)
	last := &g.pieces[len(g.pieces)-1] // where it lies already: it need not escape for the sealer
	if g.sealer != nil {
		g.sealer.Seal(last)
	} else {
		g.packed = append(g.packed, piece.Stored...) // raw is used again, so a piece must not share it
		last.Stored = g.packed[start:]
	}
	g.raw, g.open = g.raw[:0], len(g.lens)
}

// store writes the pieces and turns the relative places into positions.
func (g *group) store(in *Ingest, q record.Queue) error {
	tx := record.Tx{Appends: []record.Append{{Queue: q, Arrival: in.opt.Now(), Pieces: g.pieces}}}
	// A request that gives up now must not stop what others wait for.
	err := in.opt.Log.Apply(context.Background(), &tx)
	if errors.Is(err, record.ErrNoSpace) {
		return fmt.Errorf("%w: %w", record.ErrThrottled, err)
	}
	if err != nil {
		return err
	}
	for _, r := range g.requests {
		for i := range r.got.Runs {
			r.got.Runs[i].First.Entry += tx.Appends[0].First
		}
	}
	in.opt.OnAppend(q)
	return nil
}

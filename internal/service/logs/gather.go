package logs

import (
	"cmp"
	"container/heap"
	"context"
	"errors"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
)

const (
	maxPage = 1 << 20  // bytes of events in a page, as a put counts them
	maxScan = 64 << 20 // bytes of frames that are read for a page, where the page may end early
)

// found is an event that was read, with where it stands.
type found struct {
	position
	ingested int64
	message  []byte
	in       *stream
}

// query says which events make a page: those from from on and before to, of some streams,
// that match. Of these the first limit or, backward, the last, as far as they fit a page.
type query struct {
	streams  []*stream
	from, to position
	limit    int
	backward bool
	match    func(message []byte) bool // nil: all
	scan     int64                     // frames of how many bytes may be read; 0: as many as it takes
}

// place is a block with the file it is in.
type place struct {
	block
	in   *stream
	base uint64
}

// gather reads a page, in ascending order. All events of the query before end (backward:
// from end on) that match are in it; if end is where the query ended, nothing is left.
//
// Streams hold events in order of arrival, so blocks are read in the order of the earliest
// time in them until the page is full and no block that is left can have an earlier event.
// Memory is that of one page and of the list of blocks.
func (s *Service) gather(ctx context.Context, q query) (page []found, end position, err error) {
	places := q.places()
	p := &pageHeap{backward: q.backward}
	read := int64(0)
	for _, at := range places {
		edge := at.edge(q.backward)
		if q.backward && edge.compare(q.from) <= 0 || !q.backward && edge.compare(q.to) >= 0 {
			break
		}
		if q.scan > 0 && read >= q.scan && q.shrink(edge) {
			break
		}
		if err := ctx.Err(); err != nil {
			return nil, end, err
		}
		if err := s.readBlock(at, &q, p); err != nil {
			return nil, end, err
		}
		read += at.Size
	}
	p.events = slices.DeleteFunc(p.events, func(e found) bool {
		return e.compare(q.from) < 0 || e.compare(q.to) >= 0
	})
	slices.SortFunc(p.events, func(a, b found) int { return a.compare(b.position) })
	if q.backward {
		return p.events, q.from, nil
	}
	return p.events, q.to, nil
}

// edge is where the events of a block begin, or end if one comes from behind.
func (p *place) edge(backward bool) position {
	if backward {
		return position{p.Max, math.MaxUint64, math.MaxUint64}
	}
	return at(p.Min)
}

// shrink ends the query at the edge of a block, unless nothing would be left of it.
func (q *query) shrink(edge position) bool {
	if q.backward {
		if edge.compare(q.to) >= 0 {
			return false
		}
		q.from = edge
		return true
	}
	if edge.compare(q.from) <= 0 {
		return false
	}
	q.to = edge
	return true
}

// places lists the blocks that could hold events of the query, in the order of reading.
func (q *query) places() []place {
	var all []place
	for _, st := range q.streams {
		st.mu.RLock()
		for _, seg := range st.segments {
			for _, b := range seg.Blocks {
				if b.Max >= q.from.time && b.Min <= q.to.time {
					all = append(all, place{b, st, seg.base})
				}
			}
		}
		st.mu.RUnlock()
	}
	slices.SortFunc(all, func(a, b place) int {
		if q.backward {
			return cmp.Compare(b.Max, a.Max)
		}
		return cmp.Compare(a.Min, b.Min)
	})
	return all
}

// readBlock adds the events of a block to the page. Whenever the page is too large, the
// query shrinks to what is in it.
func (s *Service) readBlock(at place, q *query, p *pageHeap) error {
	path := filepath.Join(at.in.folder, segmentName(at.base))
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // dropped or deleted meanwhile
	}
	if err != nil {
		return err
	}
	defer f.Close()
	in := newFrames(io.NewSectionReader(f, at.Offset, at.Size))
	for i := range at.Count {
		e, _, err := in.next()
		if errors.Is(err, errTorn) || errors.Is(err, io.EOF) {
			s.opt.Logger.Error("block of a log stream is damaged; the events behind that place in it are not told",
				"file", path, "block", at.Offset, "event", at.First+i)
			return nil
		}
		if err != nil {
			return err
		}
		where := position{e.time, at.in.id, at.First + i}
		if where.compare(q.from) < 0 || where.compare(q.to) >= 0 || q.match != nil && !q.match(e.message) {
			continue
		}
		p.add(q, found{where, e.ingested, slices.Clone(e.message), at.in})
	}
	return nil
}

// pageHeap is a page under way. Its root is the event that goes first when there are too
// many: the last one, or the first one if the page comes from behind.
type pageHeap struct {
	backward bool
	events   []found
	size     int // bytes
}

func (p *pageHeap) add(q *query, e found) {
	p.size += len(e.message) + eventWeight
	heap.Push(p, e)
	for len(p.events) > q.limit || p.size > maxPage && len(p.events) > 1 {
		out := heap.Pop(p).(found)
		p.size -= len(out.message) + eventWeight
		if q.backward {
			q.from = out.next()
		} else {
			q.to = out.position
		}
	}
}

// Len, Less, Swap, Push and Pop are for package heap.
func (p *pageHeap) Len() int { return len(p.events) }

// Less puts the event first that goes first.
func (p *pageHeap) Less(i, j int) bool {
	return (p.events[i].compare(p.events[j].position) > 0) != p.backward
}

// Swap exchanges two events.
func (p *pageHeap) Swap(i, j int) { p.events[i], p.events[j] = p.events[j], p.events[i] }

// Push takes an event.
func (p *pageHeap) Push(x any) { p.events = append(p.events, x.(found)) }

// Pop gives the last event of the slice.
func (p *pageHeap) Pop() any {
	n := len(p.events) - 1
	e := p.events[n]
	p.events[n] = found{}
	p.events = p.events[:n]
	return e
}

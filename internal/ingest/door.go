package ingest

import (
	"errors"
	"sync"

	"hydrant/internal/record"
)

// maxGroupBytes bounds the raw bytes that one journal write stores, so that a group fits
// into the engine's write buffers and no request waits long for those before it.
const maxGroupBytes = 4 << 20

// errPanicked is what the others of a group are told when its writer has panicked.
var errPanicked = errors.New("the write of the group has panicked")

// door lets requests into one shard, one group at a time. While a group is being written
// the next requests gather; the first of them writes the next group. So the more clients
// there are, the fewer writes each of them costs, and nobody waits on a timer.
type door struct {
	queue record.Queue

	mu      sync.Mutex
	waiting []*request
	busy    bool // a request is writing, or has been given the lead
	closed  bool
	idle    chan struct{} // closed when the last write ended, made by close
}

// pass takes req through the door and returns when it is on disk or refused.
func (d *door) pass(in *Ingest, req *request) error {
	d.mu.Lock()
	if d.closed {
		d.mu.Unlock()
		return ErrClosed
	}
	d.waiting = append(d.waiting, req)
	lead := !d.busy
	d.busy = true
	d.mu.Unlock()
	if !lead {
		out := <-req.turn
		if !out.lead {
			return out.err
		}
	}
	defer d.handOver() // also after a panic, which the HTTP server survives
	return d.write(in, req)
}

// handOver gives the lead to the first request that still waits.
func (d *door) handOver() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.waiting) > 0 {
		d.waiting[0].turn <- outcome{lead: true}
		return
	}
	d.busy = false
	if d.idle != nil {
		close(d.idle)
		d.idle = nil
	}
}

// close refuses further requests and waits for those inside.
func (d *door) close() {
	d.mu.Lock()
	d.closed = true
	if !d.busy {
		d.mu.Unlock()
		return
	}
	if d.idle == nil {
		d.idle = make(chan struct{})
	}
	idle := d.idle
	d.mu.Unlock()
	<-idle
}

// write stores the next group, of which req is the first, and tells the others.
func (d *door) write(in *Ingest, req *request) (err error) {
	g := in.newGroup()
	d.take(g)
	err = errPanicked
	defer func() {
		for _, r := range g.requests {
			if err != nil {
				r.got.Runs = r.got.Runs[:0]
			}
			if r != req {
				r.turn <- outcome{err: err}
			}
		}
		in.freeGroup(g)
	}()
	g.gather(in.opt.Packer)
	err = g.store(in, d.queue)
	return err
}

// take moves the requests that are stored together out of the waiting line.
func (d *door) take(g *group) {
	d.mu.Lock()
	defer d.mu.Unlock()
	n, size := 0, 0
	for n < len(d.waiting) {
		size += len(d.waiting[n].batch.Data)
		if n > 0 && size > maxGroupBytes {
			break
		}
		n++
	}
	g.requests = append(g.requests, d.waiting[:n]...)
	rest := copy(d.waiting, d.waiting[n:])
	clear(d.waiting[rest:])
	d.waiting = d.waiting[:rest]
}

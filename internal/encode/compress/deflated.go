package compress

import (
	"fmt"
	"io"

	"hydrant/internal/encode"
	"hydrant/internal/record"
)

// A run of deflate blocks as Packer and Pool make it ends in the sync marker, the end of an
// empty stored block; after the last run of an object stands an empty last block.
const (
	syncMarker = "\x00\x00\xff\xff"
	final      = "\x03\x00"
)

// deflating is what the encodings share whose objects hold deflate blocks of one level.
type deflating struct {
	pool  *Pool
	level int
}

// frame is what stands around the deflate blocks of an object.
type frame interface {
	// first is told of the object's first record, before head is asked for.
	first(e *record.Entry, from uint32)
	head() []byte
	// tail is what follows the final block: the CRC-32 and the number of the raw bytes, and
	// how many bytes of deflate there are.
	tail(crc uint32, raw, deflated uint64) ([]byte, error)
}

// encoder writes one object of deflate blocks. It belongs to one goroutine.
type encoder struct {
	*deflating
	frame    frame
	w        io.Writer
	any      bool // a record was added
	started  bool
	sum      checksum
	raw      uint64   // raw bytes that sum covers
	deflated uint64   // bytes of deflate written
	open     *block   // being gathered; nil while there is nothing
	running  []*block // in lanes, oldest first
}

// Add appends the records from to to-1 of e. Whole entries that Pack made for this level
// are copied; everything else is decoded, proven, and compressed again. After an error the
// encoder can only be abandoned.
func (n *encoder) Add(e *record.Entry, from, to uint32) error {
	if !n.any {
		n.any = true
		n.frame.first(e, from)
	}
	if n.copies(e, from, to) {
		return n.copy(e)
	}
	return n.pool.decoder.Range(e, from, to, n.gather)
}

// copies reports whether e can become part of the member as it is stored.
func (n *encoder) copies(e *record.Entry, from, to uint32) bool {
	return e.Codec == record.Deflate && int(e.Level) == n.level && e.RawBytes >= CopyBytes &&
		from == 0 && int(to) == len(e.Lengths) && e.Missing == 0 && e.KeyID == ""
}

// copy writes the stored bytes of e. They are under the journal's checksum; that they end
// in a sync flush is looked at once more, since the whole object hangs on it.
func (n *encoder) copy(e *record.Entry) error {
	if b := e.Stored; len(b) < len(syncMarker) || string(b[len(b)-len(syncMarker):]) != syncMarker {
		return fmt.Errorf("entry %d of queue %s: %w: its deflate blocks do not end in a sync flush",
			e.Sequence, e.Queue, encode.ErrBadEntry)
	}
	if err := n.drain(); err != nil {
		return err
	}
	return n.write(e.Stored, e.RawCRC, uint64(e.RawBytes))
}

// gather appends raw to the open block, compressing every one that is full. Blocks are cut
// by size alone, so that the object does not depend on who compresses when.
func (n *encoder) gather(raw []byte) error {
	for len(raw) > 0 {
		if n.open == nil {
			n.open = n.pool.block()
		}
		k := min(len(raw), BlockBytes-len(n.open.raw))
		n.open.raw = append(n.open.raw, raw[:k]...)
		raw = raw[k:]
		if len(n.open.raw) == BlockBytes {
			if err := n.dispatch(); err != nil {
				return err
			}
		}
	}
	return nil
}

// dispatch has the open block compressed: in a lane if there is one, else in the lane of
// this encoder's own oldest block once that is written, else here. It never waits for
// another encoder's blocks, which may be stuck behind a slow destination.
func (n *encoder) dispatch() error {
	if err := n.writeFinished(); err != nil {
		return err
	}
	for !n.pool.lane() {
		if len(n.running) == 0 {
			return n.drain()
		}
		if err := n.writeOldest(); err != nil {
			return err
		}
	}
	b := n.open
	n.open = nil
	b.done = make(chan struct{})
	n.running = append(n.running, b)
	go func() {
		b.compress(n.pool, n.level)
		close(b.done)
	}()
	return nil
}

// writeFinished writes the oldest blocks as far as they are compressed, without waiting.
func (n *encoder) writeFinished() error {
	for len(n.running) > 0 {
		select {
		case <-n.running[0].done:
		default:
			return nil
		}
		if err := n.writeOldest(); err != nil {
			return err
		}
	}
	return nil
}

// writeOldest waits for the oldest block in a lane, writes it and gives the lane back.
func (n *encoder) writeOldest() error {
	b := n.running[0]
	<-b.done
	n.running = append(n.running[:0], n.running[1:]...)
	defer n.pool.leave(b)
	return n.write(b.out, b.crc, uint64(len(b.raw)))
}

// drain writes everything that was gathered, in order. The last block is compressed here
// while those before it finish.
func (n *encoder) drain() error {
	if n.open != nil {
		n.open.compress(n.pool, n.level)
	}
	for len(n.running) > 0 {
		if err := n.writeOldest(); err != nil {
			return err
		}
	}
	if n.open == nil {
		return nil
	}
	b := n.open
	n.open = nil
	defer n.pool.free(b)
	return n.write(b.out, b.crc, uint64(len(b.raw)))
}

// write puts deflate blocks into the member that stand for raw bytes of the given CRC-32.
func (n *encoder) write(deflated []byte, crc uint32, raw uint64) error {
	if err := n.start(); err != nil {
		return err
	}
	if _, err := n.w.Write(deflated); err != nil {
		return fmt.Errorf("write %d bytes of a compressed object: %w", len(deflated), err)
	}
	n.deflated += uint64(len(deflated))
	n.sum.append(crc, raw)
	n.raw += raw
	return nil
}

func (n *encoder) start() error {
	if n.started {
		return nil
	}
	n.started = true
	if _, err := n.w.Write(n.frame.head()); err != nil {
		return fmt.Errorf("write the head of a compressed object: %w", err)
	}
	return nil
}

// Close writes what is left, the final block and what follows it.
func (n *encoder) Close() error {
	defer n.Abandon()
	if err := n.drain(); err != nil {
		return err
	}
	if err := n.start(); err != nil {
		return err
	}
	tail, err := n.frame.tail(n.sum.crc, n.raw, n.deflated+uint64(len(final)))
	if err != nil {
		return err
	}
	if _, err := n.w.Write(append([]byte(final), tail...)); err != nil {
		return fmt.Errorf("write the end of a compressed object: %w", err)
	}
	return nil
}

// Abandon waits for the blocks in lanes, which only compute, and gives all memory back.
func (n *encoder) Abandon() {
	for _, b := range n.running {
		<-b.done
		n.pool.leave(b)
	}
	n.running = nil
	if n.open != nil {
		n.pool.free(n.open)
		n.open = nil
	}
}

package compress

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"

	"hydrant/internal/encode"
	"hydrant/internal/record"
)

// BlockBytes is how many raw bytes are compressed together when they cannot be copied.
// Twice as many would make objects less than 1 % smaller and every open encoder twice as big.
const BlockBytes = 128 << 10

// A member, the form of every object (RFC 1952, integers little-endian):
//
//	header    1f 8b 08 00  00 00 00 00  00 ff   deflate, no name, no time, unknown system
//	blocks    deflate blocks, each run of them ending in the sync marker 00 00 ff ff
//	final     03 00                             an empty last block
//	trailer   CRC-32 of the raw bytes, number of raw bytes modulo 2^32
const (
	header     = "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
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

// GzipEncoding makes gzip objects at one deflate level.
type GzipEncoding struct{ deflating }

// gzipFrame is the member around the blocks.
type gzipFrame struct{}

func (gzipFrame) first(*record.Entry, uint32) {}

func (gzipFrame) head() []byte { return []byte(header) }

func (gzipFrame) tail(crc uint32, raw, _ uint64) ([]byte, error) {
	return binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(nil, crc), uint32(raw)), nil
}

// Gzip returns the encoding of the level, 1 to 9, over the pool's compressors.
func Gzip(pool *Pool, level int) *GzipEncoding {
	checkLevel(level)
	return &GzipEncoding{deflating{pool, level}}
}

// ContentEncoding is gzip.
func (*GzipEncoding) ContentEncoding() string { return "gzip" }

// NewEncoder returns an encoder that writes one gzip member to w. The bytes depend on the
// level and on the records that are added, entry by entry, and on nothing else.
//
// An encoder holds no compressor. It holds at most BlockBytes of raw bytes, and for
// moments what they were compressed to and the scratch of one entry being decoded (at most
// 1,024,000 bytes); while it only copies, it holds nothing. What else is in flight is
// bounded by the pool, for all encoders together.
func (g *GzipEncoding) NewEncoder(w io.Writer) record.Encoder {
	return &encoder{deflating: &g.deflating, frame: gzipFrame{}, w: w}
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

// block is raw bytes on their way to deflate blocks. While done is open the goroutine of
// its lane owns it, otherwise its encoder.
type block struct {
	raw  []byte
	out  []byte
	crc  uint32
	done chan struct{} // nil outside of a lane
}

func (b *block) compress(p *Pool, level int) {
	b.crc = crc32.ChecksumIEEE(b.raw)
	b.out = p.deflate(b.out[:0], b.raw, level)
}

// lane takes a lane if one is free.
func (p *Pool) lane() bool {
	select {
	case p.lanes <- struct{}{}:
		return true
	default:
		return false
	}
}

// leave frees a block and its lane.
func (p *Pool) leave(b *block) {
	p.free(b)
	<-p.lanes
}

// block returns an empty block. A new one grows with what is gathered: a thousand small
// objects may be open at once.
func (p *Pool) block() *block {
	p.mu.Lock()
	defer p.mu.Unlock()
	if k := len(p.blocks); k > 0 {
		b := p.blocks[k-1]
		p.blocks = p.blocks[:k-1]
		return b
	}
	return new(block)
}

func (p *Pool) free(b *block) {
	b.raw, b.out, b.done = b.raw[:0], b.out[:0], nil
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.blocks) < cap(p.lanes) {
		p.blocks = append(p.blocks, b)
	}
}

package compress

import "hash/crc32"

// BlockBytes is how many raw bytes are deflated together when they cannot be copied.
// Twice as many would make objects less than 1 % smaller and every open encoder twice as big.
const BlockBytes = 128 << 10

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

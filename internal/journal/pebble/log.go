package pebble

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"hydrant/internal/record"
)

// A log or a manifest is a row of blocks of 32 KiB, filled with chunks that do not cross
// blocks; what is too short for a chunk at a block's end is zero. Integers are little-endian:
//
//	0  checksum  4   masked CRC-32C of everything behind the length
//	4  length    2   of the payload
//	6  type      1   1-4 plain, 5-8 with a log number, 9-12 with log number and sync offset;
//	                 in each group: full, first, middle, last
//	7  log       4   low bits of the log's number: a log's file is used again for later logs
//	11 synced    8   types 9-12
//	.. payload
//
// A record is a full chunk, or a first one, middle ones and a last one. In a log each record
// is a batch: Pebble sequence number (8), number of operations (4), operations. A log that was
// closed in order ends with a chunk of no length, no checksum and the next log's number.
const (
	logBlock    = 32 << 10
	chunkHead   = 7
	maxRecord   = 1 << 30
	batchHead   = 12
	fullChunk   = 0 // positions, as the type's remainder
	firstChunk  = 1
	middleChunk = 2
	lastChunk   = 3
)

// headLengths are the lengths of a chunk's head by group of types.
var headLengths = [3]int{7, 11, 19}

// logReader reads the records of a log or manifest and steps over damage.
type logReader struct {
	r      io.Reader
	number uint32
	plain  bool // a manifest: plain chunks only

	block [logBlock]byte
	at, n int   // what of block is still to be read
	base  int64 // offset of block in the file
	last  bool  // block is the last one
	begun bool

	record []byte
	// bad is the offset of the first bad place that belongs to the record being returned or
	// lies right before it; -1 for none. mended says that a byte was put right in it.
	bad    int64
	mended bool
}

func newLogReader(r io.Reader, number uint32, plain bool) *logReader {
	return &logReader{r: r, number: number, plain: plain, bad: -1}
}

// errLogEnd says that the log ends here in order.
var errLogEnd = errors.New("end of log")

// next returns the next whole record, valid until the call after it, or io.EOF. Afterwards
// r.bad and r.mended say what was met on the way to it (or to the end).
func (r *logReader) next() ([]byte, error) {
	r.record, r.bad, r.mended = r.record[:0], -1, false
	open := false // a record was begun and not ended
	for {
		p, err := r.chunk()
		switch {
		case errors.Is(err, errLogEnd), errors.Is(err, io.EOF):
			if open {
				r.noteBad(r.base + int64(r.at))
			}
			return nil, io.EOF
		case errors.Is(err, errBadChunk):
			open = false
			continue
		case err != nil:
			return nil, err
		}
		begins := p.position == fullChunk || p.position == firstChunk
		if begins == open { // a beginning within a record, or a middle without a beginning
			r.noteBad(r.base + int64(r.at))
		}
		if begins {
			r.record, r.mended, open = r.record[:0], false, true
		}
		if !open {
			continue
		}
		r.mended = r.mended || p.mended
		if r.record = append(r.record, p.payload...); len(r.record) > maxRecord {
			return nil, fmt.Errorf("%w: record of more than %d bytes in a log", ErrDamaged, maxRecord)
		}
		if p.position == fullChunk || p.position == lastChunk {
			return r.record, nil
		}
	}
}

func (r *logReader) noteBad(offset int64) {
	if r.bad < 0 {
		r.bad = offset
	}
}

// errBadChunk says that a bad place was stepped over; r.bad has it.
var errBadChunk = errors.New("bad chunk")

// chunk returns the next chunk.
func (r *logReader) chunk() (piece, error) {
	for r.blockDone() {
		if err := r.load(); err != nil {
			return piece{}, err
		}
	}
	b := r.block[r.at:r.n]
	p, ok := r.parse(b)
	if !ok && r.endsHere(b) {
		return piece{}, errLogEnd
	}
	if !ok {
		r.noteBad(r.base + int64(r.at))
		if p, ok = r.mend(b); !ok {
			r.skip()
			return piece{}, errBadChunk
		}
		p.mended = true
	}
	r.at += p.size()
	return p, nil
}

// skip steps to the next sound chunk of the block, or behind the block.
func (r *logReader) skip() {
	if allZero(r.block[r.at:r.n]) {
		r.at = r.n
	}
	for r.at++; r.at+chunkHead <= r.n; r.at++ {
		if _, ok := r.parse(r.block[r.at:r.n]); ok {
			return
		}
	}
	r.at = r.n
}

// blockDone says that no chunk fits into what is left of the block, or that only zeros are
// left where no head of the log's kind fits.
func (r *logReader) blockDone() bool {
	left := r.block[r.at:r.n]
	if len(left) < chunkHead {
		return true
	}
	return len(left) < headLengths[2] && allZero(left)
}

func allZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}

// load reads the next block.
func (r *logReader) load() error {
	if r.last {
		return io.EOF
	}
	if r.begun {
		r.base += int64(r.n)
	}
	n, err := io.ReadFull(r.r, r.block[:])
	r.begun, r.at, r.n = true, 0, n
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		r.last = true
		if n == 0 {
			return io.EOF
		}
		return nil
	}
	return err
}

// piece is a chunk within a block.
type piece struct {
	position int
	head     int
	payload  []byte
	mended   bool
}

func (p piece) size() int { return p.head + len(p.payload) }

// shape reads a chunk's head without checking its checksum.
func (r *logReader) shape(b []byte) (p piece, ok bool) {
	if len(b) < chunkHead || b[6] < 1 || b[6] > 12 {
		return p, false
	}
	kind := int(b[6] - 1)
	p.head = headLengths[kind/4]
	end := p.head + int(binary.LittleEndian.Uint16(b[4:]))
	if r.plain != (kind/4 == 0) || end > len(b) {
		return p, false
	}
	if kind/4 > 0 && binary.LittleEndian.Uint32(b[7:]) != r.number {
		return p, false
	}
	p.position, p.payload = kind%4, b[p.head:end]
	return p, true
}

// parse reads a whole and sound chunk.
func (r *logReader) parse(b []byte) (piece, bool) {
	p, ok := r.shape(b)
	return p, ok && binary.LittleEndian.Uint32(b) == maskCRC(crc32.Checksum(b[6:p.size()], castagnoli))
}

// foreign knows a sound chunk of another log, which the file held before.
func (r *logReader) foreign(b []byte) bool {
	if r.plain || len(b) < headLengths[1] {
		return false
	}
	other := &logReader{number: binary.LittleEndian.Uint32(b[7:])}
	_, ok := other.parse(b)
	return ok
}

// endsHere knows the mark at the end of a log that was closed in order.
func (r *logReader) endsHere(b []byte) bool {
	return !r.plain && len(b) >= headLengths[1] && allZero(b[:6]) && b[6] == 5 &&
		binary.LittleEndian.Uint32(b[7:]) == r.number+1
}

// mend tries to read a chunk in which one byte is wrong. It changes the block only if that
// made a sound chunk of it.
func (r *logReader) mend(b []byte) (piece, bool) {
	if len(b) < chunkHead || allZero(b[:chunkHead]) || r.foreign(b) {
		return piece{}, false
	}
	want := binary.LittleEndian.Uint32(b)
	if p, ok := r.shape(b); ok && oneByteApart(want, maskCRC(crc32.Checksum(b[6:p.size()], castagnoli))) {
		return p, true // it is the checksum that is wrong
	}
	for _, head := range headLengths {
		end := head + int(binary.LittleEndian.Uint16(b[4:]))
		if end > len(b) {
			continue
		}
		at, flip, ok := mend(b[6:end], unmaskCRC(want))
		if !ok {
			continue
		}
		b[6+at] ^= flip
		if p, ok := r.parse(b); ok && p.size() == end {
			return p, true
		}
		b[6+at] ^= flip
	}
	return r.mendLength(b, want)
}

// mendLength tries to read a chunk in whose length one byte is wrong.
func (r *logReader) mendLength(b []byte, want uint32) (piece, bool) {
	if b[6] < 1 || b[6] > 12 {
		return piece{}, false
	}
	head := headLengths[(b[6]-1)/4]
	if head > len(b) {
		return piece{}, false
	}
	was := binary.LittleEndian.Uint16(b[4:])
	crc := crc32.Checksum(b[6:head], castagnoli)
	for end := head; ; end++ {
		length := uint16(end - head)
		if maskCRC(crc) == want && oneByteApart(uint32(length), uint32(was)) {
			binary.LittleEndian.PutUint16(b[4:], length)
			if p, ok := r.parse(b); ok {
				return p, true
			}
			binary.LittleEndian.PutUint16(b[4:], was)
		}
		if end == len(b) {
			return piece{}, false
		}
		crc = crc32.Update(crc, castagnoli, b[end:end+1])
	}
}

// operation is one operation of a batch.
type operation struct {
	kind       byte
	key, value []byte
}

// The kinds of operations that batches of this package hold, as Pebble numbers them.
const (
	opDelete      = 0
	opSet         = 1
	opLogData     = 3
	opRangeDelete = 15
)

// cutOperation reads the first operation of b and returns what follows it. Unlike Pebble's
// own reader it never reads beyond b.
func cutOperation(b []byte) (op operation, rest []byte, ok bool) {
	if len(b) == 0 {
		return op, nil, false
	}
	op.kind = b[0]
	if op.key, rest, ok = cutString(b[1:]); !ok {
		return op, nil, false
	}
	switch op.kind {
	case opSet, opRangeDelete:
		op.value, rest, ok = cutString(rest)
	case opDelete, opLogData:
	default:
		ok = false
	}
	return op, rest, ok
}

func cutString(b []byte) (s, rest []byte, ok bool) {
	n, w := binary.Uvarint(b)
	if w <= 0 || n > uint64(len(b)-w) {
		return nil, nil, false
	}
	return b[w : w+int(n)], b[w+int(n):], true
}

// batchInfo is what a batch in the log says about itself.
type batchInfo struct {
	first   uint64 // Pebble sequence number of its first operation
	count   uint64
	promise uint64 // 0: none
}

func (b batchInfo) next() uint64 { return b.first + b.count }

// readBatch reads a batch's head and promise.
func readBatch(b []byte) (info batchInfo, ok bool) {
	if len(b) < batchHead {
		return info, false
	}
	info.first = binary.LittleEndian.Uint64(b)
	info.count = uint64(binary.LittleEndian.Uint32(b[8:]))
	op, _, ok := cutOperation(b[batchHead:])
	if ok && op.kind == opLogData && len(op.key) == promiseBytes && op.key[0] == 'p' {
		info.promise = binary.BigEndian.Uint64(op.key[1:])
	}
	return info, true
}

// verifyBatch checks a batch in which a byte was mended: everything in it must agree with its
// own checksums.
func verifyBatch(b []byte) bool {
	if len(b) < batchHead {
		return false
	}
	count := binary.LittleEndian.Uint32(b[8:])
	var entry record.Entry
	for rest := b[batchHead:]; len(rest) > 0; {
		op, after, ok := cutOperation(rest)
		if !ok || !verifyOperation(op, &entry) {
			return false
		}
		if op.kind != opLogData {
			count--
		}
		rest = after
	}
	return count == 0
}

// verifyOperation checks one operation of a mended batch.
func verifyOperation(op operation, entry *record.Entry) bool {
	switch op.kind {
	case opLogData:
		return len(op.key) == promiseBytes && op.key[0] == 'p'
	case opRangeDelete:
		from, start, ok := parseEntryKey(op.key)
		if !ok || start != 0 || len(op.value) < entryKeyBytes {
			return false
		}
		to, _, ok := parseEntryKey(op.value[:entryKeyBytes])
		return ok && from == to
	case opDelete:
		return len(op.key) > 0 && (op.key[0] == stateKind || op.key[0] == metaKind && len(op.key) == metaKeyBytes)
	case opSet:
		return verifyValue(op.key, op.value, entry)
	}
	return false
}

// verifyValue checks a stored value against its key and checksums.
func verifyValue(key, value []byte, entry *record.Entry) bool {
	if len(key) == 0 {
		return false
	}
	switch key[0] {
	case entryKind:
		q, _, ok := parseEntryKey(key)
		return ok && parseEntryAt(key, value, q, entry) == nil
	case metaKind:
		_, _, ok := parseMeta(key, value)
		return ok
	case stateKind:
		_, ok := parseState(key, value)
		return ok
	}
	return false
}

package logs

import (
	"bufio"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
)

// A segment is a magic number and frames:
//
//	"HYDLOG" 0 1
//	frame:  length    uint32 LE   of what follows the checksum: 16 and more
//	        checksum  uint32 LE   CRC-32C of length and what follows
//	        time      int64 LE    milliseconds
//	        ingestion int64 LE    milliseconds
//	        message   bytes
//
// A frame is no larger than what its event counts towards the limit of a put, so a put
// that was torn by a crash leaves at most maxBatch bytes.
const (
	magic     = "HYDLOG\x00\x01"
	frameHead = 8
	eventHead = 16
)

// errTorn says that no whole frame follows.
var errTorn = errors.New("frame is cut off or damaged")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// event is one event as it is stored. Its number follows from its place.
type event struct {
	time, ingested int64
	message        []byte
}

// appendFrame adds the frame of an event to dst.
func appendFrame(dst []byte, e event) []byte {
	start := len(dst)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(eventHead+len(e.message)))
	dst = binary.LittleEndian.AppendUint32(dst, 0)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(e.time))
	dst = binary.LittleEndian.AppendUint64(dst, uint64(e.ingested))
	dst = append(dst, e.message...)
	frame := dst[start:]
	binary.LittleEndian.PutUint32(frame[4:], checksum(frame[:4], frame[frameHead:]))
	return dst
}

func checksum(length, rest []byte) uint32 {
	return crc32.Update(crc32.Checksum(length, castagnoli), castagnoli, rest)
}

// frames reads frames one after the other.
type frames struct {
	r    *bufio.Reader
	body []byte
}

func newFrames(r io.Reader) *frames { return &frames{r: bufio.NewReaderSize(r, 64<<10)} }

// next returns an event, whose message is valid until the next call, and the size of its
// frame. io.EOF is the end between two frames, errTorn one inside a frame; other errors are
// the disk's.
func (f *frames) next() (event, int, error) {
	var head [frameHead]byte
	if _, err := io.ReadFull(f.r, head[:]); err != nil {
		return event{}, 0, torn(err)
	}
	n := int(binary.LittleEndian.Uint32(head[:]))
	if n < eventHead || n > eventHead+maxMessage {
		return event{}, 0, errTorn
	}
	if cap(f.body) < n {
		f.body = make([]byte, n)
	}
	body := f.body[:n]
	if _, err := io.ReadFull(f.r, body); err != nil {
		if errors.Is(err, io.EOF) {
			err = errTorn
		}
		return event{}, 0, torn(err)
	}
	if checksum(head[:4], body) != binary.LittleEndian.Uint32(head[4:]) {
		return event{}, 0, errTorn
	}
	e := event{
		time:     int64(binary.LittleEndian.Uint64(body)),
		ingested: int64(binary.LittleEndian.Uint64(body[8:])),
		message:  body[eventHead:],
	}
	return e, frameHead + n, nil
}

func torn(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return errTorn
	}
	return err
}

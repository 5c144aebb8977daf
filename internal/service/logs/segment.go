package logs

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-json-experiment/json"

	"hydrant/internal/durable"
)

const (
	segmentSize = 8 << 20   // a larger segment does not grow any more
	blockSize   = 256 << 10 // nor does a larger block

	segmentSuffix = ".log"
	indexSuffix   = ".idx"
	tornSuffix    = ".torn" // behind the segment's name: what was cut off its end
)

// block is a run of frames.
type block struct {
	Offset   int64  // in the segment
	Size     int64  // bytes
	First    uint64 // number of the first event
	Count    uint64
	Min, Max int64 // times
}

// segment is what is known of a file of events. Its fields are guarded by its stream's mu.
type segment struct {
	base    uint64 // number of the first event; the file's name
	indexed bool   // the index file says all of this
	sealed  bool   // damaged: it does not grow, and what lies behind size is left alone

	extent
}

// extent is the part of a segment that the index file holds.
type extent struct {
	Size     int64 // bytes of the file that hold whole frames
	Count    uint64
	Stored   int64 // bytes as the API counts them
	Ingested int64 // latest ingestion
	Blocks   []block
}

// add takes note of an event whose frame of n bytes lies at Size.
func (x *extent) add(base uint64, e event, n int) {
	if k := len(x.Blocks); k == 0 || x.Blocks[k-1].Size >= blockSize {
		x.Blocks = append(x.Blocks, block{Offset: x.Size, First: base + x.Count, Min: e.time, Max: e.time})
	}
	b := &x.Blocks[len(x.Blocks)-1]
	b.Size += int64(n)
	b.Count++
	b.Min, b.Max = min(b.Min, e.time), max(b.Max, e.time)
	x.Size += int64(n)
	x.Count++
	x.Stored += int64(len(e.message)) + eventWeight
	x.Ingested = max(x.Ingested, e.ingested)
}

// sound tells whether an extent read from an index can be true of a file.
func (x *extent) sound(base uint64, size int64) bool {
	at, count := int64(len(magic)), uint64(0)
	for _, b := range x.Blocks {
		if b.Offset != at || b.Size <= 0 || b.First != base+count || b.Count == 0 {
			return false
		}
		at += b.Size
		count += b.Count
	}
	return x.Size == at && x.Count == count && x.Size <= size
}

// span returns the first and last time in the segment; false means that it has none.
func (s *segment) span() (first, last int64, ok bool) {
	for i, b := range s.Blocks {
		if i == 0 {
			first, last = b.Min, b.Max
		}
		first, last = min(first, b.Min), max(last, b.Max)
	}
	return first, last, len(s.Blocks) > 0
}

func segmentName(base uint64) string { return fmt.Sprintf("%020d%s", base, segmentSuffix) }

func indexPath(segment string) string {
	return strings.TrimSuffix(segment, segmentSuffix) + indexSuffix
}

// writeIndex keeps what is known of a segment.
func (s *segment) writeIndex(folder string) error {
	text, err := json.Marshal(s.extent)
	if err != nil {
		return fmt.Errorf("encode the index of a segment: %w", err)
	}
	if err := durable.WriteFile(indexPath(filepath.Join(folder, segmentName(s.base))), text, 0o600); err != nil {
		return fmt.Errorf("write the index of a segment: %w", err)
	}
	s.indexed = true
	return nil
}

// openSegment learns what a file holds: from its index as far as that goes, and from the
// frames behind. It returns the file's size, which is more than the segment's if there is
// something at its end that is not a frame.
func openSegment(folder string, base uint64) (*segment, int64, error) {
	s := &segment{base: base}
	path := filepath.Join(folder, segmentName(base))
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, 0, err
	}
	size := info.Size()
	var start [len(magic)]byte
	if n, err := f.ReadAt(start[:], 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, 0, err
	} else if string(start[:n]) != magic {
		return s, size, nil
	}
	if text, err := os.ReadFile(indexPath(path)); err == nil {
		if json.Unmarshal(text, &s.extent) != nil || !s.sound(base, size) {
			s.extent = extent{}
		}
	}
	if s.indexed = s.Size == size; s.indexed {
		return s, size, nil
	}
	s.Size = max(s.Size, int64(len(magic)))
	return s, size, s.scan(io.NewSectionReader(f, s.Size, size-s.Size))
}

// scan adds the frames of r up to the first that is none.
func (s *segment) scan(r io.Reader) error {
	in := newFrames(r)
	for {
		e, n, err := in.next()
		if errors.Is(err, io.EOF) || errors.Is(err, errTorn) {
			return nil
		}
		if err != nil {
			return err
		}
		s.add(s.base, e, n)
	}
}

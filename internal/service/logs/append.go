package logs

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"hydrant/internal/durable"
)

// append stores events, which are at most one put, and returns when they are synced. After
// an error none of them is told; a crash right then may bring the first of them back.
func (s *stream) append(events []event) error {
	s.put.Lock()
	defer s.put.Unlock()
	if s.gone {
		return ErrNoStream
	}
	seg, err := s.growing()
	if err != nil {
		return err
	}
	fresh := seg.Size == 0
	var data []byte
	if fresh {
		data = append(data, magic...)
	}
	sizes := make([]int, len(events))
	for i, e := range events {
		before := len(data)
		data = appendFrame(data, e)
		sizes[i] = len(data) - before
	}
	s.dirty = true
	if err := s.write(seg, data, fresh); err != nil {
		return fmt.Errorf("append to log stream %q: %w", s.Name, err)
	}
	s.dirty = false
	s.show(seg, events, sizes)
	return nil
}

// growing returns the segment to append to, which is not among the stream's segments yet if
// it is new. The caller holds put.
func (s *stream) growing() (*segment, error) {
	if len(s.segments) == 0 {
		return s.begin()
	}
	last := s.segments[len(s.segments)-1]
	if s.dirty && !last.sealed {
		if err := cut(filepath.Join(s.folder, segmentName(last.base)), last.Size); err != nil {
			return nil, fmt.Errorf("cut off a put that failed: %w", err)
		}
		s.dirty = false
	}
	if last.sealed {
		return s.begin()
	}
	if last.Size < segmentSize {
		return last, nil
	}
	if !last.indexed {
		if err := last.writeIndex(s.folder); err != nil {
			return nil, err
		}
	}
	return s.begin()
}

// begin returns a new segment. What a failed put left under its name is removed.
func (s *stream) begin() (*segment, error) {
	path := filepath.Join(s.folder, segmentName(s.next))
	if err := errors.Join(removeQuietly(path), removeQuietly(indexPath(path))); err != nil {
		return nil, err
	}
	return &segment{base: s.next}, nil
}

// write puts data behind a segment's frames and syncs it.
func (s *stream) write(seg *segment, data []byte, fresh bool) error {
	f, err := os.OpenFile(filepath.Join(s.folder, segmentName(seg.base)), os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(data, seg.Size)
	if err == nil {
		err = s.sync(f)
	}
	if err := errors.Join(err, f.Close()); err != nil || !fresh {
		return err
	}
	return durable.Disk{}.SyncFolder(s.folder)
}

// show lets readers see what was synced.
func (s *stream) show(seg *segment, events []event, sizes []int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if seg.Size == 0 {
		seg.Size = int64(len(magic))
	}
	if n := len(s.segments); n == 0 || s.segments[n-1] != seg {
		s.segments = append(s.segments, seg)
	}
	for i, e := range events {
		seg.add(seg.base, e, sizes[i])
	}
	seg.indexed = false
	s.next = seg.base + seg.Count
}

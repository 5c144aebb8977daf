package logs

import (
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"hydrant/internal/durable"
)

// streamAbout is what the file stream.json of a stream holds.
type streamAbout struct {
	Name    string
	Created int64
}

// stream is a log stream.
type stream struct {
	streamAbout
	folder string
	id     uint64 // of positions, from the name
	sync   func(*os.File) error

	put   sync.Mutex // held by who appends, drops or deletes, also over the disk
	gone  bool       // guarded by put: the stream was deleted
	dirty bool       // guarded by put: the file may be longer than the last segment

	mu       sync.RWMutex // over what follows; never held over the disk
	segments []*segment   // by number; changed by who holds put
	next     uint64       // number of the next event
}

func newStream(about streamAbout, folder string) *stream {
	h := fnv.New64a()
	h.Write([]byte(about.Name)) // never fails
	return &stream{streamAbout: about, folder: folder, id: h.Sum64(), sync: (*os.File).Sync}
}

// openStream reads what is known of a stream, and cuts off what a crash left of a put.
func openStream(folder string, log *slog.Logger) (*stream, error) {
	var about streamAbout
	if err := readJSON(filepath.Join(folder, streamFile), &about); err != nil {
		return nil, err
	}
	s := newStream(about, folder)
	bases, err := segmentBases(folder)
	if err != nil {
		return nil, err
	}
	for i, base := range bases {
		seg, size, err := openSegment(folder, base)
		if err != nil {
			return nil, fmt.Errorf("open segment %d: %w", base, err)
		}
		if err := s.accept(seg, size, i == len(bases)-1, log); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// accept adds a segment that was just opened.
func (s *stream) accept(seg *segment, size int64, last bool, log *slog.Logger) error {
	over := size - seg.Size
	s.next = seg.base + seg.Count
	switch {
	case over == 0:
	case last && (seg.Size > 0 && over <= maxBatch || size < int64(len(magic))):
		path := filepath.Join(s.folder, segmentName(seg.base))
		if err := setAside(path, seg.Size, over); err != nil {
			return fmt.Errorf("cut off the end of segment %d: %w", seg.base, err)
		}
		log.Warn("cut off a put that a crash interrupted", "file", path, "at", seg.Size, "bytes", over)
	default:
		// No crash leaves that much. The events behind are set aside, and their numbers
		// are not used again.
		seg.sealed = true
		s.next += uint64(over / (frameHead + eventHead))
		log.Error("segment is damaged; events behind that place are not told",
			"file", filepath.Join(s.folder, segmentName(seg.base)), "at", seg.Size, "bytes", over)
	}
	s.segments = append(s.segments, seg)
	return nil
}

// setAside cuts off the end of a segment. A copy is kept, should it have been damage.
func setAside(path string, at, bytes int64) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	rest := make([]byte, bytes)
	if _, err := f.ReadAt(rest, at); err != nil {
		return err
	}
	if err := durable.WriteFile(path+tornSuffix, rest, 0o600); err != nil {
		return err
	}
	return cut(path, at)
}

// cut shortens a file durably.
func cut(path string, size int64) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Truncate(size), f.Sync(), f.Close())
}

// segmentBases lists the segments of a folder in order.
func segmentBases(folder string) ([]uint64, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	var bases []uint64
	for _, e := range entries {
		digits, ok := strings.CutSuffix(e.Name(), segmentSuffix)
		if !ok {
			continue
		}
		if base, err := strconv.ParseUint(digits, 10, 64); err == nil && segmentName(base) == e.Name() {
			bases = append(bases, base)
		}
	}
	slices.Sort(bases)
	return bases, nil
}

// summary is what describing a stream tells of its events.
type summary struct {
	first, last, ingested *int64
	stored                int64
}

func (s *stream) summary() summary {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var sum summary
	for _, seg := range s.segments {
		sum.stored += seg.Stored
		first, last, ok := seg.span()
		if !ok {
			continue
		}
		if sum.first == nil {
			sum.first, sum.last, sum.ingested = new(int64), new(int64), new(int64)
			*sum.first, *sum.last = first, last
		}
		*sum.first, *sum.last = min(*sum.first, first), max(*sum.last, last)
		*sum.ingested = max(*sum.ingested, seg.Ingested)
	}
	return sum
}

// close keeps indexes of what was appended since they were last written.
func (s *stream) close() error {
	s.put.Lock()
	defer s.put.Unlock()
	if s.gone {
		return nil
	}
	var errs []error
	for _, seg := range s.segments {
		if !seg.indexed && seg.Count > 0 && !seg.sealed {
			errs = append(errs, seg.writeIndex(s.folder))
		}
	}
	return errors.Join(errs...)
}

// drop removes segments whose events are all older than the time given, oldest first, and
// says how many bytes of files that freed.
func (s *stream) drop(before int64) (freed int64, err error) {
	s.put.Lock()
	defer s.put.Unlock()
	for !s.gone && len(s.segments) > 0 {
		seg := s.segments[0]
		if _, last, ok := seg.span(); !ok || last >= before {
			return freed, nil
		}
		path := filepath.Join(s.folder, segmentName(seg.base))
		if err := removeQuietly(path); err != nil {
			return freed, err
		}
		if err := errors.Join(removeQuietly(indexPath(path)), removeQuietly(path+tornSuffix)); err != nil {
			return freed, err
		}
		freed += seg.Size
		s.mu.Lock()
		s.segments = slices.Clone(s.segments[1:])
		s.mu.Unlock()
		s.dirty = s.dirty && len(s.segments) > 0
	}
	return freed, nil
}

// removeQuietly removes a file that may be gone already. After a power cut it may be back,
// and is dropped again.
func removeQuietly(path string) error {
	if err := (durable.Disk{}).RemoveLazily(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

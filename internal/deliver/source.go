package deliver

import (
	"sync"
	"sync/atomic"
	"time"

	"hydrant/internal/record"
)

// source is a queue and who reads it: the data of a stream has two readers where a backup
// takes the same records, and another where they are processed first. It is trimmed at the
// lowest of their checkpoints.
type source struct {
	queue   record.Queue
	readers atomic.Pointer[[]*Reader] // replaced whole, under mu; read on the put path

	mu        sync.Mutex
	trimmed   record.Mark
	trimmedAt time.Time
}

// Reader is one of those that read a queue.
type Reader struct {
	source *source
	wake   func()
	passed record.Mark // its stored checkpoint; under source.mu
}

func newSource(q record.Queue) *source {
	s := &source{queue: q, trimmedAt: time.Now()}
	s.readers.Store(new([]*Reader))
	return s
}

// join adds a reader. Until it has passed something nothing is trimmed. wake is called when
// the queue has grown, and must not block.
func (s *source) join(wake func()) *Reader {
	r := &Reader{source: s, wake: wake}
	s.mu.Lock()
	defer s.mu.Unlock()
	all := append([]*Reader{r}, *s.readers.Load()...)
	s.readers.Store(&all)
	return r
}

// nudge wakes the readers. It does not block.
func (s *source) nudge() {
	for _, r := range *s.readers.Load() {
		r.wake()
	}
}

// lowest is what every reader has passed, if r has passed to. mu is held.
func (s *source) lowest(r *Reader, to record.Mark) record.Mark {
	low := to
	for _, other := range *s.readers.Load() {
		if other != r && other.passed.Less(low.Position) {
			low = other.passed
		}
	}
	return low
}

// Leave ends the reading: what r has not passed may be trimmed.
func (r *Reader) Leave() {
	s := r.source
	s.mu.Lock()
	defer s.mu.Unlock()
	var rest []*Reader
	for _, other := range *s.readers.Load() {
		if other != r {
			rest = append(rest, other)
		}
	}
	s.readers.Store(&rest)
}

// Pass notes that r's stored checkpoint is to, and what was trimmed when it was stored.
func (r *Reader) Pass(to record.Mark, trims []record.Trim) {
	s := r.source
	s.mu.Lock()
	defer s.mu.Unlock()
	r.passed = to
	if len(trims) > 0 {
		s.trimmedAt = time.Now()
		// The other readers may have gone on meanwhile; what they passed is for the next trim.
		if s.trimmed.Entry < trims[0].Before {
			s.trimmed = record.Mark{Position: record.Position{Entry: trims[0].Before}, Before: s.lowest(r, to).Before}
		}
	}
}

// DueTrim says what to trim once to is r's checkpoint, if there is enough of it.
func (r *Reader) DueTrim(to record.Mark) []record.Trim {
	s := r.source
	s.mu.Lock()
	defer s.mu.Unlock()
	low := s.lowest(r, to)
	if low.Entry <= s.trimmed.Entry {
		return nil
	}
	if low.Before.Bytes-s.trimmed.Before.Bytes < trimBytes && time.Since(s.trimmedAt) < trimInterval {
		return nil
	}
	return []record.Trim{{Queue: s.queue, Before: low.Entry}}
}

// UntilTrim is how long it is until what all readers have passed is trimmed though it is
// little; 0 if there is nothing to trim.
func (r *Reader) UntilTrim() time.Duration {
	s := r.source
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lowest(r, r.passed).Entry <= s.trimmed.Entry {
		return 0
	}
	return max(time.Until(s.trimmedAt.Add(trimInterval)), time.Millisecond)
}

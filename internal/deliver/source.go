package deliver

import (
	"sync"
	"sync/atomic"
	"time"

	"hydrant/internal/record"
)

// source is a queue and the runners that read it: the data of a stream has two where a
// backup takes the same records. It is trimmed at the lowest of their checkpoints.
type source struct {
	queue   record.Queue
	readers atomic.Pointer[[]*runner] // replaced whole, under mu; read on the put path

	mu        sync.Mutex
	trimmed   record.Mark
	trimmedAt time.Time
}

func newSource(q record.Queue) *source {
	s := &source{queue: q, trimmedAt: time.Now()}
	s.readers.Store(new([]*runner))
	return s
}

// add makes r a reader. Until it has passed something nothing is trimmed.
func (s *source) add(r *runner) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := append([]*runner{r}, *s.readers.Load()...)
	s.readers.Store(&all)
}

// nudge wakes the readers. It does not block.
func (s *source) nudge() {
	for _, r := range *s.readers.Load() {
		r.nudge()
	}
}

// pass notes that r's stored checkpoint is to, and what was trimmed when it was stored.
func (s *source) pass(r *runner, to record.Mark, trims []record.Trim) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r.passed = to
	if len(trims) > 0 {
		s.trimmedAt = time.Now()
		// The other readers may have gone on meanwhile; what they passed is for the next trim.
		if s.trimmed.Entry < trims[0].Before {
			s.trimmed = record.Mark{Position: record.Position{Entry: trims[0].Before}, Before: s.lowest().Before}
		}
	}
}

// lowest is what every reader has passed. mu is held.
func (s *source) lowest() record.Mark {
	readers := *s.readers.Load()
	low := readers[0].passed
	for _, r := range readers[1:] {
		if r.passed.Less(low.Position) {
			low = r.passed
		}
	}
	return low
}

// dueTrim says what to trim once to is r's checkpoint, if there is enough of it.
func (s *source) dueTrim(r *runner, to record.Mark, enough uint64) []record.Trim {
	s.mu.Lock()
	defer s.mu.Unlock()
	low := to
	for _, other := range *s.readers.Load() {
		if other != r && other.passed.Less(low.Position) {
			low = other.passed
		}
	}
	if low.Entry <= s.trimmed.Entry {
		return nil
	}
	if low.Before.Bytes-s.trimmed.Before.Bytes < enough && time.Since(s.trimmedAt) < trimInterval {
		return nil
	}
	return []record.Trim{{Queue: s.queue, Before: low.Entry}}
}

// untilTrim is how long it is until what all readers have passed is trimmed though it is
// little; 0 if there is nothing to trim.
func (s *source) untilTrim() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lowest().Entry <= s.trimmed.Entry {
		return 0
	}
	return max(time.Until(s.trimmedAt.Add(trimInterval)), time.Millisecond)
}

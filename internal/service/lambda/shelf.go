package lambda

import "sync"

// shelf counts who needs each unpacked zip of a function: versions, and the workers that run
// it. What nobody needs any more is removed.
type shelf struct {
	remove func(code string)

	mu   sync.Mutex
	uses map[string]int // by name of the code
}

func newShelf(remove func(code string)) *shelf {
	return &shelf{remove: remove, uses: make(map[string]int)}
}

// hold says that there is one more who needs a zip.
func (s *shelf) hold(code string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.uses[code]++
}

// release takes back one hold.
func (s *shelf) release(code string) {
	s.mu.Lock()
	s.uses[code]--
	unused := s.uses[code] == 0
	if unused {
		delete(s.uses, code)
	}
	s.mu.Unlock()
	if unused {
		s.remove(code) // no one finds its name any more to hold it again
	}
}

// share is how many calls all versions of a function may have at once.
type share struct {
	mu   sync.Mutex
	most *int // nil: as many as there are workers
	busy int
}

// take takes the right to run a call, if there is one left.
func (s *share) take() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.full() {
		return false
	}
	s.busy++
	return true
}

// used says whether there is no right left to take.
func (s *share) used() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.full()
}

// full is used while mu is held.
func (s *share) full() bool { return s.most != nil && s.busy >= *s.most }

// give gives back what take took.
func (s *share) give() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy--
}

// limit reserves calls, or with nil does not.
func (s *share) limit(most *int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.most = most
}

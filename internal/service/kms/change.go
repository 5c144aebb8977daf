package kms

import (
	"fmt"
	"maps"
	"time"
)

// retryDue is how long after a failed deletion or rotation it is tried again.
const retryDue = time.Minute

// lookup returns a key of the API by its id. A key whose time is over is gone, even if its
// file could not be removed yet.
func (s *Service) lookup(id string) (*key, error) {
	s.catchUp()
	s.mu.RLock()
	k, damaged := s.keys[id], s.damaged[id]
	s.mu.RUnlock()
	switch {
	case damaged:
		return nil, fmt.Errorf("key %s: %w", id, ErrDamaged)
	case k == nil || k.gone(s.opt.Now()):
		return nil, s.noKey(id)
	}
	return k, nil
}

// usable is lookup for what only enabled keys do.
func (s *Service) usable(id string) (*key, error) {
	k, err := s.lookup(id)
	if err != nil {
		return nil, err
	}
	switch k.State {
	case disabled:
		return nil, s.isDisabled(k)
	case pendingDeletion:
		return nil, s.isPending(k)
	}
	return k, nil
}

// update lets fn change a copy of a key and stores it. After an error the key is the former
// one; only if that is the disk's, a restart may find the change made.
func (s *Service) update(id string, fn func(k *key) error) error {
	if _, err := s.lookup(id); err != nil { // before the lock, which catching up takes
		return err
	}
	s.change.Lock()
	defer s.change.Unlock()
	s.mu.RLock()
	former := s.keys[id]
	s.mu.RUnlock()
	if former == nil {
		return s.noKey(id)
	}
	k := former.clone()
	if err := fn(k); err != nil {
		return err
	}
	if w := k.weight(); w > maxWeight && w > former.weight() {
		return errTooHeavy
	}
	return s.store(k)
}

// store writes a key and shows it. The caller holds change.
func (s *Service) store(k *key) error {
	if err := s.folder.writeKey(k); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys[k.ID] = k
	if k.Managed != "" {
		s.managed[k.Managed] = k.ID
	}
	s.due = s.earliest()
	return nil
}

// add makes a key of what is given, with id and material. The caller holds change.
func (s *Service) add(k *key) error {
	s.mu.RLock()
	count := len(s.keys) + len(s.damaged)
	s.mu.RUnlock()
	if count >= maxKeys {
		return errTooManyKeys
	}
	if k.weight() > maxWeight {
		return errTooHeavy
	}
	now := s.opt.Now()
	k.ID, k.Created, k.State = newKeyID(k.MultiRegion), now, enabled
	if err := k.grow(s.folder.master, now); err != nil {
		return err
	}
	return s.store(k)
}

// storeAliases writes the aliases after fn changed a copy of them. The caller holds change.
func (s *Service) storeAliases(fn func(map[string]alias)) error {
	s.mu.RLock()
	aliases := maps.Clone(s.aliases)
	s.mu.RUnlock()
	fn(aliases)
	if err := s.folder.writeAliases(aliases); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.aliases = aliases
	return nil
}

// catchUp does what the clock asks for: it destroys keys and adds generations. It costs a
// comparison when nothing is due. Failures are logged and tried again later.
func (s *Service) catchUp() {
	now := s.opt.Now()
	if !s.isDue(now) {
		return
	}
	s.change.Lock()
	defer s.change.Unlock()
	if !s.isDue(now) { // another request did it
		return
	}
	s.mu.RLock()
	keys := maps.Clone(s.keys)
	s.mu.RUnlock()
	failed := false
	for _, k := range keys {
		var err error
		switch {
		case k.gone(now):
			err = s.destroy(k)
		case k.rotates(now):
			err = s.rotate(k, now)
		}
		if err != nil {
			failed = true
			s.opt.Logger.Error("key could not be deleted or rotated when it was due", "key", k.ID, "error", err)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.due = s.earliest()
	if failed {
		s.due = now.Add(retryDue)
	}
}

func (s *Service) isDue(now time.Time) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return !s.due.IsZero() && !now.Before(s.due)
}

// earliest is when the first key is due. The caller holds mu, or is alone.
func (s *Service) earliest() time.Time {
	var first time.Time
	for _, k := range s.keys {
		if t := k.due(); !t.IsZero() && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	return first
}

// destroy removes a key for good, its aliases first: a crash between leaves a key that is
// still due. The caller holds change.
func (s *Service) destroy(k *key) error {
	if s.aliasesOf(k.ID) > 0 {
		drop := func(aliases map[string]alias) {
			maps.DeleteFunc(aliases, func(_ string, a alias) bool { return a.Target == k.ID })
		}
		if err := s.storeAliases(drop); err != nil {
			return err
		}
	}
	if err := s.folder.removeKey(k.ID); err != nil {
		return err
	}
	s.mu.Lock()
	delete(s.keys, k.ID)
	s.mu.Unlock()
	s.opt.Logger.Info("key deleted", "key", k.ID)
	return nil
}

// aliasesOf counts the users' aliases of a key.
func (s *Service) aliasesOf(id string) int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	n := 0
	for _, a := range s.aliases {
		if a.Target == id {
			n++
		}
	}
	return n
}

// rotate adds a generation. Rotations that were missed count as one. The caller holds change.
func (s *Service) rotate(former *key, now time.Time) error {
	k := former.clone()
	if err := k.grow(s.folder.master, now); err != nil {
		return err
	}
	k.Rotation.Next = now.AddDate(0, 0, k.Rotation.Days)
	if err := s.store(k); err != nil {
		return err
	}
	s.opt.Logger.Info("key rotated", "key", k.ID, "generation", len(k.Generations)-1)
	return nil
}

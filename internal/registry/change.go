package registry

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/go-json-experiment/json"

	"hydrant/internal/record"
	"hydrant/internal/stream"
)

// Create stores a new stream as CREATING and returns it. Of d it takes what a client
// decides (name, type, tags, destination); the incarnation's id, ARN, version and times
// are made here. Errors: ErrExists, ErrQuota, those of the journal.
func (r *Registry) Create(ctx context.Context, d *stream.Definition) (*stream.Definition, error) {
	now := r.opt.Now()
	id, err := record.NewStreamID(now, nil)
	if err != nil {
		return nil, fmt.Errorf("create stream %s: %w", d.Name, err)
	}
	made := *d
	made.ID = id
	made.ARN = stream.ARN(r.opt.Partition, r.opt.Region, r.opt.Account, d.Name)
	made.Status = stream.Creating
	made.Version = 1
	made.Created = now.UTC()
	made.Shards = 1

	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.Room(d.Name); err != nil {
		return nil, err
	}
	if err := r.write(ctx, &made); err != nil {
		if errors.Is(err, record.ErrConflict) {
			err = fmt.Errorf("%w: %w", ErrExists, err)
		}
		return nil, fmt.Errorf("create stream %s: %w", d.Name, err)
	}
	r.wake()
	return &made, nil
}

// Activate makes a CREATING stream ACTIVE. For a stream that is anything else already it
// does nothing; ErrNotFound: the incarnation is gone.
func (r *Registry) Activate(ctx context.Context, name string, id record.StreamID) error {
	return r.change(ctx, name, id, func(d *stream.Definition) (bool, error) {
		if d.Status != stream.Creating {
			return false, nil
		}
		d.Status = stream.Active
		if d.Encryption.Changing() {
			d.Encryption.Finish(nil)
		}
		return true, nil
	})
}

// encrypted ends a change of a stream's encryption well.
func (r *Registry) encrypted(ctx context.Context, name string, id record.StreamID) error {
	return r.notEncrypted(ctx, name, id, nil)
}

// notEncrypted ends a change of a stream's encryption; the former key stays in use.
func (r *Registry) notEncrypted(ctx context.Context, name string, id record.StreamID, f *stream.Failure) error {
	return r.change(ctx, name, id, func(d *stream.Definition) (bool, error) {
		if !d.Encryption.Changing() {
			return false, nil
		}
		d.Encryption.Finish(f)
		return true, nil
	})
}

// Edit stores a stream's definition as edit leaves it. edit gets a copy, and says whether
// there is something to store; it must replace what the copy points to and not change it.
// Errors: ErrNotFound, those of edit, those of the journal.
func (r *Registry) Edit(ctx context.Context, name string, edit func(*stream.Definition) (bool, error)) error {
	d, ok := r.Get(name)
	if !ok {
		return fmt.Errorf("change stream %s: %w", name, ErrNotFound)
	}
	if err := r.change(ctx, name, d.ID, edit); err != nil {
		return err
	}
	r.wake()
	return nil
}

// Delete makes a stream DELETING (spec section 2.6). A stream that is DELETING already
// stays so. Errors: ErrNotFound, a *StatusError for a stream that is CREATING.
func (r *Registry) Delete(ctx context.Context, name string) error {
	d, ok := r.Get(name)
	if !ok {
		return fmt.Errorf("delete stream %s: %w", name, ErrNotFound)
	}
	err := r.change(ctx, name, d.ID, func(d *stream.Definition) (bool, error) {
		switch d.Status {
		case stream.Creating:
			return false, &StatusError{Name: name, Status: d.Status}
		case stream.Deleting:
			return false, nil
		}
		d.Status, d.Failure = stream.Deleting, nil
		return true, nil
	})
	if err != nil {
		return fmt.Errorf("delete stream %s: %w", name, err)
	}
	r.wake()
	return nil
}

// Remove forgets a DELETING stream; its name is free again. ErrNotFound: the incarnation
// is gone already.
func (r *Registry) Remove(ctx context.Context, name string, id record.StreamID) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	d, ok := r.Get(name)
	if !ok || d.ID != id {
		return fmt.Errorf("remove stream %s: %w", name, ErrNotFound)
	}
	if d.Status != stream.Deleting {
		return fmt.Errorf("remove stream %s: %w", name, &StatusError{Name: name, Status: d.Status})
	}
	err := r.log.Apply(ctx, &record.Tx{States: []record.StateWrite{{Key: keyPrefix + name, Old: r.version[name]}}})
	if err != nil {
		return fmt.Errorf("remove stream %s: %w", name, r.afterFailure(ctx, name, err))
	}
	r.replace(name, nil, 0)
	return nil
}

// fail stores why a transition cannot succeed.
func (r *Registry) fail(ctx context.Context, name string, id record.StreamID, f *stream.Failure) error {
	return r.change(ctx, name, id, func(d *stream.Definition) (bool, error) {
		switch d.Status {
		case stream.Creating:
			d.Status = stream.CreatingFailed
		case stream.Deleting:
			d.Status = stream.DeletingFailed
		default:
			return false, nil
		}
		d.Failure = f
		return true, nil
	})
}

// change stores an incarnation's definition as edit leaves it. edit gets a copy, and says
// whether there is something to store.
func (r *Registry) change(ctx context.Context, name string, id record.StreamID, edit func(*stream.Definition) (bool, error)) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	d, ok := r.Get(name)
	if !ok || d.ID != id {
		return fmt.Errorf("change stream %s: %w", name, ErrNotFound)
	}
	changed := *d
	if dirty, err := edit(&changed); err != nil || !dirty {
		return err
	}
	if err := r.write(ctx, &changed); err != nil {
		return fmt.Errorf("change stream %s: %w", name, err)
	}
	if r.opt.OnChange != nil {
		r.opt.OnChange(context.WithoutCancel(ctx), &changed) // what is stored must be followed
	}
	return nil
}

// write stores d and then shows it. The caller holds mu.
func (r *Registry) write(ctx context.Context, d *stream.Definition) error {
	value, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("encode definition: %w", err)
	}
	old := r.version[d.Name]
	err = r.log.Apply(ctx, &record.Tx{States: []record.StateWrite{{Key: keyPrefix + d.Name, Old: old, Value: value}}})
	if err != nil {
		return r.afterFailure(ctx, d.Name, err)
	}
	r.replace(d.Name, d, old+1)
	return nil
}

// afterFailure makes memory agree with the journal when another write got in between, be it
// an earlier one of our own that was reported as uncertain, and returns err. The caller holds mu.
func (r *Registry) afterFailure(ctx context.Context, name string, err error) error {
	if !errors.Is(err, record.ErrConflict) {
		return err
	}
	st, readErr := r.log.State(ctx, keyPrefix+name)
	if readErr != nil {
		return fmt.Errorf("%w; read what the other wrote: %w", err, readErr)
	}
	if st.Version == 0 {
		r.replace(name, nil, 0)
		return err
	}
	d, readErr := decode(st)
	if readErr != nil {
		return fmt.Errorf("%w; read what the other wrote: %w", err, readErr)
	}
	r.replace(name, d, st.Version)
	r.wake() // nobody else may be there to drive its transition
	return err
}

// replace shows d (nil: nothing) under the name from now on. The caller holds mu.
func (r *Registry) replace(name string, d *stream.Definition, version uint64) {
	old := r.now.Load()
	s := &snapshot{byName: maps.Clone(old.byName), sorted: slices.Clone(old.sorted)}
	i, found := slices.BinarySearchFunc(s.sorted, &stream.Definition{Name: name}, byName)
	switch {
	case d == nil && found:
		s.sorted = slices.Delete(s.sorted, i, i+1)
	case d != nil && found:
		s.sorted[i] = d
	case d != nil:
		s.sorted = slices.Insert(s.sorted, i, d)
	}
	if d == nil {
		delete(s.byName, name)
		delete(r.version, name)
	} else {
		s.byName[name] = d
		r.version[name] = version
	}
	r.now.Store(s)
}

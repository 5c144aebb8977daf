package registry

import (
	"context"
	"errors"
	"sync"
	"time"

	"hydrant/internal/record"
	"hydrant/internal/stream"
)

// Hooks do the work of the transitions. They are called from goroutines of Run, one per
// stream at most, and called again after an error, or after a crash that came before the
// transition's own write was on disk; so each must bear being repeated. A *stream.Failure
// says that repeating is of no use. Each must end soon after ctx does.
type Hooks struct {
	// Create prepares a CREATING stream; records may arrive as soon as it returned nil.
	Create func(ctx context.Context, d *stream.Definition) error
	// Delete finishes what a DELETING stream has in flight and discards the rest. It may
	// take long. The stream's name is free once it returned nil.
	Delete func(ctx context.Context, d *stream.Definition) error
	// Encrypt proves that the key which the stream's encryption was asked to take into use
	// can be used.
	Encrypt func(ctx context.Context, d *stream.Definition) error
}

// The pauses between two attempts of a transition: they double from the first to the last.
const (
	firstPause = 100 * time.Millisecond
	lastPause  = 30 * time.Second
)

// Run drives the transitions of all streams, beginning with those that a restart
// interrupted, until ctx ends. It returns after all that it started has ended.
func (r *Registry) Run(ctx context.Context, hooks Hooks) error {
	ctx, cancel := context.WithCancel(ctx)
	t := transitions{registry: r, hooks: hooks, busy: map[record.StreamID]bool{}}
	defer t.running.Wait()
	defer cancel()
	for {
		for _, d := range r.All() {
			if inTransit(d) {
				t.start(ctx, d)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-r.changed:
		}
	}
}

// inTransit reports whether something is to be done before d stays as it is.
func inTransit(d *stream.Definition) bool {
	switch d.Status {
	case stream.Creating, stream.Deleting:
		return true
	case stream.Active:
		return d.Encryption.Changing()
	}
	return false
}

// transitions are those that one Run has under way.
type transitions struct {
	registry *Registry
	hooks    Hooks
	running  sync.WaitGroup

	mu   sync.Mutex
	busy map[record.StreamID]bool // under mu: incarnations with a goroutine
}

// start begins the stream's transition unless it is under way.
func (t *transitions) start(ctx context.Context, d *stream.Definition) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.busy[d.ID] {
		return
	}
	t.busy[d.ID] = true
	t.running.Go(func() {
		t.drive(ctx, d)
		t.mu.Lock()
		delete(t.busy, d.ID)
		t.mu.Unlock()
		// The stream may have been deleted since it became active.
		t.registry.wake()
	})
}

// drive tries until the stream has left its status or ctx ends.
func (t *transitions) drive(ctx context.Context, d *stream.Definition) {
	log := t.registry.opt.Logger.With("stream", d.Name, "id", d.ID.String(), "status", string(d.Status))
	began := t.registry.opt.Now()
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		err := t.attempt(ctx, d)
		if err == nil {
			log.Info("stream has left its status", "took", t.registry.opt.Now().Sub(began))
			return
		}
		if ctx.Err() != nil {
			return
		}
		log.Error("stream cannot leave its status yet; trying again", "error", err, "in", pause)
		if !sleep(ctx, pause) {
			return
		}
	}
}

// attempt takes d out of its status: hook first, then the write. A stream that is gone or
// in another status already is a success.
func (t *transitions) attempt(ctx context.Context, d *stream.Definition) error {
	hook, finish := t.create, t.registry.Activate
	fail := t.registry.fail
	switch d.Status {
	case stream.Deleting:
		hook, finish = t.hooks.Delete, t.registry.Remove
	case stream.Active:
		hook, finish, fail = t.encrypt, t.registry.encrypted, t.registry.notEncrypted
	}
	if err := hook(ctx, d); err != nil {
		var failure *stream.Failure
		if !errors.As(err, &failure) {
			return err
		}
		t.registry.opt.Logger.Error("stream cannot leave its status for good", "stream", d.Name, "error", err)
		finish = func(ctx context.Context, name string, id record.StreamID) error {
			return fail(ctx, name, id, failure)
		}
	}
	err := finish(ctx, d.Name, d.ID)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}

// create takes the key into use that the stream was made with, then prepares the stream.
func (t *transitions) create(ctx context.Context, d *stream.Definition) error {
	if err := t.encrypt(ctx, d); err != nil {
		return err
	}
	return t.hooks.Create(ctx, d)
}

// encrypt asks for the key that is to be taken into use, if one is.
func (t *transitions) encrypt(ctx context.Context, d *stream.Definition) error {
	if d.Encryption.Status != stream.EncryptionEnabling {
		return nil
	}
	return t.hooks.Encrypt(ctx, d)
}

// sleep waits, and says false if ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

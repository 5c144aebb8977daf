// Package registry keeps the definitions of all streams: in the journal's state, so that
// they outlive the process, and in memory, where the put path finds them without a lock.
//
//   - Snapshot: all definitions at one moment. It is never changed, only replaced.
//   - Transition: what turns a CREATING stream ACTIVE and makes a DELETING one disappear.
//     The hooks do the work, Run drives them, and a restart begins them again.
//
// The life of a stream (spec firehose.md section 2.2), each arrow one synced write:
//
//	Create → CREATING → [Hooks.Create] → Activate → ACTIVE → Delete → DELETING → [Hooks.Delete] → Remove → gone
//
// A hook that returns a *stream.Failure leads to CREATING_FAILED or DELETING_FAILED
// instead. A crash between two arrows leaves the stream where it was, and its hook is
// called again; so hooks must bear being repeated.
package registry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json"

	"hydrant/internal/record"
	"hydrant/internal/stream"
)

// Log is what the registry needs of the journal (journal.Engine promises the same).
type Log interface {
	Apply(ctx context.Context, tx *record.Tx) error
	State(ctx context.Context, key string) (record.State, error)
	States(ctx context.Context, prefix string, fn func(record.State) error) error
}

// keyPrefix starts the state keys of definitions; the stream's name follows.
const keyPrefix = "stream/"

// DefaultQuota is how many streams there may be unless Options say otherwise: AWS's number
// for its large regions (spec section 11.2).
const DefaultQuota = 5000

// Errors of the registry, besides those of the journal.
var (
	// ErrExists: the name is taken, by a stream of whatever status.
	ErrExists = errors.New("stream exists already")
	// ErrNotFound: no stream has the name, or the one that has it is another incarnation.
	ErrNotFound = errors.New("no such stream")
	// ErrInUse: the stream's status does not allow what was asked. A *StatusError says it.
	ErrInUse = errors.New("stream is in use")
	// ErrQuota: there are as many streams as allowed. A *QuotaError says how many.
	ErrQuota = errors.New("too many streams")
)

// StatusError is an ErrInUse with the status that was in the way.
type StatusError struct {
	Name   string
	Status stream.Status
}

// Error says which stream is in which status.
func (e *StatusError) Error() string {
	return fmt.Sprintf("stream %s is %s", e.Name, e.Status)
}

// Unwrap makes it an ErrInUse.
func (e *StatusError) Unwrap() error { return ErrInUse }

// QuotaError is an ErrQuota with the streams that use the quota up.
type QuotaError struct {
	Quota int
	Names []string // in byte order
}

// Error says how many streams there may be.
func (e *QuotaError) Error() string {
	return fmt.Sprintf("the quota of %d streams is used up", e.Quota)
}

// Unwrap makes it an ErrQuota.
func (e *QuotaError) Unwrap() error { return ErrQuota }

// Options are what a registry is built from. Region, Account, Logger and Now are required.
type Options struct {
	Region    string // of the ARNs
	Account   string // 12 digits, of the ARNs
	Partition string // of the ARNs; empty means "aws"
	Quota     int    // how many streams there may be; 0 means DefaultQuota
	Logger    *slog.Logger
	Now       func() time.Time
	// OnChange, if set, is told of each stored change of a stream, one after the other and
	// before whoever asked for it gets an answer. It must not call the registry.
	OnChange func(context.Context, *stream.Definition)
}

// Registry holds the definitions. All methods may be called at once.
type Registry struct {
	log Log
	opt Options

	now atomic.Pointer[snapshot] // read by anyone, replaced under mu

	mu      sync.Mutex        // serialises changes, held over their journal writes
	version map[string]uint64 // of the states, by stream name; under mu

	changed chan struct{} // capacity 1: a transition may be due
}

// snapshot is all definitions at one moment.
type snapshot struct {
	byName map[string]*stream.Definition
	sorted []*stream.Definition // by name, in byte order
}

// Open reads the definitions that the journal holds. A definition that cannot be read is
// an error that names its key; nothing is dropped on doubt.
func Open(ctx context.Context, log Log, opt Options) (*Registry, error) {
	if opt.Partition == "" {
		opt.Partition = "aws"
	}
	if opt.Quota == 0 {
		opt.Quota = DefaultQuota
	}
	r := &Registry{log: log, opt: opt, version: map[string]uint64{}, changed: make(chan struct{}, 1)}
	s := &snapshot{byName: map[string]*stream.Definition{}}
	err := log.States(ctx, keyPrefix, func(st record.State) error {
		d, err := decode(st)
		if err != nil {
			return err
		}
		r.version[d.Name] = st.Version
		s.byName[d.Name] = d
		s.sorted = append(s.sorted, d)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read stream definitions: %w", err)
	}
	slices.SortFunc(s.sorted, byName)
	r.now.Store(s)
	return r, nil
}

// decode reads a definition. A member that this version does not know would be lost with
// the next write, so it is refused.
func decode(st record.State) (*stream.Definition, error) {
	var d stream.Definition
	if err := json.Unmarshal(st.Value, &d, json.RejectUnknownMembers(true)); err != nil {
		return nil, fmt.Errorf("state %q (perhaps written by a newer version): %w", st.Key, err)
	}
	if keyPrefix+d.Name != st.Key {
		return nil, fmt.Errorf("state %q holds the definition of stream %q", st.Key, d.Name)
	}
	return &d, nil
}

func byName(a, b *stream.Definition) int { return strings.Compare(a.Name, b.Name) }

// Get returns the definition of a stream, without locking.
func (r *Registry) Get(name string) (*stream.Definition, bool) {
	d, ok := r.now.Load().byName[name]
	return d, ok
}

// Find is Get for a name that lies in a request's bytes. It does not allocate.
func (r *Registry) Find(name []byte) (*stream.Definition, bool) {
	d, ok := r.now.Load().byName[string(name)]
	return d, ok
}

// All returns all definitions in byte order of their names. The slice must not be changed.
func (r *Registry) All() []*stream.Definition { return r.now.Load().sorted }

// List returns up to limit names that come after the given one, in byte order, of streams
// of a type (empty: of all), and whether more follow (spec section 2.5).
func (r *Registry) List(after string, limit int, of stream.Type) (names []string, more bool) {
	all := r.All()
	i, found := slices.BinarySearchFunc(all, after, func(d *stream.Definition, name string) int {
		return strings.Compare(d.Name, name)
	})
	if found {
		i++
	}
	for _, d := range all[i:] {
		if of != "" && d.Type != of {
			continue
		}
		if len(names) == limit {
			return names, true
		}
		names = append(names, d.Name)
	}
	return names, false
}

// Room says whether one more stream of that name could be created now: nil, ErrExists or
// ErrQuota. Create checks again; this is for answering in the order of spec section 2.3.
func (r *Registry) Room(name string) error {
	s := r.now.Load()
	if _, taken := s.byName[name]; taken {
		return fmt.Errorf("create stream %s: %w", name, ErrExists)
	}
	if len(s.sorted) < r.opt.Quota {
		return nil
	}
	names := make([]string, len(s.sorted))
	for i, d := range s.sorted {
		names[i] = d.Name
	}
	return fmt.Errorf("create stream %s: %w", name, &QuotaError{Quota: r.opt.Quota, Names: names})
}

// wake tells Run that a transition may be due.
func (r *Registry) wake() {
	select {
	case r.changed <- struct{}{}:
	default:
	}
}

package deliver

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"

	"hydrant/internal/record"
)

// Ledger accounts for every record of a stream's name, its former incarnations included:
//
//	Received = Delivered + Dropped + Failed + Discarded + Pending
//
// Where records are processed, what is delivered is what was Made of the records Taken, so
// that Received + Made = Taken + the sum above. Both are zero elsewhere.
type Ledger struct {
	Received  record.Counts `json:"received"`
	Delivered record.Counts `json:"delivered"`
	Dropped   record.Counts `json:"dropped"`   // by the transform, on purpose
	Failed    record.Counts `json:"failed"`    // delivered to the error output, or unreadable
	Discarded record.Counts `json:"discarded"` // undelivered when the stream was deleted
	Taken     record.Counts `json:"taken,omitzero"`
	Made      record.Counts `json:"made,omitzero"`
	Pending   record.Counts `json:"-"`

	Objects     uint64 `json:"objects"`
	ObjectBytes uint64 `json:"objectBytes"`
}

// Add returns the sum of two ledgers.
func (l Ledger) Add(o Ledger) Ledger {
	return Ledger{
		Received:    l.Received.Add(o.Received),
		Delivered:   l.Delivered.Add(o.Delivered),
		Dropped:     l.Dropped.Add(o.Dropped),
		Failed:      l.Failed.Add(o.Failed),
		Discarded:   l.Discarded.Add(o.Discarded),
		Taken:       l.Taken.Add(o.Taken),
		Made:        l.Made.Add(o.Made),
		Pending:     l.Pending.Add(o.Pending),
		Objects:     l.Objects + o.Objects,
		ObjectBytes: l.ObjectBytes + o.ObjectBytes,
	}
}

// Status is where a runner stands, as of its last stored step.
type Status struct {
	Ledger
	Fails     int    // steps that failed in a row
	LastError string // of the last of them; empty while all is well

	checkpoint record.Mark   // that the ledger was read at
	staged     record.Counts // what was delivered or failed, if the records come from the stage
	isStaged   bool
}

// publish makes the stored state visible to Ledgers.
func (r *runner) publish(err error) {
	s := statusOf(r.state.progress)
	s.Fails = r.fails
	if err != nil {
		s.LastError = err.Error()
	}
	r.status.Store(s)
}

func statusOf(p progress) *Status {
	s := &Status{checkpoint: p.Checkpoint, Ledger: Ledger{
		Delivered: p.Delivered, Failed: p.Failed, Objects: p.Objects, ObjectBytes: p.ObjectBytes,
	}}
	s.checkpoint.Entry = max(s.checkpoint.Entry, 1) // an output without a state starts there
	if p.Staged {
		s.isStaged, s.staged = true, p.Delivered.Add(p.Failed)
	}
	return s
}

// current is the status with what the journal holds right now.
func (r *runner) current(ctx context.Context) Status {
	s := *r.status.Load()
	if s.isStaged {
		return r.stagedNow(ctx, s)
	}
	head, err := r.opt.Log.Head(ctx, r.queue())
	if err != nil {
		return s
	}
	// The status was read first, so it can only be behind the head, never ahead of it.
	s.Received = head.Before
	s.Pending = head.Before.Sub(s.checkpoint.Before)
	return s
}

// stagedNow is the status of an output whose records come from the stage.
func (r *runner) stagedNow(ctx context.Context, s Status) Status {
	if r.parts != nil { // what is read first can only be behind
		s.add(r.parts.delivered())
	}
	account, _ := r.opt.Stage.Account(r.ingestLog())
	made, err := r.opt.Log.Head(ctx, r.queue())
	if err != nil {
		return s
	}
	if r.parts != nil {
		made.Before = r.parts.made(account.Made)
	}
	head, err := r.opt.Log.Head(ctx, r.ingestLog())
	if err != nil {
		return s
	}
	s.Received = head.Before
	account.books(&s, made.Before)
	return s
}

// StreamStatus is what is known of the delivery of one stream. Its ledger is that of the
// data; failures in a row and the last error are those of the output that fails most.
type StreamStatus struct {
	Name     string
	Paused   bool
	Oldest   time.Time     // arrival of the oldest record not delivered yet; zero: there is none
	Queues   []QueueStatus // of the present incarnation
	Backup   OutputStatus  // of the source records, in the present incarnation
	Failures OutputStatus  // of the failure records, in the present incarnation
	// Partitioned says whether the stream has partitions; Partitions is how many are open, or not
	// delivered yet, and Refused how often one would have been too many, since the start.
	Partitioned bool
	Partitions  int
	Refused     uint64
	Status
}

// OutputStatus is how far an output is that is not the data.
type OutputStatus struct {
	Delivered   record.Counts
	Pending     record.Counts
	Objects     uint64
	ObjectBytes uint64
	Oldest      time.Time // arrival of the oldest record not delivered yet; zero: there is none
}

// Statuses returns the status of every name that has, or ever had, a stream, by name.
func (m *Manager) Statuses(ctx context.Context) []StreamStatus {
	m.mu.RLock() // first: discard moves a runner into the books under it
	defer m.mu.RUnlock()
	all := m.books.snapshot()
	for _, d := range m.streams {
		s := all[d.def.Name]
		s.observe(ctx, d)
		all[d.def.Name] = s
	}
	out := make([]StreamStatus, 0, len(all))
	for _, name := range slices.Sorted(maps.Keys(all)) {
		s := all[name]
		s.Name = name
		out = append(out, s)
	}
	return out
}

// LedgerPrefix begins the state keys of the ledgers of former incarnations.
const LedgerPrefix = "ledger/"

// ledgerBook holds, by stream name, the sums of the incarnations that are gone.
type ledgerBook struct {
	mu    sync.Mutex
	books map[string]bookEntry
}

type bookEntry struct {
	Ledger
	version uint64
}

// load reads all books. One that is unreadable begins anew, with an alarm: the ledgers of
// streams that are gone must not stop those that are there.
func (b *ledgerBook) load(ctx context.Context, log Log, logger *slog.Logger) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.books = map[string]bookEntry{}
	return log.States(ctx, LedgerPrefix, func(st record.State) error {
		e := bookEntry{version: st.Version}
		if err := json.Unmarshal(st.Value, &e.Ledger); err != nil {
			logger.Error("the ledger of a former stream is unreadable and begins anew", "key", st.Key, "error", err)
		}
		b.books[strings.TrimPrefix(st.Key, LedgerPrefix)] = e
		return nil
	})
}

// close adds a former incarnation to the book of its name, in the transaction that drops it.
func (b *ledgerBook) close(ctx context.Context, log Log, name string, former Ledger, tx *record.Tx) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	e := b.books[name]
	e.Ledger = e.Ledger.Add(former)
	v, err := json.Marshal(e.Ledger)
	if err != nil {
		return err
	}
	tx.States = append(tx.States, record.StateWrite{Key: LedgerPrefix + name, Old: e.version, Value: v})
	if err := log.Apply(ctx, tx); err != nil {
		return err
	}
	e.version++
	b.books[name] = e
	return nil
}

func (b *ledgerBook) snapshot() map[string]StreamStatus {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := make(map[string]StreamStatus, len(b.books))
	for name, e := range b.books {
		out[name] = StreamStatus{Status: Status{Ledger: e.Ledger}}
	}
	return out
}

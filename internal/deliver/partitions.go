package deliver

import (
	"container/list"
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/go-json-experiment/json"

	"hydrant/internal/record"
)

// A partitioned stream (spec firehose.md section 7) has a queue for each partition that is
// open. A partition is open from its first record until it is sealed: because it is full, old
// enough, or flushed. From then on it takes no more, and its next record opens another one. A
// sealed partition is delivered by a runner of its own, which plans, prepares and finishes
// like any other; the commit of its last plan drops its queue. So an open partition costs some
// memory here and its keys in the journal, and neither a goroutine nor a buffer.

// partitions are those of one shard. They know all that lie in the journal.
type partitions struct {
	ingest record.Queue // whose records they hold, once processed
	opt    *Options
	data   *runner // of the shard: it has the target, the flush, and what is paused
	log    *slog.Logger
	wake   chan struct{} // capacity 1
	start  func(func())  // starts a goroutine that delivery waits for
	fail   func(error)   // told that the journal no longer serves
	grown  func(record.Queue)
	seen   *flush // the last one that was obeyed; belongs to the goroutine of run

	mu       sync.Mutex
	all      map[uint32]*partition // by number
	open     map[string]*partition // by prefix: those that take records
	aging    *list.List            // the open ones, in the order that they were opened
	sealed   []*partition          // waiting for a worker, in the order that they were sealed
	working  map[*partition]*runner
	last     uint32        // number given out last
	arrived  record.Counts // all that ever came into those that are known or gone
	unknown  int           // partitions of a former life of which nobody has asked what they hold
	refused  uint64        // partitions that were one too many
	settling []*settlement // waiting to be stored
	total    savedProgress // of all that are gone; written under settle
	settle   sync.Mutex    // taken before mu
}

// partition is one of them. Its fields are under partitions.mu, but for the first group.
type partition struct {
	number uint32
	prefix string

	opened  time.Time     // when its first record came in
	held    record.Counts // in the queue, or on the way into it; of a former life only if known
	known   bool          // what it holds
	waiting bool          // in sealed
	begun   bool          // its delivery: a plan is stored
	writing int           // writes under way
	version uint64        // of its state
	place   *list.Element // in aging, while it is open
}

// workers is how many partitions of a shard are delivered at once, if the memory for their
// objects lasts. Each spends its time waiting for the store and the disk: with 50 ms for a put,
// 32 of them deliver 400 objects a second, and 8 of them 130.
const workers = 32

// partitioned is what the state of a partition holds beside its progress.
type partitioned struct {
	Prefix string    `json:"prefix"`
	Opened time.Time `json:"opened"`
}

// newPartitions returns the partitions of a data runner's shard, with those that the states
// tell of.
func (m *Manager) newPartitions(ctx context.Context, data *runner) (*partitions, error) {
	p := &partitions{
		ingest: data.ingestLog(), opt: &m.opt, data: data, log: data.log, wake: make(chan struct{}, 1), fail: m.fail, grown: m.Wake,
		all: map[uint32]*partition{}, open: map[string]*partition{}, aging: list.New(), working: map[*partition]*runner{},
	}
	total, err := loadProgress(ctx, m.opt.Log, p.ingest.Partition(0))
	if err != nil {
		return nil, err
	}
	p.total = *total
	p.arrived = total.Delivered.Add(total.Failed)
	if err := p.load(ctx); err != nil {
		return nil, err
	}
	return p, nil
}

// admit opens a partition. mu is held.
func (p *partitions) admit(part *partition) {
	part.place = p.aging.PushBack(part)
	p.open[part.prefix] = part
}

// seal closes an open partition and leaves it to a worker. mu is held.
func (p *partitions) seal(part *partition) {
	if part.place == nil {
		return
	}
	p.aging.Remove(part.place)
	part.place = nil
	delete(p.open, part.prefix)
	p.wait(part)
}

// wait leaves a partition to a worker. mu is held.
func (p *partitions) wait(part *partition) {
	part.waiting = true
	p.sealed = append(p.sealed, part)
}

// Place implements stage.Partitions for one shard: it finds the partitions that are open, and
// opens those that are missing. A partition that would become larger than the buffer is sealed
// instead, and another one is opened.
func (p *partitions) Place(shares []record.Share) (record.Placement, error) {
	if err := p.learnOpen(shares); err != nil {
		return record.Placement{}, err
	}
	limit := p.data.target.Load().limits.Bytes
	now := p.opt.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	place := record.Placement{Queues: make([]record.Queue, len(shares))}
	placed := make([]*partition, len(shares))
	for i := range shares {
		s := &shares[i]
		part := p.open[s.Prefix]
		if part != nil && part.held.Bytes+s.Counts.Bytes > limit {
			p.seal(part)
			part = p.begin(s, now, true)
		} else if part == nil {
			part = p.begin(s, now, false)
		}
		if part == nil {
			p.refused++
			continue
		}
		q := p.ingest.Partition(part.number)
		if part.version == 0 && part.writing == 0 {
			place.States = append(place.States, part.birth(p.ingest))
			// Damage may have taken the state of a former one of this number and left its
			// records, whose prefix nobody knows.
			place.Drops = append(place.Drops, q)
		}
		part.writing++
		part.held = part.held.Add(s.Counts)
		placed[i], place.Queues[i] = part, q
	}
	place.Done = func(stored bool) { p.done(shares, placed, stored) }
	return place, nil
}

// begin opens a partition, if there may be another one. mu is held.
func (p *partitions) begin(s *record.Share, now time.Time, follows bool) *partition {
	if quota := p.data.target.Load().quota; quota > 0 && len(p.all) >= quota && !follows || len(p.all) >= record.MaxPartitions {
		return nil
	}
	for {
		if p.last++; p.last > record.MaxPartitions {
			p.last = 1
		}
		if p.all[p.last] == nil {
			break
		}
	}
	part := &partition{number: p.last, prefix: s.Prefix, opened: now, known: true}
	p.all[part.number] = part
	p.admit(part)
	return part
}

// birth is the write of a partition's first state.
func (part *partition) birth(q record.Queue) record.StateWrite {
	b, err := json.Marshal(progress{
		Checkpoint: record.Mark{Position: record.Position{Entry: 1}},
		Partition:  &partitioned{Prefix: part.prefix, Opened: part.opened},
	})
	if err != nil { // there is nothing in it that cannot be written
		panic(err)
	}
	return record.StateWrite{Key: progressKey(q.Partition(part.number)), Value: b}
}

// done takes note of what became of a placement. A partition that was opened for it and was
// not stored has never been.
func (p *partitions) done(shares []record.Share, placed []*partition, stored bool) {
	limit := p.data.target.Load().limits.Bytes
	p.mu.Lock()
	for i, part := range placed {
		if part == nil {
			continue
		}
		part.writing--
		if !stored {
			part.held = part.held.Sub(shares[i].Counts)
			if part.version == 0 {
				p.forget(part)
			}
			continue
		}
		part.version = max(part.version, 1)
		p.arrived = p.arrived.Add(shares[i].Counts)
		if part.held.Bytes >= limit {
			p.seal(part)
		}
	}
	p.mu.Unlock()
	p.nudge()
}

// forget takes out a partition that is gone. mu is held.
func (p *partitions) forget(part *partition) {
	if part.place != nil {
		p.aging.Remove(part.place)
		part.place = nil
		delete(p.open, part.prefix)
	}
	if part.waiting {
		p.sealed = slices.DeleteFunc(p.sealed, func(o *partition) bool { return o == part })
	}
	delete(p.all, part.number)
}

func (p *partitions) nudge() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// run delivers partitions as they become due, until ctx ends.
func (p *partitions) run(ctx context.Context) error {
	for {
		if err := p.sweepLate(ctx); err != nil {
			return err
		}
		flushing := p.sealFlushed()
		wait := p.sealOld()
		if flushing {
			wait = sooner(wait, flushEvery)
		}
		p.assign(ctx)
		if err := p.sleep(ctx, wait); err != nil {
			return nil
		}
	}
}

// flushEvery is how often it is looked whether all was processed that a flush is about.
const flushEvery = 50 * time.Millisecond

// sealFlushed seals what a flush has asked for, once all that it is about was processed. It
// reports whether that is still to come.
func (p *partitions) sealFlushed() bool {
	f := p.data.flush.Load()
	if f == nil || !f.staged || f == p.seen {
		return false
	}
	if a, _ := p.opt.Stage.Account(p.ingest); a.Checkpoint.Less(f.upto.Position) {
		return true
	}
	p.seen = f
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, part := range p.open {
		p.seal(part)
	}
	return false
}

// sealOld seals what has reached its age. It returns how long it is until the next one does;
// 0 if nothing is open.
func (p *partitions) sealOld() time.Duration {
	age, now := p.data.target.Load().limits.Age, p.opt.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	for e := p.aging.Front(); e != nil; e = p.aging.Front() {
		part := e.Value.(*partition)
		if part.opened.After(now) { // the clock was set back
			part.opened = now
		}
		if left := part.opened.Add(age).Sub(now); left > 0 {
			return left
		}
		p.seal(part)
	}
	return 0
}

// assign gives sealed partitions to workers, unless the stream is paused: then only those that
// were begun are finished, as far as they can be.
func (p *partitions) assign(ctx context.Context) {
	paused := p.data.target.Load().paused
	p.mu.Lock()
	defer p.mu.Unlock()
	var held []*partition // back
	for len(p.sealed) > 0 && len(p.working) < workers {
		part := p.sealed[0]
		p.sealed = p.sealed[1:]
		if part.writing > 0 || paused && !part.begun {
			held = append(held, part)
			continue
		}
		r := p.runner(part)
		p.working[part], part.waiting = r, false
		p.start(func() { p.work(ctx, part, r) })
	}
	if len(held) > 0 {
		p.sealed = append(held, p.sealed...)
	}
}

// sleep waits for a nudge, or for the given time (0: no timer), or until strays are looked at.
func (p *partitions) sleep(ctx context.Context, wait time.Duration) error {
	p.mu.Lock()
	look := untilLook(p.total.Strays)
	p.mu.Unlock()
	return nap(ctx, p.wake, sooner(wait, look))
}

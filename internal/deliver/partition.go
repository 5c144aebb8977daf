package deliver

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"hydrant/internal/record"
)

// partitionOf reads the end of a state's key: the queue of a partition of a shard.
func partitionOf(ingest record.Queue, end string) (record.Queue, bool) {
	n, err := strconv.ParseUint(end, 10, 32)
	if err != nil {
		return record.Queue{}, false
	}
	q := record.Queue{Stream: ingest.Stream, Output: record.Partition, Shard: uint32(n)}
	shard, number := q.Partitioned()
	return q, shard == ingest.Shard && number > 0
}

// runner delivers a sealed partition. Nothing comes into its queue any more.
func (p *partitions) runner(part *partition) *runner {
	q := p.ingest.Partition(part.number)
	r := &runner{
		output: q, grown: p.grown, opt: p.opt, wake: make(chan struct{}, 1), parts: p, part: part,
		log: p.log.With("partition", strings.ReplaceAll(part.prefix, "\x00", "*")),
	}
	r.target.Store(p.data.target.Load())
	r.status.Store(statusOf(progress{}))
	r.from.Store(newSource(q).join(r.nudge))
	return r
}

// work delivers a partition until it is gone, or cannot be delivered now.
func (p *partitions) work(ctx context.Context, part *partition, r *runner) {
	err := r.run(ctx)
	p.mu.Lock()
	delete(p.working, part)
	if p.all[part.number] == part { // it waits
		p.wait(part)
		if r.state != nil {
			part.version, part.begun = r.state.version, r.state.Plan != nil
		}
	}
	p.mu.Unlock()
	if err != nil {
		p.fail(err)
	}
	p.nudge()
}

// errPartitionDone ends the runner of a partition that is gone, or has to wait.
var errPartitionDone = errors.New("the partition is done")

// planPartition plans the delivery of all that is left of a partition. The plan is stored with
// what is done first about it: before that there is nothing to remember.
func (r *runner) planPartition(ctx context.Context) error {
	t := r.target.Load()
	if t.paused {
		return errPartitionDone
	}
	head, err := r.opt.Log.Head(ctx, r.queue())
	if err != nil {
		return err
	}
	from := r.state.Checkpoint
	if err := r.parts.learn(ctx, r.part, from); err != nil {
		return err
	}
	if head.Entry <= from.Entry { // damage has taken it
		return r.commitPartition(ctx, r.state.progress, from, new(record.Tx))
	}
	pending := head.Before.Sub(from.Before)
	limit := max(t.limits.Bytes, 1)
	p := &plan{Version: t.version, Nonce: newNonce(), Made: r.opt.Now(), Upto: head, Limit: limit, Objects: int(min(pending.Bytes/limit+1, maxObjects))}
	if int64(min(p.Limit, pending.Bytes)) > r.opt.PartBytes {
		p.Objects = 1
	}
	r.state.Plan, r.ours = p, true
	return nil
}

// settlement is what the commit of a partition asks to be stored, and what it adds to the
// total.
type settlement struct {
	tx     record.Tx
	add    progress // Delivered, Failed, Objects, ObjectBytes and Strays
	stored bool
	err    error
}

// commitPartition stores what the plan of a partition has come to. The last one ends the
// partition: its queue and its state go.
func (r *runner) commitPartition(ctx context.Context, next progress, to record.Mark, tx *record.Tx) error {
	head, err := r.opt.Log.Head(ctx, r.queue())
	if err != nil {
		return err
	}
	s := &settlement{add: progress{
		Delivered: next.Delivered.Sub(r.state.Delivered), Failed: next.Failed.Sub(r.state.Failed),
		Objects: next.Objects - r.state.Objects, ObjectBytes: next.ObjectBytes - r.state.ObjectBytes,
		Strays: next.Strays,
	}}
	s.tx = *tx
	next.Strays = nil // the total keeps them
	last := head.Entry <= to.Entry
	if last {
		s.tx.Drops = append(s.tx.Drops, r.queue())
		s.tx.States = append(s.tx.States, record.StateWrite{Key: r.state.key, Old: r.state.version})
	} else {
		w, err := r.state.write(next)
		if err != nil {
			return err
		}
		s.tx.States = append(s.tx.States, w)
	}
	if err := r.parts.store(ctx, s, r.part, last); err != nil {
		return err
	}
	if last {
		return errPartitionDone
	}
	r.state.progress = next
	r.state.version++
	return nil
}

// store writes a settlement together with those of others that wait: they share the state of
// the total, and one write of it.
func (p *partitions) store(ctx context.Context, s *settlement, part *partition, last bool) error {
	p.mu.Lock()
	p.settling = append(p.settling, s)
	p.mu.Unlock()
	p.settle.Lock()
	defer p.settle.Unlock()
	if !s.stored && s.err == nil {
		p.storeAll(ctx)
	}
	if s.err != nil {
		return s.err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	done := s.add.Delivered.Add(s.add.Failed)
	if part.known {
		part.held = less(part.held, done)
	} else { // its plan is of a former life, so nobody has asked
		p.arrived = p.arrived.Add(done)
	}
	if last {
		if !part.known {
			p.unknown--
		}
		p.forget(part)
	}
	return nil
}

// storeAll writes all that waits. settle is held.
func (p *partitions) storeAll(ctx context.Context) {
	p.mu.Lock()
	batch := p.settling
	p.settling = nil
	next := p.total.progress
	p.mu.Unlock()
	tx := &record.Tx{}
	for _, s := range batch {
		tx.Moves = tx.Moves || s.tx.Moves
		next.Delivered, next.Failed = next.Delivered.Add(s.add.Delivered), next.Failed.Add(s.add.Failed)
		next.Objects, next.ObjectBytes = next.Objects+s.add.Objects, next.ObjectBytes+s.add.ObjectBytes
		next.Strays = append(next.Strays[:len(next.Strays):len(next.Strays)], s.add.Strays...)
		tx.Appends = append(tx.Appends, s.tx.Appends...)
		tx.States = append(tx.States, s.tx.States...)
		tx.Trims = append(tx.Trims, s.tx.Trims...)
		tx.Drops = append(tx.Drops, s.tx.Drops...)
	}
	next.Strays = p.fewer(next.Strays)
	err := p.saveTotal(ctx, next, tx)
	for _, s := range batch {
		s.stored, s.err = err == nil, err
	}
}

// fewer bounds a list of strays; the oldest are given up.
func (p *partitions) fewer(list []stray) []stray {
	over := len(list) - maxStrays
	if over <= 0 {
		return list
	}
	p.log.Warn("uploads may be left in the store: it does not let us look for them", "objects", over)
	return list[over:]
}

// saveTotal stores next as the total. settle is held.
func (p *partitions) saveTotal(ctx context.Context, next progress, tx *record.Tx) error {
	w, err := p.total.write(next)
	if err != nil {
		return err
	}
	tx.States = append(tx.States, w)
	if err := p.opt.Log.Apply(ctx, tx); err != nil {
		return fmt.Errorf("write %s: %w", p.total.key, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.total.progress = next
	p.total.version++
	return nil
}

// sweepLate looks at the strays that are due, and stores it when some are settled.
func (p *partitions) sweepLate(ctx context.Context) error {
	p.mu.Lock()
	strays := p.total.Strays
	p.mu.Unlock()
	if !anyDue(strays) {
		return nil
	}
	keep := p.opt.lookFor(ctx, p.log, strays)
	p.settle.Lock()
	defer p.settle.Unlock()
	next := p.total.progress
	// Those that were added meanwhile stand behind the ones that were looked at.
	next.Strays = append(keep, next.Strays[min(len(strays), len(next.Strays)):]...)
	if len(next.Strays) == len(p.total.Strays) {
		p.mu.Lock()
		p.total.Strays = next.Strays
		p.mu.Unlock()
		return nil
	}
	return p.saveTotal(ctx, next, &record.Tx{})
}

// giveUp finishes the partitions whose delivery was begun, as far as the destination lets us,
// and forgets nothing: close does, of a stream that is deleted. No worker runs any more.
func (p *partitions) giveUp(ctx context.Context) error {
	p.mu.Lock()
	var begun []*partition
	for _, part := range p.all {
		if part.begun {
			begun = append(begun, part)
		}
	}
	p.mu.Unlock()
	for _, part := range begun {
		r := p.runner(part)
		var err error
		if r.state, err = loadProgress(ctx, p.opt.Log, r.output); err != nil {
			return err
		}
		r.suspect = true
		r.visible.Store(true)
		if err := r.settle(ctx); err != nil {
			return err
		}
		stored := r.state.progress // all of it is in the total
		r.countDone()
		p.leave(part, r, &stored)
	}
	return nil
}

// leave notes what a partition that is given up has come to, unless it is gone.
func (p *partitions) leave(part *partition, r *runner, stored *progress) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.all[part.number] != part {
		return
	}
	part.version, part.begun = r.state.version, false
	t := &p.total.progress // it is not stored again
	t.Delivered = t.Delivered.Add(r.state.Delivered.Sub(stored.Delivered))
	t.Objects, t.ObjectBytes = t.Objects+r.state.Objects-stored.Objects, t.ObjectBytes+r.state.ObjectBytes-stored.ObjectBytes
	t.Strays = append(t.Strays, r.state.Strays...)
	if r.state.Plan != nil {
		t.Strays = r.strays(t.Strays, r.state.Plan)
	}
}

// close adds to tx what forgets all partitions, and to the status what they have delivered. It
// returns all that ever came into them; false if that is not known.
func (p *partitions) close(s *Status, tx *record.Tx) (arrived record.Counts, known bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for number, part := range p.all {
		q := p.ingest.Partition(number)
		tx.Drops = append(tx.Drops, q)
		tx.States = append(tx.States, record.StateWrite{Key: progressKey(q), Old: part.version})
	}
	t := &p.total
	if t.version > 0 {
		tx.States = append(tx.States, record.StateWrite{Key: t.key, Old: t.version})
	}
	s.add(Ledger{Delivered: t.Delivered, Failed: t.Failed, Objects: t.Objects, ObjectBytes: t.ObjectBytes})
	return p.arrived, p.unknown == 0
}

// add adds what partitions have delivered to the status of their shard.
func (s *Status) add(l Ledger) {
	s.Ledger = s.Ledger.Add(l)
	s.staged = s.staged.Add(l.Delivered).Add(l.Failed)
}

// prefix is that of the partition whose objects r makes; nil if it makes none.
func (r *runner) prefix() *string {
	if r.part == nil {
		return nil
	}
	return &r.part.prefix
}

// delivered is what the partitions have delivered.
func (p *partitions) delivered() Ledger {
	p.mu.Lock()
	defer p.mu.Unlock()
	t := &p.total
	return Ledger{Delivered: t.Delivered, Failed: t.Failed, Objects: t.Objects, ObjectBytes: t.ObjectBytes}
}

// made is all that ever came into the partitions, if the stage has made so much of the records.
// Until it is known what those of a former life hold, nothing is taken for lost.
func (p *partitions) made(all record.Counts) record.Counts {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.unknown > 0 {
		return all
	}
	return p.arrived
}

// oldest is when the first of the partitions was opened; zero if there is none.
func (p *partitions) oldest() (at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, part := range p.all {
		if part.held.Records > 0 || !part.known {
			at = earlier(at, part.opened)
		}
	}
	return at
}

// trouble is the worst of what the runners at work report.
func (p *partitions) trouble() (fails int, lastError string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range p.working {
		if s := r.status.Load(); s.Fails > fails {
			fails, lastError = s.Fails, s.LastError
		}
	}
	return fails, lastError
}

// retarget makes the runners at work deliver under the stream's newest version.
func (p *partitions) retarget(t *target) {
	p.mu.Lock()
	for _, r := range p.working {
		r.target.Store(t)
		r.nudge()
	}
	p.mu.Unlock()
	p.nudge()
}

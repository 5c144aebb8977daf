package doctor

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"hydrant/internal/journal"
	"hydrant/internal/journal/pebble"
	"hydrant/internal/record"
)

func (o *Options) engine() pebble.Options {
	return pebble.Options{
		Dir:        filepath.Join(o.Data, journalFolder),
		DamagedDir: filepath.Join(o.Data, damagedFolder),
		Logger:     o.Logger,
		// A disk may be full when its doctor is called: the ballast is the node's business.
		BallastBytes: -1,
	}
}

// examineJournal reads the journal without changing it: the states first, since they say
// what of the entries is delivered.
func examineJournal(ctx context.Context, o Options, r *Report) error {
	f := newFindings(r)
	err := pebble.Inspect(ctx, o.engine(), pebble.Visitor{
		State:  func(s record.State) error { return f.state(ctx, s) },
		Damage: f.damage,
	})
	if err != nil {
		return err
	}
	err = pebble.Inspect(ctx, o.engine(), pebble.Visitor{
		Queue:  f.queue,
		Entry:  f.entry,
		Damage: f.damage,
	})
	if err != nil {
		return err
	}
	f.finish()
	r.JournalBytes, err = sizeOf(filepath.Join(o.Data, journalFolder))
	return err
}

// repair opens the journal as a node does and reads all of it: the engine treats damage that
// it meets. What it treated is in the report.
func repair(ctx context.Context, o Options, r *Report) error {
	var queues []record.Queue
	err := pebble.Inspect(ctx, o.engine(), pebble.Visitor{Queue: func(q pebble.QueueReport) error {
		queues = append(queues, q.Queue)
		return nil
	}})
	if err != nil {
		return err
	}
	var mu sync.Mutex // damage is told from several goroutines
	opt := o.engine()
	opt.OnDamage = func(d journal.Damage) {
		mu.Lock()
		defer mu.Unlock()
		r.Repaired = append(r.Repaired, Damage(d))
	}
	e, err := pebble.Open(ctx, opt)
	if err != nil {
		return err
	}
	return errors.Join(readAll(ctx, e, queues), e.Close())
}

// readAll reads every entry and every state.
func readAll(ctx context.Context, e *pebble.Engine, queues []record.Queue) error {
	for _, q := range queues {
		if err := e.Read(ctx, q, 1, func(*record.Entry) error { return ctx.Err() }); err != nil {
			return err
		}
	}
	return e.States(ctx, "", func(record.State) error { return ctx.Err() })
}

// damage takes in what the engine found, once.
func (f *findings) damage(d journal.Damage) {
	if !slices.Contains(f.report.Damage, Damage(d)) {
		f.report.Damage = append(f.report.Damage, Damage(d))
	}
}

// queue takes in a queue, after its entries.
func (f *findings) queue(found pebble.QueueReport) error {
	p, begun := f.reader(found.Queue)
	if !begun {
		p.Checkpoint.Entry = 1 // as deliver begins
	}
	name := found.Queue
	q := Queue{
		Stream: name.Stream, Output: name.Output, Shard: name.Shard, Name: name.String(),
		First: found.Floor.Entry, Next: found.Head.Entry, Received: found.Head.Before,
		Kept: found.Head.Before.Sub(found.Floor.Before), StoredBytes: found.Stored,
		Checkpoint: p.Checkpoint.Position, Delivered: p.Delivered, Plan: p.plan(),
	}
	for _, g := range found.Gaps {
		done := g.From+g.Entries <= p.Checkpoint.Entry
		q.Missing = append(q.Missing, Stretch{From: g.From, Entries: g.Entries, Lost: g.Lost, Delivered: done})
		q.Kept = q.Kept.Sub(g.Lost)
	}
	if before := p.Checkpoint.Before; before.Records < q.Received.Records {
		q.Pending = q.Received.Sub(before)
		if f.oldest.queue == name {
			q.Oldest = &f.oldest.arrival
		}
	}
	f.queues = append(f.queues, q)
	return nil
}

// oldest is the first undelivered entry of the queue that is being read.
type oldest struct {
	queue   record.Queue
	arrival time.Time
}

// entry takes in an entry. Those of a queue come in order, before the queue itself.
func (f *findings) entry(e *record.Entry) error {
	if p, _ := f.reader(e.Queue); e.Queue != f.oldest.queue && e.Sequence >= p.Checkpoint.Entry {
		f.oldest = oldest{e.Queue, time.UnixMilli(e.Arrival).UTC()}
	}
	return nil
}

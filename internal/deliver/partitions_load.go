package deliver

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/go-json-experiment/json"

	"hydrant/internal/record"
)

// load finds the partitions in the journal. Of two with the same prefix the earlier was sealed.
func (p *partitions) load(ctx context.Context) error {
	type stored struct {
		*partition
		progress
	}
	var found []stored
	prefix := fmt.Sprintf("%s%s/%d/", ProgressPrefix, p.ingest.Stream, record.Partition)
	err := p.opt.Log.States(ctx, prefix, func(st record.State) error {
		q, ok := partitionOf(p.ingest, st.Key[len(prefix):])
		if !ok {
			return nil // of another shard, or the total
		}
		var s progress
		if err := json.Unmarshal(st.Value, &s); err != nil || s.Partition == nil {
			return fmt.Errorf("read %s: the state of a partition is unreadable: %w", st.Key, err)
		}
		_, number := q.Partitioned()
		found = append(found, stored{&partition{
			number: number, prefix: s.Partition.Prefix, opened: s.Partition.Opened, version: st.Version, begun: s.Plan != nil,
		}, s})
		return nil
	})
	if err != nil {
		return err
	}
	slices.SortFunc(found, func(a, b stored) int {
		return cmp.Compare(int32(a.number-b.number)<<8, 0) // 24 bits; not by opened: the clock may have been set back
	})
	for _, s := range found {
		p.adopt(s.partition, s.Checkpoint)
	}
	return nil
}

// adopt takes in a partition that lies in the journal and was delivered up to a mark. What it
// holds is not asked yet: there may be tens of thousands, and the node waits for this.
func (p *partitions) adopt(part *partition, delivered record.Mark) {
	p.unknown++
	p.all[part.number] = part
	p.last = max(p.last, part.number)
	if former := p.open[part.prefix]; former != nil {
		p.seal(former)
	}
	p.admit(part)
	if part.begun || delivered.Before.Records > 0 {
		p.seal(part)
	}
}

// learn takes note of what a partition of a former life holds behind a mark. Nothing may be
// on its way into it.
func (p *partitions) learn(ctx context.Context, part *partition, delivered record.Mark) error {
	p.mu.Lock()
	known := part.known
	p.mu.Unlock()
	if known {
		return nil
	}
	head, err := p.opt.Log.Head(ctx, p.ingest.Partition(part.number))
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if part.known { // it was sealed while the stage asked, and a worker asked too
		return nil
	}
	part.known = true
	p.unknown--
	part.held = less(head.Before, delivered.Before)
	p.arrived = p.arrived.Add(part.held)
	return nil
}

// learnOpen learns what the open partitions hold that are about to take more.
func (p *partitions) learnOpen(shares []record.Share) error {
	p.mu.Lock()
	var ask []*partition
	for i := range shares {
		if part := p.open[shares[i].Prefix]; part != nil && !part.known {
			ask = append(ask, part)
		}
	}
	p.mu.Unlock()
	for _, part := range ask { // the stage asks one at a time, so nobody writes meanwhile
		if err := p.learn(context.Background(), part, record.Mark{}); err != nil {
			return err
		}
	}
	return nil
}

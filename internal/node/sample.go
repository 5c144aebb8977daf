package node

import (
	"context"
	"fmt"
	"slices"

	"hydrant/internal/deliver"
	"hydrant/internal/encode"
	"hydrant/internal/record"
	"hydrant/internal/stream"
)

// sampler shows operators what streams were sent.
type sampler struct {
	log     deliver.Log // that opens what is encrypted
	decoder *encode.Decoder
}

func (n *Node) newSampler() sampler { return sampler{opened{n.engine, n.vault}, new(encode.Decoder)} }

// sampleStep is how many entries are read at once, from the end of the log backwards. An entry
// may hold one record or a quarter of a MiB of them.
const sampleStep = 16

// Sample implements operate.Sampler. It takes of each shard in turn.
func (s sampler) Sample(ctx context.Context, d *stream.Definition, records, bytes int) ([][]byte, error) {
	found := newest{records: records, bytes: bytes}
	for shard := range max(d.Shards, 1) {
		if err := s.shard(ctx, record.Queue{Stream: d.ID, Shard: shard, Output: record.Data}, &found); err != nil {
			return nil, err
		}
	}
	slices.Reverse(found.all)
	return found.all, nil
}

// shard goes back from the end of one log until enough was found or nothing older is there.
func (s sampler) shard(ctx context.Context, q record.Queue, found *newest) error {
	head, err := s.log.Head(ctx, q)
	if err != nil {
		return fmt.Errorf("find the end of %s: %w", q, err)
	}
	for end := head.Entry; end > 1 && !found.full; {
		begin := max(end, sampleStep+1) - sampleStep
		step := tail{newest: newest{records: found.records, bytes: found.bytes}}
		if err := s.log.Read(ctx, q, begin, step.reader(s.decoder, end)); err != nil {
			return fmt.Errorf("read the newest records of %s: %w", q, err)
		}
		if len(step.all) == 0 {
			return nil // trimmed, and so is what lies before
		}
		for _, data := range slices.Backward(step.all) {
			found.add(data)
		}
		found.full = found.full || step.full
		end = begin
	}
	return nil
}

// newest gathers records from the newest on, as many as are wanted. It takes none behind one
// that there was no room for.
type newest struct {
	records, bytes int // that may still be taken
	all            [][]byte
	full           bool
}

func (n *newest) add(data []byte) {
	if n.full = n.full || n.records == 0 || len(data) > n.bytes; n.full {
		return
	}
	n.records, n.bytes = n.records-1, n.bytes-len(data)
	n.all = append(n.all, data)
	n.full = n.records == 0
}

// tail gathers records from the oldest on and drops the oldest ones that there is no room for.
type tail struct{ newest }

// reader returns what a read of the log calls with its entries up to one at end.
func (t *tail) reader(d *encode.Decoder, end uint64) func(*record.Entry) error {
	return func(e *record.Entry) error {
		if e.Sequence >= end {
			return record.ErrStop
		}
		if e.Missing > 0 {
			return nil
		}
		return d.Range(e, 0, uint32(len(e.Lengths)), func(raw []byte) error {
			for _, size := range e.Lengths {
				t.push(slices.Clone(raw[:size]))
				raw = raw[size:]
			}
			return nil
		})
	}
}

func (t *tail) push(data []byte) {
	t.all = append(t.all, data)
	t.records, t.bytes = t.records-1, t.bytes-len(data)
	for t.records < 0 || t.bytes < 0 {
		t.records, t.bytes = t.records+1, t.bytes+len(t.all[0])
		t.all, t.full = t.all[1:], true
	}
}

package node

import (
	"context"
	"errors"
	"fmt"

	"hydrant/internal/aws"
	"hydrant/internal/deliver"
	"hydrant/internal/operate"
	"hydrant/internal/record"
)

// operators is the API of those who run the node.
func (n *Node) operators() *aws.JSON {
	return operate.New(operate.Options{
		Partition: partition, Region: n.opt.Config.Region, Account: n.opt.Config.Account,
		Streams: n.registry, Delivery: operated{n.delivery}, Trial: trial{n}, Samples: n.newSampler(), Now: n.opt.Now,
	}).JSON()
}

// operated is delivery as operators see it.
type operated struct{ delivery *deliver.Manager }

// Flush implements operate.Delivery.
func (o operated) Flush(ctx context.Context, id record.StreamID) ([]operate.Mark, error) {
	targets, err := o.delivery.Flush(ctx, id)
	switch {
	case errors.Is(err, deliver.ErrPaused):
		return nil, fmt.Errorf("%w: %w", operate.ErrPaused, err)
	case errors.Is(err, deliver.ErrNoStream):
		return nil, fmt.Errorf("%w: %w", operate.ErrNotActive, err)
	case err != nil:
		return nil, err
	}
	marks := make([]operate.Mark, len(targets))
	for i, t := range targets {
		marks[i] = operate.Mark{Queue: t.Queue, Before: t.Until}
	}
	return marks, nil
}

// Status implements operate.Delivery.
func (o operated) Status(ctx context.Context, id record.StreamID) (operate.Status, bool) {
	s, ok := o.delivery.Status(ctx, id)
	if !ok {
		return operate.Status{}, false
	}
	out := operate.Status{
		Data: operate.Account{
			Delivered: s.Delivered, Pending: s.Pending, Objects: s.Objects, Bytes: s.ObjectBytes, Oldest: s.Oldest,
		},
		Backup: account(s.Backup), Failures: account(s.Failures),
		Fails: s.Fails, LastError: s.LastError,
		Done: make([]operate.Mark, len(s.Queues)),
	}
	if s.Partitioned {
		out.Partitions = &s.Partitions
	}
	for i, q := range s.Queues {
		out.Done[i] = operate.Mark{Queue: q.Queue, Before: q.Done}
	}
	return out, true
}

func account(s deliver.OutputStatus) operate.Account {
	return operate.Account{Delivered: s.Delivered, Pending: s.Pending, Objects: s.Objects, Bytes: s.ObjectBytes, Oldest: s.Oldest}
}

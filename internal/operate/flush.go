package operate

import (
	"context"

	"hydrant/internal/record"
	"hydrant/internal/stream"
)

// describeStream shows a stream, in whatever status.
func (s *Service) describeStream(ctx context.Context, d *stream.Definition) (streamOutput, error) {
	return streamOutput{s.look(ctx, d)}, nil
}

// flushStream begins to deliver what is buffered, and says how far that is.
func (s *Service) flushStream(ctx context.Context, d *stream.Definition) (Order, error) {
	if d.Status != stream.Active {
		return Order{}, ErrNotActive
	}
	// First: what is delivered in between was buffered when the request came.
	status, _ := s.opt.Delivery.Status(ctx, d.ID)
	from := map[record.Queue]record.Counts{}
	for _, m := range status.Done {
		from[m.Queue] = m.Before
	}
	marks, err := s.opt.Delivery.Flush(ctx, d.ID)
	if err != nil {
		return Order{}, err
	}
	o := Order{Stream: d.Name, ID: d.ID.String(), Targets: make([]Target, len(marks))}
	for i, m := range marks {
		o.Targets[i] = Target{outputName(m.Queue.Output), m.Queue.Shard, from[m.Queue], m.Before}
	}
	return o, nil
}

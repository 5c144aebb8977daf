package operate

import (
	"context"

	"hydrant/internal/aws"
)

// maxPage is how many streams an answer has at most, and has unless the request wants fewer.
const maxPage = 100

// listInput asks for the streams behind a name, in byte order.
type listInput struct {
	After string `json:"after,omitzero"`
	Limit int    `json:"limit,omitzero"`
}

// listOutput is a page of streams.
type listOutput struct {
	Streams []Stream `json:"streams"`
	Next    string   `json:"next,omitzero"` // After of the next page; empty: there is none
}

// listStreams shows streams of every status.
func (s *Service) listStreams(ctx context.Context, c *aws.Call) error {
	in := listInput{Limit: maxPage}
	if err := decode(c.Body, &in); err != nil {
		return err
	}
	if err := c.Allow(ctx, "*"); err != nil {
		return err
	}
	if in.Limit < 1 || in.Limit > maxPage {
		return aws.Errorf(validation, "limit must be from 1 to %d", maxPage)
	}
	names, more := s.opt.Streams.List(in.After, in.Limit, "")
	out := listOutput{Streams: make([]Stream, 0, len(names))}
	if more {
		out.Next = names[len(names)-1]
	}
	for _, name := range names {
		if d, ok := s.opt.Streams.Get(name); ok { // else it is gone since
			out.Streams = append(out.Streams, s.look(ctx, d))
		}
	}
	return encode(c, out)
}

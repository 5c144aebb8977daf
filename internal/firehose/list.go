package firehose

import (
	"context"
	"fmt"

	"hydrant/internal/aws"
	"hydrant/internal/stream"
)

// defaultListLimit is how many names an answer has if the request says nothing.
const defaultListLimit = 10

// listOutput is the answer of ListDeliveryStreams.
type listOutput struct {
	Names []string `json:"DeliveryStreamNames"`
	More  bool     `json:"HasMoreDeliveryStreams"`
}

// listDeliveryStreams lists names in byte order behind an exclusive cursor (spec section
// 2.5). Streams of every status are listed.
func (s *Service) listDeliveryStreams(ctx context.Context, c *aws.Call) error {
	root, err := s.decode(c, listInput)
	if err != nil {
		return err
	}
	if err := c.Allow(ctx, "*"); err != nil {
		return err
	}
	if err := judge(listInput, root); err != nil {
		return err
	}
	limit, after, of := defaultListLimit, "", stream.Type("")
	if n := root.member(listInput, "Limit"); n != nil {
		limit = int(n.integer)
	}
	if n := root.member(listInput, "ExclusiveStartDeliveryStreamName"); n != nil {
		after = n.text
	}
	if n := root.member(listInput, "DeliveryStreamType"); n != nil {
		of = stream.Type(n.text)
	}
	var out listOutput
	out.Names, out.More = s.opt.Streams.List(after, limit, of)
	if c.Out, err = appendJSON(c.Out, out); err != nil {
		return fmt.Errorf("write the list of streams: %w", err)
	}
	return nil
}

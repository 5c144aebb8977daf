package firehose

import (
	"context"

	"hydrant/internal/aws"
)

// deleteDeliveryStream begins the end of a stream; what it holds is discarded (spec section
// 2.6). AllowForceDelete concerns KMS grants, of which there are none.
func (s *Service) deleteDeliveryStream(ctx context.Context, c *aws.Call) error {
	_, name, err := s.open(ctx, c, deleteInput)
	if err != nil {
		return err
	}
	if err := s.opt.Streams.Delete(ctx, name); err != nil {
		return s.explain(name, err)
	}
	c.Out = append(c.Out, "{}"...)
	return nil
}

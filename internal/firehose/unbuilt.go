package firehose

import (
	"context"

	"hydrant/internal/aws"
	"hydrant/internal/stream"
)

// unbuiltInput is what the unbuilt operations have in common.
var unbuiltInput = structureOf(required("DeliveryStreamName", streamName))

// unbuilt refuses an operation that the API has and this version does not.
func (s *Service) unbuilt(ctx context.Context, c *aws.Call) error {
	_, name, err := s.open(ctx, c, unbuiltInput)
	if err != nil {
		return err
	}
	return s.explain(name, stream.Unsupported(c.Operation))
}

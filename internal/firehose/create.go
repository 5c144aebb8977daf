package firehose

import (
	"context"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"hydrant/internal/aws"
	"hydrant/internal/stream"
)

// createDeliveryStream makes a stream, which is CREATING when the answer is sent (spec
// section 2.3). The name is looked at right after the constraints. Roles are stored: this
// version has no service that would assume them.
func (s *Service) createDeliveryStream(ctx context.Context, c *aws.Call) error {
	root, name, err := s.open(ctx, c, createInput)
	if err != nil {
		return err
	}
	if root.member(createInput, "Tags") != nil {
		if err := c.Authorize(ctx, "firehose:TagDeliveryStream", s.arn(name)); err != nil {
			return err
		}
	}
	if err := s.opt.Streams.Room(name); err != nil {
		return s.explain(name, err)
	}
	var config stream.Configuration
	if err := json.Unmarshal(c.Body, &config, jsontext.AllowDuplicateNames(true)); err != nil {
		return fmt.Errorf("read the configuration of stream %s: %w", name, err)
	}
	if err := config.Check(s.opt.Rules(ctx)); err != nil {
		return s.explain(name, err)
	}
	if err := config.Encryption.Check(s.opt.Region); err != nil {
		return s.explain(name, err)
	}
	made := config.Definition()
	if made.Encryption.Key != nil {
		if err := s.grant(ctx, c, *made.Encryption.Key); err != nil {
			return err
		}
	}
	if err := s.passRoles(ctx, c, made); err != nil {
		return err
	}
	d, err := s.opt.Streams.Create(ctx, made)
	if err != nil {
		return s.explain(name, err)
	}
	// Names, and so ARNs, need no escapes.
	c.Out = append(append(append(c.Out, `{"DeliveryStreamARN":"`...), d.ARN...), `"}`...)
	return nil
}

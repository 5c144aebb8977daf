package logs

import (
	"context"
	"errors"

	"hydrant/internal/aws"
)

// Ensure makes a log group and a log stream, as far as they are not there.
func (s *Service) Ensure(ctx context.Context, group, stream string) error {
	in := &createGroupInput{ofGroup: ofGroup{Group: group}}
	if _, err := s.createLogGroup(ctx, in); err != nil && !isThere(err) {
		return err
	}
	if _, err := s.createLogStream(ctx, &ofStream{ofGroup: in.ofGroup, Stream: stream}); err != nil && !isThere(err) {
		return err
	}
	return nil
}

func isThere(err error) bool {
	var told *aws.Error
	return errors.As(err, &told) && told.Code == exists
}

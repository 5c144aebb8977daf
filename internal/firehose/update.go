package firehose

import (
	"context"
	"fmt"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"hydrant/internal/aws"
	"hydrant/internal/stream"
)

// versionError refuses an update that was made for another version of the stream.
type versionError struct{ current, specified string }

// Error names both versions.
func (e *versionError) Error() string {
	return fmt.Sprintf("the stream has version %s, not %s", e.current, e.specified)
}

// statusError refuses a change of a stream in a status that does not allow it. The words
// differ from operation to operation (spec section 2.13.2).
type statusError struct{ format, name, account, status string }

// Error is what the client is told.
func (e *statusError) Error() string {
	return fmt.Sprintf(e.format, e.name, e.account, e.status)
}

// Statuses that are in the way, in the words of spec section 2.13.2; the arguments are name,
// account and status.
const (
	notUpdatable = "Cannot update firehose: %[1]s when it is in %[3]s status"
	notTaggable  = "Firehose %[1]s under account %[2]s is in the %[3]s state."
)

// updateDestination changes where and how a stream delivers (spec section 2.7), in the order
// of checks given there. What is buffered and not yet planned is delivered the new way.
func (s *Service) updateDestination(ctx context.Context, c *aws.Call) error {
	_, name, err := s.open(ctx, c, updateInput)
	if err != nil {
		return err
	}
	var update stream.Update
	if err := json.Unmarshal(c.Body, &update, jsontext.AllowDuplicateNames(true)); err != nil {
		return fmt.Errorf("read the update of stream %s: %w", name, err)
	}
	err = s.opt.Streams.Edit(ctx, name, func(d *stream.Definition) (bool, error) {
		switch version := strconv.Itoa(d.Version); {
		case d.Status != stream.Active:
			return false, s.inTheWay(notUpdatable, d)
		case version != update.Version:
			return false, &versionError{version, update.Version}
		case update.DestinationID != destinationID:
			return false, &stream.Refusal{Message: fmt.Sprintf("Destination Id %s not found", update.DestinationID)}
		}
		changed, err := update.Apply(d, s.opt.Rules(ctx), s.opt.Now())
		if err != nil {
			return false, err
		}
		return changed, s.passRoles(ctx, c, d)
	})
	if err != nil {
		return s.explain(name, err)
	}
	c.Out = append(c.Out, "{}"...)
	return nil
}

func (s *Service) inTheWay(format string, d *stream.Definition) error {
	return &statusError{format, d.Name, s.opt.Account, string(d.Status)}
}

// passRoles asks whether the caller may hand the stream's roles to the service (spec section
// 2.3, step 5).
func (s *Service) passRoles(ctx context.Context, c *aws.Call, d *stream.Definition) error {
	for _, role := range d.S3.Roles() {
		if err := c.Authorize(ctx, "iam:PassRole", role); err != nil {
			return err
		}
	}
	return nil
}

package operate

import (
	"errors"

	"hydrant/internal/aws"
	"hydrant/internal/registry"
)

// Codes of the API.
const (
	notFound      = "ResourceNotFoundException"
	inUse         = "ResourceInUseException"
	paused        = "StreamPausedException"
	serialization = "SerializationException"
	validation    = "ValidationException"

	unknownKey = "UnrecognizedClientException" // of the framework
)

// explain turns an error about a stream into what the client is told. What it has no words
// for is logged by the server.
func (s *Service) explain(name string, err error) error {
	switch {
	case errors.Is(err, ErrNoStream), errors.Is(err, registry.ErrNotFound):
		return aws.Errorf(notFound, "Stream %s does not exist", name)
	case errors.Is(err, ErrPaused):
		return aws.Errorf(paused, "Stream %s is paused: it delivers nothing until it is resumed", name)
	case errors.Is(err, ErrNotActive):
		status := ""
		if d, ok := s.opt.Streams.Get(name); ok {
			status = ": it is " + string(d.Status)
		}
		return aws.Errorf(inUse, "Stream %s is not active%s", name, status)
	}
	return err
}

package logs

import (
	"errors"
	"net/http"

	"hydrant/internal/aws"
)

// What Service.Put may answer.
var (
	// ErrNoGroup says that there is no such log group.
	ErrNoGroup = errors.New("log group does not exist")
	// ErrNoStream says that there is no such log stream in the group.
	ErrNoStream = errors.New("log stream does not exist")
)

// errDamaged says that the file that names a group or stream cannot be read.
var errDamaged = errors.New("file that describes it is damaged")

// Codes of the API that more than one place gives out (spec neighbours.md section 6.2).
const (
	notFound      = "ResourceNotFoundException"
	exists        = "ResourceAlreadyExistsException"
	invalid       = "InvalidParameterException"
	validation    = "ValidationException"
	limitExceeded = "LimitExceededException"
)

// answer is what a client is told.
func answer(code, format string, args ...any) *aws.Error { return aws.Errorf(code, format, args...) }

// explain turns an error into what the client is told. What it has no words for is logged,
// and is the server's fault.
func (s *Service) explain(operation string, err error) error {
	var told *aws.Error
	switch {
	case errors.As(err, &told):
		return told
	case errors.Is(err, ErrNoGroup):
		return answer(notFound, "The specified log group does not exist.")
	case errors.Is(err, ErrNoStream):
		return answer(notFound, "The specified log stream does not exist.")
	}
	s.opt.Logger.Error("request failed", "operation", operation, "error", err)
	return &aws.Error{
		Code: "ServiceUnavailableException", Status: http.StatusServiceUnavailable,
		Message: "The service cannot complete the request.",
	}
}

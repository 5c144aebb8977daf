package glue

import (
	"errors"
	"fmt"
	"net/http"

	"hydrant/internal/aws"
)

// Codes of the API (spec neighbours.md section 3.2).
const (
	NotFound      = "EntityNotFoundException"
	Exists        = "AlreadyExistsException"
	Invalid       = "InvalidInputException"
	LimitExceeded = "ResourceNumberLimitExceededException"
	Modified      = "ConcurrentModificationException"
	Denied        = "AccessDeniedException"
	Throttled     = "ThrottlingException"
	internal      = "InternalServiceException"
)

// Error is a refusal by a catalogue, in its own words. The codes are those above, and
// whatever else a catalogue elsewhere may say.
type Error struct {
	Code    string
	Message string
}

// Error gives code and message.
func (e *Error) Error() string {
	if e.Message == "" {
		return e.Code
	}
	return e.Code + ": " + e.Message
}

func refuse(code, format string, args ...any) error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

func noDatabase(name string) error { return refuse(NotFound, "Database %s not found.", clip(name)) }

func noTable(name string) error { return refuse(NotFound, "Table %s not found.", clip(name)) }

// What is told of things that have no name of their own to tell.
var (
	errNoVersion    = refuse(NotFound, "Version not found.")
	errNoPartition  = refuse(NotFound, "Cannot find partition.")
	errHasDatabase  = refuse(Exists, "Database already exists.")
	errHasTable     = refuse(Exists, "Table already exists.")
	errHasPartition = refuse(Exists, "Partition already exists.")
	errModified     = refuse(Modified, "Update table failed due to concurrent modifications.")
	errFull         = refuse(LimitExceeded, "There is no room left on the disk of the catalogue.")
	errToken        = refuse(Invalid, "The token is not one that was given out.")
	errVersionID    = refuse(Invalid, "Version ids are decimal numbers.")
	errValueCount   = refuse(Invalid, "The number of partition keys do not match the number of partition values")
)

// answer is what a client is told. Glue's errors have their message under Message, with a
// capital M.
func answer(code, message string, status int) *aws.Error {
	e := &aws.Error{Code: code, Status: status}
	if message != "" {
		e.Extra = []aws.Field{{Name: "Message", Value: message}}
	}
	return e
}

// explain turns an error into what the client is told. What it has no words for is logged,
// and is the server's fault.
func (s *Service) explain(operation string, err error) error {
	var told *Error
	if errors.As(err, &told) {
		return answer(told.Code, told.Message, http.StatusBadRequest)
	}
	s.opt.Logger.Error("request failed", "operation", operation, "error", err)
	return answer(internal, "The catalogue cannot complete the request.", http.StatusInternalServerError)
}

package lambda

import (
	"errors"
	"net/http"

	"hydrant/internal/aws"
)

// What can be wrong with a request. Everything that happens inside a function is a failure
// in its Answer instead.
var (
	// ErrNotFound says that there is no function of this name and qualifier.
	ErrNotFound = errors.New("function not found")
	// ErrExists says that there is a function of this name already.
	ErrExists = errors.New("function already exist")
	// ErrInvalid says that a parameter is not what it has to be.
	ErrInvalid = errors.New("invalid parameter")
	// ErrZip says that a zip of code cannot be unpacked.
	ErrZip = errors.New("could not unzip uploaded file")
	// ErrTooLarge says that a payload is larger than a function may get.
	ErrTooLarge = errors.New("payload too large")
	// ErrBusy says that all workers are busy and too many calls wait for them already.
	ErrBusy = errors.New("too many calls wait for a worker")
	// ErrReserved says that as many calls run as were reserved for the function.
	ErrReserved = errors.New("reserved concurrency is exhausted")
	// ErrBacklog says that too many calls that nobody waits for are still to be done.
	ErrBacklog = errors.New("too many asynchronous calls wait")
	// ErrStorage says that there is no room for more code.
	ErrStorage = errors.New("code storage limit exceeded")
	// ErrRevision says that a function has changed since the revision that was named.
	ErrRevision = errors.New("function has another revision")
	// ErrClosed says that the service is shutting down.
	ErrClosed = errors.New("lambda is closed")
)

// words are what clients are told of the sentinels (spec neighbours.md 2.1 and 2.2). An
// empty message stands for the error's own text.
var words = []struct {
	is      error
	code    string
	status  int
	message string
	reason  string
}{
	{is: ErrZip, code: "InvalidParameterValueException", status: http.StatusBadRequest,
		message: "Could not unzip uploaded file. Please check your file, then try to upload again."},
	{is: ErrInvalid, code: "InvalidParameterValueException", status: http.StatusBadRequest},
	{is: ErrTooLarge, code: "RequestTooLargeException", status: http.StatusRequestEntityTooLarge},
	{is: ErrBusy, code: "TooManyRequestsException", status: http.StatusTooManyRequests,
		message: "Rate Exceeded.", reason: "ConcurrentInvocationLimitExceeded"},
	{is: ErrReserved, code: "TooManyRequestsException", status: http.StatusTooManyRequests,
		message: "Rate Exceeded.", reason: "ReservedFunctionConcurrentInvocationLimitExceeded"},
	{is: ErrBacklog, code: "TooManyRequestsException", status: http.StatusTooManyRequests,
		message: "Rate Exceeded.", reason: "FunctionInvocationRateLimitExceeded"},
	{is: ErrStorage, code: "CodeStorageExceededException", status: http.StatusBadRequest, message: "Code storage limit exceeded."},
	{is: ErrRevision, code: "PreconditionFailedException", status: http.StatusPreconditionFailed,
		message: "The RevisionId provided does not match the latest RevisionId. Call the GetFunction or the GetAlias API to retrieve the latest RevisionId"},
	{is: ErrClosed, code: "ServiceException", status: http.StatusInternalServerError,
		message: "The service is shutting down."},
}

// explain turns an error into what the client is told; nil means that there are no words.
func (s *Service) explain(t target, err error) *aws.Error {
	var told *aws.Error
	switch {
	case errors.As(err, &told):
		return told
	case errors.Is(err, ErrNotFound):
		return &aws.Error{Code: "ResourceNotFoundException", Status: http.StatusNotFound,
			Message: "Function not found: " + s.arnOf(t)}
	case errors.Is(err, ErrExists):
		return &aws.Error{Code: "ResourceConflictException", Status: http.StatusConflict,
			Message: "Function already exist: " + t.name}
	}
	for _, w := range words {
		if !errors.Is(err, w.is) {
			continue
		}
		e := &aws.Error{Code: w.code, Status: w.status, Message: w.message}
		if e.Message == "" {
			e.Message = err.Error()
		}
		if w.reason != "" {
			e.Extra = []aws.Field{{Name: "Reason", Value: w.reason}}
		}
		return e
	}
	return nil
}

// answer is an error in the API's words.
func answer(code string, status int, message string) *aws.Error {
	return &aws.Error{Code: code, Status: status, Message: message}
}

package firehose

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"hydrant/internal/aws"
	"hydrant/internal/ingest"
	"hydrant/internal/record"
	"hydrant/internal/registry"
	"hydrant/internal/stream"
)

// Sentinels of this room; the others are those of the rooms that return them.
var (
	// errNotActive: the stream takes no records in its status.
	errNotActive = errors.New("stream is not active")
	// errTooManyBytes: a batch holds more than 4 MiB of raw records.
	errTooManyBytes = errors.New("records exceed 4 MiB")
	// errTooManyCalls: an operation's quota of calls is used up for now.
	errTooManyCalls = errors.New("operation is called too often")
)

// slowDown is the message of every answer that means: nothing is wrong, send it again
// later (spec section 2.8).
const slowDown = "Slow down."

// rateExceeded says the same to those who call control operations (spec section 1.6).
const rateExceeded = "Rate exceeded"

// codes are the codes of the API that this file gives out (spec sections 1.5 and 1.6).
const (
	invalidArgument    = "InvalidArgumentException"
	invalidKMSResource = "InvalidKMSResourceException"
	limitExceeded      = "LimitExceededException"
	concurrentChange   = "ConcurrentModificationException"
	resourceInUse      = "ResourceInUseException"
	resourceNotFound   = "ResourceNotFoundException"
	serialization      = "SerializationException"
	serviceUnavailable = "ServiceUnavailableException"
	throttling         = "ThrottlingException"
	validation         = "ValidationException"
)

// explain turns an error about the stream of that name into what the client is told (spec
// section 2.13). Errors it has no words for stay as they are: the server logs them and
// tells the client InternalFailure.
func (s *Service) explain(name string, err error) error {
	account := s.opt.Account
	var (
		body    *serializationError
		refusal *stream.Refusal
		status  *registry.StatusError
		quota   *registry.QuotaError
		busy    *statusError
		version *versionError
		key     *record.KeyError
	)
	switch {
	case errors.As(err, &body):
		return answer(serialization, body.message)
	case errors.As(err, &refusal):
		return answer(cmp.Or(refusal.Code, invalidArgument), refusal.Message)
	case errors.As(err, &busy):
		return answer(resourceInUse, busy.Error())
	case errors.As(err, &version):
		return answer(concurrentChange, fmt.Sprintf("Cannot update firehose: %s since the current version id: %s and specified version id: %s do not match",
			name, version.current, version.specified))
	case errors.As(err, &key):
		return keyAnswer(key)
	case errors.Is(err, stream.ErrEncryptionCalls):
		return answer(limitExceeded, fmt.Sprintf("StartDeliveryStreamEncryption and StopDeliveryStreamEncryption can be called %d times for a Firehose in 24 hours.", stream.MaxEncryptionCalls))
	case errors.Is(err, stream.ErrTooManyTags):
		return answer(limitExceeded, "Maximum number of tags per delivery stream exceeded")
	case errors.Is(err, errTooManyBytes):
		return answer(invalidArgument, "Records size exceeds 4 MB limit")
	case errors.Is(err, errTooManyCalls):
		return answer(throttling, rateExceeded)
	case errors.As(err, &quota):
		return answer(limitExceeded, quotaMessage(quota))
	case errors.Is(err, registry.ErrExists):
		return answer(resourceInUse, fmt.Sprintf("Firehose %s under accountId %s already exists", name, account))
	case errors.As(err, &status):
		return answer(resourceInUse, fmt.Sprintf("Firehose %s under account %s cannot be deleted in %s state", name, account, status.Status))
	case errors.Is(err, registry.ErrNotFound):
		return answer(resourceNotFound, fmt.Sprintf("Firehose %s under account %s not found.", name, account))
	case errors.Is(err, errNotActive), errors.Is(err, ingest.ErrClosed):
		return answer(resourceNotFound, fmt.Sprintf("Firehose %s is not active in %s account.", name, account))
	case errors.Is(err, record.ErrThrottled), errors.Is(err, record.ErrNoSpace):
		return answer(serviceUnavailable, slowDown)
	}
	return err
}

// keyAnswer says that the key of the stream's encryption cannot be used. The member code
// names the KMS error in the form KMS.DisabledException (spec section 2.8).
func keyAnswer(key *record.KeyError) error {
	e := aws.Errorf(invalidKMSResource, "%s", key.Message)
	e.Extra = []aws.Field{{Name: "code", Value: "KMS." + strings.TrimPrefix(key.Code, "KMS")}}
	return e
}

func answer(code, message string) error {
	if message == "" {
		return aws.Errorf(code, "")
	}
	return aws.Errorf(code, "%s", message)
}

// maxNamedStreams bounds the list in the message of an exhausted quota; with AWS's quota of
// today it would have 5,000 names.
const maxNamedStreams = 100

func quotaMessage(q *registry.QuotaError) string {
	names, more := q.Names, ""
	if len(names) > maxNamedStreams {
		names, more = names[:maxNamedStreams], ", …"
	}
	return fmt.Sprintf("You have already consumed your firehose quota of %d hoses. Firehose names: [%s%s]",
		q.Quota, strings.Join(names, ", "), more)
}

// outOfMemory is what an operation answers when there was no room for its body.
func outOfMemory(operation string) *aws.Error {
	if operation == singlePut.action || operation == batchPut.action {
		return aws.Errorf(serviceUnavailable, slowDown)
	}
	return aws.Errorf(throttling, rateExceeded)
}

// err is the ValidationException of what was found; nil if nothing was.
func (v *violations) err() error {
	if len(v.found) == 0 {
		return nil
	}
	return answer(validation, v.message())
}

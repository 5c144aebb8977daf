package kms

import (
	"errors"
	"fmt"
	"net/http"

	"hydrant/internal/aws"
	"hydrant/internal/record"
)

// ErrWrongKey says that a blob was made with another key than the one that was named.
var ErrWrongKey = errors.New("ciphertext belongs to another key")

// Codes of the API that more than one place gives out (spec neighbours.md section 11.2).
const (
	notFound      = "NotFoundException"
	isOff         = "DisabledException"
	invalidState  = "KMSInvalidStateException"
	limitExceeded = "LimitExceededException"
	validation    = "ValidationException"
	unsupported   = "UnsupportedOperationException"
	internal      = "KMSInternalException"
)

// answer is what a client is told.
func answer(code, format string, args ...any) *aws.Error { return aws.Errorf(code, format, args...) }

// keyError says that a key cannot be used.
func keyError(code, format string, args ...any) error {
	return &record.KeyError{Code: code, Message: fmt.Sprintf(format, args...)}
}

func (s *Service) noKey(id string) error {
	return keyError(notFound, "Key '%s' does not exist", s.keyARN(id))
}

func (s *Service) noAlias(name string) error {
	return keyError(notFound, "Alias %s is not found.", s.arn(clip(name)))
}

func (s *Service) isDisabled(k *key) error { return keyError(isOff, "%s is disabled.", s.keyARN(k.ID)) }

func (s *Service) isPending(k *key) error {
	return keyError(invalidState, "%s is pending deletion.", s.keyARN(k.ID))
}

// explain turns an error into what the client is told. What it has no words for is logged,
// and is the server's fault.
func (s *Service) explain(operation string, err error) error {
	var told *aws.Error
	var key *record.KeyError
	switch {
	case errors.As(err, &told):
		return told
	case errors.As(err, &key):
		return answer(key.Code, "%s", key.Message)
	case errors.Is(err, ErrCiphertext):
		return answer("InvalidCiphertextException", "")
	case errors.Is(err, ErrWrongKey):
		return answer("IncorrectKeyException",
			"The key ID in the request does not identify a CMK that can perform this operation.")
	}
	s.opt.Logger.Error("request failed", "operation", operation, "error", err)
	code := internal
	if errors.Is(err, ErrDamaged) {
		code = "KeyUnavailableException"
	}
	return &aws.Error{Code: code, Status: http.StatusInternalServerError}
}

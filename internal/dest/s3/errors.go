package s3

import (
	"errors"
	"fmt"
	"net/http"

	smithyhttp "github.com/aws/smithy-go/transport/http"

	"hydrant/internal/record"
)

// kinds are the error codes that say something sure, whatever the status they come with.
var kinds = map[string]error{
	"NoSuchUpload":       record.ErrUploadGone,
	"NoSuchBucket":       record.ErrNoBucket,
	"AccessDenied":       record.ErrDenied,
	"InvalidAccessKeyId": record.ErrDenied,
	"ExpiredToken":       record.ErrDenied,
	"InvalidToken":       record.ErrDenied,
	"NotImplemented":     record.ErrDenied, // such as listing uploads, which some stores lack
	"MethodNotAllowed":   record.ErrDenied,
}

// keyRefusals are the codes by which a store says that it cannot use the KMS key it was told
// to encrypt with.
var keyRefusals = map[string]bool{
	"KMS.NotFoundException":        true,
	"KMS.DisabledException":        true,
	"KMS.KMSInvalidStateException": true,
	"KMS.InvalidStateException":    true,
	"KMS.InvalidKeyUsageException": true,
	"KMS.AccessDeniedException":    true,
}

// explain says what was being done to which object, wraps the sentinel of an error whose
// meaning is sure, and puts it into words for users. Every other error leaves it open
// whether the thing happened.
func explain(what string, o record.Object, err error) error {
	if err == nil {
		return nil
	}
	if kind := kindOf(err); kind != nil && !errors.Is(err, kind) {
		err = fmt.Errorf("%w: %w", kind, err)
	}
	return complain(fmt.Errorf("%s s3://%s/%s: %w", what, o.Bucket, o.Key, err))
}

// explainWrite is explain for calls that bring bytes or begin an upload. A store that cannot
// use the key cannot store those bytes, so that nothing has changed is sure. It is not so
// when an upload is completed: the call may be a repeated one, and the first have succeeded.
func explainWrite(what string, o record.Object, err error) error {
	if s := status(err); keyRefusals[codeOf(err)] && s >= 400 && s < 500 {
		err = fmt.Errorf("%w: %w", record.ErrDenied, err)
	}
	return explain(what, o, err)
}

// kindOf returns the sentinel for an error, nil if its meaning is open.
func kindOf(err error) error {
	if kind, ok := kinds[codeOf(err)]; ok {
		return kind
	}
	if status(err) == http.StatusForbidden {
		return record.ErrDenied
	}
	return nil
}

// status is the HTTP status that came with an error; 0 if there was no answer.
func status(err error) int {
	var resp *smithyhttp.ResponseError
	if errors.As(err, &resp) {
		return resp.HTTPStatusCode()
	}
	return 0
}

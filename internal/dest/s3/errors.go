package s3

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/aws/smithy-go"
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

// explain says what was being done to which object, and wraps the sentinel of an error
// whose meaning is sure. Every other error leaves it open whether the thing happened.
func explain(what string, o record.Object, err error) error {
	if err == nil {
		return nil
	}
	if kind := kindOf(err); kind != nil && !errors.Is(err, kind) {
		return fmt.Errorf("%s s3://%s/%s: %w: %w", what, o.Bucket, o.Key, kind, err)
	}
	return fmt.Errorf("%s s3://%s/%s: %w", what, o.Bucket, o.Key, err)
}

// kindOf returns the sentinel for an error, nil if its meaning is open.
func kindOf(err error) error {
	var api smithy.APIError
	if errors.As(err, &api) {
		if kind, ok := kinds[api.ErrorCode()]; ok {
			return kind
		}
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

package s3

import (
	"context"
	"errors"
	"fmt"

	"hydrant/internal/aws"
	"hydrant/internal/durable"
)

// The errors of this store, with the codes, statuses and words of the Amazon S3 API
// reference ("List of error codes").
var (
	errAccessDenied       = &aws.Error{Code: "AccessDenied", Status: 403, Message: "Access Denied"}
	errACLNotSupported    = &aws.Error{Code: "AccessControlListNotSupported", Status: 400, Message: "The bucket does not allow ACLs"}
	errBadDigest          = &aws.Error{Code: "BadDigest", Status: 400, Message: "The Content-MD5 or checksum value that you specified did not match what the server received."}
	errBucketExists       = &aws.Error{Code: "BucketAlreadyOwnedByYou", Status: 409, Message: "Your previous request to create the named bucket succeeded and you already own it."}
	errBucketNotEmpty     = &aws.Error{Code: "BucketNotEmpty", Status: 409, Message: "The bucket you tried to delete is not empty"}
	errDiskFull           = &aws.Error{Code: "ServiceUnavailable", Status: 503, Message: "The disk of this object store is full. Nothing was stored; free some space and send the request again."}
	errEntityTooLarge     = &aws.Error{Code: "EntityTooLarge", Status: 400, Message: "Your proposed upload exceeds the maximum allowed size"}
	errEntityTooSmall     = &aws.Error{Code: "EntityTooSmall", Status: 400, Message: "Your proposed upload is smaller than the minimum allowed size"}
	errIncompleteBody     = &aws.Error{Code: "IncompleteBody", Status: 400, Message: "You did not provide the number of bytes specified by the Content-Length HTTP header"}
	errInternal           = &aws.Error{Code: "InternalError", Status: 500, Message: "We encountered an internal error. Please try again."}
	errInvalidArgument    = &aws.Error{Code: "InvalidArgument", Status: 400, Message: "Invalid Argument"}
	errInvalidBucketName  = &aws.Error{Code: "InvalidBucketName", Status: 400, Message: "The specified bucket is not valid."}
	errInvalidDigest      = &aws.Error{Code: "InvalidDigest", Status: 400, Message: "The Content-MD5 you specified is not valid."}
	errInvalidPart        = &aws.Error{Code: "InvalidPart", Status: 400, Message: "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag."}
	errInvalidPartNumber  = &aws.Error{Code: "InvalidPartNumber", Status: 416, Message: "The requested partnumber is not satisfiable"}
	errInvalidPartOrder   = &aws.Error{Code: "InvalidPartOrder", Status: 400, Message: "The list of parts was not in ascending order. The parts list must be specified in order by part number."}
	errInvalidRange       = &aws.Error{Code: "InvalidRange", Status: 416, Message: "The requested range is not satisfiable"}
	errInvalidRequest     = &aws.Error{Code: "InvalidRequest", Status: 400, Message: "Invalid Request"}
	errInvalidURI         = &aws.Error{Code: "InvalidURI", Status: 400, Message: "Couldn't parse the specified URI."}
	errKeyTooLong         = &aws.Error{Code: "KeyTooLongError", Status: 400, Message: "Your key is too long"}
	errMalformedXML       = &aws.Error{Code: "MalformedXML", Status: 400, Message: "The XML you provided was not well-formed or did not validate against our published schema"}
	errMetadataTooLarge   = &aws.Error{Code: "MetadataTooLarge", Status: 400, Message: "Your metadata headers exceed the maximum allowed metadata size"}
	errMethodNotAllowed   = &aws.Error{Code: "MethodNotAllowed", Status: 405, Message: "The specified method is not allowed against this resource."}
	errNoSuchBucket       = &aws.Error{Code: "NoSuchBucket", Status: 404, Message: "The specified bucket does not exist"}
	errNoSuchKey          = &aws.Error{Code: "NoSuchKey", Status: 404, Message: "The specified key does not exist."}
	errNoSuchUpload       = &aws.Error{Code: "NoSuchUpload", Status: 404, Message: "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed."}
	errNotImplemented     = &aws.Error{Code: "NotImplemented", Status: 501, Message: "A header or query you provided implies functionality that is not implemented"}
	errNotModified        = &aws.Error{Code: "NotModified", Status: 304, Message: "Not Modified"}
	errPreconditionFailed = &aws.Error{Code: "PreconditionFailed", Status: 412, Message: "At least one of the pre-conditions you specified did not hold"}
	errRequestTimeout     = &aws.Error{Code: "RequestTimeout", Status: 400, Message: "Your socket connection to the server was not read from or written to within the timeout period."}
)

// with is the same error with one more element in its document.
func with(e *aws.Error, name, value string) *aws.Error {
	c := *e
	c.Extra = append(c.Extra[:len(c.Extra):len(c.Extra)], aws.Field{Name: name, Value: value})
	return &c
}

// saying is the same error in other words.
func saying(e *aws.Error, format string, args ...any) *aws.Error {
	c := *e
	c.Message = fmt.Sprintf(format, args...)
	return &c
}

// badArgument says what is wrong with a header or a query parameter.
func badArgument(name, value, format string, args ...any) error {
	return with(with(saying(errInvalidArgument, format, args...), "ArgumentName", name), "ArgumentValue", value)
}

// unimplemented names the header or query that asks for what is not built.
func unimplemented(what string) error {
	return with(saying(errNotImplemented, "%s is not implemented by this object store", what), "Header", what)
}

// is reports whether err wraps an error of target's code.
func is(err error, target *aws.Error) bool {
	var e *aws.Error
	return errors.As(err, &e) && e.Code == target.Code
}

// apiError finds what to tell the client of err. hidden says that it is less than err
// says, so that the log should have the rest.
func apiError(err error) (e *aws.Error, hidden bool) {
	switch {
	case errors.As(err, &e):
		return e, false
	case errors.Is(err, durable.ErrNoSpace):
		return errDiskFull, true
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return errRequestTimeout, false
	case errors.Is(err, errBody):
		return errIncompleteBody, false
	}
	return errInternal, true
}

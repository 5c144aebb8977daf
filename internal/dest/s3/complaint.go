package s3

import (
	"context"
	"errors"
	"net/http"

	"github.com/aws/smithy-go"

	"hydrant/internal/record"
)

// words are the code and the message that users are told (spec firehose.md section 12.4).
type words struct{ code, message string }

var (
	internal = words{"InternalError", "An internal error occurred while attempting to deliver data. Delivery will be retried; if the error persists, then it will be reported to AWS for resolution."}
	denied   = words{"S3.AccessDenied", "Access was denied. Ensure that the trust policy for the provided IAM role allows Kinesis Data Firehose to assume the role, and the access policy allows access to the S3 bucket."}
	slowDown = words{"S3.SlowDown", "Amazon S3 asked for fewer requests. Delivery will be retried."}

	allAccessDisabled = "Access to the account provided has been disabled. Contact AWS Support."
	keyThrottled      = words{"S3.KMS.RequestLimitExceeded", "The KMS request per second limit was exceeded while attempting to encrypt S3 objects. Increase the request per second limit."}
	keyNotFound       = words{"S3.KMS.NotFoundException", "The provided AWS KMS key was not found. If you are using what you believe to be a valid AWS KMS key with the correct role, check if there is a problem with the account to which the AWS KMS key is attached."}
	keyState          = words{"S3.KMS.InvalidStateException", "The provided AWS KMS key is in a state in which it cannot be used, such as pending deletion. Cancel the deletion or use a different key."}
	asymmetric        = words{"S3.KMS.AsymmetricCMKNotSupported", "The provided AWS KMS key is not a symmetric encryption key. Use a symmetric encryption key."}
	badToken          = words{"S3.InvalidToken", "The provided token is malformed or has expired. Provide valid credentials."}
	wrongPlace        = words{"S3.IllegalLocationConstraintException", "The bucket is in another region than the one it was accessed in. Use a bucket in the region of the delivery stream."}
)

// complaints are the words for the codes of stores.
var complaints = map[string]words{
	"NoSuchBucket":          {"S3.NoSuchBucket", "The specified bucket does not exist. Create the bucket or use a different bucket that does exist."},
	"AccessDenied":          denied,
	"InvalidAccessKeyId":    denied,
	"SignatureDoesNotMatch": denied,
	"AccountProblem":        {"S3.AccountProblem", "There is a problem with your AWS account that prevents the operation from completing successfully. Contact AWS Support."},
	"AllAccessDisabled":     {"S3.AllAccessDisabled", allAccessDisabled},
	"InvalidPayer":          {"S3.InvalidPayer", allAccessDisabled},
	"NotSignedUp":           {"S3.NotSignedUp", "The account is not signed up for Amazon S3. Sign the account up or use a different account."},
	"MethodNotAllowed":      {"S3.MethodNotAllowed", "The specified method is not allowed against this resource. Modify the bucket’s policy to allow the correct Amazon S3 operation permissions."},
	"SlowDown":              slowDown,
	"InvalidToken":          badToken,
	"ExpiredToken":          badToken,

	"IllegalLocationConstraintException": wrongPlace,
	"PermanentRedirect":                  wrongPlace,

	"KMS.NotFoundException":               keyNotFound,
	"KMS.DisabledException":               {"S3.KMS.KeyDisabled", "The provided AWS KMS key is disabled. Enable the key or use a different key."},
	"KMS.KMSInvalidStateException":        keyState,
	"KMS.InvalidStateException":           keyState,
	"KMS.InvalidKeyUsageException":        asymmetric,
	"KMS.UnsupportedOperationException":   asymmetric,
	"KMS.AccessDeniedException":           denied,
	"KMS.ThrottlingException":             keyThrottled,
	"KMS.LimitExceededException":          keyThrottled,
	"KMS.RequestLimitExceededException":   keyThrottled,
	"KMS.KeyNotConfigured":                {"S3.KMS.KeyNotConfigured", "No AWS KMS key is configured for the encryption that was asked for. Configure a key."},
	"KMSKeyNotConfigured":                 {"S3.KMS.KeyNotConfigured", "No AWS KMS key is configured for the encryption that was asked for. Configure a key."},
	"InvalidPrefixConfigurationException": {"S3.InvalidPrefixConfigurationException", "The prefix of the object is not valid. Correct the prefix configuration of the delivery stream."},
}

// complain puts an error into words for users. A call that was given up by its caller is
// nobody's complaint.
func complain(err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	w := wordsFor(err)
	return &record.Complaint{Code: w.code, Message: w.message, Err: err}
}

// wordsFor goes by the store's code, then by the meaning that we found, then by the status,
// which is all that the answer to a HEAD has.
func wordsFor(err error) words {
	if w, ok := complaints[codeOf(err)]; ok {
		return w
	}
	switch {
	case errors.Is(err, record.ErrNoBucket):
		return complaints["NoSuchBucket"]
	case status(err) == http.StatusForbidden:
		return denied
	case status(err) == http.StatusMovedPermanently:
		return wrongPlace
	case status(err) == http.StatusMethodNotAllowed:
		return complaints["MethodNotAllowed"]
	case status(err) == http.StatusServiceUnavailable, status(err) == http.StatusTooManyRequests:
		return slowDown
	}
	return internal
}

// codeOf is the store's code of an error; empty if it gave none.
func codeOf(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

package aws

import (
	"fmt"
	"net/http"
)

// Error is an answer to a request that cannot be served, in the words of its protocol.
type Error struct {
	Code    string
	Message string // empty: the body has no message member
	Status  int
	Extra   []Field // further members (JSON) or elements (XML)
}

// Field is a named text in the body of an error.
type Field struct{ Name, Value string }

// Error gives code and message.
func (e *Error) Error() string {
	if e.Message == "" {
		return e.Code
	}
	return e.Code + ": " + e.Message
}

// statuses are the HTTP statuses of JSON 1.1 error codes other than 400 (spec firehose.md
// sections 1.5 and 1.6).
var statuses = map[string]int{
	"InternalFailure":                http.StatusInternalServerError,
	"OptInRequired":                  http.StatusForbidden,
	"RequestEntityTooLargeException": http.StatusRequestEntityTooLarge,
	"RequestTimeoutException":        http.StatusRequestTimeout,
	"ServiceUnavailable":             http.StatusServiceUnavailable,
	"ServiceUnavailableException":    http.StatusInternalServerError,
}

// Errorf makes an error of a JSON 1.1 service, with the status that belongs to the code. An
// empty format makes one without a message.
func Errorf(code, format string, args ...any) *Error {
	status, ok := statuses[code]
	if !ok {
		status = http.StatusBadRequest
	}
	return &Error{Code: code, Message: fmt.Sprintf(format, args...), Status: status}
}

// protocol is how a service signs, and which codes its errors carry.
type protocol uint8

const (
	json11 protocol = iota // JSON 1.1: paths are normalised and encoded twice, errors are 400
	s3Rest                 // S3: paths as they are, payload modes, errors have statuses
)

// problem is a reason to turn a request away before a service sees it.
type problem uint8

const (
	noSignature     problem = iota // no Authorization header, no query signature
	badSignature                   // Authorization cannot be read
	badQuery                       // the parameters of a presigned request cannot be read
	badScope                       // date, region, service or terminator of the scope
	twoSignatures                  // a header and a query signature
	unknownKey                     // nobody has this access key id
	badToken                       // the session token does not fit the key
	expiredToken                   // the session is over
	skewed                         // signed too early or too late
	expired                        // a presigned request after its time
	headersUnsigned                // headers that had to be signed are not
	mismatch                       // the signature is another
	bodyMismatch                   // the body is not the one that was signed
	payloadMissing                 // S3: no x-amz-content-sha256
	payloadUnknown                 // S3: x-amz-content-sha256 is none of its modes
	denied                         // verified, and not allowed
)

// mismatchText is what AWS says when a signature is wrong.
const mismatchText = "The request signature we calculated does not match the signature you provided. " +
	"Check your AWS Secret Access Key and signing method. Consult the service documentation for details."

// dialect says how a problem is told by each protocol (spec neighbours.md 10.6). JSON 1.1
// errors are all 400 and carry the given message, or jsonText where that is empty; S3 has
// statuses and fixed texts of its own, or the given message where s3Text is empty.
type dialect struct {
	json, jsonText string
	s3             string
	s3Status       int
	s3Text         string
}

var dialects = [...]dialect{
	noSignature: {"MissingAuthenticationTokenException", "Missing Authentication Token",
		"AccessDenied", http.StatusForbidden, "Access Denied"},
	badSignature:  {"IncompleteSignatureException", "", "AuthorizationHeaderMalformed", http.StatusBadRequest, ""},
	badQuery:      {"IncompleteSignatureException", "", "AuthorizationQueryParametersError", http.StatusBadRequest, ""},
	badScope:      {"InvalidSignatureException", "", "AuthorizationHeaderMalformed", http.StatusBadRequest, ""},
	twoSignatures: {"IncompleteSignatureException", "", "InvalidArgument", http.StatusBadRequest, ""},
	unknownKey: {"UnrecognizedClientException", "The security token included in the request is invalid.",
		"InvalidAccessKeyId", http.StatusForbidden, "The AWS Access Key Id you provided does not exist in our records."},
	badToken: {"UnrecognizedClientException", "The security token included in the request is invalid.",
		"InvalidToken", http.StatusBadRequest, "The provided token is malformed or otherwise invalid."},
	expiredToken: {"ExpiredTokenException", "The security token included in the request is expired",
		"ExpiredToken", http.StatusBadRequest, "The provided token has expired."},
	skewed: {"InvalidSignatureException", "",
		"RequestTimeTooSkewed", http.StatusForbidden, "The difference between the request time and the current time is too large."},
	expired:         {"InvalidSignatureException", "", "AccessDenied", http.StatusForbidden, "Request has expired"},
	headersUnsigned: {"InvalidSignatureException", "", "AccessDenied", http.StatusForbidden, "There were headers present in the request which were not signed"},
	mismatch: {"InvalidSignatureException", mismatchText, "SignatureDoesNotMatch", http.StatusForbidden,
		"The request signature we calculated does not match the signature you provided. Check your key and signing method."},
	bodyMismatch: {"InvalidSignatureException", mismatchText, "XAmzContentSHA256Mismatch", http.StatusBadRequest,
		"The provided 'x-amz-content-sha256' header does not match what was computed."},
	payloadMissing: {"InvalidSignatureException", mismatchText, "InvalidRequest", http.StatusBadRequest,
		"Missing required header for this request: x-amz-content-sha256"},
	payloadUnknown: {"InvalidSignatureException", mismatchText, "InvalidArgument", http.StatusBadRequest,
		"x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, " +
			"STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value."},
	denied: {"AccessDeniedException", "", "AccessDenied", http.StatusForbidden, ""},
}

// refusal is a problem before it is told in the words of a protocol.
type refusal struct {
	problem problem
	message string
	extra   []Field // told by S3 only: JSON 1.1 errors of the framework have no further members
}

// refuse makes a refusal; an empty message leaves the wording to the dialect.
func refuse(what problem, message string, extra ...Field) *refusal {
	return &refusal{what, message, extra}
}

// error tells a refusal in the protocol's words.
func (p protocol) error(r *refusal) *Error {
	d := dialects[r.problem]
	if p == s3Rest {
		e := &Error{Code: d.s3, Message: d.s3Text, Status: d.s3Status, Extra: r.extra}
		if e.Message == "" {
			e.Message = r.message
		}
		return e
	}
	e := &Error{Code: d.json, Message: r.message, Status: http.StatusBadRequest}
	if e.Message == "" {
		e.Message = d.jsonText
	}
	return e
}

package aws

import (
	"cmp"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// RemoteError is a refusal by a service elsewhere.
type RemoteError struct {
	Code    string // as in Error.Code; empty if the answer has none
	Message string
	Status  int // of HTTP
}

// Error gives code, message and status, as far as they are known.
func (e *RemoteError) Error() string {
	switch {
	case e.Code == "":
		return fmt.Sprintf("status %d: %s", e.Status, e.Message)
	case e.Message == "":
		return fmt.Sprintf("%s (status %d)", e.Code, e.Status)
	}
	return fmt.Sprintf("%s: %s (status %d)", e.Code, e.Message, e.Status)
}

// decodeAnswer reads an answer into out.
func decodeAnswer(header http.Header, body []byte, out any) error {
	if out == nil {
		return nil
	}
	// The decoder's own error may quote what it read, and that may be a key.
	if err := json.Unmarshal(body, out); err != nil {
		return fmt.Errorf("%w: status 200 with %s%s", ErrBadAnswer, kindOf(header, body), placeOf(err))
	}
	return nil
}

// lenient reads errors of all who speak the protocol roughly.
var lenient = json.JoinOptions(json.MatchCaseInsensitiveNames(true),
	jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))

// decodeRefusal reads an error in the JSON 1.1 form (spec firehose.md section 1.4), and
// makes one of whatever else has a status that is not 200. keys are what was signed with:
// some services tell in an error what should have been signed, the session token too.
func decodeRefusal(status int, header http.Header, body []byte, keys KeyPair) *RemoteError {
	var e struct {
		Type    string `json:"__type"`
		Code    string `json:"code"`
		Message string `json:"message"`
	}
	// Of an answer in another form, the header may still name the error.
	if json.Unmarshal(body, &e, lenient) != nil {
		e.Type, e.Code, e.Message = "", "", "the answer is "+kindOf(header, body)
	}
	code := cmp.Or(bareCode(header.Get("X-Amzn-Errortype")), bareCode(e.Type), bareCode(e.Code))
	if code == "" && e.Message == "" {
		e.Message = "the answer names no error"
	}
	for _, secret := range []Secret{keys.Secret, keys.Token} {
		if secret != "" {
			code = strings.ReplaceAll(code, string(secret), redacted)
			e.Message = strings.ReplaceAll(e.Message, string(secret), redacted)
		}
	}
	return &RemoteError{Code: shorten(code, maxRemoteCode), Message: shorten(e.Message, maxRemoteMessage), Status: status}
}

// bareCode takes a code out of its surroundings: com.amazonaws.kms#DisabledException and
// DisabledException:http://internal.amazon.com/ are the same.
func bareCode(code string) string {
	code, _, _ = strings.Cut(code, ":")
	return code[strings.LastIndexByte(code, '#')+1:]
}

// What is kept of a refusal goes to logs and to clients, and is not ours.
const (
	maxRemoteCode    = 128
	maxRemoteMessage = 1024
)

// shorten makes a text valid UTF-8 and no longer than most bytes.
func shorten(text string, most int) string {
	text = strings.ToValidUTF8(text, "�")
	if len(text) <= most {
		return text
	}
	for !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most]
}

// kindOf says what a body is that cannot be read.
func kindOf(header http.Header, body []byte) string {
	kind, _, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil {
		kind = "unknown type"
	}
	return fmt.Sprintf("%d bytes of %s", len(body), shorten(kind, maxRemoteCode))
}

// placeOf says where the reading of JSON ended.
func placeOf(err error) string {
	var syntax *jsontext.SyntacticError
	var meaning *json.SemanticError
	switch {
	case errors.As(err, &syntax):
		return fmt.Sprintf(", no JSON from byte %d on", syntax.ByteOffset)
	case errors.As(err, &meaning):
		return fmt.Sprintf(", other JSON than expected at byte %d", meaning.ByteOffset)
	}
	return ""
}

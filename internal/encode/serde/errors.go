package serde

import (
	"errors"
	"unicode/utf8"
)

// The codes of failures (spec section 6.6).
const (
	CodeParse     = "DataFormatConversion.ParseError"
	CodeMalformed = "DataFormatConversion.MalformedData"
	CodeSchema    = "DataFormatConversion.InvalidSchema"
)

// Errors of NewOpenX, NewHive and CheckTimestampFormats. What is returned has the text that
// callers of the API are shown.
var (
	// ErrInvalidSchema: the deserializer does not support the type of a column.
	ErrInvalidSchema = errors.New("the schema is invalid")
	// ErrInvalidOptions: an option of the deserializer is not valid.
	ErrInvalidOptions = errors.New("invalid deserializer options")
)

// Error says why a document did not become a row: lastErrorCode and lastErrorMessage of the
// error output (spec section 6.6).
type Error struct{ Code, Message string }

// Error is the message.
func (e *Error) Error() string { return e.Message }

// Is makes errors of the schema ErrInvalidSchema.
func (e *Error) Is(target error) bool { return target == ErrInvalidSchema && e.Code == CodeSchema }

// optionsError is an ErrInvalidOptions with the text of AWS.
type optionsError string

func (e optionsError) Error() string        { return string(e) }
func (e optionsError) Is(target error) bool { return target == ErrInvalidOptions }

// The messages of section 6.6, and the starts of those that go on.
const (
	textMalformed = "Encountered malformed JSON. "
	textMisfit    = "Data does not match the schema. "
	textEmpty     = "The record was empty or contained only whitespace."
	textPrimitive = "The input JSON contained a primitive at the top level. The top level must be an object or array."
	textRoot      = "One or more fields have incorrect format. Exception when validating field (root)"
	textSchema    = "The schema is invalid. One or more columns have types that are not supported by org.openx.data.JsonSerDe"
	textOpenX     = "Invalid deserializer option(s): "
	textHive      = "One or more SerDe options are invalid for org.apache.hcatalog.data.JsonSerDe: "
)

// maxQuoted is how many bytes of a value a message shows.
const maxQuoted = 500

// shown is the part of a value that a message shows, cut between characters.
func shown(value []byte) string {
	if len(value) <= maxQuoted {
		return string(value)
	}
	n := maxQuoted
	for n > 0 && !utf8.RuneStart(value[n]) {
		n--
	}
	return string(value[:n]) + "..."
}

// fault is why reading a document stopped.
type fault struct {
	kind    faultKind
	at      int    // of malformed JSON: where
	message string // without its start
}

type faultKind uint8

const (
	misfit faultKind = iota
	malformed
	repeated // a key came twice; nothing is wrong, but the row is to be read carefully
	whole    // as misfit, but message is the whole text
)

// misfits stops the document with a text of section 6.3.
func (r *Reader) misfits(message string) int {
	r.fault = fault{kind: misfit, message: message}
	return -1
}

// misfitsWhole stops the document with a whole message.
func (r *Reader) misfitsWhole(message string) int {
	r.fault = fault{kind: whole, message: message}
	return -1
}

// noInput stops the document because of a value that Java could not parse.
func (r *Reader) noInput(value []byte) int {
	return r.misfits(`For input string: "` + shown(value) + `"`)
}

// error is the fault in the words of the error output.
func (r *Reader) error(from int) *Error {
	switch r.fault.kind {
	case malformed:
		return &Error{CodeParse, textMalformed + r.fault.message + place(r.data[from:], r.fault.at-from)}
	case whole:
		return &Error{CodeMalformed, r.fault.message}
	}
	return &Error{CodeMalformed, textMisfit + r.fault.message}
}

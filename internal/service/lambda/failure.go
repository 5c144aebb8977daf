package lambda

import (
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
)

// Kinds of failures, as programs read them in errorType (spec neighbours.md 2.4).
const (
	kindEntrypoint = "Runtime.InvalidEntrypoint"
	kindExit       = "Runtime.ExitError"
	kindInit       = "Runtime.InitError"
	kindTooLarge   = "Function.ResponseSizeTooLarge"
)

// unhandled is the value of FunctionError: newer runtimes know no other.
const unhandled = "Unhandled"

// failure writes the document that an invoker gets in place of a function's answer.
func failure(kind, message string) []byte {
	text, err := json.Marshal(struct {
		Type    string `json:"errorType,omitempty"`
		Message string `json:"errorMessage"`
	}{kind, message}, json.Deterministic(true))
	if err != nil { // the texts were not UTF-8
		return []byte(`{"errorMessage":"the function failed"}`)
	}
	return text
}

// exited tells that the process ended during a call.
func exited(id, how string) []byte {
	text := "RequestId: " + id + " Error: Runtime exited without providing a reason"
	if how != "" {
		text = "RequestId: " + id + " Error: Runtime exited with error: " + how
	}
	return failure(kindExit, text)
}

// timedOut tells that the function's time was up.
func timedOut(id string, at time.Time, limit time.Duration) []byte {
	return failure("", timeoutLine(id, at, limit))
}

func timeoutLine(id string, at time.Time, limit time.Duration) string {
	return fmt.Sprintf("%s %s Task timed out after %.2f seconds",
		at.UTC().Format("2006-01-02T15:04:05.000Z"), id, limit.Seconds())
}

// noEntry tells that there was nothing to run.
func noEntry(id string, err error) []byte {
	return failure(kindEntrypoint, "RequestId: "+id+" Error: "+err.Error())
}

// tooLargeAnswer tells that the function answered more than it may.
func tooLargeAnswer(size int64) []byte {
	return failure(kindTooLarge, fmt.Sprintf(
		"Response payload size (%d bytes) exceeded maximum allowed payload size (%d bytes).", size, MaxPayload))
}

// tooLargeInitError stands for what a process said when it could not start, which was more
// than it may say.
func tooLargeInitError(size int64) []byte {
	return failure(kindInit, fmt.Sprintf(
		"The runtime reported an error during init in %d bytes, more than the maximum allowed payload size (%d bytes).", size, MaxPayload))
}

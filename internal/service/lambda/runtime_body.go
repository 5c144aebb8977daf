package lambda

import (
	"bytes"
	"encoding/base64"
	"io"
	"net/http"

	"github.com/go-json-experiment/json"
)

// MaxPayload is the most that a function may be given or answer, bytes (spec neighbours.md 2.1).
const MaxPayload = 6<<20 + 100

// readAnswer reads what a process posts. Of a body that is too large only the size is
// returned. hint is how large a body of unknown length may be expected to be.
func readAnswer(r *http.Request, hint int) (body []byte, size int64, err error) {
	switch {
	case r.ContentLength > MaxPayload:
		size, err = io.Copy(io.Discard, r.Body)
		return nil, size, err
	case r.ContentLength >= 0:
		body = make([]byte, r.ContentLength)
		_, err = io.ReadFull(r.Body, body)
		return body, r.ContentLength, err
	}
	var b bytes.Buffer
	b.Grow(hint + bytes.MinRead) // so that one as large as the last is read without a copy
	if size, err = b.ReadFrom(io.LimitReader(r.Body, MaxPayload+1)); err != nil {
		return nil, size, err
	}
	if size > MaxPayload {
		more, err := io.Copy(io.Discard, r.Body)
		return nil, size + more, err
	}
	return b.Bytes(), size, nil
}

// trailing returns the error that came behind an answer; nil if none did.
func trailing(trailer http.Header) []byte {
	kind := trailer.Get("Lambda-Runtime-Function-Error-Type")
	if kind == "" {
		return nil
	}
	text, err := base64.StdEncoding.DecodeString(trailer.Get("Lambda-Runtime-Function-Error-Body"))
	if err != nil || len(text) == 0 {
		return failure(kind, "The function failed while it answered.")
	}
	return text
}

// reply answers a process. The client of the Python and Node runtimes needs a Content-Type.
func reply(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// Who is not there any more to read this is found out by its worker.
	_, _ = io.WriteString(w, body)
}

// refuseRuntime answers a process with an error.
func refuseRuntime(w http.ResponseWriter, status int, kind, message string) {
	text, err := json.Marshal(struct {
		Message string `json:"errorMessage"`
		Type    string `json:"errorType"`
	}{message, kind})
	if err != nil {
		text = nil // all texts here are ours, and can be encoded
	}
	reply(w, status, string(text))
}

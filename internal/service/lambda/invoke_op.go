package lambda

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"mime"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Limits of a call's headers, bytes; that of X-Amz-Client-Context is of what it decodes to
// (spec neighbours.md 2.1).
const (
	maxClientContext = 3583
	maxTrace         = 1024
	maxTenant        = 256
)

// invokeFunction serves Invoke.
func (s *Service) invokeFunction(q *request) (int, any, error) {
	if err := s.allow(q, "InvokeFunction"); err != nil {
		return 0, nil, err
	}
	c, err := newCall(q)
	if err != nil {
		return 0, nil, err
	}
	tail := q.Header.Get("X-Amz-Log-Type")
	if tail != "" && tail != "None" && tail != "Tail" {
		return 0, nil, fmt.Errorf("%w: %s is no log type", ErrInvalid, clip(tail))
	}
	switch kind := q.Header.Get("X-Amz-Invocation-Type"); kind {
	case "", "RequestResponse":
		return s.answerCall(q, c, tail == "Tail")
	case "DryRun":
		_, err := s.resolve(q.target)
		return http.StatusNoContent, nil, err
	case "Event":
		return http.StatusAccepted, nil, s.enqueue(q.target, c)
	default:
		return 0, nil, fmt.Errorf("%w: %s is no invocation type", ErrInvalid, clip(kind))
	}
}

// invokeAsync serves InvokeAsync, which Invoke's type Event has replaced.
func (s *Service) invokeAsync(q *request) (int, any, error) {
	if err := s.allow(q, "InvokeFunction"); err != nil {
		return 0, nil, err
	}
	c, err := newCall(q)
	if err == nil {
		err = s.enqueue(q.target, c)
	}
	return http.StatusAccepted, map[string]int{"Status": http.StatusAccepted}, err
}

// answerCall does a call and answers with what came of it.
func (s *Service) answerCall(q *request, c *call, tail bool) (int, any, error) {
	a, err := s.invoke(q.Context(), q.target, c)
	if err != nil {
		return 0, nil, err
	}
	q.answer.Set("X-Amz-Executed-Version", a.Version)
	if a.FunctionError != "" {
		q.answer.Set("X-Amz-Function-Error", a.FunctionError)
	}
	if tail {
		q.answer.Set("X-Amz-Log-Result", base64.StdEncoding.EncodeToString(a.Log))
	}
	if len(a.Payload) == 0 {
		a.Payload = []byte("null")
	}
	return http.StatusOK, raw(a.Payload), nil
}

// newCall makes a call of a request. The payload is copied: a call may outlive its request.
func newCall(q *request) (*call, error) {
	if err := checkPayload(q); err != nil {
		return nil, err
	}
	trace, tenant := q.Header.Get("X-Amzn-Trace-Id"), q.Header.Get("X-Amz-Tenant-Id")
	if len(trace) > maxTrace || len(tenant) > maxTenant {
		return nil, fmt.Errorf("%w: a trace id may have %d bytes, and a tenant id %d", ErrInvalid, maxTrace, maxTenant)
	}
	c := &call{
		id: q.caller.RequestID, payload: bytes.Clone(q.body),
		trace: trace, tenant: tenant,
	}
	if text := q.Header.Get("X-Amz-Client-Context"); text != "" {
		context, err := base64.StdEncoding.DecodeString(text)
		if err != nil || len(context) > maxClientContext || !jsontext.Value(context).IsValid() {
			return nil, fmt.Errorf("%w: the client context must be base64 of at most %d bytes of JSON", ErrInvalid, maxClientContext)
		}
		compact := jsontext.Value(context)
		if err := compact.Compact(); err != nil { // a header holds one line
			return nil, fmt.Errorf("%w: client context: %w", ErrInvalid, err)
		}
		c.clientContext = string(compact)
	}
	return c, nil
}

// checkPayload checks that a payload is JSON of a size that a function may get.
func checkPayload(q *request) error {
	if text := q.Header.Get("Content-Type"); text != "" {
		kind, _, err := mime.ParseMediaType(text)
		known := kind == "application/octet-stream" || kind == "text/plain" || kind == "application/x-www-form-urlencoded" ||
			strings.HasPrefix(kind, "application/") && strings.HasSuffix(kind, "json") || strings.HasPrefix(kind, "application/x-amz-json")
		if err != nil || !known {
			return answer("UnsupportedMediaTypeException", http.StatusUnsupportedMediaType, "Unsupported content type: "+clip(text))
		}
	}
	if len(q.body) > MaxPayload {
		return fmt.Errorf("%w: request must be smaller than %d bytes for the InvokeFunction operation", ErrTooLarge, MaxPayload)
	}
	if len(q.body) == 0 || jsontext.Value(q.body).IsValid(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)) {
		return nil
	}
	return answer("InvalidRequestContentException", http.StatusBadRequest,
		"Could not parse request body into json: the payload is no JSON")
}

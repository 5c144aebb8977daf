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

// maxClientContext is bytes of X-Amz-Client-Context, decoded (spec neighbours.md 2.1).
const maxClientContext = 3583

// invokeFunction serves Invoke.
func (s *Service) invokeFunction(q *request) (int, any, error) {
	if err := s.allow(q, "InvokeFunction"); err != nil {
		return 0, nil, err
	}
	c, err := newCall(q)
	if err != nil {
		return 0, nil, err
	}
	switch kind := q.Header.Get("X-Amz-Invocation-Type"); kind {
	case "", "RequestResponse":
	case "DryRun":
		_, err := s.find(q.target)
		return http.StatusNoContent, nil, err
	case "Event":
		return 0, nil, fmt.Errorf("%w: functions here are only called synchronously (RequestResponse)", ErrInvalid)
	default:
		return 0, nil, fmt.Errorf("%w: %s is no invocation type", ErrInvalid, clip(kind))
	}
	a, err := s.invoke(q.Context(), q.target, c)
	if err != nil {
		return 0, nil, err
	}
	q.answer.Set("X-Amz-Executed-Version", a.Version)
	if a.FunctionError != "" {
		q.answer.Set("X-Amz-Function-Error", a.FunctionError)
	}
	if q.Header.Get("X-Amz-Log-Type") == "Tail" {
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
	c := &call{
		id: q.caller.RequestID, payload: bytes.Clone(q.body),
		trace: q.Header.Get("X-Amzn-Trace-Id"), tenant: q.Header.Get("X-Amz-Tenant-Id"),
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

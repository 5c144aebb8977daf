package aws

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// REST mounts a service that speaks REST-JSON: methods and paths name its operations, and
// errors have statuses of their own.
//
// The handler gets requests that are verified, body and all; the body lies in memory of the
// budget until the handler returns. CallerFrom tells who asks. A panic of the handler closes
// the connection.
type REST struct {
	Name    string // in scopes and actions: lambda
	MaxBody int    // largest body, bytes; 0 stands for MaxBody
	Handler http.Handler
	// Refuse answers a request that the handler does not get to see.
	Refuse func(w http.ResponseWriter, e *Error)
}

// restJSON signs as JSON 1.1 does. Its errors are RESTError's.
const restJSON = s3Rest + 1

// restStatuses are the HTTP statuses of this package's error codes where REST-JSON does not
// answer as JSON 1.1 does (spec neighbours.md 10.6).
var restStatuses = map[string]int{
	"AccessDeniedException":               http.StatusForbidden,
	"ExpiredTokenException":               http.StatusForbidden,
	"InvalidSignatureException":           http.StatusForbidden,
	"MissingAuthenticationTokenException": http.StatusForbidden,
	"ThrottlingException":                 http.StatusTooManyRequests,
	"UnrecognizedClientException":         http.StatusForbidden,
}

// RESTError returns the error, as this package makes it, with the status that REST-JSON
// gives it.
func RESTError(e *Error) *Error {
	status, ok := restStatuses[e.Code]
	if !ok {
		return e
	}
	told := *e
	told.Status = status
	return &told
}

func (s *REST) protocol() protocol { return restJSON }

func (s *REST) owns(string) bool { return false }

func (s *REST) refuse(x *exchange, e *Error) {
	s.identify(x)
	s.Refuse(x.w, RESTError(e))
}

// identify puts the request's id into the answer.
func (s *REST) identify(x *exchange) { x.w.Header().Set("X-Amzn-Requestid", x.id) }

// serve verifies the request and hands it on.
func (s *REST) serve(x *exchange) error {
	if x.problem != nil {
		return restJSON.error(x.problem)
	}
	v := &x.server.verifier
	if r := v.inspect(x.r, &x.claim, restJSON, s.Name); r != nil {
		return restJSON.error(r)
	}
	declared := x.r.Header.Get("X-Amz-Content-Sha256")
	if declared != "" {
		if _, err := v.compare(x.r, &x.claim, restJSON, declared); err != nil {
			return restJSON.error(refuse(mismatch, ""))
		}
	}
	body, release, err := s.read(x)
	if errors.Is(err, ErrNoMemory) {
		return Errorf("ThrottlingException", "Rate exceeded")
	}
	if err != nil {
		return err
	}
	defer release()
	if e := x.checkBody(body, declared); e != nil {
		return e
	}
	s.identify(x)
	caller := x.caller(restJSON)
	r := x.r.WithContext(context.WithValue(x.r.Context(), callerKey{}, &caller))
	r.Body, r.ContentLength, r.TransferEncoding = &restBody{bytes.NewReader(body), body}, int64(len(body)), nil
	defer x.abort()
	s.Handler.ServeHTTP(x.w, r)
	return nil
}

// read reads the body. What is larger than any buffer lies in memory of its own, for which
// the budget is asked too.
func (s *REST) read(x *exchange) (body []byte, release func(), err error) {
	length, most := x.r.ContentLength, int64(s.MaxBody)
	if most == 0 {
		most = MaxBody
	}
	if length <= MaxBody {
		body, err = x.readBody()
		if err == nil && int64(len(body)) > most {
			err = restTooLarge(most)
		}
		return body, x.buffer.Release, err
	}
	if length > most {
		return nil, nil, restTooLarge(most)
	}
	granted, err := x.server.opt.Buffers.acquire(x.r.Context(), length)
	if err != nil {
		return nil, nil, err
	}
	release = func() { x.server.opt.Buffers.budget.Release(granted) }
	body = make([]byte, length)
	if err := x.fill(body); err != nil {
		release()
		return nil, nil, err
	}
	return body, release, nil
}

// fill reads a whole body into its memory.
func (x *exchange) fill(body []byte) error {
	if err := x.setReadDeadline(time.Now().Add(bodyDeadline(len(body)))); err != nil {
		return err
	}
	if n, err := io.ReadFull(x.r.Body, body); err != nil {
		return shortBody(err, n, int64(len(body)))
	}
	return x.setReadDeadline(time.Time{})
}

func restTooLarge(most int64) *Error {
	return &Error{Code: "RequestEntityTooLargeException", Status: http.StatusRequestEntityTooLarge,
		Message: fmt.Sprintf("Request must be smaller than %d bytes.", most)}
}

// restBody is a body that was read already.
type restBody struct {
	*bytes.Reader
	data []byte
}

// Close does nothing.
func (*restBody) Close() error { return nil }

// VerifiedBody returns the body of a request that a REST service's handler got, without
// copying it. It must not be used after the handler has returned. false means that the
// request did not come in through a Server.
func VerifiedBody(r *http.Request) ([]byte, bool) {
	b, ok := r.Body.(*restBody)
	if !ok {
		return nil, false
	}
	return b.data, true
}

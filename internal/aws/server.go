package aws

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	cryptorand "crypto/rand"
)

// Service is one AWS API. JSON and S3 are the kinds there are.
type Service interface {
	protocol() protocol
	// owns says whether an X-Amz-Target names an operation of this service, known or not.
	owns(target string) bool
	// serve verifies and answers a request. x.problem, if there is one, is what is wrong with
	// its signature at first sight; serve decides what has to be told before that. An error
	// means that nothing was answered yet.
	serve(x *exchange) error
	// refuse answers with an error.
	refuse(x *exchange, e *Error)
}

// Options are what a Server is built from. All fields are required.
type Options struct {
	Partition   string // of ARNs: aws
	Region      string // that requests must be signed for
	Account     string // 12 digits
	Credentials Credentials
	Authorizer  Authorizer
	Buffers     *Buffers // memory for bodies
	Logger      *slog.Logger
	Now         func() time.Time // wall clock that signatures are held against
}

// Server is the HTTP handler of all AWS APIs. Nothing is served without a signature.
type Server struct {
	opt      Options
	verifier verifier
	services map[string]Service // by name in the scope
	fallback Service            // answers errors of requests that name no service; may be nil
}

// NewServer returns a server without services.
func NewServer(opt Options) *Server {
	return &Server{
		opt:      opt,
		verifier: verifier{region: opt.Region, credentials: opt.Credentials, now: opt.Now},
		services: make(map[string]Service),
	}
}

// Handle mounts a service under its name in the scope of signatures. All services are
// mounted before the first request.
func (s *Server) Handle(service string, h Service) {
	s.services[service] = h
	if h.protocol() == s3Rest {
		s.fallback = h
	}
}

// ServeHTTP finds the service that a request is for, and has it answered.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := exchanges.Get().(*exchange)
	x.server, x.w, x.r = s, w, r
	x.id, x.id2 = x.newIDs()
	defer x.free()
	x.problem = x.claim.read(r)
	service := s.find(x)
	if err := service.serve(x); err != nil {
		x.fail(service, err)
	}
}

// find returns the service that a request is for: the one whose operation it targets, else
// the one in the scope of the signature, else who has to tell that it is for none.
func (s *Server) find(x *exchange) Service {
	target := x.r.Header.Get("X-Amz-Target")
	if target != "" {
		for _, service := range s.services {
			if service.owns(target) {
				return service
			}
		}
	}
	if service, ok := s.services[x.claim.service]; ok {
		return service
	}
	if x.problem == nil {
		x.problem = refuse(badScope, "Credential should be scoped to a service of this server ("+
			s.names()+"), not '"+clip(x.claim.service)+"'.")
	}
	if s.fallback == nil || speaksJSON(x.r) {
		return &stranger{}
	}
	return s.fallback
}

// speaksJSON says whether a request, although it is for no service of this server, will
// understand an answer in JSON.
func speaksJSON(r *http.Request) bool {
	return r.Header.Get("X-Amz-Target") != "" || action(r) != "" ||
		strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-amz-json")
}

// names lists the services.
func (s *Server) names() string {
	names := make([]string, 0, len(s.services))
	for name := range s.services {
		names = append(names, name)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// exchange is one request and what is known of it. Exchanges are pooled; nothing of them
// is kept after the answer.
type exchange struct {
	server  *Server
	w       http.ResponseWriter
	r       *http.Request
	id, id2 string // x-amzn-RequestId and x-amz-id-2
	claim   claim
	problem *refusal // that was found while the claim was read; nil for none
	buffer  Buffer
	call    Call
	out     []byte // memory for the answer, kept for the next one

	random *rand.ChaCha8
}

// exchanges each have a random source of their own, so that ids cost no lock.
var exchanges = sync.Pool{New: func() any {
	var seed [32]byte
	cryptorand.Read(seed[:]) // never fails: the program ends when there is no randomness
	return &exchange{random: rand.NewChaCha8(seed)}
}}

// maxKeptAnswer bounds what a pooled exchange holds on to; an answer to a PutRecordBatch of
// 500 records fits.
const maxKeptAnswer = 64 << 10

// free returns everything that was borrowed, also when a handler has panicked.
func (x *exchange) free() {
	x.buffer.Release()
	if cap(x.out) > maxKeptAnswer {
		x.out = nil
	}
	*x = exchange{out: x.out[:0], random: x.random}
	exchanges.Put(x)
}

const id2Bytes = 36

// newIDs returns a request id, a UUID of version 4, and an opaque text for x-amz-id-2.
func (x *exchange) newIDs() (id, id2 string) {
	var raw [16 + id2Bytes]byte
	x.random.Read(raw[:]) // never fails
	raw[6], raw[8] = raw[6]&0x0f|0x40, raw[8]&0x3f|0x80
	var text [36 + id2Bytes/3*4]byte
	hex.Encode(text[0:], raw[0:4])
	hex.Encode(text[9:], raw[4:6])
	hex.Encode(text[14:], raw[6:8])
	hex.Encode(text[19:], raw[8:10])
	hex.Encode(text[24:], raw[10:16])
	text[8], text[13], text[18], text[23] = '-', '-', '-', '-'
	base64.StdEncoding.Encode(text[36:], raw[16:])
	both := string(text[:])
	return both[:36], both[36:]
}

// caller says who asks.
func (x *exchange) caller(p protocol) Caller {
	o := &x.server.opt
	return Caller{
		Principal:  Principal{AccessKeyID: x.claim.id, Partition: o.Partition, Account: o.Account, Owner: x.claim.key.Owner},
		RequestID:  x.id,
		authorizer: o.Authorizer,
		protocol:   p,
	}
}

// fail answers with an error. What is not an *Error is our own failure: it is logged here,
// and the client learns only the request id to ask about.
func (x *exchange) fail(service Service, err error) {
	x.buffer.Release()
	var e *Error
	switch {
	case errors.As(err, &e):
		x.server.opt.Logger.Debug("request refused", "request", x.id, "service", x.claim.service, "key", x.claim.id, "error", err)
	case x.r.Context().Err() != nil:
		x.server.opt.Logger.Debug("client went away", "request", x.id, "service", x.claim.service, "error", err)
		e = internalFailure(service.protocol())
	default:
		x.server.opt.Logger.Error("request failed", "request", x.id, "service", x.claim.service, "error", err)
		e = internalFailure(service.protocol())
	}
	if e.Status != http.StatusRequestTimeout { // who was too slow is not waited for again
		x.drain()
	}
	service.refuse(x, e)
}

// internalFailure is what clients are told of our own failures.
func internalFailure(p protocol) *Error {
	if p == s3Rest {
		return &Error{Code: "InternalError", Status: http.StatusInternalServerError,
			Message: "We encountered an internal error. Please try again."}
	}
	return Errorf("InternalFailure", "")
}

// abort, deferred, turns a handler's panic into a closed connection: how much of the answer
// was sent is not known. The panic is logged here.
func (x *exchange) abort() {
	p := recover()
	if p == nil {
		return
	}
	if p != http.ErrAbortHandler {
		x.logPanic(p)
	}
	panic(http.ErrAbortHandler)
}

// logPanic writes down what a handler panicked with, and where.
func (x *exchange) logPanic(p any) {
	x.server.opt.Logger.Error("handler panicked", "request", x.id, "service", x.claim.service,
		"operation", x.call.Operation, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
}

package aws

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Operation serves one operation of a JSON service: it appends the body of the answer to
// c.Out. An error that is not, and does not wrap, an *Error is logged and told as
// InternalFailure. An operation decodes c.Body, then calls c.Allow, then looks at what was
// asked (spec firehose.md 1.6 rule 2).
type Operation func(ctx context.Context, c *Call) error

// Call is one verified request to a JSON service. It and all memory in it belong to the
// operation until that returns.
type Call struct {
	Caller
	Operation string
	// Body is Buffer[Headroom:Headroom+len(Body)]. Both may be overwritten.
	Body, Buffer []byte
	// Out takes the answer. It begins empty, with memory of former answers; it must not
	// share memory with Buffer, which is given back before the answer is sent, nor with
	// anything that lives longer than the call.
	Out []byte

	action string
}

// Allow asks whether the caller may do this operation on the resource, an ARN or "*".
func (c *Call) Allow(ctx context.Context, resource string) error {
	return c.Authorize(ctx, c.action, resource)
}

// JSON is a service that speaks JSON 1.1.
type JSON struct {
	name      string
	prefix    string // of targets, with the dot
	targets   map[string]*operation
	throttled func(operation string) *Error
}

// operation is an entry of a JSON service's table.
type operation struct {
	name, action string
	do           Operation
}

// NewJSON makes a JSON 1.1 service from its name in scopes and actions (firehose), the
// prefix of its targets (Firehose_20150804), and its operations by name. throttled says what
// an operation answers when there was no memory for it; nil stands for ThrottlingException.
func NewJSON(name, target string, operations map[string]Operation, throttled func(operation string) *Error) *JSON {
	if throttled == nil {
		throttled = func(string) *Error { return Errorf("ThrottlingException", "Rate exceeded") }
	}
	j := &JSON{name: name, prefix: target + ".", targets: make(map[string]*operation), throttled: throttled}
	for op, do := range operations {
		j.targets[j.prefix+op] = &operation{op, name + ":" + op, do}
	}
	return j
}

func (j *JSON) protocol() protocol { return json11 }

func (j *JSON) owns(target string) bool { return strings.HasPrefix(target, j.prefix) }

// serve goes by the order of spec firehose.md 1.6 rule 2: target, signature, then the
// operation. The signature is checked before memory is taken where the client has said what
// the body's hash is, and after reading it otherwise.
func (j *JSON) serve(x *exchange) error {
	op, err := j.find(x.r)
	if err != nil {
		return err
	}
	if x.problem != nil {
		return json11.error(x.problem)
	}
	v := &x.server.verifier
	if r := v.inspect(x.r, &x.claim, json11, j.name); r != nil {
		return json11.error(r)
	}
	declared := x.r.Header.Get("X-Amz-Content-Sha256")
	if declared != "" {
		if _, err := v.compare(x.r, &x.claim, json11, declared); err != nil {
			return json11.error(refuse(mismatch, ""))
		}
	}
	body, err := x.readBody()
	if errors.Is(err, ErrNoMemory) {
		return j.throttled(op.name)
	}
	if err != nil {
		return err
	}
	if e := x.checkBody(body, declared); e != nil {
		return e
	}
	if err := j.call(x, op, body); err != nil {
		return err
	}
	x.buffer.Release()
	x.out = x.call.Out
	x.writeJSON(http.StatusOK, x.out)
	return nil
}

// find returns the operation that a request is for: by its target, or by the Action
// parameter that API Gateway sends instead (spec firehose.md 1.1).
func (j *JSON) find(r *http.Request) (*operation, error) {
	target := r.Header.Get("X-Amz-Target")
	if target == "" {
		target = j.prefix + action(r)
	}
	op := j.targets[target]
	if op == nil || r.Method != http.MethodPost || r.URL.Path != "/" {
		return nil, unknownOperation()
	}
	return op, nil
}

// action is the operation that a request names in its query.
func action(r *http.Request) string {
	if r.URL.RawQuery == "" {
		return ""
	}
	return r.URL.Query().Get("Action")
}

func unknownOperation() *Error { return Errorf("UnknownOperationException", "") }

// stranger answers, in JSON, requests that are for no service of this server.
type stranger struct{ JSON }

// serve tells what is wrong with the signature if that at least says what was wanted.
func (s *stranger) serve(x *exchange) error {
	if x.claim.service == "" && (x.r.Header.Get("X-Amz-Target") != "" || action(x.r) == "") {
		return unknownOperation()
	}
	return json11.error(x.problem)
}

// checkBody checks that the body is the one that was signed.
func (x *exchange) checkBody(body []byte, declared string) *Error {
	sum := sha256.Sum256(body)
	var text [2 * sha256.Size]byte
	hex.Encode(text[:], sum[:])
	if declared != "" { // and found right
		if !strings.EqualFold(declared, string(text[:])) {
			return json11.error(refuse(bodyMismatch, ""))
		}
		return nil
	}
	if _, err := x.server.verifier.compare(x.r, &x.claim, json11, string(text[:])); err != nil {
		return json11.error(refuse(mismatch, ""))
	}
	return nil
}

// call runs the operation. A panic in it is logged and becomes an InternalFailure.
func (j *JSON) call(x *exchange, op *operation, body []byte) (err error) {
	x.call = Call{
		Caller: x.caller(json11), Operation: op.name, action: op.action,
		Body: body, Buffer: x.buffer.Bytes, Out: x.out,
	}
	defer func() {
		p := recover()
		if p == http.ErrAbortHandler {
			panic(p)
		}
		if p != nil {
			x.logPanic(p)
			err = internalFailure(json11)
		}
	}()
	return op.do(x.r.Context(), &x.call)
}

// refuse writes an error (spec firehose.md 1.4).
func (j *JSON) refuse(x *exchange, e *Error) {
	// Texts are made valid UTF-8, which is all that AppendQuote could complain about.
	quote := func(dst []byte, name, value string) []byte {
		dst, _ = jsontext.AppendQuote(append(dst, ','), name)
		dst, _ = jsontext.AppendQuote(append(dst, ':'), value)
		return dst
	}
	body := quote(x.out[:0], "__type", e.Code)
	body[0] = '{'
	if e.Message != "" {
		name := "message"
		if e.Code == "AccessDeniedException" {
			name = "Message"
		}
		body = quote(body, name, e.Message)
	}
	for _, f := range e.Extra {
		body = quote(body, f.Name, f.Value)
	}
	x.out = append(body, '}')
	x.writeJSON(e.Status, x.out)
}

// contentType is shared by all answers; net/http only reads it.
var contentType = []string{"application/x-amz-json-1.1"}

// writeJSON sends an answer. The headers are assigned under net/http's spelling, which
// saves looking it up.
func (x *exchange) writeJSON(status int, body []byte) {
	values := []string{x.id, x.id2, strconv.Itoa(len(body))}
	h := x.w.Header()
	h["Content-Type"] = contentType
	h["X-Amzn-Requestid"] = values[0:1:1]
	h["X-Amz-Id-2"] = values[1:2:2]
	h["Content-Length"] = values[2:3:3]
	x.w.WriteHeader(status)
	if _, err := x.w.Write(body); err != nil {
		x.server.opt.Logger.Debug("answer not sent", "request", x.id, "error", err)
	}
}

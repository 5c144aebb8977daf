package lambda

import (
	"context"
	"fmt"
	"time"
)

// Answer is what came of a call. It is the function's answer, or with FunctionError set the
// document that describes the failure.
type Answer struct {
	Payload       []byte // the function's own bytes
	FunctionError string // Unhandled; empty if the function answered
	Version       string // that ran: $LATEST or a number
	Log           []byte // the last of what was logged, at most 4 KiB
}

// failed makes an answer of a failure.
func failed(document []byte) Answer { return Answer{Payload: document, FunctionError: unhandled} }

// call is one invocation.
type call struct {
	id, arn, trace        string
	clientContext, tenant string
	payload               []byte
	done                  chan result // takes the one result without waiting
}

// result is an answer, or why there is none.
type result struct {
	answer Answer
	err    error
}

// finish is called once.
func (c *call) finish(r result) { c.done <- r }

// Invoke calls a function, by name or ARN, each with :QUALIFIER or not, and waits for its
// answer. What goes wrong inside
// the function is in the answer; an error says that it was not called, or that nobody knows
// what came of it.
//
// If ctx ends, a call that still waits for a worker is given up. One that is under way goes
// on, as on AWS, and its answer is lost. The payload must not be changed in either case.
func (s *Service) Invoke(ctx context.Context, nameOrARN string, payload []byte) (Answer, error) {
	t, err := s.parse(nameOrARN)
	if err != nil {
		return Answer{}, err
	}
	return s.invoke(ctx, t, &call{id: newID(), payload: payload})
}

// invoke does a call.
func (s *Service) invoke(ctx context.Context, t target, c *call) (Answer, error) {
	d, err := s.resolve(t)
	if err != nil {
		return Answer{}, err
	}
	if len(c.payload) > MaxPayload {
		return Answer{}, fmt.Errorf("%w: %d bytes exceed %d bytes", ErrTooLarge, len(c.payload), MaxPayload)
	}
	if len(c.payload) == 0 {
		c.payload = []byte("{}")
	}
	c.arn, c.done = s.arnOf(t), make(chan result, 1)
	if c.trace == "" {
		c.trace = newTrace(s.opt.Now())
	}
	if err := d.pool.submit(c); err != nil {
		return Answer{}, err
	}
	select {
	case r := <-c.done:
		return r.answer, r.err
	case <-ctx.Done():
	}
	d.pool.leave(c)
	return Answer{}, fmt.Errorf("invoke %s: %w", t.name, ctx.Err())
}

// newTrace makes the id of a trace that is not sampled.
func newTrace(now time.Time) string {
	return fmt.Sprintf("Root=1-%08x-%s%s;Parent=%s;Sampled=0", uint32(now.Unix()), nonce(), nonce()[:8], nonce())
}

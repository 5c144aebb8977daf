package aws

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"
)

// Credentials is what verification needs of identity. Lookup is called for each request and
// must be fast and safe for many goroutines; the answer is not kept beyond the request.
type Credentials interface {
	Lookup(accessKeyID string) (Key, bool)
}

// Key is an access key that may sign requests.
type Key struct {
	Secret Secret
	// Token is what X-Amz-Security-Token must say; empty for a key without a session.
	Token Secret
	// Expires is when the session ends; zero means never.
	Expires time.Time
	// Owner is whom the key speaks for, as the resource of an IAM ARN: root, user/alice.
	Owner string
}

// Secret is a text that does not print: formatting, logging or encoding it gives REDACTED.
// A conversion to string shows it, and is easy to search for. (Only fmt looks past this,
// into unexported fields of structs: hold secrets there behind a pointer.)
type Secret string

const redacted = "REDACTED"

// Format hides the secret from all verbs of fmt.
func (Secret) Format(s fmt.State, _ rune) {
	// A State that cannot be written to belongs to a caller that learns so by itself.
	_, _ = io.WriteString(s, redacted)
}

// LogValue hides the secret from logs.
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText hides the secret from encoders, JSON's too.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// Principal is who makes a request.
type Principal struct {
	AccessKeyID string
	Partition   string
	Account     string
	Owner       string // as in Key
}

// ARN names the principal as messages and policies do.
func (p Principal) ARN() string {
	return ARN{Partition: p.Partition, Service: "iam", Account: p.Account, Resource: p.Owner}.String()
}

// Authorizer decides what principals may do. Allow returns nil, or an error whose text says
// why not, fit to follow "because" (spec neighbours.md 10.1): "no identity-based policy
// allows the firehose:PutRecord action". An error that wraps ErrUndecided means that the
// decision failed, and the request fails with it.
type Authorizer interface {
	Allow(ctx context.Context, p Principal, action, resource string) error
}

// ErrUndecided says that an Authorizer could not find out whether something is allowed.
var ErrUndecided = errors.New("authorisation could not be decided")

// Caller is a verified principal in the hands of a service.
type Caller struct {
	Principal
	RequestID string // UUID of this request, as in x-amzn-RequestId

	authorizer Authorizer
	protocol   protocol
}

// Authorize asks whether the caller may do the action ("firehose:PutRecord") on the
// resource (an ARN or "*"). A refusal is an *Error in the code of the service's protocol.
func (c *Caller) Authorize(ctx context.Context, action, resource string) error {
	reason := c.authorizer.Allow(ctx, c.Principal, action, resource)
	if reason == nil {
		return nil
	}
	if errors.Is(reason, ErrUndecided) {
		return reason
	}
	message := "User: " + c.ARN() + " is not authorized to perform: " + action +
		" on resource: " + resource + " because " + reason.Error()
	return c.protocol.error(refuse(denied, message))
}

type callerKey struct{}

// CallerFrom returns who made the request that an S3 handler is answering; false means that
// it did not come in through a Server.
func CallerFrom(ctx context.Context) (*Caller, bool) {
	c, ok := ctx.Value(callerKey{}).(*Caller)
	return c, ok
}

package operate

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"hydrant/internal/aws"
)

// Errors of Client beside those of contract.go.
var (
	// ErrNoAnswer: no node answers at the address.
	ErrNoAnswer = errors.New("no node answers")
	// ErrStranger: another node answers at the address, for it does not know the key.
	ErrStranger = errors.New("another node answers")
)

// ClientOptions say where the node is and who asks. All but HTTP are required.
type ClientOptions struct {
	Endpoint    string // URL of the AWS APIs
	Region      string
	AccessKeyID string
	Secret      aws.Secret
	HTTP        *http.Client // nil: http.DefaultClient
}

// Client asks a node. It may be used from many goroutines.
type Client struct{ remote aws.Client }

// NewClient returns a client of one node.
func NewClient(o ClientOptions) *Client {
	keys := aws.KeyPair{AccessKeyID: o.AccessKeyID, Secret: o.Secret}
	return &Client{aws.Client{
		Endpoint: o.Endpoint, Service: ServiceName, Target: target, Region: o.Region, HTTP: o.HTTP,
		Credentials: func(context.Context) (aws.KeyPair, error) { return keys, nil },
	}}
}

// Streams returns all streams, by name.
func (c *Client) Streams(ctx context.Context) ([]Stream, error) {
	all := []Stream{}
	for in := (listInput{Limit: maxPage}); ; {
		var page listOutput
		if err := c.call(ctx, "ListStreams", in, &page); err != nil {
			return nil, err
		}
		all = append(all, page.Streams...)
		if page.Next == "" {
			return all, nil
		}
		in.After = page.Next
	}
}

// Stream returns one stream.
func (c *Client) Stream(ctx context.Context, name string) (Stream, error) {
	return c.stream(ctx, "DescribeStream", name)
}

// Flush has a stream deliver what it holds now. It does not wait; see Await.
func (c *Client) Flush(ctx context.Context, name string) (Order, error) {
	var o Order
	err := c.call(ctx, "FlushStream", streamInput{name}, &o)
	return o, err
}

// Pause holds a stream.
func (c *Client) Pause(ctx context.Context, name string) (Stream, error) {
	return c.stream(ctx, "PauseStream", name)
}

// Resume lets a stream go.
func (c *Client) Resume(ctx context.Context, name string) (Stream, error) {
	return c.stream(ctx, "ResumeStream", name)
}

func (c *Client) stream(ctx context.Context, operation, name string) (Stream, error) {
	var out streamOutput
	err := c.call(ctx, operation, streamInput{name}, &out)
	return out.Stream, err
}

// call does an operation and makes our errors of what it answers.
func (c *Client) call(ctx context.Context, operation string, in, out any) error {
	err := c.remote.Call(ctx, operation, in, out)
	var told *aws.RemoteError
	switch {
	case err == nil, ctx.Err() != nil, errors.Is(err, aws.ErrBadAnswer):
		return err
	case !errors.As(err, &told):
		return fmt.Errorf("%w at %s: %w", ErrNoAnswer, c.remote.Endpoint, err)
	}
	kinds := map[string]error{notFound: ErrNoStream, inUse: ErrNotActive, paused: ErrPaused, unknownKey: ErrStranger}
	if kind, known := kinds[told.Code]; known {
		return &refusal{kind, told.Message}
	}
	return err
}

// refusal is an answer that both ends know, in the words of the node.
type refusal struct {
	kind error
	text string
}

// Error is what the node said.
func (r *refusal) Error() string { return r.text }

// Unwrap is what it means.
func (r *refusal) Unwrap() error { return r.kind }

package operate

import (
	"context"
	"fmt"
	"regexp"
	"time"

	"github.com/go-json-experiment/json"

	"hydrant/internal/aws"
	"hydrant/internal/stream"
)

// ServiceName is the API's name in the scope of signatures and in actions.
const ServiceName = "hydrant"

// target begins X-Amz-Target.
const target = "Hydrant_20261101"

// Options are what the service is built from. All are required.
type Options struct {
	Partition string // of ARNs: aws
	Region    string
	Account   string // 12 digits
	Streams   Streams
	Delivery  Delivery
	Trial     Trial
	Samples   Sampler
	Now       func() time.Time // wall clock, for ages
}

// Service is the node's end of the API.
type Service struct{ opt Options }

// New returns the API; JSON mounts it.
func New(opt Options) *Service { return &Service{opt: opt} }

// JSON is the API as a service that an aws.Server can be given under ServiceName.
func (s *Service) JSON() *aws.JSON {
	return aws.NewJSON(ServiceName, target, map[string]aws.Operation{
		"ListStreams":    s.listStreams,
		"DescribeStream": onStream(s, s.describeStream),
		"FlushStream":    onStream(s, s.flushStream),
		"PauseStream":    onStream(s, s.pauseStream),
		"ResumeStream":   onStream(s, s.resumeStream),
		"TryStream":      s.tryStream,
		"SampleStream":   s.sampleStream(s.opt.Samples),
	}, nil)
}

// streamInput is the body of a request about one stream.
type streamInput struct {
	Stream string `json:"stream"`
}

// streamOutput is the answer that shows one stream.
type streamOutput struct {
	Stream Stream `json:"stream"`
}

var streamName = regexp.MustCompile(`^[a-zA-Z0-9_.-]{1,64}$`)

// onStream makes an operation of its work on one stream: decode, authorise, check, find, do.
func onStream[Out any](s *Service, do func(context.Context, *stream.Definition) (Out, error)) aws.Operation {
	return func(ctx context.Context, c *aws.Call) error {
		var in streamInput
		if err := decode(c.Body, &in); err != nil {
			return err
		}
		if err := c.Allow(ctx, stream.ARN(s.opt.Partition, s.opt.Region, s.opt.Account, in.Stream)); err != nil {
			return err
		}
		if !streamName.MatchString(in.Stream) {
			return aws.Errorf(validation, "stream must be the name of a stream: %s", streamName)
		}
		d, ok := s.opt.Streams.Get(in.Stream)
		if !ok {
			return s.explain(in.Stream, ErrNoStream)
		}
		out, err := do(ctx, d)
		if err != nil {
			return s.explain(in.Stream, err)
		}
		return encode(c, out)
	}
}

// decode reads a body. What it does not know it refuses: it would not do it.
func decode(body []byte, in any) error {
	if err := json.Unmarshal(body, in, json.RejectUnknownMembers(true)); err != nil {
		return aws.Errorf(serialization, "%v", err)
	}
	return nil
}

func encode(c *aws.Call, out any) error {
	text, err := json.Marshal(out)
	if err != nil {
		return fmt.Errorf("encode the answer of %s: %w", c.Operation, err)
	}
	c.Out = append(c.Out, text...)
	return nil
}

// look shows a stream as it is now.
func (s *Service) look(ctx context.Context, d *stream.Definition) Stream {
	status, _ := s.opt.Delivery.Status(ctx, d.ID) // what is not being delivered has nothing to show
	return show(d, status, s.opt.Now())
}

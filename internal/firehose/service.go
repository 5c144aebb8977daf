package firehose

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"hydrant/internal/aws"
	"hydrant/internal/ingest"
	"hydrant/internal/record"
	"hydrant/internal/registry"
	"hydrant/internal/stream"
	"hydrant/internal/telemetry"
)

// Streams is what the API needs of the registry; *registry.Registry promises the same.
type Streams interface {
	Find(name []byte) (*stream.Definition, bool)
	Get(name string) (*stream.Definition, bool)
	List(after string, limit int, of stream.Type) (names []string, more bool)
	Room(name string) error
	Create(ctx context.Context, d *stream.Definition) (*stream.Definition, error)
	Edit(ctx context.Context, name string, edit func(*stream.Definition) (bool, error)) error
	Delete(ctx context.Context, name string) error
}

var _ Streams = (*registry.Registry)(nil)

// Door takes records in; *ingest.Ingest promises the same. Put returns when the records
// that got says were accepted, the first ones of the batch, are on disk. It keeps nothing
// of b. record.ErrThrottled and record.ErrNoSpace mean that nothing was accepted,
// ingest.ErrClosed that the stream is going away.
type Door interface {
	Put(ctx context.Context, d *stream.Definition, b record.Batch, got *ingest.Receipt) error
}

// Options are what the API is built from. All but AllowControl and Metrics are required.
type Options struct {
	Partition string // of ARNs: aws
	Region    string
	Account   string // 12 digits
	Streams   Streams
	Door      Door
	// Rules are the judges of configurations, for the time of one call.
	Rules func(ctx context.Context) *stream.Rules
	// AllowControl takes a call of an operation, other than the two puts, from its quota and
	// reports whether there was one left (spec section 11.1). It is called by many goroutines
	// and must not wait. Nil: there is no quota.
	AllowControl func(operation string) bool
	// Metrics counts requests by operation and code; nil: nobody counts.
	Metrics *telemetry.Metrics
	Now     func() time.Time // wall clock, for the times of updates
}

// Service is the Firehose API.
type Service struct{ opt Options }

// New returns the API; JSON mounts it.
func New(opt Options) *Service { return &Service{opt: opt} }

const serviceName = "firehose"

// JSON is the API as a service that an aws.Server can be given under the name "firehose".
func (s *Service) JSON() *aws.JSON {
	operations := map[string]aws.Operation{
		"CreateDeliveryStream":   s.createDeliveryStream,
		"DeleteDeliveryStream":   s.deleteDeliveryStream,
		"DescribeDeliveryStream": s.describeDeliveryStream,
		"ListDeliveryStreams":    s.listDeliveryStreams,
		"PutRecord":              s.putRecord,
		"PutRecordBatch":         s.putRecordBatch,
		"UpdateDestination":      s.updateDestination,

		"ListTagsForDeliveryStream": s.listTags,
		"TagDeliveryStream":         s.tagDeliveryStream,
		"UntagDeliveryStream":       s.untagDeliveryStream,

		"StartDeliveryStreamEncryption": s.startEncryption,
		"StopDeliveryStreamEncryption":  s.stopEncryption,
	}
	for op, do := range operations {
		operations[op] = s.counted(op, do)
	}
	return aws.NewJSON(serviceName, "Firehose_20150804", operations, outOfMemory)
}

// counted counts the answers of an operation by their code.
func (s *Service) counted(op string, do aws.Operation) aws.Operation {
	if s.opt.Metrics == nil {
		return do
	}
	ok := s.opt.Metrics.Request(serviceName, op, "")
	return func(ctx context.Context, c *aws.Call) error {
		err := do(ctx, c)
		if err == nil {
			ok.Inc()
			return nil
		}
		code := "InternalFailure"
		var e *aws.Error
		if errors.As(err, &e) {
			code = e.Code
		}
		s.opt.Metrics.Request(serviceName, op, code).Inc()
		return err
	}
}

// arn is the ARN of the stream of a name, whether it exists or not.
func (s *Service) arn(name string) string {
	return stream.ARN(s.opt.Partition, s.opt.Region, s.opt.Account, name)
}

// decode begins a control operation: it reads the body and takes the call from the quota,
// in the order of spec section 1.6, rule 2.
func (s *Service) decode(c *aws.Call, input *shape) (*node, error) {
	root, err := parseBody(input, c.Body)
	if err == nil && s.opt.AllowControl != nil && !s.opt.AllowControl(c.Operation) {
		err = errTooManyCalls
	}
	if err != nil {
		return nil, s.explain("", err)
	}
	return root, nil
}

// open begins a control operation on one stream: it decodes the body, asks whether the
// caller may, and judges the members. It returns the body and the stream's name.
func (s *Service) open(ctx context.Context, c *aws.Call, input *shape) (*node, string, error) {
	root, err := s.decode(c, input)
	if err != nil {
		return nil, "", err
	}
	name := ""
	if n := root.member(input, "DeliveryStreamName"); n != nil {
		name = n.text
	}
	if err := c.Allow(ctx, s.arn(name)); err != nil {
		return nil, "", err
	}
	return root, name, judge(input, root)
}

// judge collects what breaks the constraints of a body.
func judge(input *shape, root *node) error {
	var v violations
	v.check(input, root)
	return v.err()
}

// appendJSON appends v, encoded, to dst.
func appendJSON(dst []byte, v any) ([]byte, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return dst, fmt.Errorf("encode %T: %w", v, err)
	}
	return append(dst, text...), nil
}

// member is the member of that name of a structure; nil: absent.
func (n *node) member(s *shape, name string) *node { return n.members[s.member(name)] }

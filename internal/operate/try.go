package operate

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"

	"hydrant/internal/aws"
	"hydrant/internal/record"
	"hydrant/internal/stream"
)

// The most records, and bytes of them, that are tried at once.
const (
	MaxTrialRecords = 500
	MaxTrialBytes   = 4 << 20
)

// ErrConfiguration: a proposed configuration cannot be a stream's.
var ErrConfiguration = errors.New("the configuration cannot be used")

// Trial processes records as a stream would, without storing or delivering anything.
type Trial interface {
	Try(ctx context.Context, d *stream.Definition, records [][]byte) ([]Fate, error)
	// Propose makes a definition of the body of a CreateDeliveryStream request. Errors wrap
	// ErrConfiguration.
	Propose(configuration []byte) (*stream.Definition, error)
}

// The results of a record.
const (
	Delivered = "delivered"
	Dropped   = "dropped"
	Failed    = "failed"
)

// Fate is what would become of a record, or of a part of one that is taken apart.
type Fate struct {
	Record  int               `json:"record"` // which one, from 0 on
	Result  string            `json:"result"`
	Data    []byte            `json:"data,omitzero"` // as delivered, or the line of the error output
	Bucket  string            `json:"bucket,omitzero"`
	Key     string            `json:"key,omitzero"` // of an object like the one that it would be in
	Queried map[string]string `json:"partitionKeysFromQuery,omitzero"`
	Keys    map[string]string `json:"partitionKeysFromLambda,omitzero"`
	Code    string            `json:"errorCode,omitzero"`
	Message string            `json:"errorMessage,omitzero"`
}

// tryInput names a stream, or proposes one.
type tryInput struct {
	Stream        string         `json:"stream"`
	Configuration jsontext.Value `json:"configuration,omitzero"` // of CreateDeliveryStream
	Records       [][]byte       `json:"records"`
}

type tryOutput struct {
	Fates []Fate `json:"fates"`
}

// tryStream processes records and tells what would become of them.
func (s *Service) tryStream(ctx context.Context, c *aws.Call) error {
	var in tryInput
	if err := decode(c.Body, &in); err != nil {
		return err
	}
	resource := "*"
	if in.Configuration == nil {
		resource = in.Stream
	}
	if err := c.Allow(ctx, stream.ARN(s.opt.Partition, s.opt.Region, s.opt.Account, resource)); err != nil {
		return err
	}
	d, err := s.tried(&in)
	if err != nil {
		return err
	}
	fates, err := s.opt.Trial.Try(ctx, d, in.Records)
	if err != nil {
		return s.explain(in.Stream, err)
	}
	return encode(c, tryOutput{fates})
}

// tried checks what is to be tried and finds the stream.
func (s *Service) tried(in *tryInput) (*stream.Definition, error) {
	size := 0
	for i, r := range in.Records {
		if size += len(r); len(r) > record.MaxRecordBytes {
			return nil, aws.Errorf(validation, "record %d has %d bytes; one may have %d", i, len(r), record.MaxRecordBytes)
		}
	}
	if n := len(in.Records); n < 1 || n > MaxTrialRecords || size > MaxTrialBytes {
		return nil, aws.Errorf(validation, "%d records of %d bytes; 1 to %d records of %d bytes can be tried at once", n, size, MaxTrialRecords, MaxTrialBytes)
	}
	if in.Configuration != nil {
		d, err := s.opt.Trial.Propose(in.Configuration)
		if err != nil {
			return nil, aws.Errorf(validation, "%v", err)
		}
		return d, nil
	}
	if !streamName.MatchString(in.Stream) {
		return nil, aws.Errorf(validation, "stream must be the name of a stream: %s", streamName)
	}
	d, ok := s.opt.Streams.Get(in.Stream)
	if !ok {
		return nil, s.explain(in.Stream, ErrNoStream)
	}
	return d, nil
}

// Try processes records as a stream would, or as one that configuration describes: the body
// of a CreateDeliveryStream request, nil for the stream as it is. Nothing is stored.
func (c *Client) Try(ctx context.Context, name string, configuration []byte, records [][]byte) ([]Fate, error) {
	in := tryInput{Stream: name, Records: records}
	if configuration != nil {
		in.Configuration = configuration
		if !jsontext.Value(configuration).IsValid() {
			return nil, fmt.Errorf("%w: it is not JSON", ErrConfiguration)
		}
	}
	var out tryOutput
	err := c.call(ctx, "TryStream", in, &out)
	return out.Fates, err
}

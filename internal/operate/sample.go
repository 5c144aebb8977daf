package operate

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"hydrant/internal/aws"
	"hydrant/internal/record"
	"hydrant/internal/schema"
	"hydrant/internal/stream"
)

// How much of a stream is shown at once.
const (
	// DefaultSampleRecords is how many records are shown to whoever does not say.
	DefaultSampleRecords = 200
	// MaxSampleRecords is how many may be asked for.
	MaxSampleRecords = 1000
	// MaxSampleBytes is how large they are together, before base64. A record of the largest
	// size fits.
	MaxSampleBytes = 1 << 20
)

// Errors of samples.
var (
	// ErrNoSample: the stream holds no records now.
	ErrNoSample = errors.New("the stream holds no records now")
	// ErrSealed: the key that the stream's records are encrypted with cannot be used.
	ErrSealed = errors.New("the records cannot be decrypted")
)

// Sampler reads what streams were sent.
type Sampler interface {
	// Sample returns the newest records of a stream as they came, the oldest of them first: at
	// most so many, of at most so many bytes together. What was delivered and is forgotten is
	// not among them. Errors may wrap a *record.KeyError.
	Sample(ctx context.Context, d *stream.Definition, records, bytes int) ([][]byte, error)
}

type sampleInput struct {
	Stream  string `json:"stream"`
	Records int    `json:"records,omitzero"` // 0 stands for DefaultSampleRecords
}

type sampleOutput struct {
	Records [][]byte `json:"records"`
}

// sampleStream is the operation that shows what a stream was sent. It has an action of its own
// because it tells data, which no other operation on a stream does.
func (s *Service) sampleStream(from Sampler) aws.Operation {
	return func(ctx context.Context, c *aws.Call) error {
		var in sampleInput
		if err := decode(c.Body, &in); err != nil {
			return err
		}
		if err := c.Allow(ctx, stream.ARN(s.opt.Partition, s.opt.Region, s.opt.Account, in.Stream)); err != nil {
			return err
		}
		if !streamName.MatchString(in.Stream) {
			return aws.Errorf(validation, "stream must be the name of a stream: %s", streamName)
		}
		if in.Records < 0 || in.Records > MaxSampleRecords {
			return aws.Errorf(validation, "records must be from 1 to %d, not %d", MaxSampleRecords, in.Records)
		}
		if in.Records == 0 {
			in.Records = DefaultSampleRecords
		}
		d, ok := s.opt.Streams.Get(in.Stream)
		if !ok {
			return s.explain(in.Stream, ErrNoStream)
		}
		records, err := from.Sample(ctx, d, in.Records, MaxSampleBytes)
		if err != nil {
			return s.explain(in.Stream, sealed(in.Stream, err))
		}
		return encode(c, sampleOutput{records})
	}
}

// keyUnusable is the code for records whose key cannot be used.
const keyUnusable = "KeyUnusableException"

// sealed says in the client's words that a key cannot be used.
func sealed(name string, err error) error {
	var key *record.KeyError
	if !errors.As(err, &key) {
		return err
	}
	return aws.Errorf(keyUnusable, "The records of stream %s cannot be decrypted: %s: %s", name, key.Code, key.Message)
}

// Sample returns the newest records of a stream as they came, the oldest of them first. 0
// records stands for DefaultSampleRecords; fewer are returned where the stream holds no more,
// or more would be larger than MaxSampleBytes. Errors: ErrNoStream, ErrNoSample, ErrSealed, and
// those of every call.
func (c *Client) Sample(ctx context.Context, name string, records int) ([][]byte, error) {
	var out sampleOutput
	err := c.call(ctx, "SampleStream", sampleInput{name, records}, &out)
	var told *aws.RemoteError
	switch {
	case errors.As(err, &told) && told.Code == keyUnusable:
		return nil, &refusal{ErrSealed, told.Message}
	case err != nil:
		return nil, err
	case len(out.Records) == 0:
		return nil, &refusal{ErrNoSample, fmt.Sprintf("Stream %s holds no records now", name)}
	}
	return out.Records, nil
}

// ProposeOf is Propose for the records of a stream, which may hold several documents each and
// be compressed with gzip each. Records that are no such thing are left out, and a note says how
// many: a table is wanted for the others. If none can be used the error is that of the first.
func ProposeOf(records [][]byte, o ProposalOptions) (*Proposal, error) {
	var i schema.Inference
	var first error
	unusable := 0
	for n, r := range records {
		var alone schema.Inference // so that i does not see half a record
		err := alone.Read(bytes.NewReader(r))
		if err == nil {
			err = i.Read(bytes.NewReader(r))
		}
		if err != nil {
			unusable++
			if first == nil {
				first = fmt.Errorf("record %d of %d: %w", n+1, len(records), err)
			}
		}
	}
	if first != nil && unusable == len(records) {
		return nil, first
	}
	p, err := i.Propose(o)
	if err == nil && unusable > 0 {
		p.Notes = append(p.Notes, fmt.Sprintf("%d of %d records were left out, the first for this: %v", unusable, len(records), first))
	}
	return p, err
}

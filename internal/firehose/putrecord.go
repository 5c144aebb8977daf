package firehose

import (
	"context"
	"strconv"

	"hydrant/internal/aws"
	"hydrant/internal/record"
	"hydrant/internal/registry"
	"hydrant/internal/stream"
)

// putRecord stores one record (spec section 2.8).
func (s *Service) putRecord(ctx context.Context, c *aws.Call) error {
	p := newPut()
	defer p.free()
	d, err := s.store(ctx, c, p, singlePut)
	if err != nil {
		return err
	}
	out := append(c.Out, `{"RecordId":"`...)
	out = record.AppendID(out, p.receipt.Queue, p.receipt.Runs[0].First)
	out = strconv.AppendBool(append(out, `","Encrypted":`...), encryptedNow(d))
	c.Out = append(out, '}')
	return nil
}

// store takes a put from its body to the disk. At least one of its records was stored if
// the error is nil: p.receipt says which, in the stream that is returned.
func (s *Service) store(ctx context.Context, c *aws.Call, p *put, op *putOperation) (*stream.Definition, error) {
	if err := p.read(c.Buffer[:aws.Headroom+len(c.Body)], op); err != nil {
		return nil, s.explain("", err)
	}
	d, err := s.target(ctx, c, p)
	if err == nil {
		err = s.opt.Door.Put(ctx, d, p.batch, &p.receipt)
	}
	if err == nil && p.receipt.Accepted() == 0 {
		err = record.ErrThrottled
	}
	if err != nil {
		return nil, s.explain(string(p.name), err)
	}
	return d, nil
}

// encryptedNow is what answers say of a stream's encryption (spec section 2.8).
func encryptedNow(d *stream.Definition) bool {
	return d.Encryption.Status == stream.EncryptionEnabled
}

// target finds the stream that a put is for, if the caller may put to it and it may take
// the records.
func (s *Service) target(ctx context.Context, c *aws.Call, p *put) (*stream.Definition, error) {
	d, found := s.opt.Streams.Find(p.name)
	var resource string
	if found {
		resource = d.ARN
	} else {
		resource = s.arn(string(p.name))
	}
	if err := c.Allow(ctx, resource); err != nil {
		return nil, err
	}
	if err := p.invalid.err(); err != nil {
		return nil, err
	}
	switch {
	case len(p.batch.Data) > maxBatchBytes:
		return nil, errTooManyBytes
	case !found:
		return nil, registry.ErrNotFound
	case d.Status != stream.Active:
		return nil, errNotActive
	}
	return d, nil
}

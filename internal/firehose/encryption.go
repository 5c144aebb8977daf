package firehose

import (
	"context"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"hydrant/internal/aws"
	"hydrant/internal/stream"
)

// startEncryption begins to seal what is put from now on, with the key that is named (spec
// section 2.12). The stream is ENABLING when the answer is sent.
func (s *Service) startEncryption(ctx context.Context, c *aws.Call) error {
	_, name, err := s.open(ctx, c, startEncryptionInput)
	if err != nil {
		return err
	}
	var in struct {
		Config *stream.EncryptionInput `json:"DeliveryStreamEncryptionConfigurationInput"`
	}
	if err := json.Unmarshal(c.Body, &in, jsontext.AllowDuplicateNames(true)); err != nil {
		return fmt.Errorf("read the key for stream %s: %w", name, err)
	}
	if err := in.Config.Check(s.opt.Region); err != nil {
		return s.explain(name, err)
	}
	key := in.Config.Key()
	if err := s.grant(ctx, c, key); err != nil {
		return err
	}
	return s.recrypt(ctx, c, name, func(e *stream.Encryption) (bool, error) {
		return true, e.StartEncryption(key, s.opt.Now())
	})
}

// stopEncryption begins to store what is put from now on as it is. What is sealed stays so
// until it is delivered.
func (s *Service) stopEncryption(ctx context.Context, c *aws.Call) error {
	_, name, err := s.open(ctx, c, stopEncryptionInput)
	if err != nil {
		return err
	}
	return s.recrypt(ctx, c, name, func(e *stream.Encryption) (bool, error) {
		return e.StopEncryption(s.opt.Now())
	})
}

// grant asks whether the caller may let the service use a customer's key.
func (s *Service) grant(ctx context.Context, c *aws.Call, key stream.Key) error {
	if key.Type != stream.CustomerKey {
		return nil
	}
	return c.Authorize(ctx, "kms:CreateGrant", key.ARN)
}

// recrypt changes the encryption of an ACTIVE stream that takes records from puts.
func (s *Service) recrypt(ctx context.Context, c *aws.Call, name string, change func(*stream.Encryption) (bool, error)) error {
	err := s.opt.Streams.Edit(ctx, name, func(d *stream.Definition) (bool, error) {
		switch {
		case d.Status != stream.Active:
			return false, s.inTheWay(notUpdatable, d)
		case d.Type != stream.DirectPut && d.Type != stream.Database:
			return false, stream.ErrNoEncryption
		case d.Encryption.Changing():
			return false, &statusError{notUpdatable, d.Name, s.opt.Account, string(d.Encryption.Status)}
		}
		return change(&d.Encryption)
	})
	if err != nil {
		return s.explain(name, err)
	}
	c.Out = append(c.Out, "{}"...)
	return nil
}

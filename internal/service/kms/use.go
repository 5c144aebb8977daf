package kms

import (
	"context"

	"hydrant/internal/record"
)

// dataKeySize is that of data keys for the rooms of this node: AES-256.
const dataKeySize = 32

// GenerateDataKey makes a data key of 32 bytes under the key that keyID names in any of its
// forms, managed aliases too. A *record.KeyError says that the key cannot be used.
func (s *Service) GenerateDataKey(ctx context.Context, keyID string, encryptionContext map[string]string) (record.DataKey, error) {
	if err := ctx.Err(); err != nil {
		return record.DataKey{}, err
	}
	k, err := s.usableTarget(s.find(keyID))
	if err != nil {
		return record.DataKey{}, err
	}
	return s.dataKey(k, encryptionContext), nil
}

// Decrypt opens a blob; an empty keyID stands for the key that the blob names. Errors are a
// *record.KeyError if the key cannot be used, ErrCiphertext, ErrWrongKey, or ErrDamaged.
func (s *Service) Decrypt(ctx context.Context, keyID string, blob []byte, encryptionContext map[string]string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return s.open(s.source(blob, keyID), encryptionContext)
}

// usableTarget returns the key that a request named, if it may be used.
func (s *Service) usableTarget(t target) (*key, error) {
	if t.err != nil {
		return nil, t.err
	}
	return s.usable(t.id)
}

func (s *Service) dataKey(k *key, encryptionContext map[string]string) record.DataKey {
	plaintext := random(dataKeySize)
	return record.DataKey{KeyARN: s.keyARN(k.ID), Plaintext: plaintext, Blob: k.encrypt(plaintext, encryptionContext)}
}

// Own uses the node's own key: AWS_OWNED_CMK of streams, SSE-S3 of objects. The API neither
// lists it nor finds it, and cannot open its blobs.
type Own struct{ s *Service }

// Own returns the handle of the own key.
func (s *Service) Own() *Own { return &Own{s} }

// GenerateDataKey makes a data key of 32 bytes; the key id is ignored.
func (o *Own) GenerateDataKey(ctx context.Context, _ string, encryptionContext map[string]string) (record.DataKey, error) {
	if err := ctx.Err(); err != nil {
		return record.DataKey{}, err
	}
	return o.s.dataKey(o.s.own, encryptionContext), nil
}

// Decrypt opens a blob of the own key; the key id is ignored. Errors are ErrCiphertext, and
// ErrWrongKey for blobs of other keys.
func (o *Own) Decrypt(ctx context.Context, _ string, blob []byte, encryptionContext map[string]string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	b, err := parseBlob(blob)
	if err != nil {
		return nil, err
	}
	if b.key != o.s.own.ID {
		return nil, ErrWrongKey
	}
	return o.s.own.decrypt(b, encryptionContext)
}

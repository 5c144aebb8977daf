package kms

import (
	"context"

	"hydrant/internal/aws"
)

// symmetric is the only algorithm that keys of this service have.
const symmetric = "SYMMETRIC_DEFAULT"

// algorithms are those of the API.
var algorithms = []string{symmetric, "RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256", "SM2PKE"}

// fits refuses algorithms that are known but not of our keys.
func fits(algorithm string) error {
	if algorithm == "" || algorithm == symmetric {
		return nil
	}
	return answer("InvalidKeyUsageException", "The key does not support the algorithm %s.", algorithm)
}

// rehearsed refuses a request that asks only whether it would succeed.
func rehearsed(dry bool) error {
	if dry {
		return answer("DryRunOperationException", "The request would have succeeded, but the DryRun option is set.")
	}
	return nil
}

type dataKeyInput struct {
	named
	KeySpec           string
	NumberOfBytes     *int
	EncryptionContext map[string]string
	GrantTokens       []string
	DryRun            bool
}

func (in *dataKeyInput) check(v *violations) {
	in.named.check(v)
	v.oneOf("keySpec", in.KeySpec, "AES_256", "AES_128")
	v.number("numberOfBytes", in.NumberOfBytes, 1, maxRandom)
	v.context("encryptionContext", in.EncryptionContext)
	v.tokens(in.GrantTokens)
}

// size is how long the data key shall be.
func (in *dataKeyInput) size() (int, error) {
	switch {
	case (in.KeySpec == "") == (in.NumberOfBytes == nil):
		return 0, answer(validation, "Please specify either number of bytes or key spec.")
	case in.NumberOfBytes != nil:
		return *in.NumberOfBytes, nil
	case in.KeySpec == "AES_128":
		return 16, nil
	}
	return 32, nil
}

type dataKeyOutput struct {
	CiphertextBlob []byte
	Plaintext      []byte `json:",omitempty"`
	KeyID          string `json:"KeyId"`
}

func (s *Service) generateDataKey(in *dataKeyInput) (dataKeyOutput, error) {
	var out dataKeyOutput
	size, err := in.size()
	if err != nil {
		return out, err
	}
	k, err := s.usableTarget(in.key)
	if err != nil {
		return out, err
	}
	if err := rehearsed(in.DryRun); err != nil {
		return out, err
	}
	plaintext := random(size)
	return dataKeyOutput{k.encrypt(plaintext, in.EncryptionContext), plaintext, s.keyARN(k.ID)}, nil
}

func (s *Service) generateDataKeyWithoutPlaintext(in *dataKeyInput) (dataKeyOutput, error) {
	out, err := s.generateDataKey(in)
	clear(out.Plaintext)
	out.Plaintext = nil
	return out, err
}

type encryptInput struct {
	named
	Plaintext           []byte
	EncryptionContext   map[string]string
	EncryptionAlgorithm string
	GrantTokens         []string
	DryRun              bool
}

func (in *encryptInput) check(v *violations) {
	in.named.check(v)
	v.bytes("plaintext", in.Plaintext, maxPlaintext)
	v.oneOf("encryptionAlgorithm", in.EncryptionAlgorithm, algorithms...)
	v.context("encryptionContext", in.EncryptionContext)
	v.tokens(in.GrantTokens)
}

type encryptOutput struct {
	CiphertextBlob      []byte
	KeyID               string `json:"KeyId"`
	EncryptionAlgorithm string
}

func (s *Service) encrypt(in *encryptInput) (encryptOutput, error) {
	var out encryptOutput
	k, err := s.usableTarget(in.key)
	if err != nil {
		return out, err
	}
	if err := fits(in.EncryptionAlgorithm); err != nil {
		return out, err
	}
	if err := rehearsed(in.DryRun); err != nil {
		return out, err
	}
	return encryptOutput{k.encrypt(in.Plaintext, in.EncryptionContext), s.keyARN(k.ID), symmetric}, nil
}

// source is what a blob in a request is decrypted with: the key it names, which must be the
// one that the request names, if that names any.
type source struct {
	blob blob
	key  target
	err  error
}

// source finds the key of a blob. A blob that cannot be read is about no key.
func (s *Service) source(text []byte, name string) source {
	b, err := parseBlob(text)
	if err != nil {
		return source{key: target{arn: "*"}, err: err}
	}
	found := source{blob: b, key: s.find(b.key)}
	if found.err = found.key.err; name == "" {
		return found
	}
	if given := s.find(name); given.err != nil {
		found.err = given.err
	} else if given.id != b.key {
		found.err = ErrWrongKey
	}
	return found
}

// open decrypts.
func (s *Service) open(from source, context map[string]string) ([]byte, error) {
	if from.err != nil {
		return nil, from.err
	}
	k, err := s.usable(from.key.id)
	if err != nil {
		return nil, err
	}
	return k.decrypt(from.blob, context)
}

type decryptInput struct {
	CiphertextBlob      []byte
	KeyID               string `json:"KeyId"`
	EncryptionContext   map[string]string
	EncryptionAlgorithm string
	GrantTokens         []string
	DryRun              bool

	source source
}

func (in *decryptInput) allow(ctx context.Context, s *Service, c *aws.Call) error {
	in.source = s.source(in.CiphertextBlob, in.KeyID)
	return c.Allow(ctx, in.source.key.arn)
}

func (in *decryptInput) check(v *violations) {
	v.bytes("ciphertextBlob", in.CiphertextBlob, maxCiphertext)
	v.text("keyId", in.KeyID, 0, 2048, nil)
	v.oneOf("encryptionAlgorithm", in.EncryptionAlgorithm, algorithms...)
	v.context("encryptionContext", in.EncryptionContext)
	v.tokens(in.GrantTokens)
}

type decryptOutput struct {
	Plaintext           []byte
	KeyID               string `json:"KeyId"`
	EncryptionAlgorithm string
}

func (s *Service) decrypt(in *decryptInput) (decryptOutput, error) {
	var out decryptOutput
	plaintext, err := s.open(in.source, in.EncryptionContext)
	if err != nil {
		return out, err
	}
	if err := fits(in.EncryptionAlgorithm); err != nil {
		return out, err
	}
	if err := rehearsed(in.DryRun); err != nil {
		return out, err
	}
	return decryptOutput{plaintext, in.source.key.arn, symmetric}, nil
}

type reEncryptInput struct {
	CiphertextBlob                 []byte
	SourceKeyID                    string `json:"SourceKeyId"`
	SourceEncryptionContext        map[string]string
	SourceEncryptionAlgorithm      string
	DestinationKeyID               string `json:"DestinationKeyId"`
	DestinationEncryptionContext   map[string]string
	DestinationEncryptionAlgorithm string
	GrantTokens                    []string
	DryRun                         bool

	source      source
	destination target
}

// allow asks for both keys; there is no action of the operation's own name.
func (in *reEncryptInput) allow(ctx context.Context, s *Service, c *aws.Call) error {
	in.source = s.source(in.CiphertextBlob, in.SourceKeyID)
	in.destination = s.find(in.DestinationKeyID)
	if err := c.Authorize(ctx, "kms:ReEncryptFrom", in.source.key.arn); err != nil {
		return err
	}
	return c.Authorize(ctx, "kms:ReEncryptTo", in.destination.arn)
}

func (in *reEncryptInput) check(v *violations) {
	v.bytes("ciphertextBlob", in.CiphertextBlob, maxCiphertext)
	v.text("sourceKeyId", in.SourceKeyID, 0, 2048, nil)
	v.text("destinationKeyId", in.DestinationKeyID, 1, 2048, nil)
	v.oneOf("sourceEncryptionAlgorithm", in.SourceEncryptionAlgorithm, algorithms...)
	v.oneOf("destinationEncryptionAlgorithm", in.DestinationEncryptionAlgorithm, algorithms...)
	v.context("sourceEncryptionContext", in.SourceEncryptionContext)
	v.context("destinationEncryptionContext", in.DestinationEncryptionContext)
	v.tokens(in.GrantTokens)
}

type reEncryptOutput struct {
	CiphertextBlob                 []byte
	SourceKeyID                    string `json:"SourceKeyId"`
	KeyID                          string `json:"KeyId"`
	SourceEncryptionAlgorithm      string
	DestinationEncryptionAlgorithm string
}

func (s *Service) reEncrypt(in *reEncryptInput) (reEncryptOutput, error) {
	var out reEncryptOutput
	plaintext, err := s.open(in.source, in.SourceEncryptionContext)
	if err != nil {
		return out, err
	}
	defer clear(plaintext)
	k, err := s.usableTarget(in.destination)
	if err != nil {
		return out, err
	}
	for _, algorithm := range []string{in.SourceEncryptionAlgorithm, in.DestinationEncryptionAlgorithm} {
		if err := fits(algorithm); err != nil {
			return out, err
		}
	}
	if err := rehearsed(in.DryRun); err != nil {
		return out, err
	}
	blob := k.encrypt(plaintext, in.DestinationEncryptionContext)
	return reEncryptOutput{blob, in.source.key.arn, s.keyARN(k.ID), symmetric, symmetric}, nil
}

type randomInput struct {
	general
	NumberOfBytes *int
}

func (in *randomInput) check(v *violations) {
	v.number("numberOfBytes", in.NumberOfBytes, 1, maxRandom)
}

type randomOutput struct{ Plaintext []byte }

func (s *Service) generateRandom(in *randomInput) (randomOutput, error) {
	if in.NumberOfBytes == nil {
		return randomOutput{}, answer(validation, "NumberOfBytes is required.")
	}
	return randomOutput{random(*in.NumberOfBytes)}, nil
}

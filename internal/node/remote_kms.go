package node

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"hydrant/internal/aws"
	"hydrant/internal/record"
	"hydrant/internal/service/kms"
	"hydrant/internal/vault"
)

// kmsTarget is the prefix of X-Amz-Target by which KMS is called.
const kmsTarget = "TrentService"

// remoteKMS is a KMS elsewhere, with the words of the built-in one.
type remoteKMS struct{ client *aws.Client }

// It takes the place of the built-in one.
var (
	_ vault.Keys = remoteKMS{}
	_ vault.Keys = (*kms.Service)(nil)
)

// kmsWait is how long a call of a remote KMS may take. Puts of the stream wait with it.
const kmsWait = 10 * time.Second

// dataKeySize is that of AES-256.
const dataKeySize = 32

// errBadDataKey says that a KMS made something else than was asked for.
var errBadDataKey = errors.New("the KMS made no data key of 32 bytes")

// GenerateDataKey implements vault.Keys.
func (k remoteKMS) GenerateDataKey(ctx context.Context, keyID string, encryptionContext map[string]string) (record.DataKey, error) {
	var out struct {
		CiphertextBlob, Plaintext []byte
		KeyID                     string `json:"KeyId"`
	}
	err := k.call(ctx, "GenerateDataKey", struct {
		KeyID             string `json:"KeyId"`
		KeySpec           string
		EncryptionContext map[string]string `json:",omitempty"`
	}{keyID, "AES_256", encryptionContext}, &out)
	if err != nil {
		return record.DataKey{}, err
	}
	if len(out.Plaintext) != dataKeySize || len(out.CiphertextBlob) == 0 || out.KeyID == "" {
		return record.DataKey{}, errBadDataKey
	}
	return record.DataKey{KeyARN: out.KeyID, Plaintext: out.Plaintext, Blob: out.CiphertextBlob}, nil
}

// Decrypt implements vault.Keys.
func (k remoteKMS) Decrypt(ctx context.Context, keyID string, blob []byte, encryptionContext map[string]string) ([]byte, error) {
	var out struct{ Plaintext []byte }
	err := k.call(ctx, "Decrypt", struct {
		CiphertextBlob    []byte
		KeyID             string            `json:"KeyId,omitempty"`
		EncryptionContext map[string]string `json:",omitempty"`
	}{blob, keyID, encryptionContext}, &out)
	if err != nil {
		return nil, err
	}
	if len(out.Plaintext) == 0 {
		return nil, fmt.Errorf("decrypt: %w: it has no plaintext", aws.ErrBadAnswer)
	}
	return out.Plaintext, nil
}

func (k remoteKMS) call(ctx context.Context, operation string, in, out any) error {
	ctx, cancel := context.WithTimeout(ctx, kmsWait)
	defer cancel()
	return explainKMS(k.client.Call(ctx, operation, in, out))
}

// keyCodes are the errors of a KMS by which a key surely cannot be used. Those of the node's
// own credentials are not among them: they are put right without a change to stream or key.
var keyCodes = []string{
	"NotFoundException", "DisabledException", "KMSInvalidStateException", "AccessDeniedException",
	"InvalidKeyUsageException", "InvalidArnException",
}

// explainKMS turns the errors of a remote KMS into those of the built-in one.
func explainKMS(err error) error {
	var told *aws.RemoteError
	if !errors.As(err, &told) {
		return err
	}
	switch {
	case slices.Contains(keyCodes, told.Code):
		return &record.KeyError{Code: told.Code, Message: told.Message}
	case told.Code == "InvalidCiphertextException":
		return fmt.Errorf("%w: %w", kms.ErrCiphertext, err)
	case told.Code == "IncorrectKeyException":
		return fmt.Errorf("%w: %w", kms.ErrWrongKey, err)
	}
	return err
}

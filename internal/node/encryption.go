package node

import (
	"context"
	"errors"
	"time"

	"hydrant/internal/deliver"
	"hydrant/internal/ingest"
	"hydrant/internal/record"
	"hydrant/internal/stream"
	"hydrant/internal/vault"
)

// freshKey is how long a data key in memory is used without asking its KMS again.
const freshKey = 5 * time.Minute

// openVault opens what seals encrypted streams.
func (n *Node) openVault(context.Context) error {
	own, err := vault.OpenOwn(n.path("own.key"))
	if err != nil {
		return err
	}
	n.vault = vault.New(vault.Options{Log: n.engine, Own: own, KMS: noKMS{}, Fresh: freshKey, Now: n.opt.Now})
	return nil
}

// noKMS answers for customers' keys: this version has no KMS that could hold them.
type noKMS struct{}

var errNoKMS = &record.KeyError{Code: "NotFoundException",
	Message: "This node has no KMS, so there is no such key. Use the KeyType AWS_OWNED_CMK: the node's own key."}

func (noKMS) GenerateDataKey(context.Context, string, map[string]string) (record.DataKey, error) {
	return record.DataKey{}, errNoKMS
}

func (noKMS) Decrypt(context.Context, string, []byte, map[string]string) ([]byte, error) {
	return nil, errNoKMS
}

// sealer finds the sealer of a stream for the door.
func (n *Node) sealer(ctx context.Context, d *stream.Definition) (ingest.Sealer, error) {
	s, err := n.vault.Sealer(ctx, d)
	if s == nil {
		return nil, err
	}
	return s, err
}

// opened is the journal as delivery reads it: what is sealed arrives opened.
type opened struct {
	deliver.Log
	vault *vault.Vault
}

// Read implements deliver.Log.
func (o opened) Read(ctx context.Context, q record.Queue, from uint64, fn func(*record.Entry) error) error {
	return o.vault.Read(ctx, q, from, fn, o.Log.Read)
}

// keyFailures names the failures that Describe shows (spec firehose.md section 2.2) by the
// errors of KMS.
var keyFailures = map[string]string{
	"NotFoundException":        "KMS_KEY_NOT_FOUND",
	"DisabledException":        "DISABLED_KMS_KEY",
	"KMSInvalidStateException": "INVALID_KMS_KEY",
	"InvalidKeyUsageException": "INVALID_KMS_KEY",
	"AccessDeniedException":    "KMS_ACCESS_DENIED",
}

// encrypt proves that a stream's new key can be used. Only a key that surely cannot is a
// failure; a KMS that does not answer is asked again.
func (n *Node) encrypt(ctx context.Context, d *stream.Definition) error {
	err := n.vault.Try(ctx, d, *d.Encryption.Key)
	var key *record.KeyError
	if !errors.As(err, &key) {
		return err
	}
	kind, ok := keyFailures[key.Code]
	if !ok {
		kind = "UNKNOWN_ERROR"
	}
	return &stream.Failure{Type: kind, Details: key.Message}
}

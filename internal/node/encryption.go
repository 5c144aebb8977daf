package node

import (
	"context"
	"errors"
	"fmt"
	"time"

	"hydrant/internal/deliver"
	"hydrant/internal/ingest"
	"hydrant/internal/record"
	"hydrant/internal/service/kms"
	"hydrant/internal/stream"
	"hydrant/internal/vault"
)

// How long a data key in memory is used without asking the KMS again. The built-in one answers
// in microseconds, so a key that is disabled there is out of use at once. Another one costs a
// round trip for which puts wait, and perhaps money.
const (
	freshKey       = time.Second
	freshRemoteKey = time.Minute
)

// openKeys opens the KMS, and what seals encrypted streams with its keys. The built-in KMS has
// the node's own key, also when users' keys are elsewhere.
func (n *Node) openKeys(ctx context.Context) (err error) {
	n.kms, err = kms.Open(kms.Options{
		Root: n.opt.Config.Data, Partition: partition, Region: n.opt.Config.Region, Account: n.opt.Config.Account,
		Logger: n.log.With("room", "kms"), Now: n.opt.Now,
	})
	if err != nil {
		return fmt.Errorf("open the built-in KMS: %w", err)
	}
	fresh := freshKey
	n.keys = n.kms
	elsewhere, err := n.remote(ctx, "kms", kmsTarget)
	if err != nil {
		return err
	}
	if elsewhere != nil {
		fresh, n.keys = freshRemoteKey, remoteKMS{elsewhere}
	}
	n.vault = vault.New(vault.Options{Log: n.engine, Own: n.kms.Own(), KMS: n.keys, Fresh: fresh, Now: n.opt.Now})
	return nil
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
	"InvalidArnException":      "INVALID_KMS_KEY",
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

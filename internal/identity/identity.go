// Package identity says who may come in: which access keys exist, whose they are, and what
// their owners may do.
//
//   - Root: the owner of the account, who may do everything. Its access key is made at the
//     first start and is the only one of this release.
//   - Credentials file: where the root key lies, credentials.json in the data directory,
//     readable by its owner alone.
package identity

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"hydrant/internal/aws"
	"hydrant/internal/durable"
)

// FileName is the name of the credentials file in the data directory.
const FileName = "credentials.json"

// Root is the owner of the root key, as the resource of an IAM ARN.
const Root = "root"

// Errors of Load.
var (
	// ErrExposed: others than the owner may read or change the credentials file.
	ErrExposed = errors.New("credentials file is open to others")
	// ErrDamaged: the credentials file cannot be understood. It is left as it is: making a
	// new one would lock out everyone who holds the old key.
	ErrDamaged = errors.New("credentials file is damaged")
)

// Credentials are an access key.
type Credentials struct {
	AccessKeyID string
	Secret      aws.Secret // 40 characters
}

// Store answers who holds an access key and what they may do. It satisfies aws.Credentials
// and aws.Authorizer and is safe for many goroutines.
type Store struct {
	root *Credentials // behind a pointer, so that a printed Store does not tell
}

// Load reads the credentials file in dir, which must exist. If there is no such file it
// makes root credentials and has them on disk before it returns.
func Load(dir string) (*Store, error) {
	path := filepath.Join(dir, FileName)
	root, err := read(path)
	if errors.Is(err, fs.ErrNotExist) {
		root, err = create(path)
	}
	if err != nil {
		return nil, err
	}
	return &Store{root: &root}, nil
}

// Root returns the root credentials.
func (s *Store) Root() Credentials { return *s.root }

// Lookup finds an access key.
func (s *Store) Lookup(accessKeyID string) (aws.Key, bool) {
	if accessKeyID != s.root.AccessKeyID {
		return aws.Key{}, false
	}
	return aws.Key{Secret: s.root.Secret, Owner: Root}, true
}

// Allow lets root do everything and others nothing (spec neighbours.md 10.1: the root user
// is not restricted by identity policies).
func (s *Store) Allow(_ context.Context, p aws.Principal, action, _ string) error {
	if p.Owner == Root {
		return nil
	}
	return fmt.Errorf("no identity-based policy allows the %s action", action)
}

// file is the credentials file. It is the one place where the secret is written out.
type file struct {
	AccessKeyID     string `json:"accessKeyId"`
	SecretAccessKey string `json:"secretAccessKey"`
}

// read reads and checks the credentials file.
func read(path string) (Credentials, error) {
	f, err := os.Open(path)
	if err != nil {
		return Credentials{}, fmt.Errorf("credentials: %w", err)
	}
	defer f.Close() // opened for reading: there is nothing to lose
	info, err := f.Stat()
	if err != nil {
		return Credentials{}, fmt.Errorf("credentials: %w", err)
	}
	if mode := info.Mode(); mode.Perm()&0o077 != 0 {
		return Credentials{}, fmt.Errorf("%w: %s has mode %04o; whoever could read it may hold the root key. "+
			"Run: chmod 600 %s (or remove the file to have a new key made)", ErrExposed, path, mode.Perm(), path)
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFile))
	if err != nil {
		return Credentials{}, fmt.Errorf("credentials: %w", err)
	}
	var got file
	if err := json.Unmarshal(data, &got); err != nil {
		// The decoder's own words may quote the secret.
		return Credentials{}, damaged(path, "it is not the JSON that it should be")
	}
	if len(got.AccessKeyID) != idLength || len(got.SecretAccessKey) != secretLength {
		return Credentials{}, damaged(path, "accessKeyId must have 20 characters and secretAccessKey 40")
	}
	return Credentials{got.AccessKeyID, aws.Secret(got.SecretAccessKey)}, nil
}

func damaged(path, why string) error {
	return fmt.Errorf("%w: %s: %s. Restore it, or remove it to have a new key made; clients that use the old key then need the new one",
		ErrDamaged, path, why)
}

const (
	maxFile      = 4 << 10 // bytes of the credentials file that are looked at
	idPrefix     = "HYDR"
	idLength     = 20 // characters, as AWS's own
	secretLength = 40 // characters, of 30 random bytes in base64
)

// create makes root credentials and writes them down.
func create(path string) (Credentials, error) {
	var random [10 + 30]byte
	rand.Read(random[:]) // never fails: the program ends when there is no randomness
	made := file{
		AccessKeyID:     idPrefix + base32.StdEncoding.EncodeToString(random[:10]),
		SecretAccessKey: base64.StdEncoding.EncodeToString(random[10:]),
	}
	data, err := json.Marshal(made, jsontext.Multiline(true))
	if err != nil {
		return Credentials{}, fmt.Errorf("encode credentials: %w", err)
	}
	if err := durable.WriteFile(path, append(data, '\n'), 0o600); err != nil {
		return Credentials{}, fmt.Errorf("write root credentials: %w", err)
	}
	return Credentials{made.AccessKeyID, aws.Secret(made.SecretAccessKey)}, nil
}

package node

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/go-json-experiment/json"

	"hydrant/internal/durable"
	"hydrant/internal/identity"
)

// Address is where a node listens. serve leaves it in the data directory.
type Address struct {
	Listen  string `json:"listen"`  // host:port of all AWS APIs
	Console string `json:"console"` // host:port of health and metrics
	TLS     bool   `json:"tls,omitzero"`
	Region  string `json:"region"`
}

// URL is the address of the AWS APIs for clients.
func (a Address) URL() string { return a.scheme() + a.Listen }

// ConsoleURL is the address of health and metrics.
func (a Address) ConsoleURL() string { return a.scheme() + a.Console }

func (a Address) scheme() string {
	if a.TLS {
		return "https://"
	}
	return "http://"
}

const addressFile = "node.json"

// leave writes the address into the data directory, unless it is there already: a restart on
// a full disk has nothing to write.
func (a Address) leave(data string) error {
	b, err := json.Marshal(a)
	if err != nil {
		return err
	}
	b = append(b, '\n')
	path := filepath.Join(data, addressFile)
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, b) {
		return nil
	}
	if err := durable.WriteFile(path, b, 0o644); err != nil {
		return fmt.Errorf("leave the address in the data directory: %w", err)
	}
	return nil
}

// ErrNoNode says that no node has run on a data directory yet.
var ErrNoNode = errors.New("no node has been started on this data directory yet")

// ReadAddress returns where the node of a data directory listens, or listened last, and
// its root credentials.
func ReadAddress(data string) (Address, identity.Credentials, error) {
	var a Address
	b, err := os.ReadFile(filepath.Join(data, addressFile))
	if errors.Is(err, fs.ErrNotExist) {
		return a, identity.Credentials{}, fmt.Errorf("%w: %s", ErrNoNode, data)
	}
	if err != nil {
		return a, identity.Credentials{}, err
	}
	if err := json.Unmarshal(b, &a); err != nil {
		return a, identity.Credentials{}, fmt.Errorf("read %s: %w", filepath.Join(data, addressFile), err)
	}
	keys, err := identity.Load(data)
	if err != nil {
		return a, identity.Credentials{}, err
	}
	return a, keys.Root(), nil
}

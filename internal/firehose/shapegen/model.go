package main

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// errModel is wrapped by every error about a model that the tables cannot be made of.
var errModel = errors.New("model cannot be used")

func unusable(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errModel, fmt.Sprintf(format, args...))
}

// model is the part of a service model that the tables are made of.
type model struct {
	Operations operations       `json:"operations"`
	Shapes     map[string]shape `json:"shapes"`

	digest string // of the whole file, unpacked, with the words that nobody reads here
}

// shape is a value as the model has it; which fields are set depends on the type.
type shape struct {
	Type     string    `json:"type"`
	Min      *int64    `json:"min"`
	Max      *int64    `json:"max"`
	Pattern  string    `json:"pattern"`
	Enum     []string  `json:"enum"`
	Required []string  `json:"required"`
	Members  members   `json:"members"`
	Member   reference `json:"member"` // of a list
	Key      reference `json:"key"`
	Value    reference `json:"value"`
}

// reference names a shape.
type reference struct {
	Shape string `json:"shape"`
}

// members of a structure, in the order of the model.
type members []member

type member struct{ name, shape string }

// operations of the API, in the order of the model.
type operations []operation

type operation struct{ name, input string }

// UnmarshalJSONFrom reads an object and keeps its order.
func (m *members) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	return inOrder(dec, func(name string, r reference) { *m = append(*m, member{name, r.Shape}) })
}

// UnmarshalJSONFrom reads an object and keeps its order.
func (o *operations) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	return inOrder(dec, func(name string, v struct {
		Input reference `json:"input"`
	}) {
		*o = append(*o, operation{name, v.Input.Shape})
	})
}

// inOrder reads an object whose values are of type V, and calls add for each.
func inOrder[V any](dec *jsontext.Decoder, add func(name string, v V)) error {
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	for dec.PeekKind() == jsontext.KindString {
		name, err := dec.ReadToken()
		if err != nil {
			return err
		}
		key := name.String()
		var v V
		if err := json.UnmarshalDecode(dec, &v); err != nil {
			return err
		}
		add(key, v)
	}
	_, err := dec.ReadToken()
	return err
}

// read reads a model, packed or not.
func read(path string) (*model, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if strings.HasSuffix(path, ".gz") {
		packed, err := gzip.NewReader(bytes.NewReader(raw))
		if err != nil {
			return nil, fmt.Errorf("unpack %s: %w", path, err)
		}
		if raw, err = io.ReadAll(packed); err != nil {
			return nil, fmt.Errorf("unpack %s: %w", path, err)
		}
	}
	m := model{digest: fmt.Sprintf("%x", sha256.Sum256(raw))}
	if err := json.Unmarshal(raw, &m); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return &m, nil
}

// Package vault keeps records unreadable while the journal holds them: it seals the pieces of
// a stream that is encrypted before they are stored, and opens their entries when they are
// read (spec firehose.md sections 2.12 and 8.3).
//
//   - KMS key: the key that a stream names, or the node's own. It never seals records.
//   - Data key: 256 random bits that seal the pieces of one stream, for a day at most. The
//     journal's state holds it wrapped under the KMS key; in plain it is only in memory.
//   - Key id: the name of a data key, 16 hexadecimal digits, in the header of each entry.
//   - Fresh: a plain data key may be used for so long before the KMS is asked again whether
//     its key may still be used.
//   - Sealed piece: nonce, AES-256-GCM of the CRC-32 and the stored bytes, tag. What the
//     header says of the piece is authenticated with it.
package vault

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"golang.org/x/sync/singleflight"

	"hydrant/internal/record"
	"hydrant/internal/stream"
)

// Keys is what vault needs of a KMS. A *record.KeyError says that the key cannot be used;
// other errors pass.
type Keys interface {
	GenerateDataKey(ctx context.Context, keyID string, encryptionContext map[string]string) (record.DataKey, error)
	Decrypt(ctx context.Context, keyID string, blob []byte, encryptionContext map[string]string) ([]byte, error)
}

// Log is what vault needs of the journal; journal.Engine promises the same.
type Log interface {
	Apply(ctx context.Context, tx *record.Tx) error
	State(ctx context.Context, key string) (record.State, error)
	States(ctx context.Context, prefix string, fn func(record.State) error) error
}

// Options are what a vault is built from; all are required.
type Options struct {
	Log   Log
	Own   Keys          // for AWS_OWNED_CMK
	KMS   Keys          // for CUSTOMER_MANAGED_CMK
	Fresh time.Duration // at most 5 minutes (spec neighbours.md section 11.3)
	Now   func() time.Time
}

// KeyPrefix begins the state keys of data keys: datakey/STREAMID/KEYID.
const KeyPrefix = "datakey/"

// A data key is replaced after a day, or after so many pieces: random nonces of 96 bits are
// safe for 2^32 uses of a key (NIST SP 800-38D section 8.3).
const (
	maxAge    = 24 * time.Hour
	maxPieces = 1 << 30
)

// Vault seals and opens. Its methods may be called at once.
type Vault struct {
	opt Options

	renewals singleflight.Group // by stream: all that find a key worn wait for one new one

	mu      sync.Mutex
	sealers map[record.StreamID]*Sealer // what new pieces are sealed with
	openers map[keyName]*dataKey        // that have been used lately
}

// keyName names a data key.
type keyName struct {
	stream record.StreamID
	id     string
}

func (n keyName) String() string { return KeyPrefix + n.stream.String() + "/" + n.id }

// wrapped is a data key as the journal's state holds it.
type wrapped struct {
	Key     stream.Key        `json:"key"`
	Blob    []byte            `json:"blob"`
	Context map[string]string `json:"context"`
	Made    time.Time         `json:"made"`
}

// New returns a vault.
func New(opt Options) *Vault {
	return &Vault{opt: opt, sealers: map[record.StreamID]*Sealer{}, openers: map[keyName]*dataKey{}}
}

// Sealer returns what seals the pieces of a stream now; nil if it is not encrypted. A
// *record.KeyError says that its key cannot be used; with other errors it may be, later.
func (v *Vault) Sealer(ctx context.Context, d *stream.Definition) (*Sealer, error) {
	key := d.Encryption.InUse
	if key == nil {
		return nil, nil
	}
	if s := v.current(d.ID, *key); s != nil {
		return s, s.fresh(ctx, v)
	}
	return v.renewed(ctx, d, *key)
}

// current is what seals the pieces of a stream under a KMS key; nil: there is nothing yet, or
// it is worn.
func (v *Vault) current(id record.StreamID, key stream.Key) *Sealer {
	v.mu.Lock()
	defer v.mu.Unlock()
	if s := v.sealers[id]; s != nil && s.wrapped.Key == key && !s.worn(v.opt.Now()) {
		return s
	}
	return nil
}

// renewed makes one new data key for all that ask for one at once. Who goes away must not
// take the key from the others.
func (v *Vault) renewed(ctx context.Context, d *stream.Definition, key stream.Key) (*Sealer, error) {
	s, err, _ := v.renewals.Do(d.ID.String()+key.ARN, func() (any, error) {
		if s := v.current(d.ID, key); s != nil {
			return s, nil
		}
		return v.renew(context.WithoutCancel(ctx), d, key)
	})
	if err != nil {
		return nil, err
	}
	return s.(*Sealer), nil
}

// Try proves that a key can be used for a stream, by making a data key under it.
func (v *Vault) Try(ctx context.Context, d *stream.Definition, key stream.Key) error {
	_, err := v.renew(ctx, d, key)
	return err
}

// renew makes the stream's next data key. It is stored before it seals anything.
func (v *Vault) renew(ctx context.Context, d *stream.Definition, key stream.Key) (*Sealer, error) {
	w := wrapped{Key: key, Context: map[string]string{"hydrant:delivery-stream": d.ARN}, Made: v.opt.Now().UTC()}
	plain, err := v.keys(key).GenerateDataKey(ctx, key.ARN, w.Context)
	if err != nil {
		return nil, fmt.Errorf("make a data key for stream %s: %w", d.Name, err)
	}
	w.Blob = plain.Blob
	var id [8]byte
	rand.Read(id[:]) // never fails (crypto/rand since Go 1.24)
	name := keyName{d.ID, hex.EncodeToString(id[:])}
	value, err := json.Marshal(w)
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", name, err)
	}
	if err := v.opt.Log.Apply(ctx, &record.Tx{States: []record.StateWrite{{Key: name.String(), Value: value}}}); err != nil {
		return nil, fmt.Errorf("write %s: %w", name, err)
	}
	k, err := newDataKey(name, w, plain.Plaintext, v.opt.Now().Add(v.opt.Fresh))
	if err != nil {
		return nil, err
	}
	s := &Sealer{dataKey: k}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.sealers[d.ID] = s
	v.remember(name, k)
	return s, nil
}

// maxOpeners bounds the plain data keys in memory that open entries; the journal's state has
// them all.
const maxOpeners = 4096

// remember keeps a data key in memory. The caller holds mu.
func (v *Vault) remember(name keyName, k *dataKey) {
	if len(v.openers) >= maxOpeners {
		clear(v.openers)
	}
	v.openers[name] = k
}

func (v *Vault) keys(k stream.Key) Keys {
	if k.Type == stream.CustomerKey {
		return v.opt.KMS
	}
	return v.opt.Own
}

// Read is the Read of a journal that the reader need not know to be sealed: entries arrive
// opened. inner is the journal's own. An entry whose key cannot be used now ends the read with
// an error that wraps a *record.KeyError; the entry stays where it is.
func (v *Vault) Read(ctx context.Context, q record.Queue, from uint64, fn func(*record.Entry) error,
	inner func(context.Context, record.Queue, uint64, func(*record.Entry) error) error) error {
	return inner(ctx, q, from, func(e *record.Entry) error {
		if e.KeyID != "" && e.Missing == 0 {
			if err := v.open(ctx, e); err != nil {
				return fmt.Errorf("open entry %d of %s: %w", e.Sequence, q, err)
			}
		}
		return fn(e)
	})
}

func (v *Vault) open(ctx context.Context, e *record.Entry) error {
	k, err := v.opener(ctx, keyName{e.Queue.Stream, e.KeyID})
	if err != nil {
		return err
	}
	if err := k.fresh(ctx, v); err != nil {
		return err
	}
	return k.open(e)
}

// errNoDataKey says that the state of a data key is gone.
var errNoDataKey = errors.New("the data key is not there any more")

// opener finds a data key by its name, in memory or in the journal's state.
func (v *Vault) opener(ctx context.Context, name keyName) (*dataKey, error) {
	v.mu.Lock()
	k := v.openers[name]
	v.mu.Unlock()
	if k != nil {
		return k, nil
	}
	st, err := v.opt.Log.State(ctx, name.String())
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if st.Version == 0 {
		return nil, fmt.Errorf("read %s: %w", name, errNoDataKey)
	}
	var w wrapped
	if err := json.Unmarshal(st.Value, &w); err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	plain, err := v.keys(w.Key).Decrypt(ctx, w.Key.ARN, w.Blob, w.Context)
	if err != nil {
		return nil, fmt.Errorf("unwrap %s: %w", name, err)
	}
	if k, err = newDataKey(name, w, plain, v.opt.Now().Add(v.opt.Fresh)); err != nil {
		return nil, err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.remember(name, k)
	return k, nil
}

// Forget destroys the data keys of a stream that is gone.
func (v *Vault) Forget(ctx context.Context, id record.StreamID) error {
	var tx record.Tx
	err := v.opt.Log.States(ctx, KeyPrefix+id.String()+"/", func(st record.State) error {
		tx.States = append(tx.States, record.StateWrite{Key: st.Key, Old: st.Version})
		return nil
	})
	if err == nil && len(tx.States) > 0 {
		err = v.opt.Log.Apply(ctx, &tx)
	}
	if err != nil {
		return fmt.Errorf("destroy the data keys of %s: %w", id, err)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.sealers, id)
	for name := range v.openers {
		if name.stream == id {
			delete(v.openers, name)
		}
	}
	return nil
}

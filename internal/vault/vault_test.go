package vault

import (
	"bytes"
	"context"
	"errors"
	"hash/crc32"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"hydrant/internal/record"
	"hydrant/internal/stream"
)

// world is a vault over a journal's state and a KMS whose keys can be taken away.
type world struct {
	*Vault
	t      testing.TB
	mu     sync.Mutex
	states map[string]record.State
	broken error // what the KMS answers
	made   int   // data keys
	asked  int   // decryptions
	now    time.Time
}

func newWorld(t testing.TB) *world {
	w := &world{t: t, states: map[string]record.State{}, now: time.Unix(1768471200, 0)}
	w.restart()
	return w
}

// restart forgets what is only in memory.
func (w *world) restart() {
	w.Vault = New(Options{Log: w, Own: w, KMS: w, Fresh: time.Minute, Now: func() time.Time { return w.now }})
}

func (w *world) Apply(_ context.Context, tx *record.Tx) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range tx.States {
		if w.states[s.Key].Version != s.Old {
			return record.ErrConflict
		}
		if s.Value == nil {
			delete(w.states, s.Key)
		} else {
			w.states[s.Key] = record.State{Key: s.Key, Value: s.Value, Version: s.Old + 1}
		}
	}
	return nil
}

func (w *world) State(_ context.Context, key string) (record.State, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.states[key], nil
}

func (w *world) States(_ context.Context, prefix string, fn func(record.State) error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, key := range slices.Sorted(maps.Keys(w.states)) {
		if strings.HasPrefix(key, prefix) {
			if err := fn(w.states[key]); err != nil {
				return err
			}
		}
	}
	return nil
}

// wrap stands for the KMS's own encryption, which is not what is tested here.
func wrap(b []byte) []byte {
	out := slices.Clone(b)
	for i := range out {
		out[i] ^= 0x5a
	}
	return out
}

func (w *world) GenerateDataKey(_ context.Context, keyID string, _ map[string]string) (record.DataKey, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.made++
	plain := bytes.Repeat([]byte{byte(w.made)}, 32)
	return record.DataKey{KeyARN: keyID, Plaintext: plain, Blob: wrap(plain)}, w.broken
}

func (w *world) Decrypt(_ context.Context, _ string, blob []byte, c map[string]string) ([]byte, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked++
	if c["hydrant:delivery-stream"] != "arn:s" {
		w.t.Errorf("the encryption context is %v", c)
	}
	return wrap(blob), w.broken
}

var customer = stream.Key{Type: stream.CustomerKey, ARN: "arn:aws:kms:us-east-1:000000000000:key/k"}

func encrypted(key stream.Key) *stream.Definition {
	return &stream.Definition{ID: record.StreamID{7}, Name: "s", ARN: "arn:s",
		Encryption: stream.Encryption{Status: stream.EncryptionEnabled, InUse: &key}}
}

const secret = "nobody else may read this"

func piece() record.Piece {
	return record.Piece{Codec: record.None, RawBytes: uint32(len(secret)), RawCRC: crc32.ChecksumIEEE([]byte(secret)),
		Lengths: []uint32{6, uint32(len(secret)) - 6}, Stored: []byte(secret)}
}

// seal returns a sealed entry of the stream.
func (w *world) seal(d *stream.Definition) *record.Entry {
	w.t.Helper()
	s, err := w.Sealer(w.t.Context(), d)
	if err != nil {
		w.t.Fatal(err)
	}
	p := piece()
	s.Seal(&p)
	if bytes.Contains(p.Stored, []byte("nobody")) || p.RawCRC != 0 || p.KeyID == "" {
		w.t.Fatalf("not sealed: %+v", p)
	}
	return &record.Entry{Queue: record.Queue{Stream: d.ID}, Sequence: 3, Piece: p}
}

// read reads one entry through the vault.
func (w *world) read(e record.Entry) (got string, err error) {
	e.Stored = slices.Clone(e.Stored)
	err = w.Read(w.t.Context(), e.Queue, 1, func(e *record.Entry) error {
		got = string(e.Stored)
		if e.KeyID != "" || e.RawCRC != piece().RawCRC {
			w.t.Errorf("opened to %+v", e)
		}
		return nil
	}, func(_ context.Context, _ record.Queue, _ uint64, fn func(*record.Entry) error) error { return fn(&e) })
	return got, err
}

func TestWhatIsSealedIsOpenedAlsoAfterARestart(t *testing.T) {
	for _, key := range []stream.Key{customer, {Type: stream.AWSOwnedKey}} {
		w := newWorld(t)
		e := w.seal(encrypted(key))
		for range 2 {
			if got, err := w.read(*e); err != nil || got != secret {
				t.Errorf("%s: %q, %v", key.Type, got, err)
			}
			w.restart()
		}
	}
}

func TestAStreamWithoutEncryptionHasNoSealer(t *testing.T) {
	w := newWorld(t)
	if s, err := w.Sealer(t.Context(), &stream.Definition{}); s != nil || err != nil || w.made > 0 {
		t.Fatalf("%v, %v, %d keys made", s, err, w.made)
	}
}

func TestEveryChangeOfASealedEntryIsNoticed(t *testing.T) {
	w := newWorld(t)
	e := w.seal(encrypted(customer))
	for name, change := range map[string]func(*record.Entry){
		"a bit":       func(e *record.Entry) { e.Stored = wrap(e.Stored[:1:1]) },
		"cut off":     func(e *record.Entry) { e.Stored = e.Stored[:len(e.Stored)-1] },
		"the codec":   func(e *record.Entry) { e.Codec = record.Deflate },
		"the level":   func(e *record.Entry) { e.Level = 3 },
		"the lengths": func(e *record.Entry) { e.Lengths = []uint32{7, uint32(len(secret)) - 7} },
		"the total":   func(e *record.Entry) { e.RawBytes++ },
	} {
		changed := *e
		change(&changed)
		if _, err := w.read(changed); !errors.Is(err, errTampered) {
			t.Errorf("%s: %v", name, err)
		}
	}
	flipped := *e
	for i := range e.Stored {
		flipped.Stored = slices.Clone(e.Stored)
		flipped.Stored[i] ^= 1
		if _, err := w.read(flipped); !errors.Is(err, errTampered) {
			t.Fatalf("byte %d: %v", i, err)
		}
	}
}

func TestADisabledKeyStopsUseWithinTheFreshTimeAndLosesNothing(t *testing.T) {
	w := newWorld(t)
	d := encrypted(customer)
	e := w.seal(d)
	w.broken = &record.KeyError{Code: "DisabledException"}
	w.seal(d) // still fresh
	w.now = w.now.Add(time.Minute)
	var key *record.KeyError
	if _, err := w.Sealer(t.Context(), d); !errors.As(err, &key) {
		t.Errorf("sealed with a disabled key: %v", err)
	}
	if _, err := w.read(*e); !errors.As(err, &key) {
		t.Errorf("opened with a disabled key: %v", err)
	}
	w.broken = nil
	if got, err := w.read(*e); err != nil || got != secret {
		t.Errorf("after the key was enabled again: %q, %v", got, err)
	}
}

func TestAClockThatIsSetBackDoesNotKeepAKeyFresh(t *testing.T) {
	w := newWorld(t)
	e := w.seal(encrypted(customer))
	w.now = w.now.Add(-time.Hour)
	if _, err := w.read(*e); err != nil || w.asked != 1 {
		t.Errorf("asked %d times, %v", w.asked, err)
	}
}

func TestDataKeysAreReplacedWhenTheyAreWornOrTheStreamHasAnotherKey(t *testing.T) {
	w := newWorld(t)
	first := w.seal(encrypted(customer))
	if again := w.seal(encrypted(customer)); again.KeyID != first.KeyID || w.made != 1 {
		t.Errorf("%d data keys for two pieces", w.made)
	}
	w.now = w.now.Add(maxAge)
	if next := w.seal(encrypted(customer)); next.KeyID == first.KeyID {
		t.Error("a data key of yesterday still seals")
	}
	if own := w.seal(encrypted(stream.Key{Type: stream.AWSOwnedKey})); own.KeyID == first.KeyID || w.made != 3 {
		t.Error("the former KMS key's data key still seals")
	}
	if got, err := w.read(*first); err != nil || got != secret {
		t.Errorf("the first entry: %q, %v", got, err)
	}
}

func TestForgottenDataKeysOpenNothing(t *testing.T) {
	w := newWorld(t)
	d := encrypted(customer)
	e := w.seal(d)
	if err := w.Forget(t.Context(), d.ID); err != nil || len(w.states) > 0 {
		t.Fatalf("%d data keys left, %v", len(w.states), err)
	}
	if _, err := w.read(*e); !errors.Is(err, errNoDataKey) {
		t.Fatal(err)
	}
}

func TestManyAtOnceShareOneNewDataKey(t *testing.T) {
	w := newWorld(t)
	d := encrypted(customer)
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			if _, err := w.Sealer(t.Context(), d); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if w.made != 1 {
		t.Errorf("%d data keys", w.made)
	}
}

func BenchmarkSeal(b *testing.B) {
	w := newWorld(b)
	s, err := w.Sealer(b.Context(), encrypted(customer))
	if err != nil {
		b.Fatal(err)
	}
	p := piece()
	raw := make([]byte, record.MaxPieceBytes)
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		p.Stored = raw
		s.Seal(&p)
	}
}

package operate

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"hydrant/internal/aws"
	"hydrant/internal/record"
	"hydrant/internal/registry"
	"hydrant/internal/stream"
)

const (
	account = "123456789012"
	region  = "us-east-1"
	rootID  = "HYDRAAAAAAAAAAAAAAAA"
	guestID = "HYDRBBBBBBBBBBBBBBBB"
	secret  = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
)

// world is a node's end with two streams, clicks and orders, and a client of it.
type world struct {
	*Client
	streams  *registry.Registry
	delivery *fakeDelivery
	judging  sync.Mutex
	asked    []string // actions and ARNs that callers were judged by; under judging
	options  ClientOptions
}

func newWorld(t *testing.T, names ...string) *world {
	t.Helper()
	w := &world{delivery: &fakeDelivery{status: map[record.StreamID]Status{}}}
	var err error
	w.streams, err = registry.Open(t.Context(), &memory{states: map[string]record.State{}}, registry.Options{
		Partition: "aws", Region: region, Account: account, Logger: slog.New(slog.DiscardHandler), Now: time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		w.create(t, name)
	}
	s := New(Options{Partition: "aws", Region: region, Account: account, Streams: w.streams, Delivery: w.delivery, Trial: fakeTrial{}, Now: time.Now})
	server := aws.NewServer(aws.Options{
		Partition: "aws", Region: region, Account: account, Credentials: keyring{}, Authorizer: judge{w},
		Buffers: aws.NewBuffers(64<<20, time.Minute), Logger: slog.New(slog.DiscardHandler), Now: time.Now,
	})
	server.Handle(ServiceName, s.JSON())
	w.options = ClientOptions{
		Endpoint: "http://node", Region: region, AccessKeyID: rootID, Secret: secret,
		HTTP: &http.Client{Transport: inProcess{server}},
	}
	w.Client = NewClient(w.options)
	return w
}

// create makes an active stream.
func (w *world) create(t *testing.T, name string) *stream.Definition {
	t.Helper()
	d, err := w.streams.Create(t.Context(), &stream.Definition{Name: name, Type: stream.DirectPut})
	if err != nil {
		t.Fatal(err)
	}
	w.edit(t, name, func(d *stream.Definition) { d.Status = stream.Active })
	w.delivery.set(d.ID, Status{})
	return d
}

func (w *world) edit(t *testing.T, name string, edit func(*stream.Definition)) {
	t.Helper()
	err := w.streams.Edit(t.Context(), name, func(d *stream.Definition) (bool, error) { edit(d); return true, nil })
	if err != nil {
		t.Fatal(err)
	}
}

func (w *world) id(name string) record.StreamID {
	d, _ := w.streams.Get(name)
	return d.ID
}

// fakeDelivery says what it was told to say.
type fakeDelivery struct {
	mu     sync.Mutex
	status map[record.StreamID]Status
	marks  []Mark // of a flush
	err    error  // of a flush
}

func (f *fakeDelivery) set(id record.StreamID, s Status) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.status[id] = s
}

func (f *fakeDelivery) Flush(context.Context, record.StreamID) ([]Mark, error) {
	return f.marks, f.err
}

func (f *fakeDelivery) Status(_ context.Context, id record.StreamID) (Status, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s, ok := f.status[id]
	return s, ok
}

// inProcess hands requests to a handler.
type inProcess struct{ http.Handler }

func (h inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	return rec.Result(), nil
}

type keyring struct{}

func (keyring) Lookup(id string) (aws.Key, bool) {
	owners := map[string]string{rootID: "root", guestID: "user/guest"}
	owner, ok := owners[id]
	return aws.Key{Secret: secret, Owner: owner}, ok
}

// judge lets root do everything, and notes what was asked.
type judge struct{ w *world }

func (j judge) Allow(_ context.Context, p aws.Principal, action, resource string) error {
	j.w.judging.Lock()
	j.w.asked = append(j.w.asked, action+" "+resource)
	j.w.judging.Unlock()
	if p.Owner != "root" {
		return errors.New("no identity-based policy allows the " + action + " action")
	}
	return nil
}

// memory is a journal's state that forgets with the test.
type memory struct {
	mu     sync.Mutex
	states map[string]record.State
}

func (m *memory) Apply(_ context.Context, tx *record.Tx) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, w := range tx.States {
		if m.states[w.Key].Version != w.Old {
			return record.ErrConflict
		}
		m.states[w.Key] = record.State{Key: w.Key, Value: w.Value, Version: w.Old + 1}
	}
	return nil
}

func (m *memory) State(_ context.Context, key string) (record.State, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.states[key], nil
}

func (m *memory) States(_ context.Context, prefix string, fn func(record.State) error) error {
	for key, st := range m.states {
		if strings.HasPrefix(key, prefix) {
			if err := fn(st); err != nil {
				return err
			}
		}
	}
	return nil
}

package firehose

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"hydrant/internal/aws"
	"hydrant/internal/ingest"
	"hydrant/internal/record"
	"hydrant/internal/registry"
	"hydrant/internal/stream"
	"hydrant/internal/telemetry"
)

const (
	account = "123456789012"
	region  = "us-east-1"
)

// clock stands still at the moment of the spec's example.
func clock() time.Time { return time.UnixMilli(1768471200123) }

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
		if w.Value == nil {
			delete(m.states, w.Key)
			continue
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
	for _, key := range slices.Sorted(maps.Keys(m.states)) {
		if strings.HasPrefix(key, prefix) {
			if err := fn(m.states[key]); err != nil {
				return err
			}
		}
	}
	return nil
}

// fakeDoor remembers records by stream and takes as many of a batch as room says.
type fakeDoor struct {
	stored map[string][]string
	room   int // records that still fit; negative: any number
	err    error
	split  int // records in each run; 0: all in one
	// forgetful: everything is accepted and forgotten.
	forgetful bool
}

func (f *fakeDoor) Put(_ context.Context, d *stream.Definition, b record.Batch, got *ingest.Receipt) error {
	got.Queue, got.Runs = record.Queue{Stream: d.ID}, got.Runs[:0]
	if f.err != nil {
		return f.err
	}
	if f.forgetful {
		got.Runs = append(got.Runs, ingest.Run{Records: len(b.Lengths)})
		return nil
	}
	fits := records(b)
	if f.room >= 0 {
		fits = fits[:min(len(fits), f.room)]
		f.room -= len(fits)
	}
	for i := 0; i < len(fits); {
		n := len(fits) - i
		if f.split > 0 {
			n = min(n, f.split)
		}
		got.Runs = append(got.Runs, ingest.Run{First: record.Position{Entry: uint64(len(got.Runs) + 1), Index: 5}, Records: n})
		i += n
	}
	f.stored[d.Name] = append(f.stored[d.Name], fits...)
	return nil
}

// keys are who may call: alice may do everything, bob only describe.
type keys struct{}

const secret aws.Secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"

func (keys) Lookup(id string) (aws.Key, bool) {
	owner, ok := map[string]string{"ALICE": "user/alice", "BOB": "user/bob"}[id]
	return aws.Key{Secret: secret, Owner: owner}, ok
}

type rules struct{}

func (rules) Allow(_ context.Context, p aws.Principal, action, _ string) error {
	if p.Owner == "user/alice" || action == "firehose:DescribeDeliveryStream" ||
		action == "firehose:CreateDeliveryStream" {
		return nil
	}
	return errors.New("no identity-based policy allows the " + action + " action")
}

// world is a whole API with nothing behind it.
type world struct {
	t       testing.TB
	server  *aws.Server
	streams *registry.Registry
	door    *fakeDoor
	metrics *telemetry.Metrics
	signer  map[string]*aws.Signer
	changed func(*stream.Definition)    // if set, told of each change
	allow   func(operation string) bool // if set, the quota of control calls
	judges  *stream.Rules               // if set, those of streams instead of fakeRules
}

func newWorld(t testing.TB) *world { return newWorldOf(t, 0) }

// newWorldOf is a world with a quota of streams.
func newWorldOf(t testing.TB, quota int) *world {
	t.Helper()
	w := &world{t: t, door: &fakeDoor{stored: map[string][]string{}, room: -1}, signer: map[string]*aws.Signer{}}
	var err error
	w.streams, err = registry.Open(t.Context(), &memory{states: map[string]record.State{}}, registry.Options{
		Region: region, Account: account, Quota: quota, Logger: slog.New(slog.DiscardHandler), Now: clock,
		OnChange: func(_ context.Context, d *stream.Definition) {
			if w.changed != nil {
				w.changed(d)
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.metrics = telemetry.New("test")
	w.server = w.serverAt(clock)
	for _, id := range []string{"ALICE", "BOB"} {
		w.signer[id] = aws.NewSigner(id, secret, "", "firehose", region)
	}
	return w
}

// serverAt is the API behind signatures that are checked against a clock.
func (w *world) serverAt(now func() time.Time) *aws.Server {
	server := aws.NewServer(aws.Options{
		Partition: "aws", Region: region, Account: account, Credentials: keys{}, Authorizer: rules{},
		Buffers: aws.NewBuffers(64<<20, time.Second), Logger: slog.New(slog.DiscardHandler), Now: now,
	})
	service := New(Options{
		Partition: "aws", Region: region, Account: account, Streams: w.streams, Door: w.door,
		Rules: w.rules, Metrics: w.metrics, Now: clock,
		AllowControl: func(operation string) bool { return w.allow == nil || w.allow(operation) },
	})
	server.Handle("firehose", service.JSON())
	return server
}

func (w *world) rules(context.Context) *stream.Rules {
	if w.judges != nil {
		return w.judges
	}
	return fakeRules()
}

// fakeRules know the key k of a prefix and any table but missing. They take every query, whose
// keys each record tells.
func fakeRules() *stream.Rules {
	return &stream.Rules{
		Account: account, Prefixes: fakePrefixes,
		PrefixKeys: func(prefix string) (queried, function []string) {
			if strings.Contains(prefix, "!{partitionKeyFromQuery:k}") {
				queried = []string{"k"}
			}
			return queried, nil
		},
		Query:        func(string) ([]string, error) { return nil, nil },
		Deserializer: func(*stream.Deserializer) error { return nil },
		Table: func(s *stream.SchemaConfiguration) error {
			if *s.TableName == "missing" {
				return &stream.Refusal{Message: "Table missing not found."}
			}
			return nil
		},
	}
}

// fakePrefixes refuses one prefix, with words of the real checker.
func fakePrefixes(prefix, _, _ string, _ bool) error {
	if strings.HasPrefix(prefix, "!{bad") {
		return errors.New("Invalid expression usage")
	}
	return nil
}

// request is a call as a client makes it.
func (w *world) request(who, operation, body string) *http.Request {
	r := httptest.NewRequestWithContext(w.t.Context(), http.MethodPost, "http://localhost:4573/", strings.NewReader(body))
	r.Header.Set("X-Amz-Target", "Firehose_20150804."+operation)
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	sum := sha256.Sum256([]byte(body))
	w.signer[who].Sign(r, hex.EncodeToString(sum[:]), clock())
	return r
}

// call returns the status and the body of the answer.
func (w *world) call(who, operation, body string) (int, string) {
	answer := httptest.NewRecorder()
	w.server.ServeHTTP(answer, w.request(who, operation, body))
	return answer.Code, answer.Body.String()
}

// do is a call of alice's that has to succeed.
func (w *world) do(operation, body string) string {
	w.t.Helper()
	status, answer := w.call("ALICE", operation, body)
	if status != http.StatusOK {
		w.t.Fatalf("%s %s: %d %s", operation, body, status, answer)
	}
	return answer
}

const bucket = `"RoleARN":"arn:aws:iam::123456789012:role/fh","BucketARN":"arn:aws:s3:::logs"`

// active makes a stream that takes records.
func (w *world) active(name string) *stream.Definition {
	w.t.Helper()
	return w.made(name, `"S3DestinationConfiguration":{`+bucket+`}`)
}

// made makes a stream with a destination and lets it become active.
func (w *world) made(name, destination string) *stream.Definition {
	w.t.Helper()
	w.do("CreateDeliveryStream", `{"DeliveryStreamName":"`+name+`",`+destination+`}`)
	d, _ := w.streams.Get(name)
	if err := w.streams.Activate(w.t.Context(), name, d.ID); err != nil {
		w.t.Fatal(err)
	}
	return d
}

// in puts a stream into a status, by the ways that lead there.
func (w *world) in(name string, status stream.Status) {
	w.t.Helper()
	switch status {
	case stream.Creating:
		w.do("CreateDeliveryStream", `{"DeliveryStreamName":"`+name+`","S3DestinationConfiguration":{`+bucket+`}}`)
	case stream.Active:
		w.active(name)
	case stream.Deleting:
		w.active(name)
		w.do("DeleteDeliveryStream", `{"DeliveryStreamName":"`+name+`"}`)
	case stream.CreatingFailed:
		w.in(name, stream.Creating)
		w.fail()
	case stream.DeletingFailed:
		w.in(name, stream.Deleting)
		w.fail()
	}
	if d, _ := w.streams.Get(name); d.Status != status {
		w.t.Fatalf("stream %s is %s, want %s", name, d.Status, status)
	}
}

// fail runs the registry until the hook of the stream's status has failed for good. Run
// ends no sooner than the transition that called the hook.
func (w *world) fail() {
	w.t.Helper()
	ctx, cancel := context.WithCancel(w.t.Context())
	hook := func(context.Context, *stream.Definition) error {
		cancel()
		return &stream.Failure{Type: "UNKNOWN_ERROR", Details: "the hook said so"}
	}
	if err := w.streams.Run(ctx, registry.Hooks{Create: hook, Delete: hook}); err != nil {
		w.t.Fatal(err)
	}
}

// canonical makes two JSON texts comparable.
func canonical(t testing.TB, text string) string {
	t.Helper()
	v := jsontext.Value(text)
	if err := v.Canonicalize(); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return string(v)
}

// failure takes an error answer apart.
func failure(t testing.TB, body string) (code, message string) {
	t.Helper()
	var e struct {
		Code    string `json:"__type"`
		Message string `json:"message"`
		Capital string `json:"Message"`
	}
	if err := json.Unmarshal([]byte(body), &e); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return e.Code, e.Message + e.Capital
}

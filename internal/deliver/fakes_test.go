package deliver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"hydrant/internal/record"
	"hydrant/internal/stage"
	"hydrant/internal/stream"
)

// memLog is a journal in memory with the promises of journal.Engine. Its faults strike
// Apply: not stored, or stored but reported as uncertain.
type memLog struct {
	mu      sync.Mutex
	entries map[record.Queue][]record.Entry
	trimmed map[record.Queue]uint64
	raised  map[record.Queue]record.Mark
	lost    map[uint64]bool // sequences of any queue that cannot be read
	states  map[string]record.State
	applies int
	fault   func(n int, tx *record.Tx) (stored bool, err error)
}

func newMemLog() *memLog {
	return &memLog{
		entries: map[record.Queue][]record.Entry{}, trimmed: map[record.Queue]uint64{},
		raised: map[record.Queue]record.Mark{},
		lost:   map[uint64]bool{}, states: map[string]record.State{},
	}
}

func (l *memLog) Apply(ctx context.Context, tx *record.Tx) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.applies++
	if l.fault != nil {
		if stored, err := l.fault(l.applies, tx); err != nil {
			if stored {
				if err := l.apply(tx); err != nil {
					return err
				}
			}
			return err
		}
	}
	return l.apply(tx)
}

func (l *memLog) apply(tx *record.Tx) error {
	for _, s := range tx.States {
		if l.states[s.Key].Version != s.Old {
			return fmt.Errorf("%s: %w", s.Key, record.ErrConflict)
		}
	}
	for _, q := range tx.Drops { // what is appended to it in the same write starts a new one
		delete(l.entries, q)
		delete(l.trimmed, q)
		delete(l.raised, q)
	}
	for _, r := range tx.Raises {
		l.raised[r.Queue] = r.Mark
	}
	for i := range tx.Appends {
		a := &tx.Appends[i]
		head := l.head(a.Queue)
		a.First = head.Entry
		for _, p := range a.Pieces {
			p.Stored = bytes.Clone(p.Stored)
			e := record.Entry{Queue: a.Queue, Sequence: head.Entry, Before: head.Before, Arrival: a.Arrival.UnixMilli(), Piece: p}
			l.entries[a.Queue] = append(l.entries[a.Queue], e)
			head = e.After()
		}
	}
	for _, s := range tx.States {
		if s.Value == nil {
			delete(l.states, s.Key)
			continue
		}
		l.states[s.Key] = record.State{Key: s.Key, Value: bytes.Clone(s.Value), Version: s.Old + 1}
	}
	for _, t := range tx.Trims {
		l.trimmed[t.Queue] = max(l.trimmed[t.Queue], t.Before)
	}
	return nil
}

func (l *memLog) head(q record.Queue) record.Mark {
	head := record.Mark{Position: record.Position{Entry: 1}}
	if es := l.entries[q]; len(es) > 0 {
		head = es[len(es)-1].After()
	}
	if raised := l.raised[q]; raised.Entry > head.Entry {
		head = raised
	}
	return head
}

func (l *memLog) Head(_ context.Context, q record.Queue) (record.Mark, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.head(q), nil
}

func (l *memLog) Read(_ context.Context, q record.Queue, from uint64, fn func(*record.Entry) error) error {
	l.mu.Lock()
	es, gone, lost := slices.Clone(l.entries[q]), l.trimmed[q], maps.Clone(l.lost)
	l.mu.Unlock()
	for _, e := range es {
		if e.Sequence < from {
			continue
		}
		if lost[e.Sequence] || e.Sequence < gone {
			e = record.Entry{Queue: q, Sequence: e.Sequence, Before: e.Before, Missing: 1, Lost: e.Counts()}
		}
		if err := fn(&e); err != nil {
			if errors.Is(err, record.ErrStop) {
				return nil
			}
			return err
		}
	}
	return nil
}

func (l *memLog) State(_ context.Context, key string) (record.State, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s, ok := l.states[key]; ok {
		return s, nil
	}
	return record.State{Key: key}, nil
}

func (l *memLog) States(_ context.Context, prefix string, fn func(record.State) error) error {
	l.mu.Lock()
	all := maps.Clone(l.states)
	l.mu.Unlock()
	for _, k := range slices.Sorted(maps.Keys(all)) {
		if strings.HasPrefix(k, prefix) {
			if err := fn(all[k]); err != nil {
				return err
			}
		}
	}
	return nil
}

// put appends records as one entry each.
func (l *memLog) put(t *testing.T, q record.Queue, records ...[]byte) {
	t.Helper()
	a := record.Append{Queue: q, Arrival: time.Now()}
	for _, r := range records {
		a.Pieces = append(a.Pieces, rawPiece(r))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.apply(&record.Tx{Appends: []record.Append{a}}); err != nil {
		t.Fatal(err)
	}
}

func rawPiece(r []byte) record.Piece {
	return record.Piece{
		RawBytes: uint32(len(r)), RawCRC: crc32.ChecksumIEEE(r), Lengths: []uint32{uint32(len(r))}, Stored: r,
	}
}

// memStore is an object store in memory. Its fault says what happens to a call: an error
// with done false means that nothing was changed, with done true that it was.
type memStore struct {
	mu      sync.Mutex
	objects map[string][]byte
	shown   map[string]int // how often each key became visible anew
	uploads map[string]*memUpload
	begun   int
	calls   []string
	fault   func(op, key string) (done bool, err error)
}

type memUpload struct {
	key   string
	parts map[int32][]byte
}

func newMemStore() *memStore {
	return &memStore{objects: map[string][]byte{}, shown: map[string]int{}, uploads: map[string]*memUpload{}}
}

// do runs one call under the fault.
func (s *memStore) do(op string, o record.Object, f func() error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, op)
	if s.fault != nil {
		if done, err := s.fault(op, o.Key); err != nil {
			if done {
				_ = f()
			}
			return err
		}
	}
	return f()
}

func (s *memStore) show(key string, b []byte) {
	if old, ok := s.objects[key]; !ok || !bytes.Equal(old, b) {
		s.shown[key]++
	}
	s.objects[key] = b
}

func (s *memStore) Put(_ context.Context, o record.Object, b Body) error {
	return s.do("put", o, func() error {
		data, err := io.ReadAll(b.Reader())
		s.show(o.Key, data)
		return err
	})
}

func (s *memStore) Begin(_ context.Context, o record.Object) (id string, err error) {
	err = s.do("begin", o, func() error {
		s.begun++
		id = fmt.Sprint("upload-", s.begun)
		s.uploads[id] = &memUpload{o.Key, map[int32][]byte{}}
		return nil
	})
	return id, err
}

func (s *memStore) Part(_ context.Context, o record.Object, upload string, n int32, b Body) (p record.Part, err error) {
	err = s.do("part", o, func() error {
		u := s.uploads[upload]
		if u == nil {
			return record.ErrUploadGone
		}
		data, err := io.ReadAll(b.Reader())
		u.parts[n] = data
		p = record.Part{Number: n, ETag: fmt.Sprint("etag-", n)}
		return err
	})
	return p, err
}

func (s *memStore) Complete(_ context.Context, o record.Object, upload string, parts []record.Part) error {
	return s.do("complete", o, func() error {
		u := s.uploads[upload]
		if u == nil {
			return record.ErrUploadGone
		}
		var b []byte
		for i, p := range parts {
			if i < len(parts)-1 && len(u.parts[p.Number]) < testPart {
				return errors.New("part too small")
			}
			b = append(b, u.parts[p.Number]...)
		}
		delete(s.uploads, upload)
		s.show(o.Key, b)
		return nil
	})
}

func (s *memStore) Size(_ context.Context, o record.Object) (n int64, found bool, err error) {
	err = s.do("size", o, func() error {
		b, ok := s.objects[o.Key]
		n, found = int64(len(b)), ok
		return nil
	})
	return n, found, err
}

func (s *memStore) Sweep(_ context.Context, o record.Object) (n int, err error) {
	err = s.do("sweep", o, func() error {
		for id, u := range s.uploads {
			if u.key == o.Key {
				delete(s.uploads, id)
				n++
			}
		}
		return nil
	})
	return n, err
}

// under returns the bytes of every object under a prefix, in the order of the keys: within a
// test the names carry increasing times and the contents are checked as a set.
func (s *memStore) under(prefix string) [][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out [][]byte
	for _, k := range slices.Sorted(maps.Keys(s.objects)) {
		if strings.HasPrefix(k, prefix) {
			out = append(out, s.objects[k])
		}
	}
	return out
}

func (s *memStore) visible() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.objects)
}

func (s *memStore) unfinished() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.uploads)
}

func (w *world) trimmed() uint64 {
	w.log.mu.Lock()
	defer w.log.mu.Unlock()
	return w.log.trimmed[w.q]
}

func (w *world) queues() int {
	w.log.mu.Lock()
	defer w.log.mu.Unlock()
	return len(w.log.entries)
}

// plainEncodings writes records as they are, whatever the format.
type plainEncodings struct{}

func (plainEncodings) Encoding(f Format) (Encoding, error) {
	if f.Conversion != nil {
		return choosy{}, nil
	}
	return plain{}, nil
}

type plain struct{}

func (plain) ContentEncoding() string        { return "" }
func (plain) NewEncoder(w io.Writer) Encoder { return &plainEncoder{w} }
func (e *plainEncoder) Close() error         { return nil }
func (e *plainEncoder) Abandon()             {}

type plainEncoder struct{ w io.Writer }

func (e *plainEncoder) Add(en *record.Entry, from, to uint32) error {
	off := uint32(0)
	for i, n := range en.Lengths {
		if uint32(i) >= from && uint32(i) < to {
			if _, err := e.w.Write(en.Stored[off : off+n]); err != nil {
				return err
			}
		}
		off += n
	}
	return nil
}

// testPart makes multipart uploads of small objects.
const testPart = 512 << 10

// world is a log and a store, and the manager that delivers from one to the other. The
// manager can be killed and started anew.
type world struct {
	t         *testing.T
	log       *memLog
	store     *memStore
	def       *stream.Definition
	q         record.Queue
	m         *Manager
	stage     *stage.Manager
	drops     int           // the processor drops the records whose number this divides
	fails     int           // and fails these
	lambdaAge time.Duration // of its batches
	keys      int           // a partitioned stream has so many
	quota     int           // of open partitions
	noTable   atomic.Bool   // there is no table
	stop      func() error
	part      int64        // size of the parts of uploads
	life      int          // how often it was started
	crashed   bool         // its first life
	spared    int          // writes of the journal before which it does not crash
	failed    sync.Map     // record.Output → the last error that it was told of
	clock     atomic.Int64 // how far the node's clock is off, nanoseconds
}

func newWorld(t *testing.T, size, interval int) *world {
	d := &stream.Definition{
		ID: record.StreamID{1}, Name: "clicks", Version: 1, Shards: 1,
		S3: &stream.S3Destination{
			BucketARN: "arn:aws:s3:::lake", CompressionFormat: stream.Uncompressed,
			BufferingHints: stream.BufferingHints{SizeInMBs: size, IntervalInSeconds: interval},
		},
	}
	return &world{t: t, part: testPart, log: newMemLog(), store: newMemStore(), def: d, q: record.Queue{Stream: d.ID}}
}

func (w *world) quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// start begins a new life of the manager over what the log and the store hold.
func (w *world) start() {
	w.t.Helper()
	w.life++
	w.stage = w.withStage()
	w.m = NewManager(Options{
		Log: w.log, Stage: staged{w.stage}, Destination: w.store, Encodings: plainEncodings{}, Memory: NewMemory(64 << 20), PartBytes: w.part,
		Partitions: func(string) int { return w.quota },
		Conversion: w.conversion, Pieces: rawPieces,
		Uploads: NewSlots(8), Logger: w.quiet(),
		Now:       func() time.Time { return time.Now().Add(time.Duration(w.clock.Load())) },
		OnObject:  func(time.Duration, int64) {},
		OnFailure: func(_ *stream.Definition, o record.Output, err error) { w.failed.Store(o, err) },
	})
	if err := w.m.Load(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	if err := w.m.Start(w.t.Context(), w.def); err != nil {
		w.t.Fatal(err)
	}
	if err := w.stage.Start(w.t.Context(), w.def); err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 2)
	go func() { done <- w.m.Run(ctx) }()
	go func() { done <- w.stage.Run(ctx) }()
	w.stop = func() error { cancel(); return errors.Join(<-done, <-done) }
	synctest.Wait()
}

func (w *world) put(records ...[]byte) {
	w.log.put(w.t, w.q, records...)
	w.m.Wake(w.q)
	synctest.Wait()
}

// check asserts that the ledger adds up.
func (w *world) check() Ledger {
	w.t.Helper()
	l := w.m.Statuses(w.t.Context())[0].Ledger
	if sum := l.Taken.Add(l.Delivered).Add(l.Dropped).Add(l.Failed).Add(l.Discarded).Add(l.Pending); sum != l.Received.Add(l.Made) {
		w.t.Fatalf("ledger does not add up: %+v", l)
	}
	return l
}

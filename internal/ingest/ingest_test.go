package ingest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"sync"
	"testing"
	"time"

	"hydrant/internal/record"
	"hydrant/internal/stream"
)

// fakeLog keeps entries in memory. Writes wait at gate while it is set.
type fakeLog struct {
	mu      sync.Mutex
	entries map[record.Queue][]record.Piece
	applies int
	fail    error
	gate    chan struct{}
	entered chan struct{}
}

func newFakeLog() *fakeLog { return &fakeLog{entries: map[record.Queue][]record.Piece{}} }

func (l *fakeLog) Apply(_ context.Context, tx *record.Tx) error {
	if l.gate != nil {
		l.entered <- struct{}{}
		<-l.gate
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.applies++
	if l.fail != nil {
		return l.fail
	}
	for i := range tx.Appends {
		a := &tx.Appends[i]
		a.First = uint64(len(l.entries[a.Queue])) + 1
		for _, p := range a.Pieces {
			p.Stored, p.Lengths = bytes.Clone(p.Stored), slices.Clone(p.Lengths)
			l.entries[a.Queue] = append(l.entries[a.Queue], p)
		}
	}
	return nil
}

// at returns the bytes of the record at p.
func (l *fakeLog) at(q record.Queue, p record.Position) []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.entries[q][p.Entry-1]
	off := uint32(0)
	for _, n := range e.Lengths[:p.Index] {
		off += n
	}
	return e.Stored[off : off+e.Lengths[p.Index]]
}

// plainPacker stores raw bytes, in dst as a real one would.
type plainPacker struct{}

func (plainPacker) Pack(dst, raw []byte, lengths []uint32, level int) record.Piece {
	return record.Piece{
		Level: int8(level), RawBytes: uint32(len(raw)), RawCRC: crc32.ChecksumIEEE(raw),
		Lengths: lengths, Stored: append(dst[:0], raw...),
	}
}

func newTestIngest(l Log) *Ingest {
	return New(Options{Log: l, Packer: plainPacker{}, Now: func() time.Time { return time.UnixMilli(1) }, GzipLevel: 1})
}

func batchOf(records ...[]byte) record.Batch {
	var b record.Batch
	for _, r := range records {
		b.Data = append(b.Data, r...)
		b.Lengths = append(b.Lengths, uint32(len(r)))
	}
	return b
}

func testStream(id byte) *stream.Definition {
	return &stream.Definition{ID: record.StreamID{id}, Name: fmt.Sprint("s", id), Shards: 1}
}

// checkReceipt follows every run of the receipt back to the record it names.
func checkReceipt(t *testing.T, l *fakeLog, got *Receipt, want [][]byte) {
	t.Helper()
	i := 0
	for _, run := range got.Runs {
		for k := range run.Records {
			p := run.First
			p.Index += uint32(k)
			if !bytes.Equal(l.at(got.Queue, p), want[i]) {
				t.Fatalf("record %d is not at %v", i, p)
			}
			i++
		}
	}
	if i != len(want) || got.Accepted() != len(want) {
		t.Fatalf("receipt covers %d of %d records", i, len(want))
	}
}

func TestARequestIsCutIntoPiecesAtRecordBoundaries(t *testing.T) {
	l := newFakeLog()
	in := newTestIngest(l)
	var records [][]byte
	for i, n := range []int{100 << 10, 100 << 10, 56 << 10, 1, record.MaxRecordBytes, 0, 300 << 10, 5} {
		records = append(records, bytes.Repeat([]byte{byte(i)}, n))
	}
	var got Receipt
	if err := in.Put(t.Context(), testStream(1), batchOf(records...), &got); err != nil {
		t.Fatal(err)
	}
	checkReceipt(t, l, &got, records)
	var sizes []uint32
	for _, e := range l.entries[got.Queue] {
		sizes = append(sizes, e.RawBytes)
	}
	want := []uint32{256 << 10, 1, record.MaxRecordBytes, 0, 300 << 10, 5}
	if !slices.Equal(sizes, want) {
		t.Fatalf("pieces of %v bytes, want %v", sizes, want)
	}
}

func TestAnEmptyRecordIsStored(t *testing.T) {
	l := newFakeLog()
	var got Receipt
	if err := newTestIngest(l).Put(t.Context(), testStream(1), batchOf([]byte{}), &got); err != nil {
		t.Fatal(err)
	}
	checkReceipt(t, l, &got, [][]byte{{}})
}

// Requests that arrive while a write is under way are stored by one write after it, small
// ones in one entry, and everybody finds his own records.
func TestWaitingRequestsShareOneWrite(t *testing.T) {
	l := newFakeLog()
	l.gate, l.entered = make(chan struct{}), make(chan struct{}, 10)
	in := newTestIngest(l)
	d := testStream(1)
	var wg sync.WaitGroup
	receipts := make([]Receipt, 40)
	payload := func(i int) []byte {
		if i%10 == 9 {
			return bytes.Repeat([]byte{byte(i)}, packAlone+i)
		}
		return []byte(fmt.Sprintf("record %d", i))
	}
	put := func(i int) {
		if err := in.Put(t.Context(), d, batchOf(payload(i)), &receipts[i]); err != nil {
			t.Error(err)
		}
	}
	wg.Go(func() { put(0) })
	<-l.entered
	for i := 1; i < len(receipts); i++ {
		wg.Go(func() { put(i) })
	}
	dr := in.door(record.Queue{Stream: d.ID})
	waitFor(t, func() bool { dr.mu.Lock(); defer dr.mu.Unlock(); return len(dr.waiting) == len(receipts)-1 })
	close(l.gate)
	wg.Wait()
	if l.applies != 2 {
		t.Errorf("%d writes for one and then 39 waiting requests", l.applies)
	}
	for i := range receipts {
		checkReceipt(t, l, &receipts[i], [][]byte{payload(i)})
	}
}

// waitFor spins until the condition holds; the test's own deadline ends it otherwise.
func waitFor(t *testing.T, cond func() bool) {
	t.Helper()
	for !cond() {
		if t.Context().Err() != nil {
			t.Fatal("never happened")
		}
		time.Sleep(time.Millisecond)
	}
}

func TestAFullJournalThrottlesEveryoneInTheGroup(t *testing.T) {
	l := newFakeLog()
	l.fail = fmt.Errorf("append: %w", record.ErrNoSpace)
	var got Receipt
	err := newTestIngest(l).Put(t.Context(), testStream(1), batchOf([]byte("x")), &got)
	if !errors.Is(err, record.ErrThrottled) || got.Accepted() != 0 {
		t.Fatalf("err %v, accepted %d", err, got.Accepted())
	}
	l.fail = record.ErrUncertain
	if err := newTestIngest(l).Put(t.Context(), testStream(1), batchOf([]byte("x")), &got); !errors.Is(err, record.ErrUncertain) {
		t.Fatalf("err %v", err)
	}
}

// Close waits for the write under way, and nothing follows it.
func TestNothingFollowsAClosedStream(t *testing.T) {
	l := newFakeLog()
	l.gate, l.entered = make(chan struct{}), make(chan struct{}, 1)
	in, d := newTestIngest(l), testStream(1)
	done := make(chan error, 1)
	go func() {
		var got Receipt
		done <- in.Put(t.Context(), d, batchOf([]byte("x")), &got)
	}()
	<-l.entered
	closed := make(chan struct{})
	go func() { in.Close(d); close(closed) }()
	waitFor(t, func() bool {
		dr := in.door(record.Queue{Stream: d.ID})
		dr.mu.Lock()
		defer dr.mu.Unlock()
		return dr.closed
	})
	select {
	case <-closed:
		t.Fatal("closed before the write ended")
	default:
	}
	close(l.gate)
	<-closed
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	var got Receipt
	if err := in.Put(t.Context(), d, batchOf([]byte("y")), &got); !errors.Is(err, ErrClosed) {
		t.Fatalf("err %v", err)
	}
	in.Close(d)
}

// Many clients over several streams: every receipt leads to its record.
func TestEveryReceiptLeadsToItsRecord(t *testing.T) {
	l := newFakeLog()
	in := newTestIngest(l)
	var wg sync.WaitGroup
	for c := range 16 {
		wg.Go(func() {
			d := testStream(byte(c % 3))
			var got Receipt
			for i := range 50 {
				records := [][]byte{fmt.Appendf(nil, "%d/%d/a", c, i), bytes.Repeat([]byte{byte(i)}, i*700), fmt.Appendf(nil, "%d/%d/c", c, i)}
				if err := in.Put(t.Context(), d, batchOf(records...), &got); err != nil {
					t.Error(err)
					return
				}
				checkReceipt(t, l, &got, records)
			}
		})
	}
	wg.Wait()
}

// panicPacker panics once.
type panicPacker struct {
	plainPacker
	done bool
}

func (p *panicPacker) Pack(dst, raw []byte, lengths []uint32, level int) record.Piece {
	if !p.done {
		p.done = true
		panic("codec")
	}
	return p.plainPacker.Pack(dst, raw, lengths, level)
}

// The HTTP server survives a panic, so the stream must too.
func TestAPanicLeavesTheDoorOpen(t *testing.T) {
	in := New(Options{Log: newFakeLog(), Packer: &panicPacker{}, Now: time.Now, GzipLevel: 1})
	var got Receipt
	func() {
		defer func() {
			if recover() == nil {
				t.Error("no panic")
			}
		}()
		_ = in.Put(t.Context(), testStream(1), batchOf([]byte("x")), &got)
	}()
	if err := in.Put(t.Context(), testStream(1), batchOf([]byte("y")), &got); err != nil {
		t.Fatal(err)
	}
	in.Close(testStream(1))
}

type discardLog struct{ n uint64 }

func (l *discardLog) Apply(_ context.Context, tx *record.Tx) error {
	tx.Appends[0].First = l.n
	l.n += uint64(len(tx.Appends[0].Pieces))
	return nil
}

func BenchmarkPutSmall(b *testing.B) {
	in, d, batch := newTestIngest(&discardLog{}), testStream(1), batchOf(make([]byte, 512))
	var got Receipt
	b.ReportAllocs()
	b.SetBytes(512)
	for b.Loop() {
		if err := in.Put(context.Background(), d, batch, &got); err != nil {
			b.Fatal(err)
		}
	}
}

// Package desttest is the suite that every destination of objects passes before it enters
// Hydrant. It holds them to the contract of delivery's Destination: what a nil error
// promises, what an error leaves open, that nothing is retried, and that nothing of a
// caller's memory is touched once a call has returned.
//
//   - Harness: a destination over a store that the suite can look into and make fail.
//   - Trouble: a way in which one request fails.
//   - Sure trouble: the error must say what it is, since nothing can have happened.
//   - Open trouble: the error must not claim to know whether the thing happened.
package desttest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"testing"

	"hydrant/internal/record"
)

// Destination is what is tested: the methods of deliver.Destination.
type Destination interface {
	Put(ctx context.Context, o record.Object, b record.Body) error
	Begin(ctx context.Context, o record.Object) (upload string, err error)
	Part(ctx context.Context, o record.Object, upload string, number int32, b record.Body) (record.Part, error)
	Complete(ctx context.Context, o record.Object, upload string, parts []record.Part) error
	Size(ctx context.Context, o record.Object) (int64, bool, error)
	Sweep(ctx context.Context, o record.Object) (int, error)
}

// Method names a method of Destination.
type Method string

// The methods.
const (
	Put      Method = "Put"
	Begin    Method = "Begin"
	Part     Method = "Part"
	Complete Method = "Complete"
	Size     Method = "Size"
	Sweep    Method = "Sweep"
)

var methods = []Method{Put, Begin, Part, Complete, Size, Sweep}

// Trouble is what a request meets.
type Trouble string

// The troubles. The store does nothing in those that are Refused, Denied, BucketGone,
// KeyRefused and LostBefore, and everything in those that are FailedAfter and LostAfter.
const (
	Refused     Trouble = "refused with an internal error"
	Denied      Trouble = "denied"
	BucketGone  Trouble = "the bucket is gone"
	LostBefore  Trouble = "connection lost before"
	FailedAfter Trouble = "done, but said to have failed"
	LostAfter   Trouble = "done, and the connection lost"
	KeyRefused  Trouble = "the object's KMS key is disabled"
	Hang        Trouble = "no answer"
)

// Stored is what the store shows under a key.
type Stored struct {
	Body            []byte
	ContentType     string
	ContentEncoding string
	KMSKey          string // that it is encrypted with
	Contents        int    // how often what a reader sees has changed
}

// Harness is a destination and the store behind it, fresh for each test.
type Harness struct {
	Destination Destination
	Bucket      string
	// KMSKey is the ARN of a key that the store can encrypt with; empty if it cannot.
	KMSKey string
	// PartSize is how many bytes parts need to have, but for the last.
	PartSize int
	// Stored returns what is visible under a key, if anything is.
	Stored func(key string) (Stored, bool)
	// Uploads returns how many uploads are open under a key.
	Uploads func(key string) int
	// Trouble lets the first request that a call of the method makes meet trouble, once; met
	// is called when it does. For Size and Sweep, what is done does not change the store.
	Trouble func(m Method, t Trouble, met func())
	// Requests returns how many requests the store has received.
	Requests func() int
}

// Run runs the suite.
func Run(t *testing.T, make func(t *testing.T) Harness) {
	for name, test := range map[string]func(*testing.T, Harness){
		"APutObjectIsThereWithItsLabels":             putIsThere,
		"PuttingTwiceLeavesOneObject":                putTwice,
		"AnEmptyObjectCanBePut":                      putEmpty,
		"AnObjectIsEncryptedWithTheKeyItNames":       encrypted,
		"AnUploadIsInvisibleUntilCompleted":          invisible,
		"PartsMayComeInAnyOrderAndAtOnce":            anyOrder,
		"APartSentAgainReplacesTheFormer":            partAgain,
		"CompletingTwiceFindsTheUploadGone":          completeTwice,
		"AnAbortedUploadIsGone":                      aborted,
		"ASweepKeepsOtherKeysAndOneUpload":           sweep,
		"SizesAreThoseOfWhatIsThere":                 size,
		"ManyCallsAtOnceDoNotMeet":                   atOnce,
		"TroubleIsToldAndNothingIsRetried":           trouble,
		"WhatFailedCanBeDoneAgain":                   again,
		"ACallEndsWithItsContext":                    hang,
		"ACallWithAnEndedContextMakesNothingVisible": ended,
	} {
		t.Run(name, func(t *testing.T) { test(t, make(t)) })
	}
}

// object names an object in the harness's bucket.
func (h Harness) object(key string) record.Object {
	return record.Object{Bucket: h.Bucket, Key: key, ContentType: "application/octet-stream", ContentEncoding: "gzip"}
}

// content returns n bytes that differ with the seed.
func content(seed byte, n int) []byte {
	b := bytes.Repeat([]byte{seed, seed + 1, seed + 2}, n/3+1)
	return b[:n]
}

// body is a record.Body that watches how it is used.
type body struct {
	t     *testing.T
	bytes []byte
	open  atomic.Int32 // readers not yet closed
	over  atomic.Bool  // the call has returned
}

func (b *body) Size() int64 { return int64(len(b.bytes)) }

func (b *body) Reader() io.ReadSeekCloser {
	b.open.Add(1)
	return &reader{Reader: bytes.NewReader(b.bytes), body: b}
}

type reader struct {
	*bytes.Reader
	body *body
	once sync.Once
}

func (r *reader) Read(p []byte) (int, error) {
	if r.body.over.Load() {
		r.body.t.Error("a body was read after the call had returned")
	}
	return r.Reader.Read(p)
}

func (r *reader) Close() error {
	r.once.Do(func() { r.body.open.Add(-1) })
	return nil
}

// lend calls fn with a body and checks that it is given back.
func lend(t *testing.T, b []byte, fn func(record.Body)) {
	t.Helper()
	lent := &body{t: t, bytes: b}
	fn(lent)
	lent.over.Store(true)
	if n := lent.open.Load(); n != 0 {
		t.Errorf("%d readers of a body were not closed", n)
	}
}

func (h Harness) put(t *testing.T, o record.Object, b []byte) (err error) {
	t.Helper()
	lend(t, b, func(lent record.Body) { err = h.Destination.Put(t.Context(), o, lent) })
	return err
}

func (h Harness) part(t *testing.T, o record.Object, upload string, number int32, b []byte) (p record.Part, err error) {
	t.Helper()
	lend(t, b, func(lent record.Body) { p, err = h.Destination.Part(t.Context(), o, upload, number, lent) })
	return p, err
}

func (h Harness) begin(t *testing.T, o record.Object) string {
	t.Helper()
	upload, err := h.Destination.Begin(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return upload
}

// upload begins an upload with n parts, the last of them small, and returns its content.
func (h Harness) upload(t *testing.T, o record.Object, n int) (id string, parts []record.Part, all []byte) {
	t.Helper()
	id = h.begin(t, o)
	for i := range n {
		b := content(byte(i), h.PartSize)
		if i == n-1 {
			b = content(byte(i), 100)
		}
		p, err := h.part(t, o, id, int32(i+1), b)
		if err != nil {
			t.Fatal(err)
		}
		parts, all = append(parts, p), append(all, b...)
	}
	return id, parts, all
}

// expect checks what is visible under o's key.
func (h Harness) expect(t *testing.T, o record.Object, want []byte) Stored {
	t.Helper()
	got, ok := h.Stored(o.Key)
	switch {
	case !ok:
		t.Fatalf("%s is not there", o.Key)
	case !bytes.Equal(got.Body, want):
		t.Fatalf("%s has %d bytes instead of %d, or others", o.Key, len(got.Body), len(want))
	case got.ContentType != o.ContentType || got.ContentEncoding != o.ContentEncoding:
		t.Fatalf("%s is labelled %q %q", o.Key, got.ContentType, got.ContentEncoding)
	case got.KMSKey != o.KMSKey:
		t.Fatalf("%s is encrypted with %q instead of %q", o.Key, got.KMSKey, o.KMSKey)
	case got.Contents != 1:
		t.Fatalf("readers of %s have seen %d contents", o.Key, got.Contents)
	}
	return got
}

func (h Harness) expectNothing(t *testing.T, o record.Object) {
	t.Helper()
	if got, ok := h.Stored(o.Key); ok {
		t.Fatalf("%s is visible, with %d bytes", o.Key, len(got.Body))
	}
}

// call calls the method on o, with whatever it needs from ready.
func (h Harness) call(ctx context.Context, t *testing.T, m Method, o record.Object, r ready) (err error) {
	t.Helper()
	switch m {
	case Put:
		lend(t, r.body, func(b record.Body) { err = h.Destination.Put(ctx, o, b) })
	case Begin:
		_, err = h.Destination.Begin(ctx, o)
	case Part:
		lend(t, r.body, func(b record.Body) { _, err = h.Destination.Part(ctx, o, r.upload, 1, b) })
	case Complete:
		err = h.Destination.Complete(ctx, o, r.upload, r.parts)
	case Size:
		_, _, err = h.Destination.Size(ctx, o)
	case Sweep:
		_, err = h.Destination.Sweep(ctx, o)
	default:
		panic(fmt.Sprintf("no method %s", m))
	}
	return err
}

// ready is what a call needs to be possible.
type ready struct {
	upload string
	parts  []record.Part
	body   []byte // of the object, or of part 1
}

// prepare makes a call of m on o possible.
func (h Harness) prepare(t *testing.T, m Method, o record.Object) ready {
	t.Helper()
	r := ready{body: content(9, 5000)}
	switch m {
	case Part:
		r.upload = h.begin(t, o)
	case Complete:
		r.upload, r.parts, r.body = h.upload(t, o, 1)
	}
	return r
}

// known reports which sentinels err wraps.
func known(err error) (names []string) {
	for _, sentinel := range []error{record.ErrUploadGone, record.ErrNoBucket, record.ErrDenied} {
		if errors.Is(err, sentinel) {
			names = append(names, sentinel.Error())
		}
	}
	return names
}

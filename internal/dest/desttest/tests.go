package desttest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"hydrant/internal/record"
)

func putIsThere(t *testing.T, h Harness) {
	o := h.object("2026/07/05/09/s-1 with ünusual+characters=&?#%.gz")
	want := content(1, h.PartSize)
	if err := h.put(t, o, want); err != nil {
		t.Fatal(err)
	}
	h.expect(t, o, want)
	plain := record.Object{Bucket: h.Bucket, Key: "plain", ContentType: "application/octet-stream"}
	if err := h.put(t, plain, want); err != nil {
		t.Fatal(err)
	}
	h.expect(t, plain, want)
}

func putTwice(t *testing.T, h Harness) {
	o, want := h.object("twice"), content(1, 1000)
	for range 2 {
		if err := h.put(t, o, want); err != nil {
			t.Fatal(err)
		}
	}
	h.expect(t, o, want)
}

func putEmpty(t *testing.T, h Harness) {
	o := h.object("empty")
	if err := h.put(t, o, nil); err != nil {
		t.Fatal(err)
	}
	h.expect(t, o, nil)
}

func encrypted(t *testing.T, h Harness) {
	if h.KMSKey == "" {
		t.Skip("this store was not given a key to encrypt with")
	}
	o := h.object("encrypted/put")
	o.KMSKey = h.KMSKey
	want := content(1, h.PartSize)
	if err := h.put(t, o, want); err != nil {
		t.Fatal(err)
	}
	h.expect(t, o, want)
	if n, there, err := h.Destination.Size(t.Context(), o); n != int64(len(want)) || !there || err != nil {
		t.Fatalf("its size is told as %d, %v, %v", n, there, err)
	}
	o.Key = "encrypted/upload"
	id, parts, want := h.upload(t, o, 3)
	if err := h.Destination.Complete(t.Context(), o, id, parts); err != nil {
		t.Fatal(err)
	}
	h.expect(t, o, want)
}

func invisible(t *testing.T, h Harness) {
	o := h.object("upload")
	id, parts, want := h.upload(t, o, 3)
	h.expectNothing(t, o)
	if n := h.Uploads(o.Key); n != 1 {
		t.Fatalf("%d uploads are open", n)
	}
	if err := h.Destination.Complete(t.Context(), o, id, parts); err != nil {
		t.Fatal(err)
	}
	h.expect(t, o, want)
	if n := h.Uploads(o.Key); n != 0 {
		t.Fatalf("%d uploads are open", n)
	}
}

func anyOrder(t *testing.T, h Harness) {
	o := h.object("any order")
	id := h.begin(t, o)
	const n = 4
	parts := make([]record.Part, n)
	var want []byte
	var wg sync.WaitGroup
	for i := range n {
		b := content(byte(i), h.PartSize)
		want = append(want, b...)
		wg.Go(func() {
			p, err := h.part(t, o, id, int32(i+1), b)
			if err != nil {
				t.Error(err)
			}
			parts[n-1-i] = p
		})
	}
	wg.Wait()
	given := slices.Clone(parts)
	if err := h.Destination.Complete(t.Context(), o, id, parts); err != nil {
		t.Fatal(err)
	}
	h.expect(t, o, want)
	if !slices.Equal(parts, given) {
		t.Error("the caller's parts were put into another order")
	}
}

func partAgain(t *testing.T, h Harness) {
	o := h.object("part again")
	id := h.begin(t, o)
	var last record.Part
	for seed := range byte(2) {
		p, err := h.part(t, o, id, 1, content(seed, 500))
		if err != nil {
			t.Fatal(err)
		}
		last = p
	}
	if err := h.Destination.Complete(t.Context(), o, id, []record.Part{last}); err != nil {
		t.Fatal(err)
	}
	h.expect(t, o, content(1, 500))
}

func completeTwice(t *testing.T, h Harness) {
	o := h.object("complete twice")
	id, parts, want := h.upload(t, o, 2)
	if err := h.Destination.Complete(t.Context(), o, id, parts); err != nil {
		t.Fatal(err)
	}
	if err := h.Destination.Complete(t.Context(), o, id, parts); !errors.Is(err, record.ErrUploadGone) {
		t.Fatalf("the second time: %v", err)
	}
	h.expect(t, o, want)
}

func aborted(t *testing.T, h Harness) {
	o := h.object("aborted")
	id, parts, _ := h.upload(t, o, 2)
	if n, err := h.Destination.Sweep(t.Context(), o); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	if _, err := h.part(t, o, id, 3, content(1, 10)); !errors.Is(err, record.ErrUploadGone) {
		t.Errorf("a part: %v", err)
	}
	if err := h.Destination.Complete(t.Context(), o, id, parts); !errors.Is(err, record.ErrUploadGone) {
		t.Errorf("completing: %v", err)
	}
	h.expectNothing(t, o)
}

func sweep(t *testing.T, h Harness) {
	o := h.object("swept/key")
	neighbours := []record.Object{h.object("swept/key.gz"), h.object("swept/ke"), h.object("swept/key/deeper"), h.object("swept/")}
	for _, other := range neighbours {
		h.begin(t, other)
	}
	for range 5 {
		h.begin(t, o)
	}
	for _, want := range []int{5, 0} {
		if n, err := h.Destination.Sweep(t.Context(), o); n != want || err != nil {
			t.Fatalf("aborted %d instead of %d, %v", n, want, err)
		}
		if n := h.Uploads(o.Key); n != 0 {
			t.Fatalf("%d uploads are left", n)
		}
	}
	for _, other := range neighbours {
		if h.Uploads(other.Key) != 1 {
			t.Errorf("the upload under %s was swept too", other.Key)
		}
	}
}

func size(t *testing.T, h Harness) {
	o := h.object("sized")
	if _, there, err := h.Destination.Size(t.Context(), o); there || err != nil {
		t.Fatal(there, err)
	}
	if err := h.put(t, o, content(1, 12345)); err != nil {
		t.Fatal(err)
	}
	if n, there, err := h.Destination.Size(t.Context(), o); n != 12345 || !there || err != nil {
		t.Fatal(n, there, err)
	}
	nowhere := o
	nowhere.Bucket += "-that-does-not-exist"
	if _, there, err := h.Destination.Size(t.Context(), nowhere); there || !errors.Is(err, record.ErrNoBucket) {
		t.Fatalf("in a bucket that does not exist: %v, %v", there, err)
	}
}

func atOnce(t *testing.T, h Harness) {
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			if err := h.put(t, h.object(fmt.Sprint("at once ", i)), content(byte(i), 3000+i)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for i := range 16 {
		h.expect(t, h.object(fmt.Sprint("at once ", i)), content(byte(i), 3000+i))
	}
}

// troubles are the troubles that end, with the sentinel that a sure one must be told by.
var troubles = []struct {
	trouble Trouble
	sure    error
}{
	{Refused, nil}, {LostBefore, nil}, {FailedAfter, nil}, {LostAfter, nil},
	{Denied, record.ErrDenied}, {BucketGone, record.ErrNoBucket}, {KeyRefused, record.ErrDenied},
}

func trouble(t *testing.T, h Harness) {
	for _, m := range methods {
		for i, c := range troubles {
			if !tells(m, c.trouble) {
				continue
			}
			o := h.object(fmt.Sprintf("trouble/%s/%d", m, i))
			r := h.prepare(t, m, o)
			var met atomic.Int32
			h.Trouble(m, c.trouble, func() { met.Add(1) })
			before := h.Requests()
			err := h.call(t.Context(), t, m, o, r)
			if err == nil || met.Load() != 1 {
				t.Errorf("%s, %s: %v, met %d times", m, c.trouble, err, met.Load())
				continue
			}
			sure := c.sure
			if c.trouble == KeyRefused && m == Complete {
				sure = nil // the call may be a repeated one, and the first have succeeded
			}
			if sure != nil && !errors.Is(err, sure) || len(known(err)) > 1 || sure == nil && len(known(err)) > 0 {
				t.Errorf("%s, %s: told as %q: %v", m, c.trouble, known(err), err)
			}
			var words *record.Complaint
			if !errors.As(err, &words) || words.Code == "" || words.Message == "" {
				t.Errorf("%s, %s: there are no words for users in %v", m, c.trouble, err)
			}
			if n := h.Requests() - before; n != 1 {
				t.Errorf("%s, %s: %d requests", m, c.trouble, n)
			}
		}
	}
}

// tells reports whether the trouble must show. What needs no key meets no trouble with keys;
// HTTP clients repeat a question on their own
// when they lose a connection, which changes nothing; and that a bucket is gone one answer
// to HEAD cannot tell, which sizes are tested for with a bucket that is not there.
func tells(m Method, t Trouble) bool {
	switch m {
	case Size:
		return t != LostBefore && t != LostAfter && t != BucketGone && t != KeyRefused
	case Sweep:
		return t != LostBefore && t != LostAfter && t != KeyRefused
	}
	return true
}

// again is what delivery does after an open outcome: the same once more, which either
// works or finds that it was done.
func again(t *testing.T, h Harness) {
	for _, m := range []Method{Put, Part, Complete} {
		for i, c := range troubles {
			o := h.object(fmt.Sprintf("again/%s/%d", m, i))
			r := h.prepare(t, m, o)
			h.Trouble(m, c.trouble, func() {})
			if err := h.call(t.Context(), t, m, o, r); err == nil {
				t.Fatalf("%s, %s: no error", m, c.trouble)
			}
			done := c.trouble == FailedAfter || c.trouble == LostAfter
			err := h.call(t.Context(), t, m, o, r)
			if m == Complete && done {
				if !errors.Is(err, record.ErrUploadGone) {
					t.Errorf("%s after %s: %v", m, c.trouble, err)
				}
			} else if err != nil {
				t.Errorf("%s after %s: %v", m, c.trouble, err)
			}
			if m != Part {
				h.expect(t, o, r.body)
			}
		}
	}
}

func hang(t *testing.T, h Harness) {
	for _, m := range methods {
		ctx, cancel := context.WithCancel(t.Context())
		o := h.object("hang/" + string(m))
		r := h.prepare(t, m, o)
		h.Trouble(m, Hang, cancel)
		if err := h.call(ctx, t, m, o, r); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", m, err)
		} else if len(known(err)) > 0 {
			t.Errorf("%s: told as %q", m, known(err))
		}
		cancel()
	}
}

func ended(t *testing.T, h Harness) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, m := range methods {
		o := h.object("ended/" + string(m))
		r := h.prepare(t, m, o)
		if err := h.call(ctx, t, m, o, r); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", m, err)
		}
		h.expectNothing(t, o)
	}
}

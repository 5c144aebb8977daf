package s3

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"

	"hydrant/internal/aws"
	"hydrant/internal/dest/desttest"
	dest "hydrant/internal/dest/s3"
)

// TestDeliveryFindsInThisStoreWhatItReliesOn runs the suite of destinations against the
// store without a socket, as a node does.
func TestDeliveryFindsInThisStoreWhatItReliesOn(t *testing.T) {
	desttest.Run(t, func(t *testing.T) desttest.Harness {
		s, _ := bucketed(t, func(o *Options) { o.Root, o.Logger, o.Keys = quickFolder(t), nil, newTestKMS() })
		s.minPart = 5000
		way := &troubledWay{store: s, inner: NewTransport(s, WithQuickETags()), contents: make(map[string][][]byte)}
		d, err := dest.New(t.Context(), dest.Options{Region: "us-east-1", Endpoint: "http://store.internal", PathStyle: true,
			Credentials: dest.StaticCredentials(testKeyID, testSecret, ""), Transport: way})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(d.Close)
		return desttest.Harness{
			Destination: d, Bucket: "box", PartSize: 5000, KMSKey: testKey,
			Stored:   way.stored,
			Uploads:  way.uploads,
			Trouble:  way.arm,
			Requests: way.count,
		}
	})
}

// troubledWay is a transport on which one request can meet trouble. It notes what readers
// could see after each request.
type troubledWay struct {
	store *Store
	inner http.RoundTripper

	mu       sync.Mutex
	requests int
	method   desttest.Method
	trouble  desttest.Trouble
	met      func()
	contents map[string][][]byte // by key, one after the other
}

func (w *troubledWay) arm(m desttest.Method, trouble desttest.Trouble, met func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.method, w.trouble, w.met = m, trouble, met
}

// uploads counts those in progress under a key.
func (w *troubledWay) uploads(key string) (n int) {
	for _, u := range w.store.uploads.of("box", key) {
		if u.key == key {
			n++
		}
	}
	return n
}

func (w *troubledWay) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.requests
}

// methodOf is the destination's method that sends such a request first.
func methodOf(r *http.Request) desttest.Method {
	q := r.URL.Query()
	switch {
	case r.Method == "HEAD":
		return desttest.Size
	case r.Method == "GET" && q.Has("uploads"):
		return desttest.Sweep
	case r.Method == "PUT" && q.Has("uploadId"):
		return desttest.Part
	case r.Method == "PUT":
		return desttest.Put
	case r.Method == "POST" && q.Has("uploads"):
		return desttest.Begin
	case r.Method == "POST":
		return desttest.Complete
	}
	return ""
}

// meets returns the trouble that this request meets, if any.
func (w *troubledWay) meets(r *http.Request) desttest.Trouble {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.requests++
	if w.met == nil || w.method != methodOf(r) {
		return ""
	}
	w.met()
	w.met = nil
	return w.trouble
}

func (w *troubledWay) RoundTrip(r *http.Request) (*http.Response, error) {
	trouble := w.meets(r)
	switch trouble {
	case desttest.Refused:
		return w.refuse(r, errInternal)
	case desttest.Denied:
		return w.refuse(r, errAccessDenied)
	case desttest.BucketGone:
		return w.refuse(r, errNoSuchBucket)
	case desttest.KeyRefused:
		return w.refuse(r, &aws.Error{Code: "KMS.DisabledException", Status: 400, Message: "the key is disabled"})
	case desttest.LostBefore:
		return nil, w.lose(r, io.ErrUnexpectedEOF)
	case desttest.Hang:
		<-r.Context().Done()
		return nil, w.lose(r, r.Context().Err())
	}
	resp, err := w.inner.RoundTrip(r)
	w.look(r.URL.Path)
	if trouble == "" || err != nil {
		return resp, err
	}
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return nil, err
	}
	if err := resp.Body.Close(); err != nil {
		return nil, err
	}
	if trouble == desttest.FailedAfter {
		return w.refuse(r, errInternal)
	}
	return nil, io.ErrUnexpectedEOF
}

// lose closes a request's body, as every transport must.
func (w *troubledWay) lose(r *http.Request, err error) error {
	if r.Body != nil {
		_ = r.Body.Close()
	}
	return err
}

// refuse answers without the store.
func (w *troubledWay) refuse(r *http.Request, e *aws.Error) (*http.Response, error) {
	_ = w.lose(r, nil)
	rec := httptest.NewRecorder()
	w.store.Refuse(rec, r, e)
	return rec.Result(), nil
}

// look notes what a reader sees under a path now.
func (w *troubledWay) look(path string) {
	c := call{r: &http.Request{URL: &url.URL{Path: path}}}
	if at, err := c.readPath(); err != nil || at != ofObject {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	rec := httptest.NewRecorder()
	w.store.ServeHTTP(rec, httptest.NewRequest("GET", (&url.URL{Path: path}).String(), nil))
	if rec.Code != http.StatusOK {
		return
	}
	now := rec.Body.Bytes()
	seen := w.contents[c.key]
	if len(seen) == 0 || !bytes.Equal(seen[len(seen)-1], now) {
		w.contents[c.key] = append(seen, now)
	}
}

func (w *troubledWay) stored(key string) (desttest.Stored, bool) {
	w.look("/box/" + key)
	info, err := w.store.statObject("box", key)
	w.mu.Lock()
	defer w.mu.Unlock()
	seen := w.contents[key]
	if err != nil || len(seen) == 0 {
		return desttest.Stored{}, false
	}
	kmsKey := ""
	if info.Encryption != nil {
		kmsKey = info.Encryption.KeyARN
	}
	return desttest.Stored{Body: seen[len(seen)-1], Contents: len(seen), KMSKey: kmsKey,
		ContentType: info.Headers["Content-Type"], ContentEncoding: info.Headers["Content-Encoding"]}, true
}

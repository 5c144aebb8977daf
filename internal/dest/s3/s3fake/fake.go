// Package s3fake is an object store in memory that speaks as much of the S3 protocol as
// deliveries need, and fails on demand: before doing what it was asked, after having done
// it, or late. Tests and the simulation ask it afterwards what became visible, and how often.
//
//   - Op: one request, as the rules that inject faults see it.
//   - Fault: what happens to a request instead of a plain answer.
//   - Visible: an object exists under its key, whole. Uploads are not visible.
//   - Write: a moment at which a key became visible, or was replaced.
//
// It can be reached over a socket (Handler) or in process (Transport), and within a
// testing/synctest bubble if it was made there.
package s3fake

import (
	"bytes"
	"cmp"
	"crypto/md5"
	"encoding/hex"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Fake is the store. Its methods may be called at any time from any goroutine.
type Fake struct {
	mu       sync.Mutex
	buckets  map[string]*bucket
	fault    func(Op) Fault
	seen     map[Op]int // requests so far, by Op with N and Bytes zero
	fired    map[Kind]int
	refused  map[string]string // error code by KMS key that cannot be used
	late     []func()          // what DoLater has not applied yet, nil where it has
	page     int
	minPart  int
	received int64
}

type bucket struct {
	objects map[string]*object // every key that was ever visible
	uploads map[string]*upload // by id
	started map[string]int     // uploads begun, by key
}

// object is a key's present and past.
type object struct {
	Object
	deleted bool
}

// Object is what is stored under a key.
type Object struct {
	Key    string
	Body   []byte // not to be modified
	ETag   string
	Header http.Header // those of labels, access control and encryption, as they were sent
	// Writes counts how often the key became visible or was replaced.
	Writes int
	// Contents counts the writes that changed what a reader would have seen.
	Contents int
	Modified time.Time
}

// Upload is a multipart upload that was begun, and neither completed nor aborted.
type Upload struct {
	Bucket, Key, ID string
	Parts           map[int][]byte // by number
}

type upload struct {
	Upload
	header    http.Header
	initiated time.Time
}

// New returns a store with the given buckets.
func New(buckets ...string) *Fake {
	f := &Fake{
		buckets: map[string]*bucket{},
		fault:   func(Op) Fault { return Pass() },
		seen:    map[Op]int{},
		fired:   map[Kind]int{},
		refused: map[string]string{},
		page:    1000,
	}
	for _, name := range buckets {
		f.CreateBucket(name)
	}
	return f
}

// CreateBucket makes a bucket if it does not exist.
func (f *Fake) CreateBucket(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.buckets[name] == nil {
		f.buckets[name] = &bucket{map[string]*object{}, map[string]*upload{}, map[string]int{}}
	}
}

// DeleteBucket forgets a bucket with everything in it.
func (f *Fake) DeleteBucket(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.buckets, name)
}

// SetPage sets how many items a listing returns at a time; 1,000 at first.
func (f *Fake) SetPage(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.page = n
}

// SetMinPart sets how many bytes every part but the last must have, 5 MiB in S3 and 0 at first.
func (f *Fake) SetMinPart(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.minPart = n
}

// Objects returns what is visible in a bucket, sorted by key.
func (f *Fake) Objects(bucket string) []Object { return f.list(bucket, false) }

// History returns every object that was ever visible in a bucket, deleted ones included,
// as it was last, sorted by key.
func (f *Fake) History(bucket string) []Object { return f.list(bucket, true) }

func (f *Fake) list(bucket string, deleted bool) []Object {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []Object
	if b := f.buckets[bucket]; b != nil {
		for _, o := range b.objects {
			if deleted || !o.deleted {
				all = append(all, o.Object)
			}
		}
	}
	slices.SortFunc(all, func(a, b Object) int { return cmp.Compare(a.Key, b.Key) })
	return all
}

// Object returns what is visible under a key.
func (f *Fake) Object(bucket, key string) (Object, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if b := f.buckets[bucket]; b != nil {
		if o := b.objects[key]; o != nil && !o.deleted {
			return o.Object, true
		}
	}
	return Object{}, false
}

// Delete takes an object away, as a consumer does. Its writes stay counted.
func (f *Fake) Delete(bucket, key string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if b := f.buckets[bucket]; b != nil {
		b.delete(key)
	}
}

// Uploads returns the open uploads of all buckets, sorted by bucket, key and id.
func (f *Fake) Uploads() []Upload {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []Upload
	for _, b := range f.buckets {
		for _, u := range b.uploads {
			parts := make(map[int][]byte, len(u.Parts))
			for n, body := range u.Parts {
				parts[n] = body
			}
			all = append(all, Upload{u.Bucket, u.Key, u.ID, parts})
		}
	}
	slices.SortFunc(all, func(a, b Upload) int {
		return cmp.Or(cmp.Compare(a.Bucket, b.Bucket), cmp.Compare(a.Key, b.Key), cmp.Compare(a.ID, b.ID))
	})
	return all
}

// Received is how many bytes of bodies arrived so far.
func (f *Fake) Received() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.received
}

// put makes an object visible.
func (b *bucket) put(key string, body []byte, etag string, header http.Header) {
	o := b.objects[key]
	if o == nil {
		o = &object{}
		b.objects[key] = o
	}
	if o.Writes == 0 || !bytes.Equal(o.Body, body) {
		o.Contents++
	}
	o.Key, o.Body, o.ETag, o.Header, o.Modified, o.deleted = key, body, etag, header, time.Now(), false
	o.Writes++
}

func (b *bucket) delete(key string) {
	if o := b.objects[key]; o != nil {
		o.deleted = true
	}
}

func etagOf(body []byte) string {
	sum := md5.Sum(body)
	return `"` + hex.EncodeToString(sum[:]) + `"`
}

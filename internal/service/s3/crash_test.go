package s3

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"

	"hydrant/internal/durable"
)

var errDead = errors.New("the process is dead")

// mortal is a disk whose process dies after some steps: none of the later ones happen.
type mortal struct {
	steps atomic.Int64
	limit int64
	armed atomic.Bool
}

func (m *mortal) disk() durable.Disk {
	return durable.Disk{Before: func(durable.Step, string) error {
		if m.armed.Load() && m.steps.Add(1) > m.limit {
			return errDead
		}
		return nil
	}}
}

// story is a state of the store, a change to it, and what may be seen after a crash.
type story struct {
	name   string
	before func(p plain)
	change func(p plain) answered
	// after checks the reopened store; done says that the change was answered.
	after func(t *testing.T, p plain, done bool)
}

// either checks that a key has the old or the new content and header, the new if done.
func either(key, old, changed string) func(*testing.T, plain, bool) {
	return func(t *testing.T, p plain, done bool) {
		t.Helper()
		got := p.do("GET", "/box/"+key, "")
		seen := "absent"
		if got.code != "NoSuchKey" {
			seen = string(got.body) + " " + got.header.Get("Content-Type")
		}
		if seen != changed && (done || seen != old) {
			t.Errorf("%s is %.60q, want %.60q or, unless answered, %.60q; answered: %v", key, seen, changed, old, done)
		}
	}
}

func all(checks ...func(*testing.T, plain, bool)) func(*testing.T, plain, bool) {
	return func(t *testing.T, p plain, done bool) {
		t.Helper()
		for _, check := range checks {
			check(t, p, done)
		}
	}
}

func stories() []story {
	typed := func(v string) []string { return []string{"Content-Type", v} }
	upload := &pendingUpload{}
	return []story{
		{"a first put", func(plain) {},
			func(p plain) answered { return p.do("PUT", "/box/new/key", "one", typed("t/1")...) },
			either("new/key", "absent", "one t/1")},
		{"a put over an object",
			func(p plain) { p.must("PUT", "/box/k", "one", typed("t/1")...) },
			func(p plain) answered { return p.do("PUT", "/box/k", "two", typed("t/2")...) },
			either("k", "one t/1", "two t/2")},
		{"a put that displaces an object",
			func(p plain) { p.must("PUT", "/box/k", "one", typed("t/1")...) },
			func(p plain) answered { return p.do("PUT", "/box/k/below", "two", typed("t/2")...) },
			all(either("k", "one t/1", "one t/1"), either("k/below", "absent", "two t/2"))},
		{"a put over a displaced object",
			func(p plain) {
				p.must("PUT", "/box/k", "one", typed("t/1")...)
				p.must("PUT", "/box/k/below", "two", typed("t/2")...)
			},
			func(p plain) answered { return p.do("PUT", "/box/k", "three", typed("t/3")...) },
			all(either("k", "one t/1", "three t/3"), either("k/below", "two t/2", "two t/2"))},
		{"a deletion",
			func(p plain) {
				p.must("PUT", "/box/d/k", "one", typed("t/1")...)
				p.must("PUT", "/box/k", "two", typed("t/2")...)
			},
			func(p plain) answered { return p.do("DELETE", "/box/d/k", "") },
			all(either("d/k", "one t/1", "absent"), either("k", "two t/2", "two t/2"))},
		{"a copy onto itself",
			func(p plain) { p.must("PUT", "/box/k", "one", typed("t/1")...) },
			func(p plain) answered {
				return p.do("PUT", "/box/k", "", "X-Amz-Copy-Source", "/box/k", "X-Amz-Metadata-Directive", "REPLACE", "Content-Type", "t/2")
			},
			either("k", "one t/1", "one t/2")},
		{"a completed upload of one part", func(p plain) { upload.begin(p, "up/k", "tail") },
			func(p plain) answered { return upload.complete(p) },
			upload.check("tail t/u")},
		{"a completed upload of two parts", func(p plain) { upload.begin(p, "up/k", "head", "tail") },
			func(p plain) answered { return upload.complete(p) },
			upload.check("headtail t/u")},
		{"an encrypted put over a plain object",
			func(p plain) { p.must("PUT", "/box/k", "one", typed("t/1")...) },
			func(p plain) answered { return p.do("PUT", "/box/k", "two", append(typed("t/2"), kmsHeaders...)...) },
			either("k", "one t/1", "two t/2")},
		{"a plain put over an encrypted object",
			func(p plain) { p.must("PUT", "/box/k", "one", append(typed("t/1"), kmsHeaders...)...) },
			func(p plain) answered { return p.do("PUT", "/box/k", "two", typed("t/2")...) },
			either("k", "one t/1", "two t/2")},
		{"an encrypted put over another",
			func(p plain) { p.must("PUT", "/box/k", "one", append(typed("t/1"), kmsHeaders...)...) },
			func(p plain) answered { return p.do("PUT", "/box/k", "two", append(typed("t/2"), kmsHeaders...)...) },
			either("k", "one t/1", "two t/2")},
		{"a completed encrypted upload of one part", func(p plain) { upload.beginWith(p, "up/k", kmsHeaders, "tail") },
			func(p plain) answered { return upload.complete(p) },
			upload.check("tail t/u")},
		{"a completed encrypted upload of two parts", func(p plain) { upload.beginWith(p, "up/k", kmsHeaders, "head", "tail") },
			func(p plain) answered { return upload.complete(p) },
			upload.check("headtail t/u")},
	}
}

// pendingUpload is a multipart upload of a story.
type pendingUpload struct {
	key, id, list string
}

func (u *pendingUpload) begin(p plain, key string, parts ...string) {
	p.t.Helper()
	u.beginWith(p, key, nil, parts...)
}

// beginWith is begin with headers.
func (u *pendingUpload) beginWith(p plain, key string, headers []string, parts ...string) {
	p.t.Helper()
	var created struct {
		UploadID string `xml:"UploadId"`
	}
	if err := xml.Unmarshal(p.must("POST", "/box/"+key+"?uploads", "", append([]string{"Content-Type", "t/u"}, headers...)...).body, &created); err != nil {
		p.t.Fatal(err)
	}
	u.key, u.id, u.list = key, created.UploadID, ""
	for i, data := range parts {
		put := p.must("PUT", fmt.Sprintf("/box/%s?uploadId=%s&partNumber=%d", key, u.id, i+1), data)
		u.list += fmt.Sprintf("<Part><PartNumber>%d</PartNumber><ETag>%s</ETag></Part>", i+1, put.header.Get("Etag"))
	}
}

func (u *pendingUpload) complete(p plain) answered {
	p.t.Helper()
	return p.do("POST", "/box/"+u.key+"?uploadId="+u.id, "<CompleteMultipartUpload>"+u.list+"</CompleteMultipartUpload>")
}

// check completes the upload again. If it is gone, the object must be there.
func (u *pendingUpload) check(want string) func(*testing.T, plain, bool) {
	return func(t *testing.T, p plain, done bool) {
		t.Helper()
		again := u.complete(p)
		if again.status != 200 && again.code != "NoSuchUpload" {
			t.Errorf("completing again: %d %s", again.status, again.body)
		}
		if done && again.code != "NoSuchUpload" {
			t.Errorf("completed, and completed again: %d", again.status)
		}
		either(u.key, want, want)(t, p, true)
		if left := p.must("GET", "/box?uploads", ""); bytes.Contains(left.body, []byte("<Upload>")) {
			t.Errorf("an upload is left: %s", left.body)
		}
	}
}

// TestACrashAfterAnyStepLeavesOldOrNew stops the process at every step of every story,
// opens the store again and looks.
func TestACrashAfterAnyStepLeavesOldOrNew(t *testing.T) {
	for _, s := range stories() {
		t.Run(s.name, func(t *testing.T) {
			for limit := int64(0); ; limit++ {
				if tellStory(t, s, limit) {
					t.Logf("%d steps", limit)
					return
				}
			}
		})
	}
}

// tellStory tells the story with a crash after some steps. It is true if there was none.
func tellStory(t *testing.T, s story, limit int64) bool {
	t.Helper()
	root := quickFolder(t)
	m := &mortal{limit: limit}
	store := openStore(t, func(o *Options) { o.Root, o.Disk, o.Logger, o.Keys = root, m.disk(), nil, newTestKMS() })
	if err := store.CreateBucket(t.Context(), "box"); err != nil {
		t.Fatal(err)
	}
	store.minPart = 1
	s.before(plain{t, store})
	m.armed.Store(true)
	got := s.change(plain{t, store})
	done, whole := got.status < 300, m.steps.Load() <= limit
	if !done && whole {
		t.Fatalf("failed without a crash: %d %s", got.status, got.body)
	}
	reopened := openStore(t, func(o *Options) { o.Root, o.Keys = root, newTestKMS() })
	reopened.minPart = 1
	s.after(t, plain{t, reopened}, done)
	if left := filesIn(t, reopened.stagingPath); len(left) > 0 {
		t.Errorf("crash after %d steps: staging holds %q", limit, left)
	}
	if t.Failed() {
		t.Fatalf("crash after %d steps", limit)
	}
	return whole
}

func filesIn(t *testing.T, folder string) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			out = append(out, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestAFailingDiskIsToldAndLeavesNothing fails each kind of step once the store is open.
func TestAFailingDiskIsToldAndLeavesNothing(t *testing.T) {
	for _, full := range []bool{true, false} {
		for _, failing := range []durable.Step{durable.Create, durable.Write, durable.Sync, durable.Rename, durable.SyncFolder} {
			var armed atomic.Bool
			s, p := bucketed(t, func(o *Options) {
				o.Disk.Before = func(step durable.Step, _ string) error {
					if !armed.Load() || step != failing {
						return nil
					}
					if full {
						return fmt.Errorf("%w: %w", durable.ErrNoSpace, syscall.ENOSPC)
					}
					return syscall.EIO
				}
			})
			p.must("PUT", "/box/k", "old")
			armed.Store(true)
			got := p.do("PUT", "/box/k", "new")
			armed.Store(false)
			want := answered{status: 500, code: "InternalError"}
			if full {
				want = answered{status: 503, code: "ServiceUnavailable"}
			}
			if got.status != want.status || got.code != want.code {
				t.Errorf("%s failed: %d %s", failing, got.status, got.code)
			}
			if left := filesIn(t, s.stagingPath); len(left) > 0 {
				t.Errorf("%s failed: staging holds %q", failing, left)
			}
			if body := string(p.must("GET", "/box/k", "").body); body != "old" && (body != "new" || failing != durable.SyncFolder) {
				t.Errorf("%s failed: the object holds %q", failing, body)
			}
		}
	}
}

func TestAnUploadThatWasNotFullyTakenAwayIsSweptAtTheStart(t *testing.T) {
	s, p := bucketed(t)
	u := &pendingUpload{}
	u.begin(p, "k", "data")
	if err := os.Remove(filepath.Join(s.uploadsPath, u.id, uploadFile)); err != nil {
		t.Fatal(err)
	}
	var kept pendingUpload
	kept.begin(p, "kept", "data")
	again := openStore(t, func(o *Options) { o.Root = filepath.Dir(s.uploadsPath) })
	if entries, err := os.ReadDir(again.uploadsPath); err != nil || len(entries) != 1 || entries[0].Name() != kept.id {
		t.Errorf("left %v, %v", entries, err)
	}
	if got := kept.complete(plain{t, again}); got.status != 200 {
		t.Errorf("%d %s", got.status, got.body)
	}
}

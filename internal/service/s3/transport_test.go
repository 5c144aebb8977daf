package s3

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hydrant/internal/durable"
)

// roundTrip sends a request and reads the answer to its end.
func roundTrip(t *testing.T, tr http.RoundTripper, method, target string, body io.Reader) (*http.Response, []byte) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "http://store"+target, body)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := tr.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	return resp, content(t, resp.Body)
}

func TestTheTransportCarriesBodiesBothWays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := bucketed(t)
		tr := NewTransport(s)
		data := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
		if resp, body := roundTrip(t, tr, "PUT", "/box/k?x-id=PutObject", bytes.NewReader(data)); resp.StatusCode != 200 || len(body) != 0 {
			t.Fatalf("%s %s", resp.Status, body)
		}
		resp, body := roundTrip(t, tr, "GET", "/box/k", nil)
		if resp.StatusCode != 200 || resp.ContentLength != int64(len(data)) || !bytes.Equal(body, data) {
			t.Errorf("%s, %d bytes declared, %d came", resp.Status, resp.ContentLength, len(body))
		}
		if resp, body := roundTrip(t, tr, "HEAD", "/box/k", nil); resp.ContentLength != int64(len(data)) || len(body) != 0 {
			t.Errorf("head: %d bytes declared, %d came", resp.ContentLength, len(body))
		}
		if resp, body := roundTrip(t, tr, "GET", "/box/absent", nil); resp.StatusCode != 404 || !bytes.Contains(body, []byte("NoSuchKey")) {
			t.Errorf("%s %s", resp.Status, body)
		}
		r, err := http.NewRequestWithContext(t.Context(), "GET", "http://store/box/k", nil)
		if err != nil {
			t.Fatal(err)
		}
		left, err := tr.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		// Closed without being read: synctest fails the test if the handler stays behind.
		if err := left.Body.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestQuickETagsAreForThisProcessOnly(t *testing.T) {
	s, p := bucketed(t)
	quick := NewTransport(s, WithQuickETags())
	for name, tr := range map[string]http.RoundTripper{"quick": quick, "plain": NewTransport(s)} {
		resp, _ := roundTrip(t, tr, "PUT", "/box/k", strings.NewReader("hello"))
		tag := resp.Header.Get("Etag")
		if isMD5 := tag == `"5d41402abc4b2a76b9719d911017c592"`; isMD5 == (name == "quick") || strings.HasSuffix(tag, `-0"`) != (name == "quick") {
			t.Errorf("%s: %s", name, tag)
		}
		if head := p.must("HEAD", "/box/k", ""); head.header.Get("Etag") != tag {
			t.Errorf("%s: stored as %s, answered %s", name, head.header.Get("Etag"), tag)
		}
	}
	u := &pendingUpload{}
	u.begin(p, "multi")
	resp, _ := roundTrip(t, quick, "PUT", "/box/multi?partNumber=1&uploadId="+u.id, strings.NewReader("hello"))
	u.list = "<Part><PartNumber>1</PartNumber><ETag>" + resp.Header.Get("Etag") + "</ETag></Part>"
	if got := u.complete(p); got.status != 200 || !bytes.Contains(got.body, []byte("-1&quot;")) {
		t.Errorf("%d %s", got.status, got.body)
	}
	// A copy of such an object gets an ETag of its own kind.
	p.must("PUT", "/box/copy", "", "X-Amz-Copy-Source", "box/multi")
	if tag := p.must("HEAD", "/box/copy", "").header.Get("Etag"); tag != `"5d41402abc4b2a76b9719d911017c592"` {
		t.Errorf("copied as %s", tag)
	}
}

func TestACancelledRequestEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, p := bucketed(t)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		stuck, feed := io.Pipe()
		r, err := http.NewRequestWithContext(ctx, "PUT", "http://store/box/k", stuck)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := NewTransport(s).RoundTrip(r)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("%v, %v", resp, err)
		}
		if _, err := feed.Write([]byte("late")); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("the body is still open: %v", err)
		}
		if got := p.do("GET", "/box/k", ""); got.code != "NoSuchKey" {
			t.Errorf("%d", got.status)
		}
	})
}

func TestTheTransportTellsHowHandlersEnd(t *testing.T) {
	for name, tt := range map[string]struct {
		handle http.HandlerFunc
		failed bool   // RoundTrip itself
		body   string // of an answer
		err    error  // from reading it
	}{
		"nothing": {func(http.ResponseWriter, *http.Request) {}, false, "", nil},
		"panic":   {func(http.ResponseWriter, *http.Request) { panic("lost my mind") }, true, "", nil},
		"broken off": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "5")
			_, _ = io.WriteString(w, "abc")
		}, false, "abc", io.ErrUnexpectedEOF},
		"in two parts": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "ab")
			_, _ = io.WriteString(w, "c")
		}, false, "abc", nil},
	} {
		r, err := http.NewRequestWithContext(t.Context(), "GET", "http://store/", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := NewTransport(tt.handle).RoundTrip(r)
		if (err != nil) != tt.failed {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil {
			continue
		}
		if body, err := io.ReadAll(resp.Body); string(body) != tt.body || !errors.Is(err, tt.err) {
			t.Errorf("%s: %q, %v", name, body, err)
		}
		if err := resp.Body.Close(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestALongCompletionShowsSignsOfLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := make(chan struct{})
		var armed bool
		s, p := bucketed(t, func(o *Options) {
			o.Disk.Before = func(step durable.Step, _ string) error {
				if armed && step == durable.Link {
					<-slow
				}
				return nil
			}
		})
		u := &pendingUpload{}
		u.begin(p, "k", "data")
		armed = true
		go func() {
			time.Sleep(2*keepAliveEvery + time.Second)
			close(slow)
		}()
		r, err := http.NewRequestWithContext(t.Context(), "POST", "http://store/box/k?uploadId="+u.id,
			strings.NewReader("<CompleteMultipartUpload>"+u.list+"</CompleteMultipartUpload>"))
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		resp, err := NewTransport(s).RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		if waited := time.Since(start); waited != keepAliveEvery || resp.StatusCode != 200 {
			t.Errorf("%s after %s", resp.Status, waited)
		}
		if body := string(content(t, resp.Body)); !strings.Contains(body, "?>\n  <CompleteMultipartUploadResult") {
			t.Errorf("%q", body)
		}
	})
}

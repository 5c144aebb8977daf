package s3fake

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// request is an Op with what is needed to do it.
type request struct {
	Op
	body   []byte
	query  url.Values
	header http.Header
}

// reply is an answer. A nonempty code makes it an error.
type reply struct {
	status int
	code   string
	header map[string]string
	body   any // marshalled as XML, unless it is []byte
}

func failure(status int, code string) reply { return reply{status: status, code: code} }

var (
	noBucket = failure(http.StatusNotFound, "NoSuchBucket")
	noKey    = failure(http.StatusNotFound, "NoSuchKey")
	noUpload = failure(http.StatusNotFound, "NoSuchUpload")
)

// Handler serves the store over HTTP, with buckets as the first part of the path.
func (f *Fake) Handler() http.Handler { return http.HandlerFunc(f.serve) }

func (f *Fake) serve(w http.ResponseWriter, r *http.Request) {
	req, err := read(r)
	if err != nil {
		panic(http.ErrAbortHandler) // the client went away within the body
	}
	if bad := req.check(); bad.code != "" {
		f.answer(w, r, bad)
		return
	}
	switch fault := f.decide(req.Op); fault.Kind {
	case KindRefuse:
		f.answer(w, r, failure(fault.Status, fault.Code))
	case KindDoThenFail:
		f.do(req)
		f.answer(w, r, failure(fault.Status, fault.Code))
	case KindDoThenDrop:
		f.do(req)
		panic(http.ErrAbortHandler)
	case KindDropBefore:
		panic(http.ErrAbortHandler)
	case KindDelay:
		if !wait(r.Context(), fault.After) {
			panic(http.ErrAbortHandler)
		}
		f.answer(w, r, f.do(req))
	case KindDoLater:
		f.later(fault.After, func() { f.do(req) })
		f.answer(w, r, failure(fault.Status, fault.Code))
	default:
		f.answer(w, r, f.do(req))
	}
}

// wait reports whether d went by before ctx ended.
func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// read takes a request apart.
func read(r *http.Request) (request, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return request{}, fmt.Errorf("read the body: %w", err)
	}
	if r.ContentLength >= 0 && int64(len(body)) != r.ContentLength {
		return request{}, io.ErrUnexpectedEOF
	}
	req := request{body: body, query: r.URL.Query(), header: r.Header}
	req.Bucket, req.Key, _ = strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	req.Upload = req.query.Get("uploadId")
	req.Part, _ = strconv.Atoi(req.query.Get("partNumber")) // absent means 0, which no part has
	req.Operation = operation(r.Method, req.Key != "", req.query)
	req.Bytes = len(body)
	return req, nil
}

// operation tells the operations apart as S3 does: by method, path and query.
func operation(method string, key bool, query url.Values) Operation {
	id := query.Has("uploadId")
	switch {
	case method == http.MethodPut && key && id:
		return UploadPart
	case method == http.MethodPut && key:
		return PutObject
	case method == http.MethodPut:
		return CreateBucket
	case method == http.MethodPost && key && query.Has("uploads"):
		return CreateUpload
	case method == http.MethodPost && key && id:
		return CompleteUpload
	case method == http.MethodDelete && key && id:
		return AbortUpload
	case method == http.MethodDelete && key:
		return DeleteObject
	case method == http.MethodHead && key:
		return HeadObject
	case method == http.MethodHead:
		return HeadBucket
	case method == http.MethodGet && key:
		return GetObject
	case method == http.MethodGet && query.Has("uploads"):
		return ListUploads
	case method == http.MethodGet:
		return ListObjects
	}
	return ""
}

// check refuses what a store must refuse whatever its state: unsigned requests, and bodies
// that are not what was signed.
func (r *request) check() reply {
	auth, sum := r.header.Get("Authorization"), r.header.Get("X-Amz-Content-Sha256")
	switch {
	case r.Operation == "":
		return failure(http.StatusMethodNotAllowed, "MethodNotAllowed")
	case !strings.HasPrefix(auth, "AWS4-HMAC-SHA256 ") || !strings.Contains(auth, "/s3/aws4_request"):
		return failure(http.StatusForbidden, "AccessDenied")
	case strings.HasPrefix(sum, "STREAMING-"):
		return failure(http.StatusNotImplemented, "NotImplemented")
	case sum != "UNSIGNED-PAYLOAD":
		if got := sha256.Sum256(r.body); hex.EncodeToString(got[:]) != sum {
			return failure(http.StatusBadRequest, "XAmzContentSHA256Mismatch")
		}
	}
	return reply{}
}

// do carries a request out.
func (f *Fake) do(r request) reply {
	f.mu.Lock()
	defer f.mu.Unlock()
	b := f.buckets[r.Bucket]
	if r.Operation == CreateBucket {
		if b == nil {
			f.buckets[r.Bucket] = &bucket{map[string]*object{}, map[string]*upload{}, map[string]int{}}
		}
		return reply{status: http.StatusOK}
	}
	if b == nil {
		return noBucket
	}
	if bad := f.checkEncryption(b, r); bad.code != "" {
		return bad
	}
	switch r.Operation {
	case PutObject:
		return b.putObject(r)
	case GetObject, HeadObject:
		return b.getObject(r)
	case DeleteObject:
		b.delete(r.Key)
		return reply{status: http.StatusNoContent}
	case ListObjects:
		return b.listObjects(r, f.page)
	case CreateUpload:
		return b.createUpload(r)
	case UploadPart:
		return b.uploadPart(r)
	case CompleteUpload:
		return b.completeUpload(r, f.minPart)
	case AbortUpload:
		return b.abortUpload(r)
	case ListUploads:
		return b.listUploads(r, f.page)
	}
	return reply{status: http.StatusOK} // HeadBucket
}

// answer writes a reply.
func (f *Fake) answer(w http.ResponseWriter, r *http.Request, a reply) {
	body, raw := a.body.([]byte)
	if a.code != "" {
		a.body = apiError{Code: a.code, Message: "The fake store answers " + a.code + ".", Resource: r.URL.Path, RequestID: "fake"}
	}
	if !raw && a.body != nil {
		var out bytes.Buffer
		out.WriteString(xml.Header)
		if err := xml.NewEncoder(&out).Encode(a.body); err != nil {
			panic(fmt.Sprintf("answer of the fake store: %v", err))
		}
		body = out.Bytes()
		w.Header().Set("Content-Type", "application/xml")
	}
	for k, v := range a.header {
		w.Header().Set(k, v)
	}
	w.Header().Set("X-Amz-Request-Id", "fake")
	if w.Header().Get("Content-Length") == "" {
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	}
	w.WriteHeader(a.status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // a client that went away misses its answer
	}
}

type apiError struct {
	XMLName   xml.Name `xml:"Error"`
	Code      string
	Message   string
	Resource  string
	RequestID string `xml:"RequestId"`
}

package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/segmentio/asm/base64"
	"golang.org/x/sync/semaphore"

	"hydrant/e2e/load/sigv4"
	"hydrant/internal/record"
)

// maxBody is a batch of 4 MiB in base64, with room for the JSON around it.
const maxBody = 8 << 20

// A handler answers puts. Pools keep what each request needs once.
type handler struct {
	budget  *semaphore.Weighted
	log     *groupLog
	bodies  sync.Pool // *[]byte
	arenas  sync.Pool // *arena
	signers sync.Pool // *sigv4.Signer
}

// An arena is the records of one request on their way: decoded, appended, compressed.
type arena struct {
	data    []byte
	lengths []uint32
	held    int64 // of the budget
	release func(*arena)
	settled chan struct{} // of an arena without records: closed when all before it is stored
}

func newHandler(region, accessKey, secret string, budget *semaphore.Weighted, log *groupLog) *handler {
	h := &handler{budget: budget, log: log}
	h.bodies.New = func() any { return new([]byte) }
	h.arenas.New = func() any { return &arena{release: h.release} }
	h.signers.New = func() any { return sigv4.New(accessKey, secret, region, "firehose") }
	return h
}

func (h *handler) release(a *arena) {
	h.budget.Release(a.held)
	h.arenas.Put(a)
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body := h.bodies.Get().(*[]byte)
	answer, status := h.put(r, body)
	w.Header()["Content-Type"] = []string{sigv4.ContentType}
	w.Header()["Content-Length"] = []string{strconv.Itoa(len(answer))}
	w.WriteHeader(status)
	// A client that has gone away is the client's affair; the load generator counts it.
	_, _ = w.Write(answer)
	h.bodies.Put(body)
}

var (
	errBody      = errors.New("SerializationException")
	errSignature = errors.New("InvalidSignatureException")
)

// put takes a request through all that happens before its answer. The answer lies in the
// memory of body, which was read by then.
func (h *handler) put(r *http.Request, body *[]byte) (answer []byte, status int) {
	if r.ContentLength < 0 || r.ContentLength > maxBody {
		return refuse(errBody)
	}
	size := int(r.ContentLength)
	if err := h.budget.Acquire(r.Context(), 2*int64(size)); err != nil {
		return refuse(err)
	}
	a := h.arenas.Get().(*arena)
	a.held = 2 * int64(size)
	if err := h.read(r, body, a); err != nil {
		h.release(a)
		return refuse(err)
	}
	n := len(a.lengths)
	first, err := h.log.append(context.WithoutCancel(r.Context()), a)
	if err != nil {
		return refuse(err)
	}
	single := strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".PutRecord")
	*body = appendAnswer((*body)[:0], single, first, n)
	return *body, http.StatusOK
}

// read fills the arena with the records of a request whose signature holds.
func (h *handler) read(r *http.Request, body *[]byte, a *arena) error {
	size := int(r.ContentLength)
	if cap(*body) < size {
		*body = make([]byte, size)
	}
	b := (*body)[:size]
	if _, err := io.ReadFull(r.Body, b); err != nil {
		return err
	}
	if !h.signed(r, sha256.Sum256(b)) {
		return errSignature
	}
	return decode(b, a)
}

// signed makes the signature that the request should carry and compares.
func (h *handler) signed(r *http.Request, digest [sha256.Size]byte) bool {
	date := r.Header.Get("X-Amz-Date")
	if len(date) != len(sigv4.TimeFormat) || r.Header.Get("Content-Type") != sigv4.ContentType {
		return false
	}
	signer := h.signers.Get().(*sigv4.Signer)
	defer h.signers.Put(signer)
	var scratch [256]byte
	want := signer.Authorization(scratch[:0], date, r.Host, r.Header.Get("X-Amz-Target"), digest)
	return subtle.ConstantTimeCompare(want, []byte(r.Header.Get("Authorization"))) == 1
}

var dataKey = []byte(`"Data":"`)

// decode finds the records of a body and decodes them into the arena.
func decode(b []byte, a *arena) error {
	if cap(a.data) < len(b) {
		a.data = make([]byte, len(b))
	}
	a.data, a.lengths = a.data[:cap(a.data)], a.lengths[:0]
	end := 0
	for {
		at := bytes.Index(b, dataKey)
		if at < 0 {
			break
		}
		b = b[at+len(dataKey):]
		quote := bytes.IndexByte(b, '"')
		if quote < 0 {
			return errBody
		}
		n, err := base64.StdEncoding.Decode(a.data[end:], b[:quote])
		if err != nil {
			return errBody
		}
		a.lengths = append(a.lengths, uint32(n))
		end, b = end+n, b[quote+1:]
	}
	a.data = a.data[:end]
	if len(a.lengths) == 0 {
		return errBody
	}
	return nil
}

// appendAnswer writes what Firehose answers to a put that went well.
func appendAnswer(dst []byte, single bool, entry uint64, records int) []byte {
	ids := record.NewIDs(record.Queue{}, entry)
	if single {
		dst = append(dst, `{"Encrypted":false,"RecordId":"`...)
		return append(ids.Append(dst, 0), `"}`...)
	}
	dst = append(dst, `{"FailedPutCount":0,"Encrypted":false,"RequestResponses":[`...)
	for i := range records {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, `{"RecordId":"`...)
		dst = append(ids.Append(dst, uint32(i)), `"}`...)
	}
	return append(dst, `]}`...)
}

func refuse(err error) ([]byte, int) {
	return []byte(`{"__type":` + strconv.Quote(err.Error()) + `}`), http.StatusBadRequest
}

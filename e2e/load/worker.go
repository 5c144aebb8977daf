package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json"

	"hydrant/e2e/load/sigv4"
)

// templates is how many different bodies a run uses, by mode. Batches hold 500 records
// each, so fewer of them are as varied.
var templates = map[string]int{"batch": 16, "single": 1024, "largest": 3}

// A job is what the workers share.
type job struct {
	options
	host      string
	target    string
	heads     [][]byte // by stream
	templates []template
	log       *ackLog
	puts      atomic.Int64 // requests handed out
	limit     int64        // requests to make
}

func newJob(o options, log *ackLog) *job {
	j := &job{options: o, host: strings.TrimSuffix(strings.TrimPrefix(o.url, "http://"), "/"), log: log}
	j.target = "Firehose_20150804.PutRecordBatch"
	if o.perPut == 1 {
		j.target = "Firehose_20150804.PutRecord"
	}
	r := rand.New(rand.NewPCG(1, 2)) // the same events in every run
	for range templates[o.mode] {
		j.templates = append(j.templates, newTemplate(r, o.perPut, o.size))
	}
	for i := range o.streams {
		name := o.stream
		if o.streams > 1 {
			name = fmt.Sprintf(o.stream, i)
		}
		j.heads = append(j.heads, streamHead(name))
	}
	j.limit = 1<<63 - 1
	if o.records > 0 {
		j.limit = min(j.limit, (o.records+int64(o.perPut)-1)/int64(o.perPut))
	}
	if o.bytes > 0 {
		put := int64(o.perPut * o.size)
		j.limit = min(j.limit, (o.bytes+put-1)/put)
	}
	return j
}

// A worker owns one connection. Its fields belong to the goroutine in run until that ends.
type worker struct {
	*job
	number   int
	sequence int // of the next record
	conn     *connection
	signer   *sigv4.Signer
	own      template       // unique ids are stamped into a copy
	digests  map[int][]byte // body hashes, by stream and template, when bodies do not change
	ids      []byte         // scratch for the log

	requests  int64
	acked     int64 // records
	latencies []time.Duration
	errors    map[string]int64 // records that were not acknowledged, by code
}

func newWorker(j *job, number int, accessKey, secret string) *worker {
	return &worker{
		job: j, number: number,
		conn:    &connection{host: j.host},
		signer:  sigv4.New(accessKey, secret, j.region, "firehose"),
		digests: map[int][]byte{},
		errors:  map[string]int64{},
	}
}

// run makes requests until the job or the context ends. A request under way is waited for,
// so that no answer is lost.
func (w *worker) run(ctx context.Context) {
	defer w.conn.close()
	for ctx.Err() == nil {
		put := w.puts.Add(1) - 1
		if put >= w.limit {
			return
		}
		if !w.put(ctx, put) {
			return
		}
	}
}

// put makes one request. It returns false when the server cannot be reached any more.
func (w *worker) put(ctx context.Context, put int64) bool {
	head, body, digest := w.body(put)
	first := w.sequence
	w.sequence += w.perPut
	for deadline := time.Now().Add(w.patience); w.conn.open() != nil; {
		if time.Now().After(deadline) || !pause(ctx, 50*time.Millisecond) {
			w.errors["Unreachable"] += int64(w.perPut)
			return false
		}
	}
	date := sigv4.Date(time.Now())
	start := time.Now()
	a, err := w.conn.post(request{
		target: w.target, date: date, head: head, tail: body,
		authorization: w.signer.Authorization(nil, date, w.host, w.target, digest),
	})
	w.requests++
	if err != nil {
		// The records may be stored or not: they are not acknowledged and not sent again.
		w.errors["NoAnswer"] += int64(w.perPut)
		w.conn.close()
		return w.patience > 0
	}
	w.latencies = append(w.latencies, time.Since(start))
	if w.take(a, first) > 0 {
		return pause(ctx, time.Duration(10+rand.IntN(40))*time.Millisecond)
	}
	return true
}

// body returns the two halves of the request's body and the hash of both.
func (w *worker) body(put int64) (head, tail []byte, digest [sha256.Size]byte) {
	stream, number := int(put)%len(w.heads), int(put)%len(w.templates)
	t := w.templates[number]
	if w.unique {
		w.own.tail, w.own.ids = append(w.own.tail[:0], t.tail...), t.ids
		t = w.own
		t.stamp(w.label, w.number, w.sequence)
	}
	head = w.heads[stream]
	cached := stream*len(w.templates) + number
	if sum, ok := w.digests[cached]; ok && !w.unique {
		return head, t.tail, [sha256.Size]byte(sum)
	}
	h := sha256.New()
	h.Write(head)
	h.Write(t.tail)
	h.Sum(digest[:0])
	if !w.unique {
		w.digests[cached] = digest[:]
	}
	return head, t.tail, digest
}

// putResult is the part of both puts' answers that matters here.
type putResult struct {
	Type      string `json:"__type"`
	Failed    int    `json:"FailedPutCount"`
	Responses []struct {
		ErrorCode string
	} `json:"RequestResponses"`
}

// take counts what an answer acknowledges, and returns how many records it does not.
func (w *worker) take(a answer, first int) (failed int) {
	if a.status == 200 && (w.perPut == 1 || bytes.Contains(a.body, []byte(`"FailedPutCount":0`))) {
		w.acknowledge(first, w.perPut)
		return 0
	}
	var r putResult
	if err := json.Unmarshal(a.body, &r); err != nil {
		r.Type = "Unreadable"
	}
	if a.status != 200 || len(r.Responses) != w.perPut {
		w.errors[fmt.Sprintf("%d %s", a.status, r.Type)] += int64(w.perPut)
		return w.perPut
	}
	for i, response := range r.Responses {
		if response.ErrorCode == "" {
			w.acknowledge(first+i, 1)
		} else {
			w.errors[response.ErrorCode]++
			failed++
		}
	}
	return failed
}

// acknowledge counts n records from a sequence on, and writes their ids down.
func (w *worker) acknowledge(first, n int) {
	w.acked += int64(n)
	if w.log.file == nil {
		return
	}
	w.ids = w.ids[:0]
	for i := range n {
		w.ids = append(appendID(w.ids, w.label, w.number, first+i), '\n')
	}
	w.log.add(w.ids)
}

// pause waits, and returns false when the context ends first.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

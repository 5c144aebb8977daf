package simulation

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/go-json-experiment/json"

	"hydrant/e2e/load/sigv4"
)

// answer is what a client gets back.
type answer struct {
	heard  bool // false: the connection was lost, or nobody was there
	status int
	code   string // of an error
	body   []byte
}

// sender signs and sends requests.
type sender struct {
	w      *world
	signer *sigv4.Signer
	target string // begins the operation
	r      *rand.Rand
}

func (w *world) sender(part string) *sender {
	signer := sigv4.New(w.root.AccessKeyID, string(w.root.Secret), "us-east-1", "firehose")
	return &sender{w, signer, "Firehose_20150804.", dice(w.plan.seed, part)}
}

// manner is how a request is sent.
type manner int

const (
	politely  manner = iota
	hangingUp        // the client goes away before it hears the answer
	cutShort         // the body ends before its announced length
)

// request makes a signed request.
func (s *sender) request(op string, body []byte, m manner) *http.Request {
	var content io.Reader = bytes.NewReader(body)
	if m == cutShort {
		content = io.MultiReader(bytes.NewReader(body[:len(body)/2]), lost{})
	}
	r := httptest.NewRequest(http.MethodPost, "http://hydrant/", content)
	r.ContentLength = int64(len(body))
	date, target := sigv4.Date(s.w.now()), s.target+op
	r.Header.Set("Content-Type", sigv4.ContentType)
	r.Header.Set("X-Amz-Date", date)
	r.Header.Set("X-Amz-Target", target)
	r.Header.Set("Authorization", string(s.signer.Authorization(nil, date, r.Host, target, sha256.Sum256(body))))
	return r
}

// lost is the end of a connection.
type lost struct{}

func (lost) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// ask sends one request, once a node is there to hear it, and has note called with the
// answer while no node can die.
func (s *sender) ask(op string, body []byte, m manner, note func(answer)) {
	l := s.w.enter()
	for ; l == nil; l = s.w.enter() {
		time.Sleep(time.Second)
	}
	a := answer{heard: m != hangingUp}
	defer func() { l.leave(func(alive bool) { a.heard = a.heard && alive; note(a) }) }()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if m == hangingUp {
		go cancel()
	}
	rec := httptest.NewRecorder()
	if !serve(l.node.AWS(), rec, s.request(op, body, m).WithContext(ctx)) {
		a.heard = false
		return
	}
	a.status, a.body = rec.Code, rec.Body.Bytes()
	if a.status != http.StatusOK {
		a.code = errorCode(a.body)
	}
}

// serve says false if the handler dropped the connection.
func serve(h http.Handler, w http.ResponseWriter, r *http.Request) (answered bool) {
	defer func() {
		if p := recover(); p != nil && p != http.ErrAbortHandler {
			panic(p)
		}
	}()
	h.ServeHTTP(w, r)
	return true
}

func errorCode(body []byte) string {
	var e struct {
		Type string `json:"__type"`
	}
	if err := json.Unmarshal(body, &e); err != nil {
		return fmt.Sprintf("unreadable error %q", body)
	}
	return e.Type
}

// producer is one client: it puts records and waits for each answer.
type producer struct {
	*sender
	client uint32
	serial uint64
	raw    []byte
	body   []byte
}

// put is the records of one request.
type put struct {
	stream  *streamLife
	epoch   int
	begun   time.Time
	names   []name // of those that are not empty
	keys    []keys // of each of them
	of      []*aggregate
	sizes   []int
	records int // empty ones too
	at      []int
}

func (w *world) produce(client uint32) {
	p := &producer{sender: w.sender(fmt.Sprint("client", client)), client: client}
	for range w.plan.puts {
		time.Sleep(time.Duration(p.r.ExpFloat64() * float64(w.plan.pace)))
		p.put(w.streams[p.r.IntN(len(w.streams))])
	}
	w.story.tell("client %d is done", client)
}

// size draws the size of a record.
func (p *producer) size() int {
	switch n := p.r.IntN(100); {
	case n < 2:
		return 0
	case n < 60:
		return leastBytes + p.r.IntN(500)
	case n < 90:
		return leastBytes + p.r.IntN(20_000)
	case n < 98:
		return leastBytes + p.r.IntN(300_000)
	}
	return 1_024_000
}

// batchBytes is how many bytes of records a batch may have.
const batchBytes = 4 << 20

func (p *producer) put(s *streamLife) {
	q := &put{stream: s}
	op, records, most := "PutRecord", 1, batchBytes
	if p.r.IntN(2) == 0 {
		op, records = "PutRecordBatch", 1+int(spread(p.r, 500))%500
		if p.r.IntN(10) > 0 && !p.w.plan.heavy {
			most = 300_000
		}
		if s.gluing != nil {
			records = 1 + records/6
		}
	}
	w := p.w
	w.mu.Lock()
	partitioned := s.partitioned
	w.mu.Unlock()
	p.fill(q, records, most, partitioned)
	body := p.encode(q, op)
	m := politely
	switch p.r.IntN(40) {
	case 0:
		m = hangingUp
	case 1:
		m = cutShort
	}
	w.mu.Lock()
	q.epoch, q.begun = s.epoch, w.now()
	w.books.sent(q)
	w.mu.Unlock()
	p.ask(op, body, m, func(a answer) {
		w.books.arrived(q, w.now(), a.heard)
		w.books.hear(q, op, m, a)
	})
}

// fill draws the records.
func (p *producer) fill(q *put, records, most int, partitioned bool) {
	p.raw = p.raw[:0]
	for i := range records {
		if q.stream.gluing != nil && p.r.IntN(50) > 0 {
			if !p.fillAggregate(q, most) {
				break
			}
			continue
		}
		size, k := p.size(), p.keys(partitioned)
		if q.stream.table != nil {
			k = drawRow(p.r)
		}
		if q.stream.gluing != nil {
			size = 0
		}
		if k.json && size > 0 {
			size = max(size, leastJSON(k))
		}
		if len(p.raw)+size > most {
			if i > 0 {
				break
			}
			size, k = leastBytes, keys{}
		}
		q.records++
		q.sizes = append(q.sizes, size)
		if size == 0 {
			continue
		}
		n := name{q.stream.number, p.client, p.serial}
		p.serial++
		if k.json {
			p.raw = p.w.fill.json(p.raw, n, k, size, p.r.IntN(1<<20))
		} else {
			p.raw = p.w.fill.record(p.raw, n, size, p.r.IntN(1<<20))
		}
		q.names, q.at, q.keys, q.of = append(q.names, n), append(q.at, i), append(q.keys, k), append(q.of, nil)
	}
}

// fillAggregate draws a record of parts. It says false if there is no room for it.
func (p *producer) fillAggregate(q *put, most int) bool {
	start, serial := len(p.raw), p.serial
	n, a := p.aggregate(q.stream.number, q.stream.gluing.glue, drawParts(p.r, p.w.plan.keys))
	if len(p.raw) > most && start > 0 {
		p.raw, p.serial = p.raw[:start], serial
		return false
	}
	q.names, q.at, q.keys, q.of = append(q.names, n), append(q.at, q.records), append(q.keys, keys{}), append(q.of, a)
	q.sizes = append(q.sizes, len(p.raw)-start)
	q.records++
	return true
}

// keys draws those of the next record: most for a partitioned stream have some.
func (p *producer) keys(partitioned bool) keys {
	if !p.w.plan.chance.partitions || (p.r.IntN(20) == 0) == partitioned {
		return keys{}
	}
	return drawKeys(p.r, p.w.plan.keys)
}

// encode writes the request's body.
func (p *producer) encode(q *put, op string) []byte {
	b := fmt.Appendf(p.body[:0], `{"DeliveryStreamName":%q,`, q.stream.name)
	if op == "PutRecord" {
		b = append(b, `"Record":`...)
	} else {
		b = append(b, `"Records":[`...)
	}
	off := 0
	for i, size := range q.sizes {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"Data":"`...)
		b = base64.StdEncoding.AppendEncode(b, p.raw[off:off+size])
		b = append(b, `"}`...)
		off += size
	}
	if op != "PutRecord" {
		b = append(b, ']')
	}
	p.body = append(b, '}')
	return p.body
}

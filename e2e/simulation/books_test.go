package simulation

import (
	"fmt"
	"net/http"
	"time"

	"github.com/go-json-experiment/json"

	"hydrant/internal/record"
)

// outcome is what a client knows of a record.
type outcome int

const (
	unknown      outcome = iota // it may be stored or not
	acknowledged                // it must be delivered exactly once
	refused                     // it must not be delivered
)

// note is what is known of one record.
type note struct {
	size    int
	epoch   int
	backed  bool // the stream was known to have a backup when the record was sent
	outcome outcome

	keys     keys
	from, to time.Time  // between them it arrived, if it did, by the node's clock
	of       *aggregate // what it was put together of; nil: of nothing
	source   name       // of a part: what it was sent in
	broken   bool       // a part that is no JSON
	table    int        // the version that its stream's table was known to have
}

// books are what the clients know. Guarded by world.mu.
type books struct {
	records map[name]*note  // that were sent
	parts   map[name]*note  // of them
	ids     map[string]name // RecordIds
	faults  []string
	heard   map[string]int // answers by code
}

// fault notes that something is not as it must be.
func (b *books) fault(format string, args ...any) {
	b.faults = append(b.faults, fmt.Sprintf(format, args...))
}

// sent notes that a request is on its way.
func (b *books) sent(q *put) {
	for i, n := range q.names {
		know := note{size: q.sizes[q.at[i]], epoch: q.epoch, backed: q.stream.backed, keys: q.keys[i], of: q.of[i]}
		if t := q.stream.table; t != nil {
			know.table = t.known
		}
		b.records[n] = &know
		for _, p := range know.parts() {
			b.parts[p.name] = &note{size: p.size, epoch: q.epoch, keys: p.keys, source: n, broken: p.form == broken}
		}
	}
	q.stream.emptyUnknown += uint64(q.records - len(q.names))
}

// parts are what a record was put together of.
func (n *note) parts() []part {
	if n.of == nil {
		return nil
	}
	return n.of.parts
}

// arrived notes when the records of a request can have arrived. The clock may have jumped.
func (b *books) arrived(q *put, now time.Time, heard bool) {
	from, to := q.begun, now
	if to.Before(from) {
		from, to = to, from
	}
	if !heard {
		to = to.Add(clockSlack)
	}
	for _, n := range q.names {
		know := b.records[n]
		know.from, know.to = from, to
		for _, p := range know.parts() {
			b.parts[p.name].from, b.parts[p.name].to = from, to
		}
	}
}

// result is an entry of PutRecordBatch's answer, or PutRecord's.
type result struct {
	RecordID  string `json:"RecordId"`
	ErrorCode string
}

// refusals are the codes that say for sure that nothing was stored.
var refusals = map[string]bool{
	"ServiceUnavailableException": true, "ResourceNotFoundException": true,
	"InvalidSignatureException": true, "RequestExpired": true,
}

// hear notes the answer to a request.
func (b *books) hear(q *put, op string, m manner, a answer) {
	if m == cutShort && (!a.heard || a.status >= http.StatusBadRequest) {
		b.decide(q, func(int) outcome { return refused }) // half a request must never be stored
		return
	}
	if !a.heard {
		b.count("no answer")
		return
	}
	b.count(fmt.Sprintf("%s %d %s", op, a.status, a.code))
	switch {
	case a.status == http.StatusOK:
		b.accept(q, op, a)
	case refusals[a.code]:
		b.decide(q, func(int) outcome { return refused })
	case a.status < http.StatusInternalServerError:
		b.fault("%s was answered %d %s", op, a.status, a.body)
	}
}

func (b *books) count(what string) {
	if b.heard == nil {
		b.heard = map[string]int{}
	}
	b.heard["answer: "+what]++
}

// accept notes a success, whole or in part.
func (b *books) accept(q *put, op string, a answer) {
	var one result
	var many struct {
		FailedPutCount   int
		RequestResponses []result
	}
	var err error
	if op == "PutRecord" {
		err = json.Unmarshal(a.body, &one)
		many.RequestResponses = []result{one}
	} else {
		err = json.Unmarshal(a.body, &many)
	}
	if err != nil || len(many.RequestResponses) != q.records {
		b.fault("%s of %d records was answered %s (%v)", op, q.records, a.body, err)
		return
	}
	b.decide(q, func(i int) outcome {
		r := many.RequestResponses[i]
		if r.ErrorCode != "" {
			b.count(op + " record " + r.ErrorCode)
			return refused
		}
		b.checkID(r.RecordID)
		return acknowledged
	})
}

// decide sets the outcome of each record of a request.
func (b *books) decide(q *put, of func(i int) outcome) {
	k := 0
	for i := range q.records {
		o := of(i)
		if k < len(q.names) && q.at[k] == i {
			b.records[q.names[k]].outcome = o
			k++
			continue
		}
		q.stream.emptyUnknown--
		if o == acknowledged {
			q.stream.emptyAcked++
		}
	}
}

// checkID complains about a RecordId that leads nowhere or was given before.
func (b *books) checkID(id string) {
	if _, _, err := record.ParseID(id); err != nil {
		b.fault("RecordId %q: %v", id, err)
	}
	if _, again := b.ids[id]; again {
		b.fault("RecordId %q was given twice", id)
	}
	b.ids[id] = name{}
}

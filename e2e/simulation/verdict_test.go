package simulation

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"time"

	"hydrant/internal/dest/s3/s3fake"
)

// settle lets the calm node deliver what is left and judges.
func (w *world) settle(l *life) {
	begin := time.Now()
	for ; ; time.Sleep(10 * time.Second) {
		ledgers := w.scrape(l)
		if !slices.ContainsFunc(w.streams, func(s *streamLife) bool { return ledgers[s.name].pending.records > 0 }) {
			break
		}
		if time.Since(begin) > 2*time.Hour {
			w.mu.Lock()
			w.books.fault("two hours after all was calm, records are still pending: %+v", ledgers)
			w.mu.Unlock()
			break
		}
	}
	// Doubtful uploads are looked for once more ten minutes later, and the store may carry
	// out until then what it has put off.
	time.Sleep(30 * time.Minute)
	ledgers := w.scrape(l)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.judge(ledgers)
}

// figures is a number of records and their bytes.
type figures struct{ records, bytes uint64 }

// ledger is a stream's, as the metrics page shows it.
type ledger struct {
	received, delivered, dropped, failed, discarded, pending figures
}

// scrape reads the ledgers from the metrics page and complains if they do not add up.
func (w *world) scrape(l *life) map[string]ledger {
	rec := httptest.NewRecorder()
	l.node.Console().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	ledgers := map[string]ledger{}
	for line := range strings.Lines(rec.Body.String()) {
		metric, labels, value := sample(line)
		if labels["stream"] == "" {
			continue
		}
		g := ledgers[labels["stream"]]
		at := map[string]*figures{
			"received": &g.received, "delivered": &g.delivered, "dropped": &g.dropped,
			"failed": &g.failed, "discarded": &g.discarded, "": &g.pending,
		}[labels["outcome"]]
		switch metric {
		case "hydrant_records_total", "hydrant_pending_records":
			at.records = value
		case "hydrant_record_bytes_total", "hydrant_pending_bytes":
			at.bytes = value
		}
		ledgers[labels["stream"]] = g
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.streams {
		g := ledgers[s.name]
		records := g.delivered.records + g.dropped.records + g.failed.records + g.discarded.records + g.pending.records
		bytes := g.delivered.bytes + g.dropped.bytes + g.failed.bytes + g.discarded.bytes + g.pending.bytes
		if s.gluing == nil && (records != g.received.records || bytes != g.received.bytes) {
			w.books.fault("the ledger of %s does not add up: %+v", s.name, g)
		}
	}
	return ledgers
}

// sample takes a line of the metrics page apart.
func sample(line string) (metric string, labels map[string]string, value uint64) {
	metric, rest, ok := strings.Cut(line, "{")
	if !ok {
		return "", nil, 0
	}
	inner, number, _ := strings.Cut(rest, "}")
	labels = map[string]string{}
	for pair := range strings.SplitSeq(inner, ",") {
		k, v, _ := strings.Cut(pair, "=")
		labels[k] = strings.Trim(v, `"`)
	}
	f, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if err != nil {
		return "", nil, 0
	}
	return metric, labels, uint64(f)
}

// found is what the store holds of the streams' data, or of their backups.
type found struct {
	times  map[name]int
	bytes  map[uint32]uint64 // by stream
	counts map[uint32]uint64
	runs   map[series][]run
	backup bool

	layouts map[name]*layout        // of delivered parts
	codes   map[name]map[string]int // of failed aggregates: how often each of their failures
}

// series is what is in order: the records of a client in a stream or, if it is partitioned, in
// one of its partitions.
type series struct {
	stream, client uint32
	partition      string
}

// run is the records of one client in one object.
type run struct {
	first, last uint64
	key         string
	table       int // version of the table, if it is one of rows
}

// judge compares what the store holds with what the clients know. w.mu is held.
func (w *world) judge(ledgers map[string]ledger) {
	f, copies, failed := newFound(), newFound(), newFound()
	copies.backup = true
	versions := map[string]string{}
	for _, o := range w.store.History(bucket) {
		if strings.HasPrefix(o.Key, failures) {
			w.judgeFailures(failed, o)
			continue
		}
		if key, ok := strings.CutPrefix(o.Key, backups); ok {
			o.Key = key
			w.judgeObject(copies, o)
		} else {
			w.judgeObject(f, o)
		}
		if l := w.layout(o.Key); l != nil && !l.partitioned() {
			w.judgeName(versions, o.Key)
		}
	}
	missing := w.judgeRecords(f, failed)
	w.judgeOrder(f)
	w.judgeBackups(copies)
	w.judgeOrder(copies)
	for _, s := range w.streams {
		w.judgeLedger(s, f, failed, ledgers[s.name], missing)
	}
	w.judgeUploads()
}

func newFound() *found {
	return &found{
		times: map[name]int{}, bytes: map[uint32]uint64{}, counts: map[uint32]uint64{}, runs: map[series][]run{},
		layouts: map[name]*layout{}, codes: map[name]map[string]int{},
	}
}

// judgeUploads complains about uploads that nobody will complete. Nobody looks for those
// that the store made, or would not let go, after their stream was deleted.
func (w *world) judgeUploads() {
	for _, u := range w.store.Uploads() {
		deleted := slices.ContainsFunc(w.streams, func(s *streamLife) bool {
			return s.doomed > 0 && (strings.HasPrefix(strings.TrimPrefix(u.Key, backups), s.prefix()) || strings.HasPrefix(u.Key, failures))
		})
		if deleted {
			w.story.count("upload left behind by a deleted stream", 1)
			continue
		}
		w.books.fault("upload %s of %s was left behind", u.ID, u.Key)
	}
}

// judgeObject counts the records of an object.
func (w *world) judgeObject(f *found, o s3fake.Object) {
	if o.Contents != 1 {
		w.books.fault("%s had %d different contents", o.Key, o.Contents)
	}
	i := slices.IndexFunc(w.streams, func(s *streamLife) bool { return strings.HasPrefix(o.Key, s.prefix()) })
	if i < 0 {
		w.books.fault("%s belongs to no stream", o.Key)
		return
	}
	body, version, err := w.plain(w.streams[i], o)
	if err != nil {
		w.books.fault("%s: %v", o.Key, err)
		return
	}
	f.bytes[uint32(i)] += uint64(len(body))
	l := w.layout(o.Key)
	if l == nil {
		w.books.fault("%s has a prefix that no version of its stream has", o.Key)
		return
	}
	mine := map[series]*run{}
	for len(body) > 0 {
		n, size, err := w.next(f, body)
		if err != nil {
			w.books.fault("%s: %v", o.Key, err)
			return
		}
		body = body[size:]
		f.counts[uint32(i)]++
		f.times[n]++
		if n.stream != uint32(i) {
			w.books.fault("%s holds record %+v of another stream", o.Key, n)
		}
		know := w.delivered(n, f.backup)
		if know == nil || know.size != size {
			w.books.fault("%s holds record %+v of %d bytes, which nobody sent", o.Key, n, size)
			return
		}
		f.layouts[n] = l
		k := series{uint32(i), n.client, w.judgePlace(f, l, o.Key, n, know)}
		r := mine[k]
		if r == nil {
			r = &run{n.serial, n.serial, o.Key, version}
			mine[k] = r
		} else if n.serial <= r.last {
			w.books.fault("%s holds record %+v behind serial %d of the same client", o.Key, n, r.last)
		}
		r.last = n.serial
	}
	for k, r := range mine {
		f.runs[k] = append(f.runs[k], *r)
	}
}

// judgeRecords holds each record's number of appearances against its outcome. It returns
// what is missing by stream, which only damage at rest excuses.
func (w *world) judgeRecords(f, failed *found) map[uint32]figures {
	missing := map[uint32]figures{}
	for n, know := range w.books.records {
		times := f.times[n] + failed.times[n]
		s := w.streams[n.stream]
		if know.of != nil {
			lost, m := w.judgeApart(n, know, f, failed), missing[n.stream]
			missing[n.stream] = figures{m.records + lost.records, m.bytes + lost.bytes}
			continue
		}
		switch {
		case times > 1:
			w.books.fault("record %+v was delivered %d times", n, times)
		case know.outcome == refused && times > 0:
			w.books.fault("record %+v was refused and delivered", n)
		case know.outcome == acknowledged && times == 0 && know.epoch > s.doomed:
			m := missing[n.stream]
			missing[n.stream] = figures{m.records + 1, m.bytes + uint64(know.size)}
			if w.damaged == 0 {
				w.books.fault("record %+v was acknowledged and is lost", n)
			}
		}
	}
	return missing
}

// judgeOrder says whether the objects of a stream cut each client's records into runs that
// do not overlap: order holds within objects and over them.
func (w *world) judgeOrder(f *found) {
	for k, runs := range f.runs {
		slices.SortFunc(runs, func(a, b run) int { return cmp.Compare(a.first, b.first) })
		for i := range runs[1:] {
			if a, b := runs[i], runs[i+1]; b.table < a.table {
				w.books.fault("%s is of version %d of the table, and %s, behind it, of version %d", a.key, a.table, b.key, b.table)
			} else if b.first <= a.last {
				w.books.fault("client %d of stream %d: %s holds %d to %d, and %s %d to %d", k.client, k.stream,
					a.key, a.first, a.last, b.key, b.first, b.last)
			}
		}
	}
}

// judgeLedger holds a stream's ledger against clients and store.
func (w *world) judgeLedger(s *streamLife, f, failed *found, g ledger, missing map[uint32]figures) {
	var acked, sent figures
	for n, know := range w.books.records {
		if n.stream != s.number || know.outcome == refused {
			continue
		}
		sent = figures{sent.records + 1, sent.bytes + uint64(know.size)}
		if know.outcome == acknowledged {
			acked = figures{acked.records + 1, acked.bytes + uint64(know.size)}
		}
	}
	acked.records += s.emptyAcked
	sent.records += s.emptyAcked + s.emptyUnknown
	complain := func(what string) {
		w.books.fault("%s: %s: ledger %+v, acknowledged %+v, sent and not refused %+v, in the store %d records of %d bytes, missing %+v",
			s.name, what, g, acked, sent, f.counts[s.number], f.bytes[s.number], missing[s.number])
	}
	if within := acked.records <= g.received.records && g.received.records <= sent.records &&
		acked.bytes <= g.received.bytes && g.received.bytes <= sent.bytes; !within {
		complain("received is not what was acknowledged, or more than was sent")
	}
	if lost := failed.bytes[s.number]; w.damaged == 0 && (s.doomed == 0 && g.failed.bytes != lost || g.failed.bytes < lost) {
		complain(fmt.Sprintf("failed records are not those of the error output, %d bytes", lost))
	}
	if m := missing[s.number]; m.bytes+failed.bytes[s.number] > g.failed.bytes {
		complain("more is missing than the ledger counts as failed")
	}
	// What was prepared for a deleted stream may be visible and counted as discarded.
	inStore := f.bytes[s.number]
	if exact := s.doomed == 0; exact && inStore != g.delivered.bytes ||
		!exact && (inStore < g.delivered.bytes || inStore > g.delivered.bytes+g.discarded.bytes) {
		complain("delivered is not what the store holds")
	}
	if empties := s.emptyAcked + s.emptyUnknown; s.doomed == 0 && g.delivered.records > f.counts[s.number]+empties {
		complain("more records delivered than the store holds")
	}
}

// summary counts what the clients heard and what the store did.
func (w *world) summary() map[string]int {
	all := w.story.tally()
	maps.Copy(all, w.books.heard)
	for kind, n := range w.store.Fired() {
		all["store: "+string(kind)] += n
	}
	for _, o := range w.store.History(bucket) {
		switch {
		case strings.HasPrefix(o.Key, backups):
			all["backup objects"]++
		case strings.HasPrefix(o.Key, failures):
			all["error objects"]++
		default:
			all["objects"]++
		}
	}
	for _, know := range w.books.records {
		all["records "+[...]string{"of unknown outcome", "acknowledged", "refused"}[know.outcome]]++
	}
	return all
}

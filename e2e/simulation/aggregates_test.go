package simulation

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
)

// gluing is how the clients of a stream, through all its incarnations, put records together, and
// the sub-record types that take them apart again.
type gluing struct {
	glue  string
	types []string
}

const (
	documents = "JSON"
	delimited = "DELIMITED"
)

var gluings = []gluing{
	{"", []string{documents}},
	{"\n", []string{documents, delimited}},
	{" \r\n", []string{documents, delimited}},
	{"####", []string{delimited}},
	{"\x00\xff", []string{delimited}},
}

// drawGluing draws that of a stream; nil: its records are not put together.
func (p *plan) drawGluing(r *rand.Rand) *gluing {
	if !p.chance.partitions || p.heavy || r.IntN(2) > 0 {
		return nil
	}
	return &gluings[r.IntN(len(gluings))]
}

// taking is the processor that takes records apart.
func (g *gluing) taking(kind string) string {
	delimiter := ""
	if kind == delimited {
		delimiter = fmt.Sprintf(`,{"ParameterName":"Delimiter","ParameterValue":%q}`, base64.StdEncoding.EncodeToString([]byte(g.glue)))
	}
	return fmt.Sprintf(`{"Type":"RecordDeAggregation","Parameters":[{"ParameterName":"SubRecordType","ParameterValue":%q}%s]}`, kind, delimiter)
}

// aggregate is what a record was put together of. Its name has a serial of its own, and those of
// its parts follow it.
type aggregate struct {
	sum   uint32 // CRC-32 (IEEE) of the whole
	parts []part
}

// part is a record, the beginning of one, which is no JSON, or nothing.
type part struct {
	name name
	form form
	size int
	keys keys
}

type form int

const (
	entire form = iota
	broken
	empty // never the first: the first names the aggregate
)

// mostParts is how many parts a record may have to be taken apart (spec firehose.md section 5.6).
const mostParts = 500

// drawParts draws how many parts an aggregate has, of which few are of no use.
func drawParts(r *rand.Rand, most int) []part {
	n := 1 + r.IntN(8)
	large := r.IntN(200) == 0
	if large {
		n = mostParts - 1 + r.IntN(4)
	}
	parts := make([]part, n)
	bad := 0
	if r.IntN(8) == 0 {
		bad = 2 // of ten
	}
	for i := range parts {
		p := &parts[i]
		p.keys = drawKeys(r, most)
		switch d := r.IntN(20); {
		case large: // few of them fail: each failure holds the whole
			p.keys = keys{json: true, k: value{`"many"`, "many", true}, u: i, f: value{`"g"`, "g", true}}
			if n > mostParts { // it stays whole and must not be taken for its first part
				p.keys.f = value{}
			}
			p.size = leastJSON(p.keys)
			continue
		case d < bad:
			p.form = broken
		case d < 2*bad && i > 0:
			p.form = empty
		}
		p.size = leastJSON(p.keys) + r.IntN([]int{50, 500, 500, 20_000}[r.IntN(4)])
	}
	return parts
}

// aggregate appends a record of parts to what is sent, and gives all of them their names.
func (p *producer) aggregate(stream uint32, glue string, parts []part) (name, *aggregate) {
	start := len(p.raw)
	next := func() name {
		p.serial++
		return name{stream, p.client, p.serial - 1}
	}
	n := next()
	for i := range parts {
		if i > 0 {
			p.raw = append(p.raw, glue...)
		}
		one := &parts[i]
		one.name = next()
		at := len(p.raw)
		if one.form != empty {
			p.raw = p.w.fill.json(p.raw, one.name, one.keys, one.size, p.r.IntN(1<<20))
		}
		if one.form == broken { // before what a function could read
			p.raw = p.raw[:at+jsonHead+p.r.IntN(len(`,"u":`))]
		}
		one.size = len(p.raw) - at
	}
	return n, &aggregate{crc32.ChecksumIEEE(p.raw[start:]), parts}
}

// apart is what a layout makes of an aggregate: how many records, and how many of them fail for
// their partition keys. One that is not taken apart fails as a whole. A record of nothing fails
// too; it is not counted, for nothing tells whose it was.
func (l *layout) apart(a *aggregate) (records, bad int) {
	parts, nothing := a.parts, 0
	if last := len(parts) - 1; l.split == delimited && parts[last].form == empty {
		parts = parts[:last] // there is nothing behind the last delimiter
	}
	for i := range parts {
		switch parts[i].form {
		case broken:
			bad++
			if l.split == documents {
				return 1, 1
			}
		case empty:
			if l.split == delimited {
				nothing++
			}
			continue
		case entire:
			if _, ok := l.place(parts[i].keys); !ok {
				bad++
			}
		}
		records++
	}
	if records+nothing > mostParts {
		return 1, 1
	}
	return records, bad
}

// source takes the first record off b as its client sent it.
func (w *world) source(b []byte) (n name, size int, err error) {
	if !bytes.HasPrefix(b, []byte(jsonMagic)) {
		return parse(b)
	}
	if n, _, err = parseHead(b); err != nil {
		return n, 0, err
	}
	p := w.books.parts[n]
	if p == nil {
		return parse(b)
	}
	know := w.books.records[p.source]
	if know.size > len(b) || crc32.ChecksumIEEE(b[:know.size]) != know.of.sum {
		return n, 0, fmt.Errorf("%w: that of %d bytes which begins with part %+v", errNoRecord, know.size, n)
	}
	return p.source, know.size, nil
}

// failing is what a failure record is about: a record as it was sent or, if it was taken apart,
// a part.
func (w *world) failing(raw []byte) (n name, err error) {
	if bytes.HasPrefix(raw, []byte(jsonMagic)) {
		if n, _, err = parseHead(raw); err != nil {
			return n, err
		}
		if p := w.books.parts[n]; p != nil && p.size == len(raw) {
			if !p.broken {
				_, _, err = parse(raw)
			}
			return n, err
		}
	}
	n, size, err := w.source(raw)
	if err == nil && size != len(raw) {
		err = fmt.Errorf("%w: %d bytes behind it", errNoRecord, len(raw)-size)
	}
	return n, err
}

// delivered looks up a record that an object holds.
func (w *world) delivered(n name, backup bool) *note {
	if p := w.books.parts[n]; p != nil {
		return p
	}
	if know := w.books.records[n]; know != nil && (know.of == nil || backup) {
		return know
	}
	return nil
}

// remains is what became of an aggregate.
type remains struct {
	delivered int     // parts
	bytes     int     // of the parts that are neither delivered nor in the error output
	in        *layout // where those are that are delivered
	failed    map[string]int
}

func (r *remains) failures() (all int) {
	for _, n := range r.failed {
		all += n
	}
	return all
}

// judgeApart holds what became of an aggregate against what a version of its stream makes of it.
// It returns what is missing.
func (w *world) judgeApart(n name, know *note, f, failed *found) (missing figures) {
	s, r := w.streams[n.stream], remains{failed: failed.codes[n]}
	for i := range know.of.parts {
		p := &know.of.parts[i]
		times := f.times[p.name] + failed.times[p.name]
		if times > 1 {
			w.books.fault("part %+v of record %+v was delivered %d times", p.name, n, times)
		}
		r.delivered += min(f.times[p.name], 1)
		if times == 0 && p.form == entire {
			r.bytes += p.size
		}
		if l := f.layouts[p.name]; l != nil {
			if r.in != nil && r.in != l {
				w.books.fault("record %+v has parts in %s and in %s", n, r.in.tag, l.tag)
			}
			r.in = l
		}
	}
	all := r.failures()
	lost := know.epoch > s.doomed && w.damaged == 0
	switch {
	case r.delivered+all == 0:
		if know.outcome != acknowledged || know.epoch <= s.doomed {
			return missing
		}
		if w.damaged == 0 {
			w.books.fault("record %+v was acknowledged and is lost, with its %d parts", n, len(know.of.parts))
		}
		return figures{1, uint64(r.bytes)}
	case know.outcome == refused:
		w.books.fault("record %+v was refused; %d of its parts were delivered, %d failed", n, r.delivered, all)
	case !w.fits(s, know, &r, lost):
		w.books.fault("record %+v: of its %d parts %d were delivered to %+v, and it failed as %v; no version of its stream does that",
			n, len(know.of.parts), r.delivered, r.in, r.failed)
	}
	if r.delivered == 0 && all == w.mostRecords(s, know, lost, all) {
		failed.bytes[n.stream] += uint64(know.size)
		failed.counts[n.stream]++
	}
	w.story.count("part delivered", r.delivered)
	return missing
}

// fits reports whether a version of the stream may have made that of an aggregate: all of it, or
// some of it if the rest may be lost.
func (w *world) fits(s *streamLife, know *note, r *remains, all bool) bool {
	functions := r.failures() - r.failed[noKeys] - r.failed[tooMany]
	for _, l := range s.layouts {
		if l.epoch < know.epoch || r.in != nil && r.in != l {
			continue
		}
		records, bad := l.apart(know.of)
		if r.failed[noKeys] > bad || r.failed[tooMany] > 0 && w.plan.quota == 0 || r.delivered > records-bad {
			continue
		}
		became := r.delivered + r.failures()
		if became == records && bad-r.failed[noKeys] <= functions || became <= records && !all {
			return true
		}
	}
	return false
}

// mostRecords is how many records a version of the stream makes of an aggregate at most. Where
// none of them can be lost, it is what they became.
func (w *world) mostRecords(s *streamLife, know *note, all bool, became int) (most int) {
	if all {
		return became
	}
	for _, l := range s.layouts {
		if l.epoch >= know.epoch {
			records, _ := l.apart(know.of)
			most = max(most, records)
		}
	}
	return most
}

// next takes the first record off b, as it is delivered or as it is backed up.
func (w *world) next(f *found, b []byte) (n name, size int, err error) {
	if f.backup {
		return w.source(b)
	}
	return parse(b)
}

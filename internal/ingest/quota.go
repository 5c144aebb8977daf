package ingest

import (
	"sync"
	"time"

	"hydrant/internal/record"
	"hydrant/internal/stream"
)

// Quota bounds what a stream takes in a second (spec section 11.3); 0 is no bound.
type Quota struct {
	Records  float64
	Requests float64
	Bytes    float64 // of records, raw
}

// unlimited reports whether nothing is bounded.
func (q Quota) unlimited() bool { return q == Quota{} }

// meter measures one stream against its quota. Each bucket fills by its quota in a second,
// holds a second's worth, and may be overdrawn by the one record that finds something in it:
// so a record larger than a second's bytes passes, and those behind it wait for it.
type meter struct {
	quota Quota

	mu   sync.Mutex
	at   time.Time // of the levels
	left Quota     // levels of the buckets
}

// take says how many records of a request, from its first one on, the quota has room for.
func (m *meter) take(now time.Time, lengths []uint32) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.refill(now)
	if m.quota.Requests > 0 && m.left.Requests < 1 {
		return 0
	}
	n := 0
	for n < len(lengths) && m.has() {
		m.left.Records--
		m.left.Bytes -= float64(lengths[n])
		n++
	}
	if n > 0 {
		m.left.Requests--
	}
	return n
}

// has reports whether one more record may pass.
func (m *meter) has() bool {
	return (m.quota.Records <= 0 || m.left.Records >= 1) && (m.quota.Bytes <= 0 || m.left.Bytes > 0)
}

// refill fills the buckets for the time that has passed; a clock that was set back adds nothing.
func (m *meter) refill(now time.Time) {
	passed := 1.0
	if !m.at.IsZero() {
		passed = min(max(now.Sub(m.at).Seconds(), 0), 1)
	}
	m.at = now
	fill := func(left *float64, quota float64) { *left = min(*left+passed*quota, max(quota, 1)) }
	fill(&m.left.Records, m.quota.Records)
	fill(&m.left.Requests, m.quota.Requests)
	fill(&m.left.Bytes, m.quota.Bytes)
}

// meter returns the stream's meter; nil: it has no quota.
func (in *Ingest) meter(d *stream.Definition) *meter {
	if in.opt.Quota == nil {
		return nil
	}
	if m, ok := in.meters.Load(d.ID); ok {
		return m.(*meter)
	}
	q := in.opt.Quota(d.Name)
	if q.unlimited() {
		return nil
	}
	m, _ := in.meters.LoadOrStore(d.ID, &meter{quota: q})
	return m.(*meter)
}

// within cuts b to what the stream's quota has room for, and says whether that is anything.
func (in *Ingest) within(d *stream.Definition, b record.Batch) (record.Batch, bool) {
	m := in.meter(d)
	if m == nil {
		return b, true
	}
	n := m.take(in.opt.Now(), b.Lengths)
	if refused := len(b.Lengths) - n; refused > 0 && in.opt.OnThrottle != nil {
		in.opt.OnThrottle(d.Name, refused)
	}
	size := 0
	for _, l := range b.Lengths[:n] {
		size += int(l)
	}
	return record.Batch{Data: b.Data[:size], Lengths: b.Lengths[:n]}, n > 0
}

package deliver

import (
	"context"
	"fmt"
	"slices"
	"time"

	"hydrant/internal/batch"
	"hydrant/internal/record"
)

// slackBytes is what an object may take beyond a part: the last entry before the part is
// shipped, and what the encoder held back.
const slackBytes = 2<<20 + 2*chunkBytes

// filler makes the objects of a plan out of the journal, in constant memory. The journal
// is read in steps: nothing waits for the destination while a read is open.
type filler struct {
	r    *runner
	t    *target
	plan *plan
	at   record.Mark // the next record
	m    *manifest
	enc  Encoding
	cur  *filling // the object being filled
	done bool
	read int // entries seen in this step

	results  chan partResult
	inFlight int
	inBytes  int64 // held by parts on their way
}

// filling is an object being made.
type filling struct {
	item   preparedItem
	enc    Encoder
	cut    batch.Cutter
	sink   *sink // encoded and not shipped
	closed bool  // the encoder has written its last byte
	empty  bool  // it has no rows
	number int32 // of the last part shipped
}

// sink is where an encoder writes to: a buffer that is exchanged when it is shipped.
type sink struct{ *buffer }

type partResult struct {
	part record.Part
	buf  *buffer
	err  error
}

// fill encodes what the plan covers, for the target it was made for, and uploads the parts of large objects. It leaves the
// bodies of small ones in r.bodies.
func (r *runner) fill(ctx context.Context, t *target) (*manifest, error) {
	f := &filler{
		r: r, t: t, plan: r.state.Plan, at: r.state.Checkpoint,
		m: &manifest{Format: t.format}, enc: t.encoding, results: make(chan partResult, 64),
	}
	if err := f.convert(ctx); err != nil {
		return nil, err
	}
	var err error
	if r.held, err = r.opt.Memory.reserve(ctx, f.estimate()); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer f.end()
	defer cancel()
	for !f.done {
		f.read = 0
		if err := r.opt.Log.Read(ctx, r.queue(), f.at.Entry, f.add); err != nil {
			return nil, fmt.Errorf("prepare from entry %d: %w", f.at.Entry, err)
		}
		if f.read == 0 {
			return nil, fmt.Errorf("%w: nothing at entry %d", errShort, f.at.Entry)
		}
		if err := f.relieve(ctx); err != nil {
			return nil, err
		}
	}
	f.m.To = f.at
	r.held.shrink(f.heldBytes())
	return f.m, nil
}

// estimate bounds the memory that the plan takes: all it encodes, if that is little, or
// one part being filled and one on its way.
func (f *filler) estimate() int64 {
	pending := f.plan.Upto.Before.Sub(f.at.Before)
	raw := int64(min(pending.Bytes, f.plan.Limit*uint64(f.plan.Objects)))
	if f.t.format.Delimited {
		raw += int64(pending.Records)
	}
	if c := f.m.Format.Conversion; c != nil {
		// Values in columns and pages beside the file that they become, and what does not fit.
		most := 2*f.r.opt.PartBytes + slackBytes + 2*c.MemoryBytes
		misfits := min(2*raw+misfitBytes*int64(pending.Records), 2*maxMisfitBytes)
		return min(4*raw+int64(f.plan.Objects)*chunkBytes+1<<20, most) + misfits + c.LeastBytes
	}
	return min(raw+raw/32+int64(f.plan.Objects+1)*chunkBytes+32<<10, 2*f.r.opt.PartBytes+slackBytes)
}

// add encodes the entry into the plan's objects, until the plan is full.
func (f *filler) add(e *record.Entry) error {
	f.read++
	if e.Sequence >= f.plan.Upto.Entry {
		return f.finishPlan()
	}
	if e.Missing > 0 {
		f.m.Lost = f.m.Lost.Add(e.After().Before.Sub(f.at.Before))
		f.at = e.After()
		return f.next()
	}
	from := uint32(0)
	if e.Sequence == f.at.Entry {
		from = f.at.Index
	}
	if f.cur == nil {
		f.open(time.UnixMilli(e.Arrival))
	}
	to, full := f.cur.cut.Take(e.Lengths, from)
	to, tooMany, err := f.encode(e, from, to)
	if err != nil {
		return err
	}
	f.advance(e, from, to)
	if full || tooMany {
		f.done = f.done || tooMany
		return f.closeObject()
	}
	return f.next()
}

// encode adds the records from to to-1 of e to the object, or those before there were too many
// that do not fit: then the plan must end behind the one that it returns.
func (f *filler) encode(e *record.Entry, from, to uint32) (added uint32, tooMany bool, err error) {
	if to == from {
		return to, false, nil
	}
	if err := f.cur.enc.Add(e, from, to); err != nil {
		return from, false, fmt.Errorf("encode: %w", err)
	}
	c, ok := f.cur.enc.(record.Converter)
	if !ok {
		return to, false, nil
	}
	tooMany, err = f.takeMisfits(c)
	return c.Added(), tooMany || c.Added() < to, err
}

// advance moves behind the records from to to-1 of e.
func (f *filler) advance(e *record.Entry, from, to uint32) {
	n := e.Range(from, to)
	f.cur.item.Held = f.cur.item.Held.Add(n)
	f.at = record.Mark{Position: record.Position{Entry: e.Sequence, Index: to}, Before: f.at.Before.Add(n)}
	if int(to) == len(e.Lengths) {
		f.at = e.After()
	}
}

// next goes on reading, or stops at the plan's end, or when a part is full.
func (f *filler) next() error {
	if f.at.Entry >= f.plan.Upto.Entry {
		return f.finishPlan()
	}
	if f.cur != nil && f.cur.sink.Size() >= f.r.opt.PartBytes {
		return record.ErrStop
	}
	return nil
}

func (f *filler) open(oldest time.Time) {
	o := f.t.object(f.plan.Nonce, len(f.m.Objects), oldest, f.r.prefix())
	s := &sink{&buffer{memory: f.r.opt.Memory}}
	f.cur = &filling{
		item: preparedItem{Object: o, From: f.at},
		enc:  f.enc.NewEncoder(s),
		cut:  batch.NewCutter(f.plan.Limit),
		sink: s,
	}
}

// finishPlan ends the last object.
func (f *filler) finishPlan() error {
	f.done = true
	if f.cur == nil {
		return record.ErrStop
	}
	return f.closeObject()
}

func (f *filler) closeObject() error {
	f.cur.item.To = f.at
	f.cur.closed = true
	if c, ok := f.cur.enc.(record.Converter); ok && c.Rows() == 0 {
		f.cur.empty = true
		c.Abandon()
		return record.ErrStop
	}
	if err := f.cur.enc.Close(); err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	return record.ErrStop
}

// relieve ships what has gathered, and puts a closed object into the manifest.
func (f *filler) relieve(ctx context.Context) error {
	c := f.cur
	if c == nil {
		return nil
	}
	large := c.item.Upload != "" && c.sink.Size() > 0 || c.sink.Size() > f.r.opt.PartBytes+slackBytes
	if !c.closed && c.sink.Size() >= f.r.opt.PartBytes || c.closed && large {
		if err := f.ship(ctx); err != nil {
			return err
		}
	}
	if !c.closed {
		return nil
	}
	for f.inFlight > 0 {
		if err := f.collect(); err != nil {
			return err
		}
	}
	f.seal()
	return nil
}

// seal moves the finished object into the manifest. An object of empty records only is
// no object (spec firehose.md section 3.1); its records count as delivered.
func (f *filler) seal() {
	c := f.cur
	f.cur = nil
	switch {
	case c.item.Upload != "":
		slices.SortFunc(c.item.Parts, func(a, b record.Part) int { return int(a.Number - b.Number) })
		f.r.bodies = append(f.r.bodies, nil)
		f.m.Objects = append(f.m.Objects, c.item)
	case c.item.Held.Bytes == 0 || c.empty:
		c.sink.free()
	default:
		c.item.Size = c.sink.Size()
		f.r.bodies = append(f.r.bodies, c.sink.buffer)
		f.m.Objects = append(f.m.Objects, c.item)
	}
	if len(f.m.Objects) >= f.plan.Objects || !f.roomForMore() {
		f.done = true
	}
}

// roomForMore reports whether another object surely fits into the plan's memory.
func (f *filler) roomForMore() bool {
	need := min(int64(f.plan.Limit+f.plan.Limit/32)+2*chunkBytes, f.r.opt.PartBytes+slackBytes)
	return f.heldBytes()+need <= f.r.held.bytes || f.r.held.extend(need)
}

func (f *filler) heldBytes() int64 {
	n := f.inBytes
	for _, b := range f.r.bodies {
		if b != nil {
			n += b.held()
		}
	}
	if f.cur != nil {
		n += f.cur.sink.held()
	}
	return n
}

// ship sends the gathered bytes off as the next part and makes sure that there is memory
// to go on: more of it if some is free, else that of a part that has arrived.
func (f *filler) ship(ctx context.Context) error {
	c := f.cur
	if c.item.Upload == "" {
		if err := f.begin(ctx); err != nil {
			return err
		}
	}
	c.number++
	buf, number, o, upload := c.sink.buffer, c.number, c.item.Object, c.item.Upload
	c.item.Size += buf.Size()
	f.inFlight++
	f.inBytes += buf.held()
	go func() {
		res := partResult{buf: buf}
		res.err = f.r.insist(ctx, buf.Size(), func(ctx context.Context) (err error) {
			res.part, err = f.r.opt.Destination.Part(ctx, o, upload, number, buf)
			return err
		})
		f.results <- res
	}()
	c.sink.buffer = &buffer{memory: f.r.opt.Memory}
	for f.inFlight > 0 && f.heldBytes()+f.r.opt.PartBytes+slackBytes > f.r.held.bytes && !f.r.held.extend(f.r.opt.PartBytes) {
		if err := f.collect(); err != nil {
			return err
		}
	}
	return nil
}

// begin stores the object's name and then begins its upload, so that whatever happens
// somebody knows that there may be one.
func (f *filler) begin(ctx context.Context) error {
	c, r := f.cur, f.r
	next := r.state.progress
	known := *next.Plan
	known.Begun = append(slices.Clip(known.Begun), c.item.Object)
	next.Plan = &known
	if err := r.state.save(ctx, r.opt.Log, next); err != nil {
		return err
	}
	f.plan = r.state.Plan
	err := r.insist(ctx, 0, func(ctx context.Context) error {
		id, err := r.opt.Destination.Begin(ctx, c.item.Object)
		if err != nil && !hopeless(err) {
			r.suspect = true
		}
		c.item.Upload = id
		return err
	})
	if err != nil {
		return fmt.Errorf("begin upload of %s: %w", c.item.Key, err)
	}
	return nil
}

// collect takes in one part that has arrived.
func (f *filler) collect() error {
	res := <-f.results
	f.inFlight--
	f.inBytes -= res.buf.held()
	res.buf.free()
	if res.err != nil {
		return fmt.Errorf("upload a part of %s: %w", f.cur.item.Key, res.err)
	}
	f.cur.item.Parts = append(f.cur.item.Parts, res.part)
	return nil
}

// end frees what an unfinished plan still holds. The uploads have been cancelled.
func (f *filler) end() {
	for f.inFlight > 0 {
		_ = f.collect() // its error came first or no longer matters: the plan has failed
	}
	if f.cur != nil {
		if !f.cur.closed {
			f.cur.enc.Abandon()
		}
		f.cur.sink.free()
	}
}

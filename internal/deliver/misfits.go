package deliver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"hydrant/internal/record"
)

// Where records become rows (spec firehose.md section 6), some do not fit. Their failure
// records are stored in the commit of their plan, so each is written once; what a plan may
// gather of them is bounded, and it ends where the bound is reached. A runner that finds a
// manifest of a former life reads its records again to know them: the manifest says what they
// were read with.

// maxMisfitBytes is how many bytes of failure records end a plan, and misfitBytes about what
// one takes beside its document.
const (
	maxMisfitBytes = 4 << 20
	misfitBytes    = 512
)

// misfits are the failure records of a plan.
type misfits struct {
	record.Batch
	arrival time.Time           // of the oldest
	kinds   []*record.Complaint // the first of each code
}

// add adds those of the encoder's last Add.
func (m *misfits) add(list []record.Misfit, table *record.CatalogTable, now time.Time) error {
	for i := range list {
		one := &list[i]
		f := record.Failure{
			Output: record.Unconverted, Code: one.Code, Message: one.Message, Attempts: 1, Ended: now, Table: table,
			Sequence: sequenceNumber(one.Position), Part: one.Part,
		}
		m.note(one)
		before := len(m.Data)
		var err error
		if m.Data, err = f.AppendLine(m.Data, one.Document, one.Arrival); err != nil {
			return fmt.Errorf("write a failure record: %w", err)
		}
		m.Lengths = append(m.Lengths, uint32(len(m.Data)-before))
		if m.arrival.IsZero() || one.Arrival.Before(m.arrival) {
			m.arrival = one.Arrival
		}
	}
	return nil
}

// note remembers the first misfit of each code, for the error log.
func (m *misfits) note(one *record.Misfit) {
	for _, k := range m.kinds {
		if k.Code == one.Code {
			return
		}
	}
	m.kinds = append(m.kinds, &record.Complaint{Code: one.Code, Message: one.Message, Err: errors.New(one.Message)})
}

// tellMisfits tells of what did not fit, when it is stored.
func (r *runner) tellMisfits() {
	if r.misfits == nil || r.opt.OnFailure == nil {
		return
	}
	for _, k := range r.misfits.kinds {
		r.opt.OnFailure(r.target.Load().def, record.Unconverted, k)
	}
}

// sequenceNumber is a number for a record that grows along its queue, like those of AWS.
func sequenceNumber(p record.Position) string {
	return strconv.FormatUint(p.Entry<<16|uint64(p.Index&0xffff), 10)
}

// convert makes the plan's objects ones of rows, if the stream converts.
func (f *filler) convert(ctx context.Context) error {
	if !f.t.converts {
		return nil
	}
	c, err := f.r.opt.Conversion(ctx, f.t.def)
	if err != nil {
		if c = f.r.refused(err, c); c == nil {
			return fmt.Errorf("convert records of stream %s: %w", f.t.def.Name, err)
		}
	} else {
		f.r.noTable = time.Time{}
	}
	f.m.Format.Conversion = c
	f.enc, err = f.r.opt.Encodings.Encoding(f.m.Format)
	f.r.misfits = new(misfits)
	return err
}

// tableRetries is how long a stream waits for its table, as long as Firehose retains what it
// cannot deliver. Then records fail (spec section 6.6, Rule).
const tableRetries = 24 * time.Hour

// refused is the conversion of a stream that has waited too long for its table, which is
// refused to it; nil while it waits.
func (r *runner) refused(err error, known *Conversion) *Conversion {
	var told *record.Complaint
	if !errors.As(err, &told) {
		return nil // the catalogue does not answer
	}
	now := r.opt.Now()
	if r.noTable.IsZero() || r.noTable.After(now) {
		r.noTable = now
	}
	if now.Sub(r.noTable) < tableRetries {
		return nil
	}
	c := *known
	c.Refused = &Refusal{told.Code, told.Message}
	return &c
}

// takeMisfits takes in what the converter's last Add left over. It reports whether there are so
// many that the plan must end.
func (f *filler) takeMisfits(c record.Converter) (tooMany bool, err error) {
	list, none := c.Misfits()
	f.m.Misfits += len(list)
	f.m.Unconverted = f.m.Unconverted.Add(none)
	if err := f.r.misfits.add(list, &f.m.Format.Conversion.Table, f.r.opt.Now()); err != nil {
		return false, err
	}
	return len(f.r.misfits.Data) >= maxMisfitBytes, nil
}

// appendMisfits adds the failure records of the manifest to the write of its commit.
func (r *runner) appendMisfits(ctx context.Context, tx *record.Tx) error {
	m := r.state.Plan.Manifest
	if m.Misfits == 0 {
		return nil
	}
	if r.misfits == nil {
		var err error
		if r.misfits, err = r.readMisfits(ctx, m); err != nil {
			return fmt.Errorf("read the records again that did not fit: %w", err)
		}
	}
	if len(r.misfits.Lengths) == 0 { // damage has taken them
		return nil
	}
	pieces, err := r.opt.Pieces(ctx, r.target.Load().def, r.misfits.Batch)
	if err != nil {
		return err
	}
	q := record.Queue{Stream: r.output.Stream, Output: record.Unconverted, Shard: r.shard()}
	tx.Appends = append(tx.Appends, record.Append{Queue: q, Arrival: r.misfits.arrival, Pieces: pieces})
	tx.Moves = true // they lie here already
	return nil
}

// shard is the one that the output's records came by.
func (r *runner) shard() uint32 {
	if r.part == nil {
		return r.output.Shard
	}
	shard, _ := r.output.Partitioned()
	return shard
}

// readMisfits reads the records of a manifest once more, and writes nothing but failure
// records.
func (r *runner) readMisfits(ctx context.Context, m *manifest) (*misfits, error) {
	encoding, err := r.opt.Encodings.Encoding(m.Format)
	if err != nil {
		return nil, err
	}
	c := m.Format.Conversion
	held, err := r.opt.Memory.reserve(ctx, r.opt.PartBytes+2*maxMisfitBytes+c.MemoryBytes+c.LeastBytes)
	if err != nil {
		return nil, err
	}
	defer held.release()
	all := new(misfits)
	enc := encoding.NewEncoder(io.Discard)
	defer enc.Abandon()
	whole := preparedItem{From: r.state.Checkpoint, To: m.To}
	err = r.readRange(ctx, &whole, func(e *record.Entry, from, to uint32) error {
		return addAll(enc, e, from, to, func(enc record.Converter) error {
			list, _ := enc.Misfits()
			return all.add(list, &c.Table, r.opt.Now())
		})
	})
	return all, err
}

// addAll adds the records from to to-1 of e, and has took take what does not fit, as often as
// the encoder asks for it.
func addAll(enc Encoder, e *record.Entry, from, to uint32, took func(record.Converter) error) error {
	for from < to {
		if err := enc.Add(e, from, to); err != nil {
			return err
		}
		c, ok := enc.(record.Converter)
		if !ok {
			return nil
		}
		if err := took(c); err != nil {
			return err
		}
		from = c.Added()
	}
	return nil
}

package deliver

import (
	"context"
	"fmt"
	"time"

	"hydrant/internal/record"
	"hydrant/internal/stream"
)

// Stage processes the records of streams that have processors: it reads their ingest log
// and writes what comes of it into their outputs. Delivery knows it by these calls, which
// never wait for it.
type Stage interface {
	// Begin returns the write that makes the processing of q begin at a mark. Began is told
	// when it is stored, and must have joined the readers of q when it returns.
	Begin(q record.Queue, at record.Mark) (record.StateWrite, error)
	Began(q record.Queue, at record.Mark)
	// Account says how far the processing of q is; false if it has not begun.
	Account(q record.Queue) (Account, bool)
	// Waiting says what of q is not processed yet, and why.
	Waiting(ctx context.Context, q record.Queue) Waiting
	// Flush makes what lies in q before a mark be processed at once.
	Flush(q record.Queue, upto record.Mark)
	// Forget returns the writes that remove all that is kept of q's processing, which has
	// ended.
	Forget(q record.Queue) []record.StateWrite
}

// Account is how far the processing of a queue is. The marks and counts are of one moment:
// what lies between Began and Checkpoint is Taken, Dropped or Failed.
type Account struct {
	Began      record.Mark   // where it began
	Checkpoint record.Mark   // everything before it is processed for good
	Taken      record.Counts // source records that something came of
	Made       record.Counts // what came of them
	Dropped    record.Counts // source records that the processors dropped
	Failed     record.Counts // source records that went to an error output or were unreadable
}

// Waiting is what of a queue is not processed for good yet, and what keeps it from that.
type Waiting struct {
	Oldest    time.Time // arrival of its first record; zero: there is none, or it cannot be told
	Fails     int       // what failed in a row
	LastError string    // of the last of them; empty while all is well
}

// processes reports whether a stream's records are processed before they are delivered. An
// LF between the records of an object is for the encoding to put there.
func processes(d *stream.Definition) bool {
	if !d.S3.Processes() {
		return false
	}
	for i := range d.S3.Processing.Processors {
		if d.S3.Processing.Processors[i].Type != stream.DelimiterProcessor {
			return true
		}
	}
	return false
}

// ingestLog is where the stream's records lie as they came.
func (r *runner) ingestLog() record.Queue {
	q := r.output
	q.Output = record.Data
	return q
}

// handOver makes the records behind the checkpoint those of the stage. From here on the
// data is what the stage makes of them, for good: a stream whose processors are switched off
// still has its records pass through.
func (r *runner) handOver(ctx context.Context) error {
	q := r.ingestLog()
	processed := q
	processed.Output = record.Processed
	head, err := r.opt.Log.Head(ctx, processed)
	if err != nil {
		return err
	}
	at := r.state.Checkpoint
	begin, err := r.opt.Stage.Begin(q, at)
	if err != nil {
		return fmt.Errorf("begin to process %s: %w", q, err)
	}
	next := r.state.progress
	next.Staged, next.Checkpoint = true, head
	if err := r.state.saveWith(ctx, r.opt.Log, next, &record.Tx{States: []record.StateWrite{begin}}); err != nil {
		return err
	}
	r.opt.Stage.Began(q, at)
	if f := r.flush.Load(); f != nil {
		r.flush.CompareAndSwap(f, &flush{upto: f.upto, staged: true})
		r.opt.Stage.Flush(q, f.upto)
	}
	former := r.reader()
	r.from.Store(r.sources(processed).join(r.nudge))
	r.reader().Pass(head, nil)
	r.looked = true // nothing lies there yet
	former.Leave()
	r.publish(nil)
	r.log.Info("records are processed from here on", "entry", at.Entry)
	return nil
}

// sight is when a runner saw that its queue had grown to a mark.
type sight struct {
	upto record.Mark
	at   time.Time
}

// sights that follow each other so closely are one.
const sightEvery = 250 * time.Millisecond

// entered is when the first record behind from came into the output's buffer, by which its
// age goes: when it arrived or, if it comes from the stage, when that had made it (spec
// firehose.md section 3.1). The stage's queues keep the arrival of the source, for names, so
// the runner remembers when it saw them grow. What lay there when it began goes by its arrival.
func (r *runner) entered(ctx context.Context, from, head record.Mark, now time.Time) (time.Time, error) {
	if q := r.queue(); q.Output == record.Data {
		return r.firstArrival(ctx, from)
	}
	for len(r.seen) > 0 && !from.Less(r.seen[0].upto.Position) {
		r.seen = r.seen[1:]
	}
	switch last := len(r.seen) - 1; {
	case !r.looked:
		r.looked = true
		at, err := r.firstArrival(ctx, from)
		if err != nil {
			return at, err
		}
		r.seen = append(r.seen, sight{head, at})
	case last < 0 || r.seen[last].upto.Less(head.Position) && now.Sub(r.seen[last].at) >= sightEvery:
		r.seen = append(r.seen, sight{head, now})
	case r.seen[last].upto.Less(head.Position):
		r.seen[last].upto = head
	}
	return r.seen[0].at, nil
}

// books is the ledger of a stream's data, from the status of its runner, the account of its
// processing and made, which is all that ever lay in the queue of what was made. They were
// read in this order, so each can only be behind the next. What the stage has made and the
// queue does not hold was lost to damage, and counts as failed.
func (a *Account) books(s *Status, made record.Counts) {
	lost := less(a.Made, made)
	made = a.Made.Sub(lost) // what has been stored since the account was read is for the next time
	lost = record.Counts{Records: min(lost.Records, a.Taken.Records), Bytes: min(lost.Bytes, a.Taken.Bytes)}
	s.Dropped, s.Made = a.Dropped, made
	s.Taken, s.Failed = a.Taken.Sub(lost), s.Failed.Add(a.Failed).Add(lost)
	s.Pending = less(s.Received, a.Checkpoint.Before).Add(less(a.Began.Before.Add(made), s.staged))
}

// less is a - b, but nothing where b is more.
func less(a, b record.Counts) record.Counts {
	return record.Counts{Records: a.Records - min(a.Records, b.Records), Bytes: a.Bytes - min(a.Bytes, b.Bytes)}
}

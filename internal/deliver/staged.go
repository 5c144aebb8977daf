package deliver

import (
	"context"
	"fmt"

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
	former.Leave()
	r.publish(nil)
	r.log.Info("records are processed from here on", "entry", at.Entry)
	return nil
}

// books is the ledger of a stream's data, from the status of its runner and the account of
// its processing. The status was read first, so it can only be behind.
func (a *Account) books(s *Status) {
	s.Failed = s.Failed.Add(a.Failed)
	s.Dropped, s.Taken, s.Made = a.Dropped, a.Taken, a.Made
	s.Pending = s.Received.Sub(a.Checkpoint.Before).Add(a.waiting(s.staged))
}

// waiting is what was made of records and is not delivered yet; done is what the runner has
// passed, before and after processing began.
func (a *Account) waiting(done record.Counts) record.Counts {
	made := a.Began.Before.Add(a.Made)
	if made.Records < done.Records || made.Bytes < done.Bytes {
		return record.Counts{} // the stage has stored more than it has told yet
	}
	return made.Sub(done)
}

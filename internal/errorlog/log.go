package errorlog

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Sink is a log service.
type Sink interface {
	// Put stores events of one log stream, in the order of their times and as many as one
	// PutLogEvents takes. ErrGone: there is no such group or stream.
	Put(ctx context.Context, group, stream string, events []Event) error
}

// ErrGone says that a log group or log stream does not exist. Nothing creates it, as with
// Firehose: it can be created at any time.
var ErrGone = errors.New("no such log group or log stream")

// The limits of what waits and of what is written for one log stream.
const (
	maxWaiting = 4096                   // entries, of all log streams
	burst      = 100                    // entries that are written at once, and then
	every      = 200 * time.Millisecond // one in so long
	maxBatch   = 500                    // entries that are written together
	maxBytes   = 1<<20 - maxBatch*26    // of one Put (spec neighbours.md section 6.3)
	putTime    = 30 * time.Second       // for one Put
	lastTime   = 3 * time.Second        // for all that waits at the end
	puts       = 3                      // tries
	firstWait  = time.Second            // between the first two of them
	warnEvery  = 10 * time.Minute       // about one log stream
)

// Options are what a Log is built from. All are required.
type Options struct {
	Sink   Sink
	Logger *slog.Logger
	Now    func() time.Time
}

// Counts are how many failures were reported of streams with logging enabled, by what
// became of them.
type Counts struct {
	Written uint64
	Sampled uint64 // left out: the log stream had too many
	Lost    uint64 // left out: the log service did not take them, or too many waited
}

// Log writes failures to log streams.
type Log struct {
	opt     Options
	waiting chan item

	mu      sync.Mutex
	samples map[place]*sample

	written, sampled, lost atomic.Uint64
}

// place is a log stream.
type place struct{ group, stream string }

// item is an event on its way.
type item struct {
	place
	Event
}

// New returns a Log. Nothing is written until Run runs.
func New(opt Options) *Log {
	return &Log{opt: opt, waiting: make(chan item, maxWaiting), samples: map[place]*sample{}}
}

// Counts returns what became of the failures since the start.
func (l *Log) Counts() Counts {
	return Counts{Written: l.written.Load(), Sampled: l.sampled.Load(), Lost: l.lost.Load()}
}

// Report takes a failure in, if its stream wants errors logged. It does not wait.
func (l *Log) Report(f Failure) {
	o, destination := f.options()
	if !o.Enabled || o.LogGroupName == nil || o.LogStreamName == nil {
		return
	}
	p := place{*o.LogGroupName, *o.LogStreamName}
	if !l.allow(p) {
		l.sampled.Add(1)
		return
	}
	e, err := f.event(destination)
	if err != nil {
		l.lost.Add(1)
		l.opt.Logger.Error("a delivery error could not be written down", "stream", f.Stream.Name, "error", err)
		return
	}
	select {
	case l.waiting <- item{p, e}:
	default:
		l.lost.Add(1)
	}
}

// Run writes what is reported until ctx ends, and then for a moment what waits still.
func (l *Log) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			l.drain(ctx)
			return nil
		case first := <-l.waiting:
			l.write(ctx, l.gather(first))
		}
	}
}

// drain writes what waits when ctx has ended.
func (l *Log) drain(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastTime)
	defer cancel()
	for {
		select {
		case first := <-l.waiting:
			l.write(ctx, l.gather(first))
		default:
			return
		}
	}
}

// write writes a batch, in order and in puts that a service takes.
func (l *Log) write(ctx context.Context, batch map[place][]Event) {
	for p, events := range batch {
		slices.SortStableFunc(events, func(a, b Event) int { return a.Time.Compare(b.Time) })
		for len(events) > 0 {
			n := fitting(events)
			l.put(ctx, p, events[:n])
			events = events[n:]
		}
	}
}

// gather takes what else waits, up to a batch, by log stream.
func (l *Log) gather(first item) map[place][]Event {
	batch := map[place][]Event{first.place: {first.Event}}
	for range maxBatch - 1 {
		select {
		case i := <-l.waiting:
			batch[i.place] = append(batch[i.place], i.Event)
		default:
			return batch
		}
	}
	return batch
}

// fitting is how many of the events one Put takes; each is far smaller than that.
func fitting(events []Event) int {
	size := 0
	for i := range events {
		if size += len(events[i].Message); size > maxBytes {
			return i
		}
	}
	return len(events)
}

// put writes the events of one log stream, or loses them after some tries.
func (l *Log) put(ctx context.Context, p place, events []Event) {
	wait := firstWait
	for n := 1; ; n++ {
		err := l.try(ctx, p, events)
		switch {
		case err == nil:
			l.written.Add(uint64(len(events)))
			return
		case errors.Is(err, ErrGone), n == puts, ctx.Err() != nil:
			l.lost.Add(uint64(len(events)))
			l.warn(p, err)
			return
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
		wait *= 4
	}
}

func (l *Log) try(ctx context.Context, p place, events []Event) error {
	ctx, cancel := context.WithTimeout(ctx, putTime)
	defer cancel()
	return l.opt.Sink.Put(ctx, p.group, p.stream, events)
}

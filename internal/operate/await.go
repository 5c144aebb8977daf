package operate

import (
	"context"
	"fmt"
	"strings"
	"time"

	"hydrant/internal/record"
)

// poll is how often a node is asked how far a flush is.
const poll = 100 * time.Millisecond

// Progress is how far a flush is. Outputs with nothing to do are left out.
type Progress struct {
	Outputs   []OutputProgress `json:"outputs"`
	LastError string           `json:"lastError,omitzero"` // of the delivery that is tried again
}

// OutputProgress is how far a flush is in one output, all shards together.
type OutputProgress struct {
	Output string        `json:"output"`
	Done   record.Counts `json:"done"`
	Total  record.Counts `json:"total"`
}

// Total is all that is to be done.
func (p Progress) Total() (sum record.Counts) {
	for _, o := range p.Outputs {
		sum = sum.Add(o.Total)
	}
	return sum
}

// Fraction is how much is done, from 0 to 1. A flush of nothing is done.
func (p Progress) Fraction() float64 {
	var done record.Counts
	for _, o := range p.Outputs {
		done = done.Add(o.Done)
	}
	total := p.Total()
	switch {
	case total.Bytes > 0:
		return float64(done.Bytes) / float64(total.Bytes)
	case total.Records > 0: // empty ones
		return float64(done.Records) / float64(total.Records)
	}
	return 1
}

// String tells how far it is, with the output where there is more than one.
func (p Progress) String() string {
	parts := make([]string, len(p.Outputs))
	for i, o := range p.Outputs {
		parts[i] = fmt.Sprintf("%s of %s (%s)", thousands(o.Done.Records), counted(o.Total.Records, "record"), size(o.Total.Bytes))
		if len(p.Outputs) > 1 {
			parts[i] = o.Output + " " + parts[i]
		}
	}
	return strings.Join(parts, ", ")
}

// Whole is all of it in words, with the output where there is more than one.
func (p Progress) Whole() string {
	parts := make([]string, len(p.Outputs))
	for i, o := range p.Outputs {
		parts[i] = Figures(o.Total)
		if len(p.Outputs) > 1 {
			parts[i] = o.Output + " " + parts[i]
		}
	}
	return strings.Join(parts, "; ")
}

// Begun is the progress of an order of which nothing is done.
func (o Order) Begun() Progress {
	p, _ := o.progress(nil)
	return p
}

// progress compares an order with how far the outputs are.
func (o Order) progress(reached []Reach) (p Progress, done bool) {
	type place struct {
		output string
		shard  uint32
	}
	at := map[place]record.Counts{}
	for _, r := range reached {
		at[place{r.Output, r.Shard}] = r.Before
	}
	done = true
	index := map[string]int{}
	for _, t := range o.Targets {
		total := gap(t.From, t.Until)
		if total == (record.Counts{}) {
			continue
		}
		left := gap(at[place{t.Output, t.Shard}], t.Until)
		left = record.Counts{Records: min(left.Records, total.Records), Bytes: min(left.Bytes, total.Bytes)}
		done = done && left.Records == 0
		i, known := index[t.Output]
		if !known {
			i = len(p.Outputs)
			index[t.Output] = i
			p.Outputs = append(p.Outputs, OutputProgress{Output: t.Output})
		}
		p.Outputs[i].Total = p.Outputs[i].Total.Add(total)
		p.Outputs[i].Done = p.Outputs[i].Done.Add(total.Sub(left))
	}
	return p, done
}

// gap is what lies between two counts; nothing if the first is not less.
func gap(from, until record.Counts) record.Counts {
	return record.Counts{Records: until.Records - min(from.Records, until.Records), Bytes: until.Bytes - min(from.Bytes, until.Bytes)}
}

// Await waits until an order is done, and calls show with each look at it. It returns the
// last progress also with an error: ErrPaused if the stream was paused meanwhile, ErrNoStream
// if it was deleted, that of ctx, those of the connection.
func (c *Client) Await(ctx context.Context, o Order, show func(Progress)) (Progress, error) {
	tick := time.NewTicker(poll)
	defer tick.Stop()
	last := o.Begun()
	for {
		s, err := c.Stream(ctx, o.Stream)
		if err != nil {
			return last, err
		}
		if s.ID != o.ID {
			return last, fmt.Errorf("stream %s was deleted and made again: %w", o.Stream, ErrNoStream)
		}
		p, done := o.progress(s.Done)
		p.LastError = s.LastError
		last = p
		show(p)
		if done {
			return p, nil
		}
		if s.Paused {
			return p, fmt.Errorf("stream %s was paused meanwhile: %w", o.Stream, ErrPaused)
		}
		select {
		case <-ctx.Done():
			return p, ctx.Err()
		case <-tick.C:
		}
	}
}

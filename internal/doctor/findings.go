package doctor

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"hydrant/internal/deliver"
	"hydrant/internal/record"
	"hydrant/internal/registry"
	"hydrant/internal/stage"
	"hydrant/internal/stream"
)

// definitionPrefix begins the state keys of definitions; the registry checks what follows.
const definitionPrefix = "stream/"

// findings gathers what an examination comes by.
type findings struct {
	report   *Report
	streams  []*stream.Definition
	progress map[record.Queue]progress
	staged   map[record.Queue]record.Mark // up to where the stage has processed an ingest log
	queues   []Queue                      // by stream, output and shard
	oldest   oldest
}

func newFindings(r *Report) *findings {
	r.Damage, r.Streams, r.States = []Damage{}, []Stream{}, []State{}
	return &findings{report: r, progress: map[record.Queue]progress{}, staged: map[record.Queue]record.Mark{}}
}

// progress is what the doctor reads of an output's state, which belongs to deliver.
type progress struct {
	Checkpoint record.Mark   `json:"checkpoint"`
	Delivered  record.Counts `json:"delivered"`
	Staged     bool          `json:"staged"` // the records come from the stage
	Plan       *struct {
		Version  int             `json:"version"`
		Made     time.Time       `json:"made"`
		Begun    []record.Object `json:"begun"`
		Manifest *struct {
			Objects []record.Object `json:"objects"`
		} `json:"manifest"`
	} `json:"plan"`
}

func (p *progress) plan() *Plan {
	if p.Plan == nil {
		return nil
	}
	shown := &Plan{Version: p.Plan.Version, Made: p.Plan.Made, Uploads: len(p.Plan.Begun)}
	if p.Plan.Manifest != nil {
		shown.Prepared = len(p.Plan.Manifest.Objects)
	}
	return shown
}

// state takes in a state. A value that its room would not understand is noted.
func (f *findings) state(ctx context.Context, s record.State) error {
	f.report.States = append(f.report.States, State{s.Key, s.Version, len(s.Value)})
	var err error
	switch {
	case strings.HasPrefix(s.Key, definitionPrefix):
		err = f.definition(ctx, s)
	case strings.HasPrefix(s.Key, deliver.ProgressPrefix):
		err = f.output(s)
	case strings.HasPrefix(s.Key, stage.StatePrefix):
		err = f.account(s)
	case strings.HasPrefix(s.Key, deliver.LedgerPrefix):
		err = json.Unmarshal(s.Value, new(deliver.Ledger))
	}
	if err != nil {
		f.unreadable(s.Key, err)
	}
	return nil
}

func (f *findings) unreadable(key string, err error) {
	if f.report.Unreadable == nil {
		f.report.Unreadable = map[string]string{}
	}
	f.report.Unreadable[key] = err.Error()
}

// definition reads a stream's definition as the registry does when a node starts.
func (f *findings) definition(ctx context.Context, s record.State) error {
	r, err := registry.Open(ctx, single(s), registry.Options{})
	if err != nil {
		return err
	}
	f.streams = append(f.streams, r.All()...)
	return nil
}

// output reads how far an output is.
func (f *findings) output(s record.State) error {
	q, err := parseQueue(strings.TrimPrefix(s.Key, deliver.ProgressPrefix))
	if err != nil {
		return err
	}
	var p progress
	if err := json.Unmarshal(s.Value, &p); err != nil {
		return err
	}
	f.progress[q] = p
	return nil
}

// account reads how far the processing of an ingest log is.
func (f *findings) account(s record.State) error {
	q, err := parseQueue(strings.TrimPrefix(s.Key, stage.StatePrefix))
	if err != nil {
		return err
	}
	var a stage.Account
	if err := json.Unmarshal(s.Value, &a); err != nil {
		return err
	}
	f.staged[q] = a.Checkpoint
	return nil
}

// reader is how far whoever reads a queue is: where records are processed, the stage reads
// the ingest log, and the output of the data reads what it made.
func (f *findings) reader(q record.Queue) (p progress, begun bool) {
	if at, ok := f.staged[q]; ok {
		return progress{Checkpoint: at}, true
	}
	if q.Output == record.Processed {
		q.Output = record.Data
	}
	p, begun = f.progress[q]
	return p, begun
}

// parseQueue reads what Queue.String wrote.
func parseQueue(name string) (q record.Queue, err error) {
	parts := strings.Split(name, "/")
	if len(parts) != 3 {
		return q, fmt.Errorf("%q does not name a queue", name)
	}
	if q.Stream, err = record.ParseStreamID(parts[0]); err != nil {
		return q, err
	}
	output, err := strconv.ParseUint(parts[1], 10, 16)
	if err != nil {
		return q, fmt.Errorf("output of queue %q: %w", name, err)
	}
	shard, err := strconv.ParseUint(parts[2], 10, 32)
	if err != nil {
		return q, fmt.Errorf("shard of queue %q: %w", name, err)
	}
	q.Output, q.Shard = record.Output(output), uint32(shard)
	return q, nil
}

// single is a log that holds one state.
type single record.State

// Apply implements registry.Log. Nothing is ever applied.
func (single) Apply(context.Context, *record.Tx) error { return record.ErrClosed }

// State implements registry.Log.
func (s single) State(context.Context, string) (record.State, error) { return record.State(s), nil }

// States implements registry.Log.
func (s single) States(_ context.Context, _ string, fn func(record.State) error) error {
	return fn(record.State(s))
}

// finish puts everything in its place in the report.
func (f *findings) finish() {
	places := map[record.StreamID]int{}
	slices.SortFunc(f.streams, func(a, b *stream.Definition) int { return strings.Compare(a.Name, b.Name) })
	for i, d := range f.streams {
		places[d.ID] = i
		s := Stream{Name: d.Name, ID: d.ID, Status: d.Status, Version: d.Version, Queues: []Queue{}}
		if d.S3 != nil {
			s.Bucket = d.S3.BucketARN
		}
		f.report.Streams = append(f.report.Streams, s)
	}
	for _, q := range f.queues {
		if i, ok := places[q.Stream]; ok {
			f.report.Streams[i].Queues = append(f.report.Streams[i].Queues, q)
		} else {
			f.report.Strays = append(f.report.Strays, q)
		}
	}
}

package operate

import (
	"fmt"
	"strings"
	"time"

	"hydrant/internal/record"
	"hydrant/internal/stream"
)

// Stream is what is known of a stream and its delivery.
type Stream struct {
	Name    string        `json:"name"`
	ID      string        `json:"id"` // of this incarnation; a stream made again has another one
	ARN     string        `json:"arn"`
	Status  stream.Status `json:"status"`
	Failure string        `json:"failure,omitzero"` // why it could not be made or deleted
	Version int           `json:"version"`
	Paused  bool          `json:"paused"`

	Data     Output  `json:"data"`
	Backup   *Output `json:"backup,omitzero"`   // of the source records, if there ever were any
	Failures *Output `json:"failures,omitzero"` // of the failure records, if there ever were any

	Fails     int    `json:"failuresInARow"`
	LastError string `json:"lastError,omitzero"` // of the last attempt; empty while all is well

	Done []Reach `json:"done,omitzero"` // how far each output is

	Partitions *int `json:"partitions,omitzero"` // open, or not delivered yet, of a partitioned stream
}

// Output is how far the delivery of an output is.
type Output struct {
	Pending     record.Counts `json:"pending"` // accepted and not delivered: the backlog
	Oldest      time.Time     `json:"oldest,omitzero"`
	AgeSeconds  float64       `json:"ageSeconds"` // of the oldest pending record; 0: there is none
	Delivered   record.Counts `json:"delivered"`
	Objects     uint64        `json:"objects"`
	ObjectBytes uint64        `json:"objectBytes"` // as stored
}

// Age is how long the oldest pending record has waited.
func (o Output) Age() time.Duration { return time.Duration(o.AgeSeconds * float64(time.Second)) }

// Reach is a place in one output: all before it that there had ever been for it.
type Reach struct {
	Output string        `json:"output"`
	Shard  uint32        `json:"shard"`
	Before record.Counts `json:"before"`
}

// Target is how far a flush reaches in one output. The output is done with it when its Reach
// is as far.
type Target struct {
	Output string        `json:"output"`
	Shard  uint32        `json:"shard"`
	From   record.Counts `json:"from"`  // done when the order was given
	Until  record.Counts `json:"until"` // to be done
}

// Order is a flush that was begun.
type Order struct {
	Stream  string   `json:"stream"`
	ID      string   `json:"id"` // of the incarnation
	Targets []Target `json:"targets"`
}

// outputName is an output in the words of the API.
func outputName(o record.Output) string {
	switch o {
	case record.Data:
		return "data"
	case record.Backup:
		return "backup"
	case record.ProcessingFailed:
		return "processing-failed"
	case record.Undecompressed:
		return "decompression-failed"
	case record.Unconverted:
		return "format-conversion-failed"
	}
	return fmt.Sprint(uint16(o))
}

// show makes a Stream of what is known at a moment.
func show(d *stream.Definition, s Status, now time.Time) Stream {
	shown := Stream{
		Name: d.Name, ID: d.ID.String(), ARN: d.ARN, Status: d.Status, Version: d.Version, Paused: d.Paused,
		Data: showAccount(s.Data, now), Fails: s.Fails, LastError: shorten(s.LastError),
	}
	if d.Failure != nil {
		shown.Failure = shorten(d.Failure.Error())
	}
	shown.Partitions = s.Partitions
	shown.Backup, shown.Failures = showOther(s.Backup, now), showOther(s.Failures, now)
	for _, m := range s.Done {
		shown.Done = append(shown.Done, Reach{outputName(m.Queue.Output), m.Queue.Shard, m.Before})
	}
	return shown
}

func showAccount(a Account, now time.Time) Output {
	o := Output{Pending: a.Pending, Oldest: a.Oldest, Delivered: a.Delivered, Objects: a.Objects, ObjectBytes: a.Bytes}
	if !a.Oldest.IsZero() {
		o.AgeSeconds = max(now.Sub(a.Oldest), 0).Seconds()
	}
	return o
}

// showOther shows an output that few streams have.
func showOther(a Account, now time.Time) *Output {
	if a == (Account{}) {
		return nil
	}
	o := showAccount(a, now)
	return &o
}

// maxError bounds what is told of an error: a page of streams has one for each of them.
const maxError = 1024

// shorten makes a text valid UTF-8 of at most maxError bytes.
func shorten(text string) string {
	if len(text) > maxError {
		text = text[:maxError] + "…"
	}
	return strings.ToValidUTF8(text, "")
}

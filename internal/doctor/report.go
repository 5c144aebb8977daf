package doctor

import (
	"time"

	"hydrant/internal/record"
	"hydrant/internal/stream"
)

// Report is what a data directory holds.
type Report struct {
	Data    string `json:"data"`
	Healthy bool   `json:"healthy"` // nothing is damaged or lost
	// Repaired lists the damage that this run found and treated.
	Repaired []Damage `json:"repaired,omitzero"`
	// Damage is what a repair, or the next start of a node, would treat.
	Damage []Damage `json:"damage"`
	// Unreadable says which state values cannot be understood, by key.
	Unreadable map[string]string `json:"unreadable,omitzero"`

	JournalBytes uint64   `json:"journalBytes"` // size of the journal's files
	Streams      []Stream `json:"streams"`
	Strays       []Queue  `json:"strays,omitzero"`
	States       []State  `json:"states"`
	Buckets      []Bucket `json:"buckets"`
	SetAside     []File   `json:"setAside,omitzero"`
}

// Damage is a damaged file, or part of one, as journal.Damage has it.
type Damage struct {
	File     string `json:"file"`              // relative to the journal's folder
	Copy     string `json:"copy,omitzero"`     // where the damaged file was set aside
	Reason   string `json:"reason"`            // what was found
	Salvaged int    `json:"salvaged,omitzero"` // batches behind it that were brought back
}

// Stream is a stream and its queues.
type Stream struct {
	Name    string          `json:"name"`
	ID      record.StreamID `json:"id"`
	Status  stream.Status   `json:"status"`
	Version int             `json:"version"`
	Bucket  string          `json:"bucket"` // ARN of where it delivers
	Queues  []Queue         `json:"queues"`
}

// Queue is one log of entries.
type Queue struct {
	Stream record.StreamID `json:"-"`
	Output record.Output   `json:"output"`
	Shard  uint32          `json:"shard"`
	Name   string          `json:"name"` // STREAMID/output/shard
	// First is the sequence of the first entry that is kept, Next that of the next entry to
	// come. They are equal when nothing is kept.
	First uint64 `json:"first"`
	Next  uint64 `json:"next"`
	// Received is all that was ever appended, Kept what of it is in the journal.
	Received record.Counts `json:"received"`
	Kept     record.Counts `json:"kept"`
	// StoredBytes is what is kept takes, as stored (usually compressed).
	StoredBytes uint64 `json:"storedBytes"`

	// Checkpoint is the place up to which everything is delivered for good; Pending is what
	// lies behind it, and Oldest when the first of that arrived.
	Checkpoint record.Position `json:"checkpoint"`
	Delivered  record.Counts   `json:"delivered"`
	Pending    record.Counts   `json:"pending"`
	Oldest     *time.Time      `json:"oldest,omitzero"`
	Plan       *Plan           `json:"plan,omitzero"`
	// Missing are the entries that cannot be read.
	Missing []Stretch `json:"missing,omitzero"`
}

// Plan is a delivery under way.
type Plan struct {
	Version int       `json:"version"` // of the stream
	Made    time.Time `json:"made"`
	// Uploads is how many objects may have an upload that was begun.
	Uploads int `json:"uploads"`
	// Prepared is how many objects the manifest names; 0: there is no manifest yet, and the
	// delivery begins anew.
	Prepared int `json:"prepared"`
}

// Stretch is a run of entries that cannot be read.
type Stretch struct {
	From    uint64        `json:"from"` // sequence of the first
	Entries uint64        `json:"entries"`
	Lost    record.Counts `json:"lost"` // what they held
	// Delivered says that the stretch lies before the checkpoint: what it held is delivered
	// and nothing is lost.
	Delivered bool `json:"delivered,omitzero"`
}

// State is a state key.
type State struct {
	Key     string `json:"key"`
	Version uint64 `json:"version"`
	Bytes   int    `json:"bytes"` // of the value
}

// Bucket is one of the built-in object store.
type Bucket struct {
	Name    string `json:"name"`
	Objects uint64 `json:"objects"`
	Bytes   uint64 `json:"bytes"`
}

// File is a file that was set aside.
type File struct {
	Name  string    `json:"name"` // relative to the folder damaged
	Bytes int64     `json:"bytes"`
	Time  time.Time `json:"time"`
}

// healthy says that nothing is damaged or lost. Copies that were set aside earlier do not
// count, nor do stretches that were delivered before they were damaged.
func (r *Report) healthy() bool {
	if len(r.Damage) > 0 || len(r.Unreadable) > 0 {
		return false
	}
	for _, q := range r.queues() {
		for _, m := range q.Missing {
			if !m.Delivered {
				return false
			}
		}
	}
	return true
}

// queues returns all queues, strays last.
func (r *Report) queues() []Queue {
	var all []Queue
	for _, s := range r.Streams {
		all = append(all, s.Queues...)
	}
	return append(all, r.Strays...)
}

// Pending is what is still to be delivered, over all queues.
func (r *Report) Pending() record.Counts {
	var sum record.Counts
	for _, q := range r.queues() {
		sum = sum.Add(q.Pending)
	}
	return sum
}

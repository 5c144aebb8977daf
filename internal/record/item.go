package record

import "time"

// Item is a record on its way through the processors of its stream (spec firehose.md
// section 5.1). A processor gets a batch of items and returns what becomes of them: as a
// rule the same items, one or more in place of each where it takes records apart. Items that
// a former step has failed or dropped pass through unchanged.
type Item struct {
	ID      string            // RecordId; each part of a record has another
	Arrival time.Time         // of the source record
	Source  []byte            // the record as it came, or this part of it; nobody changes these bytes
	Data    []byte            // as the steps before have left it; replaced, never changed
	Keys    map[string]string // partition keys from a function (spec sections 5.4, 7.3); nil for none
	Queried map[string]string // partition keys from the query (spec section 7.2); nil for none
	Dropped bool              // it disappears, on purpose
	Failure *Failure          // it goes to an error output instead
}

// Goes reports whether the item is still on its way.
func (i *Item) Goes() bool { return !i.Dropped && i.Failure == nil }

// Share is what of a batch of processed records is for one partition: those whose evaluated
// prefix is the same (spec firehose.md section 7.4).
type Share struct {
	Prefix  string
	Counts  Counts
	Arrival time.Time // of the oldest
}

// Placement says where shares go.
type Placement struct {
	Queues []Queue      // one for each share; a zero one where it is one partition too many
	States []StateWrite // to be stored with the records
	Drops  []Queue      // what is forgotten before they are: leavings of former queues of these names
	// Done must be called once, when the records are stored, or will not be.
	Done func(stored bool)
}

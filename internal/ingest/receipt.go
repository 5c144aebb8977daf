package ingest

import "hydrant/internal/record"

// Receipt says where the records of one Put were stored. It can be used again for the
// next Put, which keeps the memory of Runs.
type Receipt struct {
	Queue record.Queue
	// Runs cover the accepted records in the order of the batch, run after run. Within a
	// run the entry is the same and the index grows by one. Should they cover only the
	// beginning of the batch, the rest was refused for lack of room.
	Runs []Run
}

// Run is neighbouring records of one entry.
type Run struct {
	First   record.Position
	Records int
}

// Accepted is how many records, from the first of the batch on, were stored.
func (r *Receipt) Accepted() int {
	n := 0
	for _, run := range r.Runs {
		n += run.Records
	}
	return n
}

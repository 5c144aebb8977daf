package record

import "testing"

// A queue is raised only if damage has left its end below what is done already.
func TestAQueueIsRaisedToWhatIsDone(t *testing.T) {
	at := func(entry uint64, index uint32) Mark {
		return Mark{Position: Position{Entry: entry, Index: index}, Before: Counts{Records: 10 * entry, Bytes: 100 * entry}}
	}
	for _, tt := range []struct {
		name            string
		checkpoint, end Mark
		entry           uint64 // that the end is raised to; 0: it stays
	}{
		{"all is there", at(5, 0), at(9, 0), 0},
		{"all is done", at(5, 0), at(5, 0), 0},
		{"an entry is done in part", at(5, 3), at(6, 0), 0},
		{"the last entries are gone", at(5, 0), at(2, 0), 5},
		{"the entry that was done in part is gone too", at(5, 3), at(5, 0), 6},
		{"nothing is left", at(5, 0), at(1, 0), 5},
	} {
		q := Queue{Shard: 3}
		raise, ok := RaiseTo(tt.checkpoint, q, tt.end)
		if ok != (tt.entry > 0) || ok && (raise.Queue != q || raise.Mark != Mark{Position{Entry: tt.entry}, tt.checkpoint.Before}) {
			t.Errorf("%s: %+v, %v", tt.name, raise, ok)
		}
	}
}

package stage

import (
	"context"
	"fmt"

	"github.com/go-json-experiment/json"

	"hydrant/internal/record"
)

// Account is how far the processing of a queue is, and what became of its records. It is
// one value in the journal. What lies between Began and Checkpoint is Taken, Dropped or
// Failed.
type Account struct {
	Began      record.Mark   `json:"began"`
	Checkpoint record.Mark   `json:"checkpoint"`
	Taken      record.Counts `json:"taken"`   // source records that something came of
	Made       record.Counts `json:"made"`    // what came of them
	Dropped    record.Counts `json:"dropped"` // source records that the processors dropped
	Failed     record.Counts `json:"failed"`  // source records in an error output, or unreadable
}

// StatePrefix begins the state keys of all accounts: stage/STREAMID/output/shard.
const StatePrefix = "stage/"

func stateKey(q record.Queue) string { return StatePrefix + q.String() }

// saved is an account and the version it was read or written at.
type saved struct {
	Account
	version uint64 // 0: there is none
}

func load(ctx context.Context, log Log, q record.Queue) (*saved, error) {
	st, err := log.State(ctx, stateKey(q))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", stateKey(q), err)
	}
	s := &saved{version: st.Version}
	if st.Version > 0 {
		if err := json.Unmarshal(st.Value, &s.Account); err != nil {
			return nil, fmt.Errorf("read %s: %w", stateKey(q), err)
		}
	}
	return s, nil
}

// write is what stores next in place of what s holds.
func (s *saved) write(q record.Queue, next Account) (record.StateWrite, error) {
	b, err := json.Marshal(next)
	if err != nil {
		return record.StateWrite{}, fmt.Errorf("write %s: %w", stateKey(q), err)
	}
	return record.StateWrite{Key: stateKey(q), Old: s.version, Value: b}, nil
}

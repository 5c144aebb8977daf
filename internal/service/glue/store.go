package glue

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"hydrant/internal/record"
)

// The keys of the catalogue in the journal's state. Names and values are escaped as in URLs;
// ids are random and never used again, so that what a deletion leaves behind belongs to nobody.
//
//	glue/database/NAME                database
//	glue/table/DATABASE ID/NAME       head
//	glue/version/TABLE ID/^NUMBER     version; 16 hex digits, inverted: the newest comes first
//	glue/partition/TABLE ID/VALUES    partition; values with / between them
//	glue/sweep/ID                     sweep: what lies under a deleted database or table
//
// A change of a table writes its head, and one of a database's tables the database, so that
// compare-and-set finds two that meet, on this node or on others.
const (
	databaseKeys  = "glue/database/"
	tableKeys     = "glue/table/"
	versionKeys   = "glue/version/"
	partitionKeys = "glue/partition/"
	sweepKeys     = "glue/sweep/"
)

// database is a database as stored.
type database struct {
	ID      string        `json:"id"`
	Input   DatabaseInput `json:"input"`
	Created time.Time     `json:"created"`
	Tables  int           `json:"tables"`

	state uint64 // version of the state; 0: not stored yet
}

// head is what is stored of a table beside its versions.
type head struct {
	ID         string    `json:"id"`
	Name       string    `json:"name"`
	Current    uint64    `json:"current"` // number of the current version
	Created    time.Time `json:"created"`
	CreatedBy  string    `json:"createdBy"`
	Archived   []uint64  `json:"archived"`   // numbers of the other versions that are stored, upwards
	Bytes      int       `json:"bytes"`      // of all stored versions
	Partitions int       `json:"partitions"` // stored ones

	state uint64
}

// version is a definition of a table as stored. It is never changed.
type version struct {
	Number  uint64     `json:"number"`
	Updated time.Time  `json:"updated"`
	Input   TableInput `json:"input"`
}

// partition is a partition as stored.
type partition struct {
	Created time.Time      `json:"created"`
	Input   PartitionInput `json:"input"`
}

// sweep names a prefix whose keys are to be removed.
type sweep struct {
	Prefixes []string `json:"prefixes"`
}

func databaseKey(name string) string { return databaseKeys + url.PathEscape(fold(name)) }

func tablePrefix(d *database) string { return tableKeys + d.ID + "/" }

func tableKey(d *database, name string) string { return tablePrefix(d) + url.PathEscape(fold(name)) }

func versionPrefix(h *head) string { return versionKeys + h.ID + "/" }

func versionKey(h *head, number uint64) string {
	return fmt.Sprintf("%s%016x", versionPrefix(h), ^number)
}

func partitionPrefix(h *head) string { return partitionKeys + h.ID + "/" }

// partitionKey is empty if the values are longer than a key may be.
func partitionKey(h *head, values []string) string {
	escaped := make([]string, len(values))
	for i, v := range values {
		escaped[i] = url.PathEscape(v)
	}
	text := strings.Join(escaped, "/")
	if len(text) > maxKeyBytes {
		return ""
	}
	return partitionPrefix(h) + text
}

// newID makes the id of a database or table: 16 characters.
func newID() string { return strings.ToLower(rand.Text()[:16]) }

// read reads a state; false if there is none.
func read[T any](ctx context.Context, s *Service, key string) (v T, state uint64, err error) {
	st, err := s.opt.Log.State(ctx, key)
	if err != nil || st.Version == 0 {
		return v, 0, err
	}
	return v, st.Version, decode(st, &v)
}

// decode reads the value of a state. A member that this version does not know would be lost
// with the next write, so it is refused.
func decode(st record.State, v any) error {
	if err := json.Unmarshal(st.Value, v, json.RejectUnknownMembers(true)); err != nil {
		return fmt.Errorf("state %q (perhaps written by a newer version): %w", st.Key, err)
	}
	return nil
}

// database reads a database.
func (s *Service) database(ctx context.Context, catalog, name string) (*database, error) {
	if err := s.catalog(catalog); err != nil {
		return nil, err
	}
	d, state, err := read[database](ctx, s, databaseKey(name))
	if err == nil && state == 0 {
		err = noDatabase(name)
	}
	d.state = state
	return &d, err
}

// head reads the head of a table, and its database.
func (s *Service) head(ctx context.Context, catalog, databaseName, table string) (*database, *head, error) {
	d, err := s.database(ctx, catalog, databaseName)
	if err != nil {
		return nil, nil, err
	}
	h, state, err := read[head](ctx, s, tableKey(d, table))
	if err == nil && state == 0 {
		err = noTable(table)
	}
	h.state = state
	return d, &h, err
}

// current reads the current version of a table. If that was replaced while the head was in
// our hand, the head is read again.
func (s *Service) current(ctx context.Context, catalog, databaseName, table string) (*database, *head, *version, error) {
	for range patience {
		d, h, err := s.head(ctx, catalog, databaseName, table)
		if err != nil {
			return nil, nil, nil, err
		}
		v, state, err := read[version](ctx, s, versionKey(h, h.Current))
		if err != nil || state != 0 {
			return d, h, &v, err
		}
	}
	return nil, nil, nil, errModified
}

// writes are the state writes of a change.
type writes []record.StateWrite

// put adds a value, whose size it returns.
func (w *writes) put(key string, old uint64, v any) (int, error) {
	b, err := json.Marshal(v, json.Deterministic(true))
	if err != nil {
		return 0, fmt.Errorf("encode %s: %w", key, err)
	}
	*w = append(*w, record.StateWrite{Key: key, Old: old, Value: b})
	return len(b), nil
}

// drop adds a deletion.
func (w *writes) drop(key string, old uint64) { *w = append(*w, record.StateWrite{Key: key, Old: old}) }

// grows says whether the change removes nothing.
func (w writes) grows() bool {
	for _, one := range w {
		if one.Value == nil {
			return false
		}
	}
	return true
}

// patience is how often a change is begun anew that another one has overtaken.
const patience = 16

// alter makes a change: fn reads what there is and says what to write, and is asked again if
// another node has written meanwhile.
func (s *Service) alter(ctx context.Context, fn func(w *writes) error) error {
	s.change.Lock()
	defer s.change.Unlock()
	for range patience {
		var w writes
		if err := fn(&w); err != nil {
			return err
		}
		if len(w) == 0 {
			return nil
		}
		if s.opt.Full != nil && w.grows() && s.opt.Full() {
			return errFull
		}
		err := s.opt.Log.Apply(ctx, &record.Tx{States: w})
		if !errors.Is(err, record.ErrConflict) {
			return err
		}
	}
	return errModified
}

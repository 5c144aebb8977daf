package deliver

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"hydrant/internal/record"
	"hydrant/internal/stream"
)

// progress is the durable state of an output. It is one value in the journal, so every
// step of a plan is one compare-and-set of it.
type progress struct {
	Checkpoint  record.Mark   `json:"checkpoint"`
	Delivered   record.Counts `json:"delivered"`
	Failed      record.Counts `json:"failed"` // unreadable in the journal
	Objects     uint64        `json:"objects"`
	ObjectBytes uint64        `json:"objectBytes"`
	// Staged: the records come from the stage, and Checkpoint is a mark of what it made.
	Staged bool  `json:"staged,omitzero"`
	Plan   *plan `json:"plan,omitzero"`
	// Partition says which one the output is; nil: none.
	Partition *partitioned `json:"partition,omitzero"`
	// Strays are objects whose upload was begun without an answer: the store may make one
	// late, after the plan is done. They are looked at once more, later.
	Strays []stray `json:"strays,omitzero"`
}

// stray is an object that may still get an upload nobody asked for any more.
type stray struct {
	record.Object
	Since time.Time `json:"since"`
	// seen is when this process first knew of it. Waiting goes by it and not by Since: a
	// wall clock that jumps must not make the last look come before the upload does.
	seen  time.Time
	looks int // how often this process has looked at it
}

// plan is the promise to deliver what follows the checkpoint.
type plan struct {
	Version int         `json:"version"` // of the stream, whose configuration holds
	Nonce   nonce       `json:"nonce"`   // every object's id comes from it
	Made    time.Time   `json:"made"`
	Upto    record.Mark `json:"upto"`    // durable end of the queue when the plan was made
	Limit   uint64      `json:"limit"`   // raw bytes of an object
	Objects int         `json:"objects"` // at most so many
	// Begun are the objects of which a multipart upload may exist. Each is stored here
	// before its upload is begun, so that no crash leaves one that nobody knows.
	Begun []record.Object `json:"begun,omitzero"`
	// Manifest is set once everything is prepared; from then on the plan only completes.
	Manifest *manifest `json:"manifest,omitzero"`
}

// manifest says exactly what was prepared.
type manifest struct {
	To      record.Mark    `json:"to"`   // the checkpoint after the plan
	Lost    record.Counts  `json:"lost"` // records within it that could not be read
	Format  Format         `json:"format"`
	Objects []preparedItem `json:"objects"`
	// Misfits is how many documents did not fit the table, and Unconverted are the records
	// that have no row in any object.
	Misfits     int           `json:"misfits,omitzero"`
	Unconverted record.Counts `json:"unconverted,omitzero"`
}

// Format names the encoding that made an object, so that the same can be made again.
type Format struct {
	Compression stream.Compression `json:"compression"`
	Level       int                `json:"level"`              // of deflate; 0 elsewhere
	Delimited   bool               `json:"delimited,omitzero"` // an LF stands between records
	Conversion  *Conversion        `json:"conversion,omitzero"`
}

// Conversion says how records become rows of a file. It holds all that the file depends on, so
// that the same can be made again when the table has changed meanwhile.
type Conversion struct {
	Columns     []Column             `json:"columns"` // of the table, in its order
	Input       *stream.Deserializer `json:"input"`
	Output      *stream.Serializer   `json:"output"`
	Table       record.CatalogTable  `json:"table"`
	MemoryBytes int64                `json:"memoryBytes"`         // that an encoder may hold beside its output
	LeastBytes  int64                `json:"leastBytes,omitzero"` // that it holds with a single row, about
	CreatedBy   string               `json:"createdBy"`           // the version that made the file
	// Refused says why no record becomes a row: its table could not be had for too long.
	Refused *Refusal `json:"refused,omitzero"`
}

// Refusal is the code and message of the failure of all records.
type Refusal struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// Column is a column of a table.
type Column struct {
	Name string `json:"name"`
	Type string `json:"type"` // in Hive's words
}

// preparedItem is one object of a manifest. Without an Upload it is a plain put, which
// recovery repeats from the journal: the same bytes under the same name.
type preparedItem struct {
	record.Object
	From   record.Mark   `json:"from"`
	To     record.Mark   `json:"to"`
	Held   record.Counts `json:"held"` // records in the object
	Size   int64         `json:"size"` // bytes as delivered
	Upload string        `json:"upload,omitzero"`
	Parts  []record.Part `json:"parts,omitzero"`
}

// nonce is 128 random bits, in JSON as hexadecimal digits.
type nonce [16]byte

func newNonce() nonce {
	var n nonce
	rand.Read(n[:]) // never fails (crypto/rand since Go 1.24)
	return n
}

// object derives the id of the i-th object of the plan.
func (n nonce) object(i int) [16]byte {
	sum := sha256.Sum256(binary.BigEndian.AppendUint32(n[:], uint32(i)))
	return [16]byte(sum[:16])
}

// MarshalText writes the nonce in hexadecimal.
func (n nonce) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, n[:]), nil }

// UnmarshalText reads what MarshalText wrote.
func (n *nonce) UnmarshalText(b []byte) error {
	if len(b) != 2*len(n) {
		return fmt.Errorf("plan nonce of %d characters", len(b))
	}
	_, err := hex.Decode(n[:], b)
	return err
}

// ProgressPrefix begins the state keys of all outputs.
const ProgressPrefix = "output/"

// progressKey names the state of a queue: output/STREAMID/output/shard.
func progressKey(q record.Queue) string { return ProgressPrefix + q.String() }

// savedProgress is a progress and the version it was read or written at.
type savedProgress struct {
	progress
	key     string
	version uint64
}

// loadProgress reads the state of a queue. An output that has none yet starts at the
// queue's first entry.
func loadProgress(ctx context.Context, log Log, q record.Queue) (*savedProgress, error) {
	s := &savedProgress{key: progressKey(q)}
	st, err := log.State(ctx, s.key)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", s.key, err)
	}
	s.version = st.Version
	if st.Version == 0 {
		s.Checkpoint.Entry = 1
		return s, nil
	}
	if err := json.Unmarshal(st.Value, &s.progress); err != nil {
		return nil, fmt.Errorf("read %s: %w", s.key, err)
	}
	for i := range s.Strays {
		s.Strays[i].seen = time.Now()
	}
	return s, nil
}

// save stores next in place of what s holds, together with the trims, or changes nothing.
func (s *savedProgress) save(ctx context.Context, log Log, next progress, trims ...record.Trim) error {
	return s.saveWith(ctx, log, next, &record.Tx{Trims: trims})
}

// saveWith stores next together with what else tx asks for.
func (s *savedProgress) saveWith(ctx context.Context, log Log, next progress, tx *record.Tx) error {
	w, err := s.write(next)
	if err != nil {
		return err
	}
	tx.States = append(tx.States, w)
	if err := log.Apply(ctx, tx); err != nil {
		return fmt.Errorf("write %s: %w", s.key, err)
	}
	s.progress = next
	s.version++
	return nil
}

// write is what stores next in place of what s holds.
func (s *savedProgress) write(next progress) (record.StateWrite, error) {
	b, err := json.Marshal(next)
	if err != nil {
		return record.StateWrite{}, fmt.Errorf("write %s: %w", s.key, err)
	}
	return record.StateWrite{Key: s.key, Old: s.version, Value: b}, nil
}

package conversion

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/firehose/types"
	"github.com/go-json-experiment/json"
)

// versions are those of the table that changes: a type is widened, then a column added.
var versions = []struct{ columns, schema, row string }{
	{"id int, v int", "id int32, v int32", `{"id":%d,"v":%d}`},
	{"id int, v bigint", "id int32, v int64", `{"id":%d,"v":%d}`},
	{"id int, v bigint, w string", "id int32, v int64, w string", `{"id":%d,"v":%d,"w":"w"}`},
}

// wide is a value that only the last version has to hold.
const wide = 1 << 40

// A table changes while its stream runs and the node is killed: every row arrives once, each
// object has the columns of one version, and none has an older one than an object before it.
func TestATableChangesWhileItsStreamRuns(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.table("t", versions[0].columns)
	s.stream("t", destination("t", openX(), toParquet(types.ParquetCompressionSnappy)))
	const batch, rounds = 300, 3
	id, last := 0, 0 // last: the first id that the last version must write
	for version, v := range versions {
		value := 0
		if version == len(versions)-1 { // now also the objects on their way are of the former version
			s.until("all is delivered", func() bool { return s.ledger("t").Pending == 0 })
			last, value = id, wide
		}
		if version > 0 {
			s.table("t", v.columns)
		}
		for round := range rounds {
			var data []string
			for range batch {
				data = append(data, fmt.Sprintf(`{"id":%d,"v":%d,"w":"w"}`, id, value+id))
				id++
			}
			s.put("t", data...)
			if round == 1 {
				time.Sleep(time.Duration(rand.IntN(1300)) * time.Millisecond)
				s.killed()
			}
		}
	}
	s.settled("t")
	if l := s.ledger("t"); l.Delivered != uint64(id) || l.Failed != 0 {
		t.Errorf("the ledger is %+v, of %d records", l, id)
	}
	s.checkVersions(id, last)
}

// piece is an object of the stream with the changing table.
type piece struct {
	key     string
	first   int // id
	version int
	rows    []string
}

// checkVersions fails unless the objects hold each of the ids once, those from last on in the
// last version.
func (s *scene) checkVersions(ids, last int) {
	s.t.Helper()
	var all []piece
	for _, o := range s.objects("t/") {
		v := theJudge().read(s.t, o.key, o.body)
		all = append(all, piece{o.key, idOf(s.t, v.Rows[0]), slices.IndexFunc(versions, func(w struct{ columns, schema, row string }) bool { return w.schema == v.Schema }), v.Rows})
	}
	slices.SortFunc(all, func(a, b piece) int { return cmp.Compare(a.first, b.first) })
	id, version := 0, 0
	for _, p := range all {
		if p.version < version {
			s.t.Fatalf("object %s, from id %d on, has version %d behind one of version %d", p.key, p.first, p.version, version)
		}
		version = p.version
		for _, row := range p.rows {
			value := id
			if id >= last {
				value += wide
			}
			if want := fmt.Sprintf(versions[version].row, id, value); row != want || id >= last && version < len(versions)-1 {
				s.t.Fatalf("object %s of version %d has row %s, want %s", p.key, version, row, want)
			}
			id++
		}
	}
	if id != ids {
		s.t.Errorf("%d rows of %d", id, ids)
	}
	s.t.Logf("%d rows in %d objects", id, len(all))
}

func idOf(t *testing.T, row string) int {
	t.Helper()
	var r struct{ ID int }
	if err := json.Unmarshal([]byte(row), &r, json.MatchCaseInsensitiveNames(true)); err != nil {
		t.Fatalf("%s: %v", row, err)
	}
	return r.ID
}

// A stream waits for its table, and says so, as long as it is away: nothing fails, nothing is
// lost, also if the node is killed meanwhile.
func TestATableIsAwayForAWhile(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.table("t", versions[0].columns)
	s.stream("t", destination("t", openX(), toORC(types.OrcCompressionSnappy)))
	s.put("t", `{"id":0,"v":0}`)
	s.until("the first record is delivered", func() bool { return s.ledger("t").Delivered == 1 })
	s.dropTable("t")
	s.put("t", `{"id":1,"v":1}`, `{"id":2,"v":2}`)
	waits := func() bool { return strings.Contains(s.state("t").LastError, "Table t not found") }
	s.until("the stream says what it waits for", waits)
	if list := s.hydrant("streams"); !strings.Contains(list, "not found") {
		t.Errorf("hydrant streams does not show it: %s", list)
	}
	s.killed()
	s.put("t", `{"id":3,"v":3}`)
	s.until("the stream says so again", waits)
	if l, st := s.ledger("t"), s.state("t"); l.Delivered != 1 || l.Pending != 3 || l.Failed != 0 || st.Failures != nil || len(s.objects("errors/")) != 0 {
		t.Errorf("while the table is away the ledger is %+v, and the stream %+v", l, st)
	}
	s.table("t", versions[2].columns)
	s.settled("t")
	rows := s.rowsOf("t", ".orc", "SNAPPY")
	if want := `[{"id":0,"v":0} {"id":1,"v":1,"w":null} {"id":2,"v":2,"w":null} {"id":3,"v":3,"w":null}]`; fmt.Sprint(rows) != want {
		t.Errorf("the rows are %s", rows)
	}
	if l, st := s.ledger("t"), s.state("t"); l.Delivered != 4 || l.Failed != 0 || st.LastError != "" {
		t.Errorf("with the table back the ledger is %+v, and the stream %+v", l, st)
	}
}

package simulation

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/parquet-go/parquet-go"

	"hydrant/e2e/load/sigv4"
	"hydrant/internal/dest/s3/s3fake"
)

// schema is what a stream that converts, through all its incarnations, makes rows by. It never
// loses a column. Guarded by world.mu but for name.
type schema struct {
	name  string
	known int // the newest version whose making was answered
	asked int // the newest version that was asked for
}

// The versions of all tables: each has more columns than the one before, the first those that
// tell which record a row is.
var tableVersions = [][]string{
	{"hysi string", "u int", "x string", "crc string"},
	{"hysi string", "u int", "x string", "crc string", "k string"},
	{"hysi string", "u int", "x string", "crc string", "k string", "f string"},
}

// drawTable draws whether a stream converts; nil: it does not.
func (s *streamLife) drawTable(p *plan, rowing bool) {
	if rowing && p.chance.conversion && s.gluing == nil {
		s.table = &schema{name: s.name, known: -1, asked: -1}
	}
}

// converting is the part of a configuration that asks for rows.
func (u ruler) converting(s *streamLife) string {
	codec := []string{"SNAPPY", "GZIP", "UNCOMPRESSED"}[u.r.IntN(3)]
	return fmt.Sprintf(`,"DataFormatConversionConfiguration":{"Enabled":true,`+
		`"SchemaConfiguration":{"RoleARN":"arn:aws:iam::000000000000:role/simulation","DatabaseName":"db","TableName":%q},`+
		`"InputFormatConfiguration":{"Deserializer":{"OpenXJsonSerDe":{}}},`+
		`"OutputFormatConfiguration":{"Serializer":{"ParquetSerDe":{"Compression":%q,"EnableDictionaryCompression":%v}}}}`,
		s.table.name, codec, u.r.IntN(2) == 0)
}

// catalogue is who makes tables.
func (u ruler) catalogue() ruler {
	s := *u.sender
	s.signer = sigv4.New(u.w.root.AccessKeyID, string(u.w.root.Secret), "us-east-1", "glue")
	s.target = "AWSGlue."
	return ruler{&s}
}

// widen gives the tables their next columns, one after the other, until ctx ends.
func (w *world) widen(ctx context.Context, made <-chan struct{}) {
	u := ruler{w.sender("tables")}
	<-made
	for w.plan.chance.conversion && w.sleep(ctx, time.Duration(1+u.r.IntN(90))*time.Second) {
		u.widen(w.streams[u.r.IntN(len(w.streams))])
	}
}

// widen makes the stream's table, or gives it its next columns.
func (u ruler) widen(s *streamLife) {
	if s.table == nil || s.table.asked == len(tableVersions)-1 {
		return
	}
	u.w.mu.Lock()
	s.table.asked++
	version := s.table.asked
	u.w.mu.Unlock()
	op := "UpdateTable"
	done := func(a answer) bool { return a.status == http.StatusOK || a.code == "AlreadyExistsException" }
	if version == 0 {
		op = "CreateTable"
		u.catalogue().until("create a database", "CreateDatabase", []byte(`{"DatabaseInput":{"Name":"db"}}`), done)
	}
	u.catalogue().until(op+" "+s.table.name, op, tableInput(s.table.name, version), done)
	u.w.mu.Lock()
	s.table.known = version
	u.w.mu.Unlock()
	u.w.story.happened("table: "+op, "%s, version %d", s.table.name, version)
}

// tableInput is a request for a version of a table.
func tableInput(name string, version int) []byte {
	var columns []string
	for _, c := range tableVersions[version] {
		name, kind, _ := strings.Cut(c, " ")
		columns = append(columns, fmt.Sprintf(`{"Name":%q,"Type":%q}`, name, kind))
	}
	return fmt.Appendf(nil, `{"DatabaseName":"db","TableInput":{"Name":%q,"StorageDescriptor":{"Columns":[%s]}}}`, name, strings.Join(columns, ","))
}

// rows takes an object of rows for the records that they were, and says of which version of its
// table it is.
func (w *world) rows(s *streamLife, o s3fake.Object) (body []byte, version int, err error) {
	file, err := parquet.OpenFile(bytes.NewReader(o.Body), int64(len(o.Body)))
	if err != nil {
		return nil, 0, err
	}
	columns := file.Schema().Columns()
	if version, err = versionOfTable(columns); err != nil || s.table == nil || version > s.table.asked {
		return nil, 0, fmt.Errorf("columns %q are not those of a table of the stream: %w", columns, err)
	}
	r := parquet.NewReader(file)
	many := make([]parquet.Row, 64)
	for {
		n, err := r.ReadRows(many)
		for _, row := range many[:n] {
			var wrong error
			if body, wrong = w.appendRow(body, row, version); wrong != nil {
				return body, version, fmt.Errorf("row %.200v: %w", row, wrong)
			}
		}
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = r.Close()
			}
			return body, version, err
		}
	}
}

func versionOfTable(columns [][]string) (int, error) {
	for version, names := range tableVersions {
		same := len(names) == len(columns)
		for i := 0; same && i < len(names); i++ {
			same = columns[i][0] == names[i][:strings.IndexByte(names[i], ' ')]
		}
		if same {
			return version, nil
		}
	}
	return 0, errors.New("no such version")
}

// appendRow appends the record that a row was made of. Whether it is whole its checksum says; what
// is not in it, because the table has no column for it, is known.
func (w *world) appendRow(dst []byte, row parquet.Row, version int) ([]byte, error) {
	head := jsonMagic + string(row[0].ByteArray()) + `"`
	n, _, err := parseHead([]byte(head))
	if err != nil {
		return dst, err
	}
	know := w.books.records[n]
	switch {
	case know == nil:
		return dst, fmt.Errorf("nobody sent record %+v", n)
	case know.keys.misfit != "":
		return dst, fmt.Errorf("record %+v with u = %s does not fit the table", n, know.keys.misfit)
	case version < know.table:
		return dst, fmt.Errorf("record %+v was sent when the table had version %d, not %d", n, know.table, version)
	case row[1].IsNull() || int(row[1].Int32()) != know.keys.u:
		return dst, fmt.Errorf("u is %v, not %d", row[1], know.keys.u)
	}
	for i, v := range []value{know.keys.k, know.keys.f}[:version] {
		if cell := row[4+i]; !v.is(cell) {
			return dst, fmt.Errorf("a cell is %.100v, not %.100s", cell, v.raw)
		}
	}
	dst = append(dst, head...)
	dst = append(append(dst, know.keys.members()...), `,"x":"`...)
	dst = append(append(dst, row[2].ByteArray()...), `","crc":"`...)
	return append(append(dst, row[3].ByteArray()...), `"}`...), nil
}

// is reports whether a cell of a column of texts has the value.
func (v value) is(cell parquet.Value) bool {
	if v.raw == "" || v.raw == "null" {
		return cell.IsNull()
	}
	want := v.raw
	if v.text {
		if err := json.Unmarshal([]byte(v.raw), &want); err != nil {
			return false
		}
	}
	return !cell.IsNull() && string(cell.ByteArray()) == want
}

// drawRow draws the members of a record for a table, which few do not fit.
func drawRow(r *rand.Rand) keys {
	switch r.IntN(25) {
	case 0:
		return keys{} // no JSON
	case 1:
		k := drawKeys(r, 10)
		k.misfit = []string{`"many"`, `{}`, `3000000000000000000000`}[r.IntN(3)]
		return k
	}
	return drawKeys(r, 10)
}

// converts says whether a record may be in the error output of a stream that converts.
func (k keys) converts() bool { return k.json && k.misfit == "" }

// plain is what an object of a stream holds: records, or rows as the records that they were. It
// says of which version of the table those are.
func (w *world) plain(s *streamLife, o s3fake.Object) (body []byte, version int, err error) {
	if strings.HasSuffix(o.Key, ".parquet") {
		return w.rows(s, o)
	}
	body, err = plainBody(o)
	return body, 0, err
}

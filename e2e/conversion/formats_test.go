package conversion

import (
	"encoding/base64"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/firehose/types"
)

// allTypes are columns of each type that both deserializers know.
const allTypes = `b boolean, t tinyint, s smallint, i int, l bigint, f float, d double, e decimal(20,4), st string, v varchar(4), c char(3),
  dt date, ts timestamp, a array<int>, m map<string,bigint>, o struct<x:int,y:array<string>>`

const full = `{"b":true,"t":-128,"s":32767,"i":-2147483648,"l":9223372036854775807,"f":0.5,"d":1e300,"e":1234567890123456.7891,
  "st":"é\n","v":"abcdef","c":"ab","dt":"2026-01-15","ts":"2026-01-15 10:15:00.123456","a":[1,null,3],"m":{"k":1,"n":null},
  "o":{"x":1,"y":["a","b"]},"bin":"bytes"}`

// fullRow is what becomes of full, apart from c and bin.
const fullRow = `{"b":true,"t":-128,"s":32767,"i":-2147483648,"l":9223372036854775807,"f":0.5,"d":1e+300,"e":"1234567890123456.7891",` +
	`"st":"é\n","v":"abcd","c":"%s","dt":"2026-01-15","ts":"2026-01-15 10:15:00.123456","a":[1,null,3],"m":{"k":1,"n":null},` +
	`"o":{"x":1,"y":["a","b"]}%s}`

// bare is a row of nulls but for what is said, as in i=5.
func bare(columns string, cells ...string) string {
	var all []string
	for c := range strings.FieldsSeq(columns) {
		cell := `"` + c + `":null`
		for _, given := range cells {
			if name, value, _ := strings.Cut(given, "="); name == c {
				cell = `"` + c + `":` + value
			}
		}
		all = append(all, cell)
	}
	return "{" + strings.Join(all, ",") + "}"
}

// misfit is a document that fails: its text, why, and which of its record's failures it is.
type misfit struct {
	document, code, message string
	part                    int
}

// line is what spec section 6.6 says the error output holds of it, apart from what
// clocks are.
func (m misfit) line(table string) string {
	return fmt.Sprintf(`{"attemptsMade":1,"arrivalTimestamp":0,"lastErrorCode":"DataFormatConversion.%s","lastErrorMessage":%q,`+
		`"attemptEndingTimestamp":0,"rawData":"%s","sequenceNumber":"0","subSequenceNumber":%d,"dataCatalogTable":{"catalogId":"000000000000",`+
		`"databaseName":"db","tableName":"%s","region":"us-east-1","versionId":"LATEST","roleArn":"arn:aws:iam::000000000000:role/firehose"}}`,
		m.code, m.message, base64.StdEncoding.EncodeToString([]byte(m.document)), m.part, table)
}

// clocks are the members of a line that differ from run to run.
var clocks = regexp.MustCompile(`(Timestamp":)\d{13}\b|(sequenceNumber":")[1-9]\d*`)

const (
	primitive = "The input JSON contained a primitive at the top level. The top level must be an object or array."
	cutShort  = "Encountered malformed JSON. Unexpected end-of-input: expected a value at [line: 1, column: 6]"
	blank     = "The record was empty or contained only whitespace."
	schema    = "Data does not match the schema. "
	rootField = "One or more fields have incorrect format. Exception when validating field (root)"
	noNumber  = schema + "Current token (VALUE_STRING) not numeric, can not use numeric value accessors"
)

// common are misfits of both deserializers.
var common = []misfit{{`42`, "MalformedData", primitive, 0}, {`{"i":`, "ParseError", cutShort, 0}, {" \n", "MalformedData", blank, 0}}

// records are what both streams of the test are sent.
var records = []string{
	full, `{}`, `{"i":1}{"i":2} {"i":"abc"}{"i":3,"l":"x"}` + "\n", `42`, `{"i":`, " \n", `{"i":5}{"i":`,
	`[1]`, `{"a":7}`, `{"st":{"x":1}}`, `{"i":"12","unknown":[{}]}`,
}

// Every type, several documents in a record, and what does not fit, by both deserializers and
// into both formats.
func TestRecordsBecomeRowsOrLinesOfTheErrorOutput(t *testing.T) {
	const names = "b t s i l f d e st v c dt ts a m o"
	for _, c := range []struct {
		name, columns, suffix string
		in                    *input
		out                   *output
		codec                 string
		rows                  []string
		misfits               []misfit
		delivered, failed     uint64
	}{
		{
			"openx", allTypes, ".parquet", openX(), toParquet(types.ParquetCompressionSnappy), "SNAPPY",
			[]string{
				fmt.Sprintf(fullRow, "ab", ""), bare(names), bare(names, "i=1"), bare(names, "i=2"), bare(names, "i=5"),
				bare(names, "a=[7]"), bare(names, `st="{\"x\":1}"`), bare(names, "i=12"),
			},
			[]misfit{
				{`{"i":"abc"}`, "MalformedData", schema + `For input string: "abc"`, 0},
				{`{"i":3,"l":"x"}`, "MalformedData", schema + `For input string: "x"`, 1},
				{`{"i":`, "ParseError", cutShort, 0},
				{`[1]`, "MalformedData", schema + "Data is not JSONObject  but org.openx.data.jsonserde.json.JSONArray with value [1]", 0},
			}, 7, 4,
		},
		{
			"hive", allTypes + ", bin binary", ".orc", hive(), toORC(types.OrcCompressionZlib), "ZLIB",
			[]string{
				fmt.Sprintf(fullRow, "ab ", `,"bin":"0x6279746573"`), bare(names + " bin"), bare(names+" bin", "i=1"), bare(names+" bin", "i=2"),
				bare(names+" bin", "i=5"),
			},
			[]misfit{
				{`{"i":"abc"}`, "MalformedData", noNumber, 0},
				{`{"i":3,"l":"x"}`, "MalformedData", noNumber, 1},
				{`{"i":`, "ParseError", cutShort, 0},
				{`[1]`, "MalformedData", rootField, 0},
				{`{"a":7}`, "MalformedData", schema + "java.io.IOException: Start of Array expected", 0},
				{`{"st":{"x":1}}`, "MalformedData", rootField, 0},
				{`{"i":"12","unknown":[{}]}`, "MalformedData", noNumber, 0},
			}, 4, 7,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			s.table(c.name, c.columns)
			s.stream(c.name, destination(c.name, c.in, c.out))
			s.put(c.name, records...)
			s.settled(c.name)
			if rows := s.rowsOf(c.name, c.suffix, c.codec); !slices.Equal(rows, c.rows) {
				t.Errorf("the rows are\n%s\nwant\n%s", strings.Join(rows, "\n"), strings.Join(c.rows, "\n"))
			}
			var want []string
			for _, m := range slices.Concat(common, c.misfits) {
				want = append(want, m.line(c.name))
			}
			slices.Sort(want)
			if got := s.failures(c.name); !slices.Equal(got, want) {
				t.Errorf("the error output holds\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
			l, st := s.ledger(c.name), s.state(c.name)
			if l.Received != uint64(len(records)) || l.Delivered != c.delivered || l.Failed != c.failed || st.Data.Delivered.Records != c.delivered {
				t.Errorf("the ledger is %+v, and the stream %+v", l, st)
			}
		})
	}
}

// rowsOf are the rows of all objects of a stream, in the order of arrival. Each object must be
// one of its format.
func (s *scene) rowsOf(stream, suffix, codec string) (rows []string) {
	s.t.Helper()
	for _, o := range s.objects(stream + "/") {
		v := theJudge().read(s.t, o.key, o.body)
		if path.Ext(o.key) != suffix || o.headers.ContentEncoding != nil || v.Codec != codec || v.Groups < 1 {
			s.t.Errorf("object %s has encoding %v, codec %s, %d groups of rows", o.key, o.headers.ContentEncoding, v.Codec, v.Groups)
		}
		rows = append(rows, v.Rows...)
	}
	return rows
}

// failures are the lines of a stream's error output, sorted, without what differs from run to
// run.
func (s *scene) failures(stream string) (lines []string) {
	s.t.Helper()
	for _, o := range s.objects("errors/" + stream + "/") {
		if !strings.HasPrefix(o.key, "errors/"+stream+"/format-conversion-failed/") || path.Ext(o.key) != "" {
			s.t.Errorf("failures are in %s", o.key)
		}
		for line := range strings.Lines(string(o.body)) {
			lines = append(lines, clocks.ReplaceAllString(strings.TrimSuffix(line, "\n"), "${1}${2}0"))
		}
	}
	slices.Sort(lines)
	return lines
}

package schema

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"hydrant/internal/column"
)

const wholeStatement = `-- clicks of visitors
CREATE EXTERNAL TABLE IF NOT EXISTS Web.` + "`Clicks`" + ` (
  id BIGINT COMMENT 'it''s the id', /* of the
  click */
  price decimal(10, 2),
  ` + "`timestamp`" + ` timestamp,
  tags map< string , array<struct<a : int COMMENT 'x, y)', b:string>> > COMMENT "tags"
)
COMMENT 'what visitors\ndo'
PARTITIONED BY (day string COMMENT 'UTC', hour int)
ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'
WITH SERDEPROPERTIES ('case.insensitive'='true', 'dots.in.keys' = 'false')
STORED AS INPUTFORMAT 'in' OUTPUTFORMAT 'out'
LOCATION 's3://events/clicks/'
TBLPROPERTIES ('classification'='json', "x"="\"y\"");
`

func TestAWholeStatementIsRead(t *testing.T) {
	got, err := ParseDDL(wholeStatement)
	if err != nil {
		t.Fatal(err)
	}
	want := &Statement{Database: "web", IfNotExists: true, Table: Table{
		Name: "clicks", Description: "what visitors\ndo", TableType: external,
		Storage: Storage{
			Columns: []Column{
				{"id", "bigint", "it's the id"}, {"price", "decimal(10,2)", ""}, {"timestamp", "timestamp", ""},
				{"tags", "map<string,array<struct<a:int,b:string>>>", "tags"},
			},
			Location: "s3://events/clicks/", InputFormat: "in", OutputFormat: "out",
			SerDe: &SerDe{"org.openx.data.jsonserde.JsonSerDe", map[string]string{"case.insensitive": "true", "dots.in.keys": "false"}},
		},
		PartitionKeys: []Column{{"day", "string", "UTC"}, {"hour", "int", ""}},
		Parameters:    map[string]string{"classification": "json", "x": `"y"`, "EXTERNAL": "TRUE"},
	}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestStatementsMayBeShort(t *testing.T) {
	for text, want := range map[string]Table{
		"create table t": {Name: "t", TableType: managed, Storage: Storage{
			InputFormat: textInput, OutputFormat: textOutput, SerDe: &SerDe{SerializationLibrary: lazySerDe}}},
		"create table t (a int) stored as orc": {Name: "t", TableType: managed, Parameters: map[string]string{"classification": "orc"},
			Storage: Storage{Columns: []Column{{Name: "a", Type: "int"}}, InputFormat: formats[1].input, OutputFormat: formats[1].output,
				SerDe: &SerDe{SerializationLibrary: formats[1].serde}}},
		`create table t stored as textfile row format delimited fields terminated by ',' escaped by '\\' lines terminated by '\n' null defined as '\001'`: {
			Name: "t", TableType: managed, Storage: Storage{InputFormat: textInput, OutputFormat: textOutput, SerDe: &SerDe{lazySerDe,
				map[string]string{"field.delim": ",", "escape.delim": `\`, "line.delim": "\n", "serialization.null.format": "\x01"}}}},
	} {
		got, err := ParseDDL(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if d := cmp.Diff(want, got.Table); d != "" {
			t.Errorf("%s: %s", text, d)
		}
	}
}

func TestErrorsOfStatementsSayWhere(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", "line 1, column 1: CREATE is missing, and the statement ends"},
		{"SELECT 1", `line 1, column 1: CREATE is missing before "SELECT"`},
		{"CREATE VIEW v", `line 1, column 8: TABLE is missing before "VIEW"`},
		{"CREATE TABLE IF t", `line 1, column 17: NOT is missing before "t"`},
		{"CREATE TABLE", "line 1, column 13: the name of the table is missing, and the statement ends"},
		{"CREATE TABLE t (\n  a int,\n  ä strng\n)", `line 3, column 5: the type of column ä: not a Hive type: "strng" is unknown, at character 6 of "strng"`},
		{"CREATE TABLE t (a uniontype<int,string>)", "line 1, column 19: the type of column a: type is not supported: uniontype"},
		{"CREATE TABLE t (a int, A int)", `line 1, column 24: two columns are called "a"`},
		{"CREATE TABLE t (a int) PARTITIONED BY (a int)", `line 1, column 40: two columns are called "a"`},
		{"CREATE TABLE t (a int", `line 1, column 22: ")" is missing, and the statement ends`},
		{"CREATE TABLE t (a)", `line 1, column 18: the type of column a is missing before ")"`},
		{"CREATE TABLE t (a int,)", `line 1, column 23: the name of a column is missing before ")"`},
		{"CREATE TABLE t (a array<int)", "line 1, column 19: the type of column a: not a Hive type"},
		{"CREATE TABLE t (a int COMMENT b)", `line 1, column 31: the comment in quotes is missing before "b"`},
		{"CREATE TABLE t\nCLUSTERED BY (a) INTO 4 BUCKETS", `line 2, column 1: "CLUSTERED" begins no clause that is known here`},
		{"CREATE TABLE t STORED AS AVRO", `line 1, column 26: "AVRO" is no format that is known here`},
		{"CREATE TABLE t STORED AS ORC STORED AS ORC", "line 1, column 30: STORED stands twice"},
		{"CREATE TABLE t LOCATION s3", `line 1, column 25: the location in quotes is missing before "s3"`},
		{"CREATE TABLE t LOCATION 's3", "line 1, column 25: a text in quotes does not end"},
		{"CREATE TABLE `t", "line 1, column 14: a name in back quotes does not end"},
		{"CREATE TABLE t /* x", "line 1, column 16: a comment does not end"},
		{"CREATE TABLE t TBLPROPERTIES ('a'='b','a'='c')", `line 1, column 39: the property "a" stands twice`},
		{"CREATE TABLE t; DROP TABLE t", "line 1, column 17: more stands behind the statement"},
		{strings.Repeat(" ", MaxStatement+1), "line 1, column 1: the statement is longer than"},
	} {
		_, err := ParseDDL(c.text)
		var at *SyntaxError
		if !errors.Is(err, ErrDDL) || !errors.As(err, &at) || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%.60s: %v\nwant %s", c.text, err, c.want)
		}
	}
	if _, err := ParseDDL("CREATE TABLE t (a uniontype<int>)"); !errors.Is(err, column.ErrUnsupported) {
		t.Error(err)
	}
}

func TestTheStatementOfAProposal(t *testing.T) {
	p := inferred(t, `{"id":1,"Tags":["it's"],"at":"2026-01-15T10:15:00Z"}`)
	p.Table.Storage.Columns[0].Comment, p.Table.Storage.Location = "it's", "s3://events/t/"
	const want = "CREATE EXTERNAL TABLE `db`.`t` (\n  `id` int COMMENT 'it\\'s',\n  `tags` array<string>,\n  `at` timestamp\n)\n" +
		"STORED AS PARQUET\nLOCATION 's3://events/t/'\nTBLPROPERTIES (\n  'classification' = 'parquet'\n);\n"
	if d := cmp.Diff(want, DDL("db", &p.Table)); d != "" {
		t.Error(d)
	}
}

// Whatever a table holds, its statement makes the same table.
func TestStatementsKeepTables(t *testing.T) {
	anyText := rapid.StringN(1, 20, 60)
	name := rapid.Custom(func(t *rapid.T) string { return strings.ToLower(anyText.Draw(t, "name")) })
	types := rapid.SampledFrom([]string{"int", "decimal(5,2)", "struct<a:int,`b c`:map<string,array<double>>>", "varchar(10)"})
	columns := func(t *rapid.T, taken map[string]bool) (all []Column) {
		for range rapid.IntRange(0, 4).Draw(t, "columns") {
			if c := (Column{name.Draw(t, "column"), types.Draw(t, "type"), rapid.StringN(0, 10, 30).Draw(t, "comment")}); !taken[c.Name] {
				taken[c.Name] = true
				all = append(all, c)
			}
		}
		return all
	}
	properties := rapid.MapOfN(anyText, anyText, 1, 4)
	rapid.Check(t, func(t *rapid.T) {
		taken := map[string]bool{}
		want := Table{Name: name.Draw(t, "table"), Description: rapid.String().Draw(t, "description"), TableType: managed}
		want.Storage.Columns, want.PartitionKeys = columns(t, taken), columns(t, taken)
		want.Parameters = properties.Draw(t, "parameters")
		if rapid.Bool().Draw(t, "external") {
			want.TableType, want.Parameters[externalParameter] = external, "TRUE"
		}
		want.Storage.Location = rapid.String().Draw(t, "location")
		f := rapid.SampledFrom(formats).Draw(t, "format")
		want.store(f)
		want.classify(f.classification)
		if rapid.Bool().Draw(t, "own SerDe") {
			want.Storage.SerDe = &SerDe{"com.example.SerDe" + anyText.Draw(t, "SerDe"), properties.Draw(t, "properties")}
		}
		database := name.Draw(t, "database")
		got, err := ParseDDL(DDL(database, &want))
		if err != nil {
			t.Fatalf("%s\n%v", DDL(database, &want), err)
		}
		if d := cmp.Diff(&Statement{Database: database, Table: want}, got); d != "" {
			t.Fatalf("%s\n%s", DDL(database, &want), d)
		}
	})
}

func FuzzParseDDL(f *testing.F) {
	f.Add(wholeStatement)
	for _, s := range []string{"CREATE TABLE t (a int) STORED AS ORC;", "create table `", "CREATE TABLE t ROW FORMAT DELIMITED FIELDS TERMINATED BY '\\0", "-- x", "CREATE TABLE t (a struct<`b>`:int>)"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseDDL(text)
		if err != nil {
			if !errors.Is(err, ErrDDL) {
				t.Fatal(err)
			}
			return
		}
		again, err := ParseDDL(DDL(s.Database, &s.Table))
		if err != nil {
			t.Fatalf("%q: %v", DDL(s.Database, &s.Table), err)
		}
		s.IfNotExists = false
		if d := cmp.Diff(s, again); d != "" {
			t.Fatalf("%q: %s", text, d)
		}
	})
}

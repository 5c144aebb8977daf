package serde

import (
	"errors"
	"strings"
	"testing"

	"hydrant/internal/column"
)

func plainHive(s *column.Type) (*Reader, error) { return NewHive(s, Hive{}) }

// The rules of the Hive deserializer where they differ from those of OpenX (spec section 6.3).
func TestHiveRules(t *testing.T) {
	const (
		misfit  = `! Data does not match the schema. `
		numeric = ` not numeric, can not use numeric value accessors`
		root    = `! One or more fields have incorrect format. Exception when validating field (root)`
		array   = misfit + `java.io.IOException: Start of Array expected`
		object  = misfit + `java.io.IOException: Start of Object expected`
	)
	testRules(t, []rule{
		{"number", "int", `12`, `12`}, {"null", "int", `null`, `null`}, {"number", "decimal(4,1)", `1.25`, `1.3`},
		{"text", "int", `"12"`, misfit + `Current token (VALUE_STRING)` + numeric}, {"text", "double", `"1"`, misfit + `Current token (VALUE_STRING)` + numeric},
		{"text", "decimal(4,1)", `"1"`, misfit + `Current token (VALUE_STRING)` + numeric},
		{"boolean", "bigint", `true`, misfit + `Current token (VALUE_TRUE)` + numeric}, {"boolean", "float", `false`, misfit + `Current token (VALUE_FALSE)` + numeric},
		{"object", "int", `{}`, misfit + `Current token (START_OBJECT)` + numeric}, {"array", "int", `[1]`, misfit + `Current token (START_ARRAY)` + numeric},
		{"too large", "tinyint", `300`, misfit + `For input string: "300"`},

		{"boolean", "boolean", `true`, `true`}, {"text", "boolean", `"true"`, misfit + `Current token (VALUE_STRING) not of boolean type`},
		{"number", "boolean", `1`, misfit + `Current token (VALUE_NUMBER_INT) not of boolean type`},
		{"number", "boolean", `1.5`, misfit + `Current token (VALUE_NUMBER_FLOAT) not of boolean type`},

		{"number", "string", `1.50`, `"1.50"`}, {"boolean", "string", `true`, `"true"`}, {"object", "string", `{"a":1}`, root}, {"array", "varchar(3)", `[1]`, root},
		{"text", "binary", `"ä"`, `"ä"`}, {"number", "char(1)", `12`, `"1"`},

		{"array", "array<int>", `[1,null]`, `[1 null]`}, {"scalar", "array<int>", `5`, array}, {"object", "array<int>", `{}`, array},
		{"scalar", "struct<a:int>", `5`, object}, {"array", "struct<a:int>", `[5]`, object}, {"text", "map<string,int>", `"x"`, object},

		{"folded", "struct<ab:struct<cd:int>>", `{"AB":{"Cd":1}}`, `{ab:{cd:1}}`}, {"keys keep their case", "map<string,int>", `{"A":1,"a":2}`, `["A"=1 "a"=2]`},
		{"keys are converted", "map<int,int>", `{"1":1}`, `[1=1]`}, {"no dots", "struct<a_b:int>", `{"a.b":1}`, `{a_b:null}`},
		{"key twice", "struct<a:int>", `{"a":1,"A":2}`, `{a:2}`}, {"key twice", "map<string,int>", `{"A":1,"A":2}`, `["A"=2]`},

		{"date", "date", `"2020-1-31"`, `2020-01-31`}, {"date", "date", `"2020-02-31"`, `2020-03-02`}, {"date", "date", `"2020-13-01"`, root}, {"date", "date", `5`, root},
		{"timestamp", "timestamp", `"2018-2-7 18:32:08.1"`, `2018-02-07 18:32:08.1`}, {"timestamp", "timestamp", `"2018-02-07T18:32:08Z"`, root},
		{"timestamp", "timestamp", `"2018-13-07 18:32:08"`, root}, {"timestamp", "timestamp", `1518033528`, root}, {"timestamp", "timestamp", `{}`, root},
	}, plainHive)
}

// Patterns are tried in their order, and a number is as good as a text.
func TestHiveTimestampFormats(t *testing.T) {
	const root = `! One or more fields have incorrect format. Exception when validating field (root)`
	testRules(t, []rule{
		{"first", "timestamp", `"2018-02-07T18:32:08Z"`, `2018-02-07 18:32:08`},
		{"second", "timestamp", `"20180207"`, `2018-02-07 00:00:00`}, {"second", "timestamp", `20180207`, `2018-02-07 00:00:00`},
		{"millis", "timestamp", `1518033528123`, `2018-02-07 19:58:48.123`}, {"millis", "timestamp", `"-1"`, `1969-12-31 23:59:59.999`},
		{"none", "timestamp", `"2018-02-07 18:32:08"`, root}, {"none", "timestamp", `true`, root}, {"too late", "timestamp", `1e15`, root},
	}, func(s *column.Type) (*Reader, error) {
		return NewHive(s, Hive{TimestampFormats: []string{"yyyy-MM-dd'T'HH:mm:ssZ", "yyyyMMdd", "millis"}})
	})
}

// What Joda-Time 2 makes of patterns.
func TestJodaPatterns(t *testing.T) {
	const refused = "refused"
	for _, tt := range []struct{ pattern, text, want string }{
		{"yyyy-MM-dd HH:mm:ss", "2018-02-07 18:32:08", "2018-02-07 18:32:08"}, {"yyyy-MM-dd HH:mm:ss", "2018-2-7 8:2:8", "2018-02-07 08:02:08"},
		{"yyyy-MM-dd", "2018-02-30", refused}, {"yyyy-MM-dd", "2018-02-07 ", refused}, {"yyyy-MM-dd", "2018-13-01", refused}, {"yyyy-MM-dd", "2018-02", refused},
		{"yyyyMMddHHmmss", "20180207183208", "2018-02-07 18:32:08"}, {"y", "2018", "2018-01-01 00:00:00"}, {"Y", "2018", "2018-01-01 00:00:00"},
		{"yyyy", "20180", refused}, {"yyyy", "0", refused}, {"yyyy", "-5", refused},
		{"dd/MM/yy", "07/02/18", "2018-02-07 00:00:00"}, {"dd/MM/yy", "07/02/46", "1946-02-07 00:00:00"}, {"dd/MM/yy", "07/02/45", "2045-02-07 00:00:00"},
		{"dd/MM/yy", "07/02/2018", "2018-02-07 00:00:00"}, {"dd/MM/yy", "07/02/7", "0007-02-07 00:00:00"},
		{"yyMMdd", "180207", "2018-02-07 00:00:00"}, {"yyM", "8", refused}, {"yyM", "+1812", refused}, {"yy", "+18", "0018-01-01 00:00:00"},
		{"HH:mm", "18:32", "1970-01-01 18:32:00"}, {"HH", "24", refused}, {"kk", "24", "1970-01-01 00:00:00"}, {"k", "0", refused},
		{"hh:mm a", "12:30 AM", "1970-01-01 00:30:00"}, {"hh:mm a", "12:30 pm", "1970-01-01 12:30:00"}, {"h a", "13 PM", refused},
		{"KK a", "11 PM", "1970-01-01 23:00:00"}, {"a", "pm", "1970-01-01 12:00:00"}, {"h", "3", "1970-01-01 03:00:00"}, {"a", "xm", refused},
		{"ss.SSS", "08.123", "1970-01-01 00:00:08.123"}, {"ss.SSS", "08.5", "1970-01-01 00:00:08.5"}, {"ss.S", "08.55", refused},
		{"ss.SSSSSSSSS", "08.123456789", "1970-01-01 00:00:08.123"}, {"ss.SSSSSSSSSSSS", "08.123456789123", "1970-01-01 00:00:08.123"},
		{"D yyyy", "366 2020", "2020-12-31 00:00:00"}, {"D yyyy", "366 2019", refused}, {"DDD", "032", "1970-02-01 00:00:00"},
		{"xxxx-'W'ww-e", "2020-W53-7", "2021-01-03 00:00:00"}, {"xxxx-'W'ww-e", "2021-W53-1", refused}, {"xxxx-'W'ww", "2018-W06", "2018-02-08 00:00:00"},
		{"EEE, dd MMM yyyy HH:mm:ss Z", "Wed, 07 Feb 2018 18:32:08 +0130", "2018-02-07 17:02:08"}, {"EEEE d MMMM yyyy", "wednesday 7 FEBRUARY 2018", "2018-02-07 00:00:00"},
		{"EEE dd.MM.yyyy", "Mon 07.02.2018", "2018-02-05 00:00:00"}, {"MMM", "Fev", refused}, {"MMM", "May", "1970-05-01 00:00:00"}, {"MMMM", "May", "1970-05-01 00:00:00"},
		{"G yyyy", "AD 2018", "2018-01-01 00:00:00"}, {"G yyyy", "BC 2018", refused}, {"C", "20", "2070-01-01 00:00:00"},
		{"yyyy'T'''dd", "2018t'07", "2018-01-07 00:00:00"}, {"'a'", "a", "1970-01-01 00:00:00"}, {"yyyy'x", "2018x", "2018-01-01 00:00:00"},
		{"HHZ", "18Z", "1970-01-01 18:00:00"}, {"HHZ", "18+05", "1970-01-01 13:00:00"}, {"HHZZ", "18-05:30", "1970-01-01 23:30:00"}, {"HHZ", "18+053015", "1970-01-01 12:29:45"},
		{"HHZ", "18+2400", refused}, {"HHZ", "18", refused}, {"HHZ", "18+5", refused}, {"HHZ", "18+05:60", refused},
		{"yyyy-MM-dd HH ZZZ", "2018-07-07 18 Europe/Berlin", "2018-07-07 16:00:00"}, {"yyyy-MM-dd HH ZZZ", "2018-01-07 18 America/New_York", "2018-01-07 23:00:00"},
		{"HH ZZZ", "18 UTC", "1970-01-01 18:00:00"}, {"HH ZZZ", "18 +02:00", "1970-01-01 16:00:00"}, {"HH ZZZ", "18 Nowhere/Land", refused}, {"HH ZZZ", "18 Local", refused},
		{"HH ZZZ", "18 ../../etc/passwd", refused}, {"HH ZZZ", "18 " + strings.Repeat("A", 200), refused},
		{"yyyy-MM-dd HH z", "2018-07-07 18 PST", "2018-07-08 01:00:00"}, {"HH z", "18 GMT", "1970-01-01 18:00:00"}, {"HH z", "18 CET", refused},
		{"yyyy-MM-dd HH:mm ZZZ", "2018-03-25 02:30 Europe/Berlin", refused}, {"yyyy-MM-dd HH:mm ZZZ", "2018-10-28 02:30 Europe/Berlin", "2018-10-28 00:30:00"},
		{"yyyy-MM-dd", "", refused},
	} {
		t.Run(tt.pattern+" "+tt.text, func(t *testing.T) {
			j, err := compileJoda(tt.pattern, 1996)
			if err != nil {
				t.Fatal(err)
			}
			got, z := refused, zones{}
			if at, ok := j.parse(&z, []byte(tt.text)); ok {
				v := parsed(t, "struct<a:timestamp>")
				b := column.NewBatch(v)
				b.Begin()
				b.Columns[0].Time(at.seconds, at.nanos)
				b.End()
				got = dump(t, b)[0]
			}
			if got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

// What is no pattern of Joda's is refused when a stream is created.
func TestTimestampFormatsAreChecked(t *testing.T) {
	if err := CheckTimestampFormats([]string{"millis", "yyyy-MM-dd'T'HH:mm:ss.SSSZZ", "GCxYyMwEeDdahHkKmsSzZ", "'unclosed"}); err != nil {
		t.Error(err)
	}
	for _, formats := range [][]string{
		{"yyyy-MM-dd", "b"}, {""}, {"yyyy-MM-ddTHH:mm"}, {"u"}, {"XXX"}, {"L"}, {strings.Repeat("y", maxPattern+1)}, make([]string, maxFormats+1),
	} {
		err := CheckTimestampFormats(formats)
		if !errors.Is(err, ErrInvalidOptions) || !strings.HasPrefix(err.Error(), "One or more SerDe options are invalid for org.apache.hcatalog.data.JsonSerDe: [Key: timest") {
			t.Errorf("%.60q: %v", formats, err)
		}
		if _, err := NewHive(parsed(t, "struct<a:int>"), Hive{TimestampFormats: formats}); !errors.Is(err, ErrInvalidOptions) {
			t.Errorf("%.60q: a reader was made, %v", formats, err)
		}
	}
	err := CheckTimestampFormats([]string{"yyyy-MM-ddTHH:mm"})
	const want = "One or more SerDe options are invalid for org.apache.hcatalog.data.JsonSerDe: [Key: timestamp.formats, Value: yyyy-MM-ddTHH:mm, Reason: Illegal pattern component: T]"
	if err.Error() != want {
		t.Errorf("got %s", err)
	}
}

// Two digits of a year stand for one around that of the pivot.
func TestTwoDigitsOfAYear(t *testing.T) {
	j := &joda{pivot: 1996}
	for two, want := range map[int]int{0: 2000, 45: 2045, 46: 1946, 99: 1999} {
		if got := j.century(two); got != want {
			t.Errorf("%d is %d, want %d", two, got, want)
		}
	}
}

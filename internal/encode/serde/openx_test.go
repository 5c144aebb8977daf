package serde

import (
	"strings"
	"testing"
)

// The rules of the OpenX deserializer for null and numbers (spec section 6.3), one row each.
func TestOpenXNumbers(t *testing.T) {
	const input = `! Data does not match the schema. For input string: `
	testRules(t, []rule{
		{"null", "int", `null`, `null`},
		{"null", "array<int>", `null`, `null`},
		{"null", "map<string,int>", `null`, `null`},
		{"null", "struct<a:int>", `null`, `null`},
		{"null", "string", `null`, `null`},

		{"number", "tinyint", `127`, `127`}, {"number", "smallint", `-32768`, `-32768`}, {"number", "int", `2147483647`, `2147483647`},
		{"number", "bigint", `-9223372036854775808`, `-9223372036854775808`}, {"number", "bigint", `9223372036854775807`, `9223372036854775807`},
		{"minus zero", "int", `-0`, `0`}, {"minus zero", "double", `-0`, `-0`},
		{"too large", "tinyint", `300`, input + `"300"`}, {"too large", "smallint", `32768`, input + `"32768"`},
		{"too large", "int", `-2147483649`, input + `"-2147483649"`}, {"too large", "bigint", `9223372036854775808`, input + `"9223372036854775808"`},
		{"too large", "bigint", `18446744073709551617`, input + `"18446744073709551617"`},
		{"too large", "bigint", `100000000000000000000000`, input + `"100000000000000000000000"`},
		{"fraction", "int", `1.0`, input + `"1.0"`}, {"exponent", "bigint", `1e3`, input + `"1e3"`},
		{"boolean", "int", `true`, input + `"true"`}, {"object", "int", `{ "a":1}`, input + `"{ "a":1}"`},

		{"text", "int", `"12"`, `12`}, {"text", "int", `"+12"`, `12`}, {"text", "int", `"-007"`, `-7`}, {"text", "tinyint", `"0x1F"`, `31`},
		{"text", "int", `"abc"`, input + `"abc"`}, {"text", "int", `""`, input + `""`}, {"text", "int", `" 1"`, input + `" 1"`},
		{"text", "int", `"1.5"`, input + `"1.5"`}, {"text", "int", `"1_0"`, input + `"1_0"`}, {"text", "tinyint", `"128"`, input + `"128"`},
		{"text", "bigint", `"9223372036854775807"`, `9223372036854775807`}, {"text", "int", `"\u0031\u0032"`, `12`},

		{"number", "double", `1.5`, `1.5`}, {"number", "double", `12345678901234567890`, `1.2345678901234567e+19`},
		{"number", "double", `0.1e-2`, `0.001`}, {"number", "double", `5e-324`, `5e-324`}, {"number", "double", `1e23`, `1e+23`},
		{"number", "float", `0.1`, `0.10000000149011612`}, {"number", "double", `9007199254740993`, `9.007199254740992e+15`},
		{"rounded once", "double", `9007199254740993e-2`, `9.007199254740994e+13`},
		{"too large", "double", `1e400`, input + `"1e400"`}, {"too large", "float", `1e39`, input + `"1e39"`},
		{"text", "double", `"12.50"`, `12.5`}, {"text", "double", `" 1e2d "`, `100`}, {"text", "double", `".5"`, `0.5`}, {"text", "double", `"5."`, `5`},
		{"text", "double", `"NaN"`, `NaN`}, {"text", "float", `"-Infinity"`, `-Inf`}, {"text", "double", `"inf"`, input + `"inf"`},
		{"text", "float", `"+Infinity"`, `+Inf`}, {"text", "double", `"1e400"`, input + `"1e400"`}, {"text", "double", `"x"`, input + `"x"`}, {"text", "double", `""`, input + `""`}, {"text", "double", `"1_0"`, input + `"1_0"`},
		{"boolean", "double", `false`, input + `"false"`},

		{"number", "decimal(5,2)", `123.45`, `123.45`}, {"whole", "decimal(5,2)", `7`, `7.00`}, {"negative", "decimal(5,2)", `-0.5`, `-0.50`},
		{"half up", "decimal(5,2)", `1.005`, `1.01`}, {"half up", "decimal(5,2)", `-1.005`, `-1.01`}, {"down", "decimal(5,2)", `1.00499999999999999999999999`, `1.00`},
		{"half up", "decimal(3,0)", `0.5`, `1`}, {"half up", "decimal(38,2)", `0.00500000000000000000000000000000000000000000`, `0.01`},
		{"exponent", "decimal(5,2)", `1.5e2`, `150.00`}, {"exponent", "decimal(38,0)", `1e19`, `10000000000000000000`}, {"exponent", "decimal(38,0)", `12e20`, `1200000000000000000000`},
		{"exponent", "decimal(38,19)", `5e-20`, `0.0000000000000000001`}, {"exponent", "decimal(38,19)", `49e-21`, `0.0000000000000000000`}, {"exponent", "decimal(5,2)", `1e-300`, `0.00`}, {"exponent", "decimal(10,2)", `0e999999999`, `0.00`},
		{"too large", "decimal(5,2)", `1000`, input + `"1000"`}, {"too large by rounding", "decimal(5,2)", `999.995`, input + `"999.995"`},
		{"too large", "decimal(38,0)", `1e38`, input + `"1e38"`}, {"too large", "decimal(38,38)", `1`, input + `"1"`},
		{"all digits", "decimal(38,0)", strings.Repeat("9", 38), strings.Repeat("9", 38)},
		{"all digits", "decimal(38,0)", "-" + strings.Repeat("9", 38) + ".4", "-" + strings.Repeat("9", 38)},
		{"one too many", "decimal(38,0)", strings.Repeat("9", 38) + ".5", input + `"` + strings.Repeat("9", 38) + `.5"`},
		{"one too many", "decimal(38,0)", strings.Repeat("4", 39), input + `"` + strings.Repeat("4", 39) + `"`},
		{"text", "decimal(5,2)", `"12.345"`, `12.35`}, {"text", "decimal(5,2)", `"+.5"`, `0.50`}, {"text", "decimal(5,2)", `"1,5"`, input + `"1,5"`},
	}, defaultOpenX)
}

// The other rules of the OpenX deserializer: of booleans, texts, and what is nested.
func TestOpenXRules(t *testing.T) {
	const input = `! Data does not match the schema. For input string: `
	const object = `! Data does not match the schema. Data is not JSONObject  but `
	testRules(t, []rule{
		{"boolean", "boolean", `true`, `true`}, {"boolean", "boolean", `false`, `false`}, {"text", "boolean", `"TRUE"`, `true`},
		{"text", "boolean", `"false"`, `false`}, {"text", "boolean", `"yes"`, `false`}, {"number", "boolean", `1`, input + `"1"`},

		{"text", "string", `"a\"\\\/\b\f\n\r\t\u00e4\ud83d\ude00"`, `"a\"\\/\b\f\n\r\tä😀"`}, {"text", "string", `"ünïcode"`, `"ünïcode"`},
		{"half a pair", "string", `"\ud800x\udc00"`, "\"\ufffdx\ufffd\""}, {"half a pair", "string", `"\ud800\ud83d\ude00"`, "\"\ufffd😀\""},
		{"empty", "string", `""`, `""`}, {"NUL", "string", `"\u0000"`, `"\x00"`},
		{"number", "string", `1.50`, `"1.50"`}, {"number", "string", `-1E5`, `"-1E5"`}, {"boolean", "string", `true`, `"true"`}, {"boolean", "string", `false`, `"false"`},
		{"object", "string", ` { "A" : [ 1 , {"B\u0042": "C\u0043\n"} ] , "x":null}`, `"{\"a\":[1,{\"bb\":\"CC\\n\"}],\"x\":null}"`},
		{"controls", "string", `["\b\f\r\t\u0001\u001f\/"]`, `"[\"\\b\\f\\r\\t\\u0001\\u001f/\"]"`},
		{"array", "string", `[ 1, "a" ,[ ],{ }]`, `"[1,\"a\",[],{}]"`},
		{"key twice", "string", `{"a":1,"b":{"x":1,"X":2},"A":[3]}`, `"{\"a\":[3],\"b\":{\"x\":2}}"`},
		{"too long", "varchar(3)", `"äöüß"`, `"äöü"`}, {"too long", "char(2)", `12345`, `"12"`}, {"fits", "varchar(4)", `"äöüß"`, `"äöüß"`},
		{"too long", "varchar(4)", `{"a": "b"}`, `"{\"a\""`}, {"not padded", "char(5)", `"a"`, `"a"`},

		{"array", "array<int>", `[1,null,"3"]`, `[1 null 3]`}, {"empty", "array<int>", `[ ]`, `[]`},
		{"scalar", "array<int>", `5`, `[5]`}, {"scalar", "array<string>", `"a"`, `["a"]`}, {"scalar", "array<array<int>>", `[1,[2]]`, `[[1] [2]]`},
		{"object", "array<struct<a:int>>", `{"a":1}`, `[{a:1}]`},
		{"bad element", "array<int>", `[1,"b"]`, input + `"b"`},

		{"object", "map<string,int>", `{"A":1,"ÄB":null}`, `["a"=1 "äb"=null]`}, {"empty", "map<string,int>", `{}`, `[]`},
		{"keys", "map<int,string>", `{"1":"a","-2":"b"}`, `[1="a" -2="b"]`}, {"bad key", "map<int,string>", `{"x":"a"}`, input + `"x"`},
		{"keys", "map<timestamp,map<double,boolean>>", `{"0":{"1.5":true}}`, `[1970-01-01 00:00:00=[1.5=true]]`},
		{"key twice", "map<string,int>", `{"a":1,"b":2,"A":3}`, `["a"=3 "b"=2]`}, {"key twice", "map<int,int>", `{"1":1,"01":2}`, `[1=2]`},
		{"key twice", "map<decimal(3,1),int>", `{"1":1,"1.0":2}`, `[1.0=2]`}, {"key twice", "map<double,int>", `{"1":1,"1.0":2}`, `[1=2]`},
		{"key twice", "map<timestamp,int>", `{"0":1,"1970-01-01T00:00:00Z":2}`, `[1970-01-01 00:00:00=2]`},
		{"key twice", "map<double,int>", `{"NaN":1,"0":2,"-0":3,"+NaN":4}`, `[NaN=4 0=2 -0=3]`},
		{"key twice", "map<varchar(1),int>", `{"ab":1,"ac":2}`, `["a"=2]`},
		{"key twice", "map<string,map<string,int>>", `{"a":{"x":1,"x":2},"a":{"y":3,"y":4}}`, `["a"=["y"=4]]`},
		{"scalar", "map<string,int>", `42`, object + `java.lang.Long with value 42`},

		{"object", "struct<a:int,b:string>", `{"B":"x","other":[{}],"A":1}`, `{a:1 b:"x"}`}, {"empty", "struct<a:int,b:string>", `{}`, `{a:null b:null}`},
		{"array", "struct<a:int,b:string>", `[1,"x",{"more":1}]`, `{a:1 b:"x"}`}, {"short array", "struct<a:int,b:struct<c:int>>", `[1]`, `{a:1 b:null}`},
		{"key twice", "struct<a:int,b:struct<c:int>>", `{"b":{"c":1},"a":1,"A":2,"b":{}}`, `{a:2 b:{c:null}}`},
		{"key twice, bad first", "struct<a:int>", `{"a":"x","a":2}`, `{a:2}`},
		{"key twice, bad last", "struct<a:int>", `{"a":2,"a":"x"}`, input + `"x"`},
		{"scalar", "struct<a:int>", `42`, object + `java.lang.Long with value 42`}, {"scalar", "struct<a:int>", `4.2`, object + `java.lang.Double with value 4.2`},
		{"scalar", "struct<a:int>", `"x"`, object + `java.lang.String with value x`}, {"scalar", "struct<a:int>", `true`, object + `java.lang.Boolean with value true`},
		{"array", "map<string,int>", `[1]`, object + `org.openx.data.jsonserde.json.JSONArray with value [1]`},
	}, defaultOpenX)
}

// Timestamps and dates of OpenX (spec section 6.3).
func TestOpenXTimes(t *testing.T) {
	const input = `! Data does not match the schema. For input string: `
	var rules []rule
	for text, want := range map[string]string{
		`"2018-02-07 18:32:08"`: "2018-02-07 18:32:08", `"2018-2-7 8:2:8.1"`: "2018-02-07 08:02:08.1",
		`"2018-02-07 18:32:08.123456789"`: "2018-02-07 18:32:08.123456789", `"2018-13-32 25:61:61"`: "2019-02-02 02:02:01",
		`"2018-02-07T18:32:08Z"`: "2018-02-07 18:32:08", `"2018-02-07T18:32:08"`: "2018-02-07 18:32:08",
		`"2018-02-07T18:32:08.000000001Z"`: "2018-02-07 18:32:08.000000001", `"2020-02-29T23:59:59.9"`: "2020-02-29 23:59:59.9",
		`1518033528`: "2018-02-07 19:58:48", `"1518033528"`: "2018-02-07 19:58:48", `1518033528123`: "2018-02-07 19:58:48.123",
		`1518033528.123`: "2018-02-07 19:58:48.123", `"1518033528.123"`: "2018-02-07 19:58:48.123", `1.518033528123e9`: "2018-02-07 19:58:48.123",
		`1518033528123.5`: "2018-02-07 19:58:48.1235", `999999999999`: input + `"999999999999"`, `1000000000000`: "2001-09-09 01:46:40",
		`0`: "1970-01-01 00:00:00", `-1`: "1969-12-31 23:59:59", `-0.25`: "1969-12-31 23:59:59.75", `-1518033528123`: "1921-11-24 04:01:11.877",
		`253402300799`: "9999-12-31 23:59:59", `253402300800`: input + `"253402300800"`, `-62135596801`: input + `"-62135596801"`,
		`1e30`: input + `"1e30"`, `1e300`: input + `"1e300"`, `9223372036854775807`: input + `"9223372036854775807"`,
		`"2018-02-07T18:32:08+00:00"`: input + `"2018-02-07T18:32:08+00:00"`, `"2018-02-30T00:00:00Z"`: input + `"2018-02-30T00:00:00Z"`,
		`"2018-02-07T24:00:00Z"`: input + `"2018-02-07T24:00:00Z"`, `"2018-2-7T18:32:08Z"`: input + `"2018-2-7T18:32:08Z"`,
		`"2018-02-07T18:32:08.Z"`: input + `"2018-02-07T18:32:08.Z"`, `"2018-02-07 18:32:08.1234567890"`: input + `"2018-02-07 18:32:08.1234567890"`,
		`"2018-02-07 18:32:08Z"`: input + `"2018-02-07 18:32:08Z"`, `"2018-02-07"`: input + `"2018-02-07"`, `""`: input + `""`, `true`: input + `"true"`,
		`"0000-01-01 00:00:00"`: input + `"0000-01-01 00:00:00"`, `"18-02-07 18:32:08"`: input + `"18-02-07 18:32:08"`,
	} {
		rules = append(rules, rule{"timestamp", "timestamp", text, want})
	}
	for text, want := range map[string]string{
		`"2018-02-07"`: "2018-02-07", `"2018-2-7"`: "2018-02-07", `"2018-02-30"`: "2018-03-02", `"2018-13-01"`: "2019-01-01", `"1969-12-31"`: "1969-12-31",
		`"2018-02-07 00:00:00"`: input + `"2018-02-07 00:00:00"`, `"x"`: input + `"x"`, `17569`: input + `"17569"`, `"0000-00-00"`: input + `"0000-00-00"`,
	} {
		rules = append(rules, rule{"date", "date", text, want})
	}
	testRules(t, rules, defaultOpenX)
}

// Columns find their keys as the options say.
func TestOpenXKeys(t *testing.T) {
	all := OpenX{CaseInsensitive: true, ConvertDots: true}
	mapped := OpenX{CaseInsensitive: true, Mappings: map[string]string{"TS": "TimeStamp", "Ünï": "a.b"}}
	for _, tt := range []struct {
		name    string
		options OpenX
		schema  string
		json    string
		want    string
	}{
		{"folded at every depth", openX, "struct<ab:array<struct<cd:int>>,m:map<string,string>>", `{"AB":[{"cD":1}],"M":{"X":{"Y":1}}}`, `[{cd:1}]|["x"="{\"y\":1}"]`},
		{"folded beyond ASCII", openX, "struct<`ünï`:int>", `{"ÜNÏ":1}`, `1`},
		{"folded behind an escape", openX, "struct<ab:int>", `{"A\u0042":1}`, `1`},
		{"exact", OpenX{}, "struct<ab:int,c:struct<d:int>,m:map<string,string>>", `{"AB":1,"c":{"D":1,"d":2},"m":{"X":{"Y":1}}}`, `null|{d:2}|["X"="{\"Y\":1}"]`},
		{"exact", OpenX{}, "struct<ab:int>", `{"AB":1,"ab":2,"aB":3}`, `2`},
		{"dots", all, "struct<a_b:int,c:struct<d_e_f:int>,m:map<string,int>>", `{"A.b":1,"c":{"d.e_f":2},"m":{"x.y":3}}`, `1|{d_e_f:2}|["x.y"=3]`},
		{"dots off", openX, "struct<a_b:int>", `{"a.b":1}`, `null`},
		{"mapped", mapped, "struct<ts:int,`ünï`:int>", `{"timestamp":1,"A.B":2,"ts":3}`, `1|2`},
		{"mapped, exact", OpenX{Mappings: map[string]string{"ts": "Time"}}, "struct<ts:int>", `{"time":1,"Time":2}`, `2`},
		{"mapped in structs", mapped, "struct<s:struct<ts:int>>", `{"s":{"TIMESTAMP":1}}`, `{ts:1}`},
		{"one key for two", OpenX{CaseInsensitive: true, Mappings: map[string]string{"a": "x", "b": "x"}}, "struct<a:int,b:string,x:double>", `{"X":7}`, `7|"7"|7`},
		{"one key for two, twice", OpenX{CaseInsensitive: true, Mappings: map[string]string{"a": "x"}}, "struct<a:int,x:struct<b:int>>", `{"X":{},"x":null}`, `null|null`},
		{"mapped with dots", OpenX{ConvertDots: true, Mappings: map[string]string{"a": "x.y"}}, "struct<a:int>", `{"x.y":1}`, `1`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			schema := parsed(t, tt.schema)
			r, err := NewOpenX(schema, tt.options)
			if err != nil {
				t.Fatal(err)
			}
			for range 2 { // the second time keys are guessed
				rows, failures := read(t, r, schema, tt.json)
				same(t, rows, []string{tt.want})
				same(t, failures, nil)
			}
		})
	}
}

// Objects with other keys, or in another order, are read as well as those that were guessed.
func TestGuessesMayBeWrong(t *testing.T) {
	schema := parsed(t, "struct<a:int,b:int,c:int>")
	r, err := NewOpenX(schema, openX)
	if err != nil {
		t.Fatal(err)
	}
	rows, failures := read(t, r, schema, `{"a":1,"b":2,"c":3}{"a":1,"b" : 2,"c":3}{"a":1,"c":3}{"b":2}{"c":3,"b":2,"a":1}{}{"ab":1,"a":2}{"a":1,"b":2,"b":3,"c":3}{"a":1,"b":2,"c":3}`)
	same(t, rows, []string{"1|2|3", "1|2|3", "1|null|3", "null|2|null", "1|2|3", "null|null|null", "2|null|null", "1|3|3", "1|2|3"})
	same(t, failures, nil)

	if first := r.root.head.next; first == nil || string(first.raw) != `"a"` || string(first.next.raw) != `"b"` {
		t.Errorf("the next row is guessed to begin with %+v", first)
	}

	var many strings.Builder
	for i := range 1000 { // more keys than are remembered
		many.WriteString(`{"x` + strings.Repeat("y", i) + `":1,"A":5}`)
	}
	rows, failures = read(t, r, schema, many.String())
	if len(rows) != 1000 || rows[999] != "5|null|null" || len(failures) > 0 {
		t.Fatalf("%d rows, the last is %s; %d failures", len(rows), rows[len(rows)-1], len(failures))
	}
	if n := len(r.root.slots); n > 2*3+spareSlots {
		t.Fatalf("%d keys are remembered", n)
	}
}

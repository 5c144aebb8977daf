package serde

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"hydrant/internal/column"
)

// A record becomes a row for each of its documents, and each that fails has its own bytes
// and the text of spec section 6.6.
func TestRecordsBecomeRowsAndFailures(t *testing.T) {
	const primitive = "The input JSON contained a primitive at the top level. The top level must be an object or array."
	const bad = "Encountered malformed JSON. "
	for _, tt := range []struct {
		name, record   string
		rows, failures []string
	}{
		{"one", `{"a":1}`, []string{"1"}, nil},
		{"concatenated", `{"a":1}{"a":2}`, []string{"1", "2"}, nil},
		{"white space", " \t\r\n{\"a\":1}\n\n{ \"a\" : 2 }\n", []string{"1", "2"}, nil},
		{"empty", "", nil, []string{"The record was empty or contained only whitespace. <- "}},
		{"white space only", " \r\n", nil, []string{"The record was empty or contained only whitespace. <-  \r\n"}},
		{"one does not fit", `{"a":1} {"a":"oops"} {"a":3}`, []string{"1", "3"}, []string{`Data does not match the schema. For input string: "oops" <- {"a":"oops"}`}},
		{"primitives", `42 "x" true null {"a":1}`, []string{"1"}, []string{primitive + " <- 42", primitive + ` <- "x"`, primitive + " <- true", primitive + " <- null"}},
		{"array", `[{"a":1}]{"a":2}`, []string{"2"}, []string{`Data does not match the schema. Data is not JSONObject  but org.openx.data.jsonserde.json.JSONArray with value [{"a":1}] <- [{"a":1}]`}},
		{"cut short", `{"a":1}{"a":`, []string{"1"}, []string{bad + `Unexpected end-of-input: expected a value at [line: 1, column: 6] <- {"a":`}},
		{"cut in a text", "{\n\"a\":\"x", nil, []string{bad + "Unexpected end-of-input: was expecting closing quote for a string value at [line: 2, column: 7] <- {\n\"a\":\"x"}},
		{"what follows malformed JSON", `{"a":1}{"a":x}{"a":3}`, []string{"1"}, []string{bad + `Unrecognized token 'x': was expecting ('true', 'false' or 'null') at [line: 1, column: 6] <- {"a":x}{"a":3}`}},
		{"malformed behind a misfit", `{"a":"oops","b":tru}`, nil, []string{bad + `Unrecognized token 'tru': was expecting ('true', 'false' or 'null') at [line: 1, column: 17] <- {"a":"oops","b":tru}`}},
		{"a comma between", `{"a":1},{"a":2}`, []string{"1"}, []string{bad + `Unexpected character (',' (code 44)): expected a valid value (JSON String, Number, Array, Object or token 'null', 'true' or 'false') at [line: 1, column: 1] <- ,{"a":2}`}},
		{"no JSON", `hello world`, nil, []string{bad + `Unrecognized token 'hello': was expecting ('true', 'false' or 'null') at [line: 1, column: 1] <- hello world`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			schema := parsed(t, "struct<a:int>")
			r, err := NewOpenX(schema, openX)
			if err != nil {
				t.Fatal(err)
			}
			rows, failures := read(t, r, schema, tt.record)
			same(t, rows, tt.rows)
			same(t, failures, tt.failures)
		})
	}
}

// Each way to break JSON has its text, wherever it stands: in a column, in what is skipped,
// in what is rendered, and in a document that is read carefully.
func TestMalformedJSONIsNamed(t *testing.T) {
	schema := parsed(t, "struct<a:string,n:double,i:int,l:array<int>,m:map<string,int>,s:struct<x:int>>")
	r, err := NewOpenX(schema, openX)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ json, want string }{
		{`"a` + "\x01" + `"`, "Illegal unquoted character ((CTRL-CHAR, code 1)): has to be escaped using backslash to be included in string value"},
		{`"a` + "\n" + `"`, "Illegal unquoted character ((CTRL-CHAR, code 10)): has to be escaped using backslash to be included in string value"},
		{`"\x"`, "Unrecognized character escape ('x' (code 120))"}, {`"\u12G4"`, "Unexpected character ('G' (code 71)): expected a hex-digit for character escape sequence"},
		{"\"\xff\"", "Invalid UTF-8 start byte 0xff"}, {"\"ä\xc3\"", "Invalid UTF-8 start byte 0xc3"}, {"\"behind eight bytes \xff and before eight\"", "Invalid UTF-8 start byte 0xff"},
		{"\"behind eight bytes \x1f and before eight\"", "Illegal unquoted character"}, {`"behind eight bytes \y and before eight"`, "Unrecognized character escape"},
		{"\"\xed\xa0\x80\"", "Invalid UTF-8 start byte 0xed"},
		{`01`, "Invalid numeric value: Leading zeroes not allowed"}, {`-`, "expected digit (0-9) to follow minus sign, for valid numeric value"},
		{`1.`, "Decimal point not followed by a digit"}, {`1.x`, "Unexpected character ('x' (code 120)): Decimal point not followed by a digit"},
		{`1e`, "Exponent indicator not followed by a digit"}, {`+1`, "Unexpected character ('+' (code 43))"}, {`.5`, "Unexpected character ('.' (code 46))"},
		{`NaN`, "Unrecognized token 'NaN'"}, {`Infinity`, "Unrecognized token 'Infinity'"}, {`-Infinity`, "expected digit (0-9) to follow minus sign"},
		{`nul`, "Unrecognized token 'nul'"}, {`'a'`, "Unexpected character (''' (code 39))"}, {`{a:1}`, "Unexpected character ('a' (code 97)): was expecting double-quote to start field name"},
		{`{"a" 1}`, "was expecting a colon to separate field name and value"}, {`{"a":1,}`, "was expecting double-quote to start field name"},
		{`{"a":1 "b":2}`, "was expecting comma to separate Object entries"}, {`[1 2]`, "was expecting comma to separate Array entries"},
		{`[1,]`, "Unexpected character (']' (code 93)): expected a valid value"}, {`[1}`, "was expecting comma to separate Array entries"}, {`{"a":1]`, "was expecting comma to separate Object entries"},
		{`/* c */ 1`, "Unexpected character ('/' (code 47))"}, {"\xef\xbb\xbf1", "Unexpected character"},
		{strings.Repeat("[", 1000) + strings.Repeat("]", 1000), "Document nesting depth (1001) exceeds the maximum allowed (1000)"},
	} {
		for _, place := range []string{`{"skipped":%s}`, `{"a":[%s]}`, `{"a":{"x":%s}}`, `{"n":%s}`, `{"i":%s}`, `{"l":%s}`, `{"m":%s}`, `{"s":%s}`, `{"a":%s}`, `{"l":1,"l":1,"a":{"x":1,"x":%s}}`} {
			doc := fmt.Sprintf(place, tt.json)
			rows, failures := read(t, r, schema, `{"i":1}`+doc)
			if len(rows) != 1 || len(failures) != 1 || !strings.HasPrefix(failures[0], "Encountered malformed JSON. ") ||
				!strings.Contains(failures[0], tt.want) || !strings.HasSuffix(failures[0], " <- "+doc) {
				t.Errorf("%.60q: %d rows, %.300q, want %s", doc, len(rows), failures, tt.want)
			}
		}
	}
}

// A value of any length is shown in a message of bounded length.
func TestMessagesAreShort(t *testing.T) {
	schema := parsed(t, "struct<a:int>")
	r, err := NewOpenX(schema, openX)
	if err != nil {
		t.Fatal(err)
	}
	r.Append(column.NewBatch(schema), []byte(`{"a":"`+strings.Repeat("ä", 10000)+`"}`), func(doc []byte, e *Error) {
		if len(e.Message) > 600 || e.Code != CodeMalformed || !strings.HasSuffix(e.Message, `ä..."`) {
			t.Errorf("%s: %d bytes, %.1000s", e.Code, len(e.Message), e.Message)
		}
	})
}

// Objects may be as deep as Jackson takes them, whatever reads them.
func TestDeepDocuments(t *testing.T) {
	schema := parsed(t, "struct<a:string>")
	r, err := NewOpenX(schema, openX)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"a", "b"} {
		for depth, rows := range map[int]int{998: 2, 999: 2, 1000: 0} {
			doc := `{"` + key + `":` + strings.Repeat("[", depth) + strings.Repeat("]", depth) + `}`
			if got, _ := read(t, r, schema, doc+doc); len(got) != rows {
				t.Errorf("%s, %d deep: %d rows, want %d", key, depth+1, len(got), rows)
			}
		}
	}
}

func TestSchemasAndOptionsAreChecked(t *testing.T) {
	const want = "The schema is invalid. One or more columns have types that are not supported by org.openx.data.JsonSerDe"
	for _, typ := range []string{"binary", "array<map<string,struct<x:binary>>>", "map<binary,int>"} {
		schema := parsed(t, "struct<a:int,b:"+typ+">")
		_, err := NewOpenX(schema, openX)
		var e *Error
		if !errors.Is(err, ErrInvalidSchema) || !errors.As(err, &e) || e.Code != "DataFormatConversion.InvalidSchema" || err.Error() != want {
			t.Errorf("%s: %v", typ, err)
		}
		if _, err := NewHive(schema, Hive{}); err != nil {
			t.Errorf("%s: Hive: %v", typ, err)
		}
	}
	if _, err := NewOpenX(parsed(t, "array<int>"), openX); !errors.Is(err, ErrInvalidSchema) {
		t.Errorf("a schema without columns: %v", err)
	}
	for _, m := range []map[string]string{{"": "x"}, {"x": ""}, {"x": strings.Repeat("y", 1025)}, {"x": "y", "X": "z"}, {"x": "\xff"}} {
		_, err := NewOpenX(parsed(t, "struct<x:int>"), OpenX{Mappings: m})
		if !errors.Is(err, ErrInvalidOptions) || !strings.HasPrefix(err.Error(), "Invalid deserializer option(s): ") {
			t.Errorf("%.50q: %v", m, err)
		}
	}
}

// A record that was cut anywhere is malformed, and fails with all that is left of it.
func TestEveryCutIsMalformed(t *testing.T) {
	doc := `{"a":"x\u00e4ü","n":-1.5e+3,"i":12,"l":[1,[2]],"m":{"k":1,"k":2},"s":{"x":null},"a":{"y":[true,"\n"],"y":false},"z":{"z":[{}]}}`
	schema := parsed(t, "struct<a:string,n:double,i:int,l:array<array<int>>,m:map<string,int>,s:struct<x:int>,t:timestamp,d:decimal(5,2)>")
	for _, r := range bothReaders(t, schema) {
		for i := 1; i < len(doc); i++ {
			rows, failures := read(t, r, schema, doc[:i])
			if len(rows) > 0 || len(failures) != 1 || !strings.HasPrefix(failures[0], textMalformed) || !strings.HasSuffix(failures[0], " <- "+doc[:i]) {
				t.Fatalf("%s: %q, %q", doc[:i], rows, failures)
			}
		}
	}
}

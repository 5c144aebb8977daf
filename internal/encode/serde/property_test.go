package serde

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/go-json-experiment/json/jsontext"
	"pgregory.net/rapid"

	"hydrant/internal/column"
)

// writer makes up schemas, values of them, and JSON for those values, in one of the many
// ways it may be written.
type writer struct {
	t    *rapid.T
	fold bool // keys may be in any case
}

func (w *writer) chance(percent int) bool {
	return rapid.IntRange(1, 100).Draw(w.t, "chance") <= percent
}

func (w *writer) blank() string {
	return rapid.SampledFrom([]string{"", "", "", "", " ", "\n", "\t\r\n "}).Draw(w.t, "blank")
}

func (w *writer) schema(depth int) *column.Type {
	kinds := []column.Kind{
		column.Boolean, column.TinyInt, column.SmallInt, column.Int, column.BigInt, column.Float, column.Double, column.Decimal,
		column.String, column.Varchar, column.Char, column.Date, column.Timestamp, column.List, column.Map, column.Struct,
	}
	if depth == 0 {
		kinds = kinds[:len(kinds)-3]
	}
	t := &column.Type{Kind: rapid.SampledFrom(kinds).Draw(w.t, "kind")}
	switch t.Kind {
	case column.Decimal:
		t.Precision = rapid.IntRange(1, 38).Draw(w.t, "precision")
		t.Scale = rapid.IntRange(0, t.Precision).Draw(w.t, "scale")
	case column.Varchar, column.Char:
		t.Length = rapid.IntRange(1, 255).Draw(w.t, "length")
	case column.List:
		t.Elem = w.schema(depth - 1)
	case column.Map:
		t.Key, t.Elem = &column.Type{Kind: column.String}, w.schema(depth-1)
	case column.Struct:
		t.Fields = w.fields(depth - 1)
	}
	return t
}

func (w *writer) fields(depth int) (fields []column.Field) {
	names := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b", "id", "user_id", "ünï", "a\"b", "x.y", "ключ", "a_long_name_of_a_column"}), 1, 6, rapid.ID).Draw(w.t, "names")
	for _, name := range names {
		fields = append(fields, column.Field{Name: name, Type: w.schema(depth)})
	}
	return fields
}

// text writes a text, with escapes where none is needed too.
func (w *writer) text(s string) string {
	b := []byte{'"'}
	for _, c := range s {
		switch {
		case c < ' ' || c == '"' || c == '\\' || w.chance(5):
			if c > 0xffff {
				c -= 0x10000
				b = fmt.Appendf(b, `\u%04X\u%04x`, 0xd800+c>>10, 0xdc00+c&0x3ff)
			} else {
				b = fmt.Appendf(b, `\u%04x`, c)
			}
		default:
			b = append(b, string(c)...)
		}
	}
	return string(append(b, '"'))
}

// key writes a key, in another case if it may be.
func (w *writer) key(s string) string {
	if w.fold {
		s = strings.Map(func(c rune) rune {
			if up := unicode.ToUpper(c); unicode.ToLower(up) == c && w.chance(30) {
				return up
			}
			return c
		}, s)
	}
	return w.text(s)
}

// value makes up a value: as JSON, and as dump writes it.
func (w *writer) value(t *column.Type) (text, want string) {
	if w.chance(10) {
		return "null", "null"
	}
	switch t.Kind {
	case column.Boolean:
		text = strconv.FormatBool(rapid.Bool().Draw(w.t, "boolean"))
		return text, text
	case column.TinyInt, column.SmallInt, column.Int, column.BigInt:
		text = strconv.FormatInt(rapid.Int64Range(-int64(mostOf[t.Kind])-1, int64(mostOf[t.Kind])).Draw(w.t, "integer"), 10)
		return text, text
	case column.Float:
		f := rapid.Float32().Filter(func(f float32) bool { return f-f == 0 }).Draw(w.t, "float")
		return w.float(float64(f)), strconv.FormatFloat(float64(f), 'g', -1, 64)
	case column.Double:
		f := rapid.Float64().Filter(func(f float64) bool { return f-f == 0 }).Draw(w.t, "double")
		return w.float(f), strconv.FormatFloat(f, 'g', -1, 64)
	case column.Decimal:
		return w.decimal(t)
	case column.String, column.Varchar, column.Char:
		s := rapid.StringN(0, 30, -1).Draw(w.t, "text")
		if chars := []rune(s); t.Length > 0 && len(chars) > t.Length {
			return w.text(s), strconv.Quote(string(chars[:t.Length]))
		}
		return w.text(s), strconv.Quote(s)
	case column.Date:
		want = w.date()
		return w.text(want), want
	case column.Timestamp:
		want = fmt.Sprintf("%s %02d:%02d:%02d.%d", w.date(), rapid.IntRange(0, 23).Draw(w.t, "h"), rapid.IntRange(0, 59).Draw(w.t, "m"),
			rapid.IntRange(0, 59).Draw(w.t, "s"), rapid.IntRange(1, 9).Draw(w.t, "fraction"))
		return w.text(want), want
	}
	return w.nested(t)
}

func (w *writer) date() string {
	return fmt.Sprintf("%04d-%02d-%02d", rapid.IntRange(1, 9999).Draw(w.t, "year"), rapid.IntRange(1, 12).Draw(w.t, "month"), rapid.IntRange(1, 28).Draw(w.t, "day"))
}

func (w *writer) float(f float64) string {
	return strconv.FormatFloat(f, rapid.SampledFrom([]byte("efg")).Draw(w.t, "format"), -1, 64)
}

func (w *writer) decimal(t *column.Type) (text, want string) {
	digits := rapid.StringOfN(rapid.RuneFrom([]rune("0123456789")), t.Precision, t.Precision, -1).Draw(w.t, "digits")
	whole, fraction := strings.TrimLeft(digits[:t.Precision-t.Scale], "0"), digits[t.Precision-t.Scale:]
	if whole == "" {
		whole = "0"
	}
	sign := ""
	if strings.Trim(digits, "0") != "" && w.chance(50) {
		sign = "-"
	}
	text = sign + whole
	if t.Scale > 0 {
		text += "." + fraction
	}
	return text, text
}

func (w *writer) nested(t *column.Type) (text, want string) {
	var texts, wants []string
	if t.Kind == column.Struct {
		texts, wants = w.members(t)
		for i := range wants {
			wants[i] = t.Fields[i].Name + ":" + wants[i]
		}
		return "{" + strings.Join(texts, ",") + w.blank() + "}", "{" + strings.Join(wants, " ") + "}"
	}
	for i := range rapid.IntRange(0, 4).Draw(w.t, "many") {
		text, want := w.value(t.Elem)
		text = w.blank() + text + w.blank()
		if t.Kind == column.Map {
			key := "k" + strconv.Itoa(i)
			text, want = w.blank()+w.key(key)+w.blank()+":"+text, strconv.Quote(key)+"="+want
		}
		texts, wants = append(texts, text), append(wants, want)
	}
	text, want = strings.Join(texts, ","), "["+strings.Join(wants, " ")+"]"
	if t.Kind == column.Map {
		return "{" + text + "}", want
	}
	return "[" + text + "]", want
}

// members makes up the members of an object, in any order, some of them missing or twice,
// with others between them.
func (w *writer) members(t *column.Type) (texts, wants []string) {
	twice := false
	for _, f := range t.Fields {
		text, want := w.value(f.Type)
		if w.chance(10) {
			wants = append(wants, "null")
			continue
		}
		if w.chance(3) {
			twice = true
			texts = append(texts, w.key(f.Name)+":"+text)
			text, want = w.value(f.Type)
		}
		texts, wants = append(texts, w.blank()+w.key(f.Name)+w.blank()+":"+w.blank()+text), append(wants, want)
	}
	if !twice && len(texts) > 0 && w.chance(20) {
		texts = rapid.Permutation(texts).Draw(w.t, "order")
	}
	return w.others(texts), wants
}

func (w *writer) others(texts []string) []string {
	if w.chance(20) {
		other := rapid.SampledFrom([]string{`"zz":[1,{"a":"\u0041"}]`, `"":{}`, `"other":1e-5`, `"nul":null`}).Draw(w.t, "other")
		return append([]string{other}, texts...)
	}
	return texts
}

// However JSON is written, the vectors hold its values.
func TestVectorsHoldWhatJSONSays(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := &writer{t: rt, fold: rapid.Bool().Draw(rt, "fold")}
		schema := &column.Type{Kind: column.Struct, Fields: w.fields(3)}
		r, err := NewOpenX(schema, OpenX{CaseInsensitive: w.fold})
		if err != nil {
			rt.Fatal(err)
		}
		b := column.NewBatch(schema)
		var want []string
		for range rapid.IntRange(1, 5).Draw(rt, "records") {
			var record string
			for range rapid.IntRange(1, 3).Draw(rt, "documents") {
				texts, row := w.members(schema)
				record += w.blank() + "{" + strings.Join(texts, ",") + "}"
				want = append(want, strings.Join(row, "|"))
			}
			r.Append(b, []byte(record), func(doc []byte, e *Error) { rt.Fatalf("%s: %s", e.Message, doc) })
		}
		if got := dump(t, b); strings.Join(got, "\n") != strings.Join(want, "\n") {
			rt.Fatalf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	})
}

// valid asks another parser of the same strictness. It does not take halves of surrogate
// pairs, which this package does, and goes deeper, so such data is not compared.
func valid(data []byte) (ok, comparable bool) {
	dec := jsontext.NewDecoder(bytes.NewReader(data), jsontext.AllowDuplicateNames(true))
	for {
		_, err := dec.ReadValue()
		if errors.Is(err, io.EOF) {
			return true, true
		}
		if err != nil {
			return false, !strings.Contains(err.Error(), "surrogate")
		}
	}
}

// sameStrictness compares what is malformed here with what is malformed there.
func sameStrictness(t testing.TB, data []byte) {
	if bytes.Contains(bytes.ToLower(data), []byte(`\ud`)) || bytes.Count(data, []byte("["))+bytes.Count(data, []byte("{")) > maxDepth {
		return
	}
	want, comparable := valid(data)
	if !comparable || len(bytes.TrimSpace(data)) == 0 {
		return
	}
	for _, schema := range []string{"struct<a:string,b:array<struct<c:int>>,m:map<string,double>>", "struct<z:int>"} {
		typ := parsed(t, schema)
		for _, r := range bothReaders(t, typ) {
			got, zeros := true, false
			r.Append(column.NewBatch(typ), data, func(_ []byte, e *Error) {
				got, zeros = got && e.Code != CodeParse, strings.Contains(e.Message, "Leading zeroes")
			})
			if zeros && want {
				continue // 01 between documents is two numbers to jsontext, and an error to Jackson
			}
			if got != want {
				t.Fatalf("%q: valid is %v, and %v to jsontext", data, got, want)
			}
		}
	}
}

func bothReaders(t testing.TB, typ *column.Type) []*Reader {
	o, err := NewOpenX(typ, openX)
	if err != nil {
		t.Fatal(err)
	}
	h, err := NewHive(typ, Hive{})
	if err != nil {
		t.Fatal(err)
	}
	return []*Reader{o, h}
}

// JSON with a few bytes changed is malformed here if and only if it is to jsontext.
func TestStrictnessIsThatOfJSONText(t *testing.T) {
	bytes := []byte("{}[]\",:\\/ \t\n\r0123456789.-+eEtruefalsnbxuAF\x00\x1f\x7f\x80\xc3\xa4\xff")
	seeds := []string{
		`{"a":"text \u00e4\n","b":[{"c":12},{"c":-0}],"m":{"x":1.5e-3,"y":0.25},"other":[true,false,null,{}]}`,
		`{"a":{"x":[1,2,"ä\"\\"]}} {"b":{"c":1}}`, `[1,"two",3.0E+10]`, `-12.5e+3 "x" null`,
	}
	rapid.Check(t, func(rt *rapid.T) {
		data := []byte(rapid.SampledFrom(seeds).Draw(rt, "seed"))
		for range rapid.IntRange(0, 3).Draw(rt, "changes") {
			at := rapid.IntRange(0, len(data)-1).Draw(rt, "at")
			c := rapid.SampledFrom(bytes).Draw(rt, "byte")
			switch rapid.IntRange(0, 2).Draw(rt, "how") {
			case 0:
				data[at] = c
			case 1:
				data = append(data[:at], append([]byte{c}, data[at:]...)...)
			default:
				data = append(data[:at:at], data[min(at+1, len(data)):]...)
			}
			if len(data) == 0 {
				return
			}
		}
		sameStrictness(t, data)
	})
}

// What OpenX renders as text is valid JSON that means the same.
func TestRenderedTextMeansTheSame(t *testing.T) {
	schema := parsed(t, "struct<a:string>")
	r, err := NewOpenX(schema, OpenX{})
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(rt *rapid.T) {
		w := &writer{t: rt}
		typ := w.schema(3)
		text, _ := w.value(typ)
		if text[0] != '{' && text[0] != '[' {
			return
		}
		b := column.NewBatch(schema)
		r.Append(b, []byte(`{"a":`+text+`}`), func(doc []byte, e *Error) { rt.Fatalf("%s: %s", e.Message, doc) })
		var got, want any
		if err := json.Unmarshal(b.Columns[0].Value(0), &got); err != nil {
			rt.Fatalf("%s: %v", b.Columns[0].Value(0), err)
		}
		if err := json.Unmarshal([]byte(text), &want); err != nil {
			rt.Fatal(err)
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			rt.Fatalf("got %v, want %v", got, want)
		}
	})
}

package schema

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"maps"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"hydrant/internal/column"
)

// inferred is what is proposed for a sample; it fails if that is refused.
func inferred(t testing.TB, sample string) *Proposal {
	t.Helper()
	var i Inference
	if err := i.Read(strings.NewReader(sample)); err != nil {
		t.Fatalf("%s: %v", sample, err)
	}
	p, err := i.Propose(ProposalOptions{Name: "T"})
	if err != nil {
		t.Fatalf("%s: %v", sample, err)
	}
	return p
}

// columnsOf writes the columns in a line.
func columnsOf(p *Proposal) string {
	var all []string
	for _, c := range p.Table.Storage.Columns {
		all = append(all, c.Name+" "+c.Type)
	}
	return strings.Join(all, ", ")
}

// manyKeys is an object with so many keys.
func manyKeys(n int, value string) string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf(`"k%d":%s`, i, value))
	}
	return "{" + strings.Join(all, ",") + "}"
}

func TestColumnsFitTheSamples(t *testing.T) {
	for _, c := range []struct{ name, sample, want, notes string }{
		{"scalars", `{"a":true,"b":1,"c":1.5,"d":"x"}`, "a boolean, b int, c double, d string", ""},
		{"first and last of int", `{"a":2147483647,"b":-2147483647}`, "a int, b int", ""},
		{"beyond int", `{"a":2147483648,"b":1}{"b":9223372036854775807}`, "a bigint, b bigint", ""},
		{"beyond bigint", `{"a":9223372036854775808}`, "a decimal(38,0)", ""},
		{"beyond everything", `{"a":1234567890123456789012345678901234567890}`, "a double", ""},
		{"integers and fractions", `{"a":1}{"a":2.5}{"a":3000000000}`, "a double", ""},
		{"exponents", `{"a":1e3}`, "a double", ""},
		{"timestamps", `{"a":"2026-01-15T10:15:00Z","b":"2026-1-5 10:15:00.123","c":"2026-01-15T10:15:00.123456789Z"}`,
			"a timestamp, b timestamp, c timestamp", ""},
		{"almost timestamps", `{"a":"2026-01-15T10:15:00+01:00","b":"2026-13-15 10:15:00","c":"2026-01-15T10:15:00","d":"2026-01-15T10:15:00.1234567890Z"}`,
			"a string, b string, c string, d string", ""},
		{"dates", `{"a":"2026-01-15","b":"2026-02-30","c":"2026-1-5"}`, "a date, b string, c string", ""},
		{"dates and timestamps", `{"a":"2026-01-15"}{"a":"2026-01-15 10:15:00"}`, "a string", ""},
		{"nulls", `{"a":null,"b":null}{"a":1}`, "a int, b string", "b is null in all documents: string may not be its type"},
		{"order of first appearance", `{"b":1}{"a":1,"b":2}`, "b int, a int", ""},
		{"arrays", `{"a":[1,null,2],"b":[],"c":[[1],["x"]]}`, "a array<int>, b array<string>, c array<array<string>>",
			"b[] is null in all documents: string may not be its type; c[][] has values of different kinds (integers, texts): it becomes string"},
		{"structs", `{"a":{"B":1,"c":{"d":"x"}}}{"a":{"e":[{"f":true}]}}`, "a struct<b:int,c:struct<d:string>,e:array<struct<f:boolean>>>", ""},
		{"conflict", `{"a":1}{"a":"x"}`, "a string", "a has values of different kinds (integers, texts): it becomes string"},
		{"object or text", `{"a":{"b":1}}{"a":"x"}`, "a string", "a has values of different kinds (texts, objects): it becomes string"},
		{"keys that differ in case", `{"Id":1}{"ID":3000000000}`, "id bigint", ""},
		{"empty object", `{"a":{}}`, "a map<string,string>", "a{} is null in all documents: string may not be its type"},
		{"as many keys as names can be", `{"a":` + manyKeys(3, "1") + `}`, "a struct<k0:int,k1:int,k2:int>", ""},
		{"keys that are data", `{"a":` + manyKeys(33, "1.5") + `}`, "a map<string,double>", "a has many different keys with values of one kind: it becomes map"},
		{"keys of structs", `{"a":` + manyKeys(33, `{"x":1}`) + `}`, "a map<string,struct<x:int>>", "a has many different keys with values of one kind: it becomes map"},
		{"very many keys", `{"a":` + manyKeys(2000, "1") + `}{"a":{"z":"x"}}`, "a map<string,string>",
			"a has many different keys with values of one kind: it becomes map; a{} has values of different kinds (integers, texts): it becomes string"},
		{"twice the same key", `{"a":1,"a":"x"}`, "a string", "a has values of different kinds (integers, texts): it becomes string"},
		{"lines", "{\"a\":1}\n\n{\"a\":2}\r\n", "a int", ""},
	} {
		p := inferred(t, c.sample)
		if got := columnsOf(p); got != c.want {
			t.Errorf("%s: %s\nwant %s", c.name, got, c.want)
		}
		if got := strings.Join(p.Notes, "; "); got != c.notes {
			t.Errorf("%s: notes %s\nwant %s", c.name, got, c.notes)
		}
	}
}

// One struct less than a map: 32 keys stay a struct.
func TestThirtyTwoKeysAreNames(t *testing.T) {
	if got := columnsOf(inferred(t, `{"a":`+manyKeys(32, "1")+`}`)); !strings.HasPrefix(got, "a struct<") {
		t.Error(got)
	}
	mixed := strings.TrimSuffix(manyKeys(40, "1"), "}") + `,"last":"x"}`
	if got := columnsOf(inferred(t, `{"a":`+mixed+`}`)); !strings.HasPrefix(got, "a struct<") {
		t.Error(got)
	}
}

func TestNamesThatColumnsCannotHaveAreMapped(t *testing.T) {
	p := inferred(t, `{"user.id":1,"Content-Type":"x","content_type":"y","$ip":"z","":1,"ok":{"a.b":1,"c-d":2,"":3,"C-D":4}}`)
	const want = "user_id int, content_type string, content_type_2 string, _ip string, ok struct<a_b:int,`c-d`:int>"
	if got := columnsOf(p); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	options := OpenX{
		ConvertDotsInJSONKeysToUnderscores: true,
		ColumnToJSONKeyMappings:            map[string]string{"content_type": "Content-Type", "content_type_2": "content_type", "_ip": "$ip"},
	}
	if d := cmp.Diff(options, p.Options); d != "" {
		t.Error(d)
	}
	if len(p.Notes) != 2 || !strings.Contains(p.Notes[0], `the key ""`) || !strings.Contains(p.Notes[1], `the key "" of ok`) {
		t.Errorf("%q", p.Notes)
	}
}

func TestSamplesThatCannotBeUsedSayWhere(t *testing.T) {
	deep := strings.Repeat(`{"a":`, 66) + "1" + strings.Repeat("}", 66)
	for _, c := range []struct{ sample, want string }{
		{"", "no document has a key"},
		{"{}\n{}", "no document has a key"},
		{"{\"a\":1}\n{\"a\":}\n", "line 2, column 6: no JSON"},
		{"{\"a\":1}\n{\"a\":1", "line 2, column 7: the document does not end"},
		{"{\"a\":1}\n 5", "line 2, column 2: document 2 is not an object"},
		{"[{\"a\":1}]", "line 1, column 1: document 1 is not an object"},
		{"{\"a\":1}\n\nhello", "line 3, column 1: no JSON"},
		{deep, "values are nested more than 64 deep, in the document that ends at line 1"},
		{manyKeys(1025, "1"), "more than 1024 different keys"},
		{"\x1f\x8bno", "it begins like gzip, and is not"},
	} {
		var i Inference
		err := i.Read(strings.NewReader(c.sample))
		if err == nil {
			_, err = i.Propose(ProposalOptions{Name: "t"})
		}
		if !errors.Is(err, ErrSample) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.60s: %v", c.sample, err)
		}
	}
	var i Inference
	if err := i.Read(io.MultiReader(strings.NewReader(`{"a":`), broken{})); !errors.Is(err, errBroken) || errors.Is(err, ErrSample) {
		t.Errorf("a reader that fails: %v", err)
	}
}

var errBroken = errors.New("the disk is gone")

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errBroken }

func TestCompressedSamplesAreRead(t *testing.T) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte(`{"a":1}`)); err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	if got := columnsOf(inferred(t, b.String())); got != "a int" {
		t.Error(got)
	}
}

func TestVeryLargeSamplesAreReadInPart(t *testing.T) {
	p := inferred(t, strings.Repeat(`{"a":1}`, MaxDocuments)+`{"b":1}`)
	if p.Documents != MaxDocuments || columnsOf(p) != "a int" || len(p.Notes) != 1 {
		t.Errorf("%d documents, %s, %q", p.Documents, columnsOf(p), p.Notes)
	}
	line := `{"a":"` + strings.Repeat("x", 1<<20) + "\"}\n"
	p = inferred(t, strings.Repeat(line, 70))
	if p.Documents != 63 || len(p.Notes) != 1 || !strings.Contains(p.Notes[0], "64 MiB") {
		t.Errorf("%d documents, %q", p.Documents, p.Notes)
	}
}

// value draws a JSON value with few keys, so that documents meet.
func value(t *rapid.T, depth int) any {
	kinds := 7
	if depth == 0 {
		kinds = 5
	}
	switch rapid.IntRange(0, kinds-1).Draw(t, "kind") {
	case 0:
		return nil
	case 1:
		return rapid.Bool().Draw(t, "bool")
	case 2:
		return rapid.Int64().Draw(t, "integer")
	case 3:
		return rapid.Float64Range(-1e9, 1e9).Draw(t, "number")
	case 4:
		return rapid.SampledFrom([]string{"", "x", "2026-01-15", "2026-01-15 10:15:00", "2026-01-15T10:15:00Z"}).Draw(t, "text")
	case 5:
		var all []any
		for range rapid.IntRange(0, 3).Draw(t, "length") {
			all = append(all, value(t, depth-1))
		}
		return all
	}
	return document(t, depth-1)
}

func document(t *rapid.T, depth int) map[string]any {
	all := map[string]any{}
	for range rapid.IntRange(0, 4).Draw(t, "members") {
		all[rapid.SampledFrom([]string{"a", "b", "B", "c.d", "e-f", "g h"}).Draw(t, "key")] = value(t, depth)
	}
	return all
}

// What is proposed is a table that can be written as a statement, can be read back, and that
// does not depend on the order of the documents.
func TestProposalsAreTables(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var forth, back string
		for range rapid.IntRange(1, 5).Draw(t, "documents") {
			text, err := json.Marshal(document(t, 3), json.Deterministic(true))
			if err != nil {
				t.Fatal(err)
			}
			forth, back = forth+string(text), string(text)+back
		}
		var proposals [2]*Proposal
		for n, sample := range []string{forth, back} {
			var i Inference
			if err := i.Read(strings.NewReader(sample)); err != nil {
				t.Fatal(err)
			}
			p, err := i.Propose(ProposalOptions{Name: "t", Location: "s3://b/p"})
			if errors.Is(err, ErrSample) {
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			proposals[n] = p
			s, err := ParseDDL(DDL("d", &p.Table))
			if err != nil {
				t.Fatalf("%s\n%v", DDL("d", &p.Table), err)
			}
			if d := cmp.Diff(&p.Table, &s.Table); d != "" {
				t.Fatal(d)
			}
		}
		a, b := typesOf(t, proposals[0]), typesOf(t, proposals[1])
		if d := cmp.Diff(a, b); d != "" {
			t.Fatalf("%s\n%s", forth, d)
		}
	})
}

// typesOf are the columns with the fields of structs counted and not ordered.
func typesOf(t *rapid.T, p *Proposal) map[string]int {
	all := map[string]int{}
	for _, c := range p.Table.Storage.Columns {
		ty, err := column.ParseType(c.Type)
		if err != nil {
			t.Fatal(err)
		}
		maps.Copy(all, flat(c.Name, ty))
	}
	return all
}

func flat(path string, t *column.Type) map[string]int {
	all := map[string]int{path + " " + t.Kind.String(): 1}
	if t.Elem != nil {
		maps.Copy(all, flat(path+"[]", t.Elem))
	}
	for _, f := range t.Fields {
		maps.Copy(all, flat(path+"."+f.Name, f.Type))
	}
	return all
}

func FuzzInference(f *testing.F) {
	for _, s := range []string{`{"a":1}{"b":[{"c":null}]}`, "{\"a\":\n", `{"\u0000":{"":1}}`, "\x1f\x8b", `{"a":"\ud800"}`, "{\"\xff\":1}", manyKeys(40, "1")} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, sample []byte) {
		var i Inference
		err := i.Read(bytes.NewReader(sample))
		if err == nil {
			var p *Proposal
			if p, err = i.Propose(ProposalOptions{Name: "t"}); err == nil {
				if _, err := ParseDDL(DDL("", &p.Table)); err != nil {
					t.Fatalf("%s\n%v", DDL("", &p.Table), err)
				}
			}
		}
		if err != nil && !errors.Is(err, ErrSample) && !errors.Is(err, gzip.ErrChecksum) && !errors.Is(err, gzip.ErrHeader) && !errors.Is(err, io.ErrUnexpectedEOF) && !strings.Contains(err.Error(), "flate") {
			t.Fatal(err)
		}
	})
}

func BenchmarkInference(b *testing.B) {
	sample := strings.Repeat(`{"id":12345,"user":{"name":"somebody","tags":["a","b"]},"at":"2026-01-15T10:15:00Z","price":12.5}`+"\n", 1000)
	b.SetBytes(int64(len(sample)))
	b.ReportAllocs()
	for b.Loop() {
		var i Inference
		if err := i.Read(strings.NewReader(sample)); err != nil {
			b.Fatal(err)
		}
	}
}

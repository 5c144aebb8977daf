package schema

import (
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"pgregory.net/rapid"

	"hydrant/internal/column"
	"hydrant/internal/encode/serde"
)

// converted reads the sample as a stream does that converts to the proposed table with the
// proposed options, and returns its rows. What does not fit fails the test.
func converted(t rapid.TB, p *Proposal, sample string) []map[string]any {
	t.Helper()
	schema := &column.Type{Kind: column.Struct}
	for _, c := range p.Table.Storage.Columns {
		ty, err := column.ParseType(c.Type)
		if err != nil {
			t.Fatalf("%s: %v", sample, err)
		}
		schema.Fields = append(schema.Fields, column.Field{Name: c.Name, Type: ty})
	}
	r, err := serde.NewOpenX(schema, serde.OpenX{
		CaseInsensitive: true,
		ConvertDots:     p.Options.ConvertDotsInJSONKeysToUnderscores,
		Mappings:        p.Options.ColumnToJSONKeyMappings,
	})
	if err != nil {
		t.Fatalf("%s: %v", sample, err)
	}
	b := column.NewBatch(schema)
	r.Append(b, []byte(sample), func(doc []byte, e *serde.Error) {
		t.Errorf("%s\ndoes not fit %s: %s", doc, columnsOf(p), e.Message)
	})
	w := &walk{map[*column.Vector]int{}, map[*column.Vector]int{}}
	rows := make([]map[string]any, b.Rows)
	for n := range rows {
		rows[n] = map[string]any{}
		for at, v := range b.Columns {
			rows[n][schema.Fields[at].Name] = w.next(v)
		}
	}
	return rows
}

// A walk goes over vectors value by value.
type walk struct{ entry, value map[*column.Vector]int }

// next is the next value of a vector: nil, or as texts of primitive types, lists and maps.
func (w *walk) next(v *column.Vector) any {
	w.entry[v]++
	if !v.Present[w.entry[v]-1] {
		return nil
	}
	at := w.value[v]
	w.value[v]++
	switch v.Type.Kind {
	case column.Boolean:
		return strconv.FormatBool(v.Ints[at] != 0)
	case column.Double:
		return strconv.FormatFloat(v.Floats[at], 'g', -1, 64)
	case column.Decimal:
		i := new(big.Int).Lsh(big.NewInt(v.Decimals[at].Hi), 64)
		return i.Add(i, new(big.Int).SetUint64(v.Decimals[at].Lo)).String()
	case column.String:
		return string(v.Value(at))
	case column.Date:
		return time.Unix(v.Ints[at]*24*60*60, 0).UTC().Format(time.DateOnly)
	case column.Timestamp:
		return time.Unix(v.Ints[at], int64(v.Nanos[at])).UTC().Format("2006-01-02 15:04:05.999999999")
	case column.List, column.Map, column.Struct:
		return w.nested(v, at)
	}
	return strconv.FormatInt(v.Ints[at], 10)
}

func (w *walk) nested(v *column.Vector, at int) any {
	members := map[string]any{}
	switch v.Type.Kind {
	case column.List:
		all := make([]any, v.Lengths[at])
		for n := range all {
			all[n] = w.next(v.Children[0])
		}
		return all
	case column.Map:
		for range v.Lengths[at] {
			key := w.next(v.Children[0]).(string)
			members[key] = w.next(v.Children[1])
		}
		return members
	}
	for n, child := range v.Children {
		members[v.Type.Fields[n].Name] = w.next(child)
	}
	return members
}

// What was once proposed and did not fit, with what is proposed now and what streams make of it.
func TestSamplesFitWhatIsProposed(t *testing.T) {
	for _, c := range []struct{ name, sample, columns, rows, notes string }{
		{"a fraction behind a comma, as Python and log4j write it", `{"t":"2026-01-15 10:15:00,123"}`,
			"t string", `{"t":"2026-01-15 10:15:00,123"}`, ""},
		{"a comma with a zone", `{"t":"2026-01-15T10:15:00,123Z"}`, "t string", `{"t":"2026-01-15T10:15:00,123Z"}`, ""},
		{"the year 0", `{"d":"0000-01-01","t":"0000-01-01 00:00:00","z":"0000-12-31T23:59:59Z"}`, "d string, t string, z string",
			`{"d":"0000-01-01","t":"0000-01-01 00:00:00","z":"0000-12-31T23:59:59Z"}`, ""},
		{"the year 1", `{"d":"0001-01-01","t":"0001-01-01 00:00:00"}`, "d date, t timestamp", `{"d":"0001-01-01","t":"0001-01-01 00:00:00"}`, ""},
		{"two spaces", `{"t":"2026-01-15  10:15:00"}`, "t string", `{"t":"2026-01-15  10:15:00"}`, ""},
		{"hours of one digit", `{"t":"2026-01-15 1:15:00","z":"2026-01-15T1:15:00Z"}`, "t timestamp, z string",
			`{"t":"2026-01-15 01:15:00","z":"2026-01-15T1:15:00Z"}`, ""},
		{"timestamps", `{"t":"2026-1-5 10:15:00.5","z":"2026-01-15T10:15:00.123456789Z"}`, "t timestamp, z timestamp",
			`{"t":"2026-01-05 10:15:00.5","z":"2026-01-15 10:15:00.123456789"}`, ""},
		{"beyond double", `{"n":1e400}{"n":2}`, "n string", `{"n":"1e400"}{"n":"2"}`, "n has numbers that no type holds: it becomes string"},
		{"beyond double, and texts", `{"n":-1e400}{"n":"x"}`, "n string", `{"n":"-1e400"}{"n":"x"}`,
			"n has values of different kinds (numbers, texts): it becomes string"},
		{"less than double has", `{"n":1e-400}`, "n double", `{"n":"0"}`, ""},
		{"a field with the name of a mapped column", `{"user-id":7,"x":{"user_id":2}}`, "user_id_2 int, x struct<user_id:int>",
			`{"user_id_2":"7","x":{"user_id":"2"}}`,
			`the column of the key "user-id" is user_id_2: a mapping of user_id would hold for the field of that name as well`},
		{"such a field deep inside", `{"x":[{"y":{"User_Id":2}}],"user-id":7}`, "x array<struct<y:struct<user_id:int>>>, user_id_2 int",
			`{"user_id_2":"7","x":[{"y":{"user_id":"2"}}]}`,
			`the column of the key "user-id" is user_id_2: a mapping of user_id would hold for the field of that name as well`},
		{"such a field, and such a column", `{"user_id_2":1,"user-id":7,"x":{"user_id":2,"user_id_3":3}}`,
			"user_id_2 int, user_id_4 int, x struct<user_id:int,user_id_3:int>",
			`{"user_id_2":"1","user_id_4":"7","x":{"user_id":"2","user_id_3":"3"}}`,
			`the column of the key "user-id" is user_id_4: a mapping of user_id would hold for the field of that name as well`},
		{"a field with the name of a column that is not mapped", `{"user_id":7,"x":{"user_id":2}}`, "user_id int, x struct<user_id:int>",
			`{"user_id":"7","x":{"user_id":"2"}}`, ""},
		{"keys that are one without dots", `{"a.b":1,"a_b":2}`, "a_b int", `{"a_b":"2"}`,
			`the keys "a.b" and "a_b" become one, since dots become _: the last of them counts in each object`},
		{"such keys with other values", `{"a.b":{"c":1}}{"A_B":{"d":"x"}}`, "a_b struct<c:int,d:string>",
			`{"a_b":{"c":"1","d":null}}{"a_b":{"c":null,"d":"x"}}`,
			`the keys "a.b" and "A_B" become one, since dots become _: the last of them counts in each object`},
		{"such keys of different kinds in a struct", `{"x":{"a_b":1}}{"x":{"a.b":"y"}}`, "x struct<a_b:string>",
			`{"x":{"a_b":"1"}}{"x":{"a_b":"y"}}`,
			`the keys "a_b" and "a.b" of x become one, since dots become _: the last of them counts in each object; x.a_b has values of different kinds (integers, texts): it becomes string`},
		{"dots that are needed elsewhere", `{"a-b.c":1,"a-b_c":2,"x":[{"y.z":3}]}`, "a_b_c int, x array<struct<y_z:int>>",
			`{"a_b_c":"2","x":[{"y_z":"3"}]}`,
			`the keys "a-b.c" and "a-b_c" become one, since dots become _: the last of them counts in each object`},
		{"dots that are not needed", `{"a-b.c":1,"a-b_c":2}`, "a_b_c int, a_b_c_2 int", `{"a_b_c":"1","a_b_c_2":"2"}`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := inferred(t, c.sample)
			if got := columnsOf(p); got != c.columns {
				t.Errorf("columns %s\nwant %s", got, c.columns)
			}
			if got := strings.Join(p.Notes, "; "); got != c.notes {
				t.Errorf("notes %s\nwant %s", got, c.notes)
			}
			var rows strings.Builder
			for _, row := range converted(t, p, c.sample) {
				text, err := json.Marshal(row, json.Deterministic(true))
				if err != nil {
					t.Fatal(err)
				}
				rows.Write(text)
			}
			if rows.String() != c.rows {
				t.Errorf("rows %s\nwant %s", rows.String(), c.rows)
			}
		})
	}
}

// rowDocument draws an object whose values are such as producers send, and worse ones.
func rowDocument(t *rapid.T, depth int) map[string]any {
	keys := rapid.SampledFrom([]string{"a", "b", "B", "c.d", "c_d", "C-d", "c_d_2", "e f"})
	leaves := rapid.SampledFrom([]string{
		"null", "true", "0", "-7", "2147483648", "9223372036854775808", "12345678901234567890123456789012345678", "0.5", "1e3", "1e400", `""`, `"x"`,
		`"2026-01-15"`, `"0000-01-15"`, `"2026-02-30"`, `"2026-01-15 10:15:00"`, `"2026-01-15 10:15:00,5"`, `"2026-1-5  1:15:00"`,
		`"2026-01-15T10:15:00Z"`, `"2026-01-15T1:15:00Z"`, `"2026-01-15T10:15:00.1234567890Z"`, `"9999-12-31 23:59:59.999999999"`, `"2026-01-15 10:15:60"`,
	})
	all := map[string]any{}
	for range rapid.IntRange(0, 4).Draw(t, "members") {
		key := keys.Draw(t, "key")
		switch kind := rapid.IntRange(0, 3).Draw(t, "kind"); {
		case depth > 0 && kind == 0:
			all[key] = rowDocument(t, depth-1)
		case depth > 0 && kind == 1:
			all[key] = []any{rowDocument(t, depth-1), jsontext.Value(leaves.Draw(t, "element"))}[:rapid.IntRange(0, 2).Draw(t, "length")]
		default:
			all[key] = jsontext.Value(leaves.Draw(t, "leaf"))
		}
	}
	return all
}

// An oracle says where keys of documents must be found in rows.
type oracle struct{ options OpenX }

// seenAs is a key as the deserializer compares it.
func (o oracle) seenAs(key string) string {
	if key = strings.ToLower(key); o.options.ConvertDotsInJSONKeysToUnderscores {
		key = strings.ReplaceAll(key, ".", "_")
	}
	return key
}

// lost tells of a value of an object that is not where it must be. Keys that are one to the
// deserializer are passed over: which of them is the last is drawn by no one. A row is an object
// whose members may be mapped.
func (o oracle) lost(path string, object, cells map[string]any, row bool) error {
	times, names := map[string]int{}, map[string]string{}
	for key := range object {
		times[o.seenAs(key)]++
	}
	for name := range cells {
		key := name
		if mapped, ok := o.options.ColumnToJSONKeyMappings[name]; ok && row {
			key = o.seenAs(mapped)
		}
		names[key] = name
	}
	for key, want := range object {
		if times[o.seenAs(key)] > 1 {
			continue
		}
		name, there := names[o.seenAs(key)]
		if !there {
			return fmt.Errorf("%s.%s has no cell", path, key)
		}
		if err := o.differs(path+"."+key, want, cells[name]); err != nil {
			return err
		}
	}
	return nil
}

func (o oracle) differs(path string, want, got any) error {
	switch want := want.(type) {
	case map[string]any:
		if cells, ok := got.(map[string]any); ok {
			return o.lost(path, want, cells, false)
		}
	case []any:
		if all, ok := got.([]any); ok && len(all) == len(want) {
			for n := range all {
				if err := o.differs(path+"[]", want[n], all[n]); err != nil {
					return err
				}
			}
			return nil
		}
	case jsontext.Value:
		return differsFrom(path, want, got)
	}
	if text, ok := got.(string); !ok || !strings.ContainsAny(text, "{[") { // neither nested nor JSON as text
		return fmt.Errorf("%s: %v became %v", path, want, got)
	}
	return nil
}

// differsFrom compares a value that is not nested.
func differsFrom(path string, want jsontext.Value, got any) error {
	text, ok := got.(string)
	if want.Kind() == 'n' {
		ok = got == nil
	} else if want.Kind() == '0' {
		a, errA := strconv.ParseFloat(string(want), 64)
		b, errB := strconv.ParseFloat(text, 64)
		ok = ok && a == b && (errA == nil) == (errB == nil)
	} else if plain := strings.Trim(string(want), `"`); len(plain) < len("2026-01-15T10:15:00Z") || strings.Contains(plain, ",") {
		ok = ok && text == plain
	}
	if !ok {
		return fmt.Errorf("%s: %s became %v", path, want, got)
	}
	return nil
}

// All documents of a sample fit what is proposed for them, and nothing of them is lost.
func TestEverySampleFitsItsProposal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var sample strings.Builder
		var documents []map[string]any
		for range rapid.IntRange(1, 4).Draw(t, "documents") {
			d := rowDocument(t, 2)
			text, err := json.Marshal(d, json.Deterministic(true))
			if err != nil {
				t.Fatal(err)
			}
			documents = append(documents, d)
			sample.Write(text)
		}
		var i Inference
		if err := i.Read(strings.NewReader(sample.String())); err != nil {
			t.Fatal(err)
		}
		p, err := i.Propose(ProposalOptions{Name: "t"})
		if errors.Is(err, ErrSample) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		for n, row := range converted(t, p, sample.String()) {
			if n >= len(documents) {
				t.Fatalf("more rows than documents")
			}
			if err := (oracle{p.Options}).lost("", documents[n], row, true); err != nil {
				t.Fatalf("%s\n%s %+v\n%v", sample.String(), columnsOf(p), p.Options, err)
			}
		}
	})
}

// A proposal says nothing twice, however often it is asked for.
func TestProposalsAreMadeAgain(t *testing.T) {
	var i Inference
	if err := i.Read(strings.NewReader(`{"a.b":1,"a_b":null,"c-d":1,"e":{"c_d":null}}`)); err != nil {
		t.Fatal(err)
	}
	var said []string
	for range 2 {
		p, err := i.Propose(ProposalOptions{Name: "t"})
		if err != nil {
			t.Fatal(err)
		}
		said = append(said, fmt.Sprint(columnsOf(p), p.Options, p.Notes))
	}
	if said[0] != said[1] {
		t.Errorf("%s\n%s", said[0], said[1])
	}
}

// Texts and numbers get no type that the deserializer would not read them as, however they are
// written.
func TestLeavesFitTheTypesTheyLookLike(t *testing.T) {
	leaf := rapid.OneOf(
		rapid.StringMatching(`"[0-9]{4}-[0-9]{1,2}-[0-3]?[0-9]([T ] ?[0-2]?[0-9]:[0-9]{1,2}:[0-9]{1,2}([.,][0-9]{0,10})?Z?)?"`),
		rapid.StringMatching(`"000[01]-(01|12)-(01|31)([T ](00:00:00|23:59:59)(\.9{9})?Z?)?"`),
		rapid.StringMatching(`-?(0|[1-9][0-9]{0,45})(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,4})?`),
		rapid.StringMatching(`-?[1-9][0-9]{305,312}`),
	)
	rapid.Check(t, func(t *rapid.T) {
		sample := `{"a":` + leaf.Draw(t, "leaf") + `,"b":{"c":[` + leaf.Draw(t, "other") + `]}}`
		var i Inference
		if err := i.Read(strings.NewReader(sample)); err != nil {
			t.Fatal(err)
		}
		p, err := i.Propose(ProposalOptions{Name: "t"})
		if err != nil {
			t.Fatal(err)
		}
		if rows := converted(t, p, sample); len(rows) != 1 {
			t.Fatalf("%d rows", len(rows))
		}
	})
}

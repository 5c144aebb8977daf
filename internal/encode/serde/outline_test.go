package serde

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"hydrant/internal/column"
)

// carefulReader is a reader whose text column s is rendered carefully, if the row has s twice.
func carefulReader(t testing.TB) (*Reader, *column.Type) {
	t.Helper()
	schema := parsed(t, "struct<s:string>")
	r, err := NewOpenX(schema, openX)
	if err != nil {
		t.Fatal(err)
	}
	return r, schema
}

// deepText is an object in an object and so on, with an array of empty arrays inside.
func deepText(depth, arrays int) string {
	inside := strings.TrimSuffix(strings.Repeat("[],", arrays), ",")
	return strings.Repeat(`{"a":`, depth) + "[" + inside + "]" + strings.Repeat("}", depth)
}

// outlined renders a text carefully and returns the outline made for that.
func outlined(t testing.TB, r *Reader, text string) (o outline, rendered string) {
	t.Helper()
	r.data, r.careful, r.depth = []byte(text), true, 0
	dst, next := r.render(nil, 0, &o)
	if next != len(text) || r.depth != 0 {
		t.Fatalf("ended at %d of %d, at depth %d", next, len(text), r.depth)
	}
	return o, string(dst)
}

// What lies deep is gone over as often as what does not: once to find where it ends, and once
// more per key of the object it is in. If each level went over all that is inside it again,
// this would be depth times arrays.
func TestDeepTextsAreGoneOverOnce(t *testing.T) {
	const arrays = 2000
	r, _ := carefulReader(t)
	for _, depth := range []int{1, 2, 10, 100, 900} {
		text := deepText(depth, arrays)
		o, rendered := outlined(t, r, text)
		if want := arrays + depth + (depth - 1); o.visits != want {
			t.Errorf("depth %d: %d values were gone over, want %d", depth, o.visits, want)
		}
		if len(o.parts) != depth {
			t.Errorf("depth %d: the outline has %d parts", depth, len(o.parts))
		}
		if rendered != text {
			t.Errorf("depth %d: rendered as something else", depth)
		}
	}
}

// The last value of a key is rendered where the key came first, wherever objects and arrays
// start and end around it.
func TestLastValuesAreRendered(t *testing.T) {
	r, schema := carefulReader(t)
	for _, tt := range []struct{ text, want string }{
		{`{}`, `{}`},
		{`[ ]`, `[]`},
		{`{"a":1,"b":2,"a":3}`, `{"a":3,"b":2}`},
		{`{"a":{},"b":{"c":{}},"a":[]}`, `{"a":[],"b":{"c":{}}}`},
		{`{"a":{"b":{"c":[{}]}},"d":{"e":{"f":1}},"a":0}`, `{"a":0,"d":{"e":{"f":1}}}`},
		{`{"a":0,"d":{"e":{"f":1}},"a":{"b":{"c":[{}]}}}`, `{"a":{"b":{"c":[{}]}},"d":{"e":{"f":1}}}`},
		{`[{"a":{"b":{}}},{"a":{"b":[]},"a":{"c":[{"d":{}},{"d":[[]]}]}},{"e":{}}]`, `[{"a":{"b":{}}},{"a":{"c":[{"d":{}},{"d":[[]]}]}},{"e":{}}]`},
		{`{"x":[{"a":{"b":{}},"a":{"b":{},"b":[{"c":{}}]}},[{"k":{}}]],"y":{"z":{}}}`, `{"x":[{"a":{"b":[{"c":{}}]}},[{"k":{}}]],"y":{"z":{}}}`},
		{`[{"a":0,"b":{"q":{}},"a":{"p":{}}},{"a":{"b":{"c":{}}}}]`, `[{"a":{"p":{}},"b":{"q":{}}},{"a":{"b":{"c":{}}}}]`},
		{`{"A":{"b":1},"\u0061":{"\u00dc":"\u00e4"}}`, `{"a":{"ü":"ä"}}`},
		{` { "a" : [ 1 , { "b" : null , "b" : "]}" } ] } `, `{"a":[1,{"b":"]}"}]}`},
	} {
		rows, failures := read(t, r, schema, `{"s":0,"s":`+tt.text+`}`)
		same(t, rows, []string{strconv.Quote(tt.want)})
		same(t, failures, nil)
	}
}

// repeats makes up JSON with keys that are repeated, and counts what it has.
type repeats struct {
	t      *rapid.T
	values int
}

func (w *repeats) pick(name string, of ...string) string {
	return rapid.SampledFrom(of).Draw(w.t, name)
}

// value makes up a value: as a producer may write it, and as it is to be rendered.
func (w *repeats) value(depth int) (text, want string) {
	w.values++
	kind := rapid.IntRange(0, 7).Draw(w.t, "kind")
	switch {
	case depth == 0 || kind == 0:
		text = w.pick("value", `0`, `-1.50e3`, `null`, `true`, `"}],"`, `"ü"`, `""`)
		return text, text
	case kind < 3:
		return w.array(depth)
	}
	return w.object(depth)
}

func (w *repeats) blank() string { return w.pick("blank", "", "", " ", "\r\n\t") }

func (w *repeats) array(depth int) (text, want string) {
	var texts, wants []string
	for range rapid.IntRange(0, 4).Draw(w.t, "many") {
		text, want := w.value(depth - 1)
		texts, wants = append(texts, w.blank()+text), append(wants, want)
	}
	return "[" + strings.Join(texts, ",") + w.blank() + "]", "[" + strings.Join(wants, ",") + "]"
}

func (w *repeats) object(depth int) (text, want string) {
	var texts, order []string
	last := map[string]string{}
	for range rapid.IntRange(0, 5).Draw(w.t, "many") {
		text, want := w.value(depth - 1)
		key := w.pick("key", "a", "b", "ü")
		written := w.pick("written", key, strings.ToUpper(key), fmt.Sprintf(`\u%04x`, []rune(key)[0]))
		texts = append(texts, w.blank()+`"`+written+`"`+w.blank()+":"+text)
		if _, ok := last[key]; !ok {
			order = append(order, key)
		}
		last[key] = want
	}
	var wants []string
	for _, key := range order {
		wants = append(wants, `"`+key+`":`+last[key])
	}
	return "{" + strings.Join(texts, ",") + w.blank() + "}", "{" + strings.Join(wants, ",") + "}"
}

// Whatever is repeated, the last values are rendered, no value is gone over more than twice
// to find them, and the outline stays in proportion to the text.
func TestRepeatedKeysInTexts(t *testing.T) {
	r, schema := carefulReader(t)
	rapid.Check(t, func(rt *rapid.T) {
		w := &repeats{t: rt}
		text, want := w.object(6)
		rows, failures := read(t, r, schema, `{"s":0,"s":`+text+`}`)
		if len(failures) > 0 || len(rows) != 1 || rows[0] != strconv.Quote(want) {
			rt.Fatalf("%s became %s %s, want %s", text, rows, failures, want)
		}
		o, _ := outlined(t, r, text)
		if o.visits < w.values || o.visits > 2*w.values {
			rt.Fatalf("%s: %d values were gone over %d times", text, w.values, o.visits)
		}
		if 6*len(o.parts) > len(text) || o.at != len(o.parts) {
			rt.Fatalf("%s: the outline is at %d of %d parts", text, o.at, len(o.parts))
		}
	})
}

// BenchmarkRepeatedKeys reads rows whose text is rendered carefully; a byte should take as
// long in deep objects as in flat ones.
func BenchmarkRepeatedKeys(b *testing.B) {
	for _, depth := range []int{1, 100, 900} {
		b.Run(fmt.Sprintf("depth=%d", depth), func(b *testing.B) {
			r, schema := carefulReader(b)
			record := []byte(`{"s":1,"s":` + deepText(depth, 100_000) + `}`)
			batch := column.NewBatch(schema)
			b.SetBytes(int64(len(record)))
			b.ReportAllocs()
			for b.Loop() {
				batch.Reset()
				r.Append(batch, record, func(_ []byte, e *Error) { b.Fatal(e) })
			}
		})
	}
}

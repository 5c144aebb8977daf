package firehose

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"hydrant/internal/aws"
	"hydrant/internal/record"
)

// A flaw is a body that is right but for one thing, or right altogether.
type flaw struct {
	member  string // of the input, that the thing is in
	body    string
	code    string // empty: nothing is wrong
	message string
}

// flaws makes the flaws of an input: one for each constraint of each value that the input
// can hold. What it expects is said in words of its own, those of spec section 1.7.
type flaws struct {
	member string
	all    []flaw
}

func flawsOf(input *shape) []flaw {
	var f flaws
	f.inner("", input, func(value string) string { return value })
	return f.all
}

func (f *flaws) right(body string) { f.all = append(f.all, flaw{f.member, body, "", ""}) }

// misfit is JSON of the wrong type.
func (f *flaws) misfit(body, message string) {
	f.all = append(f.all, flaw{f.member, body, "SerializationException", message})
}

// breaks is a value that breaks constraints.
func (f *flaws) breaks(path, body string, constraints ...string) {
	head := "1 validation error detected: "
	if len(constraints) > 1 {
		head = strconv.Itoa(len(constraints)) + " validation errors detected: "
	}
	told := make([]string, len(constraints))
	for i, c := range constraints {
		told[i] = fmt.Sprintf("Value at '%s' failed to satisfy constraint: %s", path, c)
	}
	f.all = append(f.all, flaw{f.member, body, "ValidationException", head + strings.Join(told, "; ")})
}

// value makes the flaws of a value; in puts it into a body that is right otherwise.
func (f *flaws) value(path string, s *shape, in func(string) string) {
	switch s.kind {
	case structure, list, mapping:
		f.inner(path, s, in)
	case text:
		f.text(path, s, in)
	case blob:
		f.misfit(in(`1`), "NUMBER_VALUE can not be converted to a Blob")
		f.misfit(in(`{}`), "Start of structure or map found where not expected.")
		f.breaks(path, in(`"`+b64(strings.Repeat("x", int(s.high)+1))+`"`), "Member must have length less than or equal to 1024000")
	case integer:
		f.integer(path, s, in)
	case double:
		f.misfit(in(`"1"`), "STRING_VALUE can not be converted to a Double")
		f.misfit(in(`1e999`), "NUMBER_VALUE can not be converted to a Double")
		if s.high < unbounded {
			f.breaks(path, in(fmt.Sprint(s.high)+".5"), fmt.Sprintf("Member must have value less than or equal to %d", s.high))
			f.breaks(path, in(fmt.Sprint(s.low-1)+".5"), fmt.Sprintf("Member must have value greater than or equal to %d", s.low))
		}
		f.right(in(`0.5`))
	case boolean:
		f.misfit(in(`"true"`), "STRING_VALUE can not be converted to a Boolean")
		f.misfit(in(`0`), "NUMBER_VALUE can not be converted to a Boolean")
		f.right(in(`false`))
	}
}

// inner makes the flaws of what is made of other values.
func (f *flaws) inner(path string, s *shape, in func(string) string) {
	switch s.kind {
	case structure:
		f.structure(path, s, in)
	case list:
		f.list(path, s, in)
	case mapping:
		f.mapping(path, s, in)
	}
}

func (f *flaws) structure(path string, s *shape, in func(string) string) {
	f.right(in(with(s, "Nonsense", `{"a":[{}]}`)))
	if path != "" {
		f.misfit(in(`"x"`), "Expected structure, map or null")
		f.misfit(in(`[]`), "Start of list found where not expected.")
	}
	for _, m := range s.members {
		at := strings.TrimPrefix(path+"."+strings.ToLower(m.name[:1])+m.name[1:], ".")
		if path == "" {
			f.member = m.name
		}
		within := func(value string) string { return in(with(s, m.name, value)) }
		switch {
		case m.required:
			f.breaks(at, in(with(s, m.name, "")), "Member must not be null")
			f.breaks(at, within(`null`), "Member must not be null")
		case m.notNull:
			f.right(in(with(s, m.name, "")))
			f.breaks(at, within(`null`), "Member must not be null")
		default:
			f.right(within(`null`))
		}
		value := least(m.shape)
		f.right(within(value))
		f.misfit(within(value+`,"`+m.name+`":`+value), "")
		f.value(at, m.shape, within)
	}
}

func (f *flaws) list(path string, s *shape, in func(string) string) {
	item := least(s.of)
	items := func(n int64) string { return in("[" + strings.TrimSuffix(strings.Repeat(item+",", int(n)), ",") + "]") }
	f.misfit(in(`"x"`), "Expected list or null")
	f.misfit(in(`{}`), "Start of structure or map found where not expected.")
	if s.low > 0 {
		f.breaks(path, items(s.low-1), fmt.Sprintf("Member must have length greater than or equal to %d", s.low))
	}
	if s.high < unbounded {
		f.right(items(s.high))
		f.breaks(path, items(s.high+1), fmt.Sprintf("Member must have length less than or equal to %d", s.high))
	}
	second := func(value string) string { return in("[" + item + "," + value + "]") }
	f.breaks(path+".2.member", second(`null`), "Member must not be null")
	f.value(path+".2.member", s.of, second)
}

func (f *flaws) mapping(path string, s *shape, in func(string) string) {
	constraints := func(s *shape) string {
		return fmt.Sprintf("[Member must have length less than or equal to %d, Member must have length greater than or equal to %d, "+
			"Member must satisfy regular expression pattern: %s]", s.high, s.low, s.pattern)
	}
	entry := func(key, value string) string { return in("{" + quote(key) + ":" + value + `,"other":"x"}`) }
	value := least(s.of)
	f.right(entry("k", value))
	f.misfit(in(`[]`), "Start of list found where not expected.")
	f.misfit(entry("k", `1`), "NUMBER_VALUE can not be converted to a String")
	f.misfit(entry("k", `"v",`+`"k":"v"`), "")
	for _, key := range []string{"", samples[s.key.pattern].wrong(1), samples[s.key.pattern].text(s.key.high + 1)} {
		f.breaks(path, entry(key, value), "Map keys must satisfy constraint: "+constraints(s.key))
	}
	for _, v := range []string{"", samples[s.of.pattern].wrong(1), samples[s.of.pattern].text(s.of.high + 1)} {
		f.breaks(path, entry("k", quote(v)), "Map value must satisfy constraint: "+constraints(s.of))
	}
	f.breaks(path, entry("k", `null`), "Map value must satisfy constraint: "+constraints(s.of))
}

func (f *flaws) text(path string, s *shape, in func(string) string) {
	f.misfit(in(`1`), "NUMBER_VALUE can not be converted to a String")
	f.misfit(in(`true`), "TRUE_VALUE can not be converted to a String")
	f.misfit(in(`{}`), "Start of structure or map found where not expected.")
	f.misfit(in(`["a"]`), "Start of list found where not expected.")
	if s.enum != nil {
		f.breaks(path, in(quote(strings.ToLower(s.enum[0])+"x")), "Member must satisfy enum value set: ["+strings.Join(s.enum, ", ")+"]")
		for _, v := range s.enum {
			f.right(in(quote(v)))
		}
		return
	}
	of := samples[s.pattern]
	pattern := "Member must satisfy regular expression pattern: " + s.pattern
	if s.pattern != "" {
		f.breaks(path, in(quote(of.wrong(s.low))), pattern)
	}
	if s.high < unbounded {
		f.right(in(quote(of.text(s.high))))
		f.breaks(path, in(quote(of.text(s.high+1))), fmt.Sprintf("Member must have length less than or equal to %d", s.high))
	}
	if s.low > 0 {
		constraints := []string{fmt.Sprintf("Member must have length greater than or equal to %d", s.low)}
		short := of.short
		if s.pattern == "" {
			short = strings.Repeat("a", int(s.low)-1)
		} else if !of.shortFits {
			constraints = append(constraints, pattern)
		}
		f.breaks(path, in(quote(short)), constraints...)
	}
}

func (f *flaws) integer(path string, s *shape, in func(string) string) {
	f.misfit(in(`"1"`), "STRING_VALUE can not be converted to an Integer")
	f.misfit(in(`1.5`), "NUMBER_VALUE can not be converted to an Integer")
	f.misfit(in(`false`), "FALSE_VALUE can not be converted to an Integer")
	if s.low > -unbounded {
		f.right(in(fmt.Sprint(s.low)))
		f.breaks(path, in(fmt.Sprint(s.low-1)), fmt.Sprintf("Member must have value greater than or equal to %d", s.low))
	}
	if s.high < unbounded {
		f.right(in(fmt.Sprint(s.high)))
		f.breaks(path, in(fmt.Sprint(s.high+1)), fmt.Sprintf("Member must have value less than or equal to %d", s.high))
	}
}

func quote(s string) string {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// with is a structure of the members that are required and one more, or, if the value is
// empty, without it.
func with(s *shape, name, value string) string {
	var members []string
	for _, m := range s.members {
		if m.required && m.name != name {
			members = append(members, quote(m.name)+":"+least(m.shape))
		}
	}
	if value != "" {
		members = append(members, quote(name)+":"+value)
	}
	return "{" + strings.Join(members, ",") + "}"
}

// least is the smallest value of a shape.
func least(s *shape) string {
	switch s.kind {
	case structure:
		return with(s, "", "")
	case list:
		return "[" + strings.TrimSuffix(strings.Repeat(least(s.of)+",", int(s.low)), ",") + "]"
	case mapping:
		return "{}"
	case blob:
		return `""`
	case text:
		if s.enum != nil {
			return quote(s.enum[0])
		}
		return quote(samples[s.pattern].text(s.low))
	case boolean:
		return "true"
	}
	return fmt.Sprint(max(s.low, 0))
}

// judgedBy is the answer to a body as far as its shape goes.
func judgedBy(input *shape, body string) (code, message string) {
	root, err := parseBody(input, []byte(body))
	if err != nil {
		err = (&Service{}).explain("", err)
	} else {
		err = judge(input, root)
	}
	var e *aws.Error
	if errors.As(err, &e) {
		return e.Code, e.Message
	}
	return "", ""
}

// What is built is asked over HTTP; what is not yet is judged by its shape.
func TestEachConstraintOfEachValueIsTold(t *testing.T) {
	for operation, input := range modelInputs {
		t.Run(operation, func(t *testing.T) {
			w := newWorld(t)
			all := flawsOf(input)
			for _, f := range all {
				var code, message string
				if slices.Contains(unbuiltConfigurations, f.member) || slices.Contains(unbuiltUpdates, f.member) {
					code, message = judgedBy(input, f.body)
				} else if status, answer := w.call("ALICE", operation, f.body); status != 200 {
					code, message = failure(t, answer)
				}
				if f.code == "" && code != "ValidationException" && code != "SerializationException" && code != "InternalFailure" {
					continue
				}
				if code != f.code || message != f.message {
					t.Errorf("%.500s\n got %s: %s\nwant %s: %s", f.body, code, message, f.code, f.message)
				}
			}
			t.Logf("%d bodies", len(all))
		})
	}
}

func TestTheLimitsOfPutsAreThoseOfTheModel(t *testing.T) {
	if dataShape.high != record.MaxRecordBytes {
		t.Errorf("records have up to %d bytes, but the model says %d", record.MaxRecordBytes, dataShape.high)
	}
	if most := modelInputs["PutRecordBatch"].members[1].shape.high; most != maxBatchRecords {
		t.Errorf("batches have up to %d records, but the model says %d", maxBatchRecords, most)
	}
}

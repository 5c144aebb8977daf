package firehose

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"hydrant/internal/aws"
)

// spellings are the ways in which JSON can say a character.
var spellings = map[string]string{
	"one byte": "a", "four bytes": "😀", "an escape": `\u0061`, "a short escape": `\t`, "a pair of escapes": `\ud83d\ude00`,
}

func TestALengthIsJudgedHoweverATextIsSpelled(t *testing.T) {
	for name, character := range spellings {
		for _, of := range []struct {
			path string
			high int
			in   func(string) string
		}{
			{"redshiftDestinationUpdate.copyCommand.copyOptions", 10240, func(v string) string {
				return `{` + updated + `,"RedshiftDestinationUpdate":{"CopyCommand":{"DataTableName":"t","CopyOptions":` + v + `}}}`
			}},
			{"extendedS3DestinationUpdate.prefix", 1024, func(v string) string {
				return `{` + updated + `,"ExtendedS3DestinationUpdate":{"Prefix":` + v + `}}`
			}},
		} {
			for _, n := range []int{of.high, of.high + 1, maxText / 6, maxText/6 + 1, maxText, 1 << 20} {
				code, message := judgedBy(modelUpdateDestinationInput, of.in(`"`+strings.Repeat(character, n)+`"`))
				want := ""
				if n > of.high {
					want = broken(of.path, atMost("length", int64(of.high)))
				}
				if message != want {
					t.Errorf("%s, %d times %s: got %s %.200s, want %s", of.path, n, name, code, message, want)
				}
			}
		}
	}
}

// updated are the members that an update must have.
const updated = `"DeliveryStreamName":"s","CurrentDeliveryStreamVersionId":"1","DestinationId":"d"`

// A text that is too long may fit its pattern nevertheless, and is only told its length.
func TestATextThatIsTooLongIsJudgedByItsPatternToo(t *testing.T) {
	length := also("deliveryStreamName", "Member must have length less than or equal to 64")
	for _, n := range []int{65, maxText, maxText + 1, 1 << 20} {
		for text, want := range map[string]string{
			strings.Repeat("n", n):       "1 validation error detected: " + length,
			strings.Repeat(`\u006e`, n):  "1 validation error detected: " + length,
			"?" + strings.Repeat("n", n): "2 validation errors detected: " + length + "; " + also("deliveryStreamName", namePattern),
		} {
			if _, message := judgedBy(deleteInput, `{"DeliveryStreamName":"`+text+`"}`); message != want {
				t.Errorf("%d characters: got %.200s, want %s", n, message, want)
			}
		}
	}
}

// Whatever is taken out of a text that is too long, what is left fits where the whole did.
func TestALongTextThatFitsItsPatternIsOnlyTooLong(t *testing.T) {
	for pattern, sample := range samples {
		s := shapeOf(t, pattern)
		if s.high == unbounded {
			continue
		}
		for more := range int64(5) {
			root, err := parseBody(s, []byte(quote(sample.text(2*maxText+more))))
			if err != nil {
				t.Fatal(err)
			}
			var v violations
			v.value("x", s, root)
			if want := broken("x", atMost("length", s.high)); v.message() != want {
				t.Errorf("%s: got %s, want %s", pattern, v.message(), want)
			}
		}
	}
}

// A dot is any character but those that end a line, of which Java knows more than Go.
func TestADotIsNoEndOfALine(t *testing.T) {
	for _, in := range []string{"https:%s", "https:a%sb", "https:%s%[1]s"} {
		for between, want := range map[string]bool{
			"": true, ".": true, "\t\v\f": true, "\u0000": true, "\u0084\u0086": true, "\u2027\u202a": true, "\U0010ffff": true,
			"\n": false, "\r": false, "\r\n": false, "\u0085": false, "\u2028": false, "\u2029": false,
		} {
			if got := shapeOf(t, "https:.*").fits(fmt.Sprintf(in, between)); got != want {
				t.Errorf("%q: %v, want %v", fmt.Sprintf(in, between), got, want)
			}
		}
	}
}

// shapeOf is the first shape of the model that has a pattern.
func shapeOf(t *testing.T, pattern string) *shape {
	var find func(s *shape) *shape
	find = func(s *shape) *shape {
		if s == nil || s.kind == text && s.enum == nil && s.pattern == pattern {
			return s
		}
		parts := []*shape{s.of, s.key}
		for _, m := range s.members {
			parts = append(parts, m.shape)
		}
		for _, part := range parts {
			if found := find(part); found != nil {
				return found
			}
		}
		return nil
	}
	for _, operation := range slices.Sorted(maps.Keys(modelInputs)) {
		if found := find(modelInputs[operation]); found != nil {
			return found
		}
	}
	t.Fatalf("no shape has the pattern %s", pattern)
	return nil
}

func TestKeysOfAMapThatAreTooLongAreNoDuplicates(t *testing.T) {
	long := strings.Repeat("k", 1<<20)
	_, message := judgedBy(createInput, `{"DeliveryStreamName":"s","ExtendedS3DestinationConfiguration":{`+bucket+`,
		"DataFormatConversionConfiguration":{"InputFormatConfiguration":{"Deserializer":{"OpenXJsonSerDe":{"ColumnToJsonKeyMappings":{"`+long+`1":"a","`+long+`2":"b"}}}}}}}`)
	want := broken("extendedS3DestinationConfiguration.dataFormatConversionConfiguration.inputFormatConfiguration.deserializer.openXJsonSerDe.columnToJsonKeyMappings",
		`Map keys must satisfy constraint: [Member must have length less than or equal to 1024, Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: ^\S+$]`)
	if message != want {
		t.Errorf("got %.300s, want %s", message, want)
	}
}

func TestAnAnswerIsBoundedHoweverMuchIsWrong(t *testing.T) {
	processors := func(n int) string {
		return `{"DeliveryStreamName":"s","ExtendedS3DestinationConfiguration":{` + bucket + `,"ProcessingConfiguration":{"Processors":[` +
			strings.TrimSuffix(strings.Repeat("null,", n), ",") + `]}}}`
	}
	for _, c := range []struct {
		name, body, code, head string
	}{
		{"as many as are told", processors(maxViolations), "ValidationException", "1000 validation errors detected: Value at"},
		{"more than are told", processors(maxNodes / 2), "ValidationException", "1000 validation errors detected: Value at"},
		{"more than are read", processors(maxNodes), "SerializationException", "The request has too many members."},
		{"a deep value that nobody knows", `{"x":` + strings.Repeat("[", 1<<20), "SerializationException", ""},
		{"a deep value that a member may not have", `{"DeliveryStreamName":` + strings.Repeat("[", 1<<20), "SerializationException", "Start of list found where not expected."},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, message := judgedBy(createInput, c.body)
			if code != c.code || !strings.HasPrefix(message, c.head) || len(message) > 1<<20 {
				t.Errorf("got %s %.200s (%d bytes), want %s %s", code, message, len(message), c.code, c.head)
			}
		})
	}
}

// count is how many values a body was read into.
func (n *node) count() int {
	if n == nil {
		return 0
	}
	all := 1
	for _, part := range slices.Concat(n.members, n.items, slices.Collect(maps.Values(n.entries))) {
		all += part.count()
	}
	return all
}

// Any body against any input is either not the JSON of the input, or judged with an answer
// that can be sent; both in bounds, and the same when asked again.
func FuzzJudge(f *testing.F) {
	inputs := slices.Sorted(maps.Keys(modelInputs))
	for i, operation := range inputs {
		input := modelInputs[operation]
		f.Add(byte(i), []byte(least(input)))
		f.Add(byte(i), []byte(`{"`+input.members[0].name+`":null,"x":[[{"x":1e99}],"\ud83d"]}`))
		for j, flaw := range flawsOf(input) {
			if j%200 == 7 && len(flaw.body) < 1<<12 {
				f.Add(byte(i), []byte(flaw.body))
			}
		}
	}
	f.Fuzz(func(t *testing.T, at byte, body []byte) {
		input := modelInputs[inputs[int(at)%len(inputs)]]
		root, err := parseBody(input, body)
		if err != nil {
			if !errors.Is(err, errSerialization) {
				t.Fatalf("not an error of the body: %v", err)
			}
			return
		}
		if !jsontext.Value(body).IsValid(jsontext.AllowDuplicateNames(true)) {
			t.Fatal("taken, though it is no JSON")
		}
		if n := root.count(); n > maxNodes {
			t.Fatalf("it was read into %d values", n)
		}
		err = judge(input, root)
		if err == nil {
			return
		}
		var e *aws.Error
		if !errors.As(err, &e) || e.Code != validation || !utf8.ValidString(e.Message) || len(e.Message) > 1<<20 {
			t.Fatalf("judged with %v", err)
		}
		if _, again := judgedBy(input, string(body)); again != e.Message {
			t.Fatalf("judged with\n%s\nand then with\n%s", e.Message, again)
		}
	})
}

func BenchmarkJudge(b *testing.B) {
	body := []byte(`{"DeliveryStreamName":"s","Tags":[{"Key":"k","Value":"v"}],"ExtendedS3DestinationConfiguration":{` + bucket + `,"Prefix":"raw/",
		"BufferingHints":{"SizeInMBs":64,"IntervalInSeconds":60},"CompressionFormat":"GZIP","ProcessingConfiguration":{"Enabled":true,"Processors":[
		{"Type":"Lambda","Parameters":[{"ParameterName":"LambdaArn","ParameterValue":"arn:aws:lambda:us-east-1:123456789012:function:f"}]}]}}}`)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		root, err := parseBody(createInput, body)
		if err == nil {
			err = judge(createInput, root)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}

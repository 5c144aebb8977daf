package firehose

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"hydrant/internal/record"
)

// inBuffer lays a body where the server lays it: behind the headroom.
func inBuffer(body string) []byte {
	return append(make([]byte, headroom, headroom+len(body)), body...)
}

// records cuts a batch into its records.
func records(b record.Batch) []string {
	var all []string
	rest := b.Data
	for _, n := range b.Lengths {
		all = append(all, string(rest[:n]))
		rest = rest[n:]
	}
	return all
}

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

// batchBody is a PutRecordBatch as compact writers send it.
func batchBody(data ...string) string {
	var b strings.Builder
	b.WriteString(`{"DeliveryStreamName":"clicks","Records":[`)
	for i, d := range data {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(`{"Data":"` + b64(d) + `"}`)
	}
	return b.String() + "]}"
}

func TestABatchIsReadHoweverItIsWritten(t *testing.T) {
	want := []string{"one", "", "three?>"} // "three?>" has / and + in its base64
	for name, c := range map[string]struct {
		body string
		fast bool
	}{
		"compact":         {batchBody(want...), true},
		"spaced":          {`{"DeliveryStreamName": "clicks", "Records": [{"Data": "b25l"}, {"Data": ""}, {"Data": "dGhyZWU/Pg=="}]}`, true},
		"pretty":          {"\r\n{\n\t\"DeliveryStreamName\" : \"clicks\" ,\n\"Records\" : [ { \"Data\" : \"b25l\" } , { \"Data\" : \"\" } , { \"Data\" : \"dGhyZWU/Pg==\" } ] } \n", true},
		"records first":   {`{"Records":[{"Data":"b25l"},{"Data":""},{"Data":"dGhyZWU/Pg=="}],"DeliveryStreamName":"clicks"}`, true},
		"escaped slashes": {`{"DeliveryStreamName":"clicks","Records":[{"Data":"b25l"},{"Data":""},{"Data":"dGhyZWU\/Pg=="}]}`, true},
		"escaped letters": {`{"DeliveryStreamName":"\u0063licks","\u0052ecords":[{"Data":"\u00625l"},{"Data":""},{"Data":"dGhyZWU/Pg\u003d\u003d"}]}`, false},
		"unknown members": {`{"a":[{"b":null,"b":1}],"DeliveryStreamName":"clicks","Records":[{"Data":"b25l","x":{"Data":"bm8="}},{"Data":""},{"y":1e9,"Data":"dGhyZWU/Pg=="}]}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			if name == "escaped letters" {
				c.body = strings.Replace(c.body, `\u00625l`, `\u006225l`, 1)
			}
			p := newPut()
			defer p.free()
			if got := p.scan([]byte(c.body), batchPut); got != c.fast {
				t.Errorf("taken by the scanner: %v, want %v", got, c.fast)
			}
			p.name, p.spans, p.escaped = p.name[:0], p.spans[:0], false
			if err := p.read(inBuffer(c.body), batchPut); err != nil {
				t.Fatal(err)
			}
			if got := records(p.batch); fmt.Sprint(got) != fmt.Sprint(want) || string(p.name) != "clicks" {
				t.Fatalf("stream %q, records %q", p.name, got)
			}
			if msg := p.invalid.message(); msg != "" {
				t.Fatal(msg)
			}
		})
	}
}

func TestWhatIsNotTheRightJSONIsRefused(t *testing.T) {
	const good = `{"DeliveryStreamName":"s","Records":[{"Data":"YQ=="}]}`
	for _, c := range []struct{ body, message string }{
		{``, ""},
		{`null`, ""},
		{`nul`, ""},
		{good + good, ""},
		{good + `x`, ""},
		{good[:len(good)-1], ""},
		{strings.Replace(good, `]`, `,]`, 1), ""},
		{strings.Replace(good, `:`, ``, 1), ""},
		{strings.Replace(good, `"s"`, `"s","DeliveryStreamName":"s"`, 1), ""},
		{strings.Replace(good, `"s"`, `"s","DeliveryStreamName":null`, 1), ""},
		{strings.Replace(good, `"YQ=="`, `"YQ==","Data":"YQ=="`, 1), ""},
		{strings.Replace(good, `"s"`, `"s","n":01`, 1), ""},
		{strings.Replace(good, `"s"`, `"s","n":"\x"`, 1), ""},
		{strings.Replace(good, `"s"`, "\"s\",\"n\":\"\xff\"", 1), ""},
		{strings.Replace(good, `"s"`, "\"s\xc3\"", 1), ""},
		{strings.Replace(good, `"s"`, `"s","n":NaN`, 1), ""},
		{strings.Replace(good, `"s"`, `"s","n":`+strings.Repeat("[", 20000)+strings.Repeat("]", 20000), 1), ""},
		{`"text"`, "Expected structure, map or null"},
		{`[]`, "Start of list found where not expected."},
		{strings.Replace(good, `"s"`, `{}`, 1), "Start of structure or map found where not expected."},
		{strings.Replace(good, `"s"`, `1`, 1), "NUMBER_VALUE can not be converted to a String"},
		{strings.Replace(good, `"YQ=="`, `true`, 1), "TRUE_VALUE can not be converted to a Blob"},
		{strings.Replace(good, `"YQ=="`, `false`, 1), "FALSE_VALUE can not be converted to a Blob"},
		{strings.Replace(good, `[{"Data":"YQ=="}]`, `"x"`, 1), "Expected list or null"},
		{strings.Replace(good, `[{"Data":"YQ=="}]`, `{}`, 1), "Start of structure or map found where not expected."},
		{strings.Replace(good, `YQ==`, `YQ=`, 1), "Data of record 1 is not valid base64."},
		{strings.Replace(good, `YQ==`, `YQ`, 1), "Data of record 1 is not valid base64."},
		{strings.Replace(good, `YQ==`, `Y===`, 1), "Data of record 1 is not valid base64."},
		{strings.Replace(good, `YQ==`, `YQ-_`, 1), "Data of record 1 is not valid base64."},
		{strings.Replace(good, `YQ==`, `Y\nQ=`, 1), "Data of record 1 is not valid base64."},
		{strings.Replace(good, `YQ==`, `YQ==\n\n\n\n`, 1), "Data of record 1 is not valid base64."},
		{strings.Replace(good, `YQ==`, "YQ==\n\n\n\n", 1), ""},
		{strings.Replace(good, `YQ==`, "\r\r\r\rYQ==", 1), ""},
	} {
		p := newPut()
		err := p.read(inBuffer(c.body), batchPut)
		var s *serializationError
		if !errors.As(err, &s) || !errors.Is(err, errSerialization) {
			t.Errorf("%.200q: %v", c.body, err)
			continue
		}
		raw := strings.ContainsAny(c.body, "\n\r") // told as bad base64, never taken
		if s.message != c.message && !raw {
			t.Errorf("%.200q\n got %q\nwant %q", c.body, s.message, c.message)
		}
	}
}

func TestEveryBrokenConstraintOfAPutIsTold(t *testing.T) {
	long := b64(strings.Repeat("x", record.MaxRecordBytes+1))
	whole := b64(strings.Repeat("x", record.MaxRecordBytes))
	const (
		pattern = "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"
		value   = "Value at '%s' failed to satisfy constraint: %s"
		one     = "1 validation error detected: "
		tooLong = "Member must have length less than or equal to 1024000"
	)
	v := func(path, constraint string) string { return fmt.Sprintf(value, path, constraint) }
	for _, c := range []struct {
		op         *putOperation
		body, want string
	}{
		{batchPut, `{}`, "2 validation errors detected: " + v("deliveryStreamName", notNull) + "; " + v("records", notNull)},
		{batchPut, `{"DeliveryStreamName":null,"Records":null}`, "2 validation errors detected: " + v("deliveryStreamName", notNull) + "; " + v("records", notNull)},
		{batchPut, `{"DeliveryStreamName":"s","Records":[]}`, one + v("records", "Member must have length greater than or equal to 1")},
		{batchPut, batchBody(make([]string, 500)...), ""},
		{batchPut, batchBody(make([]string, 501)...), one + v("records", "Member must have length less than or equal to 500")},
		{batchPut, batchBody(make([]string, 5000)...), one + v("records", "Member must have length less than or equal to 500")},
		{batchPut, `{"DeliveryStreamName":"s","Records":[{"Data":"YQ=="},null,{}]}`,
			"2 validation errors detected: " + v("records.2.member", notNull) + "; " + v("records.3.member.data", notNull)},
		{batchPut, `{"DeliveryStreamName":"s","Records":[{"Data":"YQ=="},{"Data":"` + whole + `"}]}`, ""},
		{batchPut, `{"DeliveryStreamName":"s","Records":[{"Data":"YQ=="},{"Data":"` + long + `"}]}`, one + v("records.2.member.data", tooLong)},
		{batchPut, `{"DeliveryStreamName":"a/b","Records":[{"Data":"` + long + `"},{"Data":null}]}`,
			"3 validation errors detected: " + v("deliveryStreamName", pattern) + "; " + v("records.1.member.data", tooLong) + "; " + v("records.2.member.data", notNull)},
		{batchPut, `{"DeliveryStreamName":"","Records":[{"Data":"YQ=="}]}`,
			"2 validation errors detected: " + v("deliveryStreamName", "Member must have length greater than or equal to 1") + "; " + v("deliveryStreamName", pattern)},
		{batchPut, `{"DeliveryStreamName":"` + strings.Repeat("s", 64) + `","Records":[{"Data":"YQ=="}]}`, ""},
		{batchPut, `{"DeliveryStreamName":"` + strings.Repeat("s", 65) + `","Records":[{"Data":"YQ=="}]}`,
			one + v("deliveryStreamName", "Member must have length less than or equal to 64")},
		{batchPut, `{"DeliveryStreamName":"arn:aws:firehose:us-east-1:123456789012:deliverystream/s","Records":[{"Data":"YQ=="}]}`, one + v("deliveryStreamName", pattern)},
		{singlePut, `{"DeliveryStreamName":"s"}`, one + v("record", notNull)},
		{singlePut, `{"DeliveryStreamName":"s","Record":{}}`, one + v("record.data", notNull)},
		{singlePut, `{"DeliveryStreamName":"s","Record":{"Data":""}}`, ""},
		{singlePut, `{"DeliveryStreamName":"s","Record":{"Data":"` + whole + `"}}`, ""},
		{singlePut, `{"DeliveryStreamName":"s","Record":{"Data":"` + long + `"}}`, one + v("record.data", tooLong)},
		{singlePut, `{"DeliveryStreamName":"s","Record":{"x":1,"Data":"` + long + `"}}`, one + v("record.data", tooLong)},
	} {
		p := newPut()
		if err := p.read(inBuffer(c.body), c.op); err != nil {
			t.Errorf("%.200s: %v", c.body, err)
			continue
		}
		if got := p.invalid.message(); got != c.want {
			t.Errorf("%.200s\n got %s\nwant %s", c.body, got, c.want)
		}
		p.free()
	}
}

// Decoding in place must not overtake its own source, whatever the sizes. Both decoders
// are tried, and batches of random sizes around the widths of vector registers.
func TestDecodingInPlaceNeverOvertakesItsSource(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	plain := func(dst, src []byte) (int, error) { return base64.StdEncoding.Decode(dst, src) }
	for range 3000 {
		want := make([]byte, rng.IntN(300))
		if rng.IntN(20) == 0 {
			want = make([]byte, rng.IntN(20000))
		}
		fill(rng, want)
		text := base64.StdEncoding.EncodeToString(want)
		for name, decode := range map[string]func(dst, src []byte) (int, error){"fast": decodeBase64, "plain": plain} {
			buf := inBuffer(text)
			n, err := decode(buf, buf[headroom:])
			if err != nil || !bytes.Equal(buf[:n], want) {
				t.Fatalf("%s: %d bytes became %d others, %v", name, len(want), n, err)
			}
		}
	}
	for range 300 {
		want := make([]string, 1+rng.IntN(40))
		for i := range want {
			b := make([]byte, rng.IntN(1+rng.IntN(3000)))
			fill(rng, b)
			want[i] = string(b)
		}
		p := newPut()
		if err := p.read(inBuffer(batchBody(want...)), batchPut); err != nil {
			t.Fatal(err)
		}
		for i, got := range records(p.batch) {
			if got != want[i] {
				t.Fatalf("record %d of %d bytes is another", i, len(want[i]))
			}
		}
		p.free()
	}
}

func fill(rng *rand.Rand, b []byte) {
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
}

// reference reads a batch in the plainest way: jsontext's rules, the standard base64.
func reference(body []byte, opts ...json.Options) (name string, data []string, valid, ok bool) {
	var in struct {
		DeliveryStreamName *string
		Records            *[]*struct{ Data *string }
	}
	if len(body) == 0 || json.Unmarshal(body, &in, opts...) != nil || bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte("null")) {
		return "", nil, false, false
	}
	valid = in.DeliveryStreamName != nil && in.Records != nil && isStreamName([]byte(*in.DeliveryStreamName)) &&
		len(*in.Records) >= 1 && len(*in.Records) <= maxBatchRecords
	if in.DeliveryStreamName != nil {
		name = *in.DeliveryStreamName
	}
	if in.Records == nil {
		return name, nil, valid, true
	}
	for _, r := range *in.Records {
		if r == nil || r.Data == nil {
			valid = false
			continue
		}
		d, err := base64.StdEncoding.DecodeString(*r.Data)
		if err != nil || strings.ContainsAny(*r.Data, "\r\n") {
			return "", nil, false, false
		}
		data = append(data, string(d))
	}
	return name, data, valid, true
}

// The reader and the reference take the same bodies and find the same in them. They may
// differ on names that are twice in an object but that nobody knows: jsontext forbids
// them, the reader does not remember them.
func FuzzPut(f *testing.F) {
	for _, s := range []string{
		batchBody("a", "", "bcd"), batchBody(strings.Repeat("xyz", 100)), `{}`, `{"Records":[null,{},{"Data":null}]}`,
		`{"DeliveryStreamName":"s","Records":[{"Data":"YW\/i"},{"Data":"\u0059WJj"}]}`,
		`{"DeliveryStreamName": "s" , "Records": [ {"Data": "YQ==" } ] , "x":{"a":1,"a":[2.5e-3,"é"]}}`,
		"{\"DeliveryStreamName\":\"s\",\"Records\":[{\"Data\":\"YWJj\nYWJj\"}]}",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		p := newPut()
		defer p.free()
		err := p.read(inBuffer(string(body)), batchPut)
		_, _, _, strict := reference(body)
		name, data, valid, lax := reference(body, jsontext.AllowDuplicateNames(true))
		if len(data) > maxBatchRecords || strings.Count(string(body), "Data") > maxBatchRecords {
			return
		}
		if strict && err != nil {
			t.Fatalf("refused what is right: %v", err)
		}
		if err != nil {
			return
		}
		if !lax {
			t.Fatal("taken, though it is not right")
		}
		if (p.invalid.message() == "") != valid {
			t.Fatalf("valid is %v, but told: %s", valid, p.invalid.message())
		}
		if got := records(p.batch); string(p.name) != name || fmt.Sprintf("%q", got) != fmt.Sprintf("%q", data) {
			t.Fatalf("stream %q records %q, want %q %q", p.name, got, name, data)
		}
	})
}

func BenchmarkRead(b *testing.B) {
	for _, c := range []struct {
		name       string
		op         *putOperation
		records, n int
	}{
		{"batch=500x512B", batchPut, 500, 512},
		{"batch=500x6KiB", batchPut, 500, 6 << 10},
		{"single=512B", singlePut, 1, 512},
	} {
		data := make([]string, c.records)
		rng := rand.New(rand.NewPCG(3, 4))
		for i := range data {
			raw := make([]byte, c.n)
			fill(rng, raw)
			data[i] = string(raw)
		}
		body := batchBody(data...)
		if !c.op.list {
			body = `{"DeliveryStreamName":"clicks","Record":{"Data":"` + b64(data[0]) + `"}}`
		}
		for _, how := range []struct{ name, body string }{
			{"compact", body},
			{"escaped", strings.ReplaceAll(body, "/", `\/`)},
		} {
			b.Run(c.name+"/"+how.name, func(b *testing.B) {
				buf := inBuffer(how.body)
				b.SetBytes(int64(len(how.body)))
				b.ReportAllocs()
				for b.Loop() {
					copy(buf[headroom:], how.body) // the reader overwrote it
					p := newPut()
					if err := p.read(buf, c.op); err != nil {
						b.Fatal(err)
					}
					p.free()
				}
			})
		}
	}
}

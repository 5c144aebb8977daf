package lambda

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"hydrant/internal/record"
)

const function = "arn:aws:lambda:us-east-1:123456789012:function:f:$LATEST"

// event is a request as a function sees it.
type event struct {
	InvocationID string `json:"invocationId"`
	Stream       string `json:"deliveryStreamArn"`
	Region       string `json:"region"`
	Records      []struct {
		ID      string `json:"recordId"`
		Arrival int64  `json:"approximateArrivalTimestamp"`
		Data    []byte `json:"data"`
	} `json:"records"`
}

// fake is a function: it is called with each event, and what it returns is the answer.
type fake struct {
	t     *testing.T
	mu    sync.Mutex
	calls []event
	f     func(call int, e event) (string, error)
}

func (f *fake) Invoke(_ context.Context, arn string, payload []byte) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var e event
	if err := json.Unmarshal(payload, &e); err != nil || arn != function || len(payload) > 6<<20 {
		f.t.Errorf("invoked %s with %d bytes: %v", arn, len(payload), err)
	}
	f.calls = append(f.calls, e)
	answer, err := f.f(len(f.calls), e)
	return []byte(answer), err
}

func processor(t *testing.T, retries int, f func(call int, e event) (string, error)) (*Processor, *fake) {
	fn := &fake{t: t, f: f}
	return New(Options{
		Function: function, Retries: retries, Stream: "arn:aws:firehose:us-east-1:123456789012:deliverystream/clicks",
		Region: "us-east-1", Invoker: fn, Now: time.Now,
	}), fn
}

func items(data ...string) (all []record.Item) {
	for i, d := range data {
		all = append(all, record.Item{ID: fmt.Sprint("id-", i), Arrival: time.UnixMilli(1768471200123), Source: []byte(d), Data: []byte(d)})
	}
	return all
}

// upper is a function that works.
func upper(e event) string {
	var b strings.Builder
	b.WriteString(`{"records":[`)
	for i, r := range e.Records {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"recordId":%q,"result":"Ok","data":%q}`, r.ID, base64.StdEncoding.EncodeToString(bytes.ToUpper(r.Data)))
	}
	return b.String() + "]}"
}

func TestAFunctionGetsWhatFirehoseSends(t *testing.T) {
	p, fn := processor(t, 0, func(_ int, e event) (string, error) { return upper(e), nil })
	list := items("a", "", "c")
	list = append(list, record.Item{ID: "gone", Dropped: true}, record.Item{ID: "failed", Failure: &record.Failure{}})
	out, err := p.Process(t.Context(), list)
	if err != nil || len(fn.calls) != 1 {
		t.Fatalf("%d calls, %v", len(fn.calls), err)
	}
	e := fn.calls[0]
	if len(e.InvocationID) != 36 || e.Stream != p.opt.Stream || e.Region != "us-east-1" || len(e.Records) != 3 ||
		e.Records[0].ID != "id-0" || e.Records[0].Arrival != 1768471200123 || string(e.Records[2].Data) != "c" {
		t.Fatalf("%+v", e)
	}
	if string(out[0].Data) != "A" || string(out[1].Data) != "" || string(out[2].Data) != "C" || string(out[0].Source) != "a" {
		t.Fatalf("%+v", out)
	}
}

// Each line of the table of spec section 5.5 that is about an answer.
func TestWhatBecomesOfAnAnswer(t *testing.T) {
	const first = `{"recordId":"id-0","result":"Ok","data":"QQ=="}`
	for _, c := range []struct {
		answer string
		want   [2]string // Ok and data, Dropped, or a code
	}{
		{`{"records":[` + first + `,{"recordId":"id-1","result":"Ok","data":"Qg=="}]}`, [2]string{"A", "B"}},
		{`{"records":[{"recordId":"id-1","result":"Ok","data":""},` + first + `],"more":1}`, [2]string{"A", ""}},
		{`{"records":[` + first + `,{"recordId":"id-1","result":"Dropped"}]}`, [2]string{"A", "Dropped"}},
		{`{"records":[` + first + `,{"recordId":"id-1","result":"Dropped","data":"%"}]}`, [2]string{"A", "Dropped"}},
		{`{"records":[` + first + `,{"recordId":"id-1","result":"ProcessingFailed","data":"Qg=="}]}`, [2]string{"A", "Lambda.ProcessingFailedStatus"}},
		{`{"records":[` + first + `]}`, [2]string{"A", "Lambda.MissingRecordId"}},
		{`{"records":[` + first + `,{"recordId":"other","result":"Ok","data":"Qg=="}]}`, [2]string{"A", "Lambda.MissingRecordId"}},
		{`{"records":[` + first + `,{"recordId":"id-1","result":"Ok","data":"Qg=="},{"recordId":"id-1","result":"Dropped"}]}`, [2]string{"A", "Lambda.DuplicatedRecordId"}},
		{`{"records":[` + first + `,{"recordId":"id-1","result":"Ok"}]}`, [2]string{"A", "Lambda.InvalidReturnFormat"}},
		{`{"records":[` + first + `,{"recordId":"id-1","result":"Ok","data":null}]}`, [2]string{"A", "Lambda.InvalidReturnFormat"}},
		{`{"records":[` + first + `,{"recordId":"id-1","result":"Ok","data":"%"}]}`, [2]string{"Lambda.FunctionError", "Lambda.FunctionError"}},
		{`{"records":[` + first + `,{"recordId":"id-1","result":"ok","data":"Qg=="}]}`, [2]string{"Lambda.FunctionError", "Lambda.FunctionError"}},
		{`{"records":[` + first + `,{"recordId":"id-1"}]}`, [2]string{"Lambda.FunctionError", "Lambda.FunctionError"}},
		{`{"records":[]}`, [2]string{"Lambda.MissingRecordId", "Lambda.MissingRecordId"}},
		{`{}`, [2]string{"Lambda.MissingRecordId", "Lambda.MissingRecordId"}},
		{`null`, [2]string{"Lambda.MissingRecordId", "Lambda.MissingRecordId"}},
		{`{"records":{}}`, [2]string{"Lambda.FunctionError", "Lambda.FunctionError"}},
		{`[]`, [2]string{"Lambda.FunctionError", "Lambda.FunctionError"}},
		{`not JSON`, [2]string{"Lambda.FunctionError", "Lambda.FunctionError"}},
		{``, [2]string{"Lambda.FunctionError", "Lambda.FunctionError"}},
	} {
		p, fn := processor(t, 3, func(int, event) (string, error) { return c.answer, nil })
		out, err := p.Process(t.Context(), items("a", "b"))
		if err != nil || len(fn.calls) != 1 { // what came is not asked for again
			t.Fatalf("%s: %d calls, %v", c.answer, len(fn.calls), err)
		}
		for i, want := range c.want {
			got := string(out[i].Data)
			switch {
			case out[i].Dropped:
				got = "Dropped"
			case out[i].Failure != nil:
				got = out[i].Failure.Code
				if f := out[i].Failure; f.Attempts != 1 || f.Function != function || f.Output != record.ProcessingFailed || f.Message == "" {
					t.Errorf("%s: failure %+v", c.answer, f)
				}
			}
			if got != want {
				t.Errorf("%s: record %d is %q, want %q", c.answer, i, got, want)
			}
		}
	}
}

func TestPartitionKeysComeWithTheAnswer(t *testing.T) {
	for metadata, want := range map[string]map[string]string{
		`{"partitionKeys":{"customer":"42"},"otfMetadata":{}}`:                         {"customer": "42"},
		`{"partitionKeys":{"customer":"\u00fc\n","day":""}}`:                           {"customer": "ü\n", "day": ""},
		`{"partitionKeys":{"a":42,"b":true,"c":null,"d":["x"],"e":{"f":"g"},"h":"i"}}`: {"h": "i"},
		"{\"partitionKeys\":{\"latin\":\"\xe4\",\"h\":\"i\"}}":                         {"h": "i"},
		`{"partitionKeys":"customer"}`:                                                 nil,
		`{"partitionKeys":null}`:                                                       nil,
		`{}`:                                                                           nil,
		`["partitionKeys"]`:                                                            nil,
		`null`:                                                                         nil,
		`42`:                                                                           nil,
	} {
		p, _ := processor(t, 0, func(int, event) (string, error) {
			return `{"records":[{"recordId":"id-0","result":"Ok","data":"QQ==","metadata":` + metadata + `}]}`, nil
		})
		out, err := p.Process(t.Context(), items("a"))
		if err != nil || string(out[0].Data) != "A" || !maps.Equal(out[0].Keys, want) {
			t.Errorf("%s: %+v, %v", metadata, out, err)
		}
	}
}

// A call that fails is repeated with the same records under another invocation id.
func TestACallThatFailsIsRepeated(t *testing.T) {
	for want, cause := range map[words]error{
		failed: ErrFunction, noFunction: ErrNoFunction, denied: ErrDenied, throttled: ErrThrottled,
	} {
		for _, fails := range []int{2, 3} {
			t.Run(fmt.Sprintf("%s, %d times", want.code, fails), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					p, fn := processor(t, 2, func(call int, e event) (string, error) {
						if call <= fails {
							return "", fmt.Errorf("call %d: %w", call, cause)
						}
						return upper(e), nil
					})
					begin := time.Now()
					out, err := p.Process(t.Context(), items("a"))
					if err != nil || fn.calls[0].InvocationID == fn.calls[1].InvocationID || fn.calls[0].Records[0].ID != fn.calls[1].Records[0].ID {
						t.Fatalf("%+v, %v", fn.calls, err)
					}
					if waited := time.Since(begin); waited < 2400*time.Millisecond || waited > 3600*time.Millisecond { // 1 s and 2 s, ±20 %
						t.Fatalf("waited %s", waited)
					}
					switch {
					case fails == 2 && string(out[0].Data) != "A":
						t.Fatalf("%+v", out[0])
					case fails == 3 && (out[0].Failure == nil || out[0].Failure.Code != want.code || out[0].Failure.Message != want.message || out[0].Failure.Attempts != 3):
						t.Fatalf("%+v", out[0].Failure)
					}
				})
			})
		}
	}
}

// A function that fails on some records fails those alone.
func TestPoisonTakesNobodyWithIt(t *testing.T) {
	poison := map[string]bool{"record 17": true, "record 500": true, "record 501": true, "record 999": true}
	synctest.Test(t, func(t *testing.T) {
		p, fn := processor(t, 1, func(_ int, e event) (string, error) {
			for _, r := range e.Records {
				if poison[string(r.Data)] {
					return "", ErrFunction
				}
			}
			return upper(e), nil
		})
		var data []string
		for i := range 1000 {
			data = append(data, fmt.Sprint("record ", i))
		}
		out, err := p.Process(t.Context(), items(data...))
		if err != nil {
			t.Fatal(err)
		}
		for i := range out {
			bad := poison[data[i]]
			if bad != (out[i].Failure != nil) || !bad && string(out[i].Data) != strings.ToUpper(data[i]) {
				t.Errorf("%s became %q, %+v", data[i], out[i].Data, out[i].Failure)
			}
			if bad && (out[i].Failure.Code != "Lambda.FunctionError" || out[i].Failure.Attempts != 3) {
				t.Errorf("failure %+v", out[i].Failure)
			}
		}
		if len(fn.calls) > 100 {
			t.Errorf("%d calls", len(fn.calls))
		}
	})
}

// A function that is broken altogether is not called for every single record.
func TestABrokenFunctionIsSoonGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, fn := processor(t, 0, func(int, event) (string, error) { return "", ErrFunction })
		var data []string
		for i := range 5000 {
			data = append(data, fmt.Sprint("record ", i))
		}
		out, err := p.Process(t.Context(), items(data...))
		if err != nil || len(fn.calls) > 2*maxRow {
			t.Fatalf("%d calls, %v", len(fn.calls), err)
		}
		for i := range out {
			if out[i].Failure == nil {
				t.Fatalf("record %d did not fail", i)
			}
		}
	})
}

// A function that hangs must not hold up the stream for ever.
func TestAHuntIsGivenUpInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, fn := processor(t, 0, func(int, event) (string, error) { time.Sleep(5 * time.Minute); return "", ErrFunction })
		begin := time.Now()
		if _, err := p.Process(t.Context(), items(make([]string, 100)...)); err != nil {
			t.Fatal(err)
		}
		if time.Since(begin) > 30*time.Minute {
			t.Fatalf("%d calls in %s", len(fn.calls), time.Since(begin))
		}
	})
}

func TestLargeBatchesAreSplitBelowLambdasLimit(t *testing.T) {
	p, fn := processor(t, 0, func(_ int, e event) (string, error) { return upper(e), nil })
	list := items(strings.Repeat("a", record.MaxRecordBytes), strings.Repeat("b", record.MaxRecordBytes), strings.Repeat("c", record.MaxRecordBytes),
		strings.Repeat("d", record.MaxRecordBytes), strings.Repeat("e", record.MaxRecordBytes), "f")
	out, err := p.Process(t.Context(), list)
	if err != nil || len(fn.calls) != 2 {
		t.Fatalf("%d calls, %v", len(fn.calls), err)
	}
	for i := range out {
		if !bytes.Equal(out[i].Data, bytes.ToUpper(out[i].Source)) {
			t.Errorf("record %d", i)
		}
	}
}

// A record may have grown beyond what a request may have since it came, by decompression.
func TestARecordTooLargeForARequestFailsAtOnceAndAlone(t *testing.T) {
	for name, size := range map[string]int{"just": (maxPayload-aroundRecord-len("id-1"))/4*3 + 1, "far": 20 << 20} {
		t.Run(name, func(t *testing.T) {
			p, fn := processor(t, 3, func(_ int, e event) (string, error) { return upper(e), nil })
			list := items("a", strings.Repeat("b", size), "c")
			out, err := p.Process(t.Context(), list)
			if err != nil || len(fn.calls) != 1 || len(fn.calls[0].Records) != 2 {
				t.Fatalf("%d calls, %v", len(fn.calls), err)
			}
			if string(out[0].Data) != "A" || string(out[2].Data) != "C" {
				t.Errorf("the others became %q and %q", out[0].Data, out[2].Data)
			}
			f := out[1].Failure
			if f == nil || f.Code != "Lambda.FunctionError" || f.Attempts != 1 || !strings.Contains(f.Message, "too large") ||
				f.Function != function || f.Output != record.ProcessingFailed {
				t.Errorf("failure %+v", f)
			}
		})
	}
}

func TestTheLargestRecordThatFitsIsSent(t *testing.T) {
	p, fn := processor(t, 0, func(_ int, e event) (string, error) { return upper(e), nil })
	out, err := p.Process(t.Context(), items(strings.Repeat("a", (maxPayload-aroundRecord-len("id-0"))/4*3)))
	if err != nil || len(fn.calls) != 1 || out[0].Failure != nil {
		t.Fatalf("%d calls, %v, %+v", len(fn.calls), err, out[0].Failure)
	}
}

func TestTheEndOfTheContextIsNoFailureOfRecords(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	p, _ := processor(t, 3, func(int, event) (string, error) { cancel(); return "", ErrFunction })
	list := items("a", "b")
	if _, err := p.Process(ctx, list); !errors.Is(err, context.Canceled) || list[0].Failure != nil {
		t.Fatalf("%v, %+v", err, list[0].Failure)
	}
}

// What the scanner takes is what a decoder reads, and it leaves alone what it does not know.
func FuzzScan(f *testing.F) {
	for _, answer := range []string{
		`{"records":[{"recordId":"a","result":"Ok","data":"QQ=="},{"result":"Dropped","recordId":"b"}]}`, ` { "records" : [ ] } `,
		`{"records":[{"recordId":"a","recordId":"b"}]}`, `{"records":[{"data":null}]}`, `{"records":[{"data":"\u0041"}]}`, `{"records":[{}],"x":1}`,
	} {
		f.Add([]byte(answer))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		fast, ok := scan(b)
		if !ok {
			return
		}
		var slow answer
		if err := json.Unmarshal(b, &slow, jsontext.AllowInvalidUTF8(true)); err != nil {
			// Control characters in data are for base64 to refuse.
			for i := range fast {
				if !fast[i].decode() {
					return
				}
			}
			t.Fatalf("%q is taken: %v", b, err)
		}
		if len(fast) != len(slow.Records) {
			t.Fatalf("%q has %d records, not %d", b, len(slow.Records), len(fast))
		}
		for i := range fast {
			if got, want := fast[i], slow.Records[i]; got.ID != want.ID || got.Result != want.Result || !bytes.Equal(got.Data, want.Data) {
				t.Fatalf("%q: %+v, want %+v", b, got, want)
			}
		}
	})
}

// Whatever a function answers, each record has one fate.
func FuzzAnswer(f *testing.F) {
	f.Add([]byte(`{"records":[{"recordId":"id-0","result":"Ok","data":"QQ==","metadata":{"partitionKeys":{"a":"b"}}},{"recordId":"id-1","result":"Dropped"}]}`))
	f.Add([]byte(`{"records":[{"recordId":"id-1","result":"ProcessingFailed"},{"recordId":"id-1","result":"Ok","data":""}]}`))
	f.Fuzz(func(t *testing.T, answer []byte) {
		p, _ := processor(t, 0, func(int, event) (string, error) { return string(answer), nil })
		out, err := p.Process(t.Context(), items("a", "b"))
		if err != nil || len(out) != 2 {
			t.Fatalf("%d items, %v", len(out), err)
		}
		for _, i := range out {
			if i.Dropped && i.Failure != nil {
				t.Fatalf("%+v", i)
			}
		}
	})
}

func BenchmarkProcess(b *testing.B) {
	answers := map[int]string{}
	p := New(Options{Function: function, Stream: "s", Region: "r", Now: time.Now, Invoker: invokerFunc(func(payload []byte) []byte {
		if answers[len(payload)] == "" {
			var e event
			if err := json.Unmarshal(payload, &e); err != nil {
				b.Fatal(err)
			}
			answers[len(payload)] = upper(e)
		}
		return []byte(answers[len(payload)])
	})})
	var data []string
	for range 1000 {
		data = append(data, strings.Repeat("x", 1000))
	}
	list := items(data...)
	b.SetBytes(1000 * 1000)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.Process(b.Context(), append([]record.Item(nil), list...)); err != nil {
			b.Fatal(err)
		}
	}
}

type invokerFunc func([]byte) []byte

func (f invokerFunc) Invoke(_ context.Context, _ string, payload []byte) ([]byte, error) {
	return f(payload), nil
}

package simulation

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// farm is a Lambda elsewhere whose function passes records through, where it is well.
// Otherwise it fails, hangs, talks nonsense, or fails single records, and another record
// each time it is asked.
type farm struct {
	life *life

	mu sync.Mutex
	r  *rand.Rand
}

func (w *world) functions(l *life) *farm {
	return &farm{life: l, r: dice(w.plan.seed, fmt.Sprint("functions", l.number))}
}

// mood is what the function does with a call.
type mood int

const (
	fine mood = iota
	fails
	throttles
	hangs5
	nonsense
	picky // it fails single records
	away
)

var moods = [...]string{"answers", "fails", "throttles", "hangs", "talks nonsense", "fails single records", "is away"}

func (f *farm) draw() (mood, *rand.Rand) {
	f.mu.Lock()
	defer f.mu.Unlock()
	m := fine
	if f.life.w.sick.Load() {
		m = []mood{fine, fine, fine, fine, fails, throttles, hangs5, nonsense, picky, picky, away}[f.r.IntN(11)]
	}
	return m, rand.New(rand.NewPCG(f.r.Uint64(), 0))
}

// RoundTrip implements http.RoundTripper.
func (f *farm) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	if f.life.isDead() {
		return nil, errCut
	}
	m, dice := f.draw()
	f.life.w.story.count("function "+moods[m], 1)
	switch m {
	case away:
		return nil, errors.New("no route to the functions")
	case fails:
		return reply(200, http.Header{"X-Amz-Function-Error": {"Unhandled"}}, `{"errorMessage":"simulated"}`), nil
	case throttles:
		return reply(429, http.Header{"X-Amzn-Errortype": {"TooManyRequestsException"}}, `{}`), nil
	case nonsense:
		return reply(200, nil, []string{"", "{}", `{"records":[{"recordId":"x","result":"ok"}]}`, "<html>"}[dice.IntN(4)]), nil
	case hangs5:
		if err := pause(r.Context(), time.Duration(dice.IntN(600))*time.Second); err != nil {
			return nil, err
		}
	}
	text, err := pass(body, m == picky, dice)
	if err != nil {
		return nil, err
	}
	if f.life.isDead() {
		return nil, errCut
	}
	return reply(200, nil, text), nil
}

func reply(status int, header http.Header, body string) *http.Response {
	if header == nil {
		header = http.Header{}
	}
	return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(body))}
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// pass answers a call with the records as they came, but for some where it is picky.
func pass(body []byte, picky bool, dice *rand.Rand) (string, error) {
	type record struct {
		ID       string         `json:"recordId"`
		Result   string         `json:"result"`
		Data     string         `json:"data"`
		Metadata jsontext.Value `json:"metadata,omitzero"`
	}
	var all struct {
		Records []record `json:"records"`
	}
	if err := json.Unmarshal(body, &all); err != nil {
		return "", err
	}
	kept := all.Records[:0]
	for _, r := range all.Records {
		r.Result, r.Metadata = "Ok", metadata(r.Data)
		if picky && dice.IntN(5) == 0 {
			r.Result = "ProcessingFailed"
		}
		if !picky || dice.IntN(20) > 0 { // else it is forgotten
			kept = append(kept, r)
		}
	}
	all.Records = kept
	b, err := json.Marshal(all)
	return string(b), err
}

// metadata hands on the partition key that a record has for functions.
func metadata(data string) jsontext.Value {
	head, err := base64.StdEncoding.DecodeString(data[:min(len(data), headRead)])
	if err != nil || !strings.HasPrefix(string(head), jsonMagic) {
		return nil
	}
	_, f, ok := strings.Cut(string(head), `,"f":"`)
	if !ok {
		return nil
	}
	f, _, _ = strings.Cut(f, `"`)
	return jsontext.Value(`{"partitionKeys":{"f":"` + f + `"}}`)
}

// headRead is how much is read for it: more than any record has before its filler.
const headRead = 4000

// troubleFunctions makes the function sick for a while, and well again.
func (w *world) troubleFunctions(ctx context.Context) {
	r := dice(w.plan.seed, "sickness")
	for w.plan.chance.processing && w.sleep(ctx, time.Duration(r.IntN(200))*time.Second) {
		w.sick.Store(true)
		w.sleep(ctx, time.Duration(10+r.IntN(300))*time.Second)
		w.sick.Store(false)
	}
}

// processing asks for the stream's records to go through the function, or not.
func (u ruler) processing(on bool) string {
	return fmt.Sprintf(`,"ProcessingConfiguration":{"Enabled":%v,"Processors":[%s]}`, on, u.lambda())
}

// lambda is the processor of the function.
func (u ruler) lambda() string {
	return fmt.Sprintf(`{"Type":"Lambda","Parameters":[`+
		`{"ParameterName":"LambdaArn","ParameterValue":"arn:aws:lambda:us-east-1:000000000000:function:f"},`+
		`{"ParameterName":"NumberOfRetries","ParameterValue":"%d"},{"ParameterName":"BufferSizeInMBs","ParameterValue":"%.1f"},`+
		`{"ParameterName":"BufferIntervalInSeconds","ParameterValue":"%d"}]}`, u.r.IntN(3), 0.2+u.r.Float64()*2, u.r.IntN(30))
}

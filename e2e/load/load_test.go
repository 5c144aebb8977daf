package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"

	"hydrant/e2e/load/sigv4"
)

func TestEventsAreJSONOfTheAskedSizeAndCompressLikeReality(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, size := range []int{minSize, 512, 700, largestSize} {
		for range 1000 {
			event := appendEvent(nil, r, size)
			if len(event) != size || !jsontext.Value(event).IsValid() || event[size-1] != '\n' {
				t.Fatalf("%d of %d bytes: %s", len(event), size, event)
			}
		}
	}
	var raw, packed bytes.Buffer
	for range 10000 {
		raw.Write(appendEvent(nil, r, 512))
	}
	w, err := gzip.NewWriterLevel(&packed, 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(raw.Bytes()); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if ratio := float64(raw.Len()) / float64(packed.Len()); ratio < 3 || ratio > 5 {
		t.Errorf("gzip makes events %.2f times smaller, which is not like the data that people send", ratio)
	}
}

// A server that checks every signature and keeps every record.
type receiver struct {
	t  *testing.T
	mu sync.Mutex

	records map[string]int // by id
	puts    int
	answer  func(put, records int) (int, string) // nil: all is well
}

func (s *receiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		s.t.Error(err)
	}
	date, target := r.Header.Get("X-Amz-Date"), r.Header.Get("X-Amz-Target")
	want := sigv4.New("key", "secret", "us-east-1", "firehose").Authorization(nil, date, r.Host, target, sha256.Sum256(body))
	if got := r.Header.Get("Authorization"); got != string(want) {
		s.t.Errorf("signed as %s, want %s", got, want)
	}
	var put struct {
		Record  struct{ Data []byte }
		Records []struct{ Data []byte }
	}
	if err := json.Unmarshal(body, &put, json.RejectUnknownMembers(false)); err != nil {
		s.t.Errorf("body: %v", err)
	}
	if strings.HasSuffix(target, ".PutRecord") {
		put.Records = append(put.Records, put.Record)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.puts++
	status, text := http.StatusOK, `{"FailedPutCount":0,"RequestResponses":[]}`
	if s.answer != nil {
		status, text = s.answer(s.puts, len(put.Records))
	}
	for _, record := range put.Records {
		s.records[string(record.Data[idAt:idAt+idLength])]++
	}
	w.WriteHeader(status)
	if _, err := io.WriteString(w, text); err != nil {
		s.t.Error(err)
	}
}

// load runs the generator against a receiver and returns its report and what it logged.
func load(t *testing.T, s *receiver, flags ...string) (*report, []string) {
	t.Helper()
	s.t, s.records = t, map[string]int{}
	server := httptest.NewServer(s)
	defer server.Close()
	log := filepath.Join(t.TempDir(), "acked")
	o, err := parseFlags(append([]string{"-url", server.URL, "-unique", "-log", log, "-connections", "4"}, flags...))
	if err != nil {
		t.Fatal(err)
	}
	r, err := run(context.Background(), o, "key", "secret")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	return r, strings.Fields(string(text))
}

func TestEveryRecordArrivesOnceUnderItsOwnID(t *testing.T) {
	for mode, want := range map[string]int{"batch": 5000, "single": 200, "largest": 1000} {
		t.Run(mode, func(t *testing.T) {
			s := &receiver{}
			r, logged := load(t, s, "-mode", mode, "-records", fmt.Sprint(want), "-label", "abcde")
			if len(s.records) != want || r.Records != int64(want) || len(logged) != want || len(r.Errors) != 0 {
				t.Fatalf("%d records arrived, %d counted, %d logged, want %d; errors %v", len(s.records), r.Records, len(logged), want, r.Errors)
			}
			for _, id := range logged {
				if s.records[id] != 1 || !strings.HasPrefix(id, "abcde-") {
					t.Fatalf("%s arrived %d times", id, s.records[id])
				}
			}
		})
	}
}

// What the server did not acknowledge is counted by its reason, and not logged.
func TestOnlyAcknowledgedRecordsCount(t *testing.T) {
	partial := `{"FailedPutCount":1,"RequestResponses":[{"RecordId":"a"},{"ErrorCode":"ServiceUnavailableException"}` + strings.Repeat(`,{"RecordId":"a"}`, 498) + `]}`
	s := &receiver{answer: func(put, records int) (int, string) {
		switch put {
		case 1:
			return 500, `{"__type":"ServiceUnavailableException","message":"Slow down."}`
		case 2:
			return 200, partial
		}
		return 200, `{"FailedPutCount":0,"RequestResponses":[]}`
	}}
	r, logged := load(t, s, "-records", "2000", "-connections", "1")
	want := map[string]int64{"500 ServiceUnavailableException": 500, "ServiceUnavailableException": 1}
	if d := cmp.Diff(want, r.Errors); d != "" {
		t.Error(d)
	}
	if r.Records != 1499 || len(logged) != 1499 {
		t.Errorf("%d records counted, %d logged", r.Records, len(logged))
	}
}

func TestAServerThatIsAwayIsWaitedForAndThenReported(t *testing.T) {
	o, err := parseFlags([]string{"-url", "http://127.0.0.1:1", "-records", "1", "-connections", "1", "-patience", "60ms"})
	if err != nil {
		t.Fatal(err)
	}
	r, err := run(context.Background(), o, "key", "secret")
	if err != nil || r.Errors["Unreachable"] != 500 {
		t.Fatalf("%v, %v", r, err)
	}
}

func TestStreamsTakeTurns(t *testing.T) {
	o := options{mode: "single", perPut: 1, size: minSize, stream: "s-%02d", streams: 3, records: 1}
	j := newJob(o, &ackLog{})
	w := newWorker(j, 0, "key", "secret")
	var names []string
	for put := range 4 {
		head, tail, digest := w.body(int64(put))
		names = append(names, string(head))
		if digest != sha256.Sum256(append(bytes.Clone(head), tail...)) {
			t.Errorf("put %d is hashed wrongly", put)
		}
	}
	want := []string{`{"DeliveryStreamName":"s-00",`, `{"DeliveryStreamName":"s-01",`, `{"DeliveryStreamName":"s-02",`, `{"DeliveryStreamName":"s-00",`}
	if d := cmp.Diff(want, names); d != "" {
		t.Error(d)
	}
}

func TestFlagsThatMakeNoSenseAreRefused(t *testing.T) {
	for _, flags := range []string{"", "-records 1 -mode bulk", "-records 1 -size 100", "-records 1 -size 9000", "-records 1 -log f", "-records 1 -url https://h", "-records 1 -label x"} {
		if _, err := parseFlags(strings.Fields(flags)); err == nil {
			t.Errorf("%q passed", flags)
		}
	}
}

func TestQuantiles(t *testing.T) {
	var all []time.Duration
	for i := range 1000 {
		all = append(all, time.Duration(i+1)*time.Millisecond)
	}
	if got := []float64{quantile(all, 0.5), quantile(all, 0.99), quantile(all, 1), quantile(nil, 0.5)}; !cmp.Equal(got, []float64{501, 991, 1000, 0}) {
		t.Errorf("got %v", got)
	}
}

// What a worker does beside the request: it must be small beside what the server does.
func BenchmarkBatchWithOwnIDs(b *testing.B) {
	o := options{mode: "batch", perPut: 500, size: 512, stream: "s", streams: 1, records: 1, unique: true, label: "00000"}
	w := newWorker(newJob(o, &ackLog{}), 0, "key", "secret")
	b.ReportAllocs()
	b.SetBytes(500 * 512)
	for b.Loop() {
		w.body(0)
	}
}

func BenchmarkEncodedIDs(b *testing.B) {
	var id [idLength]byte
	var out [idBase64]byte
	for b.Loop() {
		base64.StdEncoding.Encode(out[:], appendID(id[:0], "00000", 17, 123456))
	}
}

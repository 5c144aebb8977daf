package demo

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-json-experiment/json"

	"hydrant/internal/aws"
)

// putServer answers PutRecordBatch as fail says, and keeps what it accepted.
type putServer struct {
	fail     func(request int, record string) string // error code; empty: accepted
	whole    func(request int) string                // error code of a whole request
	requests int
	accepted []string
}

func (s *putServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Records []struct{ Data string }
	}
	if err := json.UnmarshalRead(r.Body, &in); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.requests++
	if s.whole != nil {
		if code := s.whole(s.requests); code != "" {
			w.WriteHeader(http.StatusInternalServerError)
			fmt.Fprintf(w, `{"__type":"com.amazonaws#%s","Message":"Slow down."}`, code)
			return
		}
	}
	failed, results := 0, []string{}
	for _, record := range in.Records {
		data, err := base64.StdEncoding.DecodeString(record.Data)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		if code := s.fail(s.requests, string(data)); code != "" {
			failed++
			results = append(results, `{"ErrorCode":"`+code+`","ErrorMessage":"Slow down."}`)
			continue
		}
		s.accepted = append(s.accepted, string(data))
		results = append(results, `{"RecordId":"id"}`)
	}
	fmt.Fprintf(w, `{"FailedPutCount":%d,"Encrypted":false,"RequestResponses":[%s]}`, failed, strings.Join(results, ","))
}

// putting returns a putter for a server, and what it was told to be accepted.
func putting(t *testing.T, s http.Handler) (*putter, *Figures) {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	signer := aws.NewSigner("id", "secret", "", "firehose", "us-east-1")
	var told Figures
	return &putter{
		api:    &firehose{client: client{http: server.Client(), signer: signer, now: time.Now}, url: server.URL},
		stream: StreamName,
		pause:  func(int) time.Duration { return 0 },
		accepted: func(records, bytes int64) {
			told.Records += records
			told.Bytes += bytes
		},
	}, &told
}

func numbers(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%d\n", i)
	}
	return b.String()
}

func TestRefusedRecordsArePutAgainAndAcceptedOnesAreNot(t *testing.T) {
	seen := map[string]int{}
	s := &putServer{
		fail: func(_ int, record string) string {
			if seen[record]++; seen[record] <= len(record)%3 {
				return "ServiceUnavailableException"
			}
			return ""
		},
		whole: func(request int) string {
			if request%4 == 1 {
				return "ServiceUnavailableException"
			}
			return ""
		},
	}
	p, told := putting(t, s)
	input := numbers(1700)
	if err := p.putAll(t.Context(), newLines(io.NopCloser(strings.NewReader(input)), "test")); err != nil {
		t.Fatal(err)
	}
	slices.Sort(s.accepted)
	want := strings.SplitAfter(strings.TrimSuffix(input, "\n"), "\n")
	want[len(want)-1] += "\n"
	slices.Sort(want)
	if !slices.Equal(s.accepted, want) {
		t.Fatalf("%d records were accepted, of %d", len(s.accepted), len(want))
	}
	if *told != (Figures{1700, int64(len(input))}) || p.retried == 0 {
		t.Fatalf("told %+v, retried %d", *told, p.retried)
	}
}

func TestANodeThatKeepsRefusingEndsTheDemo(t *testing.T) {
	s := &putServer{fail: func(_ int, record string) string {
		if record == "2\n" {
			return "ServiceUnavailableException"
		}
		return ""
	}}
	p, told := putting(t, s)
	err := p.putAll(t.Context(), newLines(io.NopCloser(strings.NewReader(numbers(4))), "test"))
	if !errors.Is(err, errRefused) || !strings.Contains(err.Error(), "ServiceUnavailableException: Slow down.") {
		t.Fatal(err)
	}
	if told.Records != 3 {
		t.Fatalf("told of %d accepted records", told.Records)
	}
}

func TestErrorsThatNoRetryHelpsAreTold(t *testing.T) {
	s := &putServer{whole: func(int) string { return "ResourceNotFoundException" }}
	p, _ := putting(t, s)
	err := p.putAll(t.Context(), newLines(io.NopCloser(strings.NewReader("a\n")), "test"))
	if !hasCode(err, "ResourceNotFoundException") || s.requests != 1 {
		t.Fatalf("after %d requests: %v", s.requests, err)
	}
}

func TestBatchesKeepToTheLimits(t *testing.T) {
	megabyte := bytes.Repeat([]byte("x"), 1<<20-100)
	var input [][]byte
	for range 501 {
		input = append(input, []byte("small"))
	}
	for range 5 {
		input = append(input, megabyte)
	}
	records := make(chan []byte, len(input))
	for _, r := range input {
		records <- r
	}
	close(records)
	var b batch
	var shapes []string
	for more := true; more; {
		more = b.gather(t.Context(), records)
		_, bytes := count(b.records, nil)
		shapes = append(shapes, fmt.Sprintf("%d records, %d bytes", len(b.records), bytes))
	}
	want := []string{"500 records, 2500 bytes", "5 records, 4193909 bytes", "1 records, 1048476 bytes"}
	if !slices.Equal(shapes, want) {
		t.Fatalf("batches of %v", shapes)
	}
}

func TestASlowPipeIsPutAsItComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		records := make(chan []byte)
		go func() {
			for range 3 {
				records <- []byte("line\n")
				time.Sleep(10 * time.Second) // of the bubble's clock
			}
			close(records)
		}()
		var b batch
		for i := range 3 {
			began := time.Now()
			if more := b.gather(t.Context(), records); !more || len(b.records) != 1 {
				t.Fatalf("batch %d: %d records, more: %v", i, len(b.records), more)
			}
			if took := time.Since(began); i == 0 && took != linger {
				t.Fatalf("the first line waited for %s", took)
			}
		}
		if more := b.gather(t.Context(), records); more || len(b.records) != 0 {
			t.Fatalf("behind the end: %d records, more: %v", len(b.records), more)
		}
	})
}

// The metrics are those of a node whose deliveries fail: they never move.
func TestWaitingEndsWhenDeliveryStandsStill(t *testing.T) {
	metrics := `hydrant_records_total{outcome="received",stream="demo"} 10
hydrant_pending_records{stream="demo"} 10
hydrant_delivery_failures_in_a_row{stream="demo"} 7
`
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, metrics) }))
	defer server.Close()
	clock := time.Unix(0, 0)
	s := &story{page: page{server.Client(), server.URL}, opt: Options{Now: func() time.Time {
		clock = clock.Add(20 * time.Second)
		return clock
	}}}
	var out bytes.Buffer
	s.show = newScreen(&out, nil, s.opt.Now)
	s.sum.Accepted.Records = 10
	err := s.wait(t.Context())
	if !errors.Is(err, errStalled) || !strings.Contains(err.Error(), "7 attempts") {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "0 of 10 records; the object store fails, attempt 8") {
		t.Fatalf("the screen says:\n%s", &out)
	}
}

func TestObjectsThatHoldTooLittleAreAnAlarm(t *testing.T) {
	s := &story{sum: Summary{Accepted: Figures{Records: 10}}}
	s.sum.Ledger.Received.Records, s.sum.Ledger.Delivered.Records = 10, 10
	if err := s.compare(9); err != nil {
		t.Errorf("a last line without newline: %v", err)
	}
	if err := s.compare(8); !errors.Is(err, errMissing) {
		t.Errorf("a record too few: %v", err)
	}
	s.sum.Ledger.Received.Records, s.sum.Ledger.Delivered.Records = 20, 20
	if err := s.compare(12); err != nil {
		t.Errorf("others put records without newlines: %v", err)
	}
}

func TestLinesAreCountedHoweverLong(t *testing.T) {
	long := strings.Repeat("é", 100_000)
	for _, c := range []struct {
		text string
		want int64
	}{
		{"", 0}, {"a", 1}, {"a\n", 1}, {"\n\n", 2}, {"a\nb", 2}, {long + "\nb\n" + long, 3}, {strings.Repeat("x", 64<<10), 1},
	} {
		n, head, err := countLines(strings.NewReader(c.text), 2)
		if err != nil || n != c.want || len(head) != int(min(c.want, 2)) {
			t.Errorf("%.20q…: %d lines, %d shown, %v", c.text, n, len(head), err)
		}
		for _, h := range head {
			if len(h) > lineShown {
				t.Errorf("%.20q…: %d bytes shown", c.text, len(h))
			}
		}
	}
	broken := io.MultiReader(strings.NewReader("a\nb"), errReader{})
	if _, _, err := countLines(broken, 1); !errors.Is(err, errBroken) {
		t.Errorf("an object that breaks off: %v", err)
	}
}

var errBroken = errors.New("connection reset")

type errReader struct{}

func (errReader) Read([]byte) (int, error) { return 0, errBroken }

func TestEventsAreLinesOfJSON(t *testing.T) {
	s := newShop(5000, func() time.Time { return time.UnixMilli(1768471200123) })
	kinds := map[string]int{}
	for {
		line, err := s.next()
		if errors.Is(err, io.EOF) {
			break
		}
		var e struct {
			Time  time.Time `json:"time"`
			Event string    `json:"event"`
			Cart  *struct{ Articles int }
		}
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		if bytes.IndexByte(line, '\n') != len(line)-1 {
			t.Fatalf("not one line: %q", line)
		}
		kinds[e.Event]++
	}
	for _, kind := range []string{"arrive", "search", "view", "add_to_cart", "checkout", "purchase"} {
		if kinds[kind] == 0 {
			t.Errorf("no %s among %v", kind, kinds)
		}
	}
}

func TestTheBarStaysBelowWhatIsSaid(t *testing.T) {
	clock := time.Unix(0, 0)
	var out bytes.Buffer
	s := newScreen(&out, func() int { return 50 }, func() time.Time { clock = clock.Add(time.Second); return clock })
	s.show(progress{"put", 0.5, "10 of 20 records accepted"})
	fmt.Fprintln(s.beside(&out), "level=WARN")
	s.finish(progress{"put", 1, "20 of 20 records accepted"})
	s.printf("done")
	want := clearLine + "put        [============            ] 10 of 20 r…" +
		clearLine + "level=WARN\nput        [============            ] 10 of 20 r…" +
		clearLine + "put        [========================] 20 of 20 r…\ndone\n"
	if got := out.String(); got != want {
		t.Fatalf("got  %q\nwant %q", got, want)
	}
}

func TestNothingDeliveredMovesTheCursor(t *testing.T) {
	if got := printable("a\x1b[2Jb\xff\tc\r\u009b1m"); got != "a\ufffd[2Jb\ufffd\tc\ufffd\ufffd1m" {
		t.Fatalf("%q", got)
	}
}

func TestFiguresReadWell(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567"} {
		if got := thousands(n); got != want {
			t.Errorf("%d is written %s", n, got)
		}
	}
	for n, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 1<<20 - 1: "1.0 MiB", 5 << 30: "5.0 GiB"} {
		if got := size(n); got != want {
			t.Errorf("%d is written %s", n, got)
		}
	}
}

func FuzzParseLedger(f *testing.F) {
	f.Add([]byte("# HELP x\nhydrant_records_total{outcome=\"received\",stream=\"demo\"} 2e+06\n"))
	f.Add([]byte("hydrant_pending_records{stream=\"demo\"} \nx{} {"))
	f.Fuzz(func(t *testing.T, page []byte) {
		if l, err := parseLedger(page, StreamName); err != nil && l != (Ledger{}) {
			t.Fatalf("half a ledger beside an error: %+v, %v", l, err)
		}
	})
}

func TestTheLedgerIsReadFromTheMetricsPage(t *testing.T) {
	l, err := parseLedger([]byte(`# TYPE hydrant_records_total counter
hydrant_records_total{outcome="delivered",stream="demo"} 1.5e+06
hydrant_records_total{outcome="delivered",stream="other"} 3
hydrant_record_bytes_total{outcome="delivered",stream="demo"} 77
hydrant_pending_records{stream="demo"} 4
hydrant_journal_bytes 12
`), StreamName)
	if err != nil || l.Delivered != (Figures{1_500_000, 77}) || l.Pending.Records != 4 {
		t.Fatalf("%+v, %v", l, err)
	}
	if _, err := parseLedger([]byte(`hydrant_pending_records{stream="demo"} many`), StreamName); err == nil {
		t.Fatal("a number that is none was read")
	}
}

func BenchmarkEvents(b *testing.B) {
	s := newShop(b.N+1, time.Now)
	s.left = 1 << 62
	b.ReportAllocs()
	for b.Loop() {
		line, err := s.next()
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(int64(len(line)))
	}
}

// BenchmarkPut measures the client alone, against a server that accepts everything unread.
func BenchmarkPut(b *testing.B) {
	answer := []byte(`{"FailedPutCount":0,"RequestResponses":[` + strings.Repeat(`{"RecordId":"id"},`, maxBatchRecords-1) + `{"RecordId":"id"}]}`)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = w.Write(answer)
	}))
	defer server.Close()
	f := &firehose{client: client{http: server.Client(), now: time.Now,
		signer: aws.NewSigner("id", "secret", "", "firehose", "us-east-1")}, url: server.URL}
	records := make([][]byte, maxBatchRecords)
	for i := range records {
		records[i] = bytes.Repeat([]byte("x"), 512)
	}
	b.SetBytes(maxBatchRecords * 512)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := f.putRecordBatch(context.Background(), StreamName, records); err != nil {
			b.Fatal(err)
		}
	}
}

package logs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"hydrant/internal/durable"
)

// segmentFiles lists the segments of stream s of group g.
func (w *world) segmentFiles() []string {
	w.t.Helper()
	files, err := filepath.Glob(filepath.Join(w.root, "logs", "g", "s", "*"+segmentSuffix))
	if err != nil {
		w.t.Fatal(err)
	}
	return files
}

func TestWhatWasAnsweredIsThereAfterAReopen(t *testing.T) {
	w := newWorld(t)
	w.make("g", "s")
	var want []string
	for i := range 5 {
		m := fmt.Sprintf("message %d", i)
		w.say("g", "s", millis+int64(i), m)
		want = append(want, m)
		if i == 2 { // with an index that says less than the file has afterwards
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
		}
		w.reopen()
		if got := w.read("g", "s"); !slices.Equal(got, want) {
			t.Fatalf("after %d: %q", i, got)
		}
	}
}

func TestATornTailIsCutWhereverItWasTorn(t *testing.T) {
	w := newWorld(t)
	w.make("g", "s")
	w.say("g", "s", millis, "first", "second")
	file := w.segmentFiles()[0]
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	more := appendFrame(appendFrame(nil, event{millis, millis, []byte("third")}), event{millis, millis, []byte("4")})
	third := len(appendFrame(nil, event{0, 0, []byte("third")}))
	for n := range len(more) + 1 {
		for _, zeros := range []int{0, 100} {
			if err := os.WriteFile(file, slices.Concat(whole, more[:n], make([]byte, zeros)), 0o600); err != nil {
				t.Fatal(err)
			}
			w.reopen()
			want := []string{"first", "second"}
			if n >= third {
				want = []string{"first", "third", "second"}
			}
			if n == len(more) {
				want = []string{"first", "third", "4", "second"}
			}
			if got := w.read("g", "s"); !slices.Equal(got, want) {
				t.Fatalf("torn at %d: %q, want %q", n, got, want)
			}
			w.say("g", "s", millis+10, "last")
			w.reopen()
			if got := w.read("g", "s"); !slices.Equal(got, append(want, "last")) {
				t.Fatalf("torn at %d, put after: %q", n, got)
			}
		}
	}
	if !strings.Contains(w.logged(), "a crash interrupted") {
		t.Error("the cut is not in the log")
	}
}

func TestATornFirstPutLeavesAnEmptyStream(t *testing.T) {
	for n := range len(magic) {
		w := newWorld(t)
		w.make("g", "s")
		path := filepath.Join(w.root, "logs", "g", "s", segmentName(0))
		if err := os.WriteFile(path, []byte(magic[:n]), 0o600); err != nil {
			t.Fatal(err)
		}
		w.reopen()
		w.say("g", "s", millis, "m")
		w.reopen()
		if got := w.read("g", "s"); !slices.Equal(got, []string{"m"}) {
			t.Errorf("torn at %d: %q", n, got)
		}
	}
}

func TestDamageIsSetAsideAndNamed(t *testing.T) {
	w := newWorld(t)
	w.make("g", "s")
	big := strings.Repeat("x", 600_000)
	for i := range 4 {
		w.say("g", "s", millis+int64(i), big)
	}
	file := w.segmentFiles()[0]
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	data[700_000] ^= 1 // in the second of four events: no crash tears that much
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	w.reopen()
	w.say("g", "s", millis+10, "after")
	for range 2 {
		if got := w.read("g", "s"); len(got) != 2 || got[1] != "after" {
			t.Errorf("got %d events", len(got))
		}
		w.reopen()
	}
	if left, err := os.ReadFile(file); err != nil || !bytes.Equal(left, data) {
		t.Error("the damaged segment was changed")
	}
	if !strings.Contains(w.logged(), "segment is damaged") {
		t.Error("the damage is not in the log")
	}
}

func TestDamageUnderAnIndexHidesOneBlockOnly(t *testing.T) {
	w := newWorld(t)
	w.make("g", "s")
	big := strings.Repeat("x", blockSize)
	for i := range 3 {
		w.say("g", "s", millis+int64(i), big)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	file := w.segmentFiles()[0]
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	data[blockSize+1000] ^= 1
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	w.reopen()
	if got := w.read("g", "s"); len(got) != 2 || !strings.Contains(w.logged(), "block of a log stream is damaged") {
		t.Errorf("got %d events, log %s", len(got), w.logged())
	}
}

func TestAWrongIndexIsNotBelieved(t *testing.T) {
	for _, text := range []string{
		"", "{", "{}", `{"Size":1}`, `{"Size":9999999,"Count":1,"Blocks":[{"Offset":8,"Size":9999991,"Count":1}]}`,
		`{"Size":33,"Count":2,"Blocks":[{"Offset":8,"Size":25,"Count":1}]}`,
	} {
		w := newWorld(t)
		w.make("g", "s")
		w.say("g", "s", millis, "a", "b")
		if err := os.WriteFile(indexPath(w.segmentFiles()[0]), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		w.reopen()
		if got := w.read("g", "s"); !slices.Equal(got, []string{"a", "b"}) {
			t.Errorf("index %q: %q", text, got)
		}
	}
}

func TestAFailedPutIsNotToldAndTheNextOneIs(t *testing.T) {
	for _, before := range []int{0, 1} {
		w := newWorld(t)
		w.make("g", "s")
		want := []string{}
		for range before {
			w.say("g", "s", millis, "kept")
			want = append(want, "kept")
		}
		_, st, err := w.findStream("g", "s")
		if err != nil {
			t.Fatal(err)
		}
		st.sync = func(*os.File) error { return durable.ErrNoSpace }
		for range 2 {
			events := []Event{{testTime, "lost, and longer than what follows"}}
			if err := w.Put(context.Background(), "g", "s", events); !errors.Is(err, durable.ErrNoSpace) {
				t.Fatalf("put on a full disk: %v", err)
			}
		}
		w.refuse("PutLogEvents", fields{"logGroupName": "g", "logStreamName": "s",
			"logEvents": []fields{{"timestamp": millis, "message": "m"}}}, "ServiceUnavailableException", "")
		st.sync = (*os.File).Sync
		if got := w.read("g", "s"); !slices.Equal(got, want) {
			t.Fatalf("after failed puts: %q", got)
		}
		w.say("g", "s", millis+1, "m")
		for range 2 {
			if got := w.read("g", "s"); !slices.Equal(got, append(want, "m")) {
				t.Fatalf("after a good put: %q", got)
			}
			w.reopen()
		}
	}
}

func TestSegmentsRollAndRetentionDropsThemWhole(t *testing.T) {
	w := newWorld(t)
	w.make("g", "s")
	big := strings.Repeat("x", maxMessage)
	for _, n := range []int{10, 9, 9} {
		for range n {
			w.say("g", "s", w.now.UnixMilli(), big)
		}
		w.pass(26 * time.Hour)
	}
	if n := len(w.segmentFiles()); n != 4 {
		t.Fatalf("%d segments", n)
	}
	w.ask("PutRetentionPolicy", fields{"logGroupName": "g", "retentionInDays": 3})
	stored := func() int64 {
		var out describeGroupsOutput
		w.into(&out, "DescribeLogGroups", fields{})
		return out.Groups[0].Stored
	}
	if got := stored(); got != 28*maxBatch {
		t.Fatalf("stored %d", got)
	}
	for _, reopen := range []bool{false, true} {
		if reopen {
			w.reopen()
		}
		w.sweep(context.Background())
		if n := len(w.segmentFiles()); n != 3 || stored() != 19*maxBatch {
			t.Errorf("%d segments, %d bytes", n, stored())
		}
	}
	// What lies in a segment with younger events is hidden until that is dropped.
	_, st, err := w.findStream("g", "s")
	if err != nil {
		t.Fatal(err)
	}
	g, err := w.find("g")
	if err != nil {
		t.Fatal(err)
	}
	from, to := span(nil, nil, w.horizon(g))
	page, _, err := w.gather(context.Background(), query{streams: []*stream{st}, from: from, to: to, limit: 1})
	if err != nil || len(page) != 1 || page[0].time != millis+26*hourMillis {
		t.Errorf("first is %v, %v", page, err)
	}
	w.pass(100 * 24 * time.Hour)
	w.sweep(context.Background())
	if n := len(w.segmentFiles()); n != 0 {
		t.Errorf("%d segments are left", n)
	}
	w.say("g", "s", w.now.UnixMilli(), "new")
	w.reopen()
	if got := w.read("g", "s"); !slices.Equal(got, []string{"new"}) {
		t.Errorf("after all was dropped: %q", got)
	}
}

func TestRunSweepsAndEndsWithItsContext(t *testing.T) {
	w := newWorld(t)
	w.make("g", "s")
	w.say("g", "s", millis, "old")
	w.ask("PutRetentionPolicy", fields{"logGroupName": "g", "retentionInDays": 1})
	w.pass(25 * time.Hour)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	for len(w.segmentFiles()) > 0 { // the sweep at the start
		if err := ctx.Err(); err != nil {
			t.Fatal(err)
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestStrangeNamesAreKept(t *testing.T) {
	w := newWorld(t)
	groups := []string{".", "..", ".deleted-1", "/a/b", "a#b", strings.Repeat("/", 512), strings.Repeat("/", 511) + "a"}
	streams := []string{"a/b", "../../x", "[$LATEST]ab", "%41", "A", "ß~", "stream.json", strings.Repeat("€", 512), strings.Repeat("€", 511) + "x"}
	for _, g := range groups {
		w.make(g, streams...)
		for _, s := range streams {
			w.say(g, s, millis, g+s)
		}
	}
	for range 2 {
		for _, g := range groups {
			for _, s := range streams {
				if got := w.read(g, s); !slices.Equal(got, []string{g + s}) {
					t.Errorf("%s %s: %q", g, s, got)
				}
			}
		}
		w.reopen()
	}
}

func TestADamagedDescriptionIsLeftAlone(t *testing.T) {
	w := newWorld(t)
	w.make("g", "s")
	w.make("h", "s")
	for _, path := range []string{"g/group.json", "h/s/stream.json"} {
		if err := os.WriteFile(filepath.Join(w.root, "logs", path), []byte("{"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(w.root, "logs", "half-made"), 0o700); err != nil {
		t.Fatal(err)
	}
	w.reopen()
	w.refuse("CreateLogGroup", fields{"logGroupName": "g"}, "ServiceUnavailableException", "")
	w.refuse("CreateLogStream", fields{"logGroupName": "h", "logStreamName": "s"}, "ServiceUnavailableException", "")
	w.make("half-made", "s")
}

// TestPagesWalkAllEventsInOrder puts events in disorder over many blocks and reads them in
// both directions with several page sizes.
func TestPagesWalkAllEventsInOrder(t *testing.T) {
	w := newWorld(t)
	w.make("g", "s")
	random := rand.New(rand.NewPCG(1, 2))
	type stored struct {
		time int64
		text string
	}
	var all []stored
	for i := range 60 {
		from := millis - random.Int64N(5000)
		var texts []string
		for j := range 20 {
			m := fmt.Sprintf("%d/%d %s", i, j, strings.Repeat("x", random.IntN(4000)))
			texts = append(texts, m)
			all = append(all, stored{from + int64(j), m})
		}
		w.say("g", "s", from, texts...)
	}
	slices.SortStableFunc(all, func(a, b stored) int { return int(a.time - b.time) })
	for _, span := range [][2]int64{{0, 0}, {millis - 4000, 0}, {0, millis - 1000}, {millis - 3000, millis - 2000}} {
		var want []string
		in := fields{"logGroupName": "g", "logStreamName": "s"}
		for _, e := range all {
			if e.time >= span[0] && (span[1] == 0 || e.time < span[1]) {
				want = append(want, e.text)
			}
		}
		if span[0] > 0 {
			in["startTime"] = span[0]
		}
		if span[1] > 0 {
			in["endTime"] = span[1]
		}
		for _, limit := range []int{7, 100, 10_000} {
			for _, head := range []bool{true, false} {
				in["limit"], in["startFromHead"] = limit, head
				if got := w.walk(in, head); !slices.Equal(got, want) {
					t.Errorf("%v: got %d events, want %d", in, len(got), len(want))
				}
			}
		}
	}
}

// walk reads a stream to its end, or from there to its beginning.
func (w *world) walk(in fields, forward bool) []string {
	w.t.Helper()
	token := ""
	var all []string
	for {
		var out getOutput
		delete(in, "nextToken")
		if token != "" {
			in["nextToken"] = token
		}
		w.into(&out, "GetLogEvents", in)
		next := out.Backward
		if forward {
			next = out.Forward
			all = append(all, messages(out.Events)...)
		} else {
			all = append(messages(out.Events), all...)
		}
		if next == token {
			delete(in, "nextToken")
			if len(out.Events) > 0 {
				w.t.Fatal("the last page has events")
			}
			return all
		}
		token = next
	}
}

func TestTokensStayAtTheEndAndFindWhatComesLater(t *testing.T) {
	w := newWorld(t)
	w.make("g", "s")
	in := fields{"logGroupName": "g", "logStreamName": "s"}
	var out getOutput
	w.into(&out, "GetLogEvents", in)
	for range 2 {
		in["nextToken"] = out.Forward
		before := out.Forward
		if w.into(&out, "GetLogEvents", in); len(out.Events) > 0 || out.Forward != before {
			t.Fatalf("at the end of nothing: %+v", out)
		}
	}
	w.say("g", "s", millis, "a", "b", "c")
	w.into(&out, "GetLogEvents", in)
	if got := messages(out.Events); !slices.Equal(got, []string{"a", "b", "c"}) {
		t.Fatalf("later events: %q", got)
	}
	end := out
	in["nextToken"] = end.Forward
	w.into(&out, "GetLogEvents", in)
	in["nextToken"], in["limit"] = out.Backward, 2
	w.into(&out, "GetLogEvents", in)
	if got := messages(out.Events); !slices.Equal(got, []string{"b", "c"}) {
		t.Errorf("back from the end: %q", got)
	}
	if !strings.HasPrefix(end.Forward, "f/") || !strings.HasSuffix(end.Forward, "/s") || len(end.Forward) != 60 || len(end.Backward) != 60 {
		t.Errorf("tokens %q %q", end.Forward, end.Backward)
	}
	delete(in, "nextToken")
	w.into(&out, "GetLogEvents", in)
	if got := messages(out.Events); !slices.Equal(got, []string{"b", "c"}) {
		t.Errorf("newest page: %q", got)
	}
}

func TestAPageHoldsAMebibyte(t *testing.T) {
	w := newWorld(t)
	w.make("g", "s")
	third := strings.Repeat("x", maxPage/3-eventWeight)
	for i := range 5 {
		w.say("g", "s", millis+int64(i), third)
	}
	w.say("g", "s", millis+9, strings.Repeat("y", maxMessage))
	for _, head := range []bool{true, false} {
		want := 1
		if head {
			want = 3
		}
		var out getOutput
		w.into(&out, "GetLogEvents", fields{"logGroupName": "g", "logStreamName": "s", "startFromHead": head})
		if len(out.Events) != want {
			t.Errorf("head %v: %d events", head, len(out.Events))
		}
	}
}

func FuzzAnyBytesAreReadAsFrames(f *testing.F) {
	whole := appendFrame(appendFrame(nil, event{1, 2, []byte("message")}), event{3, 4, nil})
	f.Add(whole)
	f.Add(whole[:40])
	f.Add([]byte{255, 255, 255, 255})
	f.Fuzz(func(t *testing.T, data []byte) {
		in := newFrames(bytes.NewReader(data))
		var again []byte
		for {
			e, _, err := in.next()
			if errors.Is(err, io.EOF) || errors.Is(err, errTorn) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			again = appendFrame(again, e)
		}
		if !bytes.HasPrefix(data, again) {
			t.Fatalf("%x was read as %x", data, again)
		}
		s := &segment{base: 7}
		s.Size = int64(len(magic))
		if err := s.scan(bytes.NewReader(data)); err != nil || s.Size != int64(len(magic)+len(again)) || !s.sound(7, s.Size) {
			t.Fatalf("scanned to %d of %d, %v", s.Size, len(again), err)
		}
	})
}

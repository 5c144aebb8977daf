package operate

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/firehose/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

func TestAFlushDeliversWhatWasBuffered(t *testing.T) {
	w := newWorld(t)
	store := w.store()
	w.makeSlow("slow", nil)
	w.makeSlow("other", nil)
	first := slices.Concat(w.puts("slow", 500), w.puts("slow", 500))
	w.puts("other", 3)

	if row := w.row("slow"); !strings.Contains(row, "1,000 records") || !strings.Contains(row, "ACTIVE") {
		t.Errorf("the backlog is not shown: %s", row)
	}
	if s := w.stream("slow"); s.Data.Pending.Records != 1000 || s.Data.AgeSeconds <= 0 || s.LastError != "" {
		t.Errorf("the backlog is not told: %+v", s)
	}
	holds(t, store, "", 0, nil)

	w.must("flush", "slow")
	holds(t, store, "slow/", 1, first)
	if s := w.stream("slow"); s.Data.Pending.Records != 0 || s.Data.Delivered.Records != 1000 || s.Data.Objects != 1 {
		t.Errorf("after a flush: %+v", s)
	}

	// What comes later waits again, and a flush of nothing makes no object.
	second := w.puts("slow", 2)
	holds(t, store, "slow/", 1, first)
	w.must("flush", "slow")
	w.must("flush", "slow")
	holds(t, store, "slow/", 2, slices.Concat(first, second))
	holds(t, store, "other/", 0, nil)
	if n := w.stream("other").Data.Pending.Records; n != 3 {
		t.Errorf("%d records of the other stream are left", n)
	}
}

func TestAFlushThatNobodyWaitsForIsDoneNevertheless(t *testing.T) {
	w := newWorld(t)
	store := w.store()
	w.makeSlow("slow", nil)
	lines := w.puts("slow", 10)
	w.must("flush", "slow", "--no-wait")
	eventually(t, "it is delivered", func() bool { n, _ := delivered(t, store, "slow/"); return n > 0 })
	holds(t, store, "slow/", 1, lines)
}

func TestAFlushReachesTheBackupToo(t *testing.T) {
	w := newWorld(t)
	store := w.store()
	w.makeSlow("slow", backedUp)
	lines := w.puts("slow", 20)
	if s := w.stream("slow"); s.Backup == nil || s.Backup.Pending.Records != 20 {
		t.Errorf("the backlog of the backup: %+v", s.Backup)
	}
	if pending, total := backupMetrics(t, w); pending != 20 || total != 0 {
		t.Errorf("the metrics say %v pending and %v in all", pending, total)
	}
	w.must("flush", "slow")
	holds(t, store, "slow/", 1, lines)
	holds(t, store, "backup/", 1, lines)
	if pending, total := backupMetrics(t, w); pending != 0 || total != 20 {
		t.Errorf("the metrics say %v pending and %v in all", pending, total)
	}
}

func TestAFlushWaitsForWhatIsMadeOfTheRecords(t *testing.T) {
	w := newWorld(t)
	store := w.store()
	w.makeSlow("slow", func(d *types.ExtendedS3DestinationConfiguration) { backedUp(d); decompressing(d) })
	const document = `{"messageType":"DATA_MESSAGE","owner":"000000000000","logGroup":"g","logStream":"s",` +
		`"subscriptionFilters":["f"],"logEvents":[{"id":"1","timestamp":1768471200123,"message":"hello"}]}`
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write([]byte(document)); err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	w.batch("slow", []types.Record{{Data: packed.Bytes()}})
	if s := w.stream("slow"); s.Data.Pending.Records != 1 {
		t.Errorf("the backlog before the flush: %+v", s.Data)
	}
	w.must("flush", "slow")
	holds(t, store, "slow/", 1, []string{document})
	if n, _ := delivered(t, store, "backup/"); n != 1 {
		t.Errorf("%d objects of the backup", n)
	}
	if s := w.stream("slow"); s.Data.Pending.Records != 0 || s.Data.Delivered.Records != 1 || s.Backup == nil || s.Backup.Pending.Records != 0 {
		t.Errorf("after the flush: %+v %+v", s, s.Backup)
	}
}

func backupMetrics(t *testing.T, w *world) (pending, total float64) {
	t.Helper()
	all := metrics(t, w, "slow")
	return all["hydrant_backup_pending_records"], all["hydrant_backup_records_total"]
}

// metrics are those of a stream that have no further label.
func metrics(t *testing.T, w *world, stream string) map[string]float64 {
	t.Helper()
	all := map[string]float64{}
	err := w.server.Metrics(t.Context(), func(name string, labels map[string]string, value float64) {
		if labels["stream"] == stream && len(labels) == 1 {
			all[name] = value
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestAPausedStreamKeepsItsRecordsUntilItIsResumed(t *testing.T) {
	w := newWorld(t)
	store := w.store()
	w.makeSlow("slow", nil)
	w.must("pause", "slow")
	lines := w.puts("slow", 5)
	paused := func(when string) {
		t.Helper()
		if s := w.stream("slow"); !s.Paused || s.Data.Pending.Records != 5 || !strings.Contains(strings.ToLower(w.row("slow")), "paused") {
			t.Errorf("%s: %+v\n%s", when, s, w.row("slow"))
		}
		if m := metrics(t, w, "slow"); m["hydrant_stream_paused"] != 1 || m["hydrant_oldest_record_age_seconds"] <= 0 {
			t.Errorf("%s the metrics say %v", when, m)
		}
		w.refuses([]string{"slow", "paused", " resume --data " + w.data + " slow"}, "flush", "slow")
		holds(t, store, "", 0, nil)
	}
	paused("at first")
	w.must("pause", "slow") // that it is paused already is no failure
	w.restart()
	store = s3.NewFromConfig(w.server.Config(), func(o *s3.Options) { o.UsePathStyle = true })
	paused("after a kill")

	w.must("resume", "slow")
	if m := metrics(t, w, "slow"); m["hydrant_stream_paused"] != 0 {
		t.Errorf("resumed, and the metrics say %v", m)
	}
	w.must("flush", "slow")
	holds(t, store, "slow/", 1, lines)
	w.restart()
	if s := w.stream("slow"); s.Paused || s.Data.Pending.Records != 0 {
		t.Errorf("after it was resumed and killed: %+v", s)
	}
}

func TestAFlushSaysWhatKeepsItFromEnding(t *testing.T) {
	away := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	defer away.Close()
	w := newWorld(t, "--config", write(t, fmt.Sprintf("endpoints: {s3: {url: %q, accessKey: key, secretKey: secret}}\n", away.URL)))
	w.makeSlow("slow", nil)
	w.puts("slow", 7)
	w.must("flush", "slow", "--no-wait")
	eventually(t, "the failure is told", func() bool { return w.stream("slow").LastError != "" })
	if row := w.row("slow"); !strings.Contains(row, "503") {
		t.Errorf("the table does not say why: %s", row)
	}
	began := time.Now()
	w.refuses([]string{"slow", "503"}, "flush", "slow", "--timeout", "300ms")
	if took := time.Since(began); took > patience/2 {
		t.Errorf("a wait of 300 ms took %s", took)
	}
	if n := w.stream("slow").Data.Pending.Records; n != 7 {
		t.Errorf("%d records are left", n)
	}
}

func TestWhatIsNotThereIsSaid(t *testing.T) {
	w := newWorld(t)
	if out := w.must("streams"); !strings.Contains(out, "create-delivery-stream") {
		t.Errorf("a node without streams gives no hint: %s", out)
	}
	for _, command := range []string{"flush", "pause", "resume"} {
		w.refuses([]string{"nobody"}, command, "nobody")
		if a := w.hydrant(command); a.code != 2 {
			t.Errorf("hydrant %s without a stream ended with %d: %s", command, a.code, a.err)
		}
	}
	w.server.Kill()
	for _, args := range [][]string{{"streams"}, {"flush", "nobody"}, {"pause", "nobody"}, {"resume", "nobody"}} {
		w.refuses([]string{"hydrant serve --data " + w.data}, args[0], args[1:]...)
	}
	never := t.TempDir()
	if a := run(t, w.binary, "streams", "--data", never); a.code != 1 || !strings.Contains(a.err, "hydrant serve --data "+never) {
		t.Errorf("a directory that no node had: %+v", a)
	}
}

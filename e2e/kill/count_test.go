package kill

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"hydrant/e2e/server"
)

// count is how often each id is in the store, and how many records each stream has there.
type count struct {
	times   map[string]int
	streams map[string]uint64
	misfits map[string]uint64 // in the error output, by stream
	objects int
}

func newCount() count {
	return count{times: map[string]int{}, streams: map[string]uint64{}, misfits: map[string]uint64{}}
}

// countStore reads every object of a bucket through the S3 API.
func countStore(t *testing.T, cfg aws.Config, bucket string) count {
	t.Helper()
	c := s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true })
	n := newCount()
	pages := s3.NewListObjectsV2Paginator(c, &s3.ListObjectsV2Input{Bucket: &bucket})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range page.Contents {
			body := getObject(t.Context(), t, c, bucket, *o.Key)
			if err := n.add(*o.Key, body); err != nil {
				t.Errorf("object %s: %v", *o.Key, err)
			}
		}
	}
	uploads, err := c.ListMultipartUploads(t.Context(), &s3.ListMultipartUploadsInput{Bucket: &bucket})
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range uploads.Uploads {
		t.Errorf("upload %s of %s was left behind", *u.UploadId, *u.Key)
	}
	return n
}

func getObject(ctx context.Context, t *testing.T, c *s3.Client, bucket, key string) []byte {
	t.Helper()
	o, err := c.GetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: &key})
	if err != nil {
		t.Fatal(err)
	}
	defer o.Body.Close()
	b, err := io.ReadAll(o.Body)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// add counts the lines of one object. An object that is not whole shows itself: as a
// broken gzip member, or as a line without its end.
func (n *count) add(key string, body []byte) error {
	n.objects++
	stream, _, _ := strings.Cut(key, "/")
	if strings.HasSuffix(key, ".gz") {
		z, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			return err
		}
		if body, err = io.ReadAll(z); err != nil {
			return err
		}
	}
	for len(body) > 0 {
		line, rest, whole := bytes.Cut(body, []byte("\n"))
		id, _, found := strings.Cut(string(line), " ")
		of, records := stream, n.streams
		switch stream {
		case "parted":
			whole = true // a delimiter stands between records; half a line is no JSON
			id, found = partedID(key, line)
		case "failed":
			id, found = misfitID(key, line)
			of, records = "parted", n.misfits
		}
		if !whole || !found || !strings.HasPrefix(id, of+".") {
			return fmt.Errorf("%d bytes beginning with %.60q are no record of %s", len(line), line, of)
		}
		n.times[id]++
		records[of]++
		body = rest
	}
	return nil
}

// verdict holds the store against the notebook and the ledgers. lost is how many records
// may be missing because the journal was damaged; the ledger must say the same.
func verdict(t *testing.T, s *server.Server, book *notebook, n count, damaged bool) {
	t.Helper()
	book.mu.Lock()
	defer book.mu.Unlock()
	var lost, twice, wrong, doubtful int
	received := map[string][2]uint64{} // acknowledged, and those of unknown outcome beside them
	for id, o := range book.records {
		times := n.times[id]
		stream, _, _ := strings.Cut(id, ".")
		r := received[stream]
		switch {
		case times > 1:
			twice++
		case o == acknowledged && times == 0:
			lost++
		case o == refused && times > 0:
			wrong++
		}
		switch o {
		case acknowledged:
			r[0]++
		case unknown:
			r[1]++
			doubtful += times
		}
		received[stream] = r
	}
	strangers := 0
	for id := range n.times {
		if _, ok := book.records[id]; !ok {
			strangers++
		}
	}
	failed := ledgersAgree(t, s, received, n)
	t.Logf("%d records sent, %d acknowledged, %d lost, %d twice; of those without an answer %d arrived; refused %v; %d objects; %d in the error output",
		len(book.records), book.acked, lost, twice, doubtful, book.refused, n.objects, n.misfits["parted"])
	if twice > 0 || wrong > 0 || strangers > 0 {
		t.Errorf("%d records twice, %d refused and delivered, %d that nobody sent", twice, wrong, strangers)
	}
	if lost > 0 && (!damaged || uint64(lost) > failed) {
		t.Errorf("%d acknowledged records are lost; the ledger counts %d as failed", lost, failed)
	}
	if failed > 0 && !damaged {
		t.Errorf("%d records failed although nothing was damaged", failed)
	}
}

// ledgersAgree checks each stream's ledger, and returns how many records failed and are not in
// the error output.
func ledgersAgree(t *testing.T, s *server.Server, received map[string][2]uint64, n count) (failed uint64) {
	t.Helper()
	ledgers, err := s.Ledgers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for stream, r := range received {
		l := ledgers[stream]
		failed += l.Failed - n.misfits[stream]
		switch {
		case l.Failed < n.misfits[stream]:
			t.Errorf("%s: %d failed, but the error output holds %d", stream, l.Failed, n.misfits[stream])
		case !l.AddsUp():
			t.Errorf("%s: the ledger does not add up: %+v", stream, l)
		case l.Received < r[0] || l.Received > r[0]+r[1]:
			t.Errorf("%s: %d received, but %d were acknowledged and %d had no answer", stream, l.Received, r[0], r[1])
		case l.Delivered != n.streams[stream]:
			t.Errorf("%s: %d delivered, but the store holds %d", stream, l.Delivered, n.streams[stream])
		}
	}
	return failed
}

// awaitDelivery waits until nothing is pending, for two minutes at most.
func awaitDelivery(t *testing.T, s *server.Server) {
	t.Helper()
	awaitDeliveryWithin(t, s, patience, 20*time.Millisecond)
}

func awaitDeliveryWithin(t *testing.T, s *server.Server, patience, every time.Duration) {
	t.Helper()
	within(t, patience, every, "everything is delivered", func() bool {
		alive(t, s)
		ledgers, err := s.Ledgers(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range ledgers {
			if l.Pending > 0 {
				return false
			}
		}
		return true
	})
}

// alive ends the test if the node has ended by itself.
func alive(t *testing.T, s *server.Server) {
	t.Helper()
	select {
	case <-s.Ended():
		log := s.Log()
		t.Fatalf("the node ended by itself:\n%s", log[max(0, len(log)-16<<10):])
	default:
	}
}

// awaitSweep waits until no upload is left: the node looks for late ones after ten seconds,
// and again after two minutes.
func awaitSweep(t *testing.T, cfg aws.Config) {
	t.Helper()
	c := s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true })
	for range 150 {
		uploads, err := c.ListMultipartUploads(t.Context(), &s3.ListMultipartUploadsInput{Bucket: aws.String(bucket)})
		if err != nil {
			t.Fatal(err)
		}
		if len(uploads.Uploads) == 0 {
			return
		}
		time.Sleep(time.Second)
	}
}

package kill

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/firehose"
	"github.com/aws/aws-sdk-go-v2/service/firehose/types"

	"hydrant/e2e/server"
)

// outcome is what a client knows of a record.
type outcome uint8

const (
	unknown outcome = iota
	acknowledged
	refused
)

// notebook is what all clients know, over all processes.
type notebook struct {
	mu      sync.Mutex
	records map[string]outcome // by id
	acked   int
	refused map[string]int // refusals by code
	soaks   int            // that write into it
}

func newNotebook() *notebook {
	return &notebook{records: map[string]outcome{}, refused: map[string]int{}}
}

func (n *notebook) note(ids []string, o outcome) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, id := range ids {
		n.records[id] = o
	}
	if o == acknowledged {
		n.acked += len(ids)
	}
}

func (n *notebook) refuse(ids []string, code string) {
	n.note(ids, refused)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.refused[code]++
}

// load is clients at work on one process. Each puts batches and single records, one after
// the other, into the streams in turn.
type load struct {
	t       *testing.T
	book    *notebook
	streams []string
	label   string // begins the ids; no two loads share one
	size    int    // most bytes of a record's filler; ten times as many in the stream parts
	noise   string // what the filler is cut from; empty: it compresses well
	keys    int    // how many the records of the stream parted have

	turn   atomic.Int64 // keys taken in turn
	acks   atomic.Int64 // requests answered well
	stop   context.CancelFunc
	wg     sync.WaitGroup
	target int64         // requests
	hit    chan struct{} // closed when acks reaches target
}

// start begins with so many clients; hit is closed when target requests were acknowledged.
func (l *load) start(s *server.Server, clients int, target int64) {
	ctx, stop := context.WithCancel(l.t.Context())
	l.stop, l.target, l.hit = stop, max(target, 1), make(chan struct{})
	l.acks.Store(0)
	for i := range clients {
		l.wg.Go(func() { l.client(ctx, firehose.NewFromConfig(s.Config()), i) })
	}
}

// end stops the clients after the requests they are in.
func (l *load) end() {
	l.stop()
	l.wg.Wait()
}

// client puts records until ctx ends or nobody listens any more.
func (l *load) client(ctx context.Context, c *firehose.Client, number int) {
	r := rand.New(rand.NewPCG(rand.Uint64(), uint64(number)))
	for serial := 0; ctx.Err() == nil; serial++ {
		stream := l.streams[r.IntN(len(l.streams))]
		batch := 1
		if r.IntN(3) > 0 {
			batch = 1 + r.IntN(90)
		}
		ids, records := l.records(r, stream, fmt.Sprintf("%s.%s.%d.%d", stream, l.label, number, serial), batch)
		l.book.note(ids, unknown)
		var err error
		// The request is not cancelled with ctx: a load that is over still hears its answers.
		if batch == 1 {
			err = l.putOne(context.WithoutCancel(ctx), c, stream, ids, records)
		} else {
			err = l.putMany(context.WithoutCancel(ctx), c, stream, ids, records)
		}
		var api interface{ ErrorCode() string }
		switch {
		case err == nil:
			if l.acks.Add(1) == l.target {
				close(l.hit)
			}
		case errors.As(err, &api) && api.ErrorCode() != "InternalFailure":
			l.book.refuse(ids, api.ErrorCode())
		case !errors.As(err, &api):
			return // the connection is gone, and the process with it
		}
	}
}

// records makes records whose text is an id, filler and a line's end; those of the stream parted
// are JSON.
func (l *load) records(r *rand.Rand, stream, name string, n int) (ids []string, out []types.Record) {
	most := l.size
	if stream == "parts" {
		most *= 10
	}
	for i := range n {
		id := fmt.Sprintf("%s.%d", name, i)
		size := r.IntN(most)
		if r.IntN(400) == 0 {
			size = 900_000 / n
		}
		ids = append(ids, id)
		if stream == "parted" {
			out = append(out, types.Record{Data: l.parted(r, id, size)})
			continue
		}
		out = append(out, types.Record{Data: []byte(id + " " + l.filler(r, size) + "\n")})
	}
	return ids, out
}

// filler is about size bytes of text.
func (l *load) filler(r *rand.Rand, size int) string {
	if l.noise == "" {
		return strings.Repeat("All is well. ", size/13)
	}
	from := r.IntN(len(l.noise) - size)
	return l.noise[from : from+size]
}

// newNoise is text that does not compress much.
func newNoise() string {
	b := make([]byte, 3<<20)
	for i := 0; i < len(b); i += 8 {
		binary.LittleEndian.PutUint64(b[i:], rand.Uint64())
	}
	return base64.StdEncoding.EncodeToString(b)
}

func (l *load) putOne(ctx context.Context, c *firehose.Client, stream string, ids []string, records []types.Record) error {
	_, err := c.PutRecord(ctx, &firehose.PutRecordInput{DeliveryStreamName: &stream, Record: &records[0]})
	if err == nil {
		l.book.note(ids, acknowledged)
	}
	return err
}

func (l *load) putMany(ctx context.Context, c *firehose.Client, stream string, ids []string, records []types.Record) error {
	out, err := c.PutRecordBatch(ctx, &firehose.PutRecordBatchInput{DeliveryStreamName: &stream, Records: records})
	if err != nil {
		return err
	}
	if len(out.RequestResponses) != len(ids) {
		l.t.Errorf("%d answers for %d records", len(out.RequestResponses), len(ids))
		return nil
	}
	var good, bad []string
	for i, e := range out.RequestResponses {
		if e.ErrorCode == nil {
			good = append(good, ids[i])
		} else {
			bad = append(bad, ids[i])
		}
	}
	l.book.note(good, acknowledged)
	if len(bad) > 0 {
		l.book.refuse(bad, "in a batch")
	}
	return nil
}

// makeStream creates a stream and waits until it takes records.
func makeStream(t *testing.T, s *server.Server, name, bucket string, format types.CompressionFormat, mebibytes, seconds int32) {
	t.Helper()
	c := firehose.NewFromConfig(s.Config())
	_, err := c.CreateDeliveryStream(t.Context(), &firehose.CreateDeliveryStreamInput{
		DeliveryStreamName: &name,
		ExtendedS3DestinationConfiguration: &types.ExtendedS3DestinationConfiguration{
			BucketARN: aws.String("arn:aws:s3:::" + bucket), RoleARN: aws.String("arn:aws:iam::000000000000:role/kill"),
			Prefix: aws.String(name + "/"), ErrorOutputPrefix: aws.String("failed/!{firehose:error-output-type}/"),
			CompressionFormat: format,
			BufferingHints:    &types.BufferingHints{SizeInMBs: &mebibytes, IntervalInSeconds: &seconds},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, name+" is active", func() bool {
		d, err := c.DescribeDeliveryStream(t.Context(), &firehose.DescribeDeliveryStreamInput{DeliveryStreamName: &name})
		return err == nil && d.DeliveryStreamDescription.DeliveryStreamStatus == types.DeliveryStreamStatusActive
	})
}

// refusals is how often requests were refused.
func (n *notebook) refusals() (all int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, times := range n.refused {
		all += times
	}
	return all
}

// patience is how long a test waits for what has to come.
const patience = 2 * time.Minute

// eventually polls until done says true, for two minutes at most.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	within(t, patience, 20*time.Millisecond, what, done)
}

// within polls every so often until done says true.
func within(t *testing.T, patience, every time.Duration, what string, done func() bool) {
	t.Helper()
	timeout := time.After(patience)
	tick := time.NewTicker(every)
	defer tick.Stop()
	for !done() {
		select {
		case <-timeout:
			t.Fatalf("not within %s: %s", patience, what)
		case <-tick.C:
		}
	}
}

package kill

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/firehose/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"hydrant/e2e/server"
	"hydrant/internal/dest/s3/s3fake"
)

// kills is how often the node is killed.
func kills(t *testing.T) int {
	s := os.Getenv("HYDRANT_KILLS")
	if s == "" {
		return 3
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatalf("HYDRANT_KILLS: %v", err)
	}
	return n
}

const (
	bucket  = "lake"
	clients = 6
)

// The streams of every test: small objects soon, plain ones, and large ones in parts.
var streams = []string{"small", "plain", "parts"}

func makeStreams(t *testing.T, s *server.Server) {
	t.Helper()
	makeStream(t, s, "small", bucket, types.CompressionFormatGzip, 1, 1)
	makeStream(t, s, "plain", bucket, types.CompressionFormatUncompressed, 1, 0)
	makeStream(t, s, "parts", bucket, types.CompressionFormatUncompressed, 24, 3)
}

// makeBucket makes the bucket in the built-in store.
func makeBucket(t *testing.T, s *server.Server) {
	t.Helper()
	c := s3.NewFromConfig(s.Config(), func(o *s3.Options) { o.UsePathStyle = true })
	if _, err := c.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String(bucket)}); err != nil {
		t.Fatal(err)
	}
}

// soak kills a node under load of these streams again and again and returns the last process,
// which lives.
func soak(t *testing.T, s *server.Server, book *notebook, kills int, streams ...string) *server.Server {
	t.Helper()
	book.soaks++
	for i := range kills {
		l := &load{t: t, book: book, streams: streams, label: fmt.Sprintf("%d-%d", book.soaks, i), size: 2000, keys: 200}
		l.start(s, clients, 1+rand.Int64N(300))
		select {
		case <-l.hit:
		case <-s.Ended():
			t.Fatalf("the node ended by itself:\n%s", s.Log())
		case <-time.After(2 * time.Minute):
			t.Fatalf("%d requests acknowledged in two minutes", l.acks.Load())
		}
		s.Kill()
		l.end()
		s = restart(t, s, func(*server.Server) {})
	}
	return s
}

// restart starts the next process on the same directory and ports. One time in three it is
// killed while it starts, at no particular moment; last sees it before that.
func restart(t *testing.T, s *server.Server, last func(*server.Server)) *server.Server {
	t.Helper()
	for rand.IntN(3) == 0 {
		hasty, err := server.Launch(t, s.Again())
		if err != nil {
			t.Fatal(err)
		}
		select {
		case <-hasty.Ended():
			t.Fatalf("the node ended by itself:\n%s", hasty.Log())
		case <-time.After(time.Duration(rand.IntN(400)) * time.Millisecond):
		}
		last(hasty)
		hasty.Kill()
	}
	return server.Start(t, s.Again())
}

func TestKilledNodesLoseNothingAndRepeatNothing(t *testing.T) {
	s := server.Start(t, server.Options{Binary: server.Build(t), Data: t.TempDir()})
	makeBucket(t, s)
	makeStreams(t, s)
	book := newNotebook()
	s = soak(t, s, book, kills(t), streams...)
	awaitDelivery(t, s)
	verdict(t, s, book, countStore(t, s.Config(), bucket), false)
}

// store is an object store in this process, behind a socket.
type store struct {
	*s3fake.Fake
	url string
}

func newStore(t *testing.T) store {
	f := s3fake.New(bucket)
	f.SetMinPart(5 << 20)
	h := httptest.NewServer(f.Handler())
	t.Cleanup(h.Close)
	return store{f, h.URL}
}

// options start a node that delivers to the store.
func (o store) options(t *testing.T) server.Options {
	return server.Options{
		Binary: server.Build(t), Data: t.TempDir(), Args: []string{"--endpoint", "s3=" + o.url},
		Env: []string{"AWS_ACCESS_KEY_ID=AKIAOFTHESTORE", "AWS_SECRET_ACCESS_KEY=secret of the store"},
	}
}

func (o store) config() aws.Config {
	return aws.Config{
		Region: "us-east-1", BaseEndpoint: aws.String(o.url),
		Credentials: credentials.NewStaticCredentialsProvider("AKIAREADER", "secret", ""),
	}
}

// badStore is a rule of all faults at once. What makes and finds uploads is spared two of
// them: an upload that is made late, or cannot be aborted, is looked for again ten minutes
// later, which only the simulation has the time to wait for.
func badStore() func(s3fake.Op) s3fake.Fault {
	seed, often := rand.Uint64(), 300
	passing := []s3fake.Fault{
		s3fake.Refuse(http.StatusInternalServerError, "InternalError"), s3fake.Refuse(http.StatusServiceUnavailable, "SlowDown"),
		s3fake.DoThenFail(http.StatusInternalServerError), s3fake.DoThenDrop(), s3fake.DropBefore(), s3fake.Delay(300 * time.Millisecond),
	}
	uploads := s3fake.Chaos(seed, often, passing...)
	others := s3fake.Chaos(seed, often, append(passing, s3fake.Refuse(http.StatusForbidden, "AccessDenied"), s3fake.DoLater(time.Second))...)
	return func(op s3fake.Op) s3fake.Fault {
		switch op.Operation {
		case s3fake.CreateUpload, s3fake.ListUploads, s3fake.AbortUpload:
			return uploads(op)
		}
		return others(op)
	}
}

// The store refuses, lies, is slow and hangs up, all while the node is being killed.
func TestKilledNodesWithABadStoreLoseNothingAndRepeatNothing(t *testing.T) {
	store := newStore(t)
	s := server.Start(t, store.options(t))
	makeStreams(t, s)
	book := newNotebook()
	store.SetFault(badStore())
	s = soak(t, s, book, kills(t), streams...)
	store.SetFault(nil)
	awaitDelivery(t, s)
	t.Logf("faults of the store: %v, applied late at the end: %d", store.Fired(), store.ApplyLate())
	awaitSweep(t, store.config())
	verdict(t, s, book, countStore(t, store.config(), bucket), false)
	store.neverChanged(t)
}

// neverChanged checks that no object was ever replaced by another.
func (o store) neverChanged(t *testing.T) {
	t.Helper()
	for _, h := range o.History(bucket) {
		if h.Contents != 1 {
			t.Errorf("%s had %d different contents", h.Key, h.Contents)
		}
	}
}

func TestANodeThatIsToldToStopKeepsWhatItAcknowledged(t *testing.T) {
	s := server.Start(t, server.Options{Binary: server.Build(t), Data: t.TempDir()})
	makeBucket(t, s)
	makeStreams(t, s)
	book := newNotebook()
	for i := range 2 {
		l := &load{t: t, book: book, streams: streams, label: fmt.Sprint(i), size: 2000}
		l.start(s, clients, 150)
		select {
		case <-l.hit:
		case <-s.Ended():
			t.Fatalf("the node ended by itself:\n%s", s.Log())
		}
		code, err := s.Terminate(30 * time.Second)
		if err != nil || code != 0 {
			t.Fatalf("exit code %d, %v", code, err)
		}
		l.end()
		s = server.Start(t, s.Again())
	}
	awaitDelivery(t, s)
	verdict(t, s, book, countStore(t, s.Config(), bucket), false)
}

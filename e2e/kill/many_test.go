package kill

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/firehose"
	"github.com/aws/aws-sdk-go-v2/service/firehose/types"
	"golang.org/x/sys/unix"

	"hydrant/e2e/server"
)

// budget is the memory of a node with many partitions, --memory.
const budget = 256 << 20

// crowd is a node with many partitions, through all its lives.
type crowd struct {
	*testing.T
	s     *server.Server
	book  *notebook
	keys  int
	lives int
	ended time.Time // the last life but the one of s
}

// HYDRANT_PARTITIONS says how many partitions are held open at once, within the budget, while
// the node is killed again and again: a third of the times while none of them is due, so that
// the number of those open is exact; a third while all become due, beside new ones; and a third
// in the midst of their delivery.
func TestKilledNodesKeepManyPartitionsWithinTheirMemory(t *testing.T) {
	n, err := strconv.Atoi(os.Getenv("HYDRANT_PARTITIONS"))
	if err != nil || n < 1 {
		t.Skip("HYDRANT_PARTITIONS says how many; 10000 take some minutes")
	}
	c := &crowd{T: t, book: newNotebook(), keys: n}
	c.s = server.Start(t, server.Options{Binary: server.Build(t), Data: t.TempDir(), Args: small(t, "--memory", "256MiB")})
	makeBucket(t, c.s)
	makeParted(t, c.s, 64, 900)
	began, spent := time.Now(), cpu(t)
	times := kills(t)
	for i := range times {
		switch {
		case i*3 < times:
			c.live(true)
			if time.Since(began) > 15*time.Minute {
				t.Error("partitions became due before the node was killed often enough")
			}
		case i*3 < 2*times:
			setInterval(t, c.s, 15)
			c.live(false)
		default:
			c.deliverSome()
		}
	}
	setInterval(t, c.s, 1)
	c.drain(began)
	partedVerdict(t, c.s, c.book, c.s.Config())
	c.kill()
	t.Logf("%s of CPU time in %d lives", cpu(t)-spent, c.lives)
}

// live is one life of the node under load, and its end. Where none of the partitions is due,
// there is one of each key and not one more.
func (c *crowd) live(quiet bool) {
	c.Helper()
	l := &load{t: c.T, book: c.book, streams: []string{"parted"}, label: fmt.Sprint(c.lives), size: 200, keys: c.keys}
	l.start(c.s, clients, 1<<40)
	within(c.T, 5*time.Minute, 100*time.Millisecond, fmt.Sprintf("%d partitions are open", c.keys), func() bool {
		alive(c.T, c.s)
		return openPartitions(c.T, c.s) >= c.keys
	})
	time.Sleep(time.Duration(rand.IntN(10_000)) * time.Millisecond)
	alive(c.T, c.s)
	if open := openPartitions(c.T, c.s); quiet && open != c.keys {
		c.Errorf("%d partitions are open, of %d keys", open, c.keys)
	}
	c.kill()
	l.end()
	c.again()
}

// deliverSome is a life without load that ends when some partitions are delivered, and many
// are not.
func (c *crowd) deliverSome() {
	c.Helper()
	before := c.ledger().Objects
	some := uint64(1 + rand.IntN(max(c.keys/10, 1)))
	within(c.T, 5*time.Minute, 20*time.Millisecond, fmt.Sprintf("%d objects are delivered", some), func() bool {
		alive(c.T, c.s)
		l := c.ledger()
		return l.Objects >= before+some || l.Pending == 0
	})
	c.kill()
	c.Logf("killed after %d objects", some)
	c.again()
}

func (c *crowd) kill() {
	c.Helper()
	c.watch(c.s)
	c.s.Kill()
}

// again is the next life, and those that end while they start.
func (c *crowd) again() {
	c.Helper()
	c.s = restart(c.T, c.s, c.watch)
	took := time.Since(c.ended)
	var busy float64
	err := c.s.Metrics(c.Context(), func(name string, _ map[string]string, value float64) {
		if name == "process_cpu_seconds_total" {
			busy = value
		}
	})
	if err != nil {
		c.Fatal(err)
	}
	c.Logf("ready %s after the kill, for %.2f s of CPU time", took.Round(time.Millisecond), busy)
}

// watch holds the memory of a life against the budget, just before it is killed.
func (c *crowd) watch(s *server.Server) {
	c.Helper()
	c.lives++
	peak, err := s.Peak()
	if err != nil {
		c.Fatal(err)
	}
	held := "still starting"
	if s.Address.Console != "" {
		held = fmt.Sprintf("%d partitions at its end", openPartitions(c.T, s))
	}
	c.Logf("life %d: %s, %.1f MiB at most", c.lives, held, float64(peak)/(1<<20))
	if peak > budget {
		c.Errorf("life %d: %d bytes are more than the budget", c.lives, peak)
	}
	c.ended = time.Now()
}

// drain waits until everything is delivered, and says how fast that went.
func (c *crowd) drain(began time.Time) {
	c.Helper()
	from, drained := c.ledger(), time.Now()
	awaitDeliveryWithin(c.T, c.s, 15*time.Minute, time.Second)
	to, d := c.ledger(), time.Since(drained).Seconds()
	c.Logf("%d objects delivered in the end, in %.1f s: %.0f a second", to.Objects-from.Objects, d, float64(to.Objects-from.Objects)/d)
	all := time.Since(began).Seconds()
	c.Logf("%d records of %.1f MB in %d objects, in %.1f s: %.2f MB/s, %.0f objects a second",
		to.Received, float64(to.Bytes)/1e6, to.Objects, all, float64(to.Bytes)/1e6/all, float64(to.Objects)/all)
}

func (c *crowd) ledger() server.Ledger {
	c.Helper()
	all, err := c.s.Ledgers(c.Context())
	if err != nil {
		c.Fatal(err)
	}
	return all["parted"]
}

// setInterval changes how long the partitions of the stream parted stay open.
func setInterval(t *testing.T, s *server.Server, seconds int32) {
	t.Helper()
	c, name := firehose.NewFromConfig(s.Config()), aws.String("parted")
	d, err := c.DescribeDeliveryStream(t.Context(), &firehose.DescribeDeliveryStreamInput{DeliveryStreamName: name})
	if err != nil {
		t.Fatal(err)
	}
	now := d.DeliveryStreamDescription
	_, err = c.UpdateDestination(t.Context(), &firehose.UpdateDestinationInput{
		DeliveryStreamName: name, CurrentDeliveryStreamVersionId: now.VersionId, DestinationId: now.Destinations[0].DestinationId,
		ExtendedS3DestinationUpdate: &types.ExtendedS3DestinationUpdate{
			BufferingHints: &types.BufferingHints{SizeInMBs: aws.Int32(64), IntervalInSeconds: &seconds},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
}

// cpu is what the processes have used that this one started and that have ended.
func cpu(t *testing.T) time.Duration {
	t.Helper()
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_CHILDREN, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

package kill

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/firehose"
	"github.com/aws/aws-sdk-go-v2/service/firehose/types"

	"hydrant/e2e/server"
)

// small are the flags of a node that lets partitions have small buffers.
func small(t *testing.T, more ...string) []string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "hydrant.yaml")
	if err := os.WriteFile(path, []byte("delivery: {smallBuffers: true}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return append([]string{"--config", path}, more...)
}

// makeParted makes the stream parted, whose records lie in folders by their key.
func makeParted(t *testing.T, s *server.Server, seconds int32) {
	t.Helper()
	c := firehose.NewFromConfig(s.Config())
	parameter := func(name types.ProcessorParameterName, value string) types.ProcessorParameter {
		return types.ProcessorParameter{ParameterName: name, ParameterValue: &value}
	}
	_, err := c.CreateDeliveryStream(t.Context(), &firehose.CreateDeliveryStreamInput{
		DeliveryStreamName: aws.String("parted"),
		ExtendedS3DestinationConfiguration: &types.ExtendedS3DestinationConfiguration{
			BucketARN: aws.String("arn:aws:s3:::" + bucket), RoleARN: aws.String("arn:aws:iam::000000000000:role/kill"),
			Prefix: aws.String("parted/k=!{partitionKeyFromQuery:k}/"), ErrorOutputPrefix: aws.String("failed/!{firehose:error-output-type}/"),
			BufferingHints:                   &types.BufferingHints{SizeInMBs: aws.Int32(1), IntervalInSeconds: &seconds},
			CompressionFormat:                types.CompressionFormatGzip,
			DynamicPartitioningConfiguration: &types.DynamicPartitioningConfiguration{Enabled: aws.Bool(true)},
			ProcessingConfiguration: &types.ProcessingConfiguration{Enabled: aws.Bool(true), Processors: []types.Processor{{
				Type: types.ProcessorTypeMetadataExtraction, Parameters: []types.ProcessorParameter{
					parameter(types.ProcessorParameterNameMetadataExtractionQuery, "{k:.k}"),
					parameter(types.ProcessorParameterNameJsonParsingEngine, "JQ-1.6"),
				},
			}}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "parted is active", func() bool {
		d, err := c.DescribeDeliveryStream(t.Context(), &firehose.DescribeDeliveryStreamInput{DeliveryStreamName: aws.String("parted")})
		return err == nil && d.DeliveryStreamDescription.DeliveryStreamStatus == types.DeliveryStreamStatusActive
	})
}

// Each record lands once, and in the folder of its key, however often the node is killed.
func TestKilledNodesKeepPartitionsApart(t *testing.T) {
	s := server.Start(t, server.Options{Binary: server.Build(t), Data: t.TempDir(), Args: small(t)})
	makeBucket(t, s)
	makeParted(t, s, 1)
	book := newNotebook()
	s = soak(t, s, book, kills(t), "parted")
	awaitDelivery(t, s)
	verdict(t, s, book, countStore(t, s.Config(), bucket), false)
}

func TestKilledNodesKeepPartitionsApartInABadStore(t *testing.T) {
	store := newStore(t)
	o := store.options(t)
	o.Args = append(o.Args, small(t)...)
	s := server.Start(t, o)
	makeParted(t, s, 1)
	book := newNotebook()
	store.SetFault(badStore())
	s = soak(t, s, book, kills(t), "parted")
	store.SetFault(nil)
	awaitDelivery(t, s)
	t.Logf("faults of the store: %v, applied late at the end: %d", store.Fired(), store.ApplyLate())
	awaitSweep(t, store.config())
	verdict(t, s, book, countStore(t, store.config(), bucket), false)
}

// budget is the memory of a node with many partitions, --memory.
const budget = 256 << 20

// HYDRANT_PARTITIONS says how many partitions are held open at once, within the budget, while
// the node is killed again and again.
func TestManyPartitionsWithinTheirMemory(t *testing.T) {
	n, err := strconv.Atoi(os.Getenv("HYDRANT_PARTITIONS"))
	if err != nil || n < 1 {
		t.Skip("HYDRANT_PARTITIONS says how many; 10000 take some minutes")
	}
	s := server.Start(t, server.Options{Binary: server.Build(t), Data: t.TempDir(), Args: small(t, "--memory", "256MiB")})
	makeBucket(t, s)
	makeParted(t, s, 30)
	book := newNotebook()
	for life := range kills(t) {
		l := &load{t: t, book: book, streams: []string{"parted"}, label: fmt.Sprint(life), size: 100, keys: n}
		l.start(s, clients, 1<<40)
		most := awaitPartitions(t, s, n*9/10)
		time.Sleep(time.Duration(rand.IntN(20_000)) * time.Millisecond) // into their delivery, or not
		logPeak(t, s, life, most)
		s.Kill()
		l.end()
		began := time.Now()
		s = restart(t, s)
		t.Logf("life %d: ready %s after the kill", life+1, time.Since(began).Round(time.Millisecond))
	}
	began := time.Now()
	awaitDelivery(t, s)
	t.Logf("all delivered %s later", time.Since(began).Round(time.Millisecond))
	logPeak(t, s, kills(t), 0)
	verdict(t, s, book, countStore(t, s.Config(), bucket), false)
}

// awaitPartitions waits until so many are open, and returns how many there are.
func awaitPartitions(t *testing.T, s *server.Server, n int) (open int) {
	t.Helper()
	eventually(t, fmt.Sprintf("%d partitions are open", n), func() bool {
		err := s.Metrics(t.Context(), func(name string, _ map[string]string, value float64) {
			if name == "hydrant_partitions" {
				open = int(value)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		return open >= n
	})
	return open
}

func logPeak(t *testing.T, s *server.Server, life, open int) {
	t.Helper()
	peak, err := s.Peak()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("life %d: %d partitions open, %d kB at most", life, open, peak>>10)
	if peak > budget {
		t.Errorf("%d bytes are more than the budget", peak)
	}
}

package firehose

import (
	"bytes"
	"errors"
	"net/http/httptest"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/firehose"
	"github.com/aws/aws-sdk-go-v2/service/firehose/types"
	"github.com/google/go-cmp/cmp"

	"hydrant/internal/stream"
)

// client is AWS's own client, talking to w over loopback, without retries.
func (w *world) client(t *testing.T) *sdk.Client {
	t.Helper()
	listener := httptest.NewServer(w.serverAt(time.Now))
	t.Cleanup(listener.Close)
	return sdk.New(sdk.Options{
		Region: region, BaseEndpoint: awssdk.String(listener.URL), Retryer: awssdk.NopRetryer{},
		Credentials: credentials.NewStaticCredentialsProvider("ALICE", string(secret), ""),
	})
}

func TestAWSsOwnClientUnderstandsEveryAnswer(t *testing.T) {
	w := newWorld(t)
	c, ctx, name := w.client(t), t.Context(), awssdk.String("clicks")
	made, err := c.CreateDeliveryStream(ctx, &sdk.CreateDeliveryStreamInput{
		DeliveryStreamName: name,
		ExtendedS3DestinationConfiguration: &types.ExtendedS3DestinationConfiguration{
			RoleARN: awssdk.String("arn:aws:iam::123456789012:role/fh"), BucketARN: awssdk.String("arn:aws:s3:::logs"),
			CompressionFormat: types.CompressionFormatGzip, BufferingHints: &types.BufferingHints{IntervalInSeconds: awssdk.Int32(0)},
		},
		Tags: []types.Tag{{Key: awssdk.String("team")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	var notFound *types.ResourceNotFoundException
	if _, err := c.PutRecord(ctx, &sdk.PutRecordInput{DeliveryStreamName: name, Record: &types.Record{Data: []byte("early")}}); !errors.As(err, &notFound) {
		t.Fatalf("put while CREATING: %v", err)
	}
	d, _ := w.streams.Get(*name)
	if err := w.streams.Activate(ctx, *name, d.ID); err != nil {
		t.Fatal(err)
	}

	shown, err := c.DescribeDeliveryStream(ctx, &sdk.DescribeDeliveryStreamInput{DeliveryStreamName: name})
	if err != nil {
		t.Fatal(err)
	}
	is := shown.DeliveryStreamDescription
	s3 := is.Destinations[0].ExtendedS3DestinationDescription
	if *is.DeliveryStreamARN != *made.DeliveryStreamARN || is.DeliveryStreamStatus != types.DeliveryStreamStatusActive ||
		!is.CreateTimestamp.Equal(clock()) || s3.CompressionFormat != types.CompressionFormatGzip ||
		*s3.BufferingHints.IntervalInSeconds != 0 || *s3.BufferingHints.SizeInMBs != 5 {
		t.Fatalf("described as %+v", is)
	}

	w.door.room = 3
	want := []string{"\x00\xff binary", "", "text"}
	var batch []types.Record
	for _, data := range append(want, "too many") {
		batch = append(batch, types.Record{Data: []byte(data)})
	}
	put, err := c.PutRecordBatch(ctx, &sdk.PutRecordBatchInput{DeliveryStreamName: name, Records: batch})
	if err != nil {
		t.Fatal(err)
	}
	last := put.RequestResponses[3]
	if *put.FailedPutCount != 1 || len(put.RequestResponses) != 4 || put.RequestResponses[2].RecordId == nil ||
		last.RecordId != nil || *last.ErrorCode != "ServiceUnavailableException" || *last.ErrorMessage != "Slow down." {
		t.Fatalf("put answered %+v", put)
	}
	if d := cmp.Diff(want, w.door.stored["clicks"]); d != "" {
		t.Fatal(d)
	}
	var slow *types.ServiceUnavailableException
	if _, err := c.PutRecord(ctx, &sdk.PutRecordInput{DeliveryStreamName: name, Record: &types.Record{Data: []byte("x")}}); !errors.As(err, &slow) {
		t.Fatalf("put without room: %v", err)
	}
	var invalid *types.InvalidArgumentException
	big := types.Record{Data: bytes.Repeat([]byte("x"), 1_000_000)}
	if _, err := c.PutRecordBatch(ctx, &sdk.PutRecordBatchInput{DeliveryStreamName: name, Records: []types.Record{big, big, big, big, big}}); !errors.As(err, &invalid) {
		t.Fatalf("put of 5 MB: %v", err)
	}

	list, err := c.ListDeliveryStreams(ctx, &sdk.ListDeliveryStreamsInput{})
	if err != nil || len(list.DeliveryStreamNames) != 1 || *list.HasMoreDeliveryStreams {
		t.Fatalf("listed %+v, %v", list, err)
	}
	if _, err := c.DeleteDeliveryStream(ctx, &sdk.DeleteDeliveryStreamInput{DeliveryStreamName: name}); err != nil {
		t.Fatal(err)
	}
	if d, _ := w.streams.Get(*name); d.Status != stream.Deleting {
		t.Fatalf("after Delete it is %s", d.Status)
	}
}

package clients

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/firehose"
	"github.com/aws/aws-sdk-go-v2/service/firehose/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// sdk is the tour of the AWS SDK for Go with the stream that it is about.
type sdk struct {
	t    *testing.T
	c    *firehose.Client
	name *string
}

func TestTheAWSSDKForGoTakesTheTour(t *testing.T) {
	t.Parallel()
	server := start(t)
	tour := sdk{t, firehose.NewFromConfig(server.Config()), aws.String("go")}
	store := s3.NewFromConfig(server.Config(), func(o *s3.Options) { o.UsePathStyle = true })
	if _, err := store.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("go-lake")}); err != nil {
		t.Fatal(err)
	}
	tour.create()
	tour.list()
	tour.tag()
	want := tour.put()
	eventually(t, "the objects hold what was put", func() bool { return bytes.Equal(read(t, store), want) })
	tour.update()
	tour.encrypt()
	tour.delete()
}

// must takes what an operation returned; the answer is had from what it returns, which ends
// the test if there is an error instead.
func must[Out any](out *Out, err error) func(*testing.T) *Out {
	return func(t *testing.T) *Out {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
}

// create makes a stream of each shape of S3.
func (s sdk) create() {
	t, ctx := s.t, s.t.Context()
	made := must(s.c.CreateDeliveryStream(ctx, &firehose.CreateDeliveryStreamInput{
		DeliveryStreamName: s.name,
		ExtendedS3DestinationConfiguration: &types.ExtendedS3DestinationConfiguration{
			RoleARN: aws.String(role), BucketARN: aws.String("arn:aws:s3:::go-lake"), CompressionFormat: types.CompressionFormatGzip,
			BufferingHints: &types.BufferingHints{SizeInMBs: aws.Int32(1), IntervalInSeconds: aws.Int32(1)},
		},
	}))(t)
	if want := "arn:aws:firehose:us-east-1:000000000000:deliverystream/go"; aws.ToString(made.DeliveryStreamARN) != want {
		t.Errorf("made %s, want %s", aws.ToString(made.DeliveryStreamARN), want)
	}
	legacy := &types.S3DestinationConfiguration{RoleARN: aws.String(role), BucketARN: aws.String("arn:aws:s3:::go-lake")}
	must(s.c.CreateDeliveryStream(ctx, &firehose.CreateDeliveryStreamInput{
		DeliveryStreamName: aws.String("go-legacy"),
		//lint:ignore SA1019 streams that were made with it have to work
		S3DestinationConfiguration: legacy,
	}))(t)
	eventually(t, "the stream is ACTIVE", func() bool { return s.describe().DeliveryStreamStatus == types.DeliveryStreamStatusActive })
	d := s.describe()
	if to := d.Destinations[0].ExtendedS3DestinationDescription; d.CreateTimestamp == nil || to.CompressionFormat != types.CompressionFormatGzip || *to.BufferingHints.IntervalInSeconds != 1 {
		t.Errorf("described %+v", d)
	}
}

func (s sdk) describe() *types.DeliveryStreamDescription {
	s.t.Helper()
	return must(s.c.DescribeDeliveryStream(s.t.Context(),
		&firehose.DescribeDeliveryStreamInput{DeliveryStreamName: s.name}))(s.t).DeliveryStreamDescription
}

// list lists the streams page by page.
func (s sdk) list() {
	var after *string
	for _, want := range []struct {
		name string
		more bool
	}{{"go", true}, {"go-legacy", false}} {
		page := must(s.c.ListDeliveryStreams(s.t.Context(), &firehose.ListDeliveryStreamsInput{
			Limit: aws.Int32(1), ExclusiveStartDeliveryStreamName: after, DeliveryStreamType: types.DeliveryStreamTypeDirectPut,
		}))(s.t)
		if !slices.Equal(page.DeliveryStreamNames, []string{want.name}) || *page.HasMoreDeliveryStreams != want.more {
			s.t.Errorf("page %v, more: %v, want %+v", page.DeliveryStreamNames, *page.HasMoreDeliveryStreams, want)
		}
		after = &want.name
	}
}

// tag sets, lists and removes tags.
func (s sdk) tag() {
	t, ctx := s.t, s.t.Context()
	must(s.c.TagDeliveryStream(ctx, &firehose.TagDeliveryStreamInput{DeliveryStreamName: s.name,
		Tags: []types.Tag{{Key: aws.String("b")}, {Key: aws.String("a"), Value: aws.String("1")}}}))(t)
	check := func(want string, more bool, after *string) {
		t.Helper()
		page := must(s.c.ListTagsForDeliveryStream(ctx,
			&firehose.ListTagsForDeliveryStreamInput{DeliveryStreamName: s.name, Limit: aws.Int32(1), ExclusiveStartTagKey: after}))(t)
		if len(page.Tags) != 1 || *page.Tags[0].Key != want || *page.HasMoreTags != more {
			t.Errorf("tags %+v, want %s, more: %v", page, want, more)
		}
	}
	check("a", true, nil)
	check("b", false, aws.String("a"))
	must(s.c.UntagDeliveryStream(ctx, &firehose.UntagDeliveryStreamInput{DeliveryStreamName: s.name, TagKeys: []string{"a", "unknown"}}))(t)
	check("b", false, nil)
}

// put puts single records and a batch, and returns what the objects must hold.
func (s sdk) put() []byte {
	t, ctx := s.t, s.t.Context()
	var all bytes.Buffer
	var records []types.Record
	for i := range 50 {
		data := fmt.Appendf(nil, "single %d\n", i)
		all.Write(data)
		one := must(s.c.PutRecord(ctx, &firehose.PutRecordInput{DeliveryStreamName: s.name, Record: &types.Record{Data: data}}))(t)
		if aws.ToString(one.RecordId) == "" || *one.Encrypted {
			t.Errorf("put answered %+v", one)
		}
		records = append(records, types.Record{Data: fmt.Appendf(nil, "of a batch %d\n", i)})
	}
	for _, r := range records {
		all.Write(r.Data)
	}
	many := must(s.c.PutRecordBatch(ctx, &firehose.PutRecordBatchInput{DeliveryStreamName: s.name, Records: records}))(t)
	if *many.FailedPutCount != 0 || len(many.RequestResponses) != len(records) {
		t.Errorf("batch answered %+v", many)
	}
	return all.Bytes()
}

// update changes the destination; the same update made again is one of a past version.
func (s sdk) update() {
	in := &firehose.UpdateDestinationInput{
		DeliveryStreamName: s.name, CurrentDeliveryStreamVersionId: aws.String("1"), DestinationId: aws.String(destinationID),
		ExtendedS3DestinationUpdate: &types.ExtendedS3DestinationUpdate{Prefix: aws.String("late/")},
	}
	must(s.c.UpdateDestination(s.t.Context(), in))(s.t)
	d := s.describe()
	if *d.VersionId != "2" || d.LastUpdateTimestamp == nil || *d.Destinations[0].ExtendedS3DestinationDescription.Prefix != "late/" {
		s.t.Errorf("after the update: %+v", d)
	}
	_, err := s.c.UpdateDestination(s.t.Context(), in)
	if !is[*types.ConcurrentModificationException](err) {
		s.t.Errorf("the update of a past version: %v", err)
	}
}

// encrypt turns encryption on, puts, and turns it off.
func (s sdk) encrypt() {
	t, ctx := s.t, s.t.Context()
	await := func(status types.DeliveryStreamEncryptionStatus) {
		eventually(t, fmt.Sprintf("encryption is %s", status), func() bool { return s.describe().DeliveryStreamEncryptionConfiguration.Status == status })
	}
	must(s.c.StartDeliveryStreamEncryption(ctx, &firehose.StartDeliveryStreamEncryptionInput{DeliveryStreamName: s.name,
		DeliveryStreamEncryptionConfigurationInput: &types.DeliveryStreamEncryptionConfigurationInput{KeyType: types.KeyTypeAwsOwnedCmk}}))(t)
	await(types.DeliveryStreamEncryptionStatusEnabled)
	one := must(s.c.PutRecord(ctx, &firehose.PutRecordInput{DeliveryStreamName: s.name, Record: &types.Record{Data: []byte("sealed")}}))(t)
	if !*one.Encrypted {
		t.Errorf("put answered %+v", one)
	}
	must(s.c.StopDeliveryStreamEncryption(ctx, &firehose.StopDeliveryStreamEncryptionInput{DeliveryStreamName: s.name}))(t)
	await(types.DeliveryStreamEncryptionStatusDisabled)
}

// delete deletes both streams.
func (s sdk) delete() {
	t, ctx := s.t, s.t.Context()
	for _, name := range []string{"go", "go-legacy"} {
		must(s.c.DeleteDeliveryStream(ctx, &firehose.DeleteDeliveryStreamInput{DeliveryStreamName: &name, AllowForceDelete: aws.Bool(true)}))(t)
	}
	eventually(t, "no stream is listed", func() bool {
		l, err := s.c.ListDeliveryStreams(ctx, &firehose.ListDeliveryStreamsInput{})
		return err == nil && len(l.DeliveryStreamNames) == 0
	})
	_, err := s.c.DescribeDeliveryStream(ctx, &firehose.DescribeDeliveryStreamInput{DeliveryStreamName: s.name})
	if !is[*types.ResourceNotFoundException](err) {
		t.Errorf("a deleted stream is described: %v", err)
	}
}

// read returns the content of all objects, by key.
func read(t *testing.T, store *s3.Client) []byte {
	t.Helper()
	list, err := store.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("go-lake")})
	if err != nil {
		t.Fatal(err)
	}
	var all []byte
	for _, o := range list.Contents {
		got, err := store.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("go-lake"), Key: o.Key})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, unzip(t, got.Body)...)
	}
	return all
}

// unzip reads and closes a gzip file.
func unzip(t *testing.T, file io.ReadCloser) []byte {
	t.Helper()
	z, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err := errors.Join(err, file.Close()); err != nil {
		t.Fatal(err)
	}
	return b
}

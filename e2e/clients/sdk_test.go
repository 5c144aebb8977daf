package clients

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/firehose"
	"github.com/aws/aws-sdk-go-v2/service/firehose/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// refusal is what an operation must answer.
type refusal struct {
	name, code, message string
	status              int
	call                func() error
}

// check holds an error against what it must be.
func (r refusal) check(t *testing.T) {
	t.Helper()
	err := r.call()
	var api smithy.APIError
	var response *smithyhttp.ResponseError
	switch {
	case !errors.As(err, &api) || !errors.As(err, &response):
		t.Errorf("%s: %v", r.name, err)
	case api.ErrorCode() != r.code || response.HTTPStatusCode() != r.status || r.message != "" && api.ErrorMessage() != r.message:
		t.Errorf("%s: got %d %s %q, want %d %s %q", r.name, response.HTTPStatusCode(), api.ErrorCode(), api.ErrorMessage(),
			r.status, r.code, r.message)
	}
}

func destination(format types.CompressionFormat) *types.ExtendedS3DestinationConfiguration {
	return &types.ExtendedS3DestinationConfiguration{
		RoleARN: aws.String("arn:aws:iam::000000000000:role/tour"), BucketARN: aws.String("arn:aws:s3:::go-lake"),
		CompressionFormat: format, BufferingHints: &types.BufferingHints{SizeInMBs: aws.Int32(1), IntervalInSeconds: aws.Int32(1)},
	}
}

func TestTheAWSSDKForGoTakesTheTour(t *testing.T) {
	server, _ := start(t)
	c := firehose.NewFromConfig(server.Config())
	store := s3.NewFromConfig(server.Config(), func(o *s3.Options) { o.UsePathStyle = true })
	ctx, name := t.Context(), aws.String("go")
	if _, err := store.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("go-lake")}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.CreateDeliveryStream(ctx, &firehose.CreateDeliveryStreamInput{
		DeliveryStreamName: name, ExtendedS3DestinationConfiguration: destination(types.CompressionFormatGzip),
	}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the stream is ACTIVE", func() bool {
		d, err := c.DescribeDeliveryStream(ctx, &firehose.DescribeDeliveryStreamInput{DeliveryStreamName: name})
		return err == nil && d.DeliveryStreamDescription.DeliveryStreamStatus == types.DeliveryStreamStatusActive
	})
	for _, r := range refusals(t, server.Config(), c) {
		r.check(t)
	}
	var want bytes.Buffer
	for i := range 50 {
		data := fmt.Appendf(nil, "single %d\n", i)
		want.Write(data)
		if _, err := c.PutRecord(ctx, &firehose.PutRecordInput{DeliveryStreamName: name, Record: &types.Record{Data: data}}); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "the objects hold what was put", func() bool { return bytes.Equal(read(t, store), want.Bytes()) })
	if _, err := c.DeleteDeliveryStream(ctx, &firehose.DeleteDeliveryStreamInput{DeliveryStreamName: name}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "no stream is listed", func() bool {
		l, err := c.ListDeliveryStreams(ctx, &firehose.ListDeliveryStreamsInput{})
		return err == nil && len(l.DeliveryStreamNames) == 0
	})
}

// refusals are requests that must be refused, with the words of spec section 2.13.
func refusals(t *testing.T, cfg aws.Config, c *firehose.Client) []refusal {
	ctx, one := t.Context(), &types.Record{Data: []byte("x")}
	put := func(c *firehose.Client, name string) func() error {
		return func() error {
			_, err := c.PutRecord(ctx, &firehose.PutRecordInput{DeliveryStreamName: &name, Record: one})
			return err
		}
	}
	create := func(name string, d *types.ExtendedS3DestinationConfiguration) func() error {
		return func() error {
			_, err := c.CreateDeliveryStream(ctx, &firehose.CreateDeliveryStreamInput{DeliveryStreamName: &name, ExtendedS3DestinationConfiguration: d})
			return err
		}
	}
	wrongKey := cfg.Copy()
	wrongKey.Credentials = credentials.NewStaticCredentialsProvider("AKIANOBODYKNOWSTHIS1", "secret", "")
	abroad := cfg.Copy()
	abroad.Region = "eu-west-3"
	unbuilt := destination("")
	unbuilt.DataFormatConversionConfiguration = &types.DataFormatConversionConfiguration{Enabled: aws.Bool(true)}
	return []refusal{
		{"unknown stream", "ResourceNotFoundException", "Firehose nobody under account 000000000000 not found.", 400, put(c, "nobody")},
		{"unknown key", "UnrecognizedClientException", "The security token included in the request is invalid.", 400, put(firehose.NewFromConfig(wrongKey), "go")},
		{"other region", "InvalidSignatureException", "", 400, put(firehose.NewFromConfig(abroad), "go")},
		{"taken name", "ResourceInUseException", "Firehose go under accountId 000000000000 already exists", 400, create("go", destination(""))},
		{"no destination", "InvalidArgumentException", "Exactly one destination configuration is supported for a Firehose", 400, create("none", nil)},
		{"unbuilt option", "InvalidArgumentException", "DataFormatConversionConfiguration.Enabled: true is not supported by this version of Hydrant.", 400, create("unbuilt", unbuilt)},
		{"unknown format", "ValidationException", "", 400, create("format", destination("RAR"))},
		{"unknown to describe", "ResourceNotFoundException", "", 400, func() error {
			_, err := c.DescribeDeliveryStream(ctx, &firehose.DescribeDeliveryStreamInput{DeliveryStreamName: aws.String("nobody")})
			return err
		}},
		{"unknown to delete", "ResourceNotFoundException", "", 400, func() error {
			_, err := c.DeleteDeliveryStream(ctx, &firehose.DeleteDeliveryStreamInput{DeliveryStreamName: aws.String("nobody")})
			return err
		}},
		{"unknown to tag", "ResourceNotFoundException", "", 400, func() error {
			_, err := c.TagDeliveryStream(ctx, &firehose.TagDeliveryStreamInput{DeliveryStreamName: aws.String("nobody"), Tags: []types.Tag{{Key: aws.String("k")}}})
			return err
		}},
		{"old version", "ConcurrentModificationException",
			"Cannot update firehose: go since the current version id: 1 and specified version id: 7 do not match", 400, func() error {
				_, err := c.UpdateDestination(ctx, &firehose.UpdateDestinationInput{DeliveryStreamName: aws.String("go"), CurrentDeliveryStreamVersionId: aws.String("7"),
					DestinationId: aws.String("destinationId-000000000001"), ExtendedS3DestinationUpdate: &types.ExtendedS3DestinationUpdate{}})
				return err
			}},
		{"key without ARN", "InvalidArgumentException", "KeyARN has to be specified when KeyType is CUSTOMER_MANAGED_CMK", 400, func() error {
			_, err := c.StartDeliveryStreamEncryption(ctx, &firehose.StartDeliveryStreamEncryptionInput{DeliveryStreamName: aws.String("go"),
				DeliveryStreamEncryptionConfigurationInput: &types.DeliveryStreamEncryptionConfigurationInput{KeyType: types.KeyTypeCustomerManagedCmk}})
			return err
		}},
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
		z, err := gzip.NewReader(got.Body)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(z)
		if err := errors.Join(err, got.Body.Close()); err != nil {
			t.Fatalf("%s: %v", *o.Key, err)
		}
		all = append(all, b...)
	}
	return all
}

// TestNothingIsOpenWithoutASignature asks as a browser would.
func TestNothingIsOpenWithoutASignature(t *testing.T) {
	server, _ := start(t)
	for _, path := range []string{"/", "/go-lake", "/go-lake/key"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.Address.URL()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if resp.Body.Close() != nil || resp.StatusCode/100 != 4 {
			t.Errorf("GET %s was answered %s", path, resp.Status)
		}
	}
}

package s3

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
)

func codeOf(err error) string {
	var e smithy.APIError
	if errors.As(err, &e) {
		return e.ErrorCode()
	}
	return fmt.Sprint(err)
}

// TestTheGoSDKStoresAndReads walks through a bucket's life with the SDK's default checksums.
func TestTheGoSDKStoresAndReads(t *testing.T) {
	s := openStore(t)
	walkThrough(t, client(t, serve(t, s)))
}

// TestTheGoSDKWorksWithoutASocket does the same through NewTransport.
func TestTheGoSDKWorksWithoutASocket(t *testing.T) {
	s := openStore(t)
	walkThrough(t, client(t, "http://store.internal", func(o *sdk.Options) {
		o.HTTPClient = transportClient{NewTransport(s)}
	}))
}

func walkThrough(t *testing.T, c *sdk.Client) {
	ctx := t.Context()
	box := awssdk.String("box")
	if _, err := c.CreateBucket(ctx, &sdk.CreateBucketInput{Bucket: box}); err != nil {
		t.Fatal(err)
	}
	keys := []string{"a", "a/b", "a//b", "../up", "dir/", " +&=?#%41", "Grüße", strings.Repeat("k", 1024)}
	for _, key := range keys {
		if _, err := c.PutObject(ctx, &sdk.PutObjectInput{Bucket: box, Key: &key, Body: strings.NewReader("bytes of " + key),
			ContentType: awssdk.String("text/plain"), ContentEncoding: awssdk.String("identity"),
			Metadata: map[string]string{"origin": "test"}}); err != nil {
			t.Fatalf("%q: %v", key, err)
		}
	}
	for _, key := range keys {
		got, err := c.GetObject(ctx, &sdk.GetObjectInput{Bucket: box, Key: &key})
		if err != nil {
			t.Fatalf("%q: %v", key, err)
		}
		if body := content(t, got.Body); string(body) != "bytes of "+key {
			t.Errorf("%q holds %q", key, body)
		}
		if *got.ContentType != "text/plain" || *got.ContentEncoding != "identity" || got.Metadata["origin"] != "test" || got.ChecksumCRC32 == nil {
			t.Errorf("%q came back as %v %v %v %v", key, *got.ContentType, got.ContentEncoding, got.Metadata, got.ChecksumCRC32)
		}
	}
	sdkListsAll(t, c, keys)
	sdkMultipart(t, c)
	sdkErrors(t, c)
	sdkDeletesAll(t, c)
}

func sdkListsAll(t *testing.T, c *sdk.Client, keys []string) {
	t.Helper()
	pages := sdk.NewListObjectsV2Paginator(c, &sdk.ListObjectsV2Input{Bucket: awssdk.String("box"), MaxKeys: awssdk.Int32(3), EncodingType: types.EncodingTypeUrl})
	seen := make(map[string]bool)
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range page.Contents {
			key, err := url.QueryUnescape(*o.Key)
			if err != nil {
				t.Fatal(err)
			}
			seen[key] = true
		}
	}
	for _, key := range keys {
		if !seen[key] {
			t.Errorf("%q is not listed", key)
		}
	}
	if len(seen) != len(keys) {
		t.Errorf("%d keys are listed, %d were put", len(seen), len(keys))
	}
}

func sdkMultipart(t *testing.T, c *sdk.Client) {
	t.Helper()
	ctx, box, key := t.Context(), awssdk.String("box"), awssdk.String("big/multi")
	for _, algorithm := range []types.ChecksumAlgorithm{"", types.ChecksumAlgorithmCrc32c} {
		up, err := c.CreateMultipartUpload(ctx, &sdk.CreateMultipartUploadInput{Bucket: box, Key: key, ChecksumAlgorithm: algorithm})
		if err != nil {
			t.Fatal(err)
		}
		var all []byte
		var parts []types.CompletedPart
		for n := int32(1); n <= 2; n++ {
			data := bytes.Repeat([]byte{byte('0' + n)}, minPart*int(2-n)+int(n))
			all = append(all, data...)
			p, err := c.UploadPart(ctx, &sdk.UploadPartInput{Bucket: box, Key: key, UploadId: up.UploadId, PartNumber: &n, Body: bytes.NewReader(data), ChecksumAlgorithm: algorithm})
			if err != nil {
				t.Fatal(err)
			}
			parts = append(parts, types.CompletedPart{PartNumber: &n, ETag: p.ETag, ChecksumCRC32: p.ChecksumCRC32,
				ChecksumCRC32C: p.ChecksumCRC32C})
		}
		done, err := c.CompleteMultipartUpload(ctx, &sdk.CompleteMultipartUploadInput{Bucket: box, Key: key, UploadId: up.UploadId,
			MultipartUpload: &types.CompletedMultipartUpload{Parts: parts}})
		if err != nil {
			t.Fatalf("%s: %v", algorithm, err)
		}
		if !strings.HasSuffix(*done.ETag, `-2"`) {
			t.Errorf("ETag %s", *done.ETag)
		}
		got, err := c.GetObject(ctx, &sdk.GetObjectInput{Bucket: box, Key: key})
		if err != nil {
			t.Fatal(err)
		}
		if body := content(t, got.Body); !bytes.Equal(body, all) {
			t.Errorf("%s: %d bytes came back of %d", algorithm, len(body), len(all))
		}
		if _, err := c.CompleteMultipartUpload(ctx, &sdk.CompleteMultipartUploadInput{Bucket: box, Key: key, UploadId: up.UploadId,
			MultipartUpload: &types.CompletedMultipartUpload{Parts: parts}}); codeOf(err) != "NoSuchUpload" {
			t.Errorf("completing again: %v", err)
		}
		part, err := c.GetObject(ctx, &sdk.GetObjectInput{Bucket: box, Key: key, PartNumber: awssdk.Int32(2)})
		if err != nil {
			t.Fatal(err)
		}
		if body := content(t, part.Body); string(body) != "22" || *part.PartsCount != 2 {
			t.Errorf("part 2 came back as %q", body)
		}
	}
}

func sdkErrors(t *testing.T, c *sdk.Client) {
	t.Helper()
	ctx := t.Context()
	if _, err := c.GetObject(ctx, &sdk.GetObjectInput{Bucket: awssdk.String("box"), Key: awssdk.String("absent")}); codeOf(err) != "NoSuchKey" {
		t.Errorf("absent key: %v", err)
	}
	if _, err := c.GetObject(ctx, &sdk.GetObjectInput{Bucket: awssdk.String("nobox"), Key: awssdk.String("absent")}); codeOf(err) != "NoSuchBucket" {
		t.Errorf("absent bucket: %v", err)
	}
	if _, err := c.HeadObject(ctx, &sdk.HeadObjectInput{Bucket: awssdk.String("box"), Key: awssdk.String("absent")}); codeOf(err) != "NotFound" {
		t.Errorf("head of an absent key: %v", err)
	}
	if _, err := c.PutObject(ctx, &sdk.PutObjectInput{Bucket: awssdk.String("box"), Key: awssdk.String("a"), Body: strings.NewReader("x"),
		IfNoneMatch: awssdk.String("*")}); codeOf(err) != "PreconditionFailed" {
		t.Errorf("If-None-Match: %v", err)
	}
	if _, err := c.PutObject(ctx, &sdk.PutObjectInput{Bucket: awssdk.String("box"), Key: awssdk.String("a"), Body: strings.NewReader("x"),
		ServerSideEncryption: types.ServerSideEncryptionAes256}); codeOf(err) != "NotImplemented" {
		t.Errorf("encryption: %v", err)
	}
	if _, err := c.DeleteBucket(ctx, &sdk.DeleteBucketInput{Bucket: awssdk.String("box")}); codeOf(err) != "BucketNotEmpty" {
		t.Errorf("deleting a full bucket: %v", err)
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := c.ListBuckets(cancelled, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func sdkDeletesAll(t *testing.T, c *sdk.Client) {
	t.Helper()
	ctx, box := t.Context(), awssdk.String("box")
	all, err := c.ListObjectsV2(ctx, &sdk.ListObjectsV2Input{Bucket: box})
	if err != nil {
		t.Fatal(err)
	}
	var ids []types.ObjectIdentifier
	for _, o := range all.Contents {
		ids = append(ids, types.ObjectIdentifier{Key: o.Key})
	}
	out, err := c.DeleteObjects(ctx, &sdk.DeleteObjectsInput{Bucket: box, Delete: &types.Delete{Objects: ids}})
	if err != nil || len(out.Errors) > 0 || len(out.Deleted) != len(ids) {
		t.Fatalf("%+v, %v", out, err)
	}
	if _, err := c.DeleteBucket(ctx, &sdk.DeleteBucketInput{Bucket: box}); err != nil {
		t.Error(err)
	}
	if list, err := c.ListBuckets(ctx, nil); err != nil || len(list.Buckets) != 0 {
		t.Errorf("%d buckets are left, %v", len(list.Buckets), err)
	}
}

package s3

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"hydrant/internal/record"
)

// errNoETag says that the store claimed success without saying what it has stored.
var errNoETag = errors.New("the answer names no ETag")

// Put stores a whole object.
func (d *Destination) Put(ctx context.Context, o record.Object, b record.Body) error {
	body := newGuard(b)
	defer body.end()
	sse, key := d.encryption(o)
	_, err := d.client.PutObject(ctx, &s3.PutObjectInput{
		Bucket: &o.Bucket, Key: &o.Key, ContentType: text(o.ContentType), ContentEncoding: text(o.ContentEncoding),
		ACL: d.acl(), ServerSideEncryption: sse, SSEKMSKeyId: key,
		Body: body, ContentLength: aws.Int64(b.Size()),
	}, d.unsigned...)
	return explainWrite("put", o, err)
}

// Begin starts an upload and returns its id.
func (d *Destination) Begin(ctx context.Context, o record.Object) (string, error) {
	sse, key := d.encryption(o)
	out, err := d.client.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{
		Bucket: &o.Bucket, Key: &o.Key, ContentType: text(o.ContentType), ContentEncoding: text(o.ContentEncoding),
		ACL: d.acl(), ServerSideEncryption: sse, SSEKMSKeyId: key,
	})
	if err == nil && aws.ToString(out.UploadId) == "" {
		err = errors.New("the answer names no upload")
	}
	if err != nil {
		return "", explainWrite("begin the upload of", o, err)
	}
	return *out.UploadId, nil
}

// Part uploads one part.
func (d *Destination) Part(ctx context.Context, o record.Object, upload string, number int32, b record.Body) (record.Part, error) {
	body := newGuard(b)
	defer body.end()
	out, err := d.client.UploadPart(ctx, &s3.UploadPartInput{
		Bucket: &o.Bucket, Key: &o.Key, UploadId: &upload, PartNumber: &number,
		Body: body, ContentLength: aws.Int64(b.Size()),
	}, d.unsigned...)
	if err == nil && aws.ToString(out.ETag) == "" {
		err = errNoETag
	}
	if err != nil {
		return record.Part{}, explainWrite(fmt.Sprintf("upload part %d of", number), o, err)
	}
	return record.Part{Number: number, ETag: *out.ETag}, nil
}

// Complete makes an upload's object visible. The parts may be in any order. An answer that
// begins well and ends in an error, or before the ETag, is an error: S3 keeps clients
// waiting with an early 200.
func (d *Destination) Complete(ctx context.Context, o record.Object, upload string, parts []record.Part) error {
	done := make([]types.CompletedPart, 0, len(parts))
	for _, p := range parts {
		done = append(done, types.CompletedPart{PartNumber: aws.Int32(p.Number), ETag: aws.String(p.ETag)})
	}
	slices.SortFunc(done, func(a, b types.CompletedPart) int { return cmp.Compare(*a.PartNumber, *b.PartNumber) })
	out, err := d.client.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{
		Bucket: &o.Bucket, Key: &o.Key, UploadId: &upload,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: done},
	})
	if err == nil && aws.ToString(out.ETag) == "" {
		err = errNoETag
	}
	return explain("complete the upload of", o, err)
}

// Size returns the object's size and whether it exists. An answer to HEAD does not say what
// it is that does not exist, so the bucket is asked after.
func (d *Destination) Size(ctx context.Context, o record.Object) (int64, bool, error) {
	out, err := d.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &o.Bucket, Key: &o.Key})
	if err == nil {
		return aws.ToInt64(out.ContentLength), true, nil
	}
	if status(err) != http.StatusNotFound {
		return 0, false, explain("look for", o, err)
	}
	_, err = d.client.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &o.Bucket})
	switch status(err) {
	case http.StatusNotFound:
		return 0, false, explain("look for", o, fmt.Errorf("%w: %w", record.ErrNoBucket, err))
	case http.StatusForbidden: // asking after the bucket takes another permission
		return 0, false, nil
	}
	return 0, false, explain("look for the bucket of", o, err)
}

// Sweep aborts the uploads under exactly o's key. Uploads that are gone by then are not
// counted.
func (d *Destination) Sweep(ctx context.Context, o record.Object) (aborted int, err error) {
	in := &s3.ListMultipartUploadsInput{Bucket: &o.Bucket, Prefix: &o.Key}
	for {
		page, err := d.client.ListMultipartUploads(ctx, in)
		if err != nil {
			return aborted, explain("list the uploads of", o, err)
		}
		for _, u := range page.Uploads {
			id := aws.ToString(u.UploadId)
			if aws.ToString(u.Key) != o.Key {
				continue
			}
			gone, err := d.abort(ctx, o, id)
			if err != nil {
				return aborted, err
			}
			if !gone {
				aborted++
			}
		}
		if !aws.ToBool(page.IsTruncated) {
			return aborted, nil
		}
		key, id := aws.ToString(page.NextKeyMarker), aws.ToString(page.NextUploadIdMarker)
		if key == aws.ToString(in.KeyMarker) && id == aws.ToString(in.UploadIdMarker) {
			return aborted, explain("list the uploads of", o, errors.New("the list does not go on where it says it does"))
		}
		in.KeyMarker, in.UploadIdMarker = text(key), text(id)
	}
}

// abort ends an upload, or reports that it was gone.
func (d *Destination) abort(ctx context.Context, o record.Object, id string) (gone bool, err error) {
	_, err = d.client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: &o.Bucket, Key: &o.Key, UploadId: &id})
	if err = explain("abort an upload of", o, err); errors.Is(err, record.ErrUploadGone) {
		return true, nil
	}
	return false, err
}

// acl is the access control that Firehose asks for (spec firehose.md section 4.7): in a
// bucket of another account, objects would else belong to the writer alone.
func (d *Destination) acl() types.ObjectCannedACL {
	if d.noACL {
		return ""
	}
	return types.ObjectCannedACLBucketOwnerFullControl
}

// text is s, or nil for a header or parameter that is not to be sent.
func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

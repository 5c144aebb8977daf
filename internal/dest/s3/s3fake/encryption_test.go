package s3fake_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"hydrant/internal/dest/s3/s3fake"
)

func TestHeadersOfEncryptionAreCheckedKeptAndTold(t *testing.T) {
	c := client("http://fake", s3fake.New("b").Transport())
	for _, k := range []struct {
		sse  types.ServerSideEncryption
		key  *string
		code string
	}{
		{"", nil, ""},
		{"AES256", nil, ""},
		{"aws:kms", aws.String("arn:k"), ""},
		{"aws:kms", nil, ""},
		{"AES256", aws.String("arn:k"), "InvalidArgument"},
		{"", aws.String("arn:k"), "InvalidArgument"},
		{"rot13", nil, "InvalidArgument"},
	} {
		out, err := c.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("b"), Key: aws.String("k"),
			Body: strings.NewReader("x"), ServerSideEncryption: k.sse, SSEKMSKeyId: k.key})
		var api smithy.APIError
		switch {
		case k.code != "":
			if !errors.As(err, &api) || api.ErrorCode() != k.code {
				t.Errorf("%s with key %v: %v", k.sse, aws.ToString(k.key), err)
			}
			continue
		case err != nil:
			t.Fatal(err)
		}
		head, err := c.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: aws.String("b"), Key: aws.String("k")})
		if err != nil {
			t.Fatal(err)
		}
		if out.ServerSideEncryption != k.sse || head.ServerSideEncryption != k.sse || aws.ToString(head.SSEKMSKeyId) != aws.ToString(k.key) {
			t.Errorf("%s with key %q is told as %s and %s with key %q", k.sse, aws.ToString(k.key),
				out.ServerSideEncryption, head.ServerSideEncryption, aws.ToString(head.SSEKMSKeyId))
		}
	}
}

func TestAnObjectUnderARefusedKeyCanBeSeenButNotRead(t *testing.T) {
	f := s3fake.New("b")
	c := client("http://fake", f.Transport())
	in := &s3.PutObjectInput{Bucket: aws.String("b"), Key: aws.String("k"), Body: strings.NewReader("x"),
		ServerSideEncryption: types.ServerSideEncryptionAwsKms, SSEKMSKeyId: aws.String("arn:k")}
	if _, err := c.PutObject(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	f.RefuseKey("arn:k", "KMS.DisabledException")
	if _, err := c.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: aws.String("b"), Key: aws.String("k")}); err != nil {
		t.Error(err)
	}
	var api smithy.APIError
	if _, err := c.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("b"), Key: aws.String("k")}); !errors.As(err, &api) || api.ErrorCode() != "KMS.DisabledException" {
		t.Errorf("reading: %v", err)
	}
	f.RefuseKey("arn:k", "")
	if get(t, c, "k") != "x" {
		t.Error("the object has changed")
	}
}

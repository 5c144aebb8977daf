package aws

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestARNsReadBack(t *testing.T) {
	for _, s := range []string{
		"arn:aws:s3:::lake", "arn:aws-cn:iam::123456789012:role/service/fh",
		"arn:aws:firehose:us-east-1:123456789012:deliverystream/clicks", "arn:aws:lambda:us-east-1:1:function:f:$LATEST",
	} {
		if a, err := ParseARN(s); err != nil || a.String() != s {
			t.Errorf("%s: %s, %v", s, a, err)
		}
	}
	for _, s := range []string{"", "arn", "arn:aws:s3:::", "arn::s3:::b", "arn:aws::::b", "urn:aws:s3:::b", "arn:aws:s3::b"} {
		if _, err := ParseARN(s); !errors.Is(err, ErrBadARN) {
			t.Errorf("%q: %v", s, err)
		}
	}
}

func TestARNsNameTheirThings(t *testing.T) {
	if got := StreamARN("aws", "us-east-1", "123456789012", "clicks").String(); got != "arn:aws:firehose:us-east-1:123456789012:deliverystream/clicks" {
		t.Error(got)
	}
	if bucket, err := BucketARN("aws", "lake").Bucket(); bucket != "lake" || err != nil {
		t.Error(bucket, err)
	}
	for _, path := range []string{"/", "/service/x/"} {
		p, name, err := RoleARN("aws", "123456789012", path, "fh").Role()
		if p != path || name != "fh" || err != nil {
			t.Error(p, name, err)
		}
	}
	object, err := ParseARN("arn:aws:s3:::lake/key")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := object.Bucket(); !errors.Is(err, ErrBadARN) {
		t.Errorf("an object is no bucket: %v", err)
	}
	for _, resource := range []string{"user/x", "role/", "role/x/"} {
		if _, _, err := (ARN{"aws", "iam", "", "1", resource}).Role(); !errors.Is(err, ErrBadARN) {
			t.Errorf("%s is no role: %v", resource, err)
		}
	}
}

func TestSecretsDoNotPrint(t *testing.T) {
	key := Key{Secret: "tell-nobody", Token: "tell-nobody"}
	var logged strings.Builder
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("x", "key", key, "secret", key.Secret)
	encoded, err := json.Marshal(key)
	if err != nil {
		t.Fatal(err)
	}
	signer := NewSigner("id", key.Secret, key.Token, "s3", "r")
	for _, text := range []string{
		fmt.Sprint(key), fmt.Sprintf("%+v %#v %q %s", key, key, key, &key), fmt.Sprintf("%x", key.Secret),
		fmt.Sprintf("%+v %#v", signer, signer), logged.String(), string(encoded),
	} {
		if strings.Contains(text, "nobody") || strings.Contains(text, fmt.Sprintf("%x", "tell-nobody")) {
			t.Error(text)
		}
	}
}

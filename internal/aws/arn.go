package aws

import (
	"errors"
	"fmt"
	"strings"
)

// ErrBadARN says that a text is not an Amazon Resource Name, or not one of the asked kind.
var ErrBadARN = errors.New("not a valid ARN")

// ARN is an Amazon Resource Name, arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE. Region and
// account may be empty; the resource may hold colons and slashes.
type ARN struct {
	Partition, Service, Region, Account, Resource string
}

// ParseARN takes an ARN apart. It checks the form, not the parts.
func ParseARN(s string) (ARN, error) {
	p := strings.SplitN(s, ":", 6)
	if len(p) != 6 || p[0] != "arn" || p[1] == "" || p[2] == "" || p[5] == "" {
		return ARN{}, fmt.Errorf("%w: %q", ErrBadARN, s)
	}
	return ARN{p[1], p[2], p[3], p[4], p[5]}, nil
}

// String writes the ARN.
func (a ARN) String() string {
	return "arn:" + a.Partition + ":" + a.Service + ":" + a.Region + ":" + a.Account + ":" + a.Resource
}

// BucketARN names an S3 bucket.
func BucketARN(partition, bucket string) ARN {
	return ARN{Partition: partition, Service: "s3", Resource: bucket}
}

// Bucket returns the bucket that an S3 ARN names.
func (a ARN) Bucket() (string, error) {
	if a.Service != "s3" || strings.ContainsAny(a.Resource, "/:") {
		return "", fmt.Errorf("%w of a bucket: %q", ErrBadARN, a)
	}
	return a.Resource, nil
}

// StreamARN names a Firehose stream (spec firehose.md 2.1).
func StreamARN(partition, region, account, name string) ARN {
	return ARN{partition, "firehose", region, account, "deliverystream/" + name}
}

// RoleARN names a role; path begins and ends with a slash and is "/" when there is none.
func RoleARN(partition, account, path, name string) ARN {
	return ARN{partition, "iam", "", account, "role" + path + name}
}

// Role returns the path (at least "/") and name of the role that an IAM ARN names.
func (a ARN) Role() (path, name string, err error) {
	rest, ok := strings.CutPrefix(a.Resource, "role/")
	if a.Service != "iam" || !ok || rest == "" || strings.HasSuffix(rest, "/") {
		return "", "", fmt.Errorf("%w of a role: %q", ErrBadARN, a)
	}
	cut := strings.LastIndexByte(rest, '/') + 1
	return "/" + rest[:cut], rest[cut:], nil
}

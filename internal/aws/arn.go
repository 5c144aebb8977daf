package aws

// ARN is an Amazon Resource Name, arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE. Region and
// account may be empty; the resource may hold colons and slashes.
type ARN struct {
	Partition, Service, Region, Account, Resource string
}

// String writes the ARN.
func (a ARN) String() string {
	return "arn:" + a.Partition + ":" + a.Service + ":" + a.Region + ":" + a.Account + ":" + a.Resource
}

// BucketARN names an S3 bucket.
func BucketARN(partition, bucket string) ARN {
	return ARN{Partition: partition, Service: "s3", Resource: bucket}
}

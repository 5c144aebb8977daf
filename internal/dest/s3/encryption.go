package s3

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"hydrant/internal/record"
)

// checkEncryption refuses a default encryption that would need more than its name.
func checkEncryption(sse string) error {
	if sse != "" && sse != string(types.ServerSideEncryptionAes256) {
		return fmt.Errorf("S3 destination: server side encryption is %q, not AES256 or empty; KMS keys are given with each stream", sse)
	}
	return nil
}

// encryption is what the store is asked to encrypt an object with. Without a key of its own
// an object gets the store's setting; empty leaves the choice to the bucket.
func (d *Destination) encryption(o record.Object) (types.ServerSideEncryption, *string) {
	if o.KMSKey != "" {
		return types.ServerSideEncryptionAwsKms, &o.KMSKey
	}
	return types.ServerSideEncryption(d.sse), nil
}

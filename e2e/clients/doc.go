// Package clients drives the real binary with the clients that people have: the AWS SDK for
// Go, boto3 and the AWS CLI. They are pointed at it by endpoint and credentials alone, and
// must notice no difference.
//
//   - Tour: the life of a stream as one client sees it: made, described, filled with every
//     kind of record, refused what AWS refuses, read back from the store, deleted.
//
// The tours with boto3 and the AWS CLI are skipped where these are not installed.
package clients

// Package clients drives the real binary with the clients that people have: the AWS SDK for
// Go, boto3 and the AWS CLI. They are pointed at it by endpoint and credentials alone, and
// must notice no difference.
//
//   - Tour: the life of a stream as one client sees it, with every operation that there is:
//     made, described, filled, changed, tagged, encrypted, read back from the store, deleted.
//   - Refusal: a request that AWS refuses, with the code and the words of its answer. All
//     clients send the same table of them.
//   - World: the nodes and streams that refusals are asked of, one in each state.
//   - Handmade: a request that no client can send, such as null in a list; it is made and
//     signed without one.
//
// What is done with boto3 and the AWS CLI is skipped where these are not installed.
package clients

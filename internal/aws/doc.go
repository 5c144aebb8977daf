// Package aws is what every AWS API of this server shares: one HTTP handler that tells the
// APIs apart, checks signatures, bounds memory, and answers errors in each protocol's own
// form. What an operation means is the business of the services mounted on it.
//
//   - Service: one AWS API (firehose, s3, …), named as in the scope of a signature.
//   - Protocol: how a service's requests and errors look. JSON 1.1 and S3's REST/XML are built.
//   - Key: an access key as identity knows it; a Caller is who signs with it.
//   - Claim: what a request says about who signed it, when, and over which headers.
//   - Scope: DATE/REGION/SERVICE/aws4_request, what a signature is good for.
//   - Payload: the body, and what x-amz-content-sha256 says of it: a hash, unsigned, or
//     streaming, which means sent in chunks that are signed one by one.
//   - Seed: the signature of the headers, from which the signatures of the chunks follow.
//   - Budget: how many bytes requests may hold at once; Buffers are the memory it stands for.
//   - Call: one verified request to a JSON service, in the hands of its operation.
//   - Client: what calls a JSON service elsewhere; a RemoteError is how that refuses.
//
// The way of a request: server.go finds the service, verify.go checks all that the headers
// tell, body.go takes memory and reads, verify.go compares the signature, json.go hands the
// Call to the operation. S3 requests (s3.go) are handed on before their body is read; the
// reader in their place does not give out the last byte until body and signature agree.
//
// The rules are those of the specification: neighbours.md section 10.6 for signatures,
// firehose.md sections 1.1 to 1.6 for JSON 1.1.
package aws

// Package firehose is the Firehose API: JSON 1.1 in, streams and records out. It decodes
// and judges requests, asks the registry about streams and the door about records, and
// finds the words for answers. The rules, orders and words are those of spec firehose.md.
//
//   - Operation: one of the API's twelve, a file each.
//   - Shape: what the API's model says of a value: its JSON, its members, its constraints.
//   - Model: AWS's own description of the API, of which shapegen makes the shapes. Where the
//     service was seen to differ from it, shapegen knows.
//   - Violation: a constraint that a request breaks. All of them are told at once.
//   - Refusal: what a request cannot have although it breaks no constraint; see stream.
//   - Put: a PutRecord or PutRecordBatch, decoded in place; put.go tells its way.
//   - Span: where a string of the body lies.
//
// An operation answers in the order of spec section 1.6, rule 2: decode, look at the quota
// of calls, authorise, judge the members, judge the meaning, look at existence and state, do
// it.
//
// A put is the hot path: the scanner (scan.go) takes what SDKs send, any other JSON goes
// through the walker (walk.go) like a control call, with the same result; then base64 is
// decoded into the front of the request's own buffer, and the door gets that.
package firehose

// Package operate is what the people who run a node do to its streams: look at them, have
// them deliver at once, hold them and let them go. It is both ends of one API, in AWS JSON 1.1
// beside the AWS APIs, so that the words on the wire are said once.
//
//   - Stream: what is known of a stream and of its delivery, as the API shows it.
//   - Backlog: what was accepted and is not delivered yet.
//   - Flush: an order to deliver the backlog now, whatever its size and age. It is given at
//     once and done later; Await waits for it.
//   - Pause: records are taken in and kept, and no new objects are made of them. It outlives
//     restarts.
//   - Service: the node's end. Client: the other one.
//
// Actions are hydrant:ListStreams and so on; their resource is the ARN of the Firehose stream.
package operate

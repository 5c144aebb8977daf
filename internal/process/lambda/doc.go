// Package lambda is the Lambda processor: it has a function transform records, as Firehose
// does (spec firehose.md sections 5.2 to 5.5).
//
//   - Invocation: one call of the function with a batch of records, and its answer.
//   - Outcome: what the function says of a record: Ok, Dropped or ProcessingFailed.
//   - Attempt: an invocation that may be repeated. A call that fails is, up to
//     NumberOfRetries times; an answer that came is not, whatever it says.
//   - Poison: a record that makes the function fail. When the attempts are used up the batch
//     is halved until the poison is alone, so that it takes nobody with it.
//
// Where the function runs, and what it takes to call it, is behind Invoker.
package lambda

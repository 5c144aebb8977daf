// Package errorlog tells the users of a delivery stream what went wrong with it, in the log
// stream that its CloudWatchLoggingOptions name (spec firehose.md section 12.4).
//
//   - Failure: one step that failed, with the output it happened at.
//   - Entry: the failure in Firehose's words, a JSON object that becomes one log event.
//   - Sink: the log service that takes events, built in or remote.
//   - Sampling: of a stream that fails all the time some entries are left out.
//
// Whoever reports a failure never waits: entries lie in a bounded queue until Run has
// written them, and what finds no room is counted and left out.
package errorlog

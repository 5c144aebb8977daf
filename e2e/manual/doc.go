// Package manual does what the pages of docs/ show: every command of every console block,
// against a real node, with the AWS CLI. What a page prints must be what is printed.
//
//   - Page: a file of docs/. Each is read by somebody with a node, a bucket "events" and a
//     stream "clicks" that delivers into it within a second.
//   - Step: a command, in the shell that ran the steps before it, and what it printed.
//   - Shape: a text without what differs from day to day: numbers, dates and ids.
//
// A block whose language is "console norun" is shown and not run; one of "console if duckdb"
// is run where Python has that module.
package manual

// Package operate does by hand what operators do to streams, with the real binary on both
// ends: a node, and the commands streams, flush, pause and resume that find it by its data
// directory.
//
//   - Slow: a stream whose buffers are due after 900 seconds. What of it is in the store within
//     a test, was flushed.
package operate

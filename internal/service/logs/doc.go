// Package logs is the built-in CloudWatch Logs: texts with times, kept in groups of streams,
// behind the API of AWS (JSON 1.1, Logs_20140328) and behind Service.Put for the other rooms
// of this node.
//
//   - Event: a message, the time it is about, and the time it came in (ingestion). Times are
//     whole milliseconds since 1970.
//   - Stream: the events of one source, in a folder of their own. They may come in any order
//     and are told in that of their times.
//   - Group: a folder of streams that share retention and tags.
//   - Frame: an event on disk, with length and checksum (frame.go draws it).
//   - Segment: a file of frames in order of arrival, named after the number of its first
//     event. Only the last one of a stream grows. Retention drops whole segments.
//   - Block: a run of frames in a segment of about 256 KiB. What is kept in memory of events
//     is where blocks are and which times they span, nothing else.
//   - Index: the blocks of a segment in a file beside it, so that a start need not read the
//     segment. It can always be made again.
//   - Position: where an event stands among those of a group: time, stream, number. Tokens of
//     pages and ids of events are positions.
//
// A put is answered when its frames are synced (append.go). A read copies the list of blocks
// that could matter and then reads files without any lock (gather.go), so it sees all that
// was answered before it began, and never delays a put.
//
// The rules are those of the specification, neighbours.md sections 6.1 to 6.3 and 6.6.
package logs

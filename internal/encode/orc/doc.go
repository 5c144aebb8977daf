// Package orc writes Apache ORC files of columns (spec orc.md, which the sections named here
// are of).
//
//   - Stripe: some tens of megabytes of rows that can be read on their own. It ends with a
//     footer that lists its streams.
//   - Node: a column of the type tree, whose number counts the tree in pre-order. The root is
//     the row; lists, maps and structs are nodes too.
//   - Stream: bytes of one node and one sort in a stripe, such as PRESENT or DATA, cut into
//     chunks that are compressed each on its own.
//   - Chunk: up to one compression block of a stream, behind three bytes that tell its length.
//   - Row group: the rows between two entries of the row index, 10,000 by default. Each has
//     statistics, perhaps a bloom filter, and the positions in all streams where it starts.
//   - Position: where a reader starts to decode for a row group: the chunk, the byte in it,
//     and how many values of the run there it has to pass over.
//   - Tail: stripe statistics (metadata), footer and postscript, at the end of the file.
//
// A Writer encodes rows as they come. It holds compressed chunks and one open chunk for each
// stream, so a stripe takes about as much memory as it will take in the file. Columns with a
// dictionary are the exception: they hold the dictionary and a number for each value.
package orc

// Package parquet writes rows, held as typed columns, as Parquet files in the way of Hive's
// Parquet writer (spec firehose.md sections 6.4 and 6.5). The words are the format's own:
//
//   - Leaf: a primitive type anywhere in the schema. Only leaves are stored; groups (structs,
//     lists, maps) show in the levels of the leaves below them.
//   - Slot: a place in a leaf where a value may stand. A null anywhere above it, or an empty
//     list, is a slot too.
//   - Definition level of a slot: how many of the optional and repeated nodes on the way to
//     the leaf are there. At the leaf's highest level there is a value.
//   - Repetition level of a slot: at which of the repeated nodes on the way it goes on with a
//     list that has begun; 0 begins a row.
//   - Page: the slots of a leaf for some whole rows: levels, then values, compressed.
//   - Dictionary: the distinct values of a leaf; pages then hold indexes into it.
//   - Column chunk: the dictionary and pages of a leaf for one row group.
//   - Row group: some rows, as one column chunk after the other. It is what is written at once.
//   - Footer: schema, and where everything is. A file without it cannot be read.
//   - Slice: rows of a batch that are appended together, between two looks at the limits.
//
// A file:
//
//	PAR1 | row group | zeros, if it is padded | row group | ... | footer | its length, 4 bytes | PAR1
//	        chunk of leaf 0 | chunk of leaf 1 | ...
//	        dictionary page | data page | data page | ...
//
// The writer makes pages itself, straight from the vectors of package column. Of parquet-go
// it uses the structures of headers and footer. Its column writers want every value in a box
// of its own first, and levels with it; BenchmarkParquetGo measures what they take after that.
package parquet

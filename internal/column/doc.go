// Package column is rows as typed columns: what deserializers make of JSON and what the
// file formats (Parquet, ORC) are written from, so that neither knows the other.
//
//   - Type: a Hive type, as a table of the Glue catalogue names it (spec neighbours.md
//     section 3.3). A table's columns are the fields of a struct.
//   - Vector: the values of one column, or of one part of a nested one.
//   - Batch: some rows, a vector for each column.
//
// A vector has an entry for each place where a value may stand, and values only where one
// does: Present has one flag per entry, and the value slices have one element per flag that
// is set. The same goes for children: those of a struct have an entry for each struct that
// is present, those of a list or map one for each element of each present one.
package column

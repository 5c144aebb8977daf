// Package conversion has the real binary turn JSON into Parquet and ORC, and reads what it
// stored with readers that others have written.
//
//   - Scene: a server with a bucket, tables, and streams that convert by them.
//   - Judge: pyarrow and DuckDB. Of each object it tells the rows, as JSON in the order of the
//     columns, and the schema; both readers must see the same.
//   - Fate: what becomes of a document: a row of an object, or a line of the error output.
package conversion

// Package glue is the built-in Glue Data Catalog: databases, tables with their versions, and
// partitions, behind the API of AWS Glue (JSON 1.1, AWSGlue) and behind a Go method for the
// streams of this node, which convert records by a table's columns.
//
//   - Database: a set of tables under a name.
//   - Table: what is known of data under a name: its columns, where it lies and how it is
//     written. Hydrant only stores it.
//   - Version: one definition of a table. An update makes the next one; the former stays
//     until it is deleted, unless the update says not to archive it.
//   - Partition: values of a table's partition keys, with a place of their own.
//   - Head: what is kept of a table beside its versions: which is the current one, and counts.
//   - Sweep: removing what belonged to something that is deleted already.
//
// All of it lies in the journal's state (store.go draws the keys) and nothing in memory, so
// that nodes that share a journal share their catalogue. Names are folded to lower case, as
// AWS does. The rules are those of the specification, neighbours.md section 3.
package glue

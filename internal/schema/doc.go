// Package schema makes definitions of tables for the Glue Data Catalog: out of sample
// records, and out of the CREATE TABLE statements of Hive; and it writes such statements.
//
//   - Table: a definition as the catalogue takes it (spec neighbours.md section 3.1), with
//     the members that a statement can tell.
//   - Sample: JSON documents as a stream's producers send them, one or more to a line.
//   - Inference: what columns the documents need, and of which Hive types.
//   - Draft: a proposal in the making. It is done again if its options turn out to change it.
//   - Note: something about the samples that the reader of a proposal should know.
//   - DDL: a CREATE TABLE statement.
package schema

// Package schema does what somebody does before a stream can convert records, with the real
// binary on both ends: a table is proposed for sample records, created in the node's
// catalogue, looked at and replaced.
package schema

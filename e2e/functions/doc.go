// Package functions has real functions transform streams of the real binary: those of
// examples/functions, deployed with the AWS CLI as their users do, and one that misbehaves
// in every way a function can.
//
//   - Stage: a server with a bucket and what it takes to deploy and to deliver.
//   - Fate: what becomes of a record: delivered, dropped, or in the error output.
package functions

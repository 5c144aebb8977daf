// Package stage runs a stream's processors over its ingest log and writes what comes of it
// into the queues of its outputs (DESIGN.md section 3, "Outputs").
//
//   - Processor: one step, such as a function that is called, or a decompressor.
//   - Pipeline: the steps of one version of a stream, in the order of spec firehose.md
//     section 5.1, and how many records go through them together.
//   - Batch: a run of records of the ingest log on its way through the pipeline.
//   - Account: how far the stage is, and what became of the records so far. It is one value
//     in the journal, written together with the results of a batch: each record is processed
//     once for good, whatever a function would answer the second time.
//
// Several batches of a queue are in the pipeline at once; they are stored in order, so that
// order holds where the processors keep it. runner.go tells the story.
package stage

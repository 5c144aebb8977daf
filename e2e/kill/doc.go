// Package kill ends the real binary in every way a process can end, under load, and counts
// every acknowledged record in the object store.
//
//   - Load: clients of the AWS SDK that put records with ids of their own, never retry, and
//     note what they were told.
//   - Notebook: the ids by what is known of them: acknowledged, refused, or unknown because
//     the answer was lost.
//   - Count: the store read back through the S3 API, every object decoded.
//   - Parted: the stream whose JSON records lie in folders by their key, dynamic partitioning.
//   - Misfit: a record of it without a key, which belongs into the error output.
//
// The moment of a kill is drawn as a number of acknowledgements, so that it falls into the
// load on a slow machine too; some kills come while the node is still starting.
//
// HYDRANT_KILLS says how often the long tests kill; 3 times if it is not set. With
// HYDRANT_PARTITIONS so many partitions are held open at once in a node of 256 MiB.
package kill

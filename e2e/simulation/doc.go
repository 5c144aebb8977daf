// Package simulation runs a whole node in one process, against everything that can go wrong,
// and counts every record. The clock is that of a testing/synctest bubble, so hours of
// outages take milliseconds; the disk is Pebble's crashing one, which forgets what was not
// synced; the object store is a fake that refuses, lies and answers late; the clients sign
// their requests and take an answer for what it says.
//
//   - Seed: what all dice of a run are made from. The same seed tries the same things; the
//     scheduler still decides who comes first, so a rare failure may take several runs.
//   - World: one run, with its disk, store, clients and streams.
//   - Life: one process of the node, from opening the disk to its death. What happens at
//     its death was drawn before it began.
//   - Death: a crash at a moment (before or after the k-th change of the disk, the k-th
//     request to the store, or some time), a disk that fails, or a clean stop.
//   - Weather: how the store behaves for a while.
//   - Layout: where one version of a stream puts its objects: a tag that no other version has
//     and, if the stream is partitioned, what its records make of its prefix.
//   - Keys: what a record has for partition keys, known to whom wrote it, so that the judge
//     evaluates each record's prefix by itself.
//   - Aggregate: a record that its client put together of parts, which the stream takes apart
//     again. What became of all of its parts must be what one version of the stream does.
//   - Table: what a stream makes rows by. It gains columns; a row is held against the record
//     that it was, and is of no older version than was known when that was sent.
//   - Outcome: what a client knows of a record it sent: acknowledged, refused or unknown.
//   - Verdict: what must hold in the end, and after each life as far as it can be seen.
//   - Story: what happened when, printed when the verdict is bad.
//
// HYDRANT_SIM_RUNS says how many seeds are tried, HYDRANT_SIM_SEED replays one of them
// (as often as HYDRANT_SIM_RUNS says), HYDRANT_SIM_FROM is the first seed. With
// HYDRANT_SIM_STORY=1 a run tells its story while it happens, which shows where it hangs.
package simulation

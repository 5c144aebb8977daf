// Package node builds a whole Hydrant from its rooms and runs it. It alone knows every
// plug-in; each room is handed what it needs and knows nothing of its neighbours.
//
//   - Node: the parts, opened over one data directory.
//   - Address: where a running node listens, left in the data directory for other commands.
//
// node.go opens the parts in the order in which they depend on each other, run.go gives
// them life and takes it in the order of a record's hops: the door first, then delivery,
// then the journal. memory.go says who may hold how much.
package node

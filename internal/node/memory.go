package node

import (
	"runtime/debug"

	"hydrant/internal/config"
)

// shares say who may hold how much of the --memory setting, in bytes (docs/memory.md). What
// is not given away is for the packers, connections, garbage between two collections, and
// what is not heap: the program's own pages and stacks.
type shares struct {
	bodies   int64 // request bodies, from before they are read until they are answered
	delivery int64 // encoded bytes on their way to destinations
	memTable uint64
	cache    int64
}

func sharesOf(memory config.Size) shares {
	m := int64(memory)
	return shares{
		bodies:   m * 5 / 32,
		delivery: m * 5 / 32,
		memTable: uint64(min(m/16, 16<<20)),
		cache:    min(m/16, 16<<20),
	}
}

// outsideHeap is what the process holds beside the Go heap: the pages of the program itself
// and of the kernel on its behalf.
const outsideHeap = 48 << 20

// LimitMemory makes the garbage collector keep the process under the --memory setting. It
// holds for the whole process, so the command calls it, not the node.
func LimitMemory(memory config.Size) {
	debug.SetMemoryLimit(max(int64(memory)-outsideHeap, 64<<20))
}

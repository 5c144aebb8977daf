package lambda

import (
	"fmt"
	"os"
	"syscall"
)

// markName is a variable in the environment of workers. All that a worker starts inherits it,
// and is known by it after its parents have ended.
const markName = "HYDRANT_WORKER"

// markOf is how the marks of all workers of a folder begin. The folder is told from all others
// of the machine by its device and its number there: copies of it, and folders of the same path
// in other containers, have others.
func markOf(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("look at the folder of functions: %w", err)
	}
	var device, number uint64
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		device, number = uint64(s.Dev), s.Ino
	}
	return fmt.Sprintf("%s=%x-%x.", markName, device, number), nil
}

// newMark is an entry for the environment of a worker that no other one has.
func (f *folder) newMark() string { return f.mark + nonce() + nonce() }

package server

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
)

// BinaryEnv names a binary to be tested instead of the one that Build would build.
const BinaryEnv = "HYDRANT_BINARY"

// workshop is where programs are built. With Main it lasts as long as the tests of a package,
// and each program is built once: linking takes longer than most of what is tested.
var workshop struct {
	mu     sync.Mutex
	folder string            // empty without Main
	built  map[string]string // paths by package
}

// Main runs the tests of a package that builds programs more than once. Its TestMain is this
// and nothing else.
func Main(m *testing.M) {
	folder, err := os.MkdirTemp("", "hydrant-built-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	workshop.folder, workshop.built = folder, map[string]string{}
	code := m.Run()
	if err := os.RemoveAll(folder); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// Build builds the binary of this module, or returns the one that BinaryEnv names.
func Build(tb testing.TB) string {
	tb.Helper()
	if path := os.Getenv(BinaryEnv); path != "" {
		if _, err := os.Stat(path); err != nil { // which also makes a test's cached result end with the file
			tb.Fatalf("%s: %v", BinaryEnv, err)
		}
		return path
	}
	return BuildProgram(tb, "./cmd/hydrant")
}

// BuildProgram builds a program of this module, such as ./cmd/hydrant, without cgo.
func BuildProgram(tb testing.TB, program string) string {
	tb.Helper()
	workshop.mu.Lock()
	defer workshop.mu.Unlock()
	if path, ok := workshop.built[program]; ok {
		return path
	}
	folder := workshop.folder
	if folder == "" {
		folder = tb.TempDir()
	}
	path := filepath.Join(folder, filepath.Base(program))
	_, here, _, _ := runtime.Caller(0)
	cmd := exec.Command("go", "build", "-trimpath", "-o", path, program) // as make build does, to share its cache
	cmd.Dir = filepath.Join(filepath.Dir(here), "..", "..")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		tb.Fatalf("build %s: %v\n%s", program, err, out)
	}
	if workshop.built != nil {
		workshop.built[program] = path
	}
	return path
}

package operate

import (
	"log"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"hydrant/e2e/server"
)

// folder lives as long as the tests.
var folder string

func TestMain(tests *testing.M) {
	var err error
	if folder, err = os.MkdirTemp("", "hydrant-operate-"); err != nil {
		log.Fatal(err)
	}
	code := tests.Run()
	if err := os.RemoveAll(folder); err != nil {
		log.Fatal(err)
	}
	os.Exit(code)
}

// built has the binary built once: linking it takes seconds.
var built sync.Once

// binary is the program under test.
func binary(t *testing.T) string {
	t.Helper()
	if os.Getenv(server.BinaryEnv) != "" {
		return server.Build(t) // which builds nothing then
	}
	path := filepath.Join(folder, "hydrant")
	built.Do(func() {
		// What Build makes goes with the test that asked for it.
		if err := os.Rename(server.Build(t), path); err != nil {
			t.Fatal(err)
		}
	})
	return path
}

package s3

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"hydrant/internal/durable"
)

var update = flag.Bool("update", false, "write the golden files anew")

var (
	temporaryName = regexp.MustCompile(`\.hydrant-[0-9a-f]{16}\.tmp`)
	uploadID      = regexp.MustCompile(`uploads/[0-9a-f]{32}`)
)

// TestEveryChangeIsSyncedInThisOrder writes down the steps of each story. What must hold:
// bytes are synced before they are renamed, sidecars are in place and synced before what
// they describe, and the last folder is synced before the answer.
func TestEveryChangeIsSyncedInThisOrder(t *testing.T) {
	var got strings.Builder
	for _, s := range stories() {
		root := t.TempDir()
		var steps []string
		store := openStore(t, func(o *Options) {
			o.Root, o.Logger, o.Keys = root, nil, newTestKMS()
			o.Disk.Before = func(step durable.Step, path string) error {
				path = strings.TrimPrefix(filepath.ToSlash(strings.TrimPrefix(path, root)), "/")
				path = uploadID.ReplaceAllString(temporaryName.ReplaceAllString(path, "TMP"), "uploads/ID")
				steps = append(steps, fmt.Sprintf("    %-12s%s\n", step, path))
				return nil
			}
		})
		store.minPart = 1
		if err := store.CreateBucket(t.Context(), "box"); err != nil {
			t.Fatal(err)
		}
		s.before(plain{t, store})
		steps = nil
		if a := s.change(plain{t, store}); a.status >= 300 {
			t.Fatalf("%s: %d %s", s.name, a.status, a.body)
		}
		fmt.Fprintf(&got, "%s\n%s\n", s.name, strings.Join(steps, ""))
	}
	golden := filepath.Join("testdata", "steps.txt")
	if *update {
		if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		t.Errorf("the steps changed; if that is meant, run with -update and read the difference\n%s", got.String())
	}
}

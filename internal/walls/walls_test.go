package walls

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

func hydrant() Table { return Table{"hydrant", Rooms(), Guests()} }

// The wall itself: the tree this test lies in keeps to the table.
func TestTheTreeKeepsToItsWalls(t *testing.T) {
	breaches, err := hydrant().Check(moduleRoot(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range breaches {
		t.Error(b)
	}
}

// moduleRoot finds the folder of go.mod above the test.
func moduleRoot(t *testing.T) fs.FS {
	t.Helper()
	folder, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(folder, "go.mod")); err == nil {
			return os.DirFS(folder)
		}
		up := filepath.Dir(folder)
		if up == folder {
			t.Fatal("no go.mod above the test")
		}
		folder = up
	}
}

// A wall that catches nothing is no wall: each tree breaks one rule.
func TestABreachIsCaught(t *testing.T) {
	const record = "// Package record is the vocabulary.\npackage record\n"
	tests := []struct {
		name string
		tree map[string]string
		want []string // part of each breach, in order
	}{
		{"a tree in order", map[string]string{
			"internal/record/record.go": record,
			"internal/stream/stream.go": "// Package stream is definitions.\npackage stream\nimport _ \"hydrant/internal/record\"\n",
		}, nil},
		{"an import against the stream", map[string]string{
			"internal/record/record.go": "// Package record is the vocabulary.\npackage record\nimport _ \"hydrant/internal/deliver\"\n",
		}, []string{"internal/record/record.go:3: internal/record may not import internal/deliver; it may import no room of Hydrant"}},
		{"plug-ins that meet", map[string]string{
			"internal/dest/s3/s3.go": "// Package s3 delivers.\npackage s3\nimport (\n\t\"fmt\"\n\t_ \"hydrant/internal/dest/http\"\n)\n",
		}, []string{"internal/dest/s3/s3.go:5: internal/dest/s3 may not import internal/dest/http"}},
		{"a caller that knows an engine", map[string]string{
			"internal/ingest/ingest.go": "// Package ingest is the door.\npackage ingest\nimport _ \"hydrant/internal/journal/pebble\"\n",
		}, []string{"internal/ingest may not import internal/journal/pebble"}},
		{"a room below its parent is still walled", map[string]string{
			"internal/dest/s3/s3fake/fake.go": "// Package s3fake pretends.\npackage s3fake\nimport _ \"hydrant/internal/deliver\"\n",
		}, []string{"internal/dest/s3 may not import internal/deliver"}},
		{"a guest in the wrong room", map[string]string{
			"internal/deliver/deliver.go": "// Package deliver delivers.\npackage deliver\nimport _ \"github.com/aws/aws-sdk-go-v2/service/s3\"\n",
		}, []string{"internal/deliver may not know github.com/aws/aws-sdk-go-v2; that stays inside"}},
		{"an unknown guest", map[string]string{
			"internal/record/record.go": "// Package record is the vocabulary.\npackage record\nimport _ \"example.com/left-pad\"\n",
		}, []string{"example.com/left-pad is no known guest"}},
		{"a package without a room", map[string]string{
			"internal/utils/utils.go": "// Package utils is a place to hide.\npackage utils\n",
		}, []string{"internal/utils: belongs to no room"}},
		{"a package without a comment", map[string]string{
			"internal/record/record.go": "package record\n",
		}, []string{`internal/record: lacks a package comment that starts with "Package record"`}},
		{"a comment in a test does not count", map[string]string{
			"internal/record/record.go":      "package record\n",
			"internal/record/record_test.go": record,
		}, []string{"lacks a package comment"}},
		{"a file for another system is read too", map[string]string{
			"internal/record/record.go":         record,
			"internal/record/record_windows.go": "package record\nimport _ \"hydrant/internal/node\"\n",
		}, []string{"internal/record/record_windows.go:2"}},
		{"tests, e2e and testdata may do as they like", map[string]string{
			"internal/record/record.go":           record,
			"internal/record/record_test.go":      "package record\nimport _ \"hydrant/internal/node\"\nimport _ \"example.com/left-pad\"\n",
			"internal/record/testdata/bad/bad.go": "package bad\n",
			"e2e/simulation/sim_test.go":          "// A whole node in one process.\npackage simulation\nimport _ \"hydrant/internal/node\"\nimport _ \"example.com/left-pad\"\n",
		}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tree := fstest.MapFS{}
			for name, text := range tt.tree {
				tree[name] = &fstest.MapFile{Data: []byte(text)}
			}
			breaches, err := hydrant().Check(tree)
			if err != nil {
				t.Fatal(err)
			}
			if len(breaches) != len(tt.want) {
				t.Fatalf("got %v, want %v", breaches, tt.want)
			}
			for i, b := range breaches {
				if !strings.Contains(b.String(), tt.want[i]) {
					t.Errorf("got %q, want %q in it", b, tt.want[i])
				}
			}
		})
	}
}

func TestAFileThatDoesNotParseIsAnError(t *testing.T) {
	_, err := hydrant().Check(fstest.MapFS{"internal/record/record.go": {Data: []byte("packet record")}})
	if err == nil || !strings.Contains(err.Error(), "internal/record/record.go") {
		t.Fatalf("got %v", err)
	}
}

// Every room that a row names has a row itself, no row comes twice, and no two rooms may
// import each other: the rows form a tree that things flow down.
func TestTheTableIsSound(t *testing.T) {
	table := hydrant()
	rows := map[string]Room{}
	for _, r := range table.Rooms {
		if _, twice := rows[r.Path]; twice {
			t.Errorf("%s has two rows", r.Path)
		}
		rows[r.Path] = r
	}
	known := func(name string) bool {
		_, inside := rows["internal/"+name]
		_, outside := rows[name]
		return name == Everything || inside || outside
	}
	for _, r := range table.Rooms {
		for _, m := range r.May {
			if !known(m) {
				t.Errorf("%s may import %s, which is no room", r.Path, m)
			}
			if reaches(rows, "internal/"+m, r.Path) {
				t.Errorf("%s and %s may import each other", r.Path, m)
			}
		}
	}
	for _, g := range table.Guests {
		for _, m := range g.Rooms {
			if !known(m) {
				t.Errorf("%s may be known to %s, which is no room", g.Path, m)
			}
		}
	}
}

// reaches reports whether the room named from may import to, directly or through others.
func reaches(rows map[string]Room, from, to string) bool {
	if from == to {
		return true
	}
	for _, m := range rows[from].May {
		if reaches(rows, "internal/"+m, to) {
			return true
		}
	}
	return false
}

// The longest row decides, and a folder that merely starts with the same letters is another.
func TestARoomIsFoundByItsLongestPath(t *testing.T) {
	table := hydrant()
	for folder, want := range map[string]string{
		"internal/journal":             "internal/journal",
		"internal/journal/pebble":      "internal/journal/pebble",
		"internal/journal/pebble/wal":  "internal/journal/pebble",
		"internal/journal/journaltest": "internal/journal/journaltest",
		"internal/recorder":            "",
		"internal":                     "",
		"e2e/bench":                    "e2e",
	} {
		room, _ := table.roomOf(folder)
		if d := cmp.Diff(want, room.Path); d != "" {
			t.Errorf("%s: %s", folder, d)
		}
	}
}

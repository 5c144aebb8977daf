package lambda

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestAFolderIsLetInWithoutWhatIsHiddenInIt(t *testing.T) {
	top := t.TempDir()
	for _, path := range []string{"a/b/secret", "a/b/open", "a/c", "d"} {
		if err := os.MkdirAll(filepath.Join(top, path), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	at := func(paths ...string) []string {
		for i := range paths {
			paths[i] = filepath.Join(top, paths[i])
		}
		return paths
	}
	for _, tt := range []struct {
		name         string
		hidden, want []string
	}{
		{"nothing hidden", nil, at("")},
		{"something else hidden", []string{"/elsewhere", top + "x"}, at("")},
		{"a folder below", at("a/b/secret"), at("a/b/open", "a/c", "d")},
		{"two folders", at("a/b/secret", "d"), at("a/b/open", "a/c")},
		{"itself", at(""), nil},
		{"one above", []string{filepath.Dir(top)}, nil},
	} {
		if got := around(top, tt.hidden); !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

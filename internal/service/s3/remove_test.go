package s3

import (
	"os"
	"path/filepath"
	"testing"
)

// A removal that found a folder empty may come to take it away when an object of the folder's
// name was put there meanwhile: that object was acknowledged.
func TestTidyingUpTakesNoObjectForAFolder(t *testing.T) {
	s, p := bucketed(t, func(o *Options) { o.Root = quickFolder(t) })
	p.must("PUT", "/box/a", "put where a folder was")
	for _, path := range []string{filepath.Join(s.bucketPath("box"), "a"), filepath.Join(s.bucketPath("box"), "a", "b")} {
		if err := s.removeFolder(path); err != nil {
			t.Errorf("%s: %v", filepath.Base(path), err)
		}
	}
	if body := p.must("GET", "/box/a", "").body; string(body) != "put where a folder was" {
		t.Errorf("the object holds %q", body)
	}
	if _, err := os.Stat(filepath.Join(s.bucketPath("box"), "a")); err != nil {
		t.Error(err)
	}
}

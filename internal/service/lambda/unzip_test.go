package lambda

import (
	"archive/zip"
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hydrant/internal/durable"
)

// testUnzipped is the tests' limit of what a zip may hold, bytes.
const testUnzipped = 1 << 20

// unpacked unpacks a zip into a new folder of functions.
func unpacked(t *testing.T, disk durable.Disk, data []byte) (root, code string, err error) {
	t.Helper()
	root = t.TempDir()
	f, err := openFolder(root, disk)
	if err != nil {
		return root, "", err
	}
	f.most = testUnzipped
	code, err = f.unpack("f", data, [32]byte{1})
	return root, f.code("f", code), err
}

func TestAZipBecomesAFolder(t *testing.T) {
	_, code, err := unpacked(t, durable.Disk{}, makeZip(t,
		zipped{"bootstrap", 0o755, "run"}, zipped{"lib/", fs.ModeDir | 0o755, ""}, zipped{"lib/a.txt", 0o600, "a"},
		zipped{"deep/er/b", 0o666, "b"}, zipped{"link", fs.ModeSymlink | 0o777, "deep/er/../er/b"}))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]struct {
		text string
		mode fs.FileMode
	}{"bootstrap": {"run", 0o755}, "lib/a.txt": {"a", 0o644}, "deep/er/b": {"b", 0o644}, "link": {"b", 0o644}} {
		text, err := os.ReadFile(filepath.Join(code, name))
		if err != nil || string(text) != want.text {
			t.Errorf("%s: %q %v", name, text, err)
		}
		if info, err := os.Stat(filepath.Join(code, name)); err != nil || info.Mode().Perm() != want.mode {
			t.Errorf("%s: %v %v, want %v", name, info.Mode(), err, want.mode)
		}
	}
}

func TestAZipThatIsNotToBeTrustedLeavesNothing(t *testing.T) {
	many := make([]zipped, maxFiles+1)
	for i := range many {
		many[i] = zipped{"f", 0o644, ""}
	}
	truncated := makeZip(t, zipped{"a", 0o644, strings.Repeat("text ", 1000)})
	truncated[40] ^= 0xff
	tests := []struct {
		name string
		data []byte
		want error
	}{
		{"no zip", []byte("no zip"), ErrZip},
		{"empty", nil, ErrZip},
		{"damaged", truncated, ErrZip},
		{"above", makeZip(t, zipped{"../a", 0o644, "x"}), ErrZip},
		{"above, hidden", makeZip(t, zipped{"a/../../b", 0o644, "x"}), ErrZip},
		{"absolute", makeZip(t, zipped{"/a", 0o644, "x"}), ErrZip},
		{"backslash", makeZip(t, zipped{`..\a`, 0o644, "x"}), ErrZip},
		{"link out", makeZip(t, zipped{"a", fs.ModeSymlink | 0o777, "../x"}), ErrZip},
		{"link to the root", makeZip(t, zipped{"a", fs.ModeSymlink | 0o777, "/etc"}), ErrZip},
		{"through a link", makeZip(t, zipped{"a", fs.ModeSymlink | 0o777, "b"}, zipped{"a/c", 0o644, "x"}), ErrZip},
		{"device", makeZip(t, zipped{"a", fs.ModeDevice | 0o644, "x"}), ErrZip},
		{"twice", makeZip(t, zipped{"a", 0o644, "x"}, zipped{"a", 0o644, "y"}), ErrZip},
		{"file and folder", makeZip(t, zipped{"a", 0o644, "x"}, zipped{"a/b", 0o644, "y"}), ErrZip},
		{"too many", makeZip(t, many...), ErrInvalid},
		{"too large", bomb(t), ErrInvalid},
		{"zip too large", make([]byte, maxZip+1), ErrInvalid},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			root, _, err := unpacked(t, durable.Disk{}, tt.data)
			if !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			err = filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
				if err == nil && !e.IsDir() {
					t.Errorf("%s is left", path)
				}
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
}

// bomb is a small zip of more than may be unpacked.
func bomb(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	dst, err := z.Create("zeroes")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := dst.Write(make([]byte, testUnzipped+1)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Whichever write to disk fails, the function is there as before or not at all.
func TestADiskThatFailsLeavesNoHalfFunction(t *testing.T) {
	w := newWorld(t)
	in := fields{"FunctionName": "f", "Role": testRole, "Runtime": "provided", "Handler": "h",
		"Code": fields{"ZipFile": makeZip(t, zipped{"bootstrap", 0o755, "#!/bin/sh\n"})}}
	failed := errors.New("disk on fire")
	for fail := 0; ; fail++ {
		left := fail
		w.disk.Before = func(durable.Step, string) error {
			if left--; left == -1 {
				return failed
			}
			return nil
		}
		w.folder.disk = w.disk
		r := w.call("POST", root, in)
		w.disk.Before = nil
		w.folder.disk = w.disk
		w.reopen()
		exists := w.call("GET", root+"/f", nil).status == 200
		if r.status == 201 && left >= 0 {
			if !exists {
				t.Fatal("a function that was made is not there")
			}
			return
		}
		if r.status == 201 && !exists || r.status != 201 && exists {
			t.Fatalf("step %d: create answered %d, exists after a restart: %v", fail, r.status, exists)
		}
		if exists {
			w.must("DELETE", root+"/f", nil)
		}
	}
}

package durable

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// recorder writes down the steps with paths relative to root, temporary names as TMP, and
// lets the first `allow` of them happen (all if negative), as if the process died then.
type recorder struct {
	root  string
	allow int
	mu    sync.Mutex
	steps []string
}

var errDead = errors.New("the process is dead")

func (r *recorder) before(step Step, path string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.allow >= 0 && len(r.steps) >= r.allow {
		return errDead
	}
	name, err := filepath.Rel(r.root, path)
	if err != nil {
		return err
	}
	if IsTemporary(filepath.Base(name)) {
		name = filepath.Join(filepath.Dir(name), "TMP")
	}
	r.steps = append(r.steps, fmt.Sprintf("%s %s", step, filepath.ToSlash(name)))
	return nil
}

func TestBytesAreSyncedBeforeTheNameAndTheNameBeforeTheAnswer(t *testing.T) {
	tests := []struct {
		name string
		do   func(d Disk, root string) error
		want []string
	}{
		{"write a file", func(d Disk, root string) error {
			return d.WriteFile(filepath.Join(root, "f"), []byte("x"), 0o600)
		}, []string{"create TMP", "write TMP", "sync TMP", "rename f", "sync folder ."}},
		{"write through a staging folder", func(d Disk, root string) error {
			return d.WriteFileVia(filepath.Join(root, "old"), filepath.Join(root, "f"), []byte("x"), 0o600)
		}, []string{"create old/TMP", "write old/TMP", "sync old/TMP", "rename f", "sync folder ."}},
		{"make folders", func(d Disk, root string) error {
			return d.MkdirAll(filepath.Join(root, "old", "b", "c"), 0o700)
		}, []string{"mkdir old/b", "sync folder old", "mkdir old/b/c", "sync folder old/b"}},
		{"rename into another folder", func(d Disk, root string) error {
			return d.Rename(filepath.Join(root, "old", "file"), filepath.Join(root, "f"))
		}, []string{"rename f", "sync folder .", "sync folder old"}},
		{"rename in place", func(d Disk, root string) error {
			return d.Rename(filepath.Join(root, "old"), filepath.Join(root, "new"))
		}, []string{"rename new", "sync folder ."}},
		{"remove", func(d Disk, root string) error {
			return d.Remove(filepath.Join(root, "old", "file"))
		}, []string{"remove old/file", "sync folder old"}},
		{"a file synced early is not synced twice", func(d Disk, root string) error {
			f, err := d.Create(root, 0o600)
			if err != nil {
				return err
			}
			if err := errors.Join(f.SetModified(time.Unix(1, 0)), f.Sync()); err != nil {
				return err
			}
			return f.Commit(filepath.Join(root, "f"))
		}, []string{"create TMP", "touch TMP", "sync TMP", "rename f", "sync folder ."}},
		{"share bytes", func(d Disk, root string) error {
			f, err := d.LinkFrom(filepath.Join(root, "old", "file"), root)
			if err != nil {
				return err
			}
			return f.Commit(filepath.Join(root, "f"))
		}, []string{"link TMP", "sync TMP", "rename f", "sync folder ."}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := &recorder{root: startFolder(t), allow: -1}
			if err := tt.do(Disk{Before: r.before}, r.root); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(r.steps, tt.want) {
				t.Errorf("got  %q\nwant %q", r.steps, tt.want)
			}
		})
	}
}

func startFolder(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	if err := os.Mkdir(filepath.Join(root, "old"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "old", "file"), []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	return root
}

func TestACrashAtAnyStepLeavesTheOldFileOrTheNewOne(t *testing.T) {
	for allow := 0; ; allow++ {
		root := startFolder(t)
		folder := filepath.Join(root, "old")
		path := filepath.Join(folder, "file")
		r := &recorder{root: root, allow: allow}
		err := Disk{Before: r.before}.WriteFile(path, []byte("newer"), 0o600)
		got, readErr := os.ReadFile(path)
		if readErr != nil {
			t.Fatal(readErr)
		}
		if err == nil {
			if string(got) != "newer" {
				t.Fatalf("answered, but the file holds %q", got)
			}
			return
		}
		if !errors.Is(err, errDead) {
			t.Fatalf("after %q: %v", r.steps, err)
		}
		if string(got) != "old" && string(got) != "newer" {
			t.Fatalf("after %q the file holds %q", r.steps, got)
		}
		if _, err := (Disk{}).Sweep(folder); err != nil {
			t.Fatal(err)
		}
		if left, err := os.ReadDir(folder); err != nil || len(left) != 1 {
			t.Fatalf("after %q and a sweep: %v, %v", r.steps, left, err)
		}
	}
}

func TestAFailedWriteLeavesNothingBehind(t *testing.T) {
	for _, failing := range []Step{Create, Write, Sync, Rename} {
		root := startFolder(t)
		path := filepath.Join(root, "old", "file")
		d := Disk{Before: func(step Step, _ string) error {
			if step == failing {
				return syscall.EIO
			}
			return nil
		}}
		if err := d.WriteFile(path, []byte("new"), 0o600); !errors.Is(err, syscall.EIO) {
			t.Fatalf("%s failed and the error was %v", failing, err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != "old" {
			t.Errorf("%s failed: file holds %q, %v", failing, got, err)
		}
		if left, err := os.ReadDir(filepath.Join(root, "old")); err != nil || len(left) != 1 {
			t.Errorf("%s failed: left %v, %v", failing, left, err)
		}
	}
}

func TestAFullDiskIsToldApart(t *testing.T) {
	for _, e := range []error{syscall.ENOSPC, syscall.EDQUOT} {
		err := spaceError(&fs.PathError{Op: "write", Path: "f", Err: e})
		if !errors.Is(err, ErrNoSpace) || !errors.Is(err, e) {
			t.Errorf("%v became %v", e, err)
		}
	}
	if err := spaceError(syscall.EIO); errors.Is(err, ErrNoSpace) {
		t.Errorf("an I/O error became %v", err)
	}
	if f, err := os.OpenFile("/dev/full", os.O_WRONLY, 0); err == nil {
		file := &File{f: f}
		if _, err := file.Write([]byte("x")); !errors.Is(err, ErrNoSpace) {
			t.Errorf("writing to /dev/full: %v", err)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestFilesStreamIn(t *testing.T) {
	root := startFolder(t)
	f, err := Disk{}.Create(root, 0o640)
	if err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("0123456789", 100_000)
	if n, err := f.ReadFrom(strings.NewReader(long)); err != nil || n != int64(len(long)) {
		t.Fatal(n, err)
	}
	if _, err := f.Write([]byte("end")); err != nil {
		t.Fatal(err)
	}
	when := time.Unix(1_700_000_000, 123_456_789)
	if err := f.SetModified(when); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(root, "streamed")
	if err := f.Commit(path); err != nil {
		t.Fatal(err)
	}
	if err := f.Abort(); err != nil {
		t.Fatalf("aborting what was committed: %v", err)
	}
	got, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(got, []byte(long+"end")) {
		t.Fatalf("%d bytes, %v", len(got), err)
	}
	if info, err := os.Stat(path); err != nil || !info.ModTime().Equal(when) {
		t.Fatalf("changed at %v, %v", info.ModTime(), err)
	}
}

func TestAFileInTheWayIsNotTakenForAFolder(t *testing.T) {
	root := startFolder(t)
	for _, path := range []string{"old/file", "old/file/below"} {
		if err := MkdirAll(filepath.Join(root, path), 0o700); !errors.Is(err, syscall.ENOTDIR) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if err := (Disk{}).Remove(filepath.Join(root, "absent")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("removing what is not there: %v", err)
	}
}

func TestOnlyTemporaryFilesAreSwept(t *testing.T) {
	root := startFolder(t)
	if _, err := (Disk{}).Create(root, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{".hydrant-keep", "keep.tmp"} {
		if err := WriteFile(filepath.Join(root, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := (Disk{}).Sweep(root); err != nil || n != 1 {
		t.Fatalf("swept %d, %v", n, err)
	}
	if left, err := os.ReadDir(root); err != nil || len(left) != 3 {
		t.Fatalf("left %v, %v", left, err)
	}
}

func BenchmarkWriteFile(b *testing.B) {
	path := filepath.Join(b.TempDir(), "f")
	data := make([]byte, 4096)
	b.ReportAllocs()
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if err := WriteFile(path, data, 0o600); err != nil {
			b.Fatal(err)
		}
	}
}

func TestAFileInTheFoldersPlaceIsNotRemovedForIt(t *testing.T) {
	root := t.TempDir()
	file, folder, full := filepath.Join(root, "file"), filepath.Join(root, "folder"), filepath.Join(root, "full")
	if err := errors.Join(os.WriteFile(file, []byte("x"), 0o600), os.Mkdir(folder, 0o700), os.MkdirAll(filepath.Join(full, "below"), 0o700)); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]error{
		file: syscall.ENOTDIR, filepath.Join(file, "below"): syscall.ENOTDIR, full: syscall.ENOTEMPTY,
		filepath.Join(root, "none"): fs.ErrNotExist, folder: nil,
	} {
		if err := (Disk{}).RemoveFolderLazily(path); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", filepath.Base(path), err, want)
		}
	}
	if _, err := os.Stat(file); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(folder); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the empty folder is still there: %v", err)
	}
}

package durable

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// A temporary file is named .hydrant-<16 hex digits>.tmp.
const (
	temporaryPrefix = ".hydrant-"
	temporarySuffix = ".tmp"
)

// IsTemporary reports whether a file name (without folders) is that of a temporary file.
func IsTemporary(name string) bool {
	return strings.HasPrefix(name, temporaryPrefix) && strings.HasSuffix(name, temporarySuffix)
}

// Sweep removes the temporary files that a crash left in folder, and returns how many
// there were. Nobody may be writing there at the same time. It does not look into folders
// below.
func (d Disk) Sweep(folder string) (int, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return 0, err
	}
	removed := 0
	for _, e := range entries {
		if !e.Type().IsRegular() || !IsTemporary(e.Name()) {
			continue
		}
		if err := d.RemoveLazily(filepath.Join(folder, e.Name())); err != nil {
			return removed, err
		}
		removed++
	}
	return removed, nil
}

// File is a temporary file on its way to a name. It belongs to one goroutine, which ends
// it by Commit or Abort.
type File struct {
	disk   Disk
	f      *os.File
	synced bool // nothing was written since the last Sync
	closed bool
	gone   bool // committed or aborted: the temporary name is no longer ours
}

// Create starts a file in the folder staging. Its permissions are perm less the umask.
func (d Disk) Create(staging string, perm fs.FileMode) (*File, error) {
	var f *os.File
	path := temporaryPath(staging)
	err := d.do(Create, path, func() (err error) {
		f, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, perm)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &File{disk: d, f: f}, nil
}

// LinkFrom starts a file that shares the bytes of the finished file at path, without
// copying them. It can only be committed or aborted. File systems without hard links
// refuse; copy the bytes then.
func (d Disk) LinkFrom(path, staging string) (*File, error) {
	name := temporaryPath(staging)
	if err := d.do(Link, name, func() error { return os.Link(path, name) }); err != nil {
		return nil, err
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, errors.Join(err, d.RemoveLazily(name))
	}
	return &File{disk: d, f: f}, nil
}

func temporaryPath(staging string) string {
	return filepath.Join(staging, fmt.Sprintf("%s%016x%s", temporaryPrefix, rand.Uint64(), temporarySuffix))
}

// Write appends to the file.
func (f *File) Write(p []byte) (n int, err error) {
	f.synced = false
	err = f.disk.do(Write, f.f.Name(), func() (err error) {
		n, err = f.f.Write(p)
		return err
	})
	return n, err
}

// ReadFrom appends all of r, inside the kernel where r is a file and the system can.
func (f *File) ReadFrom(r io.Reader) (n int64, err error) {
	f.synced = false
	err = f.disk.do(Write, f.f.Name(), func() (err error) {
		n, err = f.f.ReadFrom(r)
		return err
	})
	return n, err
}

// SetModified sets the time of last change. It holds until the next write.
func (f *File) SetModified(t time.Time) error {
	f.synced = false
	return f.disk.do(Touch, f.f.Name(), func() error { return os.Chtimes(f.f.Name(), t, t) })
}

// Stat tells the file's size and times.
func (f *File) Stat() (fs.FileInfo, error) { return f.f.Stat() }

// Sync makes the bytes durable, under the temporary name.
func (f *File) Sync() error {
	if f.synced {
		return nil
	}
	if err := f.disk.do(Sync, f.f.Name(), f.f.Sync); err != nil {
		return err
	}
	f.synced = true
	return nil
}

// Commit syncs the file, gives it its name, replacing a file of that name, and syncs the
// folder. After an error the name holds the old file or the new one, whole, and the file
// must be aborted: that is harmless if it has its name already.
func (f *File) Commit(path string) error {
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.close(); err != nil {
		return err
	}
	if err := f.disk.do(Rename, path, func() error { return os.Rename(f.f.Name(), path) }); err != nil {
		return err
	}
	f.gone = true
	return f.disk.SyncFolder(filepath.Dir(path))
}

// Abort removes the file unless it was committed. It may be called again.
func (f *File) Abort() error {
	err := f.close()
	if f.gone {
		return err
	}
	f.gone = true
	return errors.Join(err, f.disk.RemoveLazily(f.f.Name()))
}

func (f *File) close() error {
	if f.closed {
		return nil
	}
	f.closed = true
	return spaceError(f.f.Close())
}

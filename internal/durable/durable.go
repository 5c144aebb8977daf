// Package durable writes whole files that survive a crash and a power cut. After a nil
// error the file is there under its name with all its bytes; after any other error, or a
// crash in between, the name holds what it held before, or the new bytes whole.
//
//   - Temporary: a file being written, under a name that IsTemporary knows. It is not yet
//     anyone's; what a crash leaves of it, Sweep removes.
//   - Commit: giving a temporary file its name. The bytes are synced first, then the file
//     is renamed, then the folder that holds the name is synced.
//   - Step: one system call that changes or syncs the disk. Disk.Before sees each of them,
//     so that a test can write down their order or stop after any of them.
//
// What is assumed of the disk: fsync of a file keeps its bytes and size, fsync of a folder
// keeps the names in it, rename is atomic, and what fsync was told of is not lost later.
package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// ErrNoSpace says that the file system or the quota is full. What was being written is not
// there. The system's own error is wrapped beside it.
var ErrNoSpace = errors.New("no space left on the disk")

// Step names a system call.
type Step string

// The steps. A folder's step carries the folder's path, every other the path it is about;
// Rename and Link carry the new name.
const (
	Create     Step = "create"
	Write      Step = "write"
	Touch      Step = "touch" // set the time of last change
	Sync       Step = "sync"
	Rename     Step = "rename"
	Link       Step = "link"
	Remove     Step = "remove"
	Mkdir      Step = "mkdir"
	SyncFolder Step = "sync folder"
)

// Disk does the steps. The zero Disk is the machine's own file system; it may be copied
// and used from many goroutines.
type Disk struct {
	// Before, if set, is called before each step. An error is returned instead of doing
	// the step. It may be called from many goroutines at once.
	Before func(step Step, path string) error
}

// WriteFile replaces the file at path with data, through a temporary file in the same
// folder. The permissions are perm less the umask, also if the file existed before.
func WriteFile(path string, data []byte, perm fs.FileMode) error {
	return Disk{}.WriteFile(path, data, perm)
}

// MkdirAll makes the folder path and those above it that are missing, and syncs the parent
// of each one it made.
func MkdirAll(path string, perm fs.FileMode) error { return Disk{}.MkdirAll(path, perm) }

// WriteFile is the package's WriteFile on this disk.
func (d Disk) WriteFile(path string, data []byte, perm fs.FileMode) error {
	return d.WriteFileVia(filepath.Dir(path), path, data, perm)
}

// WriteFileVia is WriteFile through a temporary file in the folder staging, which must lie
// on the same file system as path.
func (d Disk) WriteFileVia(staging, path string, data []byte, perm fs.FileMode) error {
	f, err := d.Create(staging, perm)
	if err != nil {
		return err
	}
	if _, err := f.Write(data); err != nil {
		return errors.Join(err, f.Abort())
	}
	if err := f.Commit(path); err != nil {
		return errors.Join(err, f.Abort())
	}
	return nil
}

// MkdirAll is the package's MkdirAll on this disk.
func (d Disk) MkdirAll(path string, perm fs.FileMode) error {
	path = filepath.Clean(path)
	if info, err := os.Stat(path); err == nil {
		if info.IsDir() {
			return nil
		}
		return &fs.PathError{Op: "mkdir", Path: path, Err: syscall.ENOTDIR}
	}
	if parent := filepath.Dir(path); parent != path {
		if err := d.MkdirAll(parent, perm); err != nil {
			return err
		}
	}
	return d.Mkdir(path, perm)
}

// Mkdir makes one folder and syncs its parent. A folder that is there already is fine.
func (d Disk) Mkdir(path string, perm fs.FileMode) error {
	err := d.do(Mkdir, path, func() error { return os.Mkdir(path, perm) })
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return d.SyncFolder(filepath.Dir(path))
}

// RenameLazily is Rename without the syncs: after a power cut the old name may be back,
// unless the folder is synced for another reason.
func (d Disk) RenameLazily(from, to string) error {
	return d.do(Rename, to, func() error { return os.Rename(from, to) })
}

// Rename moves a file or folder and syncs the folder it arrives in, then the one it left.
func (d Disk) Rename(from, to string) error {
	if err := d.RenameLazily(from, to); err != nil {
		return err
	}
	if err := d.SyncFolder(filepath.Dir(to)); err != nil {
		return err
	}
	if filepath.Dir(from) == filepath.Dir(to) {
		return nil
	}
	return d.SyncFolder(filepath.Dir(from))
}

// Remove removes a file or an empty folder and syncs the folder it was in. What is not
// there is an error that is fs.ErrNotExist.
func (d Disk) Remove(path string) error {
	if err := d.RemoveLazily(path); err != nil {
		return err
	}
	return d.SyncFolder(filepath.Dir(path))
}

// RemoveLazily is Remove without the sync: after a power cut the file may be back. It is
// for what does no harm then.
func (d Disk) RemoveLazily(path string) error {
	return d.do(Remove, path, func() error { return os.Remove(path) })
}

// RemoveFolderLazily is RemoveLazily for an empty folder, and leaves anything else alone:
// where a file has taken the folder's place, or that of one above it, it reports ENOTDIR.
func (d Disk) RemoveFolderLazily(path string) error {
	return d.do(Remove, path, func() error {
		if err := syscall.Rmdir(path); err != nil {
			return &fs.PathError{Op: "rmdir", Path: path, Err: err}
		}
		return nil
	})
}

// RemoveTree removes a folder with all it holds, in no particular order and without a
// sync. What is not there is no error.
func (d Disk) RemoveTree(path string) error {
	return d.do(Remove, path, func() error { return os.RemoveAll(path) })
}

// SyncFolder makes the names in a folder durable.
func (d Disk) SyncFolder(path string) error {
	return d.do(SyncFolder, path, func() error {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		return errors.Join(f.Sync(), f.Close())
	})
}

// do takes one step, unless Before forbids it.
func (d Disk) do(step Step, path string, call func() error) error {
	if d.Before != nil {
		if err := d.Before(step, path); err != nil {
			return fmt.Errorf("%s %s: %w", step, path, err)
		}
	}
	return spaceError(call())
}

// spaceError adds ErrNoSpace to the system's errors that mean it.
func spaceError(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("%w: %w", ErrNoSpace, err)
	}
	return err
}

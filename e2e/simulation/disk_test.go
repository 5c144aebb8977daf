package simulation

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"sync/atomic"
	"syscall"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// disk is the journal's disk in one life: a crashing one in memory, with traps.
type disk struct {
	vfs.FS // mem
	mem    *vfs.MemFS
	life   *life
	points atomic.Int64 // changes so far
}

// The size of the simulated disk, and what is free of it.
const (
	diskBytes = 4 << 30
	roomy     = 2 << 30
)

// change is a point at which a life may end: op is about to be done to a file.
func (d *disk) change(op, name string, do func() error) error {
	n := d.points.Add(1)
	death := &d.life.death
	here := n == death.at
	what := op + " " + path.Base(name)
	if here && death.kind == atDiskBefore {
		d.life.crash(what)
	}
	if err := d.fail(n, op, name); err != nil {
		return err
	}
	err := do()
	if here && death.kind == atDiskAfter {
		d.life.crash(what)
	}
	return err
}

// fail returns the error that op gets instead of being done, or nil.
func (d *disk) fail(n int64, op, name string) error {
	death := &d.life.death
	sync := op == opSync
	switch {
	case d.life.w.full.Load() && !sync && op != opRemove:
		d.life.hurt.Store(true)
		d.life.w.story.count("disk: no space left", 1)
		return &fs.PathError{Op: op, Path: name, Err: syscall.ENOSPC}
	case n < death.at:
	case death.kind == failingSync && sync, death.kind == failingWrite && op == opWrite:
		if d.life.failures.Add(1) > death.fails {
			break
		}
		d.life.hurt.Store(true)
		d.life.w.story.happened("disk: failed "+op, "change %d, %s", n, path.Base(name))
		return &fs.PathError{Op: op, Path: name, Err: syscall.EIO}
	}
	return nil
}

// The changes.
const (
	opCreate = "create"
	opWrite  = "write"
	opSync   = "sync"
	opRemove = "remove"
	opRename = "rename"
	opLink   = "link"
	opReuse  = "reuse"
)

// Unwrap returns the disk without traps.
func (d *disk) Unwrap() vfs.FS { return d.mem }

// Create makes a file.
func (d *disk) Create(name string, c vfs.DiskWriteCategory) (f vfs.File, err error) {
	err = d.change(opCreate, name, func() error { f, err = d.FS.Create(name, c); return err })
	return d.wrap(f, name), err
}

// OpenReadWrite opens a file for writing.
func (d *disk) OpenReadWrite(name string, c vfs.DiskWriteCategory, opts ...vfs.OpenOption) (vfs.File, error) {
	f, err := d.FS.OpenReadWrite(name, c, opts...)
	return d.wrap(f, name), err
}

// ReuseForWrite renames a file and opens it for writing.
func (d *disk) ReuseForWrite(old, name string, c vfs.DiskWriteCategory) (f vfs.File, err error) {
	err = d.change(opReuse, name, func() error { f, err = d.FS.ReuseForWrite(old, name, c); return err })
	return d.wrap(f, name), err
}

// OpenDir opens a folder, to sync it.
func (d *disk) OpenDir(name string) (vfs.File, error) {
	f, err := d.FS.OpenDir(name)
	return d.wrap(f, name), err
}

// Remove takes a file away.
func (d *disk) Remove(name string) error {
	return d.change(opRemove, name, func() error { return d.FS.Remove(name) })
}

// Rename moves a file.
func (d *disk) Rename(old, name string) error {
	return d.change(opRename, name, func() error { return d.FS.Rename(old, name) })
}

// Link makes a second name.
func (d *disk) Link(old, name string) error {
	return d.change(opLink, name, func() error { return d.FS.Link(old, name) })
}

// GetDiskUsage tells how much is free.
func (d *disk) GetDiskUsage(string) (vfs.DiskUsage, error) {
	free := uint64(roomy)
	switch {
	case d.life.w.full.Load():
		free = 0
	case d.life.w.scarce.Load():
		free = 1 << 20
	}
	return vfs.DiskUsage{AvailBytes: free, TotalBytes: diskBytes, UsedBytes: diskBytes - free}, nil
}

func (d *disk) wrap(f vfs.File, name string) vfs.File {
	if f == nil {
		return nil
	}
	return &file{f, d, name}
}

// file is a file whose changes are points.
type file struct {
	vfs.File
	disk *disk
	name string
}

func (f *file) Write(b []byte) (n int, err error) {
	err = f.disk.change(opWrite, f.name, func() error { n, err = f.File.Write(b); return err })
	return n, err
}

func (f *file) WriteAt(b []byte, at int64) (n int, err error) {
	err = f.disk.change(opWrite, f.name, func() error { n, err = f.File.WriteAt(b, at); return err })
	return n, err
}

func (f *file) Sync() error { return f.disk.change(opSync, f.name, f.File.Sync) }

func (f *file) SyncData() error { return f.disk.change(opSync, f.name, f.File.SyncData) }

func (f *file) SyncTo(length int64) (full bool, err error) {
	err = f.disk.change(opSync, f.name, func() error { full, err = f.File.SyncTo(length); return err })
	return full, err
}

func (f *file) Preallocate(at, length int64) error {
	if f.disk.life.w.full.Load() {
		return &fs.PathError{Op: "preallocate", Path: f.name, Err: syscall.ENOSPC}
	}
	return f.File.Preallocate(at, length)
}

// damage flips bytes of the journal's files while no node runs.
func (w *world) damage(number int) {
	if !w.plan.chance.damage {
		return
	}
	r := dice(w.plan.seed, fmt.Sprint("damage", number))
	dir := w.data + "/journal"
	names, err := w.disk.List(dir)
	if err != nil || len(names) == 0 {
		return // nothing was stored yet
	}
	for range 1 + r.IntN(3) {
		name := dir + "/" + names[r.IntN(len(names))]
		info, err := w.disk.Stat(name)
		if err != nil || info.Size() == 0 || !strings.HasSuffix(name, ".log") && !strings.HasSuffix(name, ".sst") {
			continue
		}
		at := r.Int64N(info.Size())
		if err := flip(w.disk, name, at, byte(1+r.IntN(255))); err != nil {
			w.t.Fatal(err)
		}
		w.damaged++
		w.story.happened("disk: flipped byte", "%s at %d of %d", name, at, info.Size())
	}
}

// flip changes one byte of a file at rest.
func flip(fsys vfs.FS, name string, at int64, with byte) error {
	f, err := fsys.OpenReadWrite(name, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	var b [1]byte
	if _, err := f.ReadAt(b[:], at); err != nil {
		return errors.Join(err, f.Close())
	}
	b[0] ^= with
	_, err = f.WriteAt(b[:], at)
	return errors.Join(err, f.Sync(), f.Close())
}

package pebble

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// disk is the file system as Pebble sees it. It adds two things to the one below.
//
// Freezing: when a write to the log, the manifest or a folder fails, Pebble panics or asks
// its logger to end the process. disk answers such a failure itself: it remembers the error,
// tells the engine, and from then on swallows every change to anything but tables, reporting
// success. The disk stays as a power cut at that moment would have left it, readers go on
// (tables are still written), and Pebble can be closed in order. The engine acknowledges
// nothing once failure is set.
//
// Tables may fail: Pebble tries again, after a pause, and writes wait meanwhile. A full disk is
// waited for. Any other error that stays freezes the disk too, and then, as when the engine is
// closed while tables fail, new tables go nowhere (hollow), so that whoever waits gets an
// answer. From a hollow disk nothing more can be read.
//
// Opening: logs and manifests, which Pebble reads only while the store is being opened, go
// through the opener, which may hand it a repaired view of a damaged one.
type disk struct {
	vfs.FS
	onFailure func(error)
	failure   atomic.Pointer[error]
	syncs     atomic.Uint64 // of logs and manifests, since the start

	// opener opens logs and manifests for reading; tables opens tables. Both are set before
	// Pebble is opened; tables only where nothing may be changed.
	opener, tables func(name string) (vfs.File, error)

	// hollow is set when tables go nowhere.
	hollow atomic.Bool

	// tableRow is how the making of tables goes.
	tableRow struct {
		sync.Mutex
		failures int   // since the last success
		last     error // of these failures
		closed   bool
		closing  chan struct{}
	}
}

const (
	firstPause  = 10 * time.Millisecond
	longPause   = 2 * time.Second
	maxFailures = 8 // of tables in a row, other than for want of room
)

func newDisk(below vfs.FS, onFailure func(error)) *disk {
	d := &disk{FS: below, onFailure: onFailure}
	d.tableRow.closing = make(chan struct{})
	return d
}

// isTable tells the files that may fail from those that freeze the disk.
func isTable(name string) bool { return strings.HasSuffix(name, ".sst") }

func isLog(name string) bool { return strings.HasSuffix(name, ".log") }

func isManifest(name string) bool { return strings.HasPrefix(name, "MANIFEST-") }

// isMarker tells the files whose mere names say which manifest holds.
func isMarker(name string) bool { return strings.HasPrefix(name, "marker.") }

func (d *disk) frozen() bool { return d.failure.Load() != nil }

// freeze remembers the first failure; later ones follow from it.
func (d *disk) freeze(op, name string, err error) {
	err = fmt.Errorf("%s %s: %w", op, d.PathBase(name), err)
	if d.failure.CompareAndSwap(nil, &err) {
		d.onFailure(err)
	}
}

// change runs a change to the folder or to a file that is no table.
func (d *disk) change(op, name string, do func() error) error {
	if d.frozen() {
		return nil
	}
	if op == "sync" {
		d.syncs.Add(1)
	}
	if err := do(); err != nil {
		d.freeze(op, name, err)
	}
	return nil
}

// tableResult notes how making a table went and returns err.
func (d *disk) tableResult(err error) error {
	if err != nil {
		d.tableRow.Lock()
		d.tableRow.failures++
		d.tableRow.last = err
		d.tableRow.Unlock()
	}
	return err
}

func (d *disk) tableDone() {
	d.tableRow.Lock()
	d.tableRow.failures = 0
	d.tableRow.Unlock()
}

// waitPause waits before a new table is begun, if making the last one failed.
func (d *disk) waitPause() {
	d.tableRow.Lock()
	failures := d.tableRow.failures
	d.tableRow.Unlock()
	if failures == 0 {
		return
	}
	t := time.NewTimer(min(firstPause<<min(failures-1, 16), longPause))
	defer t.Stop()
	select {
	case <-t.C:
	case <-d.tableRow.closing:
	}
}

// giveUpTables decides whether tables that keep failing go nowhere from now on.
func (d *disk) giveUpTables(name string) bool {
	d.tableRow.Lock()
	failures, last := d.tableRow.failures, d.tableRow.last
	give := failures > 0 && d.tableRow.closed ||
		failures > maxFailures && !errors.Is(last, syscall.ENOSPC)
	d.tableRow.Unlock()
	if give && d.hollow.CompareAndSwap(false, true) {
		d.freeze("write", name, last)
	}
	return d.hollow.Load()
}

// close ends all waiting for tables that fail.
func (d *disk) close() {
	d.tableRow.Lock()
	defer d.tableRow.Unlock()
	if !d.tableRow.closed {
		d.tableRow.closed = true
		close(d.tableRow.closing)
	}
}

// Unwrap returns the file system below.
func (d *disk) Unwrap() vfs.FS { return d.FS }

// Open opens a file for reading.
func (d *disk) Open(name string, opts ...vfs.OpenOption) (vfs.File, error) {
	if base := d.PathBase(name); d.opener != nil && (isLog(base) || isManifest(base)) {
		return d.opener(name)
	} else if d.tables != nil && isTable(base) {
		return d.tables(name)
	}
	return d.FS.Open(name, opts...)
}

// Create makes a file.
func (d *disk) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	if isTable(name) {
		d.waitPause()
		if d.giveUpTables(name) {
			return nowhere{}, nil
		}
		f, err := d.FS.Create(name, category)
		if err != nil {
			return nil, d.tableResult(err)
		}
		return &tableFile{f, d}, nil
	}
	if isMarker(d.PathBase(name)) {
		d.syncFolder(d.PathDir(name))
	}
	return d.logFile("create", name, func() (vfs.File, error) { return d.FS.Create(name, category) })
}

// syncFolder makes the names in a folder durable. Pebble makes a manifest and the marker that
// points to it, and then syncs the folder once for both; a power cut in between, or a failed
// sync, could keep the marker and lose the manifest. So the manifest's name comes first.
func (d *disk) syncFolder(path string) {
	_ = d.change("sync", path, func() error { // a failure freezes the disk: no marker is made
		f, err := d.FS.OpenDir(path)
		if err != nil {
			return err
		}
		return errors.Join(f.Sync(), f.Close())
	})
}

// logFile makes or opens a file whose failures freeze the disk.
func (d *disk) logFile(op, name string, open func() (vfs.File, error)) (vfs.File, error) {
	if d.frozen() {
		return nowhere{}, nil
	}
	f, err := open()
	if err != nil {
		d.freeze(op, name, err)
		return nowhere{}, nil
	}
	return &logFile{f, d, name}, nil
}

// ReuseForWrite renames a log that is no longer needed and opens it for writing.
func (d *disk) ReuseForWrite(oldname, newname string, category vfs.DiskWriteCategory) (vfs.File, error) {
	return d.logFile("reuse", newname, func() (vfs.File, error) {
		return d.FS.ReuseForWrite(oldname, newname, category)
	})
}

// OpenReadWrite opens a file for writing.
func (d *disk) OpenReadWrite(name string, category vfs.DiskWriteCategory, opts ...vfs.OpenOption) (vfs.File, error) {
	return d.logFile("open", name, func() (vfs.File, error) {
		return d.FS.OpenReadWrite(name, category, opts...)
	})
}

// OpenDir opens a folder, to sync it.
func (d *disk) OpenDir(name string) (vfs.File, error) {
	f, err := d.FS.OpenDir(name)
	if err != nil {
		return nil, err
	}
	return &logFile{f, d, name}, nil
}

// Link makes a second name for a file.
func (d *disk) Link(oldname, newname string) error {
	return d.change("link", newname, func() error { return d.FS.Link(oldname, newname) })
}

// Rename renames a file.
func (d *disk) Rename(oldname, newname string) error {
	return d.change("rename", newname, func() error { return d.FS.Rename(oldname, newname) })
}

// Remove removes a file. A failure leaves a file too many, which harms nobody.
func (d *disk) Remove(name string) error {
	if d.frozen() {
		return nil
	}
	return d.FS.Remove(name)
}

// RemoveAll removes a folder.
func (d *disk) RemoveAll(name string) error {
	if d.frozen() {
		return nil
	}
	return d.FS.RemoveAll(name)
}

// tableFile is a table being written. Its errors go to Pebble, which tries again later.
type tableFile struct {
	vfs.File
	d *disk
}

func (f *tableFile) Write(p []byte) (int, error) {
	n, err := f.File.Write(p)
	return n, f.d.tableResult(err)
}

func (f *tableFile) Sync() error {
	err := f.d.tableResult(f.File.Sync())
	if err == nil {
		f.d.tableDone()
	}
	return err
}

func (f *tableFile) SyncData() error {
	err := f.d.tableResult(f.File.SyncData())
	if err == nil {
		f.d.tableDone()
	}
	return err
}

// logFile is a log, a manifest, a marker or a folder. Its failures freeze the disk.
type logFile struct {
	vfs.File
	d    *disk
	name string
}

func (f *logFile) Write(p []byte) (int, error) {
	err := f.d.change("write", f.name, func() error { _, err := f.File.Write(p); return err })
	return len(p), err
}

func (f *logFile) WriteAt(p []byte, off int64) (int, error) {
	err := f.d.change("write", f.name, func() error { _, err := f.File.WriteAt(p, off); return err })
	return len(p), err
}

func (f *logFile) Sync() error { return f.d.change("sync", f.name, f.File.Sync) }

func (f *logFile) SyncData() error { return f.d.change("sync", f.name, f.File.SyncData) }

func (f *logFile) SyncTo(length int64) (bool, error) {
	var full bool
	err := f.d.change("sync", f.name, func() (err error) { full, err = f.File.SyncTo(length); return err })
	return full, err
}

func (f *logFile) Preallocate(offset, length int64) error {
	return f.d.change("preallocate", f.name, func() error { return f.File.Preallocate(offset, length) })
}

func (f *logFile) Close() error {
	if err := f.File.Close(); err != nil {
		f.d.freeze("close", f.name, err)
	}
	return nil
}

// nowhere is a file that a frozen disk hands out: it takes everything and keeps nothing.
type nowhere struct{}

func (nowhere) Close() error                           { return nil }
func (nowhere) Read([]byte) (int, error)               { return 0, errFrozen }
func (nowhere) ReadAt([]byte, int64) (int, error)      { return 0, errFrozen }
func (nowhere) Write(p []byte) (int, error)            { return len(p), nil }
func (nowhere) WriteAt(p []byte, _ int64) (int, error) { return len(p), nil }
func (nowhere) Preallocate(int64, int64) error         { return nil }
func (nowhere) Stat() (vfs.FileInfo, error)            { return nowhereInfo{}, nil }
func (nowhere) Sync() error                            { return nil }
func (nowhere) SyncTo(int64) (bool, error)             { return true, nil }
func (nowhere) SyncData() error                        { return nil }
func (nowhere) Prefetch(int64, int64) error            { return nil }
func (nowhere) Fd() uintptr                            { return vfs.InvalidFd }

// errFrozen is what reading from a file that was never made gives.
var errFrozen = fmt.Errorf("the disk has failed: %w", fs.ErrNotExist)

// nowhereInfo describes an empty file.
type nowhereInfo struct{}

func (nowhereInfo) Name() string           { return "" }
func (nowhereInfo) Size() int64            { return 0 }
func (nowhereInfo) Mode() fs.FileMode      { return 0 }
func (nowhereInfo) ModTime() time.Time     { return time.Time{} }
func (nowhereInfo) IsDir() bool            { return false }
func (nowhereInfo) Sys() any               { return nil }
func (nowhereInfo) DeviceID() vfs.DeviceID { return vfs.DeviceID{} }

// makeDir makes a folder and all above it, and syncs those that got a new member.
func makeDir(f vfs.FS, dir string, perm os.FileMode) error {
	var grown []string
	for d := dir; ; {
		if _, err := f.Stat(d); err == nil {
			break
		}
		parent := f.PathDir(d)
		if parent == d {
			break
		}
		grown = append(grown, parent)
		d = parent
	}
	if err := f.MkdirAll(dir, perm); err != nil {
		return fmt.Errorf("make folder %s: %w", dir, err)
	}
	for _, d := range grown {
		if err := syncDir(f, d); err != nil {
			return err
		}
	}
	return nil
}

// syncDir makes the names in a folder durable.
func syncDir(f vfs.FS, dir string) error {
	d, err := f.OpenDir(dir)
	if err != nil {
		return fmt.Errorf("open folder %s: %w", dir, err)
	}
	err = d.Sync()
	if e := d.Close(); err == nil {
		err = e
	}
	if err != nil {
		return fmt.Errorf("sync folder %s: %w", dir, err)
	}
	return nil
}

package s3

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"hydrant/internal/durable"
)

// A guard decides, while nobody else may change the key, whether an object may be replaced.
// Its argument is nil when there is none.
type guard func(current *Info) error

// commit makes a file that was written in staging the object under key, and returns its
// Info completed. At each step a crash leaves:
//
//  1. the bytes synced under a temporary name: nothing; the next start sweeps it
//  2. folders made, an object displaced: empty folders, which no listing shows
//  3. the sidecar replaced, now holding the new Info and the old: the old object, described
//     by the old Info
//  4. the file renamed to its place: the new object
//  5. the folder synced, and answered: the new object, also after a power cut
//
// The file is the caller's to abort, whatever the outcome.
func (s *Store) commit(bucket, key string, f *durable.File, info Info, allow guard) (Info, error) {
	now := s.now().UTC()
	info.Modified = now.Truncate(time.Millisecond)
	if err := stamp(f, &info, now); err != nil {
		return Info{}, fmt.Errorf("store %s/%s: %w", bucket, key, err)
	}
	defer s.lockKey(bucket, key)()
	release, err := s.holdFolders(bucket, key)
	if err != nil {
		return Info{}, err
	}
	defer release()
	path, old, err := s.placeOf(bucket, key)
	if err != nil {
		return Info{}, fmt.Errorf("store %s/%s: %w", bucket, key, err)
	}
	if allow != nil {
		if err := allow(old); err != nil {
			return Info{}, err
		}
	}
	if err := s.replace(bucket, key, path, f, &info, old); err != nil {
		return Info{}, fmt.Errorf("store %s/%s: %w", bucket, key, err)
	}
	return info, nil
}

// replace does steps 3 to 5 of commit.
func (s *Store) replace(bucket, key, path string, f *durable.File, info, old *Info) error {
	side := sidecar{Key: key, Infos: []Info{*info}}
	if old != nil {
		if err := distinguish(f, info, old); err != nil {
			return err
		}
		if !old.damaged {
			side.Infos = append(side.Infos, *old)
		}
	}
	data, err := side.encode()
	if err != nil {
		return err
	}
	if err := s.disk.WriteFileVia(s.stagingPath, s.sidecarPath(bucket, key), data, filePerm); err != nil {
		return err
	}
	return f.Commit(path)
}

// stamp sets the file's time of last change, notes what the file system made of it, and
// syncs the file.
func stamp(f *durable.File, info *Info, changed time.Time) error {
	if err := f.SetModified(changed); err != nil {
		return err
	}
	file, err := f.Stat()
	if err != nil {
		return err
	}
	if info.Encryption == nil {
		info.Size = file.Size()
	} else if n := info.fileSize(); n != file.Size() {
		return fmt.Errorf("the encrypted object has %d bytes, not %d", file.Size(), n)
	}
	info.Changed = file.ModTime().UnixNano()
	return f.Sync()
}

// distinguish makes sure that info does not describe the file that old does, though both
// were written within one tick of the clock. Some file systems keep times to two seconds.
func distinguish(f *durable.File, info, old *Info) error {
	for step := time.Nanosecond; info.fileSize() == old.fileSize() && info.Changed == old.Changed && step < time.Minute; step *= 2000 {
		if err := stamp(f, info, time.Unix(0, old.Changed).Add(step)); err != nil {
			return err
		}
	}
	return nil
}

// holdFolders takes the tree lock of a bucket and sees to it that the folders for a key
// are there. They stay until release is called.
func (s *Store) holdFolders(bucket, key string) (release func(), err error) {
	if err := s.requireBucket(bucket); err != nil {
		return nil, err
	}
	tree := s.tree(bucket)
	object, side := filepath.Dir(s.objectPath(bucket, key)), filepath.Dir(s.sidecarPath(bucket, key))
	tree.RLock()
	if isFolder(object) && isFolder(side) {
		return tree.RUnlock, nil
	}
	tree.RUnlock()
	tree.Lock()
	if err := s.requireBucket(bucket); err != nil {
		tree.Unlock()
		return nil, err
	}
	if err := s.makeFolders(s.bucketPath(bucket), object); err != nil {
		tree.Unlock()
		return nil, fmt.Errorf("make room for %s/%s: %w", bucket, key, err)
	}
	if err := s.disk.MkdirAll(side, folderPerm); err != nil {
		tree.Unlock()
		return nil, fmt.Errorf("make room for %s/%s: %w", bucket, key, err)
	}
	return tree.Unlock, nil
}

// makeFolders makes the folders from base down to path, and displaces objects whose names
// they need. The tree lock is held exclusively.
func (s *Store) makeFolders(base, path string) error {
	rest, err := filepath.Rel(base, path)
	if err != nil {
		return err
	}
	for name := range strings.SplitSeq(rest, string(filepath.Separator)) {
		base = filepath.Join(base, name)
		info, err := os.Lstat(base)
		switch {
		case err == nil && info.IsDir():
			continue
		case err == nil:
			if err := s.disk.RenameLazily(base, base+displacedMark); err != nil {
				return err
			}
		case !errors.Is(err, fs.ErrNotExist):
			return err
		}
		if err := s.disk.Mkdir(base, folderPerm); err != nil {
			return err
		}
	}
	return nil
}

// placeOf returns where the object under key lies or is to lie, and the Info of what lies
// there now, nil if nothing does. The tree lock is held, and the key's.
func (s *Store) placeOf(bucket, key string) (path string, old *Info, err error) {
	path, file, err := s.findFile(bucket, key)
	if errors.Is(err, fs.ErrNotExist) {
		path = s.objectPath(bucket, key)
		if isFolder(path) {
			path += displacedMark
		}
		return path, nil, nil
	}
	if err != nil {
		return "", nil, err
	}
	side, err := readSidecar(s.sidecarPath(bucket, key))
	if err != nil {
		return "", nil, err
	}
	info, ok := side.match(file, func() bool { return isSealedFile(path) })
	if !ok && info.fileSize() == file.Size() {
		info.Changed = file.ModTime().UnixNano() // it was touched; its successor's sidecar must find it
	}
	return path, &info, nil
}

// findFile finds the file that holds an object: the plain name, or the displaced one. It
// returns fs.ErrNotExist if there is none.
func (s *Store) findFile(bucket, key string) (string, fs.FileInfo, error) {
	path := s.objectPath(bucket, key)
	for _, p := range []string{path, path + displacedMark} {
		info, err := os.Lstat(p)
		switch {
		case err == nil && info.Mode().IsRegular():
			return p, info, nil
		case err != nil && !isAbsent(err):
			return "", nil, err
		}
	}
	return "", nil, fs.ErrNotExist
}

// isAbsent reports whether an error says that a path leads nowhere, be it because a file
// stands where it wants a folder.
func isAbsent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

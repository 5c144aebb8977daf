package s3

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// A removal is a run of deletions in one bucket that is synced at its end. At each step a
// crash leaves:
//
//  1. files removed: those objects gone, or after a power cut perhaps back, whole
//  2. their folders synced: gone for good; sidecars of nothing, which nobody sees
//  3. sidecars and empty folders removed, answered
type removal struct {
	s       *Store
	bucket  string
	removed []string            // keys
	folders map[string]struct{} // that files were removed from
}

func (s *Store) newRemoval(bucket string) *removal {
	return &removal{s: s, bucket: bucket, folders: make(map[string]struct{})}
}

// remove removes the object under key, if allow lets it and it is there. It is not
// durable before finish.
func (r *removal) remove(key string, allow guard) error {
	defer r.s.lockKey(r.bucket, key)()
	tree := r.s.tree(r.bucket)
	tree.RLock()
	defer tree.RUnlock()
	_, old, err := r.s.placeOf(r.bucket, key)
	if err != nil {
		return fmt.Errorf("delete %s/%s: %w", r.bucket, key, err)
	}
	if allow != nil {
		if err := allow(old); err != nil {
			return err
		}
	}
	if old == nil {
		return nil
	}
	// A file copied in by hand may stand before a displaced one; that would show again.
	path := r.s.objectPath(r.bucket, key)
	for _, p := range []string{path + displacedMark, path} {
		if info, err := os.Lstat(p); err != nil || !info.Mode().IsRegular() {
			continue
		}
		if err := r.s.disk.RemoveLazily(p); err != nil && !isAbsent(err) {
			return fmt.Errorf("delete %s/%s: %w", r.bucket, key, err)
		}
	}
	r.removed = append(r.removed, key)
	r.folders[filepath.Dir(path)] = struct{}{}
	return nil
}

// finish makes the removals durable and tidies up behind them.
func (r *removal) finish() error {
	for folder := range r.folders {
		if err := r.syncFolder(folder); err != nil {
			return fmt.Errorf("delete from %s: %w", r.bucket, err)
		}
	}
	for _, key := range r.removed {
		if err := r.removeSidecar(key); err != nil {
			return fmt.Errorf("delete %s/%s: %w", r.bucket, key, err)
		}
	}
	for folder := range r.folders {
		if err := r.s.pruneFolders(r.bucket, folder); err != nil {
			return fmt.Errorf("delete from %s: %w", r.bucket, err)
		}
	}
	return nil
}

// syncFolder syncs a folder, or if another removal took it away with its last file, the
// folder that it was in.
func (r *removal) syncFolder(folder string) error {
	for {
		err := r.s.disk.SyncFolder(folder)
		if err == nil || !isAbsent(err) || folder == r.s.bucketsPath {
			return err
		}
		folder = filepath.Dir(folder)
	}
}

// removeSidecar removes what is known of an object, unless the key has one again.
func (r *removal) removeSidecar(key string) error {
	defer r.s.lockKey(r.bucket, key)()
	if _, _, err := r.s.findFile(r.bucket, key); !isAbsent(err) {
		return err
	}
	if err := r.s.disk.RemoveLazily(r.s.sidecarPath(r.bucket, key)); err != nil && !isAbsent(err) {
		return err
	}
	return nil
}

// pruneFolders removes folder, if it is empty, and the folders above it that become so, up
// to the bucket's own. The same is done in the meta tree.
func (s *Store) pruneFolders(bucket, folder string) error {
	if !looksEmpty(folder) {
		return nil
	}
	tree := s.tree(bucket)
	tree.Lock()
	defer tree.Unlock()
	below, err := filepath.Rel(s.bucketPath(bucket), folder)
	if err != nil {
		return err
	}
	for _, base := range []string{s.bucketPath(bucket), filepath.Join(s.metaPath, bucket)} {
		for rest := below; rest != "."; rest = filepath.Dir(rest) {
			path := filepath.Join(base, rest)
			if err := s.removeFolder(path); err != nil {
				return err
			}
			if isFolder(path) {
				break
			}
		}
	}
	return nil
}

// looksEmpty reports whether a folder holds nothing at this moment.
func looksEmpty(folder string) bool {
	f, err := os.Open(folder)
	if err != nil {
		return false
	}
	_, err = f.Readdirnames(1)
	return errors.Is(err, io.EOF) && f.Close() == nil
}

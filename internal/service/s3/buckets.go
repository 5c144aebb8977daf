package s3

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/go-json-experiment/json"
)

// bucketFile is the name of the file in the meta tree that describes a bucket. No key's
// path has it: % stands before two hex digits or at an end.
const bucketFile = "%bucket.json"

// bucketInfo is what bucketFile holds.
type bucketInfo struct {
	Created time.Time `json:"created"`
	Region  string    `json:"region"`
	// Encryption is how objects are encrypted that do not say it themselves.
	Encryption encryptionWish `json:"encryption,omitzero"`
}

// listedBucket is one line of ListBuckets.
type listedBucket struct {
	name    string
	created time.Time
}

// checkBucketName holds a name against the rules for general purpose buckets (Amazon S3
// user guide, "General purpose bucket naming rules").
func checkBucketName(name string) error {
	bad := with(errInvalidBucketName, "BucketName", name)
	if len(name) < 3 || len(name) > 63 {
		return bad
	}
	for i := range len(name) {
		letter := name[i] >= 'a' && name[i] <= 'z' || name[i] >= '0' && name[i] <= '9'
		if !letter && (i == 0 || i == len(name)-1 || name[i] != '-' && name[i] != '.') {
			return bad
		}
	}
	if _, err := netip.ParseAddr(name); err == nil || strings.Contains(name, "..") {
		return bad
	}
	for _, prefix := range []string{"xn--", "sthree-", "amzn-s3-demo-"} {
		if strings.HasPrefix(name, prefix) {
			return bad
		}
	}
	for _, suffix := range []string{"-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"} {
		if strings.HasSuffix(name, suffix) {
			return bad
		}
	}
	return nil
}

// requireBucket fails with NoSuchBucket unless the bucket is there.
func (s *Store) requireBucket(name string) error {
	if checkBucketName(name) == nil && isFolder(s.bucketPath(name)) {
		return nil
	}
	return with(errNoSuchBucket, "BucketName", name)
}

// CreateBucket makes a bucket unless it is there already. The name must be one that Amazon
// S3 allows.
func (s *Store) CreateBucket(ctx context.Context, name string) error {
	_, err := s.createBucket(ctx, name)
	return err
}

// createBucket also tells whether the bucket is new.
func (s *Store) createBucket(ctx context.Context, name string) (created bool, err error) {
	if err := checkBucketName(name); err != nil {
		return false, err
	}
	if err := ctx.Err(); err != nil {
		return false, err
	}
	tree := s.tree(name)
	tree.Lock()
	defer tree.Unlock()
	if isFolder(s.bucketPath(name)) {
		return false, nil
	}
	if err := s.makeBucket(name); err != nil {
		return false, fmt.Errorf("create bucket %s: %w", name, err)
	}
	return true, nil
}

// makeBucket makes a bucket's folder, the last of what belongs to it. The tree lock is held.
func (s *Store) makeBucket(name string) error {
	s.defaults.Delete(name)
	meta := filepath.Join(s.metaPath, name)
	if err := s.disk.RemoveTree(meta); err != nil { // of a former bucket of that name
		return err
	}
	data, err := json.Marshal(bucketInfo{Created: s.now().UTC(), Region: s.region})
	if err != nil {
		return err
	}
	if err := s.disk.Mkdir(meta, folderPerm); err != nil {
		return err
	}
	if err := s.disk.WriteFileVia(s.stagingPath, filepath.Join(meta, bucketFile), data, filePerm); err != nil {
		return err
	}
	return s.disk.Mkdir(s.bucketPath(name), folderPerm)
}

// deleteBucket removes a bucket without objects. Uploads in progress go with it.
func (s *Store) deleteBucket(name string) error {
	if err := s.requireBucket(name); err != nil {
		return err
	}
	uploads, err := s.takeBucket(name)
	if err != nil {
		return err
	}
	// Without the tree lock, which those who complete uploads wait for. The next start
	// removes uploads to a bucket that is not there.
	if err := s.endAll(uploads); err != nil {
		return fmt.Errorf("delete bucket %s: %w", name, err)
	}
	return nil
}

// takeBucket removes a bucket's folder and what is known of it, and returns the uploads
// that lost their bucket.
func (s *Store) takeBucket(name string) ([]*upload, error) {
	tree := s.tree(name)
	tree.Lock()
	defer tree.Unlock()
	path := s.bucketPath(name)
	if err := s.removeEmptyFolders(path); err != nil && !isAbsent(err) {
		return nil, fmt.Errorf("delete bucket %s: %w", name, err)
	}
	if isFolder(path) {
		return nil, with(errBucketNotEmpty, "BucketName", name)
	}
	s.defaults.Delete(name)
	uploads := s.uploads.of(name, "")
	if err := s.disk.SyncFolder(s.bucketsPath); err != nil {
		return nil, fmt.Errorf("delete bucket %s: %w", name, err)
	}
	if err := s.disk.RemoveTree(filepath.Join(s.metaPath, name)); err != nil {
		return nil, fmt.Errorf("delete bucket %s: %w", name, err)
	}
	return uploads, nil
}

// removeEmptyFolders removes path and the folders below it as far as they hold no files.
// A file of any kind stays, with the folders above it.
func (s *Store) removeEmptyFolders(path string) error {
	entries, err := os.ReadDir(path)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !e.IsDir() {
			return nil
		}
	}
	for _, e := range entries {
		if err := s.removeEmptyFolders(filepath.Join(path, e.Name())); err != nil {
			return err
		}
	}
	return s.removeFolder(path)
}

// removeFolder removes a folder if it is empty.
func (s *Store) removeFolder(path string) error {
	err := s.disk.RemoveFolderLazily(path)
	if errors.Is(err, syscall.ENOTEMPTY) || errors.Is(err, fs.ErrExist) || isAbsent(err) {
		return nil
	}
	return err
}

// listBuckets returns all buckets by name. One that a person made as a folder is as old as
// the folder's last change.
func (s *Store) listBuckets() ([]listedBucket, error) {
	entries, err := os.ReadDir(s.bucketsPath)
	if err != nil {
		return nil, fmt.Errorf("list buckets: %w", err)
	}
	var out []listedBucket
	for _, e := range entries {
		if !e.IsDir() || checkBucketName(e.Name()) != nil {
			continue
		}
		b := listedBucket{name: e.Name(), created: s.bucketCreated(e.Name())}
		if b.created.IsZero() {
			info, err := e.Info()
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return nil, fmt.Errorf("list buckets: %w", err)
			}
			b.created = info.ModTime()
		}
		out = append(out, b)
	}
	return out, nil
}

// bucketCreated is when the bucket was made; zero where nothing readable says so.
func (s *Store) bucketCreated(name string) time.Time {
	info, err := s.readBucketInfo(name)
	if err != nil {
		return time.Time{}
	}
	return info.Created
}

// readBucketInfo reads what describes a bucket; nothing does where a person made it.
func (s *Store) readBucketInfo(name string) (bucketInfo, error) {
	data, err := os.ReadFile(filepath.Join(s.metaPath, name, bucketFile))
	if isAbsent(err) {
		return bucketInfo{}, nil
	}
	var info bucketInfo
	if err == nil {
		err = json.Unmarshal(data, &info)
	}
	if err != nil {
		return bucketInfo{}, fmt.Errorf("read what is known of bucket %s: %w", name, err)
	}
	return info, nil
}

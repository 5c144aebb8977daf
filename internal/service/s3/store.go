package s3

import (
	"cmp"
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"hydrant/internal/durable"
)

// Permissions of what the store makes: its owner only.
const (
	filePerm   = 0o600
	folderPerm = 0o700
)

// Limits of Amazon S3 ("Amazon S3 multipart upload limits").
const (
	maxObject   = 5 << 40 // bytes
	maxPut      = 5 << 30 // bytes of one put, part or copy
	minPart     = 5 << 20 // bytes of a part that is not the last
	maxParts    = 10_000
	maxPageSize = 1000 // keys, uploads or parts in one page of a listing
)

// Options configure a Store. Root is required.
type Options struct {
	// Root is the folder that everything lies in; it is made if it is not there. No other
	// process may have it open.
	Root string
	// Region is the store's region; us-east-1 if empty.
	Region string
	// Account is the owner of all buckets; 000000000000 if empty.
	Account string
	// Partition is that of ARNs; aws if empty.
	Partition string
	// Keys encrypt objects that ask for aws:kms; without, they are refused.
	Keys Keys
	// OwnKeys encrypt objects that ask for AES256; without, they are refused.
	OwnKeys Keys
	// Logger gets errors that clients are not told, and what was tidied up at the start.
	Logger *slog.Logger
	// Now is the clock; time.Now if nil.
	Now func() time.Time
	// Disk does the file system's writes; the zero Disk is the machine's own.
	Disk durable.Disk
}

// Store is the object store. All methods may be called from many goroutines at once.
type Store struct {
	region  string
	account string

	partition string
	kms       Keys // nil for none
	ownKeys   Keys // nil for none

	log  *slog.Logger
	now  func() time.Time
	disk durable.Disk

	bucketsPath string
	metaPath    string
	uploadsPath string
	stagingPath string

	seed  maphash.Seed
	keys  [256]sync.Mutex // taken by whoever changes a key, before the tree lock
	trees sync.Map        // bucket name to its *sync.RWMutex, the tree lock

	defaults sync.Map // bucket name to its encryptionWish by default, if it was read

	uploads    uploadIndex
	frameNames int   // names of a folder that a listing keeps in memory
	minPart    int64 // bytes of a part that is not the last
}

// Open opens the store under o.Root: it makes the folders that are missing, and removes
// what a crash left of unfinished writes.
func Open(o Options) (*Store, error) {
	if o.Root == "" {
		return nil, errors.New("open the object store: no root folder was given")
	}
	s := &Store{
		region: cmp.Or(o.Region, "us-east-1"), account: cmp.Or(o.Account, "000000000000"),
		partition: cmp.Or(o.Partition, "aws"), kms: o.Keys, ownKeys: o.OwnKeys, log: o.Logger, now: o.Now, disk: o.Disk,
		bucketsPath: filepath.Join(o.Root, "buckets"),
		metaPath:    filepath.Join(o.Root, "meta"),
		uploadsPath: filepath.Join(o.Root, "uploads"),
		stagingPath: filepath.Join(o.Root, "staging"),
		seed:        maphash.MakeSeed(),
		frameNames:  defaultFrameNames,
		minPart:     minPart,
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.now == nil {
		s.now = time.Now
	}
	for _, folder := range []string{s.bucketsPath, s.metaPath, s.uploadsPath, s.stagingPath} {
		if err := s.disk.MkdirAll(folder, folderPerm); err != nil {
			return nil, fmt.Errorf("open the object store: %w", err)
		}
	}
	swept, err := s.disk.Sweep(s.stagingPath)
	if err != nil {
		return nil, fmt.Errorf("open the object store: remove unfinished writes: %w", err)
	}
	if err := s.loadUploads(); err != nil {
		return nil, fmt.Errorf("open the object store: %w", err)
	}
	if swept > 0 {
		s.log.Info("removed unfinished writes of the object store", "files", swept)
	}
	return s, nil
}

// lockKey takes the lock of a key and returns its release.
func (s *Store) lockKey(bucket, key string) (unlock func()) {
	var h maphash.Hash
	h.SetSeed(s.seed)
	_, _ = h.WriteString(bucket) // a maphash never fails
	_ = h.WriteByte('/')
	_, _ = h.WriteString(key)
	m := &s.keys[h.Sum64()%uint64(len(s.keys))]
	m.Lock()
	return m.Unlock
}

// tree returns the tree lock of a bucket.
func (s *Store) tree(bucket string) *sync.RWMutex {
	if l, ok := s.trees.Load(bucket); ok {
		return l.(*sync.RWMutex)
	}
	l, _ := s.trees.LoadOrStore(bucket, new(sync.RWMutex))
	return l.(*sync.RWMutex)
}

// bucketPath is the folder of a bucket.
func (s *Store) bucketPath(bucket string) string { return filepath.Join(s.bucketsPath, bucket) }

// objectPath is where an object lies unless it is displaced.
func (s *Store) objectPath(bucket, key string) string {
	return filepath.Join(s.bucketsPath, bucket, filepath.FromSlash(keyPath(key)))
}

// sidecarPath is where an object's sidecar lies.
func (s *Store) sidecarPath(bucket, key string) string {
	return filepath.Join(s.metaPath, bucket, filepath.FromSlash(keyPath(key))+sidecarMark)
}

// isFolder reports whether path is a folder.
func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

package s3

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"

	"hydrant/internal/durable"
)

// uploadFile is the name of the file that says what an upload is for. A folder without it
// is not an upload: it is being made or taken away.
const uploadFile = "upload.json"

// uploadInfo is what uploadFile holds.
type uploadInfo struct {
	Bucket    string            `json:"bucket"`
	Key       string            `json:"key"`
	Initiated time.Time         `json:"initiated"`
	Headers   map[string]string `json:"headers,omitzero"`
	User      map[string]string `json:"user,omitzero"`
	// Algorithm is that of the parts' checksums; empty for none.
	Algorithm string `json:"algorithm,omitzero"`
	// Type is the type of the object's checksum.
	Type string `json:"type,omitzero"`
	// Encryption says what its parts are encrypted with; nil for plain ones.
	Encryption *Encryption `json:"encryption,omitzero"`
}

// upload is an upload in progress.
type upload struct {
	id        string
	bucket    string
	key       string
	initiated time.Time
	algorithm string
	kind      string // type of the checksum
	folder    string

	encryption *Encryption // nil for none

	mu       sync.Mutex // held while parts are added, and while the upload ends; before key locks
	over     bool       // completed or aborted
	sequence uint64     // of the last part; 0 before the folder was read
}

// uploadIndex knows the uploads in progress.
type uploadIndex struct {
	mu   sync.Mutex
	byID map[string]*upload
}

func (x *uploadIndex) add(u *upload) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.byID[u.id] = u
}

func (x *uploadIndex) forget(id string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	delete(x.byID, id)
}

// of returns the uploads to a bucket whose keys begin with prefix, by key, then by age.
func (x *uploadIndex) of(bucket, prefix string) []*upload {
	x.mu.Lock()
	defer x.mu.Unlock()
	var out []*upload
	for _, u := range x.byID {
		if u.bucket == bucket && strings.HasPrefix(u.key, prefix) {
			out = append(out, u)
		}
	}
	slices.SortFunc(out, func(a, b *upload) int {
		return cmp.Or(strings.Compare(a.key, b.key), strings.Compare(a.id, b.id))
	})
	return out
}

// loadUploads reads the uploads that were in progress, and removes what is left of others.
func (s *Store) loadUploads() error {
	s.uploads.byID = make(map[string]*upload)
	entries, err := os.ReadDir(s.uploadsPath)
	if err != nil {
		return fmt.Errorf("read the uploads in progress: %w", err)
	}
	for _, e := range entries {
		folder := filepath.Join(s.uploadsPath, e.Name())
		info, err := readUploadInfo(folder)
		if isAbsent(err) || err == nil && s.requireBucket(info.Bucket) != nil {
			s.log.Info("removed what was left of an upload", "upload", e.Name())
			if err := s.disk.RemoveTree(folder); err != nil {
				return fmt.Errorf("remove what is left of upload %s: %w", e.Name(), err)
			}
			continue
		}
		if err != nil {
			s.log.Warn("set an upload aside that cannot be read; nothing was deleted", "folder", folder, "error", err)
			continue
		}
		s.uploads.add(newUpload(e.Name(), folder, info))
	}
	return nil
}

func newUpload(id, folder string, info uploadInfo) *upload {
	return &upload{id: id, bucket: info.Bucket, key: info.Key, initiated: info.Initiated,
		algorithm: info.Algorithm, kind: info.Type, folder: folder, encryption: info.Encryption}
}

func readUploadInfo(folder string) (uploadInfo, error) {
	data, err := os.ReadFile(filepath.Join(folder, uploadFile))
	if err != nil {
		return uploadInfo{}, err
	}
	var info uploadInfo
	if err := json.Unmarshal(data, &info); err != nil {
		return uploadInfo{}, fmt.Errorf("read %s: %w", uploadFile, err)
	}
	return info, nil
}

// findUpload returns the upload of that id, if it is for this key.
func (s *Store) findUpload(bucket, key, id string) (*upload, error) {
	s.uploads.mu.Lock()
	u := s.uploads.byID[id]
	s.uploads.mu.Unlock()
	if u == nil || u.bucket != bucket || u.key != key {
		if err := s.requireBucket(bucket); err != nil {
			return nil, err
		}
		return nil, with(errNoSuchUpload, "UploadId", id)
	}
	return u, nil
}

// createUpload starts an upload and returns its id.
func (s *Store) createUpload(info uploadInfo) (id string, err error) {
	if err := s.requireBucket(info.Bucket); err != nil {
		return "", err
	}
	tree := s.tree(info.Bucket) // so that the bucket is not deleted meanwhile
	tree.RLock()
	defer tree.RUnlock()
	if err := s.requireBucket(info.Bucket); err != nil {
		return "", err
	}
	info.Initiated = s.now().UTC().Truncate(time.Millisecond)
	id = newUploadID(info.Initiated)
	data, err := json.Marshal(info, json.Deterministic(true))
	if err != nil {
		return "", fmt.Errorf("start an upload to %s/%s: %w", info.Bucket, info.Key, err)
	}
	folder := filepath.Join(s.uploadsPath, id)
	if err := s.disk.Mkdir(folder, folderPerm); err != nil {
		return "", fmt.Errorf("start an upload to %s/%s: %w", info.Bucket, info.Key, err)
	}
	if err := s.disk.WriteFileVia(s.stagingPath, filepath.Join(folder, uploadFile), data, filePerm); err != nil {
		err = errors.Join(err, s.disk.RemoveTree(folder))
		return "", fmt.Errorf("start an upload to %s/%s: %w", info.Bucket, info.Key, err)
	}
	s.uploads.add(newUpload(id, folder, info))
	return id, nil
}

// newUploadID makes an id that sorts by time: 12 hex digits of milliseconds, 20 at random.
func newUploadID(at time.Time) string {
	var random [10]byte
	_, _ = rand.Read(random[:]) // never fails
	return fmt.Sprintf("%012x%s", at.UnixMilli()&(1<<48-1), hex.EncodeToString(random[:]))
}

// addPart makes a received file a part of the upload. The file is the caller's to abort.
func (s *Store) addPart(u *upload, number int, f *durable.File, d digest, algorithm string) (part, error) {
	err := f.SetModified(s.now())
	if err == nil {
		err = f.Sync() // before the lock: it takes long
	}
	if err != nil {
		return part{}, fmt.Errorf("store part %d of %s/%s: %w", number, u.bucket, u.key, err)
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.over {
		return part{}, with(errNoSuchUpload, "UploadId", u.id)
	}
	if u.sequence == 0 {
		_, highest, err := readParts(u.folder)
		if err != nil {
			return part{}, fmt.Errorf("store part %d of %s/%s: %w", number, u.bucket, u.key, err)
		}
		u.sequence = highest
	}
	u.sequence++
	p := part{number: number, sequence: u.sequence, size: d.size, tag: d.tag, quick: d.quick,
		algorithm: algorithm, sum: d.sum}
	if err := f.Commit(filepath.Join(u.folder, p.fileName())); err != nil {
		return part{}, fmt.Errorf("store part %d of %s/%s: %w", number, u.bucket, u.key, err)
	}
	return p, nil
}

// abort ends an upload without an object.
func (s *Store) abort(u *upload) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.over {
		return with(errNoSuchUpload, "UploadId", u.id)
	}
	return s.end(u)
}

// end takes an upload away. Its lock is held. A crash leaves the upload whole, or a folder
// that is no upload.
func (s *Store) end(u *upload) error {
	if err := s.disk.Remove(filepath.Join(u.folder, uploadFile)); err != nil {
		return fmt.Errorf("end upload %s: %w", u.id, err)
	}
	u.over = true
	s.uploads.forget(u.id)
	if err := s.disk.RemoveTree(u.folder); err != nil {
		return fmt.Errorf("end upload %s: %w", u.id, err)
	}
	return nil
}

// endAll ends the uploads of a bucket that is no more.
func (s *Store) endAll(uploads []*upload) error {
	for _, u := range uploads {
		if err := s.abort(u); err != nil && !is(err, errNoSuchUpload) {
			return err
		}
	}
	return nil
}

// complete makes the wanted parts the object of the upload's key, and ends the upload. A
// crash before the object is there leaves the upload, to be completed again; a crash after
// leaves both, and completing again gives the same object.
//
// key is that of an encrypted upload.
func (s *Store) complete(ctx context.Context, u *upload, key *objectKey, wanted []wantedPart, expected Checksum, allow guard) (Info, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.over {
		return Info{}, with(errNoSuchUpload, "UploadId", u.id)
	}
	have, _, err := readParts(u.folder)
	if err != nil {
		return Info{}, fmt.Errorf("complete %s/%s: %w", u.bucket, u.key, err)
	}
	parts, err := chooseParts(have, wanted, s.minPart)
	if err != nil {
		return Info{}, err
	}
	info, err := u.describe(parts, key)
	if err != nil {
		return Info{}, err
	}
	if expected.Value != "" && expected.Algorithm == info.Checksum.Algorithm && expected.Value != info.Checksum.Value {
		return Info{}, errBadDigest
	}
	if info, err = s.assemble(ctx, u, parts, info, allow); err != nil {
		return Info{}, err
	}
	return info, s.end(u) // after an error the client may complete it again
}

// describe makes the Info of the object that the parts will be.
func (u *upload) describe(parts []part, key *objectKey) (Info, error) {
	stored, err := readUploadInfo(u.folder)
	if err != nil {
		return Info{}, fmt.Errorf("complete %s/%s: %w", u.bucket, u.key, err)
	}
	info := Info{ETag: tagOfParts(parts), Headers: stored.Headers, User: stored.User}
	info.Parts, info.Size = runsOf(parts, u.encryption != nil)
	if info.Size > maxObject {
		return Info{}, errEntityTooLarge
	}
	if u.algorithm != "" {
		for _, p := range parts {
			if p.algorithm != u.algorithm {
				return Info{}, errInvalidPart
			}
		}
		info.Checksum = checksumOfParts(u.algorithm, u.kind, parts)
	}
	info.encrypted(u.encryption, key)
	return info, nil
}

// assemble puts the parts' bytes into one file and commits it. A single part is linked
// instead of copied.
func (s *Store) assemble(ctx context.Context, u *upload, parts []part, info Info, allow guard) (Info, error) {
	var f *durable.File
	var err error
	if len(parts) == 1 {
		if done, ok, err := s.completedBefore(u, parts[0], info); ok || err != nil {
			return done, err
		}
		f, err = s.disk.LinkFrom(filepath.Join(u.folder, parts[0].fileName()), s.stagingPath)
	}
	if len(parts) > 1 || err != nil { // not every file system has links
		f, err = s.disk.Create(s.stagingPath, filePerm)
		if err == nil {
			err = appendParts(ctx, f, u, parts)
		}
	}
	if err == nil {
		info, err = s.commit(u.bucket, u.key, f, info, allow)
	}
	if f != nil {
		err = errors.Join(err, f.Abort())
	}
	if err != nil {
		return Info{}, fmt.Errorf("complete %s/%s: %w", u.bucket, u.key, err)
	}
	return info, nil
}

// completedBefore reports whether the object is the very file of a linked part: a crash
// came between the commit and the end of the upload. Renaming a link onto itself would do
// nothing, and touching it would change the object.
func (s *Store) completedBefore(u *upload, p part, info Info) (Info, bool, error) {
	partFile, err := os.Stat(filepath.Join(u.folder, p.fileName()))
	if err != nil {
		return Info{}, false, err
	}
	_, object, err := s.findFile(u.bucket, u.key)
	if isAbsent(err) || err == nil && !os.SameFile(partFile, object) {
		return Info{}, false, nil
	}
	if err != nil {
		return Info{}, false, err
	}
	now, err := s.statObject(u.bucket, u.key)
	return now, err == nil && now.ETag == info.ETag, err
}

// appendParts copies the parts to f, inside the kernel where the system can.
func appendParts(ctx context.Context, f *durable.File, u *upload, parts []part) error {
	for _, p := range parts {
		if err := ctx.Err(); err != nil {
			return err
		}
		size := p.size
		if u.encryption != nil {
			size = sealedSize(size)
		}
		if err := appendPart(f, filepath.Join(u.folder, p.fileName()), size); err != nil {
			return err
		}
	}
	return nil
}

func appendPart(f *durable.File, path string, size int64) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	n, err := f.ReadFrom(file)
	if err == nil && n != size {
		err = fmt.Errorf("%s holds %d bytes, not %d", path, n, size)
	}
	return errors.Join(err, file.Close())
}

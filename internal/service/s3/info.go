package s3

import (
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/go-json-experiment/json"
)

// Info is what is known of an object beside its bytes.
type Info struct {
	// Size is the object's size in bytes.
	Size int64 `json:"size"`
	// Changed is the time of last change of the file that this speaks of, Unix nanoseconds.
	// Together with Size it tells whether the file is still that one.
	Changed int64 `json:"changed"`
	// Modified is S3's Last-Modified.
	Modified time.Time `json:"modified"`
	// ETag without quotes: the MD5 in hex, or a form with a dash that is none.
	ETag string `json:"etag"`
	// Headers are the content headers given with the object, by their canonical names.
	Headers map[string]string `json:"headers,omitzero"`
	// User is the user metadata, by lower-case names without x-amz-meta-.
	User map[string]string `json:"user,omitzero"`
	// Checksum is the one that the client gave, if any.
	Checksum Checksum `json:"checksum,omitzero"`
	// Parts are the runs of equally large parts that a multipart upload had.
	Parts []PartRun `json:"parts,omitzero"`
	// Encryption says how to open the file; nil for a plain one.
	Encryption *Encryption `json:"encryption,omitzero"`

	damaged bool // the file is encrypted, and nothing says how to open it
}

// PartRun is Count parts of Size bytes each.
type PartRun struct {
	// First is the number of the first part; the others follow. Only encrypted objects have it.
	First int   `json:"first,omitzero"`
	Count int   `json:"count"`
	Size  int64 `json:"size"`
}

// partCount is how many parts the object was uploaded in; 0 when by a single put.
func (i *Info) partCount() int {
	n := 0
	for _, run := range i.Parts {
		n += run.Count
	}
	return n
}

// part returns where part number n (from 1) lies. An object of a single put is its own
// first part.
func (i *Info) part(n int) (offset, size int64, ok bool) {
	if len(i.Parts) == 0 {
		return 0, i.Size, n == 1
	}
	for _, run := range i.Parts {
		if n <= run.Count {
			return offset + int64(n-1)*run.Size, run.Size, n >= 1
		}
		n -= run.Count
		offset += int64(run.Count) * run.Size
	}
	return 0, 0, false
}

// describes reports whether the Info speaks of this file.
func (i *Info) describes(file fs.FileInfo) bool {
	return i.fileSize() == file.Size() && i.Changed == file.ModTime().UnixNano()
}

// foreignInfo is the Info of a file without a fitting sidecar. Reading the bytes to make an
// ETag of them could take minutes in a listing, so size and time of last change stand in.
func foreignInfo(file fs.FileInfo) Info {
	changed := file.ModTime()
	sum := md5.Sum(fmt.Appendf(nil, "%d %d", file.Size(), changed.UnixNano()))
	return Info{
		Size: file.Size(), Changed: changed.UnixNano(), Modified: changed.UTC().Truncate(time.Millisecond),
		ETag: hex.EncodeToString(sum[:]) + "-0",
	}
}

// sidecar is the content of a sidecar file: the Info of the object, and while it is being
// replaced that of its predecessor behind it.
type sidecar struct {
	Key   string `json:"key"`
	Infos []Info `json:"infos"`
}

// find returns the Info that speaks of file.
func (s *sidecar) find(file fs.FileInfo) (Info, bool) {
	for _, i := range s.Infos {
		if i.describes(file) {
			return i, true
		}
	}
	return Info{}, false
}

// match returns the Info that speaks of file, if one does, else what is to be made of the
// file. An encrypted file is never taken for a foreign one: with its size or its time of last
// change another, it is what the sidecar says, and whether it opens shows when it is read.
// sealed says whether the file is encrypted.
func (s *sidecar) match(file fs.FileInfo, sealed func() bool) (info Info, ok bool) {
	if info, ok := s.find(file); ok {
		return info, true
	}
	info = foreignInfo(file)
	if !sealed() {
		return info, false
	}
	info.damaged = true
	for _, i := range s.Infos {
		if i.Encryption != nil && (info.damaged || i.fileSize() == file.Size()) {
			info = i
		}
	}
	return info, false
}

// readSidecar reads the sidecar at path. One that is absent, or that a person broke, is an
// empty one: the object then is a foreign file.
func readSidecar(path string) (sidecar, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return sidecar{}, nil
	}
	if err != nil {
		return sidecar{}, fmt.Errorf("read what is known of an object: %w", err)
	}
	var s sidecar
	if json.Unmarshal(data, &s) != nil {
		return sidecar{}, nil
	}
	return s, nil
}

// encode gives the bytes of the sidecar file.
func (s *sidecar) encode() ([]byte, error) {
	data, err := json.Marshal(s, json.Deterministic(true))
	if err != nil {
		return nil, fmt.Errorf("encode what is known of an object: %w", err)
	}
	return data, nil
}

package lambda

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

const (
	// maxFetching is how many zips of the object store are in memory at once.
	maxFetching = 2
	// maxStored is bytes of zips of all functions and their versions, AWS's quota.
	maxStored = 75 << 30
	// linkTime is how long the link to a zip can be used, as on AWS.
	linkTime = 10 * time.Minute
)

// source is where code comes from.
type source struct {
	ZipFile         []byte
	S3Bucket        string
	S3Key           string
	S3ObjectVersion string
	ImageURI        string `json:"ImageUri"`
}

// code returns the zip that a request brings or names, and what to call when it is not used
// any more.
func (s *Service) code(q *request, from *source) (data []byte, done func(), err error) {
	switch {
	case from.ZipFile != nil && from.S3Bucket != "":
		return nil, nil, fmt.Errorf("%w: code comes from ZipFile or from S3, not from both", ErrInvalid)
	case from.ZipFile != nil:
		return from.ZipFile, func() {}, nil
	case from.S3Bucket == "" || from.S3Key == "":
		return nil, nil, fmt.Errorf("%w: the code has to be given as ZipFile, or as S3Bucket and S3Key", ErrInvalid)
	case s.opt.Fetch == nil:
		return nil, nil, fmt.Errorf("%w: this server takes code as ZipFile only", ErrInvalid)
	}
	if err := q.caller.Authorize(q.Context(), "s3:GetObject",
		"arn:"+s.opt.Partition+":s3:::"+from.S3Bucket+"/"+from.S3Key); err != nil {
		return nil, nil, err
	}
	select {
	case s.fetching <- struct{}{}:
	case <-q.Context().Done():
		return nil, nil, q.Context().Err()
	}
	done = func() { <-s.fetching }
	if data, err = s.fetch(q, from); err != nil {
		done()
		return nil, nil, err
	}
	return data, done, nil
}

// fetch reads a zip of the object store.
func (s *Service) fetch(q *request, from *source) (_ []byte, err error) {
	body, err := s.opt.Fetch(q.Context(), from.S3Bucket, from.S3Key, from.S3ObjectVersion)
	if err != nil {
		return nil, invalid("Error occurred while GetObject. " + clip(err.Error()))
	}
	defer func() { err = errors.Join(err, body.Close()) }()
	data, err := io.ReadAll(io.LimitReader(body, maxZip+1))
	if err != nil {
		return nil, invalid("Error occurred while GetObject. " + clip(err.Error()))
	}
	return data, nil // unpack refuses what is too large
}

// store unpacks code and makes the function durable with it.
func (s *Service) store(st *stored, data []byte) error {
	c := &st.Configuration
	if err := s.room(int64(len(data))); err != nil {
		return err
	}
	sum := sha256.Sum256(data)
	code, err := s.folder.unpack(c.FunctionName, data, sum)
	if err != nil {
		return err
	}
	st.Code, c.CodeSize, c.CodeSha256 = code, int64(len(data)), base64.StdEncoding.EncodeToString(sum[:])
	c.stamp(s.opt.Now())
	if err := s.folder.write(c.FunctionName, st); err != nil {
		return errors.Join(err, s.folder.removeCode(c.FunctionName, code))
	}
	return nil
}

// usage is what all functions and versions have of zips, bytes, and how many functions
// there are.
func (s *Service) usage() (size int64, functions int) {
	all := s.list()
	for _, f := range all {
		for _, c := range s.versionsOf(f) {
			size += c.CodeSize
		}
	}
	return size, len(all)
}

// room says whether there may be so many bytes of zips more.
func (s *Service) room(size int64) error {
	if used, _ := s.usage(); used+size > maxStored {
		return fmt.Errorf("%w: zips may have %d bytes in all", ErrStorage, int64(maxStored))
	}
	return nil
}

// location is where code is.
type location struct {
	RepositoryType string
	Location       string `json:",omitempty"` // a link to the zip
}

// locate makes a link to a zip: a request of downloadCode that is signed already, for the
// host that this request came to. There is none for zips that were not kept.
func (s *Service) locate(q *request, d *deployment) location {
	at := location{RepositoryType: "S3"}
	if s.opt.Presign == nil {
		return at
	}
	name := d.config.FunctionName
	if _, err := os.Stat(s.folder.zip(name, d.code)); err != nil {
		return at
	}
	url := "http://"
	if q.TLS != nil {
		url = "https://"
	}
	url += q.Host + functionsPath + "/" + name + "/code"
	if v := d.config.Version; v != latest {
		url += "?Qualifier=" + v
	}
	r, err := http.NewRequestWithContext(q.Context(), http.MethodGet, url, nil)
	if err == nil {
		at.Location, err = s.opt.Presign(r, linkTime)
	}
	if err != nil {
		s.opt.Logger.Warn("no link to the code of a function", "function", name, "error", err)
	}
	return at
}

// downloadCode serves the zip of a version. AWS has no such operation: it is what the links
// in GetFunction's answers lead to.
func (s *Service) downloadCode(q *request) (int, any, error) {
	if err := s.allow(q, "GetFunction"); err != nil {
		return 0, nil, err
	}
	d, err := s.resolve(q.target)
	if err != nil {
		return 0, nil, err
	}
	f, err := os.Open(s.folder.zip(d.config.FunctionName, d.code))
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil, answer("ResourceNotFoundException", http.StatusNotFound, "The zip of this code was not kept.")
	}
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, f, nil
}

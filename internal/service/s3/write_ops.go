package s3

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"

	"hydrant/internal/durable"
)

// putObject stores an object whole.
func (c *call) putObject() error {
	headers, user, err := c.objectHeaders()
	if err != nil {
		return err
	}
	allow, err := readWriteConditions(c.r.Header)
	if err != nil {
		return err
	}
	expected, err := expectationOf(c.r)
	if err != nil {
		return err
	}
	expected.quick = takesQuickTags(c.ctx())
	if err := c.precheck(&allow); err != nil {
		return err
	}
	encryption, key, err := c.encrypt()
	if err != nil {
		return err
	}
	f, d, err := c.s.receive(c.ctx(), clientBody{c.r.Body}, expected, sealingOf(encryption, key, 0))
	if err != nil {
		return fmt.Errorf("receive %s/%s: %w", c.bucket, c.key, err)
	}
	info := Info{Size: d.size, ETag: d.etag(), Headers: headers, User: user, Checksum: d.checksum(expected.algorithm)}
	info.encrypted(encryption, key)
	info, err = c.s.commit(c.bucket, c.key, f, info, allow.forWriting)
	if err := errors.Join(err, f.Abort()); err != nil {
		return err
	}
	c.nameResult(info.ETag, info.Checksum)
	c.nameEncryption(info.Encryption)
	return c.empty(http.StatusOK)
}

// precheck fails early, before a body is read, where commit would fail later.
func (c *call) precheck(allow *conditions) error {
	if err := c.s.requireBucket(c.bucket); err != nil {
		return err
	}
	if allow.match == "" && allow.noneMatch == "" {
		return nil
	}
	info, err := c.s.statObject(c.bucket, c.key)
	if is(err, errNoSuchKey) {
		return allow.forWriting(nil)
	}
	if err != nil {
		return err
	}
	return allow.forWriting(&info)
}

// nameResult sets the headers that say what was stored.
func (c *call) nameResult(etag string, sum Checksum) {
	h := c.w.Header()
	h.Set("Etag", `"`+etag+`"`)
	if sum.Value != "" {
		h.Set(checksumHeader(sum.Algorithm), sum.Value)
		h.Set("X-Amz-Checksum-Type", sum.Type)
	}
}

// source is an object that is copied from.
type source struct {
	bucket, key string
	file        *os.File
	info        Info
}

// openSource opens the object that x-amz-copy-source names, if its conditions hold.
func (c *call) openSource() (*source, error) {
	header := c.r.Header.Get("X-Amz-Copy-Source")
	path, query, _ := strings.Cut(header, "?")
	name, err := url.PathUnescape(path)
	bucket, key, ok := strings.Cut(strings.TrimPrefix(name, "/"), "/")
	if err != nil || !ok || key == "" || len(key) > maxKey {
		return nil, badArgument("x-amz-copy-source", header, "Copy Source must mention the source bucket and key: sourcebucket/sourcekey")
	}
	if query != "" && query != "versionId=null" {
		return nil, unimplemented("x-amz-copy-source with versionId")
	}
	if err := c.authorize("GetObject", bucket, key); err != nil {
		return nil, err
	}
	if err := c.s.requireBucket(bucket); err != nil {
		return nil, err
	}
	f, info, err := c.s.openObject(bucket, key)
	if err != nil {
		return nil, err
	}
	conditions := readConditions(c.r.Header, "X-Amz-Copy-Source-")
	if err := conditions.forCopying(&info); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &source{bucket, key, f, info}, nil
}

// copyObject stores an object's bytes under another key.
func (c *call) copyObject() (err error) {
	headers, user, err := c.objectHeaders()
	if err != nil {
		return err
	}
	allow, err := readWriteConditions(c.r.Header)
	if err != nil {
		return err
	}
	replace := strings.EqualFold(c.r.Header.Get("X-Amz-Metadata-Directive"), "REPLACE")
	if err := c.precheck(&allow); err != nil {
		return err
	}
	from, err := c.openSource()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.file.Close()) }()
	if from.bucket == c.bucket && from.key == c.key && !replace && c.r.Header[sseHeader] == nil {
		return saying(errInvalidRequest, "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.")
	}
	if from.info.Size > maxPut {
		return saying(errInvalidRequest, "The specified copy source is larger than the maximum allowable size for a copy source: 5368709120")
	}
	info := from.info
	if replace {
		info.Headers, info.User = headers, user
	}
	if info, err = c.copyBytes(from, info, allow.forWriting); err != nil {
		return err
	}
	c.nameEncryption(info.Encryption)
	return writeDocument(c.w, http.StatusOK, &copyResult{XMLName: xml.Name{Space: namespace, Local: "CopyObjectResult"},
		LastModified: stamped(info.Modified), ETag: quoted(info.ETag), checksumElements: newChecksumElements(info.Checksum, true)})
}

// copyBytes stores the source's bytes under the call's key. An ETag and a checksum that
// speak of the bytes are kept, and the bytes copied by the kernel; otherwise they are read.
// How the copy is encrypted does not depend on its source.
func (c *call) copyBytes(from *source, info Info, allow guard) (Info, error) {
	info.Parts, info.Encryption = nil, nil
	encryption, key, err := c.encrypt()
	if err != nil {
		return Info{}, err
	}
	want := expectation{size: from.info.Size, quick: takesQuickTags(c.ctx())}
	if asked := strings.ToLower(c.r.Header.Get("X-Amz-Checksum-Algorithm")); asked != "" {
		if _, _, err := checksumChoice(c.r.Header); err != nil {
			return Info{}, err
		}
		want.algorithm = asked
	} else if from.info.Checksum.Type == composite {
		want.algorithm = from.info.Checksum.Algorithm
	}
	var f *durable.File
	if strings.Contains(info.ETag, "-") || want.algorithm != "" || from.info.Encryption != nil || encryption != nil {
		body, err := c.content(from.bucket, from.key, from.file, &from.info, byteRange{0, from.info.Size})
		if err != nil {
			return Info{}, err
		}
		var d digest
		if f, d, err = c.s.receive(c.ctx(), body, want, sealingOf(encryption, key, 0)); err != nil {
			return Info{}, fmt.Errorf("copy %s/%s: %w", from.bucket, from.key, err)
		}
		info.ETag = d.etag()
		if want.algorithm != "" {
			info.Checksum = d.checksum(want.algorithm)
		}
	} else if f, err = c.s.duplicate(from.file, from.info.Size); err != nil {
		return Info{}, fmt.Errorf("copy %s/%s: %w", from.bucket, from.key, err)
	}
	info.encrypted(encryption, key)
	info, err = c.s.commit(c.bucket, c.key, f, info, allow)
	return info, errors.Join(err, f.Abort())
}

// duplicate copies a file to staging, inside the kernel where the system can.
func (s *Store) duplicate(from *os.File, size int64) (*durable.File, error) {
	f, err := s.disk.Create(s.stagingPath, filePerm)
	if err != nil {
		return nil, err
	}
	n, err := f.ReadFrom(from)
	if err == nil && n != size {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, errors.Join(err, f.Abort())
	}
	return f, nil
}

// quickTagsKey marks the context of a request whose sender takes ETags that are no MD5.
type quickTagsKey struct{}

// takesQuickTags reports whether a transport in this process marked the request so. A
// header could be sent by anybody.
func takesQuickTags(ctx context.Context) bool {
	quick, _ := ctx.Value(quickTagsKey{}).(bool)
	return quick
}

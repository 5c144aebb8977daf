package s3

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

// responseHeaders are the headers of an answer that a query may override.
var responseHeaders = map[string]string{
	"response-cache-control": "Cache-Control", "response-content-disposition": "Content-Disposition",
	"response-content-encoding": "Content-Encoding", "response-content-language": "Content-Language",
	"response-content-type": "Content-Type", "response-expires": "Expires",
}

// getObject answers with an object's bytes, or a range of them.
func (c *call) getObject() (err error) {
	if err := c.refuseEncryptionHeaders(); err != nil {
		return err
	}
	f, info, err := c.s.openObject(c.bucket, c.key)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	want, status, err := c.selectBytes(&info)
	if err != nil {
		return err
	}
	body, err := c.content(c.bucket, c.key, f, &info, want)
	if err != nil {
		return err
	}
	c.describeObject(&info, want, status)
	return c.send(body, want, status)
}

// content reads the wanted bytes of an object.
func (c *call) content(bucket, key string, f *os.File, info *Info, want byteRange) (io.Reader, error) {
	if info.Encryption != nil {
		plain, err := c.openObjectKey(bucket, key, info.Encryption)
		if err != nil {
			return nil, err
		}
		body, err := newUnsealer(f, plain, info, want)
		if err != nil {
			return nil, fmt.Errorf("read %s/%s: %w", bucket, key, err)
		}
		return body, nil
	}
	if want.offset > 0 {
		if _, err := f.Seek(want.offset, io.SeekStart); err != nil {
			return nil, err
		}
	}
	return io.LimitReader(f, want.size), nil
}

// send writes the wanted bytes.
func (c *call) send(body io.Reader, want byteRange, status int) error {
	c.w.WriteHeader(status)
	n, err := io.Copy(c.w, body)
	if errors.Is(err, errSealBroken) { // the answer has begun, and can only be cut short
		c.s.log.Error("an encrypted object is damaged", "bucket", c.bucket, "key", c.key, "request", c.id, "error", err)
	}
	if err == nil && n < want.size {
		err = io.ErrUnexpectedEOF // somebody cut the file; net/http closes the connection
	}
	return connectionError(err)
}

// headObject answers with what is known of an object.
func (c *call) headObject() error {
	if err := c.refuseEncryptionHeaders(); err != nil {
		return err
	}
	info, err := c.s.statObject(c.bucket, c.key)
	if err != nil {
		return err
	}
	want, status, err := c.selectBytes(&info)
	if err != nil {
		return err
	}
	c.describeObject(&info, want, status)
	c.w.WriteHeader(status)
	return nil
}

// selectBytes checks the conditions and finds which bytes are wanted, and the status that
// goes with them.
func (c *call) selectBytes(info *Info) (byteRange, int, error) {
	whole := byteRange{0, info.Size}
	conditions := readConditions(c.r.Header, "")
	if err := conditions.forReading(info); err != nil {
		if is(err, errNotModified) {
			c.w.Header().Set("Etag", `"`+info.ETag+`"`)
			c.w.Header().Set("Last-Modified", headerTime(info.Modified))
		}
		return whole, 0, err
	}
	header := c.r.Header.Get("Range")
	if c.query.Has("partNumber") {
		return c.selectPart(info, header)
	}
	r, ok, err := readRange(header, info.Size)
	if err != nil {
		return whole, 0, err
	}
	if !ok {
		return whole, http.StatusOK, nil
	}
	return r, http.StatusPartialContent, nil
}

// selectPart finds the bytes that were uploaded as one part.
func (c *call) selectPart(info *Info, header string) (byteRange, int, error) {
	n, err := c.number("partNumber", 0, 1, maxParts+1)
	if err != nil {
		return byteRange{}, 0, err
	}
	if header != "" {
		return byteRange{}, 0, saying(errInvalidRequest, "Cannot specify both Range header and partNumber query parameter")
	}
	offset, size, ok := info.part(n)
	if !ok {
		return byteRange{}, 0, with(errInvalidPartNumber, "PartNumberRequested", strconv.Itoa(n))
	}
	if count := info.partCount(); count > 0 {
		c.w.Header().Set("X-Amz-Mp-Parts-Count", strconv.Itoa(count))
	}
	if size == 0 { // no Content-Range could say it
		return byteRange{}, http.StatusOK, nil
	}
	return byteRange{offset, size}, http.StatusPartialContent, nil
}

// describeObject sets the headers of an answer with an object.
func (c *call) describeObject(info *Info, want byteRange, status int) {
	h := c.w.Header()
	h.Set("Content-Type", "binary/octet-stream")
	for name, value := range info.Headers {
		h.Set(name, value)
	}
	for name, value := range info.User {
		h["x-amz-meta-"+name] = []string{value} // in lower case: some clients give the name out as it comes
	}
	c.nameEncryption(info.Encryption)
	h.Set("Accept-Ranges", "bytes")
	h.Set("Etag", `"`+info.ETag+`"`)
	h.Set("Last-Modified", headerTime(info.Modified))
	h.Set("Content-Length", strconv.FormatInt(want.size, 10))
	if status == http.StatusPartialContent {
		h.Set("Content-Range", want.contentRange(info.Size))
	}
	if sum := info.Checksum; sum.Value != "" && want.size == info.Size && strings.EqualFold(c.r.Header.Get("X-Amz-Checksum-Mode"), "ENABLED") {
		h.Set(checksumHeader(sum.Algorithm), sum.Value)
		h.Set("X-Amz-Checksum-Type", sum.Type)
	}
	for name, header := range responseHeaders {
		if v := c.query.Get(name); v != "" {
			h.Set(header, v)
		}
	}
}

// objectTagging says that the object has no tags: none can be given.
func (c *call) objectTagging() error {
	if _, err := c.s.statObject(c.bucket, c.key); err != nil {
		return err
	}
	return writeDocument(c.w, http.StatusOK, &taggingResult{})
}

// deleteObject removes an object. That there is none is fine, as on AWS.
func (c *call) deleteObject() error {
	if err := c.s.requireBucket(c.bucket); err != nil {
		return err
	}
	allow, err := readWriteConditions(c.r.Header)
	if err != nil {
		return err
	}
	removal := c.s.newRemoval(c.bucket)
	if err := removal.remove(c.key, allow.forWriting); err != nil {
		return err
	}
	if err := removal.finish(); err != nil {
		return err
	}
	return c.empty(http.StatusNoContent)
}

// deleteObjects removes up to 1,000 objects and answers for each.
func (c *call) deleteObjects() error {
	if err := c.s.requireBucket(c.bucket); err != nil {
		return err
	}
	body, check, err := c.checkedBody()
	if err != nil {
		return err
	}
	var request deleteRequest
	if err := readDocument(body, &request); err != nil {
		return err
	}
	if _, err := check.finish(); err != nil {
		return err
	}
	if len(request.Objects) == 0 || len(request.Objects) > maxPageSize {
		return errMalformedXML
	}
	removal := c.s.newRemoval(c.bucket)
	var result deleteResult
	failed := make(map[string]error)
	for _, o := range request.Objects {
		if err := c.deleteOne(removal, o.Key, o.ETag, o.VersionID); err != nil {
			failed[o.Key] = err
		}
	}
	if err := removal.finish(); err != nil {
		return err
	}
	for _, o := range request.Objects {
		if err := failed[o.Key]; err != nil {
			e, _ := apiError(err)
			result.Errors = append(result.Errors, deleteErrorElement{newText(o.Key), e.Code, newText(e.Message)})
		} else if !request.Quiet {
			result.Deleted = append(result.Deleted, deletedElement{newText(o.Key)})
		}
	}
	return writeDocument(c.w, http.StatusOK, &result)
}

// deleteOne removes one object of deleteObjects.
func (c *call) deleteOne(removal *removal, key, etag, version string) error {
	if key == "" {
		return errMalformedXML
	}
	if len(key) > maxKey {
		return errKeyTooLong
	}
	if version != "" && version != "null" {
		return unimplemented("VersionId")
	}
	if err := c.authorize("DeleteObject", c.bucket, key); err != nil {
		return err
	}
	allow := conditions{match: etag}
	err := removal.remove(key, allow.forWriting)
	if _, hidden := apiError(err); err != nil && hidden {
		c.s.log.Error("an object could not be deleted", "bucket", c.bucket, "key", key, "request", c.id, "error", err)
	}
	return err
}

// checkedBody is the request's body, hashed while it is read.
func (c *call) checkedBody() (io.Reader, *digester, error) {
	e, err := expectationOf(c.r)
	if err != nil {
		return nil, nil, err
	}
	check := newDigester(e)
	return io.TeeReader(c.r.Body, check), check, nil
}

// headerTime writes a time for a header.
func headerTime(t time.Time) string { return t.UTC().Format(http.TimeFormat) }

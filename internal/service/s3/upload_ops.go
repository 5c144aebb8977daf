package s3

import (
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

func (c *call) createUpload() error {
	headers, user, err := c.objectHeaders()
	if err != nil {
		return err
	}
	algorithm, kind, err := checksumChoice(c.r.Header)
	if err != nil {
		return err
	}
	if err := c.s.requireBucket(c.bucket); err != nil {
		return err
	}
	encryption, _, err := c.encrypt()
	if err != nil {
		return err
	}
	id, err := c.s.createUpload(uploadInfo{Bucket: c.bucket, Key: c.key, Headers: headers, User: user,
		Algorithm: algorithm, Type: kind, Encryption: encryption})
	if err != nil {
		return err
	}
	c.nameEncryption(encryption)
	if algorithm != "" {
		c.w.Header().Set("X-Amz-Checksum-Algorithm", strings.ToUpper(algorithm))
		c.w.Header().Set("X-Amz-Checksum-Type", kind)
	}
	return writeDocument(c.w, http.StatusOK, &createUploadResult{Bucket: c.bucket, Key: newText(c.key), UploadID: id})
}

// findPart finds the upload and the part number that a request speaks of.
func (c *call) findPart() (*upload, int, error) {
	if err := c.refuseEncryptionHeaders(); err != nil {
		return nil, 0, err
	}
	number, err := strconv.Atoi(c.query.Get("partNumber"))
	if err != nil || number < 1 || number > maxParts {
		return nil, 0, badArgument("partNumber", c.query.Get("partNumber"),
			"Part number must be an integer between 1 and %d, inclusive", maxParts)
	}
	u, err := c.s.findUpload(c.bucket, c.key, c.query.Get("uploadId"))
	return u, number, err
}

// partExpectation adds what the upload wants of every part.
func partExpectation(e expectation, u *upload) (expectation, error) {
	if u.algorithm == "" || e.algorithm == u.algorithm {
		return e, nil
	}
	if e.algorithm != "" {
		return e, saying(errInvalidRequest, "Checksum Type mismatch occurred, expected checksum Type: %s, actual checksum Type: %s", u.algorithm, e.algorithm)
	}
	e.algorithm = u.algorithm
	return e, nil
}

func (c *call) uploadPart() error {
	u, number, err := c.findPart()
	if err != nil {
		return err
	}
	expected, err := expectationOf(c.r)
	if err != nil {
		return err
	}
	if expected, err = partExpectation(expected, u); err != nil {
		return err
	}
	expected.quick = takesQuickTags(c.ctx())
	key, err := c.openObjectKey(c.bucket, c.key, u.encryption)
	if err != nil {
		return err
	}
	f, d, err := c.s.receive(c.ctx(), clientBody{c.r.Body}, expected, sealingOf(u.encryption, key, number))
	if err != nil {
		return fmt.Errorf("receive part %d of %s/%s: %w", number, c.bucket, c.key, err)
	}
	p, err := c.s.addPart(u, number, f, d, expected.algorithm)
	if err := errors.Join(err, f.Abort()); err != nil {
		return err
	}
	c.nameResult(p.etag(), p.checksum())
	c.nameEncryption(u.encryption)
	c.w.Header().Del("X-Amz-Checksum-Type")
	return c.empty(http.StatusOK)
}

// uploadPartCopy makes a part of the bytes of an object.
func (c *call) uploadPartCopy() (err error) {
	u, number, err := c.findPart()
	if err != nil {
		return err
	}
	from, err := c.openSource()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.file.Close()) }()
	want := byteRange{0, from.info.Size}
	if header := c.r.Header.Get("X-Amz-Copy-Source-Range"); header != "" {
		r, ok, err := readRange(header, from.info.Size)
		if err != nil || !ok {
			return badArgument("x-amz-copy-source-range", header,
				"The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy")
		}
		want = r
	}
	expected, err := partExpectation(expectation{size: want.size, quick: takesQuickTags(c.ctx())}, u)
	if err != nil {
		return err
	}
	key, err := c.openObjectKey(c.bucket, c.key, u.encryption)
	if err != nil {
		return err
	}
	body, err := c.content(from.bucket, from.key, from.file, &from.info, want)
	if err != nil {
		return err
	}
	f, d, err := c.s.receive(c.ctx(), body, expected, sealingOf(u.encryption, key, number))
	if err != nil {
		return fmt.Errorf("copy part %d of %s/%s: %w", number, c.bucket, c.key, err)
	}
	p, err := c.s.addPart(u, number, f, d, expected.algorithm)
	if err := errors.Join(err, f.Abort()); err != nil {
		return err
	}
	c.nameEncryption(u.encryption)
	return writeDocument(c.w, http.StatusOK, &copyResult{XMLName: xml.Name{Space: namespace, Local: "CopyPartResult"},
		LastModified: stamped(c.s.now()), ETag: quoted(p.etag()), checksumElements: newChecksumElements(p.checksum(), false)})
}

// completeUpload makes an object of the parts. Putting many parts together takes long;
// meanwhile spaces keep the connection alive, and an error then comes in the body of an
// answer that began with 200, as on AWS.
func (c *call) completeUpload() error {
	u, err := c.s.findUpload(c.bucket, c.key, c.query.Get("uploadId"))
	if err != nil {
		return err
	}
	allow, err := readWriteConditions(c.r.Header)
	if err != nil {
		return err
	}
	wanted, err := c.readWantedParts()
	if err != nil {
		return err
	}
	key, err := c.openObjectKey(c.bucket, c.key, u.encryption)
	if err != nil {
		return err
	}
	c.nameEncryption(u.encryption)
	type outcome struct {
		info Info
		err  error
	}
	done := make(chan outcome, 1)
	go func() {
		info, err := c.s.complete(c.ctx(), u, key, wanted, c.expectedChecksum(), allow.forWriting)
		done <- outcome{info, err}
	}()
	answer := &slowAnswer{c: c}
	for {
		select {
		case o := <-done:
			if o.err != nil {
				return answer.fail(o.err)
			}
			location := (&url.URL{Scheme: "http", Host: c.r.Host, Path: "/" + c.bucket + "/" + c.key}).String()
			return answer.finish(&completeUploadResult{Location: newText(location), Bucket: c.bucket, Key: newText(c.key),
				ETag: quoted(o.info.ETag), checksumElements: newChecksumElements(o.info.Checksum, true)})
		case <-time.After(keepAliveEvery):
			answer.keepAlive()
		}
	}
}

// expectedChecksum is the checksum that the client wants the object to have, if it says so.
func (c *call) expectedChecksum() Checksum {
	for _, algorithm := range checksumAlgorithms {
		if v := c.r.Header.Get(checksumHeader(algorithm)); v != "" {
			return Checksum{Algorithm: algorithm, Value: v}
		}
	}
	return Checksum{}
}

// readWantedParts reads the list of parts to complete an upload with.
func (c *call) readWantedParts() ([]wantedPart, error) {
	var request completeUploadRequest
	if err := readDocument(c.r.Body, &request); err != nil {
		return nil, err
	}
	if len(request.Parts) > maxParts {
		return nil, errMalformedXML
	}
	wanted := make([]wantedPart, 0, len(request.Parts))
	for _, p := range request.Parts {
		algorithm, sum := p.read()
		wanted = append(wanted, wantedPart{number: p.PartNumber, etag: unquote(p.ETag), algorithm: algorithm, sum: sum})
	}
	return wanted, nil
}

func (c *call) abortUpload() error {
	u, err := c.s.findUpload(c.bucket, c.key, c.query.Get("uploadId"))
	if err != nil {
		return err
	}
	if err := c.s.abort(u); err != nil {
		return err
	}
	return c.empty(http.StatusNoContent)
}

func (c *call) listParts() error {
	u, err := c.s.findUpload(c.bucket, c.key, c.query.Get("uploadId"))
	if err != nil {
		return err
	}
	limit, err := c.number("max-parts", maxPageSize, 0, maxPageSize)
	if err != nil {
		return err
	}
	marker, err := c.number("part-number-marker", 0, 0, maxParts)
	if err != nil {
		return err
	}
	encoding, err := c.encoding()
	if err != nil {
		return err
	}
	parts, _, err := readParts(u.folder)
	if err != nil {
		return fmt.Errorf("list the parts of %s/%s: %w", c.bucket, c.key, err)
	}
	result := listPartsResult{Bucket: c.bucket, Key: encodedText(c.key, encoding), EncodingType: encoding, UploadID: u.id,
		Initiator: c.owner(), Owner: c.owner(), StorageClass: "STANDARD", PartNumberMarker: marker, MaxParts: limit,
		ChecksumAlgorithm: strings.ToUpper(u.algorithm), ChecksumType: u.kind}
	for _, p := range parts {
		if p.number <= marker {
			continue
		}
		if len(result.Parts) == limit {
			result.IsTruncated = limit > 0
			break
		}
		result.NextPartNumberMarker = p.number
		result.Parts = append(result.Parts, partElement{p.number, stamped(p.modified), quoted(p.etag()), p.size,
			newChecksumElements(p.checksum(), false)})
	}
	return writeDocument(c.w, http.StatusOK, &result)
}

// listUploads lists the uploads in progress by key, then by age.
func (c *call) listUploads() error {
	if err := c.s.requireBucket(c.bucket); err != nil {
		return err
	}
	limit, err := c.number("max-uploads", maxPageSize, 0, maxPageSize)
	if err != nil {
		return err
	}
	encoding, err := c.encoding()
	if err != nil {
		return err
	}
	q := uploadQuery{
		listing:  listing{prefix: c.query.Get("prefix"), delimiter: c.query.Get("delimiter"), after: c.query.Get("key-marker"), max: limit},
		afterID:  c.query.Get("upload-id-marker"),
		encoding: encoding,
	}
	result := c.uploadPage(&q, c.s.uploads.of(c.bucket, q.prefix))
	return writeDocument(c.w, http.StatusOK, result)
}

// uploadQuery is which uploads a page should have.
type uploadQuery struct {
	listing
	afterID  string
	encoding string
}

// passed reports whether an upload was on a page before.
func (q *uploadQuery) passed(u *upload) bool {
	if q.after == "" || u.key > q.after && q.common(u.key) != q.after {
		return false
	}
	return u.key != q.after || q.afterID == "" || u.id <= q.afterID
}

func (c *call) uploadPage(q *uploadQuery, uploads []*upload) *listUploadsResult {
	result := &listUploadsResult{Bucket: c.bucket, KeyMarker: encodedText(q.after, q.encoding), UploadIDMarker: q.afterID,
		Prefix: encodedText(q.prefix, q.encoding), EncodingType: q.encoding, MaxUploads: q.max}
	if q.delimiter != "" {
		d := encodedText(q.delimiter, q.encoding)
		result.Delimiter = &d
	}
	lastKey, lastID, lastCommon := "", "", ""
	for _, u := range uploads {
		common := q.common(u.key)
		if q.passed(u) || common != "" && common == lastCommon {
			continue
		}
		if len(result.Uploads)+len(result.CommonPrefixes) >= q.max {
			if result.IsTruncated = q.max > 0; result.IsTruncated {
				next := encodedText(lastKey, q.encoding)
				result.NextKeyMarker, result.NextUploadIDMarker = &next, lastID
			}
			break
		}
		if common != "" {
			lastKey, lastID, lastCommon = common, "", common
			result.CommonPrefixes = append(result.CommonPrefixes, prefixElement{encodedText(common, q.encoding)})
			continue
		}
		lastKey, lastID = u.key, u.id
		result.Uploads = append(result.Uploads, uploadElement{Key: encodedText(u.key, q.encoding), UploadID: u.id,
			Initiator: c.owner(), Owner: c.owner(), StorageClass: "STANDARD", Initiated: stamped(u.initiated),
			ChecksumAlgorithm: strings.ToUpper(u.algorithm), ChecksumType: u.kind})
	}
	return result
}

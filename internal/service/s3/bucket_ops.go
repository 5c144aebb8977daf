package s3

import (
	"encoding/base64"
	"encoding/xml"
	"net/http"
	"strconv"
	"strings"
)

func (c *call) listBuckets() error {
	buckets, err := c.s.listBuckets()
	if err != nil {
		return err
	}
	result := listBucketsResult{Owner: c.owner()}
	prefix, after := c.query.Get("prefix"), c.query.Get("continuation-token")
	limit, err := c.number("max-buckets", 10_000, 1, 10_000)
	if err != nil {
		return err
	}
	if prefix != "" {
		p := newText(prefix)
		result.Prefix = &p
	}
	for _, b := range buckets {
		if !strings.HasPrefix(b.name, prefix) || b.name <= after {
			continue
		}
		if len(result.Buckets) == limit {
			result.Next = result.Buckets[limit-1].Name
			break
		}
		result.Buckets = append(result.Buckets, bucketElement{b.name, stamped(b.created), c.s.region})
	}
	return writeDocument(c.w, http.StatusOK, &result)
}

// createBucket makes a bucket. Making it again is fine in us-east-1 and a conflict
// elsewhere, as on AWS. All buckets are in the store's region, whatever is asked for.
func (c *call) createBucket() error {
	if c.r.ContentLength != 0 {
		var request struct {
			XMLName            xml.Name `xml:"CreateBucketConfiguration"`
			LocationConstraint string
		}
		if err := readDocument(c.r.Body, &request); err != nil {
			return err
		}
	}
	if strings.EqualFold(c.r.Header.Get("X-Amz-Bucket-Object-Lock-Enabled"), "true") {
		return unimplemented("x-amz-bucket-object-lock-enabled")
	}
	if err := c.checkACL(); err != nil {
		return err
	}
	created, err := c.s.createBucket(c.ctx(), c.bucket)
	if err != nil {
		return err
	}
	if !created && c.s.region != "us-east-1" {
		return with(errBucketExists, "BucketName", c.bucket)
	}
	c.w.Header().Set("Location", "/"+c.bucket)
	return c.empty(http.StatusOK)
}

func (c *call) headBucket() error {
	if err := c.s.requireBucket(c.bucket); err != nil {
		return err
	}
	c.w.Header().Set("X-Amz-Bucket-Region", c.s.region)
	c.w.Header().Set("X-Amz-Access-Point-Alias", "false")
	return c.empty(http.StatusOK)
}

func (c *call) deleteBucket() error {
	if err := c.s.deleteBucket(c.bucket); err != nil {
		return err
	}
	return c.empty(http.StatusNoContent)
}

// bucketLocation tells the region; us-east-1 has always been told by an empty element.
func (c *call) bucketLocation() error {
	if err := c.s.requireBucket(c.bucket); err != nil {
		return err
	}
	var result locationResult
	if c.s.region != "us-east-1" {
		result.Region = c.s.region
	}
	return writeDocument(c.w, http.StatusOK, &result)
}

// bucketVersioning says that versioning was never turned on.
func (c *call) bucketVersioning() error {
	if err := c.s.requireBucket(c.bucket); err != nil {
		return err
	}
	return writeDocument(c.w, http.StatusOK, &versioningResult{})
}

// empty answers without a body.
func (c *call) empty(status int) error {
	if status != http.StatusNoContent {
		c.w.Header().Set("Content-Length", "0")
	}
	c.w.WriteHeader(status)
	return nil
}

// number reads a whole number from the query; it must not be below low, and above high it
// is high.
func (c *call) number(name string, otherwise, low, high int) (int, error) {
	v := c.query.Get(name)
	if v == "" {
		return otherwise, nil
	}
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil {
		return 0, badArgument(name, v, "Provided %s not an integer or within integer range", name)
	}
	if n < int64(low) || n > 1<<31-1 {
		return 0, badArgument(name, v, "Argument %s must be an integer between %d and 2147483647", name, low)
	}
	return int(min(n, int64(high))), nil
}

// encoding reads encoding-type.
func (c *call) encoding() (string, error) {
	v := c.query.Get("encoding-type")
	if v != "" && v != "url" {
		return "", badArgument("encoding-type", v, "Invalid Encoding Method specified in Request")
	}
	return v, nil
}

// tokenMark begins every continuation token, so that other texts are not taken for one.
const tokenMark = "1:"

func newToken(last string) string {
	return base64.URLEncoding.EncodeToString([]byte(tokenMark + last))
}

func readToken(token string) (string, error) {
	raw, err := base64.URLEncoding.DecodeString(token)
	last, ok := strings.CutPrefix(string(raw), tokenMark)
	if err != nil || !ok {
		return "", badArgument("continuation-token", token, "The continuation token provided is incorrect")
	}
	return last, nil
}

// listObjectsV2 lists by continuation tokens.
func (c *call) listObjectsV2() error {
	if v := c.query.Get("list-type"); v != "2" {
		return badArgument("list-type", v, "Invalid List Type specified in Request")
	}
	after := c.query.Get("start-after")
	token, isNext := c.query.Get("continuation-token"), c.query.Has("continuation-token")
	var err error
	if isNext {
		if after, err = readToken(token); err != nil {
			return err
		}
	}
	result, p, err := c.listPage(after, strings.EqualFold(c.query.Get("fetch-owner"), "true"))
	if err != nil {
		return err
	}
	if isNext {
		t := newText(token)
		result.ContinuationToken = &t
	} else if after != "" {
		t := encodedText(after, result.EncodingType)
		result.StartAfter = &t
	}
	if p.truncated {
		result.NextContinuationToken = newToken(p.last)
	}
	count := len(p.objects) + len(p.prefixes)
	result.KeyCount = &count
	return writeDocument(c.w, http.StatusOK, result)
}

// listObjects lists by markers, the older way.
func (c *call) listObjects() error {
	result, p, err := c.listPage(c.query.Get("marker"), true)
	if err != nil {
		return err
	}
	marker := encodedText(c.query.Get("marker"), result.EncodingType)
	result.Marker = &marker
	if p.truncated && result.Delimiter != nil {
		next := encodedText(p.last, result.EncodingType)
		result.NextMarker = &next
	}
	return writeDocument(c.w, http.StatusOK, result)
}

// listPage does what both ways of listing share.
func (c *call) listPage(after string, withOwner bool) (*listResult, page, error) {
	encoding, err := c.encoding()
	if err != nil {
		return nil, page{}, err
	}
	limit, err := c.number("max-keys", maxPageSize, 0, maxPageSize)
	if err != nil {
		return nil, page{}, err
	}
	l := listing{prefix: c.query.Get("prefix"), delimiter: c.query.Get("delimiter"), after: after, max: limit}
	p, err := c.s.list(c.bucket, l)
	if err != nil {
		return nil, page{}, err
	}
	result := &listResult{Name: c.bucket, Prefix: encodedText(l.prefix, encoding), MaxKeys: limit,
		EncodingType: encoding, IsTruncated: p.truncated}
	if l.delimiter != "" {
		d := encodedText(l.delimiter, encoding)
		result.Delimiter = &d
	}
	for _, o := range p.objects {
		e := objectElement{Key: encodedText(o.key, encoding), LastModified: stamped(o.Modified), ETag: quoted(o.ETag),
			ChecksumAlgorithm: strings.ToUpper(o.Checksum.Algorithm), ChecksumType: o.Checksum.Type,
			Size: o.Size, StorageClass: "STANDARD"}
		if withOwner {
			who := c.owner()
			e.Owner = &who
		}
		result.Contents = append(result.Contents, e)
	}
	for _, prefix := range p.prefixes {
		result.CommonPrefixes = append(result.CommonPrefixes, prefixElement{encodedText(prefix, encoding)})
	}
	return result, p, nil
}

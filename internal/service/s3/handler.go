package s3

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"hydrant/internal/aws"
)

// call is one request on its way through an operation.
type call struct {
	s      *Store
	w      http.ResponseWriter
	r      *http.Request
	query  url.Values
	bucket string
	key    string
	id     string // of the request
}

func (c *call) ctx() context.Context { return c.r.Context() }

// level is what a request's path names.
type level uint8

const (
	ofService level = iota
	ofBucket
	ofObject
)

// operation is one operation of the S3 API.
type operation struct {
	level  level
	method string
	query  string // a parameter that must be there; empty for none
	header string // a header that must be there; empty for none
	action string // that the caller must be allowed (IAM); without s3:
	do     func(*call) error
}

// operations are searched from the top; the first that fits is done.
var operations = []operation{
	{ofService, "GET", "", "", "ListAllMyBuckets", (*call).listBuckets},

	{ofBucket, "PUT", "", "", "CreateBucket", (*call).createBucket},
	{ofBucket, "HEAD", "", "", "ListBucket", (*call).headBucket},
	{ofBucket, "DELETE", "", "", "DeleteBucket", (*call).deleteBucket},
	{ofBucket, "PUT", "encryption", "", "PutEncryptionConfiguration", (*call).putBucketEncryption},
	{ofBucket, "GET", "encryption", "", "GetEncryptionConfiguration", (*call).bucketEncryption},
	{ofBucket, "DELETE", "encryption", "", "PutEncryptionConfiguration", (*call).deleteBucketEncryption},
	{ofBucket, "GET", "location", "", "GetBucketLocation", (*call).bucketLocation},
	{ofBucket, "GET", "versioning", "", "GetBucketVersioning", (*call).bucketVersioning},
	{ofBucket, "GET", "uploads", "", "ListBucketMultipartUploads", (*call).listUploads},
	{ofBucket, "GET", "list-type", "", "ListBucket", (*call).listObjectsV2},
	{ofBucket, "GET", "", "", "ListBucket", (*call).listObjects},
	{ofBucket, "POST", "delete", "", "", (*call).deleteObjects},

	{ofObject, "PUT", "uploadId", "X-Amz-Copy-Source", "PutObject", (*call).uploadPartCopy},
	{ofObject, "PUT", "uploadId", "", "PutObject", (*call).uploadPart},
	{ofObject, "PUT", "", "X-Amz-Copy-Source", "PutObject", (*call).copyObject},
	{ofObject, "PUT", "", "", "PutObject", (*call).putObject},
	{ofObject, "POST", "uploads", "", "PutObject", (*call).createUpload},
	{ofObject, "POST", "uploadId", "", "PutObject", (*call).completeUpload},
	{ofObject, "DELETE", "uploadId", "", "AbortMultipartUpload", (*call).abortUpload},
	{ofObject, "DELETE", "", "", "DeleteObject", (*call).deleteObject},
	{ofObject, "HEAD", "", "", "GetObject", (*call).headObject},
	{ofObject, "GET", "uploadId", "", "ListMultipartUploadParts", (*call).listParts},
	{ofObject, "GET", "tagging", "", "GetObjectTagging", (*call).objectTagging},
	{ofObject, "GET", "", "", "GetObject", (*call).getObject},
}

// subresources are the query parameters by which S3 tells operations apart. One that no
// operation above has is not implemented; absence of a configuration is told as S3 does.
var subresources = map[string]string{
	"abac": "", "accelerate": "", "acl": "", "analytics": "", "attributes": "", "cors": "NoSuchCORSConfiguration",
	"delete": "", "encryption": "ServerSideEncryptionConfigurationNotFoundError", "intelligent-tiering": "",
	"inventory": "", "legal-hold": "", "lifecycle": "NoSuchLifecycleConfiguration", "list-type": "",
	"location": "", "logging": "", "metadataConfiguration": "", "metadataTable": "", "metrics": "", "notification": "",
	"object-lock": "ObjectLockConfigurationNotFoundError", "ownershipControls": "OwnershipControlsNotFoundError",
	"policy": "NoSuchBucketPolicy", "policyStatus": "NoSuchBucketPolicy",
	"publicAccessBlock": "NoSuchPublicAccessBlockConfiguration", "replication": "ReplicationConfigurationNotFoundError",
	"requestPayment": "", "restore": "", "retention": "", "select": "", "session": "", "tagging": "NoSuchTagSet",
	"torrent": "", "uploadId": "", "uploads": "", "versioning": "", "versions": "", "website": "NoSuchWebsiteConfiguration",
}

// ServeHTTP answers a request of the S3 API, path style. Its body must be free of
// aws-chunked framing and may fail with an *aws.Error; aws.S3 sees to both. Without an
// aws.Caller in its context the request is allowed everything: whoever mounts the store
// without aws decides who reaches it.
func (s *Store) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := &call{s: s, w: w, r: r, id: requestID(r)}
	w.Header().Set("X-Amz-Request-Id", c.id)
	w.Header().Set("Server", "Hydrant")
	if err := c.serve(); err != nil {
		c.fail(err)
	}
}

// Refuse answers a request that was turned away before it got here.
func (s *Store) Refuse(w http.ResponseWriter, r *http.Request, e *aws.Error) {
	c := &call{s: s, w: w, r: r, id: requestID(r)}
	w.Header().Set("X-Amz-Request-Id", c.id)
	c.fail(e)
}

// requestID is the id that the request has already, or a new one.
func requestID(r *http.Request) string {
	if caller, ok := aws.CallerFrom(r.Context()); ok && caller.RequestID != "" {
		return caller.RequestID
	}
	return strings.ToUpper(rand.Text()[:16])
}

// serve finds the operation, checks what all have in common, and does it.
func (c *call) serve() error {
	var err error
	if c.query, err = url.ParseQuery(c.r.URL.RawQuery); err != nil {
		return errInvalidURI
	}
	at, err := c.readPath()
	if err != nil {
		return err
	}
	op, err := c.findOperation(at)
	if err != nil {
		return err
	}
	if v := c.query.Get("versionId"); v != "" && v != "null" {
		return badArgument("versionId", v, "Invalid version id specified")
	}
	if want := c.r.Header.Get("X-Amz-Expected-Bucket-Owner"); want != "" && want != c.s.account {
		return errAccessDenied
	}
	if op.action != "" {
		if err := c.authorize(op.action, c.bucket, c.key); err != nil {
			return err
		}
	}
	if err := c.refuseCustomerKeys(); err != nil {
		return err
	}
	return op.do(c)
}

// readPath splits the path into bucket and key.
func (c *call) readPath() (level, error) {
	path := strings.TrimPrefix(c.r.URL.Path, "/")
	c.bucket, c.key, _ = strings.Cut(path, "/")
	switch {
	case c.bucket == "" && c.key == "":
		return ofService, nil
	case c.key == "":
		return ofBucket, nil
	case len(c.key) > maxKey:
		return 0, with(with(errKeyTooLong, "Size", fmt.Sprint(len(c.key))), "MaxSizeAllowed", fmt.Sprint(maxKey))
	case !utf8.ValidString(c.key):
		return 0, errInvalidURI
	}
	return ofObject, nil
}

// findOperation finds what the request asks for.
func (c *call) findOperation(at level) (*operation, error) {
	asked := ""
	for name := range c.query {
		if _, ok := subresources[name]; ok && (asked == "" || name < asked) {
			asked = name
		}
	}
	for i := range operations {
		op := &operations[i]
		if op.level == at && op.method == c.r.Method && op.query == asked && (op.header == "" || c.r.Header[op.header] != nil) {
			return op, nil
		}
	}
	if asked == "" {
		return nil, with(with(errMethodNotAllowed, "Method", c.r.Method), "ResourceType", [...]string{"SERVICE", "BUCKET", "OBJECT"}[at])
	}
	if absent := subresources[asked]; absent != "" && at == ofBucket && (c.r.Method == http.MethodGet || c.r.Method == http.MethodHead) {
		if err := c.s.requireBucket(c.bucket); err != nil {
			return nil, err
		}
		return nil, &aws.Error{Code: absent, Status: http.StatusNotFound, Message: "The bucket has no such configuration",
			Extra: []aws.Field{{Name: "BucketName", Value: c.bucket}}}
	}
	return nil, unimplemented("?" + asked)
}

// authorize asks whether the caller may do an action on a bucket or, with a key, an object.
func (c *call) authorize(action, bucket, key string) error {
	caller, ok := aws.CallerFrom(c.ctx())
	if !ok {
		return nil
	}
	resource := "*"
	if bucket != "" {
		resource = aws.BucketARN(caller.Partition, bucket).String()
	}
	if key != "" {
		resource += "/" + key
	}
	return caller.Authorize(c.ctx(), "s3:"+action, resource)
}

// fail answers with an error.
func (c *call) fail(err error) {
	if errors.Is(err, errConnection) {
		c.s.log.Debug("client went away", "method", c.r.Method, "path", c.r.URL.Path, "error", err)
		return
	}
	e, hidden := apiError(err)
	if hidden {
		c.s.log.Error("the object store could not do it", "method", c.r.Method, "path", c.r.URL.Path,
			"request", c.id, "error", err)
	}
	h := c.w.Header()
	for _, name := range []string{"Content-Length", "Content-Range", "Content-Encoding", "Content-Disposition"} {
		h.Del(name)
	}
	if c.r.Method == http.MethodHead || e.Status == http.StatusNotModified {
		c.w.WriteHeader(e.Status)
		return
	}
	if err := writeDocument(c.w, e.Status, newErrorDocument(e, c.r.URL.Path, c.id)); err != nil {
		c.s.log.Debug("client went away", "method", c.r.Method, "path", c.r.URL.Path, "error", err)
	}
}

// owner is the account that all belongs to. Canonical user ids are 64 hex digits.
func (c *call) owner() owner {
	sum := sha256.Sum256([]byte(c.s.account))
	return owner{ID: hex.EncodeToString(sum[:]), DisplayName: c.s.account}
}

package s3

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// storedHeaders are kept with an object and given back with it.
var storedHeaders = []string{"Cache-Control", "Content-Disposition", "Content-Encoding", "Content-Language", "Content-Type", "Expires"}

// Bounds of what is kept beside an object (Amazon S3 user guide, "Working with object
// metadata"): user metadata by names and values together, all headers by net/http's limit.
const (
	maxUserMetadata = 2 << 10
	userPrefix      = "X-Amz-Meta-"
)

// refusedHeaders ask for what this store does not do. Objects are never stored with less
// than what was asked for.
var refusedHeaders = []string{
	"X-Amz-Object-Lock-Mode", "X-Amz-Object-Lock-Retain-Until-Date",
	"X-Amz-Object-Lock-Legal-Hold", "X-Amz-Website-Redirect-Location", "X-Amz-Tagging", "X-Amz-Write-Offset-Bytes",
	"X-Amz-Grant-Read", "X-Amz-Grant-Read-Acp", "X-Amz-Grant-Write", "X-Amz-Grant-Write-Acp", "X-Amz-Grant-Full-Control",
}

// objectHeaders reads what a request wants kept with an object, and refuses what cannot be
// had.
func (c *call) objectHeaders() (headers, user map[string]string, err error) {
	for _, name := range refusedHeaders {
		if c.r.Header[name] != nil {
			return nil, nil, unimplemented(strings.ToLower(name))
		}
	}
	if class := c.r.Header.Get("X-Amz-Storage-Class"); class != "" && class != "STANDARD" {
		return nil, nil, unimplemented("x-amz-storage-class " + class)
	}
	if err := c.checkACL(); err != nil {
		return nil, nil, err
	}
	for _, name := range storedHeaders {
		if v := c.r.Header.Get(name); v != "" {
			if !utf8.ValidString(v) {
				return nil, nil, badArgument(name, strconv.QuoteToASCII(v), "Header values must be UTF-8")
			}
			headers = put(headers, name, v)
		}
	}
	size := 0
	for name, values := range c.r.Header {
		short, ok := strings.CutPrefix(name, userPrefix)
		if !ok {
			continue
		}
		short = strings.ToLower(short)
		value := strings.Join(values, ",")
		if !utf8.ValidString(value) {
			return nil, nil, badArgument(name, strconv.QuoteToASCII(value), "Metadata values must be UTF-8")
		}
		size += len(short) + len(value)
		user = put(user, short, value)
	}
	if size > maxUserMetadata {
		return nil, nil, with(with(errMetadataTooLarge, "Size", strconv.Itoa(size)), "MaxSizeAllowed", strconv.Itoa(maxUserMetadata))
	}
	return headers, user, nil
}

// put sets a key of a map that need not be there yet.
func put(m map[string]string, key, value string) map[string]string {
	if m == nil {
		m = make(map[string]string)
	}
	m[key] = value
	return m
}

// checkACL takes the ACLs that change nothing, as buckets do whose owner owns all objects
// (the default of AWS), and refuses others.
func (c *call) checkACL() error {
	switch acl := c.r.Header.Get("X-Amz-Acl"); acl {
	case "", "private", "bucket-owner-full-control", "bucket-owner-read":
		return nil
	default:
		return errACLNotSupported
	}
}

// checksumChoice reads the checksum that a multipart upload is to have.
func checksumChoice(h http.Header) (algorithm, kind string, err error) {
	algorithm = strings.ToLower(h.Get("X-Amz-Checksum-Algorithm"))
	kind = strings.ToUpper(h.Get("X-Amz-Checksum-Type"))
	if algorithm == "" {
		if kind != "" {
			return "", "", saying(errInvalidRequest, "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.")
		}
		return "", "", nil
	}
	if !slices.Contains(checksumAlgorithms, algorithm) {
		return "", "", saying(errInvalidRequest, "Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]")
	}
	if kind == "" {
		kind = composite
		if algorithm == "crc64nvme" {
			kind = fullObject
		}
	}
	_, joins := crcPolynomials[algorithm]
	if kind != fullObject && kind != composite || kind == fullObject && !joins || kind == composite && algorithm == "crc64nvme" {
		return "", "", saying(errInvalidRequest, "The %s checksum type cannot be used with the %s checksum algorithm.", kind, algorithm)
	}
	return algorithm, kind, nil
}

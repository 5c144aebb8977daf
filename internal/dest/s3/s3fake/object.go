package s3fake

import (
	"bytes"
	"encoding/xml"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// kept is the headers of a write that are kept with the object.
func (r *request) kept() http.Header {
	h := http.Header{}
	for _, name := range []string{"Content-Type", "Content-Encoding", "X-Amz-Acl", sseHeader, sseKeyHeader} {
		if v := r.header.Get(name); v != "" {
			h.Set(name, v)
		}
	}
	return h
}

func (b *bucket) putObject(r request) reply {
	etag, kept := etagOf(r.body), r.kept()
	b.put(r.Key, r.body, etag, kept)
	return reply{status: http.StatusOK, header: echoing(kept, map[string]string{"Etag": etag})}
}

// getObject serves GetObject, without ranges, and HeadObject.
func (b *bucket) getObject(r request) reply {
	o := b.objects[r.Key]
	if o == nil || o.deleted {
		return noKey
	}
	return reply{status: http.StatusOK, body: bytes.Clone(o.Body), header: echoing(o.Header, map[string]string{
		"Etag":             o.ETag,
		"Content-Length":   strconv.Itoa(len(o.Body)),
		"Content-Type":     o.Header.Get("Content-Type"),
		"Content-Encoding": o.Header.Get("Content-Encoding"),
		"Last-Modified":    o.Modified.UTC().Format(http.TimeFormat),
	})}
}

type listResult struct {
	XMLName  xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListBucketResult"`
	Name     string
	Prefix   string
	KeyCount int
	MaxKeys  int
	// Where the next page begins.
	NextContinuationToken string `xml:",omitempty"`
	IsTruncated           bool
	Contents              []listItem
}

type listItem struct {
	Key          string
	LastModified string
	ETag         string
	Size         int
	StorageClass string
}

// listObjects serves ListObjectsV2 without delimiters. The token is the last key sent.
func (b *bucket) listObjects(r request, page int) reply {
	prefix, after := r.query.Get("prefix"), r.query.Get("continuation-token")
	var keys []string
	for key, o := range b.objects {
		if !o.deleted && strings.HasPrefix(key, prefix) && key > after {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	out := listResult{Name: r.Bucket, Prefix: prefix, MaxKeys: page}
	if len(keys) > page {
		keys = keys[:page]
		out.IsTruncated, out.NextContinuationToken = true, keys[page-1]
	}
	for _, key := range keys {
		o := b.objects[key]
		out.Contents = append(out.Contents, listItem{key, o.Modified.UTC().Format(time.RFC3339), o.ETag, len(o.Body), "STANDARD"})
	}
	out.KeyCount = len(keys)
	return reply{status: http.StatusOK, body: out}
}

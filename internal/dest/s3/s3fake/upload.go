package s3fake

import (
	"cmp"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

type createResult struct {
	XMLName  xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ InitiateMultipartUploadResult"`
	Bucket   string
	Key      string
	UploadID string `xml:"UploadId"`
}

// createUpload begins an upload. Its id follows from the key and the number of uploads
// before it under that key, so that runs can be repeated.
func (b *bucket) createUpload(r request) reply {
	b.started[r.Key]++
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%d", r.Bucket, r.Key, b.started[r.Key]))
	id := hex.EncodeToString(sum[:12])
	kept := r.kept()
	b.uploads[id] = &upload{Upload{r.Bucket, r.Key, id, map[int][]byte{}}, kept, time.Now()}
	return reply{status: http.StatusOK, header: echoing(kept, nil), body: createResult{Bucket: r.Bucket, Key: r.Key, UploadID: id}}
}

// upload finds the upload that a request is about.
func (b *bucket) upload(r request) *upload {
	if u := b.uploads[r.Upload]; u != nil && u.Key == r.Key {
		return u
	}
	return nil
}

// maxParts is how many parts an upload may have.
const maxParts = 10_000

func (b *bucket) uploadPart(r request) reply {
	u := b.upload(r)
	switch {
	case u == nil:
		return noUpload
	case r.Part < 1 || r.Part > maxParts:
		return failure(http.StatusBadRequest, "InvalidArgument")
	}
	u.Parts[r.Part] = r.body
	return reply{status: http.StatusOK, header: echoing(u.header, map[string]string{"Etag": etagOf(r.body)})}
}

type completeRequest struct {
	Part []struct {
		PartNumber int
		ETag       string
	}
}

type completeResult struct {
	XMLName  xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ CompleteMultipartUploadResult"`
	Location string
	Bucket   string
	Key      string
	ETag     string
}

// completeUpload makes an upload's parts one visible object.
func (b *bucket) completeUpload(r request, minPart int) reply {
	u := b.upload(r)
	if u == nil {
		return noUpload
	}
	var want completeRequest
	if err := xml.Unmarshal(r.body, &want); err != nil || len(want.Part) == 0 {
		return failure(http.StatusBadRequest, "MalformedXML")
	}
	var body []byte
	sums := md5.New()
	for i, p := range want.Part {
		part, ok := u.Parts[p.PartNumber]
		switch {
		case !ok || strings.Trim(p.ETag, `"`) != strings.Trim(etagOf(part), `"`):
			return failure(http.StatusBadRequest, "InvalidPart")
		case i > 0 && p.PartNumber <= want.Part[i-1].PartNumber:
			return failure(http.StatusBadRequest, "InvalidPartOrder")
		case i < len(want.Part)-1 && len(part) < minPart:
			return failure(http.StatusBadRequest, "EntityTooSmall")
		}
		sum := md5.Sum(part)
		sums.Write(sum[:])
		body = append(body, part...)
	}
	etag := fmt.Sprintf(`"%x-%d"`, sums.Sum(nil), len(want.Part))
	delete(b.uploads, u.ID)
	b.put(u.Key, body, etag, u.header)
	return reply{status: http.StatusOK, header: echoing(u.header, nil), body: completeResult{Location: "/" + r.Bucket + "/" + r.Key, Bucket: r.Bucket, Key: r.Key, ETag: etag}}
}

func (b *bucket) abortUpload(r request) reply {
	u := b.upload(r)
	if u == nil {
		return noUpload
	}
	delete(b.uploads, u.ID)
	return reply{status: http.StatusNoContent}
}

type uploadsResult struct {
	XMLName            xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListMultipartUploadsResult"`
	Bucket             string
	Prefix             string
	KeyMarker          string
	UploadIDMarker     string `xml:"UploadIdMarker"`
	NextKeyMarker      string `xml:",omitempty"`
	NextUploadIDMarker string `xml:"NextUploadIdMarker,omitempty"`
	MaxUploads         int
	IsTruncated        bool
	Upload             []uploadItem
}

type uploadItem struct {
	Key       string
	UploadID  string `xml:"UploadId"`
	Initiated string
}

// listUploads serves ListMultipartUploads, sorted by key and id.
func (b *bucket) listUploads(r request, page int) reply {
	out := uploadsResult{
		Bucket: r.Bucket, Prefix: r.query.Get("prefix"), MaxUploads: page,
		KeyMarker: r.query.Get("key-marker"), UploadIDMarker: r.query.Get("upload-id-marker"),
	}
	var all []*upload
	for _, u := range b.uploads {
		behind := u.Key > out.KeyMarker || u.Key == out.KeyMarker && out.UploadIDMarker != "" && u.ID > out.UploadIDMarker
		if behind && strings.HasPrefix(u.Key, out.Prefix) {
			all = append(all, u)
		}
	}
	slices.SortFunc(all, func(a, b *upload) int {
		return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.ID, b.ID))
	})
	if len(all) > page {
		all = all[:page]
		out.IsTruncated, out.NextKeyMarker, out.NextUploadIDMarker = true, all[page-1].Key, all[page-1].ID
	}
	for _, u := range all {
		out.Upload = append(out.Upload, uploadItem{u.Key, u.ID, u.initiated.UTC().Format(time.RFC3339)})
	}
	return reply{status: http.StatusOK, body: out}
}

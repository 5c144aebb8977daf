package s3

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"hydrant/internal/aws"
)

// namespace is that of all documents of the S3 API.
const namespace = "http://s3.amazonaws.com/doc/2006-03-01/"

// Bounds of the documents that clients send: 10,000 parts with checksums, or 1,000 keys of
// which every byte is escaped, fit well.
const (
	maxDocument = 8 << 20 // bytes
	maxDepth    = 8       // of elements in each other
)

// text is character data that may hold what XML 1.0 has no way to write. As S3 does, it
// writes such characters as references all the same; clients that cannot read them ask for
// encoding-type=url.
type text struct {
	Inner string `xml:",innerxml"`
}

func newText(s string) text {
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == '&':
			b.WriteString("&amp;")
		case r == '<':
			b.WriteString("&lt;")
		case r == '>':
			b.WriteString("&gt;")
		case r == '"':
			b.WriteString("&quot;")
		case r < 0x20 || r == 0x7f || r == 0xfffe || r == 0xffff:
			fmt.Fprintf(&b, "&#x%x;", r)
		case r == utf8.RuneError:
			b.WriteRune(r) // also for bytes that are no UTF-8
		default:
			b.WriteString(s[i : i+n])
		}
		i += n
	}
	return text{b.String()}
}

// quoted is an ETag as documents have it.
func quoted(etag string) text { return newText(`"` + etag + `"`) }

// encodedText is text under the encoding-type that a listing asks for.
func encodedText(s, encoding string) text {
	if encoding == "url" {
		return newText(urlEncode(s))
	}
	return newText(s)
}

// urlEncode escapes as S3's listings do: a query's escape, with slashes left alone.
func urlEncode(s string) string {
	return strings.ReplaceAll(url.QueryEscape(s), "%2F", "/")
}

// stamped is a time as documents have it.
func stamped(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// writeDocument answers with an XML document.
func writeDocument(w http.ResponseWriter, status int, document any) error {
	body, err := encodeDocument(document)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "application/xml")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, err = w.Write(body)
	return connectionError(err)
}

func encodeDocument(document any) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString(xml.Header)
	if err := xml.NewEncoder(&b).Encode(document); err != nil {
		return nil, fmt.Errorf("encode a document: %w", err)
	}
	return b.Bytes(), nil
}

// errConnection says that the answer did not reach the client. Nobody can be told.
var errConnection = errors.New("connection lost while answering")

func connectionError(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", errConnection, err)
}

// readDocument reads a document from a request's body.
func readDocument(body io.Reader, into any) error {
	limited := &io.LimitedReader{R: body, N: maxDocument + 1}
	d := xml.NewTokenDecoder(&shallow{d: xml.NewDecoder(limited)})
	err := d.Decode(into)
	if limited.N == 0 {
		return saying(errMalformedXML, "The XML you provided is larger than %d bytes", maxDocument)
	}
	if err == nil {
		// The body's reader proves the body's signature at its end.
		_, err = io.Copy(io.Discard, limited)
	}
	var known *aws.Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	return errMalformedXML
}

// shallow refuses documents that nest too deep or declare things.
type shallow struct {
	d     *xml.Decoder
	depth int
}

var errDocumentForm = errors.New("the document is nested too deep or holds a directive")

// Token returns the next token.
func (s *shallow) Token() (xml.Token, error) {
	t, err := s.d.Token()
	switch t.(type) {
	case xml.StartElement:
		s.depth++
	case xml.EndElement:
		s.depth--
	case xml.Directive:
		return nil, errDocumentForm
	}
	if s.depth > maxDepth {
		return nil, errDocumentForm
	}
	return t, err
}

// errorDocument is the body of an error.
type errorDocument struct {
	XMLName   xml.Name `xml:"Error"`
	Code      string
	Message   text
	Extra     []errorElement
	Resource  text
	RequestID string `xml:"RequestId"`
	HostID    string `xml:"HostId"`
}

type errorElement struct {
	XMLName xml.Name
	text
}

func newErrorDocument(e *aws.Error, resource, requestID string) *errorDocument {
	doc := &errorDocument{Code: e.Code, Message: newText(e.Message), Resource: newText(resource),
		RequestID: requestID, HostID: requestID}
	for _, f := range e.Extra {
		doc.Extra = append(doc.Extra, errorElement{xml.Name{Local: f.Name}, newText(f.Value)})
	}
	return doc
}

// owner is whom buckets, objects and uploads belong to.
type owner struct {
	ID          string
	DisplayName string `xml:",omitempty"`
}

type listBucketsResult struct {
	XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListAllMyBucketsResult"`
	Owner   owner
	Buckets []bucketElement `xml:"Buckets>Bucket"`
	Prefix  *text           `xml:",omitempty"`
	Next    string          `xml:"ContinuationToken,omitempty"`
}

type bucketElement struct {
	Name         string
	CreationDate string
	BucketRegion string `xml:",omitempty"`
}

type locationResult struct {
	XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ LocationConstraint"`
	Region  string   `xml:",chardata"`
}

type versioningResult struct {
	XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ VersioningConfiguration"`
}

type taggingResult struct {
	XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ Tagging"`
	TagSet  struct{}
}

type listResult struct {
	XMLName               xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListBucketResult"`
	Name                  string
	Prefix                text
	Marker                *text  `xml:",omitempty"`
	NextMarker            *text  `xml:",omitempty"`
	StartAfter            *text  `xml:",omitempty"`
	ContinuationToken     *text  `xml:",omitempty"`
	NextContinuationToken string `xml:",omitempty"`
	KeyCount              *int   `xml:",omitempty"`
	MaxKeys               int
	Delimiter             *text  `xml:",omitempty"`
	EncodingType          string `xml:",omitempty"`
	IsTruncated           bool
	Contents              []objectElement
	CommonPrefixes        []prefixElement
}

type objectElement struct {
	Key               text
	LastModified      string
	ETag              text
	ChecksumAlgorithm string `xml:",omitempty"`
	ChecksumType      string `xml:",omitempty"`
	Size              int64
	Owner             *owner `xml:",omitempty"`
	StorageClass      string
}

type prefixElement struct {
	Prefix text
}

type copyResult struct {
	XMLName      xml.Name
	LastModified string
	ETag         text
	checksumElements
}

// checksumElements is a checksum in a document; at most one is set.
type checksumElements struct {
	ChecksumCRC32     string `xml:",omitempty"`
	ChecksumCRC32C    string `xml:",omitempty"`
	ChecksumCRC64NVME string `xml:",omitempty"`
	ChecksumSHA1      string `xml:",omitempty"`
	ChecksumSHA256    string `xml:",omitempty"`
	ChecksumType      string `xml:",omitempty"`
}

// fields maps algorithms to the elements that hold their values.
func (c *checksumElements) fields() map[string]*string {
	return map[string]*string{
		"crc32": &c.ChecksumCRC32, "crc32c": &c.ChecksumCRC32C, "crc64nvme": &c.ChecksumCRC64NVME,
		"sha1": &c.ChecksumSHA1, "sha256": &c.ChecksumSHA256,
	}
}

// newChecksumElements writes a checksum; its type is left out for parts.
func newChecksumElements(c Checksum, withType bool) checksumElements {
	var out checksumElements
	if field := out.fields()[c.Algorithm]; field != nil {
		*field = c.Value
		if withType {
			out.ChecksumType = c.Type
		}
	}
	return out
}

// read returns the checksum that is set.
func (c *checksumElements) read() (algorithm, value string) {
	for _, algorithm := range checksumAlgorithms {
		if v := *c.fields()[algorithm]; v != "" {
			return algorithm, v
		}
	}
	return "", ""
}

type createUploadResult struct {
	XMLName  xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ InitiateMultipartUploadResult"`
	Bucket   string
	Key      text
	UploadID string `xml:"UploadId"`
}

type completeUploadRequest struct {
	Parts []struct {
		PartNumber int
		ETag       string
		checksumElements
	} `xml:"Part"`
}

type completeUploadResult struct {
	XMLName  xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ CompleteMultipartUploadResult"`
	Location text
	Bucket   string
	Key      text
	ETag     text
	checksumElements
}

type listPartsResult struct {
	XMLName              xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListPartsResult"`
	Bucket               string
	Key                  text
	EncodingType         string `xml:",omitempty"`
	UploadID             string `xml:"UploadId"`
	Initiator            owner
	Owner                owner
	StorageClass         string
	PartNumberMarker     int
	NextPartNumberMarker int
	MaxParts             int
	IsTruncated          bool
	ChecksumAlgorithm    string        `xml:",omitempty"`
	ChecksumType         string        `xml:",omitempty"`
	Parts                []partElement `xml:"Part"`
}

type partElement struct {
	PartNumber   int
	LastModified string
	ETag         text
	Size         int64
	checksumElements
}

type listUploadsResult struct {
	XMLName            xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListMultipartUploadsResult"`
	Bucket             string
	KeyMarker          text
	UploadIDMarker     string `xml:"UploadIdMarker"`
	NextKeyMarker      *text  `xml:",omitempty"`
	NextUploadIDMarker string `xml:"NextUploadIdMarker,omitempty"`
	Prefix             text
	Delimiter          *text  `xml:",omitempty"`
	EncodingType       string `xml:",omitempty"`
	MaxUploads         int
	IsTruncated        bool
	Uploads            []uploadElement `xml:"Upload"`
	CommonPrefixes     []prefixElement
}

type uploadElement struct {
	Key               text
	UploadID          string `xml:"UploadId"`
	Initiator         owner
	Owner             owner
	StorageClass      string
	Initiated         string
	ChecksumAlgorithm string `xml:",omitempty"`
	ChecksumType      string `xml:",omitempty"`
}

type deleteRequest struct {
	Quiet   bool
	Objects []struct {
		Key       string
		ETag      string
		VersionID string `xml:"VersionId"`
	} `xml:"Object"`
}

type deleteResult struct {
	XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ DeleteResult"`
	Deleted []deletedElement
	Errors  []deleteErrorElement `xml:"Error"`
}

type deletedElement struct {
	Key text
}

type deleteErrorElement struct {
	Key     text
	Code    string
	Message text
}

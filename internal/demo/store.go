package demo

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"

	"hydrant/internal/aws"
	"hydrant/internal/config"
)

// store is a client of an object store, over the S3 API.
type store struct {
	client
	endpoint  *url.URL
	pathStyle bool
	region    string
}

// errNoKeys says that the object store's credentials are not where the demo looks for them.
var errNoKeys = errors.New("no access key for the object store")

// newStore returns a client of the store that the configuration names.
func newStore(c config.Config, e config.Endpoint) (*store, error) {
	u, err := url.Parse(e.URL)
	if err != nil {
		return nil, errors.New("the URL of the object store cannot be read") // it is not repeated: it may hold a password
	}
	id, secret, token := e.AccessKey, aws.Secret(e.SecretKey.Reveal()), aws.Secret("")
	if id == "" {
		id, secret = os.Getenv("AWS_ACCESS_KEY_ID"), aws.Secret(os.Getenv("AWS_SECRET_ACCESS_KEY"))
		token = aws.Secret(os.Getenv("AWS_SESSION_TOKEN"))
	}
	if id == "" || secret == "" {
		return nil, fmt.Errorf("%w at %s: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or endpoints.s3.accessKey "+
			"and secretKey in the configuration file; nothing was put", errNoKeys, u.Host)
	}
	h, err := endpointHTTP(e)
	if err != nil {
		return nil, err
	}
	s := &store{endpoint: u, pathStyle: e.UsePathStyle(), region: e.Region}
	if s.region == "" {
		s.region = c.Region
	}
	s.http, s.signer = h, aws.NewSigner(id, secret, token, "s3", s.region)
	return s, nil
}

// url is where a bucket or an object answers.
func (s *store) url(bucket, key string, query url.Values) string {
	u := *s.endpoint
	path := "/" + key
	if s.pathStyle {
		path = "/" + bucket
		if key != "" {
			path += "/" + key
		}
	} else {
		u.Host = bucket + "." + u.Host
	}
	u.Path, u.RawPath, u.RawQuery = path, escapePath(path), query.Encode()
	return u.String()
}

// escapePath encodes everything but unreserved characters and slashes, as S3 signs paths.
func escapePath(path string) string {
	parts := strings.Split(path, "/")
	for i, p := range parts {
		parts[i] = strings.ReplaceAll(url.QueryEscape(p), "+", "%20")
	}
	return strings.Join(parts, "/")
}

// request sends a request and turns an answer other than 2xx into an error. The caller
// closes the body.
func (s *store) request(ctx context.Context, method, url string, body []byte) (*http.Response, error) {
	a, err := s.do(ctx, method, url, nil, body)
	if err != nil {
		return nil, err
	}
	if a.StatusCode/100 == 2 {
		return a, nil
	}
	answer, err := readAnswer(a)
	if err != nil {
		return nil, err
	}
	e := &apiError{Status: a.StatusCode}
	var told struct{ Code, Message string }
	if xml.Unmarshal(answer, &told) == nil {
		e.Code, e.Message = told.Code, told.Message
	}
	return nil, e
}

// ensureBucket makes the bucket unless it is there.
func (s *store) ensureBucket(ctx context.Context, bucket string) error {
	a, err := s.request(ctx, http.MethodHead, s.url(bucket, "", nil), nil)
	if err == nil {
		return a.Body.Close()
	}
	var no *apiError
	if !errors.As(err, &no) || no.Status != http.StatusNotFound {
		return fmt.Errorf("look for bucket %s: %w", bucket, err)
	}
	var body []byte
	if s.region != "us-east-1" {
		body = []byte(`<CreateBucketConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><LocationConstraint>` +
			s.region + `</LocationConstraint></CreateBucketConfiguration>`)
	}
	a, err = s.request(ctx, http.MethodPut, s.url(bucket, "", nil), body)
	if hasCode(err, "BucketAlreadyOwnedByYou") {
		return nil
	}
	if err != nil {
		return fmt.Errorf("make bucket %s: %w", bucket, err)
	}
	return a.Body.Close()
}

// object is one line of a listing.
type object struct {
	Key  string `xml:"Key"`
	Size int64  `xml:"Size"`
}

// list returns the objects whose keys begin with prefix, in byte order.
func (s *store) list(ctx context.Context, bucket, prefix string) ([]object, error) {
	var all []object
	query := url.Values{"list-type": {"2"}, "prefix": {prefix}, "encoding-type": {"url"}}
	for {
		a, err := s.request(ctx, http.MethodGet, s.url(bucket, "", query), nil)
		if err != nil {
			return nil, fmt.Errorf("list bucket %s: %w", bucket, err)
		}
		answer, err := readAnswer(a)
		if err != nil {
			return nil, fmt.Errorf("list bucket %s: %w", bucket, err)
		}
		var page struct {
			Contents              []object
			IsTruncated           bool
			NextContinuationToken string
		}
		if err := xml.Unmarshal(answer, &page); err != nil {
			return nil, fmt.Errorf("list bucket %s: understand the answer: %w", bucket, err)
		}
		for _, o := range page.Contents {
			if o.Key, err = url.QueryUnescape(o.Key); err != nil {
				return nil, fmt.Errorf("list bucket %s: %w", bucket, err)
			}
			all = append(all, o)
		}
		if !page.IsTruncated {
			return all, nil
		}
		query.Set("continuation-token", page.NextContinuationToken)
	}
}

// lines reads an object, decompresses it if it is gzip, and returns how many lines it has
// and the first few of them. An unterminated last line counts.
func (s *store) lines(ctx context.Context, bucket, key string, zipped bool, first int) (count int64, head []string, err error) {
	a, err := s.request(ctx, http.MethodGet, s.url(bucket, key, nil), nil)
	if err != nil {
		return 0, nil, fmt.Errorf("read object %s: %w", key, err)
	}
	defer a.Body.Close() // read to its end, or given up: there is nothing to lose
	var content io.Reader = a.Body
	if zipped {
		if content, err = gzip.NewReader(bufio.NewReader(a.Body)); err != nil {
			return 0, nil, fmt.Errorf("decompress object %s: %w", key, err)
		}
	}
	count, head, err = countLines(content, first)
	if err != nil {
		return 0, nil, fmt.Errorf("read object %s: %w", key, err)
	}
	return count, head, nil
}

// lineShown bounds what is kept of a line to be shown, in bytes.
const lineShown = 4 << 10

// countLines counts the lines of r and returns the beginnings of the first few.
func countLines(r io.Reader, first int) (count int64, head []string, err error) {
	in := bufio.NewReaderSize(r, 64<<10)
	var line []byte
	open := false // a line has begun
	for {
		b, err := in.ReadSlice('\n')
		if len(head) < first {
			line = append(line, b[:min(len(b), lineShown-len(line))]...)
		}
		open = open || len(b) > 0
		ended := err == nil || errors.Is(err, io.EOF) && open
		if ended {
			count, open = count+1, false
			if len(head) < first {
				head = append(head, string(bytes.TrimSuffix(line, []byte("\n"))))
				line = line[:0]
			}
		}
		switch {
		case err == nil, errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF):
			return count, head, nil
		default:
			return count, head, err
		}
	}
}

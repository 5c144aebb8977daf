package aws

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Reply is what a REST-JSON service answered with a status below 300.
type Reply struct {
	Status int
	Header http.Header
	Body   []byte
}

// maxRemoteReply bounds the replies that are read into memory: a function answers 6 MiB.
const maxRemoteReply = 8 << 20

// Post sends a JSON document to a path of a REST-JSON service, such as Lambda. path is
// escaped already. Errors are those of Call.
func (c *Client) Post(ctx context.Context, path string, header http.Header, body []byte) (*Reply, error) {
	reply, err := c.post(ctx, path, header, body)
	if err != nil {
		return nil, fmt.Errorf("%s: POST %s: %w", c.Service, path, err)
	}
	return reply, nil
}

func (c *Client) post(ctx context.Context, path string, header http.Header, body []byte) (*Reply, error) {
	keys, err := c.Credentials(ctx)
	if err != nil {
		return nil, fmt.Errorf("find credentials: %w", err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(c.Endpoint, "/")+path, bytes.NewReader(body))
	if err != nil {
		return nil, errors.New("the endpoint is not a URL") // whose text may hold a password
	}
	for name, values := range header {
		r.Header[name] = values
	}
	r.Header["Content-Type"] = []string{"application/json"}
	r.Header["User-Agent"] = []string{"hydrant"}
	now := time.Now
	if c.Now != nil {
		now = c.Now
	}
	sum := sha256.Sum256(body)
	NewSigner(keys.AccessKeyID, keys.Secret, keys.Token, c.Service, c.Region).Sign(r, hex.EncodeToString(sum[:]), now())
	a, err := c.sender().Do(r)
	if err != nil {
		return nil, err
	}
	got, err := readBounded(a, maxRemoteReply)
	if err != nil {
		return nil, err
	}
	if a.StatusCode >= http.StatusMultipleChoices {
		return nil, decodeRefusal(a.StatusCode, a.Header, got, keys)
	}
	return &Reply{Status: a.StatusCode, Header: a.Header, Body: got}, nil
}

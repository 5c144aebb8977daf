package aws

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
)

// KeyPair is what a Client signs with. Token is that of a session, else empty.
type KeyPair struct {
	AccessKeyID   string
	Secret, Token Secret
}

// Client calls a JSON 1.1 service that is elsewhere: Amazon's own, or a compatible one. It
// makes one attempt per call; who retries, and when, is the caller's business. It may be used
// from many goroutines, and is not changed after the first call.
type Client struct {
	Endpoint string // URL of the service, without a path
	Service  string // in the scope of signatures: kms
	Target   string // prefix of X-Amz-Target: TrentService
	Region   string // that requests are signed for
	// Credentials gives the keys for a call. It is asked each time, as sessions end.
	Credentials func(ctx context.Context) (KeyPair, error)
	// HTTP sends the requests; nil stands for http.DefaultClient. Redirects are not followed:
	// they would carry the session token to where it was not meant to go.
	HTTP *http.Client
	Now  func() time.Time // dates signatures; nil: time.Now
}

// maxRemoteAnswer bounds the answers that are read into memory.
const maxRemoteAnswer = 4 << 20

// ErrBadAnswer says that what came back is not what a JSON 1.1 service answers. The operation
// may have been done.
var ErrBadAnswer = errors.New("not an answer of an AWS service")

// Call does one operation: in is sent as JSON, nil as an empty object, and the answer is read
// into out, unless that is nil. A refusal is a *RemoteError; other errors are those of the
// network, of ctx, or wrap ErrBadAnswer. No error tells a secret or what is in an answer.
func (c *Client) Call(ctx context.Context, operation string, in, out any) error {
	if err := c.call(ctx, operation, in, out); err != nil {
		return fmt.Errorf("%s:%s: %w", c.Service, operation, err)
	}
	return nil
}

func (c *Client) call(ctx context.Context, operation string, in, out any) error {
	keys, err := c.Credentials(ctx)
	if err != nil {
		return fmt.Errorf("find credentials: %w", err)
	}
	r, err := c.request(ctx, operation, in, keys)
	if err != nil {
		return err
	}
	a, err := c.sender().Do(r)
	if err != nil {
		return err
	}
	body, err := readBounded(a, maxRemoteAnswer)
	defer clear(body) // it may hold a plaintext
	if err != nil {
		return err
	}
	if a.StatusCode != http.StatusOK {
		return decodeRefusal(a.StatusCode, a.Header, body, keys)
	}
	return decodeAnswer(a.Header, body, out)
}

// request makes the signed request of a call.
func (c *Client) request(ctx context.Context, operation string, in any, keys KeyPair) (*http.Request, error) {
	body := []byte("{}")
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return nil, fmt.Errorf("encode the request: %w", err)
		}
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(c.Endpoint, "/")+"/", bytes.NewReader(body))
	if err != nil {
		return nil, errors.New("the endpoint is not a URL") // whose text may hold a password
	}
	r.Header["Content-Type"] = contentType
	r.Header["X-Amz-Target"] = []string{c.Target + "." + operation}
	r.Header["User-Agent"] = []string{"hydrant"}
	now := time.Now
	if c.Now != nil {
		now = c.Now
	}
	sum := sha256.Sum256(body)
	NewSigner(keys.AccessKeyID, keys.Secret, keys.Token, c.Service, c.Region).Sign(r, hex.EncodeToString(sum[:]), now())
	return r, nil
}

// sender is the HTTP client, made not to follow redirects.
func (c *Client) sender() *http.Client {
	h := *cmp.Or(c.HTTP, http.DefaultClient)
	h.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &h
}

// readBounded reads and closes the body of an answer.
func readBounded(a *http.Response, most int) ([]byte, error) {
	defer a.Body.Close()
	body, err := io.ReadAll(io.LimitReader(a.Body, int64(most)+1))
	if err != nil {
		return body, fmt.Errorf("read the answer with status %d: %w", a.StatusCode, err)
	}
	if len(body) > most {
		return body, fmt.Errorf("%w: status %d with more than %d MiB", ErrBadAnswer, a.StatusCode, most>>20)
	}
	return body, nil
}

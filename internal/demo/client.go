package demo

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"hydrant/internal/aws"
	"hydrant/internal/config"
)

// client signs and sends the requests to one service.
type client struct {
	http   *http.Client
	signer *aws.Signer
	now    func() time.Time
}

// apiError is an answer that says no.
type apiError struct {
	Status  int
	Code    string
	Message string
}

// Error gives the code, and the message if there is one.
func (e *apiError) Error() string {
	switch {
	case e.Code == "":
		return fmt.Sprintf("HTTP status %d", e.Status)
	case e.Message == "":
		return e.Code
	}
	return e.Code + ": " + e.Message
}

// hasCode reports whether err is an answer with one of the codes.
func hasCode(err error, codes ...string) bool {
	var e *apiError
	if !errors.As(err, &e) {
		return false
	}
	for _, c := range codes {
		if e.Code == c {
			return true
		}
	}
	return false
}

// do sends a signed request. The caller closes the answer's body.
func (c *client) do(ctx context.Context, method, url string, header http.Header, body []byte) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	for name, values := range header {
		r.Header[name] = values
	}
	sum := sha256.Sum256(body)
	c.signer.Sign(r, hex.EncodeToString(sum[:]), c.now())
	return c.http.Do(r)
}

// maxAnswer bounds the answers that are read into memory: 500 results of a batch take
// about 60 KB, a page of a listing less than 2 MB.
const maxAnswer = 8 << 20

// readAnswer reads and closes the body of an answer.
func readAnswer(a *http.Response) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(a.Body, maxAnswer))
	return b, errors.Join(err, a.Body.Close())
}

// nodeHTTP is the client that reaches the node itself. With TLS it trusts the node's own
// certificate and no other: its name need not be that of a loopback address.
func nodeHTTP(c config.TLS) (*http.Client, error) {
	t := &http.Transport{DisableCompression: true}
	if c.Cert == "" {
		return &http.Client{Transport: t}, nil
	}
	pair, err := tls.LoadX509KeyPair(c.Cert, c.Key)
	if err != nil {
		return nil, fmt.Errorf("load the node's TLS certificate: %w", err)
	}
	t.TLSClientConfig = &tls.Config{
		MinVersion:         tls.VersionTLS12,
		InsecureSkipVerify: true, // VerifyConnection is stricter
		VerifyConnection: func(s tls.ConnectionState) error {
			if len(s.PeerCertificates) == 0 || !bytes.Equal(s.PeerCertificates[0].Raw, pair.Certificate[0]) {
				return errors.New("the answer comes from another server than the node of this demo")
			}
			return nil
		},
	}
	return &http.Client{Transport: t}, nil
}

// endpointHTTP is the client that reaches another object store.
func endpointHTTP(e config.Endpoint) (*http.Client, error) {
	t := &http.Transport{Proxy: http.ProxyFromEnvironment, DisableCompression: true}
	t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: e.InsecureSkipVerify}
	if e.CAFile == "" {
		return &http.Client{Transport: t}, nil
	}
	pem, err := os.ReadFile(e.CAFile)
	if err != nil {
		return nil, fmt.Errorf("read the authorities of the object store: %w", err)
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool() // a system without authorities of its own
	}
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate in PEM form", e.CAFile)
	}
	t.TLSClientConfig.RootCAs = roots
	return &http.Client{Transport: t}, nil
}

package node

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	s3store "hydrant/internal/service/s3"
)

// codeTime is how long reading a function's zip from the object store may take.
const codeTime = 2 * time.Minute

// fetchCode opens a function's zip in the object store, the built-in one or the server that
// takes its place.
func (n *Node) fetchCode(ctx context.Context, bucket, key, version string) (io.ReadCloser, error) {
	client, err := n.codeStore(ctx)
	if err != nil {
		return nil, err
	}
	in := &s3.GetObjectInput{Bucket: &bucket, Key: &key}
	if version != "" {
		in.VersionId = &version
	}
	ctx, cancel := context.WithTimeout(ctx, codeTime)
	out, err := client.GetObject(ctx, in)
	if err != nil {
		cancel()
		return nil, explainFetch(err)
	}
	return &limitedBody{out.Body, cancel}, nil
}

// explainFetch words a refusal of the object store as Lambda does.
func explainFetch(err error) error {
	var told smithy.APIError
	if errors.As(err, &told) {
		return fmt.Errorf("S3 Error Code: %s. S3 Error Message: %s", told.ErrorCode(), told.ErrorMessage())
	}
	return err
}

// limitedBody is a body whose deadline goes with it.
type limitedBody struct {
	io.ReadCloser
	cancel context.CancelFunc
}

// Close closes the body.
func (b *limitedBody) Close() error {
	defer b.cancel()
	return b.ReadCloser.Close()
}

// codeStore is a client of the object store. Code is read from it rarely: nothing is kept
// in between.
func (n *Node) codeStore(ctx context.Context) (*s3.Client, error) {
	opt := s3.Options{
		Region: n.opt.Config.Region, UsePathStyle: true, DisableLogOutputChecksumValidationSkipped: true,
	}
	e, other := n.opt.Config.Endpoints["s3"]
	if !other {
		opt.BaseEndpoint = sdk.String("http://store.internal")
		opt.Credentials = n.rootKeys()
		opt.HTTPClient = &http.Client{Transport: n.transport(s3store.NewTransport(n.store))}
		return s3.New(opt), nil
	}
	find, err := credentialsOf(ctx, e)
	if err != nil {
		return nil, err
	}
	transport := n.opt.StoreTransport
	if transport == nil {
		if transport, err = n.network(e); err != nil {
			return nil, err
		}
	}
	if e.Region != "" {
		opt.Region = e.Region
	}
	opt.UsePathStyle = e.UsePathStyle()
	opt.HTTPClient = &http.Client{Transport: transport}
	opt.Credentials = sdk.CredentialsProviderFunc(func(ctx context.Context) (sdk.Credentials, error) {
		k, err := find(ctx)
		return sdk.Credentials{AccessKeyID: k.AccessKeyID, SecretAccessKey: string(k.Secret), SessionToken: string(k.Token)}, err
	})
	if e.URL != "" {
		opt.BaseEndpoint = &e.URL
	}
	return s3.New(opt), nil
}

// rootKeys are the node's own keys.
func (n *Node) rootKeys() sdk.CredentialsProvider {
	root := n.credentials.Root()
	return sdk.CredentialsProviderFunc(func(context.Context) (sdk.Credentials, error) {
		return sdk.Credentials{AccessKeyID: root.AccessKeyID, SecretAccessKey: string(root.Secret)}, nil
	})
}

// presign signs a GET request of Lambda's API with the node's own keys, so that whoever has
// its URL can send just this request for as long as lasts. It is verified as any other.
func (n *Node) presign(r *http.Request, lasts time.Duration) (string, error) {
	keys, err := n.rootKeys().Retrieve(r.Context())
	if err != nil {
		return "", err
	}
	query := r.URL.Query()
	query.Set("X-Amz-Expires", strconv.Itoa(int(lasts/time.Second)))
	r.URL.RawQuery = query.Encode()
	nothing := sha256.Sum256(nil)
	url, _, err := v4.NewSigner().PresignHTTP(r.Context(), keys, r, hex.EncodeToString(nothing[:]), "lambda", n.opt.Config.Region, n.opt.Now())
	if err != nil {
		return "", fmt.Errorf("sign a link: %w", err)
	}
	return url, nil
}

package node

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"

	"hydrant/internal/aws"
	"hydrant/internal/config"
)

// errNoCredentials says that nothing is known to sign requests to a neighbour with.
var errNoCredentials = errors.New("no credentials")

// remote returns the client of a neighbour that the configuration has elsewhere, nil if it
// has not. target is the prefix of the service's X-Amz-Target.
func (n *Node) remote(ctx context.Context, service, target string) (*aws.Client, error) {
	e, other := n.opt.Config.Endpoints[service]
	if !other {
		return nil, nil
	}
	transport, err := n.network(e)
	if err != nil {
		return nil, fmt.Errorf("endpoints.%s: %w", service, err)
	}
	keys, err := credentialsOf(ctx, e)
	if err != nil {
		return nil, fmt.Errorf("endpoints.%s: %w", service, err)
	}
	region := e.Region
	if region == "" {
		region = n.opt.Config.Region
	}
	return &aws.Client{
		Endpoint: e.URL, Service: service, Target: target, Region: region,
		Credentials: keys, HTTP: &http.Client{Transport: transport}, Now: n.opt.Now,
	}, nil
}

// network reaches an endpoint; deadlines come with each call.
func (n *Node) network(e config.Endpoint) (http.RoundTripper, error) {
	if n.opt.RemoteTransport != nil {
		return n.opt.RemoteTransport, nil
	}
	trust, err := e.ClientTLS()
	if err != nil {
		return nil, err
	}
	return &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSClientConfig:     trust,
		TLSHandshakeTimeout: 5 * time.Second,
		MaxIdleConnsPerHost: 8,
		// Below what servers allow: a request sent into a connection that is just being closed
		// counts as a failure here.
		IdleConnTimeout: 15 * time.Second,
	}, nil
}

// credentialsOf finds the keys for an endpoint: its own, or what the AWS environment has, as
// for the object store. That there are some is seen at once and not at the first call.
func credentialsOf(ctx context.Context, e config.Endpoint) (func(context.Context) (aws.KeyPair, error), error) {
	if e.AccessKey != "" {
		own := aws.KeyPair{AccessKeyID: e.AccessKey, Secret: aws.Secret(e.SecretKey.Reveal())}
		return func(context.Context) (aws.KeyPair, error) { return own, nil }, nil
	}
	var from []func(*sdk.LoadOptions) error
	if !atAmazon(e) {
		// The role of an EC2 instance is of no use elsewhere, and asking for it takes long.
		from = append(from, sdk.WithEC2IMDSClientEnableState(imds.ClientDisabled))
	}
	c, err := sdk.LoadDefaultConfig(ctx, from...)
	if err != nil {
		return nil, fmt.Errorf("read the AWS environment: %w", err)
	}
	find := func(ctx context.Context) (aws.KeyPair, error) {
		k, err := c.Credentials.Retrieve(ctx) // which keeps them until they expire
		if err != nil {
			return aws.KeyPair{}, fmt.Errorf("%w: %w", errNoCredentials, err)
		}
		return aws.KeyPair{AccessKeyID: k.AccessKeyID, Secret: aws.Secret(k.SecretAccessKey), Token: aws.Secret(k.SessionToken)}, nil
	}
	if _, err := find(ctx); err != nil {
		return nil, fmt.Errorf("configure accessKey and secretKey, or set AWS_ACCESS_KEY_ID and "+
			"AWS_SECRET_ACCESS_KEY, or AWS_PROFILE: %w", err)
	}
	return find, nil
}

// atAmazon says whether Amazon answers at an endpoint.
func atAmazon(e config.Endpoint) bool {
	u, err := url.Parse(e.URL)
	if err != nil {
		return false // Validate refuses such a URL
	}
	host := u.Hostname()
	return strings.HasSuffix(host, ".amazonaws.com") || strings.HasSuffix(host, ".amazonaws.com.cn")
}

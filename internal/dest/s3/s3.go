// Package s3 delivers objects to a store that speaks the S3 protocol: S3 itself, any
// compatible store on the network, or one in this process. It makes one attempt per call
// and tells errors apart; who retries, and when, is delivery's business.
//
//   - Upload: an S3 multipart upload, invisible until completed.
//   - Signed payload: the SHA-256 of the body is part of the signature. On TLS, which
//     protects the body anyway, and within the process it is left out: hashing costs as
//     much as all the rest of a request.
//   - Complaint: an error in the words that users know, beside what happened.
//   - Guard: the wrapper of a body that ends all use of it when a call returns.
package s3

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Options say where the store is and how to reach it.
type Options struct {
	// Region signs requests and finds AWS's endpoints. Empty: what the AWS environment says.
	Region string
	// Endpoint is the URL of a store other than AWS, without credentials in it.
	Endpoint string
	// PathStyle puts the bucket into the path instead of the host name, as most stores other
	// than AWS want it.
	PathStyle bool
	// Credentials sign the requests; nil takes AWS's default chain (environment, profiles,
	// container and instance roles).
	Credentials aws.CredentialsProvider
	// NoACL leaves out the header that gives the bucket's owner full control of objects, for
	// stores and buckets that refuse access control lists.
	NoACL bool
	// ServerSideEncryption is what the store is asked to encrypt objects with that have no KMS
	// key: AES256, or empty to leave it to the bucket.
	ServerSideEncryption string
	// CAFile is a PEM file of certificate authorities to trust besides the system's.
	CAFile string
	// SkipVerify accepts any certificate: whoever sits on the way can then read and change
	// what is delivered.
	SkipVerify bool
	// Connections is how many idle connections are kept; 0 means 64.
	Connections int
	// Transport replaces the network, for a store in this process.
	Transport http.RoundTripper
}

// StaticCredentials are credentials that do not change. session may be empty.
func StaticCredentials(id, secret, session string) aws.CredentialsProvider {
	return credentials.NewStaticCredentialsProvider(id, secret, session)
}

// Destination is a store. Its methods may be called at once from many goroutines.
type Destination struct {
	client   *s3.Client
	noACL    bool
	sse      string              // for objects without a KMS key
	unsigned []func(*s3.Options) // for requests with a payload worth not hashing
	close    func()
}

// New returns the store that the options describe. It does not talk to the store; ctx
// bounds the reading of AWS's configuration files.
func New(ctx context.Context, opt Options) (*Destination, error) {
	secure, err := checkEndpoint(opt.Endpoint)
	if err != nil {
		return nil, err
	}
	if err := checkEncryption(opt.ServerSideEncryption); err != nil {
		return nil, err
	}
	d := &Destination{noACL: opt.NoACL, sse: opt.ServerSideEncryption, close: func() {}}
	transport := opt.Transport
	if transport == nil {
		network, err := newTransport(opt)
		if err != nil {
			return nil, err
		}
		transport, d.close = network, network.CloseIdleConnections
	}
	cfg, err := loadConfig(ctx, opt)
	if err != nil {
		return nil, err
	}
	cfg.HTTPClient = &http.Client{
		Transport: transport,
		// A redirected request would need another signature, and no retry is ours to make.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	if secure || opt.Transport != nil {
		d.unsigned = append(d.unsigned, s3.WithAPIOptions(v4.SwapComputePayloadSHA256ForUnsignedPayloadMiddleware))
	}
	d.client = s3.NewFromConfig(cfg, func(o *s3.Options) { configure(o, opt) })
	return d, nil
}

// Close frees idle connections. Calls in progress are not disturbed.
func (d *Destination) Close() { d.close() }

// checkEndpoint refuses URLs that cannot work, or that would show up in errors with
// credentials in them, and reports whether the endpoint is reached by TLS.
func checkEndpoint(endpoint string) (secure bool, err error) {
	if endpoint == "" {
		return true, nil
	}
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return false, errors.New("S3 endpoint is not a URL such as http://store:9000")
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return false, fmt.Errorf("S3 endpoint %s://%s: user, query and fragment are not allowed; credentials belong into the configuration", u.Scheme, u.Host)
	}
	return u.Scheme == "https", nil
}

// loadConfig takes what is given, and only without credentials asks AWS's environment.
func loadConfig(ctx context.Context, opt Options) (aws.Config, error) {
	if opt.Credentials != nil {
		if opt.Region == "" {
			return aws.Config{}, errors.New("S3 destination: a region is needed to sign requests")
		}
		return aws.Config{Region: opt.Region, Credentials: aws.NewCredentialsCache(opt.Credentials)}, nil
	}
	from := []func(*config.LoadOptions) error{config.WithRegion(opt.Region)}
	if opt.Endpoint != "" && !strings.HasSuffix(hostOf(opt.Endpoint), ".amazonaws.com") {
		// The role of an EC2 instance is of no use elsewhere, and asking for it takes long.
		from = append(from, config.WithEC2IMDSClientEnableState(imds.ClientDisabled))
	}
	cfg, err := config.LoadDefaultConfig(ctx, from...)
	if err != nil {
		return aws.Config{}, fmt.Errorf("S3 destination: read the AWS environment: %w", err)
	}
	if cfg.Region == "" {
		return aws.Config{}, errors.New("S3 destination: no region is configured, nor set as AWS_REGION")
	}
	if _, err := cfg.Credentials.Retrieve(ctx); err != nil {
		return aws.Config{}, fmt.Errorf("S3 destination: no credentials for the store: configure them, or set "+
			"AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE: %w", err)
	}
	return cfg, nil
}

// hostOf is the host name of an endpoint that checkEndpoint has passed.
func hostOf(endpoint string) string {
	u, err := url.Parse(endpoint)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// googleHost is where Google serves the S3 protocol.
const googleHost = "storage.googleapis.com"

func configure(o *s3.Options, opt Options) {
	o.AppID = "hydrant"
	o.UsePathStyle = opt.PathStyle
	o.Retryer = aws.NopRetryer{}
	// Several stores refuse the checksum trailers that the SDK sends by default.
	o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
	o.ResponseChecksumValidation = aws.ResponseChecksumValidationWhenRequired
	if opt.Endpoint != "" {
		o.BaseEndpoint = aws.String(opt.Endpoint)
		if host := hostOf(opt.Endpoint); host == googleHost || strings.HasSuffix(host, "."+googleHost) {
			o.APIOptions = append(o.APIOptions, signWithoutAcceptEncoding)
		}
	}
	if opt.Transport != nil {
		o.ContinueHeaderThresholdBytes = -1 // nobody is asked before a body is sent
	}
}

// newTransport returns a transport for the network. Deadlines come with each call; here are
// only those for what a call does not know of.
func newTransport(opt Options) (*http.Transport, error) {
	security := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: opt.SkipVerify}
	if opt.CAFile != "" {
		pem, err := os.ReadFile(opt.CAFile)
		if err != nil {
			return nil, fmt.Errorf("S3 destination: read the certificate authorities: %w", err)
		}
		security.RootCAs, err = x509.SystemCertPool()
		if err != nil { // a machine without authorities of its own
			security.RootCAs = x509.NewCertPool()
		}
		if !security.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("S3 destination: no certificate in %s", opt.CAFile)
		}
	}
	idle := opt.Connections
	if idle <= 0 {
		idle = 64
	}
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSClientConfig:       security,
		TLSHandshakeTimeout:   10 * time.Second,
		ExpectContinueTimeout: time.Second,
		MaxIdleConns:          idle,
		MaxIdleConnsPerHost:   idle,
		// Below what stores allow, since a request sent into a connection that is just being
		// closed counts as a failure here.
		IdleConnTimeout:    15 * time.Second,
		WriteBufferSize:    64 << 10,
		DisableCompression: true,
	}, nil
}

package config

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// MinMemory is the least that a node can work in: the engine's tables, one buffer of the
// largest request and one compressor leave little below it.
const MinMemory = 128 * mebibyte

// services are the neighbours that Endpoints may name.
var services = []string{"glue", kmsService, "lambda", "logs", s3Service}

// Services of which Endpoint has settings or rules of their own.
const (
	kmsService = "kms"
	s3Service  = "s3"
)

var (
	regionForm  = regexp.MustCompile(`^[a-z]{2,}(-[a-z]+)+-[0-9]+$`)
	accountForm = regexp.MustCompile(`^[0-9]{12}$`)
)

// Validate says what is wrong with the settings as they stand, all of it at once: each
// fault with its key, its effect and what to do.
func (c *Config) Validate() error {
	return errors.Join(
		c.validateAddresses(),
		c.validateTLS(),
		c.validateNames(),
		c.validateEndpoints(),
		c.validateBounds(),
		c.validateQuotas(),
	)
}

func (c *Config) validateAddresses() error {
	if c.Listen == c.Console && !strings.HasSuffix(c.Listen, ":0") {
		return fault("console", "%q is the address of listen too; give it another port", c.Console)
	}
	return errors.Join(c.validateAddress("listen", c.Listen), c.validateAddress("console", c.Console))
}

// validateAddress refuses plain HTTP on addresses that others can reach.
func (c *Config) validateAddress(key, address string) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return fault(key, "%q is not host:port, such as 127.0.0.1:4573", address)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fault(key, "port %q of %q is not a number from 0 to 65535", port, address)
	} else if strconv.FormatUint(n, 10) != port {
		return fault(key, "port %q of %q is written with more than its number", port, address)
	}
	if isLoopback(host) || c.Insecure || c.TLS.Cert != "" {
		return nil
	}
	return fault(key, "%s can be reached from other machines and TLS is off, so records would cross the network "+
		"readable for everyone on it. Give tls.cert and tls.key, or listen on 127.0.0.1, or accept it with insecure: true (--insecure)", address)
}

// isLoopback reports whether only this machine can reach the host. An empty host is every
// address of the machine; of names only localhost is known to stay here.
func isLoopback(host string) bool {
	if ip := net.ParseIP(host); ip != nil {
		return ip.IsLoopback()
	}
	return host == "localhost"
}

func (c *Config) validateTLS() error {
	switch {
	case c.TLS.Cert != "" && c.TLS.Key == "":
		return fault("tls.key", "missing; tls.cert is of no use without its private key")
	case c.TLS.Cert == "" && c.TLS.Key != "":
		return fault("tls.cert", "missing; tls.key is of no use without its certificate")
	}
	return nil
}

func (c *Config) validateNames() error {
	var faults []error
	if c.Data == "" {
		faults = append(faults, fault("data", "empty; name the directory that records are kept in"))
	}
	if !regionForm.MatchString(c.Region) {
		faults = append(faults, fault("region", "%q does not look like a region, such as us-east-1", c.Region))
	}
	if !accountForm.MatchString(c.Account) {
		faults = append(faults, fault("account", "%q is not twelve digits", c.Account))
	}
	if c.Log.Format != "text" && c.Log.Format != "json" {
		faults = append(faults, fault("log.format", "%q is neither text nor json", c.Log.Format))
	}
	return errors.Join(faults...)
}

func (c *Config) validateBounds() error {
	var faults []error
	if c.Memory < MinMemory {
		faults = append(faults, fault("memory", "%s is less than a node can work in; give at least %s", c.Memory, MinMemory))
	}
	if c.Delivery.GzipLevel < 1 || c.Delivery.GzipLevel > 9 {
		faults = append(faults, fault("delivery.gzipLevel", "%d is not from 1 (fast) to 9 (small)", c.Delivery.GzipLevel))
	}
	return errors.Join(faults...)
}

func (c *Config) validateQuotas() error {
	var faults []error
	if c.Quotas.Streams < 1 {
		faults = append(faults, fault("quotas.streams", "%d streams are too few to be of use; give at least 1", c.Quotas.Streams))
	}
	if c.Quotas.ControlPerSecond < 0 {
		faults = append(faults, fault("quotas.controlPerSecond", "a quota is not negative; 0 is unlimited"))
	}
	faults = append(faults, c.Quotas.Default.validate("quotas.default"))
	for _, name := range slices.Sorted(maps.Keys(c.Quotas.PerStream)) {
		faults = append(faults, c.Quotas.PerStream[name].validate("quotas.perStream."+name))
	}
	return errors.Join(faults...)
}

func (q Quota) validate(key string) error {
	if q.Records < 0 || q.Requests < 0 || q.Partitions < 0 {
		return fault(key, "a quota is not negative; 0 is unlimited")
	}
	return nil
}

func (c *Config) validateEndpoints() error {
	var faults []error
	for _, service := range slices.Sorted(maps.Keys(c.Endpoints)) {
		key := "endpoints." + service
		if !slices.Contains(services, service) {
			faults = append(faults, fault(key, "no endpoint can be set for this service; known: %s", strings.Join(services, ", ")))
			continue
		}
		e := c.Endpoints[service]
		u, err := e.server(key)
		plain := u != nil && u.Scheme == "http"
		faults = append(faults, err, e.validate(key, plain), e.validateFor(service, key))
		if plain && service == kmsService && !isLoopback(u.Hostname()) && !c.Insecure {
			faults = append(faults, fault(key+".url", "data keys would cross the network readable for everyone on it; use https, or set insecure: true"))
		}
	}
	return errors.Join(faults...)
}

// server reads the URL. Its text is not repeated in faults: it may hold a password.
func (e Endpoint) server(key string) (*url.URL, error) {
	u, err := url.Parse(e.URL)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return nil, fault(key+".url", "not a URL such as https://store.example.com:9000")
	case u.User != nil:
		return u, fault(key+".url", "holds a user name; give credentials as accessKey and secretKey")
	case strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "":
		return u, fault(key+".url", "%s://%s is followed by more; only the server is named here", u.Scheme, u.Host)
	}
	return u, nil
}

// validate checks what holds for all services; plain says that there is no TLS.
func (e Endpoint) validate(key string, plain bool) error {
	var faults []error
	if (e.AccessKey == "") != (e.SecretKey == "") {
		faults = append(faults, fault(key, "accessKey and secretKey are given together or not at all"))
	}
	if plain && (e.CAFile != "" || e.InsecureSkipVerify) {
		faults = append(faults, fault(key, "caFile and insecureSkipVerify mean nothing for an http URL; use https or take them out"))
	}
	return errors.Join(faults...)
}

// validateFor checks the settings that only some services have.
func (e Endpoint) validateFor(service, key string) error {
	if service != s3Service && (e.PathStyle != nil || e.ACL != nil || e.ServerSideEncryption != "") {
		return fault(key, "pathStyle, acl and serverSideEncryption are about objects; take them out, or set them for %s", s3Service)
	}
	if e.ServerSideEncryption != "" && e.ServerSideEncryption != "AES256" {
		return fault(key+".serverSideEncryption", "%q is not AES256; KMS keys are given with each stream", e.ServerSideEncryption)
	}
	return nil
}

// UsePathStyle says whether the bucket belongs into the path, for the service at the
// endpoint's URL: it does unless the setting says otherwise or Amazon answers there.
func (e Endpoint) UsePathStyle() bool {
	if e.PathStyle != nil {
		return *e.PathStyle
	}
	u, err := url.Parse(e.URL)
	if err != nil {
		return true // Validate refuses such a URL
	}
	host := u.Hostname()
	return !strings.HasSuffix(host, ".amazonaws.com") && !strings.HasSuffix(host, ".amazonaws.com.cn")
}

// SendACL says whether objects carry the ACL header.
func (e Endpoint) SendACL() bool { return e.ACL == nil || *e.ACL }

// fault is one thing that Validate found, with the key of the setting.
func fault(key, format string, args ...any) error {
	return fmt.Errorf("%w: %s: %s", ErrBadFile, key, fmt.Sprintf(format, args...))
}

package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAnEmptyFileIsTheDefaults(t *testing.T) {
	for _, text := range []string{"", "# nothing set\n", "---\n", "log:\nregion:\n"} {
		got, err := parse("f", []byte(text))
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if d := cmp.Diff(Defaults(), got); d != "" {
			t.Errorf("%q: %s", text, d)
		}
	}
}

func TestTheDefaultsAreValid(t *testing.T) {
	c := Defaults()
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
}

// testdata/whole.yaml sets every key to something else than its default.
func TestEverySettingIsRead(t *testing.T) {
	got, err := Load(filepath.Join("testdata", "whole.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	yes, no := true, false
	want := Config{
		Data: "/var/lib/hydrant", Listen: "0.0.0.0:443", Console: "0.0.0.0:8443", Insecure: true,
		TLS:    TLS{Cert: "/etc/hydrant/cert.pem", Key: "/etc/hydrant/key.pem"},
		Region: "eu-central-1", Account: "012345678901", Memory: 1 << 30,
		Log: Log{Level: slog.LevelDebug, Format: "json"},
		Endpoints: map[string]Endpoint{"s3": {
			URL: "https://store.example.com:9000", Region: "eu-north-1", PathStyle: &no,
			AccessKey: "AKIDEXAMPLE", SecretKey: "example-secret",
			CAFile: "/etc/hydrant/ca.pem", InsecureSkipVerify: true, ACL: &yes, ServerSideEncryption: "AES256",
		}},
		Delivery: Delivery{GzipLevel: 6, SmallBuffers: true},
		Storage:  Storage{MaxBytes: 500 << 30, MinFree: 10e9},
		Quotas: Quotas{
			Streams: 12, ControlPerSecond: 5, Default: Quota{Records: 100_000, Requests: 1000, Bytes: 1 << 20, Partitions: 500},
			PerStream: map[string]Quota{"clicks": {Records: 7, Requests: 8, Bytes: 50 << 20, Partitions: 9}},
		},
	}
	if own, other := want.Quotas.Of("clicks"), want.Quotas.Of("others"); own.Records != 7 || other.Records != 100_000 {
		t.Errorf("the quotas of streams are %+v and %+v", own, other)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Fatal(d)
	}
	if err := got.Validate(); err != nil {
		t.Fatal(err)
	}
	if left := unset(reflect.ValueOf(got), ""); len(left) > 0 {
		t.Fatalf("whole.yaml does not set %v", left)
	}
}

// unset lists the keys that are at their zero value.
func unset(v reflect.Value, key string) []string {
	var left []string
	switch {
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			left = append(left, unset(v.Field(i), key+"."+v.Type().Field(i).Tag.Get("yaml"))...)
		}
	case v.Kind() == reflect.Map:
		for _, k := range v.MapKeys() {
			left = append(left, unset(v.MapIndex(k), key+"."+k.String())...)
		}
	case v.IsZero():
		left = append(left, key)
	}
	return left
}

func TestAFaultNamesFileLineAndKey(t *testing.T) {
	tests := []struct{ text, want string }{
		{"region: us-east-1\nreggion: x\n", "f:2: configuration is not valid: reggion: no such setting; known here: data, listen, console, insecure, tls, region, account, memory, log, endpoints, delivery, storage"},
		{"log:\n  level: loud\n", `f:2: configuration is not valid: log.level: slog: level string "loud": unknown name`},
		{"endpoints:\n  s3:\n    pathStyle: maybe\n", `f:3: configuration is not valid: endpoints.s3.pathStyle: true or false is wanted here, not "maybe"`},
		{"memory: 10 XB\n", `f:1: configuration is not valid: memory: "10 XB" is not a size such as 256MiB, 1.5GB or 0`},
		{"storage: 5GiB\n", "f:1: configuration is not valid: storage: settings are wanted here, each as name: value"},
		{"data: [a, b]\n", "f:1: configuration is not valid: data: a single value is wanted here"},
		{"memory: {a: b}\n", "f:1: configuration is not valid: memory: a single value is wanted here"},
		{"delivery:\n  gzipLevel: fast\n", `f:2: configuration is not valid: delivery.gzipLevel: a whole number is wanted here, not "fast"`},
		{"region: a\nregion: b\n", "f:2: configuration is not valid: region: given before, in line 1"},
		{"data: &d x\nregion: *d\n", "f:2: configuration is not valid: region: aliases are not followed; write the value out"},
		{"a: b\n---\nc: d\n", "f: configuration is not valid: only one YAML document is read"},
		{"data: \"unclosed\nregion: x\n", "f: configuration is not valid: "},
		{"- a\n", "f:1: configuration is not valid: settings are wanted here, each as name: value"},
		{"insecure: \"true\"\n", `f:1: configuration is not valid: insecure: true or false is wanted here, not "true"`},
	}
	for _, tt := range tests {
		_, err := parse("f", []byte(tt.text))
		if !errors.Is(err, ErrBadFile) || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%q:\n got %v\nwant %s", tt.text, err, tt.want)
		}
	}
}

func TestAllFaultsAreToldAtOnce(t *testing.T) {
	_, err := parse("f", []byte("insecure: perhaps\nmemory: lots\n"))
	if err == nil || !strings.Contains(err.Error(), "f:1:") || !strings.Contains(err.Error(), "f:2:") {
		t.Fatalf("got %v", err)
	}
}

func TestFilesThatCannotBeReadAreErrors(t *testing.T) {
	dir := t.TempDir()
	if _, err := Load(filepath.Join(dir, "absent.yaml")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("absent: %v", err)
	}
	huge := filepath.Join(dir, "huge.yaml")
	if err := os.WriteFile(huge, make([]byte, maxFileBytes+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(huge); !errors.Is(err, ErrBadFile) {
		t.Errorf("huge: %v", err)
	}
}

func TestValidateSaysWhatToDo(t *testing.T) {
	at := func(service string, e Endpoint) func(*Config) {
		return func(c *Config) { c.Endpoints = map[string]Endpoint{service: e} }
	}
	s3 := func(e Endpoint) func(*Config) { return at("s3", e) }
	yes := true
	tests := []struct {
		name string
		edit func(*Config)
		want string // part of the error; empty when it must pass
	}{
		{"open to the network", func(c *Config) { c.Listen = "0.0.0.0:4573" }, "listen: 0.0.0.0:4573 can be reached from other machines and TLS is off"},
		{"open to the network on purpose", func(c *Config) { c.Listen, c.Insecure = "0.0.0.0:4573", true }, ""},
		{"open to the network with TLS", func(c *Config) { c.Console, c.TLS = ":4574", TLS{"c", "k"} }, ""},
		{"a console on all addresses", func(c *Config) { c.Console = ":4574" }, "console: :4574 can be reached"},
		{"a name may be any address", func(c *Config) { c.Listen = "gateway:4573" }, "listen: gateway:4573 can be reached"},
		{"localhost", func(c *Config) { c.Listen = "localhost:0" }, ""},
		{"loopback of IPv6", func(c *Config) { c.Listen = "[::1]:4573" }, ""},
		{"free ports for both", func(c *Config) { c.Listen, c.Console = "127.0.0.1:0", "127.0.0.1:0" }, ""},
		{"one port for both", func(c *Config) { c.Console = c.Listen }, "console: \"127.0.0.1:4573\" is the address of listen too"},
		{"no port", func(c *Config) { c.Listen = "127.0.0.1" }, "listen: \"127.0.0.1\" is not host:port"},
		{"a port too high", func(c *Config) { c.Listen = "127.0.0.1:65536" }, "is not a number from 0 to 65535"},
		{"a port with zeros", func(c *Config) { c.Listen = "127.0.0.1:04573" }, "more than its number"},
		{"a certificate without key", func(c *Config) { c.TLS.Cert = "c" }, "tls.key: missing"},
		{"a key without certificate", func(c *Config) { c.TLS.Key = "k" }, "tls.cert: missing"},
		{"no data directory", func(c *Config) { c.Data = "" }, "data: empty"},
		{"a region that is none", func(c *Config) { c.Region = "Frankfurt" }, "region: \"Frankfurt\" does not look like a region"},
		{"a region of three words", func(c *Config) { c.Region = "us-gov-west-1" }, ""},
		{"an account that is none", func(c *Config) { c.Account = "1234" }, "account: \"1234\" is not twelve digits"},
		{"a log that is none", func(c *Config) { c.Log.Format = "xml" }, "log.format: \"xml\" is neither text nor json"},
		{"too little memory", func(c *Config) { c.Memory = 100 << 20 }, "memory: 100MiB is less than a node can work in; give at least 128MiB"},
		{"a level that gzip lacks", func(c *Config) { c.Delivery.GzipLevel = 0 }, "delivery.gzipLevel: 0 is not from 1"},
		{"a neighbour that has no endpoint", func(c *Config) { c.Endpoints = map[string]Endpoint{"s4": {}} }, "endpoints.s4: no endpoint can be set for this service; known: glue, kms, lambda, logs, s3"},
		{"an endpoint", s3(Endpoint{URL: "http://127.0.0.1:9000/"}), ""},
		{"an endpoint without URL", s3(Endpoint{}), "endpoints.s3.url: not a URL"},
		{"an endpoint with a path", s3(Endpoint{URL: "https://store/bucket"}), "https://store is followed by more"},
		{"an endpoint of another kind", s3(Endpoint{URL: "ftp://store"}), "endpoints.s3.url: not a URL"},
		{"half a pair of keys", s3(Endpoint{URL: "https://store", AccessKey: "a"}), "given together"},
		{"trust that means nothing", s3(Endpoint{URL: "http://store", CAFile: "f"}), "mean nothing for an http URL"},
		{"an encryption of objects", s3(Endpoint{URL: "https://store", ServerSideEncryption: "AES256"}), ""},
		{"an encryption that is none", s3(Endpoint{URL: "https://store", ServerSideEncryption: "aws:kms"}),
			"endpoints.s3.serverSideEncryption: \"aws:kms\" is not AES256; KMS keys are given with each stream"},
		{"a KMS", at("kms", Endpoint{URL: "https://kms.eu-central-1.amazonaws.com"}), ""},
		{"a KMS with a path", at("kms", Endpoint{URL: "https://kms/keys"}), "endpoints.kms.url: https://kms is followed by more"},
		{"a KMS with buckets", at("kms", Endpoint{URL: "https://kms", PathStyle: &yes}), "endpoints.kms: pathStyle, acl and serverSideEncryption are about objects"},
		{"a KMS on this machine", at("kms", Endpoint{URL: "http://localhost:4573"}), ""},
		{"a KMS that all can listen to", at("kms", Endpoint{URL: "http://kms:4573"}), "endpoints.kms.url: data keys would cross the network"},
		{"such a KMS on purpose", func(c *Config) {
			c.Insecure, c.Endpoints = true, map[string]Endpoint{"kms": {URL: "http://kms:4573"}}
		}, ""},
		{"logs", at("logs", Endpoint{URL: "http://logs:4573"}), ""},
		{"logs with an encryption", at("logs", Endpoint{URL: "http://logs", ServerSideEncryption: "AES256"}), "set them for s3"},
		{"fewer calls than none", func(c *Config) { c.Quotas.ControlPerSecond = -1 }, "quotas.controlPerSecond: a quota is not negative"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := Defaults()
			tt.edit(&c)
			err := c.Validate()
			if tt.want == "" && err != nil {
				t.Fatal(err)
			}
			if tt.want != "" && (!errors.Is(err, ErrBadFile) || !strings.Contains(err.Error(), tt.want)) {
				t.Fatalf("got %v, want %q in it", err, tt.want)
			}
		})
	}
}

// Passwords in URLs and secret keys reach no error and no log.
func TestNoSecretIsEverPrinted(t *testing.T) {
	const secret = "hunter2"
	c := Defaults()
	c.Memory = 0 // something to complain of
	for _, url := range []string{"https://me:" + secret + "@store", "https://me:" + secret + "@[store", "https://store?key=" + secret} {
		c.Endpoints = map[string]Endpoint{"s3": {URL: url}, "kms": {URL: url}}
		if err := c.Validate(); err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("the error tells it: %v", err)
		}
	}
	e := Endpoint{SecretKey: secret}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("starting", "key", e.SecretKey, "endpoint", e)
	asJSON, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{log.String(), string(asJSON), fmt.Sprintf("%v %+v %#v %s", e, e, e, e.SecretKey)} {
		if strings.Contains(text, secret) || !strings.Contains(text, redacted) {
			t.Errorf("printed as %s", text)
		}
	}
	if e.SecretKey.Reveal() != secret {
		t.Error("Reveal does not reveal")
	}
}

func TestPathStyleIsForAllButAmazon(t *testing.T) {
	yes, no := true, false
	tests := []struct {
		endpoint Endpoint
		want     bool
	}{
		{Endpoint{URL: "http://127.0.0.1:9000"}, true},
		{Endpoint{URL: "https://s3.eu-central-1.amazonaws.com"}, false},
		{Endpoint{URL: "https://s3.cn-north-1.amazonaws.com.cn"}, false},
		{Endpoint{URL: "https://amazonaws.com.example.com"}, true},
		{Endpoint{URL: "https://s3.eu-central-1.amazonaws.com", PathStyle: &yes}, true},
		{Endpoint{URL: "http://store", PathStyle: &no}, false},
	}
	for _, tt := range tests {
		if got := tt.endpoint.UsePathStyle(); got != tt.want {
			t.Errorf("%s: %v", tt.endpoint.URL, got)
		}
	}
}

func TestTheACLIsSentUnlessSwitchedOff(t *testing.T) {
	no := false
	if !(Endpoint{}).SendACL() || (Endpoint{ACL: &no}).SendACL() {
		t.Fatal("acl is not as documented")
	}
}

package node

import (
	"bytes"
	"encoding/pem"
	"errors"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hydrant/internal/aws"
	"hydrant/internal/config"
	"hydrant/internal/service/kms"
)

// awsEnvironment leaves of the AWS environment only what is given.
func awsEnvironment(t *testing.T, set map[string]string) {
	t.Helper()
	nowhere := filepath.Join(t.TempDir(), "none")
	for _, name := range []string{
		"AWS_ACCESS_KEY_ID", "AWS_ACCESS_KEY", "AWS_SECRET_ACCESS_KEY", "AWS_SECRET_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE",
		"AWS_DEFAULT_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI",
	} {
		t.Setenv(name, "")
		if err := os.Unsetenv(name); err != nil { // Setenv above has it put back
			t.Fatal(err)
		}
	}
	t.Setenv("AWS_CONFIG_FILE", nowhere)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", nowhere)
	for name, value := range set {
		t.Setenv(name, value)
	}
}

func TestTheKeysForAnEndpointAreItsOwnOrThoseOfTheEnvironment(t *testing.T) {
	here := config.Endpoint{URL: "http://localhost"}
	own := here
	own.AccessKey, own.SecretKey = "own", "own secret"
	environment := map[string]string{"AWS_ACCESS_KEY_ID": "env", "AWS_SECRET_ACCESS_KEY": "env secret", "AWS_SESSION_TOKEN": "session"}
	for name, tt := range map[string]struct {
		endpoint config.Endpoint
		set      map[string]string
		want     aws.KeyPair
	}{
		"own":               {own, environment, aws.KeyPair{AccessKeyID: "own", Secret: "own secret"}},
		"the environment's": {here, environment, aws.KeyPair{AccessKeyID: "env", Secret: "env secret", Token: "session"}},
	} {
		t.Run(name, func(t *testing.T) {
			awsEnvironment(t, tt.set)
			find, err := credentialsOf(t.Context(), tt.endpoint)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := find(t.Context()); err != nil || got != tt.want {
				t.Errorf("found those of %q, %v", got.AccessKeyID, err)
			}
		})
	}
}

// The way of a real request: sockets, TLS, the authorities of the configuration.
func TestANeighbourIsReachedOverTLS(t *testing.T) {
	keeper := open(t, testConfig(t))
	defer keeper.Close()
	server := httptest.NewTLSServer(keeper.AWS())
	defer server.Close()
	authorities := filepath.Join(t.TempDir(), "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(authorities, text, 0o600); err != nil {
		t.Fatal(err)
	}
	root := keeper.credentials.Root()
	c := testConfig(t)
	c.Endpoints = map[string]config.Endpoint{"kms": {
		URL: server.URL, AccessKey: root.AccessKeyID, SecretKey: config.Secret(root.Secret), CAFile: authorities,
	}}
	n := open(t, c)
	defer n.Close()
	made, err := n.keys.GenerateDataKey(t.Context(), "alias/aws/firehose", map[string]string{"a": "b"})
	if err != nil {
		t.Fatal(err)
	}
	for context, fits := range map[string]bool{"b": true, "c": false} {
		plain, err := n.keys.Decrypt(t.Context(), "", made.Blob, map[string]string{"a": context})
		if fits && (err != nil || !bytes.Equal(plain, made.Plaintext)) || !fits && !errors.Is(err, kms.ErrCiphertext) {
			t.Errorf("with the context %s: %v", context, err)
		}
	}
}

func TestANodeWithoutKeysForAnEndpointDoesNotStart(t *testing.T) {
	awsEnvironment(t, nil)
	c := testConfig(t)
	c.Endpoints = map[string]config.Endpoint{"kms": {URL: "http://localhost"}}
	_, err := Open(t.Context(), Options{Config: c, Logger: slog.New(slog.DiscardHandler)})
	if !errors.Is(err, errNoCredentials) || !strings.HasPrefix(err.Error(), "endpoints.kms: configure accessKey and secretKey") {
		t.Fatal(err)
	}
}

func TestAmazonsEndpointsAreKnown(t *testing.T) {
	for url, want := range map[string]bool{
		"https://kms.eu-central-1.amazonaws.com": true, "https://kms.cn-north-1.amazonaws.com.cn": true,
		"https://kms.example.com": false, "https://amazonaws.com.example.com": false,
	} {
		if atAmazon(config.Endpoint{URL: url}) != want {
			t.Error(url)
		}
	}
}

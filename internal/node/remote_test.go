package node

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"hydrant/internal/aws"
	"hydrant/internal/config"
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

func TestANodeWithoutKeysForAnEndpointDoesNotStart(t *testing.T) {
	awsEnvironment(t, nil)
	if _, err := credentialsOf(t.Context(), config.Endpoint{URL: "http://localhost"}); !errors.Is(err, errNoCredentials) {
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

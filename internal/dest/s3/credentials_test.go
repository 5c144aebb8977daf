package s3

import (
	"strings"
	"testing"
)

// Without credentials a destination says so when it is made, not with its first object.
func TestAStoreWithoutCredentialsIsRefusedAtOnce(t *testing.T) {
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE",
		"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_WEB_IDENTITY_TOKEN_FILE"} {
		t.Setenv(name, "")
	}
	none := t.TempDir() + "/none"
	t.Setenv("AWS_CONFIG_FILE", none)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", none)
	_, err := New(t.Context(), Options{Endpoint: "http://127.0.0.1:1", Region: "us-east-1"})
	if err == nil || !strings.Contains(err.Error(), "no credentials for the store") {
		t.Fatalf("err %v", err)
	}
	t.Setenv("AWS_ACCESS_KEY_ID", "key")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	if _, err := New(t.Context(), Options{Endpoint: "http://127.0.0.1:1", Region: "us-east-1"}); err != nil {
		t.Fatal(err)
	}
}

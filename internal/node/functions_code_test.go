package node

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"hydrant/internal/config"
)

// Code is read from the node's own store, or from that of another one over the network.
func TestCodeIsFetchedFromWhereObjectsAre(t *testing.T) {
	keeper := open(t, testConfig(t))
	defer keeper.Close()
	store, err := keeper.codeStore(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: sdk.String("code")}); err != nil {
		t.Fatal(err)
	}
	if _, err := store.PutObject(t.Context(), &s3.PutObjectInput{Bucket: sdk.String("code"), Key: sdk.String("a/f.zip"), Body: strings.NewReader("a zip")}); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(keeper.AWS())
	defer server.Close()
	c := testConfig(t)
	root := keeper.credentials.Root()
	c.Endpoints = map[string]config.Endpoint{"s3": {URL: server.URL, AccessKey: root.AccessKeyID, SecretKey: config.Secret(root.Secret), Region: keeper.opt.Config.Region}}
	reader := open(t, c)
	defer reader.Close()
	for name, n := range map[string]*Node{"its own": keeper, "another's": reader} {
		body, err := n.fetchCode(t.Context(), "code", "a/f.zip", "")
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		text, err := io.ReadAll(body)
		if closed := body.Close(); err != nil || closed != nil || string(text) != "a zip" {
			t.Errorf("%s: %q %v %v", name, text, err, closed)
		}
		if _, err := n.fetchCode(t.Context(), "code", "none", ""); err == nil || !strings.HasPrefix(err.Error(), "S3 Error Code: NoSuchKey. S3 Error Message: ") {
			t.Errorf("%s: what is not there: %v", name, err)
		}
	}
}

// A link carries the node's access key and a signature, and no secret.
func TestALinkIsSignedAndTellsNoSecret(t *testing.T) {
	n := open(t, testConfig(t))
	defer n.Close()
	r, err := http.NewRequest(http.MethodGet, "http://localhost:4573/2015-03-31/functions/f/code?Qualifier=1", nil)
	if err != nil {
		t.Fatal(err)
	}
	link, err := n.presign(r, 10*time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	root := n.credentials.Root()
	for _, want := range []string{"X-Amz-Expires=600", "Qualifier=1", "X-Amz-Credential=" + root.AccessKeyID + "%2F", "%2Flambda%2Faws4_request", "X-Amz-Signature="} {
		if !strings.Contains(link, want) {
			t.Errorf("%s is not in %s", want, link)
		}
	}
	if strings.Contains(link, string(root.Secret)) {
		t.Error("the link tells the secret key")
	}
	ask := func(link string) (int, string) {
		rec := httptest.NewRecorder()
		n.AWS().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, link, nil))
		return rec.Code, rec.Body.String()
	}
	if status, body := ask(link); status != http.StatusNotFound || !strings.Contains(body, "Function not found") {
		t.Errorf("the link is not understood: %d %s", status, body)
	}
	if status, body := ask(strings.Replace(link, "/f/", "/g/", 1)); status != http.StatusForbidden {
		t.Errorf("another function: %d %s", status, body)
	}
}

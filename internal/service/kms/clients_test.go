package kms

import (
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"hydrant/internal/aws"
)

// TestBoto3Works runs testdata/boto3_walk.py.
func TestBoto3Works(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil || exec.CommandContext(t.Context(), python, "-c", "import boto3").Run() != nil {
		t.Skip("boto3 is not installed: it was not tried against the service")
	}
	w := newWorld(t)
	// boto3 signs with the machine's clock.
	server := aws.NewServer(aws.Options{
		Partition: "aws", Region: testRegion, Account: "000000000000", Credentials: testKeys{}, Authorizer: w,
		Buffers: aws.NewBuffers(64<<20, time.Minute), Logger: w.logger(), Now: time.Now,
	})
	server.Handle("kms", w.JSON())
	web := httptest.NewServer(server)
	defer web.Close()
	home := t.TempDir()
	cmd := exec.CommandContext(t.Context(), python, filepath.Join("testdata", "boto3_walk.py"))
	cmd.Env = append(os.Environ(), "HOME="+home, "AWS_CONFIG_FILE="+filepath.Join(home, "config"),
		"AWS_SHARED_CREDENTIALS_FILE="+filepath.Join(home, "credentials"), "AWS_EC2_METADATA_DISABLED=true",
		"AWS_ENDPOINT_URL="+web.URL, "AWS_DEFAULT_REGION="+testRegion, "AWS_REGION="+testRegion,
		"AWS_ACCESS_KEY_ID="+testKeyID, "AWS_SECRET_ACCESS_KEY="+testSecret)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

package s3

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// environment points the AWS CLI and boto3 at a store, and away from the machine's own
// configuration. In regions as old as us-east-1 they presign with signature version 2
// unless told otherwise, which AWS itself takes in those regions only.
func environment(t *testing.T, url string) []string {
	t.Helper()
	home := t.TempDir()
	if err := os.WriteFile(filepath.Join(home, "config"), []byte("[default]\ns3 =\n  signature_version = s3v4\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return append(os.Environ(), "HOME="+home, "AWS_CONFIG_FILE="+filepath.Join(home, "config"),
		"AWS_SHARED_CREDENTIALS_FILE="+filepath.Join(home, "credentials"), "AWS_EC2_METADATA_DISABLED=true",
		"AWS_ENDPOINT_URL="+url, "AWS_REGION=us-east-1", "AWS_DEFAULT_REGION=us-east-1",
		"AWS_ACCESS_KEY_ID="+testKeyID, "AWS_SECRET_ACCESS_KEY="+testSecret)
}

// TestTheAWSCLIWorks runs what the README shows, and what people do next.
func TestTheAWSCLIWorks(t *testing.T) {
	cli, err := exec.LookPath("aws")
	if err != nil {
		t.Skip("the AWS CLI is not installed: its commands against the store were not tried")
	}
	if testing.Short() {
		t.Skip("short: the AWS CLI takes seconds to start")
	}
	t.Parallel() // with boto3: both mostly wait for their own start
	s := openStore(t)
	env, folder := environment(t, serve(t, s)), t.TempDir()
	big := bytes.Repeat([]byte("0123456789abcdef"), 9<<20/16) // above the CLI's multipart threshold
	for name, data := range map[string][]byte{"small": []byte("hello"), "big": big, "tree/x": []byte("x"), "tree/y z": []byte("y")} {
		path := filepath.Join(folder, "in", filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run := func(want string, args ...string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), cli, args...)
		cmd.Env, cmd.Dir = env, folder
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), want) {
			t.Fatalf("aws %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	run("make_bucket", "s3", "mb", "s3://box")
	run("upload", "s3", "cp", "in/small", "s3://box/a/small")
	run("upload", "s3", "cp", "in/big", "s3://box/a/big", "--no-progress")
	run("copy", "s3", "cp", "s3://box/a/big", "s3://box/b/big", "--no-progress")
	run("download", "s3", "cp", "s3://box/b/big", "out/big", "--no-progress")
	run("upload: in/tree/y z", "s3", "sync", "in", "s3://box/synced", "--no-progress")
	run("download", "s3", "sync", "s3://box/synced", "out/synced", "--no-progress")
	run("move", "s3", "mv", "s3://box/a/small", "s3://box/c/moved")
	run("synced/tree/y z", "s3", "ls", "--recursive", "s3://box")
	run("PRE synced/", "s3", "ls", "s3://box/")
	run("c/moved?X-Amz-Algorithm=", "s3", "presign", "s3://box/c/moved")
	run("delete", "s3", "rm", "--recursive", "s3://box")
	run("remove_bucket", "s3", "rb", "s3://box")
	for _, name := range []string{"out/big", "out/synced/big"} {
		if got, err := os.ReadFile(filepath.Join(folder, name)); err != nil || !bytes.Equal(got, big) {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
	}
}

// TestBoto3Works runs testdata/boto3_walk.py.
func TestBoto3Works(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil || exec.CommandContext(t.Context(), python, "-c", "import boto3").Run() != nil {
		t.Skip("boto3 is not installed: it was not tried against the store")
	}
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), python, filepath.Join("testdata", "boto3_walk.py"))
	cmd.Env = environment(t, serve(t, openStore(t)))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

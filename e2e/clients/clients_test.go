package clients

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"hydrant/e2e/server"
)

// environment points AWS's tools at a server.
func environment(s *server.Server) []string {
	return append(without(os.Environ(), "AWS_"),
		"AWS_ENDPOINT_URL="+s.Address.URL(),
		"AWS_ACCESS_KEY_ID="+s.Keys.AccessKeyID,
		"AWS_SECRET_ACCESS_KEY="+string(s.Keys.Secret),
		"AWS_REGION="+s.Address.Region,
		"AWS_DEFAULT_REGION="+s.Address.Region,
		"AWS_EC2_METADATA_DISABLED=true",
		"AWS_CONFIG_FILE=/dev/null",
		"AWS_SHARED_CREDENTIALS_FILE=/dev/null",
	)
}

func without(env []string, prefix string) (rest []string) {
	for _, v := range env {
		if !strings.HasPrefix(v, prefix) {
			rest = append(rest, v)
		}
	}
	return rest
}

func TestMain(m *testing.M) { server.Main(m) }

// start starts a server.
func start(t *testing.T) *server.Server {
	t.Helper()
	return serve(t, "")
}

// script is a Python program of this folder. go test looks at it here, so as not to take
// results of a former one for those of this one.
func script(t *testing.T, name string) string {
	t.Helper()
	if _, err := os.ReadFile(name); err != nil {
		t.Fatal(err)
	}
	return name
}

// boto3 runs a script that uses boto3.
func boto3(t *testing.T, s *server.Server, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command("python3", "-c", "import boto3").CombinedOutput(); err != nil {
		t.Skipf("python3 with boto3 is not installed here: %v %s", err, bytes.TrimSpace(out))
	}
	cmd := exec.CommandContext(t.Context(), "python3", append([]string{script(t, name)}, args...)...)
	cmd.Env = environment(s)
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Fatalf("%s ended: %v", name, err)
	}
}

func TestBoto3TakesTheTour(t *testing.T) {
	t.Parallel()
	boto3(t, start(t), "tour.py")
}

// TestEveryClientIsRefusedInTheWordsOfAWS sends the table of refusals with every client.
func TestEveryClientIsRefusedInTheWordsOfAWS(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	t.Run("aws-sdk-go-v2", func(t *testing.T) { testTheSDKForGoIsRefused(t, w) })
	t.Run("boto3", func(t *testing.T) {
		boto3(t, w.server, "refused.py", write(t, "refusals.json", sendable(refusals(w), false)))
		boto3(t, w.full, "refused.py", write(t, "refusals.json", sendable(refusals(w), true)))
	})
	t.Run("AWS CLI", func(t *testing.T) { testTheCLIIsRefused(t, w) })
}

// eventually polls until done says true, for two minutes at most.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	timeout := time.After(2 * time.Minute)
	for tick := time.NewTicker(50 * time.Millisecond); !done(); {
		select {
		case <-timeout:
			t.Fatalf("never came true: %s", what)
		case <-tick.C:
		}
	}
}

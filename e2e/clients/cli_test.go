package clients

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"hydrant/e2e/server"
)

// cli runs the AWS CLI against one node. Its commands run in the order of the calls.
type cli struct {
	t       *testing.T
	env     map[string]string
	in      *json.Encoder // of the process of cli.py
	answers *json.Decoder
}

// ran is what became of a command.
type ran struct {
	Code     int
	Out, Err string
}

// newCLI starts the process that runs the commands.
func newCLI(t *testing.T, s *server.Server) *cli {
	t.Helper()
	for _, program := range []string{"python3", "aws"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("the AWS CLI is not installed here, or Python is not: %v", err)
		}
	}
	// The server is to judge, not the client. Version 2 takes blobs as they are only if told
	// so, version 1 knows nothing else.
	config := filepath.Join(t.TempDir(), "config")
	text := "[default]\nparameter_validation = false\ncli_binary_format = raw-in-base64-out\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("python3", script(t, "cli.py")) // ends with its input, not with the test's context
	cmd.Env = append(environment(s), "AWS_CONFIG_FILE="+config, "AWS_MAX_ATTEMPTS=1", "AWS_PAGER=", "AWS_DEFAULT_OUTPUT=json")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close() // Wait tells whether the process has ended well
		_, _ = io.Copy(io.Discard, out)
		if err := cmd.Wait(); err != nil {
			t.Errorf("cli.py: %v", err)
		}
	})
	return &cli{t: t, env: map[string]string{}, in: json.NewEncoder(in), answers: json.NewDecoder(bufio.NewReader(out))}
}

// as is the same CLI with more in its environment.
func (c *cli) as(env map[string]string) *cli {
	other := *c
	other.env = env
	return &other
}

// try runs a command, which may fail.
func (c *cli) try(args ...string) ran {
	c.t.Helper()
	if err := c.in.Encode(map[string]any{"args": args, "env": c.env}); err != nil {
		c.t.Fatal(err)
	}
	var r ran
	if err := c.answers.Decode(&r); err != nil {
		c.t.Fatalf("aws %s: %v", strings.Join(args, " "), err)
	}
	return r
}

// run runs a command that must succeed, and returns what it wrote.
func (c *cli) run(args ...string) string {
	c.t.Helper()
	r := c.try(args...)
	if r.Code != 0 {
		c.t.Fatalf("aws %s: %d %s", strings.Join(args, " "), r.Code, r.Err)
	}
	return r.Out
}

// firehose runs a command of Firehose that must succeed, and reads its answer into v unless
// that is nil, which means that there is none.
func (c *cli) firehose(v any, args ...string) {
	c.t.Helper()
	out := c.run(append([]string{"firehose"}, args...)...)
	if v == nil && strings.TrimSpace(out) != "" {
		c.t.Errorf("aws firehose %s wrote %s", strings.Join(args, " "), out)
	}
	if v == nil {
		return
	}
	if err := json.Unmarshal([]byte(out), v); err != nil {
		c.t.Fatalf("aws firehose %s: %v: %s", strings.Join(args, " "), err, out)
	}
}

// errorLine is how the CLI tells an error of a service.
var errorLine = regexp.MustCompile(`(?s)An error occurred \((\w+)\) when calling the (\w+) operation(?: \(reached max retries: 0\))?: (.*)`)

// refused runs a command that must fail with a code, and returns the message.
func (c *cli) refused(code string, args ...string) string {
	c.t.Helper()
	r := c.try(args...)
	told := errorLine.FindStringSubmatch(r.Err)
	if r.Code == 0 || told == nil || told[1] != code {
		c.t.Errorf("aws %s: want %s, got %d %s%s", strings.Join(args, " "), code, r.Code, r.Out, r.Err)
		return ""
	}
	return strings.TrimSpace(told[3])
}

// capital is where a word of an operation's name begins.
var capital = regexp.MustCompile(`\B[A-Z]`)

// command is an operation as the CLI calls it: put-record-batch.
func command(operation string) string {
	return strings.ToLower(capital.ReplaceAllString(operation, "-$0"))
}

// testTheCLIIsRefused sends with the AWS CLI every refusal that it can send.
func testTheCLIIsRefused(t *testing.T, w *world) {
	for full, node := range map[bool]*server.Server{false: w.server, true: w.full} {
		c := newCLI(t, node)
		for _, r := range sendable(refusals(w), full) {
			t.Run(r.Name, func(t *testing.T) {
				c := *c
				c.t = t
				message := c.refused(r.Code, "firehose", command(r.Operation), "--cli-input-json", "file://"+write(t, "input.json", r.Input))
				if message != r.Message {
					t.Errorf("got %q, want %q", message, r.Message)
				}
			})
		}
	}
}

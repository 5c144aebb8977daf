package manual

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hydrant/e2e/server"
)

// preface is what every reader has done.
const preface = `
aws s3 mb s3://events
aws firehose create-delivery-stream --delivery-stream-name clicks --extended-s3-destination-configuration \
  'RoleARN=arn:aws:iam::000000000000:role/firehose,BucketARN=arn:aws:s3:::events,BufferingHints={SizeInMBs=1,IntervalInSeconds=1}'
until aws firehose describe-delivery-stream --delivery-stream-name clicks | grep -q '"ACTIVE"'; do :; done
printf 'a secret' > secret
`

func TestThePagesShowWhatHappens(t *testing.T) {
	if out, err := exec.Command("aws", "--version").CombinedOutput(); err != nil {
		t.Skipf("the AWS CLI is not installed here: %v %s", err, bytes.TrimSpace(out))
	}
	binary := server.Build(t)
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil || len(pages) == 0 {
		t.Fatalf("no pages: %v", err)
	}
	for _, path := range pages {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if all := steps(string(text)); len(all) > 0 {
			t.Run(filepath.Base(path), func(t *testing.T) { follow(t, binary, all) })
		}
	}
}

// follow runs the steps of a page one after the other.
func follow(t *testing.T, binary string, all []step) {
	s := server.Start(t, server.Options{Binary: binary, Data: filepath.Join(t.TempDir(), "hydrant-data")})
	sh := openShell(t, s, binary)
	if out, status := sh.run(preface); status != "0" {
		t.Fatalf("the preface ended with %s:\n%s", status, out)
	}
	for _, step := range all {
		out, status := sh.run(step.command)
		for end := time.Now().Add(time.Minute); step.asks() && !step.fits(out) && time.Now().Before(end); {
			time.Sleep(100 * time.Millisecond)
			out, status = sh.run(step.command)
		}
		if status != "0" && len(step.prints) == 0 {
			t.Fatalf("line %d: %s\nended with %s:\n%s", step.line, step.command, status, out)
		}
		if !step.fits(out) {
			t.Fatalf("line %d: %s\nprints\n%s\n\nand the page says\n%s", step.line, step.command, out, strings.Join(step.prints, "\n"))
		}
	}
}

// fits reports whether the output is what the page shows, where it shows any.
func (s *step) fits(out string) bool {
	if len(s.prints) == 0 {
		return true
	}
	return shape(strings.Split(strings.TrimRight(out, "\n"), "\n")) == shape(s.prints)
}

// shell is a bash that lives through all steps of a page.
type shell struct {
	t   *testing.T
	in  io.Writer
	out *bufio.Reader
	n   int
}

func openShell(t *testing.T, s *server.Server, binary string) *shell {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "bash", "--norc")
	cmd.Dir = filepath.Dir(s.Again().Data)
	cmd.Env = []string{
		"PATH=" + filepath.Dir(binary) + ":" + os.Getenv("PATH"), "HOME=" + cmd.Dir, "LC_ALL=C.UTF-8", "TZ=UTC",
		"AWS_ENDPOINT_URL=" + s.Address.URL(), "AWS_ACCESS_KEY_ID=" + s.Keys.AccessKeyID,
		"AWS_SECRET_ACCESS_KEY=" + string(s.Keys.Secret), "AWS_REGION=" + s.Address.Region,
		"AWS_DEFAULT_REGION=" + s.Address.Region, "AWS_EC2_METADATA_DISABLED=true", "AWS_PAGER=", "AWS_MAX_ATTEMPTS=1",
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = w, w
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = w.Close() // the shell has its own
	t.Cleanup(func() {
		_, _ = io.WriteString(in, "exit\n") // it may have ended by itself
		_ = in.Close()
		_ = cmd.Wait()
		_ = r.Close()
	})
	return &shell{t: t, in: in, out: bufio.NewReader(r)}
}

// run runs a command and returns what it printed and its exit status.
func (s *shell) run(command string) (out, status string) {
	s.t.Helper()
	s.n++
	mark := fmt.Sprintf("--- end of command %d: ", s.n)
	if _, err := fmt.Fprintf(s.in, "%s\nprintf '\\n%s%%d\\n' $?\n", command, mark); err != nil {
		s.t.Fatal(err)
	}
	var b strings.Builder
	for {
		line, err := s.out.ReadString('\n')
		if rest, ok := strings.CutPrefix(line, mark); ok {
			return b.String(), strings.TrimSpace(rest)
		}
		b.WriteString(line)
		if err != nil {
			s.t.Fatalf("%s\nended the shell: %v\n%s", command, err, b.String())
		}
	}
}

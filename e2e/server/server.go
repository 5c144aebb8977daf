// Package server runs the real binary for tests that must not share its process: they kill
// it, stop it, and talk to it as any client does.
//
//   - Server: one process of hydrant serve, from its start to its end.
//   - Ready: it has said so on its standard output, and its address is in the data directory.
//
// Processes listen on loopback only and are ended by their own id, at the latest with the
// test that started them.
package server

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"hydrant/internal/identity"
	"hydrant/internal/node"
)

// Options say how the server is started.
type Options struct {
	Binary  string   // from Build
	Data    string   // data directory
	Listen  string   // empty: a free port of loopback
	Console string   // empty: a free port of loopback
	Args    []string // more flags
	Env     []string // more of the environment; of the caller's it gets only PATH
}

// patience is how long anything may take that takes milliseconds on an idle machine.
const patience = 2 * time.Minute

// Server is a process.
type Server struct {
	Address node.Address
	Keys    identity.Credentials

	opt  Options
	cmd  *exec.Cmd
	log  log
	exit chan struct{} // closed when it has ended
	err  error         // of Wait; read after exit is closed
}

// log keeps what the process wrote.
type log struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write implements io.Writer.
func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// Start starts a server and returns when it is ready.
func Start(tb testing.TB, o Options) *Server {
	tb.Helper()
	s, err := Launch(tb, o)
	if err == nil {
		err = s.AwaitReady()
	}
	if err != nil {
		tb.Fatalf("start hydrant: %v", err)
	}
	return s
}

// Launch starts a server and does not wait.
func Launch(tb testing.TB, o Options) (*Server, error) {
	tb.Helper()
	listen, console := o.Listen, o.Console
	if listen == "" {
		listen, console = "127.0.0.1:0", "127.0.0.1:0"
	}
	s := &Server{opt: o, exit: make(chan struct{})}
	args := append([]string{"serve", "--data", o.Data, "--listen", listen, "--console", console}, o.Args...)
	s.cmd = exec.Command(o.Binary, args...)
	s.cmd.Env = append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + o.Data, "AWS_EC2_METADATA_DISABLED=true",
	}, o.Env...)
	s.cmd.Stdout, s.cmd.Stderr = &s.log, &s.log
	s.cmd.WaitDelay = 5 * time.Second
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		s.err = s.cmd.Wait()
		close(s.exit)
	}()
	tb.Cleanup(func() {
		select {
		case <-s.exit:
			return // whoever ended it has seen what there was to see
		default:
		}
		s.Kill()
		if tb.Failed() {
			tb.Logf("hydrant (process %d) wrote:\n%s", s.cmd.Process.Pid, tail(s.log.String(), 16<<10))
		}
	})
	return s, nil
}

func tail(s string, n int) string { return s[max(0, len(s)-n):] }

// ErrEnded says that the process ended instead of doing what was waited for.
var ErrEnded = errors.New("the process has ended")

// AwaitReady waits until the server says that it is ready.
func (s *Server) AwaitReady() error {
	if err := s.await("ready", func() bool { return strings.Contains(s.log.String(), "hydrant is ready") }); err != nil {
		return err
	}
	var err error
	s.Address, s.Keys, err = node.ReadAddress(s.opt.Data)
	return err
}

// await polls until done says true.
func (s *Server) await(what string, done func() bool) error {
	timeout := time.After(patience)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-s.exit:
			return fmt.Errorf("%w before it was %s (%v):\n%s", ErrEnded, what, s.err, tail(s.log.String(), 8<<10))
		case <-timeout:
			return fmt.Errorf("not %s within %s:\n%s", what, patience, tail(s.log.String(), 8<<10))
		case <-tick.C:
		}
	}
	return nil
}

// Again returns the options for the next process on the same directory and ports.
func (s *Server) Again() Options {
	o := s.opt
	o.Listen, o.Console = s.Address.Listen, s.Address.Console
	return o
}

// Kill ends the process at once, as kill -9 does, and waits until it is gone.
func (s *Server) Kill() {
	_ = s.cmd.Process.Kill() // an error only says that it has ended already
	<-s.exit
}

// Terminate asks the process to stop, as service managers do, and returns its exit code.
func (s *Server) Terminate(within time.Duration) (int, error) {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return -1, fmt.Errorf("signal: %w", err)
	}
	select {
	case <-s.exit:
		return s.cmd.ProcessState.ExitCode(), nil
	case <-time.After(within):
		return -1, fmt.Errorf("still there %s after SIGTERM", within)
	}
}

// Peak is the most memory that the process has held so far, bytes.
func (s *Server) Peak() (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		var kib int64
		if n, _ := fmt.Sscanf(line, "VmHWM: %d kB", &kib); n == 1 {
			return kib << 10, nil
		}
	}
	return 0, errors.New("the process does not say how much memory it has held")
}

// Ended is closed when the process has ended by itself or by force.
func (s *Server) Ended() <-chan struct{} { return s.exit }

// Log is what the process has written so far.
func (s *Server) Log() string { return s.log.String() }

// Config makes clients of the AWS SDK that talk to this server and never retry, so that
// the caller knows what became of each request. Each Config has connections of its own.
func (s *Server) Config() aws.Config {
	return aws.Config{
		Region:       s.Address.Region,
		Credentials:  credentials.NewStaticCredentialsProvider(s.Keys.AccessKeyID, string(s.Keys.Secret), ""),
		BaseEndpoint: aws.String(s.Address.URL()),
		Retryer:      func() aws.Retryer { return aws.NopRetryer{} },
		HTTPClient:   whole{awshttp.NewBuildableClient()},
	}
}

// whole sends bodies that say what they hold by Read alone. The SDK's own bodies have a
// WriteTo as well, which fails once the SDK has closed them, and it closes them when an
// answer begins: if that comes before net/http has looked whether the body ends where it
// should, net/http breaks off a connection whose answer is still being read. On loopback
// that is one large put of some thousands.
type whole struct{ *awshttp.BuildableClient }

// Do implements aws.HTTPClient.
func (w whole) Do(r *http.Request) (*http.Response, error) {
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = struct{ io.ReadCloser }{r.Body}
	}
	return w.BuildableClient.Do(r)
}

// Ledger is what the metrics page says of one stream, in records; Bytes are those delivered.
type Ledger struct {
	Received, Delivered, Dropped, Failed, Discarded, Pending, Objects, Bytes uint64
}

// AddsUp says whether every record received is accounted for.
func (l Ledger) AddsUp() bool {
	return l.Received == l.Delivered+l.Dropped+l.Failed+l.Discarded+l.Pending
}

// Ledgers reads the metrics page, by stream.
func (s *Server) Ledgers(ctx context.Context) (map[string]Ledger, error) {
	all := map[string]Ledger{}
	err := s.Metrics(ctx, func(name string, labels map[string]string, value float64) {
		stream := labels["stream"]
		if stream == "" {
			return
		}
		l := all[stream]
		fields := map[string]*uint64{
			"hydrant_records_total received": &l.Received, "hydrant_records_total delivered": &l.Delivered,
			"hydrant_records_total dropped": &l.Dropped, "hydrant_records_total failed": &l.Failed,
			"hydrant_records_total discarded": &l.Discarded, "hydrant_pending_records ": &l.Pending,
			"hydrant_objects_total ": &l.Objects, "hydrant_record_bytes_total delivered": &l.Bytes,
		}
		if f := fields[name+" "+labels["outcome"]]; f != nil {
			*f = uint64(value)
		}
		all[stream] = l
	})
	return all, err
}

// Metrics calls fn with each sample of the metrics page.
func (s *Server) Metrics(ctx context.Context, fn func(name string, labels map[string]string, value float64)) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.Address.ConsoleURL()+"/metrics", nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("read the metrics: %w", err)
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		if name, labels, value, ok := sample(lines.Text()); ok {
			fn(name, labels, value)
		}
	}
	_, _ = io.Copy(io.Discard, resp.Body) // the rest does not matter
	return lines.Err()
}

// sample takes a line of the metrics page apart.
func sample(line string) (name string, labels map[string]string, value float64, ok bool) {
	text, number, found := strings.Cut(line, "} ")
	if !found {
		text, number, found = strings.Cut(line, " ")
	}
	name, inner, _ := strings.Cut(text, "{")
	value, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if !found || err != nil || strings.HasPrefix(line, "#") {
		return "", nil, 0, false
	}
	labels = map[string]string{}
	for pair := range strings.SplitSeq(inner, ",") {
		if k, v, ok := strings.Cut(pair, "="); ok {
			labels[k] = strings.Trim(v, `"`)
		}
	}
	return name, labels, value, true
}

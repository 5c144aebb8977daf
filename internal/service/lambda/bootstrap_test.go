package lambda

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

// TestMain lets the test binary be a function: a bootstrap in a zip runs it again, and then
// it finds the address of a Runtime API in its environment.
func TestMain(m *testing.M) {
	if os.Getenv("AWS_LAMBDA_RUNTIME_API") != "" {
		beFunction(os.Getenv("MODE"))
		return
	}
	os.Exit(m.Run())
}

// runtimeClient is a function's side of the Runtime API, by hand.
type runtimeClient struct{ root string }

func (c runtimeClient) next() (id string, payload []byte, h http.Header) {
	r, err := http.Get(c.root + "runtime/invocation/next")
	if err != nil {
		die("next: %v", err)
	}
	defer r.Body.Close()
	payload, err = io.ReadAll(r.Body)
	if err != nil || r.StatusCode != 200 || r.Header.Get("Content-Type") != "application/json" || r.ContentLength < 0 {
		die("next: %d %v %v", r.StatusCode, r.Header, err)
	}
	return r.Header.Get("Lambda-Runtime-Aws-Request-Id"), payload, r.Header
}

// post returns status and body of the answer.
func (c runtimeClient) post(path string, body io.Reader, h http.Header, trailer http.Header) (int, string) {
	r, err := http.NewRequest("POST", c.root+path, body)
	if err != nil {
		die("post: %v", err)
	}
	for name, values := range h {
		r.Header[name] = values
	}
	if trailer != nil {
		r.Trailer = trailer
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		die("post: %v", err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		die("post: %v", err)
	}
	return answer.StatusCode, string(text)
}

func (c runtimeClient) respond(id string, payload []byte) {
	if status, text := c.post("runtime/invocation/"+id+"/response", bytes.NewReader(payload), nil, nil); status != 202 {
		die("response: %d %s", status, text)
	}
}

func die(format string, args ...any) {
	fmt.Printf("function died: "+format+"\n", args...)
	os.Exit(99)
}

// beFunction is the functions of the tests.
func beFunction(mode string) {
	c := runtimeClient{"http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/"}
	switch mode {
	case "handler":
		lambda.Start(goHandler)
	case "echo handler":
		lambda.Start(func(_ context.Context, in json.RawMessage) (json.RawMessage, error) { return in, nil })
	case "init error":
		c.post("runtime/init/error", strings.NewReader(`{"errorMessage":"no","errorType":"Init.No"}`), nil, nil)
		os.Exit(1)
	case "large init error":
		body := bytes.NewReader(make([]byte, 7_000_000))
		status, text := c.post("runtime/init/error", body, nil, nil)
		fmt.Println("told", status, text)
		os.Exit(1)
	case "exit in init":
		os.Exit(7)
	case "slow init":
		fmt.Println("initialising")
		select {}
	case "asks whether to be slow":
		r, err := http.Get(os.Getenv("ASK"))
		if err != nil {
			die("ask: %v", err)
		}
		r.Body.Close()
		if r.StatusCode == 200 {
			fmt.Println("initialising")
			select {}
		}
	}
	for {
		id, payload, h := c.next()
		if !c.serve(mode, id, payload, h) {
			return
		}
	}
}

// serve answers one call; false means that the process is to end.
func (c runtimeClient) serve(mode, id string, payload []byte, h http.Header) bool {
	response := "runtime/invocation/" + id + "/response"
	switch mode {
	case "error":
		c.post("runtime/invocation/"+id+"/error", strings.NewReader(`{"errorMessage":"bad","errorType":"E","stackTrace":["a"]}`), nil, nil)
		return true
	case "crash":
		fmt.Fprintln(os.Stderr, "about to crash")
		os.Exit(3)
	case "kill itself":
		p, _ := os.FindProcess(os.Getpid())
		p.Kill()
		select {}
	case "exit 0":
		return false
	case "answer and exit":
		c.respond(id, payload)
		return false
	case "hang":
		fmt.Println("hanging")
		select {}
	case "hang with child":
		child := exec.Command("/bin/sleep", "600")
		if err := child.Start(); err != nil {
			die("child: %v", err)
		}
		fmt.Println("child", child.Process.Pid)
		select {}
	case "hang with escapees":
		escape(true)
		select {}
	case "crash with escapees":
		escape(false)
		os.Exit(3)
	case "oversize":
		size := MaxPayload + 10
		body := io.LimitReader(zeroes{}, int64(size))
		if string(payload) == `"chunked"` {
			body = struct{ io.Reader }{body}
		} else {
			body = bytes.NewReader(make([]byte, size))
		}
		status, text := c.post(response, body, nil, nil)
		fmt.Println("told", status, text)
		return true
	case "trailer":
		trailer := http.Header{"Lambda-Runtime-Function-Error-Type": {"Runtime.Late"},
			"Lambda-Runtime-Function-Error-Body": {base64.StdEncoding.EncodeToString([]byte(`{"errorMessage":"late"}`))}}
		c.post(response, struct{ io.Reader }{bytes.NewReader(payload)}, nil, trailer)
		return true
	case "environment":
		payload = []byte(fmt.Sprintf("%q", strings.Join(os.Environ(), "\n")))
		folder, _ := os.Getwd()
		fmt.Println("cwd", folder)
	case "headers":
		var b strings.Builder
		h.Write(&b)
		payload = []byte(fmt.Sprintf("%q", b.String()))
	case "read":
		var path string
		fmt.Sscanf(string(payload), "%q", &path)
		_, err := os.ReadFile(path)
		payload = []byte(fmt.Sprintf("%q", fmt.Sprint(err)))
	case "write":
		var path string
		fmt.Sscanf(string(payload), "%q", &path)
		err := os.WriteFile(strings.Replace(path, "$SCRATCH", os.Getenv("TMPDIR"), 1), []byte("x"), 0o600)
		payload = []byte(fmt.Sprintf("%q", fmt.Sprint(err)))
	case "out of turn":
		var said []string
		tell := func(status int, text string) { said = append(said, fmt.Sprint(status, " ", text)) }
		tell(c.post("runtime/invocation/not-it/response", strings.NewReader("1"), nil, nil))
		tell(c.post(response, strings.NewReader("1"), http.Header{"Lambda-Runtime-Function-Response-Mode": {"odd"}}, nil))
		tell(c.post("runtime/init/error", strings.NewReader("{}"), nil, nil))
		next, err := http.Get(c.root + "runtime/invocation/next")
		if err != nil {
			die("next: %v", err)
		}
		text, _ := io.ReadAll(next.Body)
		tell(next.StatusCode, string(text))
		ping, err := http.Get(c.root + "ping")
		if err != nil {
			die("ping: %v", err)
		}
		text, _ = io.ReadAll(ping.Body)
		tell(ping.StatusCode, string(text))
		tell(c.post(response, strings.NewReader(`"first"`), nil, nil))
		tell(c.post(response, strings.NewReader("2"), nil, nil))
		fmt.Println(strings.Join(said, "\n"))
		return true
	case "memory":
		var kept [][]byte
		for {
			block := make([]byte, 8<<20)
			for i := range block {
				block[i] = 1
			}
			kept = append(kept, block)
			if len(kept) > 1000 {
				die("nobody cared")
			}
		}
	case "print":
		fmt.Print("one\ntwo\nhalf")
		fmt.Fprintln(os.Stderr, " and half")
		fmt.Print("no newline")
	case "gate": // answers when the file is there that the payload names
		var path string
		fmt.Sscanf(string(payload), "%q", &path)
		fmt.Println("at the gate")
		for {
			if _, err := os.Stat(path); err == nil {
				break
			}
			time.Sleep(time.Millisecond)
		}
	}
	c.respond(id, payload)
	return true
}

// escape starts processes in sessions of their own: one that stays a child, one whose parent
// ends, and if bare is set a child that inherits no environment, with a child of its own in
// yet another session.
func escape(bare bool) {
	start := func(env []string, lines int, script string) {
		c := exec.Command("/bin/sh", "-c", script)
		c.SysProcAttr, c.Env = &syscall.SysProcAttr{Setsid: true}, env
		out, err := c.StdoutPipe()
		if err == nil {
			err = c.Start()
		}
		if err != nil {
			die("escapee: %v", err)
		}
		for told := bufio.NewScanner(out); lines > 0 && told.Scan(); lines-- {
			fmt.Println("escapee", told.Text())
		}
	}
	start(os.Environ(), 1, "echo $$; exec sleep 600")
	start(os.Environ(), 1, "sleep 600 & echo $!")
	if bare {
		start([]string{}, 2, "echo $$; setsid sh -c 'echo $$; exec sleep 600' & sleep 600")
	}
}

// zeroes is an endless body.
type zeroes struct{}

// Read gives zeroes.
func (zeroes) Read(p []byte) (int, error) { return len(p), nil }

type goEvent struct{ Name string }

// goHandler is a handler as people write them, on AWS's own library.
func goHandler(ctx context.Context, e goEvent) (map[string]string, error) {
	known, _ := lambdacontext.FromContext(ctx)
	switch e.Name {
	case "error":
		return nil, fmt.Errorf("no %s", e.Name)
	case "panic":
		panic("at the disco")
	}
	return map[string]string{"hello": e.Name, "arn": known.InvokedFunctionArn, "function": lambdacontext.FunctionName}, nil
}

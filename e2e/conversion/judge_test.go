package conversion

import (
	"bufio"
	_ "embed"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/go-json-experiment/json"
)

//go:embed testdata/judge.py
var program string

// verdict is what the judge says of an object.
type verdict struct {
	Rows   []string `json:"rows"`
	Count  int      `json:"count"` // of rows
	Schema string   `json:"schema"`
	Groups int      `json:"groups"` // row groups or stripes
	Codec  string   `json:"codec"`
	Error  string   `json:"error"`
}

// judge is a process of Python that serves all tests: its imports take longer than they do. It
// ends with its input, which ends with the tests.
type judge struct {
	mu   sync.Mutex
	in   io.Writer
	out  *bufio.Reader
	lack string // why there is none
}

var theJudge = sync.OnceValue(func() *judge {
	path, lack := python()
	if lack != "" {
		return &judge{lack: lack}
	}
	cmd := exec.Command(path, "-c", program)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return &judge{lack: err.Error()}
	}
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return &judge{lack: err.Error()}
	}
	return &judge{in: in, out: bufio.NewReader(out)}
})

// python finds one that has the readers, or says that there is none.
func python() (path, lack string) {
	for _, path := range []string{"python3", "../../.tools/clients/bin/python"} {
		if exec.Command(path, "-c", "import duckdb, pyarrow.orc, pyarrow.parquet").Run() == nil {
			return path, ""
		}
	}
	return "", "there is no python that can import pyarrow and duckdb, on the PATH or in .tools/clients"
}

// needJudge skips the test if there is no judge.
func needJudge(t *testing.T) {
	t.Helper()
	if j := theJudge(); j.lack != "" {
		t.Skip(j.lack)
	}
}

// read has the judge read an object, whose name says what it is.
func (j *judge) read(t *testing.T, name string, body []byte) verdict {
	t.Helper()
	return j.ask(t, "rows", name, body)
}

// count is read without the rows: they are read and counted.
func (j *judge) count(t *testing.T, name string, body []byte) verdict {
	t.Helper()
	return j.ask(t, "count", name, body)
}

func (j *judge) ask(t *testing.T, what, name string, body []byte) verdict {
	t.Helper()
	path := filepath.Join(t.TempDir(), "object"+filepath.Ext(name))
	if err := os.WriteFile(path, body, 0o600); err != nil {
		t.Fatal(err)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if _, err := fmt.Fprintln(j.in, what, path); err != nil {
		t.Fatal(err)
	}
	line, err := j.out.ReadBytes('\n')
	if err != nil {
		t.Fatal(err)
	}
	var v verdict
	if err := json.Unmarshal(line, &v); err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	if v.Error != "" {
		t.Errorf("object %s, %d bytes: %s", name, len(body), v.Error)
	}
	return v
}

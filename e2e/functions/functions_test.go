package functions

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hydrant/e2e/server"
)

// The examples are deployed as they are and transform a stream: each name in capitals, tests
// dropped, and what is no event in the error output.
func TestTheExamplesTransformStreams(t *testing.T) {
	s := open(t)
	for name, deploy := range map[string]func(s *scene) (arn string){
		"go": func(s *scene) string { return s.deploy("go", server.BuildProgram(t, "./examples/functions/go")) },
		"python": func(s *scene) string {
			interpreter(s.t, "python3")
			return s.deploy("python", filepath.Join(examples, "python", "bootstrap"))
		},
		"awslambdaric": func(s *scene) string {
			p := pack(s.t)
			if err := p.AddFS(os.DirFS(awslambdaric(s.t))); err != nil {
				s.t.Fatal(err)
			}
			p.file(filepath.Join(examples, "python", "lambda_function.py"), "lambda_function.py", 0o644)
			return s.create("awslambdaric", p.bytes(), "python3.11", "lambda_function.lambda_handler")
		},
		"node": func(s *scene) string {
			interpreter(s.t, "node")
			return s.deploy("node", filepath.Join(examples, "node", "bootstrap"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := &scene{t: t, server: s.server, folder: s.folder}
			arn := deploy(s)
			s.stream(name, arn, 0)
			s.put(name, `{"name":"ada"}`, `{"name":"grace","test":true}`, `no event`, `{"name":"edsger"}`, `{"name":7}`)
			var got *fates
			s.until("all are delivered", func() bool { got = s.read(name); return got.count() == 4 })
			var names []string
			for _, line := range got.delivered {
				var e struct{ Name string }
				if err := json.Unmarshal([]byte(line), &e); err != nil {
					t.Fatal(err)
				}
				names = append(names, e.Name)
			}
			slices.Sort(names)
			failed := got.failed["Lambda.ProcessingFailedStatus"]
			slices.Sort(failed)
			if !slices.Equal(names, []string{"ADA", "EDSGER"}) || !slices.Equal(failed, []string{`no event`, `{"name":7}`}) {
				t.Errorf("delivered %q, failed %q", names, got.failed)
			}
			var logged string
			s.until("the function's log is there", func() bool {
				logged = s.aws("logs", "filter-log-events", "--log-group-name", "/aws/lambda/"+name, "--query", "events[].message", "--output", "text")
				return strings.Contains(logged, "REPORT RequestId: ")
			})
			if !strings.Contains(logged, "START RequestId: ") || !strings.Contains(logged, "records: 5") {
				t.Errorf("the function's log holds %s", logged)
			}
		})
	}
}

// examples is where they lie.
const examples = "../../examples/functions"

// awslambdaric is the folder of AWS's own runtime interface client for Python.
func awslambdaric(t *testing.T) string {
	t.Helper()
	folder := "../../.tools/clients-functions"
	test := exec.Command("/usr/bin/python3", "-c", "import awslambdaric, runtime_client")
	test.Env = []string{"PYTHONPATH=" + folder}
	if out, err := test.CombinedOutput(); err != nil {
		t.Skipf("awslambdaric is not there, or not for this Python (make clients): %v %s", err, out)
	}
	return folder
}

func interpreter(t *testing.T, name string) {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Skipf("%s is not installed here", name)
	}
}

// A function that misbehaves on some records, each time it sees them: those are in the error
// output as they came, with the reason, and every other one is delivered once.
func TestAFunctionThatMisbehavesHarmsOnlyWhatItMisbehavesOn(t *testing.T) {
	s := open(t)
	program := server.BuildProgram(t, "./e2e/functions/misbehave")
	for _, c := range []struct {
		how  string
		code string
		bad  int // of 1,000 records
	}{
		{"fail", "Lambda.FunctionError", 1},
		{"crash", "Lambda.FunctionError", 1},
		{"hang", "Lambda.FunctionError", 1},
		{"refuse", "Lambda.ProcessingFailedStatus", 3},
		{"forget", "Lambda.MissingRecordId", 3},
		{"repeat", "Lambda.DuplicatedRecordId", 3},
		{"empty", "Lambda.InvalidReturnFormat", 3},
	} {
		t.Run(c.how, func(t *testing.T) {
			t.Parallel()
			s := &scene{t: t, server: s.server, folder: s.folder}
			arn := s.deploy(c.how, program, "--timeout", "1")
			s.stream(c.how, arn, 0)
			var good, bad, all []string
			for i := range 1000 {
				if i%(1000/c.bad) == 500/c.bad {
					bad = append(bad, fmt.Sprintf("%s %d\n", c.how, i))
					all = append(all, bad[len(bad)-1])
					continue
				}
				good = append(good, fmt.Sprintf("record %d\n", i))
				all = append(all, good[len(good)-1])
			}
			s.put(c.how, all...)
			var got *fates
			s.until("all are delivered", func() bool { got = s.read(c.how); return got.count() >= 1000 })
			slices.Sort(good)
			slices.Sort(bad)
			failed := got.failed[c.code]
			slices.Sort(failed)
			if !slices.Equal(got.delivered, good) || !slices.Equal(failed, bad[:len(bad):len(bad)]) {
				t.Errorf("%d delivered, %q failed, want %d and %q", len(got.delivered), got.failed, len(good), bad)
			}
		})
	}
}

// Whatever is answered to a whole batch fails the batch, and whoever is not there anymore
// fails what comes: nothing blocks.
func TestAFunctionThatAnswersNonsenseOrIsGoneBlocksNothing(t *testing.T) {
	s := open(t)
	arn := s.deploy("f", server.BuildProgram(t, "./e2e/functions/misbehave"))
	s.stream("f", arn, 0)
	s.put("f", "record 1\n")
	s.until("the first is delivered", func() bool { return len(s.read("f").delivered) == 1 })
	s.put("f", "nonsense 2\n")
	s.until("the second has failed", func() bool { return len(s.read("f").failed["Lambda.FunctionError"]) == 1 })
	s.aws("lambda", "delete-function", "--function-name", "f")
	s.put("f", "record 3\n")
	s.until("the third has failed", func() bool { return len(s.read("f").failed["Lambda.ResourceNotFound"]) == 1 })
	s.deploy("f", server.BuildProgram(t, "./e2e/functions/misbehave"))
	s.put("f", "record 4\n")
	s.until("the fourth is delivered", func() bool { return len(s.read("f").delivered) == 2 })
}

// The node is killed while records are being processed, several times. Each is delivered once.
func TestAKilledNodeGoesOnProcessing(t *testing.T) {
	s := open(t)
	arn := s.deploy("f", server.BuildProgram(t, "./e2e/functions/misbehave"))
	s.stream("f", arn, 3)
	var want []string
	for round := range 4 {
		var data []string
		for i := range 1000 {
			data = append(data, fmt.Sprintf("record %d of round %d\n", i, round))
		}
		s.put("f", data...)
		want = append(want, data...)
		s.server.Kill()
		s.again()
	}
	slices.Sort(want)
	var got *fates
	s.until("all are delivered", func() bool { got = s.read("f"); return got.count() >= len(want) })
	if !slices.Equal(got.delivered, want) || len(got.failed) > 0 {
		t.Errorf("%d delivered of %d, failed %v", len(got.delivered), len(want), got.failed)
	}
}

package lambda

import (
	"strings"
	"testing"
)

// pythonClient stands in for awslambdaric.
const pythonClient = `
import http.client, importlib, json, os, sys
module, function = sys.argv[1].rsplit(".", 1)
handler = getattr(importlib.import_module(module), function)
api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
while True:
    api.request("GET", "/2018-06-01/runtime/invocation/next")
    event = api.getresponse()
    id, payload = event.headers["Lambda-Runtime-Aws-Request-Id"], json.loads(event.read())
    api.request("POST", "/2018-06-01/runtime/invocation/" + id + "/response", json.dumps(handler(payload, None)))
    api.getresponse().read()
`

func TestAPythonFunctionRunsInItsRuntimeInterfaceClient(t *testing.T) {
	if _, err := find("python3"); err != nil {
		t.Skip(err)
	}
	w := newWorld(t)
	w.newFunction("f", "", func(in fields) {
		in["Runtime"], in["Handler"] = "python3.12", "app.main"
		in["Code"] = fields{"ZipFile": makeZip(t, zipped{"awslambdaric/__main__.py", 0o644, pythonClient},
			zipped{"app.py", 0o644, "import os\ndef main(event, context):\n    return [event, os.environ['AWS_EXECUTION_ENV']]\n"})}
	})
	for range 2 {
		if a := w.invokeNow("f", `{"a": 1}`); string(a.Payload) != `[{"a": 1}, "AWS_Lambda_python3.12"]` {
			t.Errorf("got %q, log %q", a.Payload, a.Log)
		}
	}
}

func TestANodeFunctionRunsInTheClientOfItsCode(t *testing.T) {
	w := newWorld(t)
	self := bootstrapScript(t)
	w.newFunction("f", "echo", func(in fields) {
		in["Runtime"], in["Handler"] = "nodejs20.x", "index.handler"
		in["Code"] = fields{"ZipFile": makeZip(t, zipped{"node_modules/.bin/aws-lambda-ric", 0o755, "#!/bin/sh\necho handler $1\n" + self})}
	})
	if a := w.invokeNow("f", `{"a": 1}`); string(a.Payload) != `{"a": 1}` || !strings.HasPrefix(string(a.Log), "handler index.handler\n") {
		t.Errorf("got %q, log %q", a.Payload, a.Log)
	}
}

func TestAFunctionWithNothingToRunSaysSo(t *testing.T) {
	tests := []struct {
		name, runtime string
		file          zipped
		want          string
	}{
		{"no bootstrap", "provided.al2", zipped{"other", 0o755, ""}, "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]"},
		{"not executable", "provided.al2", zipped{"bootstrap", 0o644, "#!/bin/sh\n"}, "Couldn't find valid bootstrap(s)"},
		{"no interpreter", "provided", zipped{"bootstrap", 0o755, "#!/no/such\n"}, "no such file"},
		{"no Python client", "python3.12", zipped{"app.py", 0o644, ""}, "awslambdaric"},
		{"no Node client", "nodejs20.x", zipped{"index.js", 0o644, ""}, "aws-lambda-ric"},
		{"unknown runtime", "cobol85", zipped{"a", 0o644, ""}, `runtime \"cobol85\" cannot be run here`},
	}
	w := newWorld(t)
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			name := string(rune('a' + i))
			w.newFunction(name, "", func(in fields) {
				in["Runtime"], in["Code"] = tt.runtime, fields{"ZipFile": makeZip(t, tt.file)}
			})
			a := w.invokeNow(name, "{}")
			if a.FunctionError != "Unhandled" || !strings.HasPrefix(string(a.Payload), `{"errorType":"Runtime.InvalidEntrypoint","errorMessage":"RequestId: `) ||
				!strings.Contains(string(a.Payload), tt.want) {
				t.Errorf("got %q", a.Payload)
			}
			if n := w.pool(name).workers(); n != 0 {
				t.Errorf("%d workers are left", n)
			}
		})
	}
}

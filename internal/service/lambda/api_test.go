package lambda

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAFunctionIsCreatedToldChangedAndDeleted(t *testing.T) {
	w := newWorld(t)
	c := w.newFunction("f", "echo", func(in fields) {
		in["Description"], in["Tags"] = "echoes", fields{"a": "b"}
		in["VpcConfig"] = fields{"SubnetIds": []string{}}
	})
	for member, want := range map[string]any{
		"FunctionName": "f", "FunctionArn": arnStart + "f", "Runtime": "provided.al2023", "Role": testRole, "Handler": "main",
		"Description": "echoes", "Timeout": 3.0, "MemorySize": 1024.0, "Version": "$LATEST", "State": "Active",
		"LastUpdateStatus": "Successful", "PackageType": "Zip",
	} {
		if c[member] != want {
			t.Errorf("%s is %v, want %v", member, c[member], want)
		}
	}
	if got := fmt.Sprint(c["LoggingConfig"], c["EphemeralStorage"], c["SnapStart"], c["TracingConfig"], c["VpcConfig"]); got !=
		"map[LogFormat:Text LogGroup:/aws/lambda/f] map[Size:512] map[ApplyOn:None OptimizationStatus:Off] map[Mode:PassThrough] map[SubnetIds:[]]" {
		t.Errorf("got %s", got)
	}
	got := w.must("GET", root+"/f", nil)
	if got["Configuration"].(fields)["RevisionId"] != c["RevisionId"] || got["Tags"].(fields)["a"] != "b" ||
		got["Code"].(fields)["RepositoryType"] != "S3" {
		t.Errorf("got %v", got)
	}
	if a := w.invokeNow("f", "1"); string(a.Payload) != "1" {
		t.Fatalf("got %+v", a)
	}
	changed := w.must("PUT", root+"/f/configuration", fields{
		"Timeout": 9, "RevisionId": c["RevisionId"], "Environment": fields{"Variables": fields{"MODE": "error"}},
	})
	if changed["Timeout"] != 9.0 || changed["Description"] != "echoes" || changed["RevisionId"] == c["RevisionId"] {
		t.Errorf("got %v", changed)
	}
	if a := w.invokeNow("f", "1"); a.FunctionError == "" {
		t.Errorf("the former configuration runs on: %+v", a)
	}
	if r := w.call("PUT", root+"/f/configuration", fields{"RevisionId": c["RevisionId"]}); r.status != 412 || r.code() != "PreconditionFailedException" {
		t.Errorf("an old revision: %d %s", r.status, r.body)
	}
	if r := w.call("DELETE", root+"/f", nil); r.status != 204 {
		t.Errorf("delete: %d %s", r.status, r.body)
	}
	if r := w.call("GET", root+"/f", nil); r.status != 404 || r.code() != "ResourceNotFoundException" ||
		r.fields(t)["Message"] != "Function not found: "+arnStart+"f" {
		t.Errorf("after delete: %d %s", r.status, r.body)
	}
	if _, err := os.Stat(filepath.Join(w.root, "functions", "f")); !os.IsNotExist(err) {
		t.Errorf("files are left: %v", err)
	}
}

func TestNewCodeTakesThePlaceOfTheOldWhenItIsIdle(t *testing.T) {
	w := newWorld(t)
	w.newFunction("f", "gate")
	gate := filepath.Join(os.TempDir(), "hydrant-gate-"+nonce())
	t.Cleanup(func() { os.Remove(gate) })
	call := w.soon("f", fmt.Sprintf("%q", gate))
	w.awaitLines(1, "at the gate")
	old := w.pool("f").rev.code
	script := makeZip(t, zipped{"bootstrap", 0o755, "#!/bin/sh\necho new code runs\nexit 4\n"})
	before := w.must("GET", root+"/f/configuration", nil)
	tried := w.must("PUT", root+"/f/code", fields{"ZipFile": script, "DryRun": true})
	if now := w.must("GET", root+"/f/configuration", nil); tried["CodeSha256"] == before["CodeSha256"] || now["CodeSha256"] != before["CodeSha256"] {
		t.Errorf("a dry run: %v, then %v", tried, now)
	}
	w.must("PUT", root+"/f/code", fields{"ZipFile": script})
	if a := w.invokeNow("f", "{}"); !strings.Contains(string(a.Payload), "exit status 4") || !strings.Contains(string(a.Log), "new code runs") {
		t.Errorf("got %q %q", a.Payload, a.Log)
	}
	if _, err := os.Stat(filepath.Join(old, "bootstrap")); err != nil {
		t.Errorf("code that is in use: %v", err)
	}
	if err := os.WriteFile(gate, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if r := w.await(call); r.err != nil || r.answer.FunctionError != "" {
		t.Errorf("a call on the old code: %+v", r)
	}
	if _, err := os.Stat(old); !os.IsNotExist(err) {
		t.Errorf("old code is left: %v", err)
	}
}

func TestFunctionsAreThereAfterARestartAndLeftoversAreNot(t *testing.T) {
	w := newWorld(t)
	w.newFunction("f", "echo", func(in fields) { in["Tags"] = fields{"a": "b"} })
	w.newFunction("damaged", "echo")
	w.must("PUT", "/2017-10-31/functions/f/concurrency", fields{"ReservedConcurrentExecutions": 2})
	before := w.must("GET", root+"/f", nil)
	leftovers := []string{"functions/half/code/x", "functions/f/code/old.1234", "functions/f/scratch/1234"}
	for _, path := range leftovers {
		if err := os.MkdirAll(filepath.Join(w.root, path), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	broken := filepath.Join(w.root, "functions/damaged/function.json")
	if err := os.WriteFile(broken, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	w.reopen()
	if after := w.must("GET", root+"/f", nil); fmt.Sprint(after) != fmt.Sprint(before) {
		t.Errorf("got %v, want %v", after, before)
	}
	if a := w.invokeNow("f", "1"); string(a.Payload) != "1" {
		t.Errorf("got %+v", a)
	}
	for _, path := range leftovers {
		if _, err := os.Stat(filepath.Join(w.root, path)); !os.IsNotExist(err) {
			t.Errorf("%s is left: %v", path, err)
		}
	}
	if r := w.call("GET", root+"/damaged", nil); r.status != 404 {
		t.Errorf("a damaged function: %d %s", r.status, r.body)
	}
	if text, err := os.ReadFile(broken); err != nil || string(text) != "{" {
		t.Errorf("a damaged file: %q %v", text, err)
	}
}

func TestInvokeAnswersInHeadersAndBody(t *testing.T) {
	w := newWorld(t)
	w.newFunction("echo", "echo")
	w.newFunction("error", "error")
	w.newFunction("headers", "headers")
	path := func(name string) string { return root + "/" + name + "/invocations" }
	r := w.send("POST", path("echo"), []byte(`{"b":2}`), "X-Amz-Log-Type", "Tail")
	if r.status != 200 || string(r.body) != `{"b":2}` || r.header.Get("X-Amz-Executed-Version") != "$LATEST" || r.header["X-Amz-Function-Error"] != nil {
		t.Errorf("got %d %v %s", r.status, r.header, r.body)
	}
	log, err := base64.StdEncoding.DecodeString(r.header.Get("X-Amz-Log-Result"))
	if err != nil || !strings.HasPrefix(string(log), "START RequestId: "+r.header.Get("X-Amzn-Requestid")) {
		t.Errorf("log %q %v", log, err)
	}
	if r := w.send("POST", path("echo"), nil); r.status != 200 || string(r.body) != "{}" || r.header["X-Amz-Log-Result"] != nil {
		t.Errorf("no payload: %d %s", r.status, r.body)
	}
	if r := w.send("POST", path("error"), []byte("1")); r.status != 200 || r.header.Get("X-Amz-Function-Error") != "Unhandled" ||
		string(r.body) != `{"errorMessage":"bad","errorType":"E","stackTrace":["a"]}` {
		t.Errorf("got %d %v %s", r.status, r.header, r.body)
	}
	if r := w.send("POST", path("echo"), nil, "X-Amz-Invocation-Type", "DryRun"); r.status != 204 || len(r.body) != 0 {
		t.Errorf("dry run: %d %s", r.status, r.body)
	}
	context := base64.StdEncoding.EncodeToString([]byte("{\n\"client\": {}}"))
	r = w.send("POST", path(url.PathEscape(arnStart+"headers:$LATEST")), nil, "X-Amz-Client-Context", context, "X-Amzn-Trace-Id", "Root=1-2-3")
	for _, want := range []string{
		"Lambda-Runtime-Aws-Request-Id: " + r.header.Get("X-Amzn-Requestid"), "Lambda-Runtime-Trace-Id: Root=1-2-3",
		"Lambda-Runtime-Invoked-Function-Arn: " + arnStart + "headers:$LATEST", "Lambda-Runtime-Deadline-Ms: ",
		`Lambda-Runtime-Client-Context: {\"client\":{}}`,
	} {
		if !strings.Contains(string(r.body), want) {
			t.Errorf("%q is not in %s", want, r.body)
		}
	}
	if used := w.buffer.Budget().Used(); used != 0 {
		t.Errorf("%d bytes are still lent", used)
	}
}

func TestARequestThatCannotBeServedIsToldWhy(t *testing.T) {
	w := newWorld(t)
	w.newFunction("f", "echo")
	w.newFunction("stopped", "echo")
	w.must("PUT", "/2017-10-31/functions/stopped/concurrency", fields{"ReservedConcurrentExecutions": 0})
	large := strings.Repeat("x", MaxPayload)
	good := fields{"FunctionName": "g", "Role": testRole, "Runtime": "provided", "Handler": "h", "Code": fields{"ZipFile": bootstrapZip(t)}}
	with := func(member string, value any) []byte {
		in := fields{}
		for k, v := range good {
			in[k] = v
		}
		if in[member] = value; value == nil {
			delete(in, member)
		}
		return mustJSON(t, in)
	}
	tests := []struct {
		name, method, path string
		body               []byte
		headers            []string
		status             int
		code, message      string
	}{
		{"no function", "POST", root + "/no/invocations", nil, nil, 404, "ResourceNotFoundException", "Function not found: " + arnStart + "no"},
		{"no version", "POST", root + "/f/invocations?Qualifier=7", nil, nil, 404, "ResourceNotFoundException", "Function not found: " + arnStart + "f:7"},
		{"two qualifiers", "POST", root + "/f:1/invocations?Qualifier=7", nil, nil, 400, "InvalidParameterValueException", "qualifier"},
		{"another region", "GET", root + "/" + url.PathEscape("arn:aws:lambda:eu-west-1:000000000000:function:f"), nil, nil, 404, "ResourceNotFoundException", ""},
		{"no name", "GET", root + "/a.b", nil, nil, 400, "InvalidParameterValueException", "a.b"},
		{"payload no JSON", "POST", root + "/f/invocations", []byte("{"), nil, 400, "InvalidRequestContentException", "Could not parse request body into json"},
		{"payload too large", "POST", root + "/f/invocations", []byte(`"` + large + `"`), nil, 413, "RequestTooLargeException", "6291556"},
		{"odd content type", "POST", root + "/f/invocations", nil, []string{"Content-Type", "image/png"}, 415, "UnsupportedMediaTypeException", ""},
		{"odd invocation type", "POST", root + "/f/invocations", nil, []string{"X-Amz-Invocation-Type", "Odd"}, 400, "InvalidParameterValueException", ""},
		{"odd log type", "POST", root + "/f/invocations", nil, []string{"X-Amz-Log-Type", "Odd"}, 400, "InvalidParameterValueException", "log type"},
		{"a dry run of no version", "POST", root + "/f/invocations?Qualifier=7", nil, []string{"X-Amz-Invocation-Type", "DryRun"}, 404, "ResourceNotFoundException", "f:7"},
		{"an event for no version", "POST", root + "/f/invocations?Qualifier=7", nil, []string{"X-Amz-Invocation-Type", "Event"}, 404, "ResourceNotFoundException", "f:7"},
		{"long trace id", "POST", root + "/f/invocations", nil, []string{"X-Amzn-Trace-Id", large[:maxTrace+1]}, 400, "InvalidParameterValueException", "trace id"},
		{"odd architecture", "PUT", root + "/f/code", mustJSON(t, fields{"ZipFile": []byte("x"), "Architectures": []string{"mips"}}), nil, 400, "ValidationException", "architectures"},
		{"odd client context", "POST", root + "/f/invocations", nil, []string{"X-Amz-Client-Context", "?"}, 400, "InvalidParameterValueException", ""},
		{"stopped", "POST", root + "/stopped/invocations", nil, nil, 429, "TooManyRequestsException", "Rate Exceeded."},
		{"exists", "POST", root, with("FunctionName", "f"), nil, 409, "ResourceConflictException", "Function already exist: f"},
		{"no JSON", "POST", root, []byte("{"), nil, 400, "InvalidRequestContentException", ""},
		{"no role", "POST", root, with("Role", nil), nil, 400, "ValidationException", "role"},
		{"odd role", "POST", root, with("Role", "me"), nil, 400, "ValidationException", "role"},
		{"no runtime", "POST", root, with("Runtime", nil), nil, 400, "InvalidParameterValueException", "mandatory"},
		{"image", "POST", root, with("PackageType", "Image"), nil, 400, "InvalidParameterValueException", "images"},
		{"no code", "POST", root, with("Code", fields{}), nil, 400, "InvalidParameterValueException", "ZipFile"},
		{"code elsewhere", "POST", root, with("Code", fields{"S3Bucket": "b", "S3Key": "k"}), nil, 400, "InvalidParameterValueException", "ZipFile only"},
		{"no zip", "POST", root, with("Code", fields{"ZipFile": []byte("no zip")}), nil, 400, "InvalidParameterValueException", "Could not unzip"},
		{"timeout", "POST", root, with("Timeout", 901), nil, 400, "ValidationException", "timeout"},
		{"memory", "POST", root, with("MemorySize", 64), nil, 400, "ValidationException", "memorySize"},
		{"storage", "POST", root, with("EphemeralStorage", fields{"Size": 1}), nil, 400, "ValidationException", "ephemeralStorage"},
		{"handler", "POST", root, with("Handler", "a b"), nil, 400, "ValidationException", "handler"},
		{"reserved variable", "POST", root, with("Environment", fields{"Variables": fields{"AWS_REGION": "x"}}), nil, 400, "InvalidParameterValueException", "AWS_REGION"},
		{"odd variable", "POST", root, with("Environment", fields{"Variables": fields{"a=b": "x"}}), nil, 400, "InvalidParameterValueException", ""},
		{"too many variables", "POST", root, with("Environment", fields{"Variables": fields{"AB": large[:5000]}}), nil, 400, "InvalidParameterValueException", "4KB"},
		{"tags", "POST", root, with("Tags", fields{"aws:x": ""}), nil, 400, "InvalidParameterValueException", "tag"},
		{"no operation", "GET", "/2015-03-31/layers", nil, nil, 404, "UnknownOperationException", ""},
		{"marker", "GET", root + "?Marker=!", nil, nil, 400, "InvalidParameterValueException", ""},
		{"delete a version", "DELETE", root + "/f?Qualifier=$LATEST", nil, nil, 400, "InvalidParameterValueException", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := w.send(tt.method, tt.path, tt.body, tt.headers...)
			if r.status != tt.status || r.code() != tt.code || !strings.Contains(fmt.Sprint(r.fields(t)["Message"]), tt.message) {
				t.Errorf("got %d %s %s", r.status, r.code(), r.body)
			}
		})
	}
	if names := w.must("GET", root, nil)["Functions"].([]any); len(names) != 2 {
		t.Errorf("%d functions, want 2", len(names))
	}
	if entries, err := os.ReadDir(filepath.Join(w.root, "functions")); err != nil || len(entries) != 2 {
		t.Errorf("%d folders, want 2: %v", len(entries), err)
	}
}

func TestWhoMayNotIsToldSo(t *testing.T) {
	w := newWorld(t)
	w.newFunction("f", "echo")
	for _, tt := range []struct {
		action, method, path string
		in                   any
	}{
		{"lambda:CreateFunction", "POST", root, fields{"FunctionName": "g"}},
		{"iam:PassRole", "POST", root, fields{"FunctionName": "g", "Role": testRole, "Runtime": "provided", "Handler": "h", "Code": fields{"ZipFile": bootstrapZip(t)}}},
		{"iam:PassRole", "PUT", root + "/f/configuration", fields{"Role": testRole}},
		{"lambda:ListFunctions", "GET", root, nil},
		{"lambda:GetFunction", "GET", root + "/f", nil},
		{"lambda:GetFunctionConfiguration", "GET", root + "/f/configuration", nil},
		{"lambda:UpdateFunctionConfiguration", "PUT", root + "/f/configuration", fields{}},
		{"lambda:UpdateFunctionCode", "PUT", root + "/f/code", fields{}},
		{"lambda:InvokeFunction", "POST", root + "/f/invocations", nil},
		{"lambda:InvokeFunction", "POST", root + "/unknown/invocations", nil},
		{"lambda:DeleteFunction", "DELETE", root + "/f", nil},
		{"lambda:PutFunctionConcurrency", "PUT", "/2017-10-31/functions/f/concurrency", fields{"ReservedConcurrentExecutions": 0}},
		{"lambda:PublishVersion", "POST", root + "/f/versions", nil},
		{"lambda:ListVersionsByFunction", "GET", root + "/f/versions", nil},
		{"lambda:CreateAlias", "POST", root + "/f/aliases", fields{}},
		{"lambda:GetAlias", "GET", root + "/f/aliases/a", nil},
		{"lambda:UpdateAlias", "PUT", root + "/f/aliases/a", fields{}},
		{"lambda:DeleteAlias", "DELETE", root + "/f/aliases/a", nil},
		{"lambda:ListAliases", "GET", root + "/f/aliases", nil},
		{"lambda:AddPermission", "POST", root + "/f/policy", fields{}},
		{"lambda:GetPolicy", "GET", root + "/f/policy", nil},
		{"lambda:RemovePermission", "DELETE", root + "/f/policy/s", nil},
		{"lambda:PutFunctionEventInvokeConfig", "PUT", "/2019-09-25/functions/f/event-invoke-config", fields{}},
		{"lambda:UpdateFunctionEventInvokeConfig", "POST", "/2019-09-25/functions/f/event-invoke-config", fields{}},
		{"lambda:GetFunctionEventInvokeConfig", "GET", "/2019-09-25/functions/f/event-invoke-config", nil},
		{"lambda:DeleteFunctionEventInvokeConfig", "DELETE", "/2019-09-25/functions/f/event-invoke-config", nil},
		{"lambda:ListFunctionEventInvokeConfigs", "GET", "/2019-09-25/functions/f/event-invoke-config/list", nil},
		{"lambda:InvokeFunction", "POST", "/2014-11-13/functions/f/invoke-async", nil},
		{"lambda:DeleteFunction", "DELETE", root + "/f?Qualifier=1", nil},
		{"lambda:GetFunction", "GET", root + "/f/code", nil},
		{"lambda:GetAccountSettings", "GET", "/2016-08-19/account-settings", nil},
		{"lambda:TagResource", "POST", "/2017-03-31/tags/" + url.PathEscape(arnStart+"f"), fields{}},
	} {
		w.denied = tt.action
		r := w.call(tt.method, tt.path, tt.in)
		if r.status != 403 || r.code() != "AccessDeniedException" || !strings.Contains(string(r.body), "is not authorized to perform: "+tt.action) {
			t.Errorf("%s %s without %s: %d %s", tt.method, tt.path, tt.action, r.status, r.body)
		}
	}
}

func TestFunctionsAreListedInPages(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{"c", "a", "b"} {
		w.newFunction(name, "echo")
	}
	var names []string
	marker := ""
	for {
		out := w.must("GET", root+"/?MaxItems=2&Marker="+marker, nil)
		for _, f := range out["Functions"].([]any) {
			names = append(names, f.(fields)["FunctionName"].(string))
		}
		next, more := out["NextMarker"].(string)
		if !more {
			break
		}
		marker = next
	}
	if strings.Join(names, "") != "abc" {
		t.Errorf("got %v", names)
	}
}

func TestTagsAndConcurrencyAreKept(t *testing.T) {
	w := newWorld(t)
	w.newFunction("f", "echo")
	tags := "/2017-03-31/tags/" + url.PathEscape(arnStart+"f")
	w.must("POST", tags, fields{"Tags": fields{"a": "1", "b": "2"}})
	w.must("DELETE", tags+"?tagKeys=a", nil)
	if got := w.must("GET", tags, nil); fmt.Sprint(got) != "map[Tags:map[b:2]]" {
		t.Errorf("got %v", got)
	}
	const path = "/2017-10-31/functions/f/concurrency"
	w.must("PUT", path, fields{"ReservedConcurrentExecutions": 1})
	if got := w.must("GET", root+"/f", nil); fmt.Sprint(got["Concurrency"]) != "map[ReservedConcurrentExecutions:1]" {
		t.Errorf("got %v", got)
	}
	if a := w.invokeNow("f", "1"); a.FunctionError != "" {
		t.Errorf("got %+v", a)
	}
	w.must("DELETE", path, nil)
	if got := w.must("GET", "/2019-09-30/functions/f/concurrency", nil); len(got) != 0 {
		t.Errorf("got %v", got)
	}
}

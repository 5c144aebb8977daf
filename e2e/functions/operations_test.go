package functions

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hydrant/e2e/server"
)

// misbehaving deploys the function that lets records pass as they are, in a version, and
// then gives $LATEST the code of the example that takes only JSON.
func (s *scene) misbehaving(name string) (arn string) {
	s.t.Helper()
	arn = s.deploy(name, server.BuildProgram(s.t, "./e2e/functions/misbehave"))
	s.want("1", "lambda", "publish-version", "--function-name", name, "--query", "Version")
	s.deploy(name+"-json", server.BuildProgram(s.t, "./examples/functions/go"))
	s.want(arn+":2", "lambda", "update-function-code", "--function-name", name, "--publish",
		"--zip-file", "fileb://"+name+"-json.zip", "--query", "FunctionArn")
	return arn
}

// want runs the AWS CLI and compares what it prints, as text.
func (s *scene) want(want string, args ...string) {
	s.t.Helper()
	if got := strings.TrimSpace(s.aws(append(args, "--output", "text")...)); got != want {
		s.t.Errorf("aws %s prints %q, want %q", strings.Join(args, " "), got, want)
	}
}

// A stream runs what its function's ARN says: a version, what an alias names, or the newest.
func TestStreamsRunTheVersionThatTheyName(t *testing.T) {
	s := open(t)
	arn := s.misbehaving("f")
	s.want(arn+":live", "lambda", "create-alias", "--function-name", "f", "--name", "live", "--function-version", "1", "--query", "AliasArn")
	for name, function := range map[string]string{"version": arn + ":1", "alias": arn + ":live", "newest": arn} {
		s.stream(name, function, 0)
		s.put(name, "record 1\n")
	}
	s.until("the first version has let its records pass", func() bool {
		return len(s.read("version").delivered) == 1 && len(s.read("alias").delivered) == 1
	})
	s.until("the newest has refused them", func() bool { return len(s.read("newest").failed["Lambda.ProcessingFailedStatus"]) == 1 })
	s.want("2", "lambda", "update-alias", "--function-name", "f", "--name", "live", "--function-version", "2", "--query", "FunctionVersion")
	s.put("alias", "record 2\n")
	s.put("version", "record 2\n")
	s.until("the alias runs the second version", func() bool { return len(s.read("alias").failed["Lambda.ProcessingFailedStatus"]) == 1 })
	s.until("the first version is what it was", func() bool { return len(s.read("version").delivered) == 2 })
	if code, err := s.server.Terminate(time.Minute); err != nil || code != 0 {
		t.Fatalf("the node ends with %d, %v", code, err)
	}
	s.again()
	s.put("version", "record 3\n")
	s.until("it is after a restart", func() bool { return len(s.read("version").delivered) == 3 })
}

// Versions and aliases as deploy tools handle them.
func TestTheCommandLineManagesVersionsAndAliases(t *testing.T) {
	s := open(t)
	s.misbehaving("f")
	s.aws("lambda", "wait", "function-active-v2", "--function-name", "f")
	s.aws("lambda", "wait", "function-updated-v2", "--function-name", "f")
	s.aws("lambda", "wait", "published-version-active", "--function-name", "f", "--qualifier", "2")
	s.want("$LATEST\t1\t2", "lambda", "list-versions-by-function", "--function-name", "f", "--query", "Versions[].Version")
	s.want("$LATEST\t1\t2\t$LATEST", "lambda", "list-functions", "--function-version", "ALL", "--query", "Functions[].Version")
	s.want("1", "lambda", "create-alias", "--function-name", "f", "--name", "live", "--function-version", "1",
		"--routing-config", "AdditionalVersionWeights={2=0.25}", "--query", "FunctionVersion")
	s.want("0.25", "lambda", "get-alias", "--function-name", "f", "--name", "live", "--query", `RoutingConfig.AdditionalVersionWeights."2"`)
	s.want("live", "lambda", "list-aliases", "--function-name", "f", "--function-version", "2", "--query", "Aliases[].Name")
	s.aws("lambda", "update-alias", "--function-name", "f", "--name", "live", "--routing-config", "AdditionalVersionWeights={}")
	event := `{"records":[{"recordId":"1","data":"` + base64.StdEncoding.EncodeToString([]byte("record 1\n")) + `"}]}`
	if err := os.WriteFile(filepath.Join(s.folder, "event"), []byte(event), 0o600); err != nil {
		t.Fatal(err)
	}
	s.want("1", "lambda", "invoke", "--function-name", "f", "--qualifier", "live", "--payload", "fileb://event", "--query", "ExecutedVersion", "out")
	if out, err := os.ReadFile(filepath.Join(s.folder, "out")); err != nil || !strings.Contains(string(out), `"Ok"`) {
		t.Errorf("the alias answers %s %v", out, err)
	}
	s.want("204", "lambda", "invoke", "--function-name", "f:live", "--invocation-type", "DryRun", "--query", "StatusCode", "out")
	s.aws("lambda", "delete-alias", "--function-name", "f", "--name", "live")
	s.aws("lambda", "delete-function", "--function-name", "f", "--qualifier", "1")
	s.want("$LATEST\t2", "lambda", "list-versions-by-function", "--function-name", "f", "--query", "Versions[].Version")
	s.aws("lambda", "add-permission", "--function-name", "f", "--statement-id", "s", "--action", "lambda:InvokeFunction", "--principal", "s3.amazonaws.com")
	if policy := s.aws("lambda", "get-policy", "--function-name", "f", "--query", "Policy", "--output", "text"); !strings.Contains(policy, `"Service":"s3.amazonaws.com"`) {
		t.Errorf("policy %s", policy)
	}
	s.aws("lambda", "remove-permission", "--function-name", "f", "--statement-id", "s")
	s.want("2", "lambda", "get-account-settings", "--query", "AccountUsage.FunctionCount")
}

// Code goes in through the object store and out through a link.
func TestCodeComesFromABucketAndGoesByALink(t *testing.T) {
	s := open(t)
	s.deploy("f", server.BuildProgram(t, "./e2e/functions/misbehave"))
	s.aws("s3", "cp", "f.zip", "s3://"+bucket+"/code/f.zip")
	s.aws("lambda", "create-function", "--function-name", "g", "--runtime", "provided.al2023", "--handler", "bootstrap",
		"--role", "arn:aws:iam::000000000000:role/function", "--code", "S3Bucket="+bucket+",S3Key=code/f.zip")
	s.aws("lambda", "update-function-code", "--function-name", "g", "--s3-bucket", bucket, "--s3-key", "code/f.zip", "--publish")
	sum := s.aws("lambda", "get-function-configuration", "--function-name", "g", "--qualifier", "1", "--query", "CodeSha256", "--output", "text")
	link := strings.TrimSpace(s.aws("lambda", "get-function", "--function-name", "g", "--qualifier", "1", "--query", "Code.Location", "--output", "text"))
	r, err := http.Get(link)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil || r.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s %v %.200s", link, r.Status, err, body)
	}
	if got := sha256.Sum256(body); base64.StdEncoding.EncodeToString(got[:]) != strings.TrimSpace(sum) {
		t.Errorf("the link leads to %d other bytes", len(body))
	}
	if r, err := http.Get(strings.Replace(link, "/g/", "/f/", 1)); err != nil || r.StatusCode != http.StatusForbidden {
		t.Errorf("the link opens another function: %+v %v", r, err)
	}
	if out := s.fails("lambda", "update-function-code", "--function-name", "g", "--s3-bucket", bucket, "--s3-key", "code/none.zip"); !strings.Contains(out, "S3 Error Code: NoSuchKey") {
		t.Errorf("what is not in the bucket: %s", out)
	}
}

// Calls that nobody waits for are done, also if the node is killed after it has taken them.
func TestAsynchronousCallsOutliveTheNode(t *testing.T) {
	s := open(t)
	s.deploy("f", server.BuildProgram(t, "./e2e/functions/misbehave"))
	s.want("202", "lambda", "invoke", "--function-name", "f", "--invocation-type", "Event", "--query", "StatusCode", "out")
	s.until("the function was called", func() bool { return s.calls("f") == 1 })
	s.aws("lambda", "put-function-event-invoke-config", "--function-name", "f", "--maximum-event-age-in-seconds", "3600")
	s.want("3600", "lambda", "get-function-event-invoke-config", "--function-name", "f", "--query", "MaximumEventAgeInSeconds")
	s.aws("lambda", "put-function-concurrency", "--function-name", "f", "--reserved-concurrent-executions", "0")
	for range 3 {
		s.want("202", "lambda", "invoke", "--function-name", "f", "--invocation-type", "Event", "--query", "StatusCode", "out")
	}
	s.server.Kill()
	s.again()
	if n := s.calls("f"); n != 1 {
		t.Errorf("%d calls of a stopped function", n-1)
	}
	s.aws("lambda", "delete-function-concurrency", "--function-name", "f")
	s.until("the others were called", func() bool { return s.calls("f") == 4 })
}

// calls counts the calls of a function that its log tells of.
func (s *scene) calls(name string) int {
	s.t.Helper()
	var groups []string
	if err := json.Unmarshal([]byte(s.aws("logs", "describe-log-groups", "--query", "logGroups[].logGroupName")), &groups); err != nil {
		s.t.Fatal(err)
	}
	if len(groups) == 0 {
		return 0
	}
	return strings.Count(s.aws("logs", "filter-log-events", "--log-group-name", "/aws/lambda/"+name, "--query", "events[].message"), "END RequestId: ")
}

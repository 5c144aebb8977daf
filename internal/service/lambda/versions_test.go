package lambda

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// script is code that tells a text in its log and ends.
func script(t testing.TB, text string) []byte {
	return makeZip(t, zipped{"bootstrap", 0o755, "#!/bin/sh\necho " + text + "\nexit 4\n"})
}

// says reports whether a call runs the script that tells the text.
func (w *world) says(name, text string) bool {
	w.t.Helper()
	return strings.Contains(string(w.invokeNow(name, "{}").Log), text)
}

func TestAVersionStaysWhatItWasWhenItWasPublished(t *testing.T) {
	w := newWorld(t)
	w.newFunction("f", "environment", func(in fields) { in["Description"] = "new" })
	v := w.must("POST", root+"/f/versions", fields{"Description": "first"})
	if v["Version"] != "1" || v["FunctionArn"] != arnStart+"f:1" || v["Description"] != "first" || v["State"] != "Active" {
		t.Errorf("published %v", v)
	}
	w.must("PUT", root+"/f/configuration", fields{"Timeout": 9, "SnapStart": fields{"ApplyOn": "PublishedVersions"},
		"Environment": fields{"Variables": fields{"MODE": "error"}}})
	w.must("PUT", root+"/f/code", fields{"ZipFile": script(t, "second code")})
	for range 2 { // the second time after a restart
		for _, name := range []string{"f:1", arnStart + "f:1"} {
			a := w.invokeNow(name, "{}")
			if a.FunctionError != "" || a.Version != "1" || !strings.Contains(string(a.Log), " Version: 1\n") {
				t.Fatalf("%s: %+v", name, a)
			}
			if env := string(a.Payload); !strings.Contains(env, `AWS_LAMBDA_FUNCTION_VERSION=1\n`) || !strings.Contains(env, "/[1]") {
				t.Errorf("environment %s", env)
			}
		}
		if a := w.invokeNow("f", "{}"); a.Version != "$LATEST" || !strings.Contains(string(a.Log), "second code") {
			t.Errorf("$LATEST: %+v", a)
		}
		if got := w.must("GET", root+"/f/configuration?Qualifier=1", nil); fmt.Sprint(got) != fmt.Sprint(v) {
			t.Errorf("got %v, want %v", got, v)
		}
		w.reopen()
	}
	r := w.send("POST", root+"/f/invocations?Qualifier=1", nil)
	if r.header.Get("X-Amz-Executed-Version") != "1" {
		t.Errorf("got %v", r.header)
	}
	w.must("DELETE", root+"/f", nil)
	if r := w.send("POST", root+"/f:1/invocations", nil); r.status != 404 {
		t.Errorf("a version of a function that is gone: %d %s", r.status, r.body)
	}
}

func TestAVersionIsPublishedOnlyIfSomethingHasChanged(t *testing.T) {
	w := newWorld(t)
	first := w.newFunction("f", "echo", func(in fields) { in["Publish"] = true })
	if first["Version"] != "1" || first["FunctionArn"] != arnStart+"f" {
		t.Errorf("created %v", first)
	}
	publish := func(in fields) any { return w.must("POST", root+"/f/versions", in)["Version"] }
	if v := publish(fields{"Description": "again"}); v != "1" {
		t.Errorf("unchanged: version %v", v)
	}
	w.must("PUT", root+"/f/configuration", fields{"Timeout": 4})
	if v := publish(nil); v != "2" {
		t.Errorf("another configuration: version %v", v)
	}
	changed := w.must("PUT", root+"/f/code", fields{"ZipFile": script(t, "x"), "Publish": true})
	if changed["Version"] != "3" || changed["FunctionArn"] != arnStart+"f:3" {
		t.Errorf("another code: %v", changed)
	}
	now := w.must("GET", root+"/f/configuration", nil)
	w.must("DELETE", root+"/f?Qualifier=3", nil)
	if v := publish(fields{"CodeSha256": now["CodeSha256"], "RevisionId": now["RevisionId"]}); v != "4" {
		t.Errorf("a number came back: version %v", v)
	}
}

func TestCodeGoesWithItsLastVersion(t *testing.T) {
	w := newWorld(t)
	w.newFunction("f", "", func(in fields) { in["Code"], in["Publish"] = fields{"ZipFile": script(t, "one")}, true })
	old := w.pool("f").rev.code
	w.must("PUT", root+"/f/code", fields{"ZipFile": script(t, "two")})
	w.reopen()
	if !w.says("f:1", "one") || !w.says("f", "two") {
		t.Error("versions run other code")
	}
	w.must("DELETE", root+"/f?Qualifier=1", nil)
	for _, path := range []string{old, old + ".zip"} {
		if _, err := os.Stat(path); !os.IsNotExist(err) {
			t.Errorf("%s is left: %v", path, err)
		}
	}
	if !w.says("f", "two") {
		t.Error("$LATEST does not run")
	}
	w.reopen()
	if r := w.send("POST", root+"/f:1/invocations", nil); r.status != 404 {
		t.Errorf("a deleted version: %d %s", r.status, r.body)
	}
}

func TestAVersionThatACrashKeptFromBeingPublishedIsNone(t *testing.T) {
	w := newWorld(t)
	w.newFunction("f", "echo", func(in fields) { in["Publish"] = true })
	folder := filepath.Join(w.root, "functions/f/versions")
	text, err := os.ReadFile(filepath.Join(folder, "1.json"))
	if err != nil {
		t.Fatal(err)
	}
	unborn := strings.ReplaceAll(strings.Replace(string(text), `"Version": "1"`, `"Version": "2"`, 1), "f:1", "f:2")
	if err := os.WriteFile(filepath.Join(folder, "2.json"), []byte(unborn), 0o600); err != nil {
		t.Fatal(err)
	}
	w.reopen()
	if r := w.send("POST", root+"/f:2/invocations", nil); r.status != 404 {
		t.Errorf("%d %s", r.status, r.body)
	}
	w.must("PUT", root+"/f/configuration", fields{"Timeout": 4})
	if v := w.must("POST", root+"/f/versions", nil); v["Version"] != "2" || v["Timeout"] != 4.0 {
		t.Errorf("got %v", v)
	}
}

// A version whose file is damaged makes the function unavailable: nobody runs other code
// than what was asked for.
func TestADamagedVersionIsNotGuessedAt(t *testing.T) {
	w := newWorld(t)
	w.newFunction("f", "echo", func(in fields) { in["Publish"] = true })
	path := filepath.Join(w.root, "functions/f/versions/1.json")
	for _, text := range []string{"{", `{"Configuration":{"FunctionName":"f","Version":"7"}}`} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		w.reopen()
		if r := w.send("POST", root+"/f/invocations", nil); r.status != 404 {
			t.Errorf("%s: %d %s", text, r.status, r.body)
		}
	}
}

func TestAnAliasIsMovedFromVersionToVersion(t *testing.T) {
	w := newWorld(t)
	w.newFunction("f", "", func(in fields) { in["Code"], in["Publish"] = fields{"ZipFile": script(t, "one")}, true })
	w.must("PUT", root+"/f/code", fields{"ZipFile": script(t, "two"), "Publish": true})
	live := w.must("POST", root+"/f/aliases", fields{"Name": "live", "FunctionVersion": "1", "Description": "d"})
	if live["AliasArn"] != arnStart+"f:live" || live["FunctionVersion"] != "1" || live["Description"] != "d" || live["RevisionId"] == "" {
		t.Errorf("created %v", live)
	}
	w.must("POST", root+"/f/aliases", fields{"Name": "head", "FunctionVersion": "$LATEST"})
	if !w.says("f:live", "one") || !w.says(arnStart+"f:live", "one") || !w.says("f:head", "two") {
		t.Error("aliases run other code")
	}
	if a := w.invokeNow("f:live", "{}"); a.Version != "1" {
		t.Errorf("got %+v", a)
	}
	c := w.must("GET", root+"/f?Qualifier=live", nil)["Configuration"].(fields)
	if c["FunctionArn"] != arnStart+"f:live" || c["Version"] != "1" {
		t.Errorf("got %v", c)
	}
	moved := w.must("PUT", root+"/f/aliases/live", fields{"FunctionVersion": "2", "RevisionId": live["RevisionId"]})
	if moved["Description"] != "d" || moved["RevisionId"] == live["RevisionId"] || !w.says("f:live", "two") {
		t.Errorf("moved %v", moved)
	}
	w.reopen()
	if got := w.must("GET", root+"/f/aliases/live", nil); fmt.Sprint(got) != fmt.Sprint(moved) {
		t.Errorf("got %v, want %v", got, moved)
	}
	if got := w.must("GET", root+"/f/aliases?FunctionVersion=2", nil)["Aliases"].([]any); len(got) != 1 {
		t.Errorf("got %v", got)
	}
	page := w.must("GET", root+"/f/aliases?MaxItems=1", nil)
	next := w.must("GET", root+"/f/aliases?MaxItems=1&Marker="+page["NextMarker"].(string), nil)
	if page["Aliases"].([]any)[0].(fields)["Name"] != "head" || next["Aliases"].([]any)[0].(fields)["Name"] != "live" || next["NextMarker"] != nil {
		t.Errorf("got %v, then %v", page, next)
	}
	for range 2 { // the second time it is gone already
		if r := w.call("DELETE", root+"/f/aliases/live", nil); r.status != 204 {
			t.Errorf("%d %s", r.status, r.body)
		}
	}
	if r := w.send("POST", root+"/f:live/invocations", nil); r.status != 404 || r.fields(t)["Message"] != "Function not found: "+arnStart+"f:live" {
		t.Errorf("%d %s", r.status, r.body)
	}
}

func TestAnAliasSplitsItsCallsByWeight(t *testing.T) {
	w := newWorld(t)
	w.newFunction("f", "", func(in fields) { in["Code"], in["Publish"] = fields{"ZipFile": script(t, "one")}, true })
	w.must("PUT", root+"/f/code", fields{"ZipFile": script(t, "two"), "Publish": true})
	got := w.must("POST", root+"/f/aliases", fields{"Name": "a", "FunctionVersion": "1",
		"RoutingConfig": fields{"AdditionalVersionWeights": fields{"2": 1}}})
	if fmt.Sprint(got["RoutingConfig"]) != "map[AdditionalVersionWeights:map[2:1]]" || !w.says("f:a", "two") {
		t.Errorf("all to the other: %v", got)
	}
	if r := w.call("DELETE", root+"/f?Qualifier=2", nil); r.status != 409 || !strings.Contains(string(r.body), "[a]") {
		t.Errorf("a version that gets calls: %d %s", r.status, r.body)
	}
	got = w.must("PUT", root+"/f/aliases/a", fields{"RoutingConfig": fields{}})
	if got["RoutingConfig"] != nil || !w.says("f:a", "one") {
		t.Errorf("no split: %v", got)
	}
}

// Of any number of calls, as many go to the other version as its weight says.
func TestWeightsAreShares(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const calls = 1000
		share := rapid.IntRange(0, calls).Draw(t, "share")
		a := alias{FunctionVersion: "1", RoutingConfig: &routing{map[string]float64{"2": float64(share) / calls}}}
		n := 0
		for i := range calls {
			if a.choose((float64(i)+0.5)/calls) == "2" {
				n++
			}
		}
		if n != share {
			t.Errorf("%d of %d calls, want %d", n, calls, share)
		}
	})
}

func TestWhatVersionsAndAliasesCannotBeIsToldWhy(t *testing.T) {
	w := newWorld(t)
	w.newFunction("f", "echo", func(in fields) { in["Publish"] = true })
	w.must("POST", root+"/f/aliases", fields{"Name": "live", "FunctionVersion": "1"})
	w.must("PUT", root+"/f/configuration", fields{"Timeout": 4})
	w.must("POST", root+"/f/versions", nil)
	alias := func(change fields) fields {
		in := fields{"Name": "new", "FunctionVersion": "1"}
		for k, v := range change {
			in[k] = v
		}
		return in
	}
	split := func(weights fields) fields { return fields{"AdditionalVersionWeights": weights} }
	for _, tt := range []struct {
		name, method, path string
		in                 any
		status             int
		code, message      string
	}{
		{"no function", "POST", "/g/versions", nil, 404, "ResourceNotFoundException", "Function not found: " + arnStart + "g"},
		{"other code", "POST", "/f/versions", fields{"CodeSha256": "x"}, 400, "InvalidParameterValueException", "CodeSHA256 (x) is different"},
		{"other revision", "POST", "/f/versions", fields{"RevisionId": "x"}, 412, "PreconditionFailedException", "RevisionId"},
		{"long description", "POST", "/f/versions", fields{"Description": strings.Repeat("x", 257)}, 400, "ValidationException", "description"},
		{"a version of a version", "POST", "/f:1/versions", nil, 400, "InvalidParameterValueException", "permitted on Lambda functions only"},
		{"code of a version", "PUT", "/f:1/code", fields{"ZipFile": []byte("x")}, 400, "InvalidParameterValueException", "permitted on Lambda functions only"},
		{"configuration of a version", "PUT", "/f:live/configuration", fields{}, 400, "InvalidParameterValueException", "permitted on Lambda functions only"},
		{"delete the newest", "DELETE", "/f?Qualifier=$LATEST", nil, 400, "InvalidParameterValueException", "$LATEST version cannot be deleted"},
		{"delete an alias", "DELETE", "/f?Qualifier=live", nil, 400, "InvalidParameterValueException", "Deletion of aliases"},
		{"delete an aliased version", "DELETE", "/f?Qualifier=1", nil, 409, "ResourceConflictException", "aliases reference it: [live]"},
		{"delete no version", "DELETE", "/f?Qualifier=7", nil, 404, "ResourceNotFoundException", "f:7"},
		{"alias exists", "POST", "/f/aliases", alias(fields{"Name": "live"}), 409, "ResourceConflictException", "Alias already exists: " + arnStart + "f:live"},
		{"alias like a version", "POST", "/f/aliases", alias(fields{"Name": "12"}), 400, "ValidationException", "name"},
		{"odd alias", "POST", "/f/aliases", alias(fields{"Name": "a.b"}), 400, "ValidationException", "name"},
		{"long alias", "POST", "/f/aliases", alias(fields{"Name": strings.Repeat("x", 129)}), 400, "ValidationException", "name"},
		{"alias of nothing", "POST", "/f/aliases", fields{"Name": "new"}, 400, "ValidationException", "functionVersion"},
		{"alias of no version", "POST", "/f/aliases", alias(fields{"FunctionVersion": "7"}), 404, "ResourceNotFoundException", "f:7"},
		{"alias of an alias", "POST", "/f/aliases", alias(fields{"FunctionVersion": "live"}), 404, "ResourceNotFoundException", "f:live"},
		{"three versions", "POST", "/f/aliases", alias(fields{"RoutingConfig": split(fields{"1": 0.1, "2": 0.1})}), 400, "InvalidParameterValueException", "cannot be greater than 1"},
		{"twice the version", "POST", "/f/aliases", alias(fields{"RoutingConfig": split(fields{"1": 0.1})}), 400, "InvalidParameterValueException", "already included"},
		{"odd weight", "POST", "/f/aliases", alias(fields{"RoutingConfig": split(fields{"2": 1.1})}), 400, "InvalidParameterValueException", "weight"},
		{"split to the newest", "POST", "/f/aliases", alias(fields{"RoutingConfig": split(fields{"$LATEST": 0.1})}), 400, "InvalidParameterValueException", "$LATEST"},
		{"split to nothing", "POST", "/f/aliases", alias(fields{"RoutingConfig": split(fields{"7": 0.1})}), 404, "ResourceNotFoundException", "f:7"},
		{"get no alias", "GET", "/f/aliases/no", nil, 404, "ResourceNotFoundException", "Cannot find alias arn: " + arnStart + "f:no"},
		{"update no alias", "PUT", "/f/aliases/no", fields{}, 404, "ResourceNotFoundException", "Cannot find alias arn"},
		{"another revision of an alias", "PUT", "/f/aliases/live", fields{"RevisionId": "x"}, 412, "PreconditionFailedException", "GetAlias"},
		{"odd page", "GET", "/f/versions?MaxItems=0", nil, 400, "InvalidParameterValueException", "MaxItems"},
		{"odd list", "GET", "?FunctionVersion=1", nil, 400, "InvalidParameterValueException", "ALL"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := w.call(tt.method, root+tt.path, tt.in)
			if r.status != tt.status || r.code() != tt.code || !strings.Contains(fmt.Sprint(r.fields(t)["Message"]), tt.message) {
				t.Errorf("got %d %s %s", r.status, r.code(), r.body)
			}
		})
	}
	tags := "/2017-03-31/tags/" + url.PathEscape(arnStart+"f:1")
	if r := w.call("POST", tags, fields{"Tags": fields{"a": "b"}}); r.status != 400 {
		t.Errorf("tags of a version: %d %s", r.status, r.body)
	}
}

func TestVersionsAreListedInTheOrderTheyCame(t *testing.T) {
	w := newWorld(t)
	w.newFunction("f", "echo")
	w.newFunction("f-2", "echo")
	for i := range 11 {
		w.must("PUT", root+"/f/configuration", fields{"Timeout": 10 + i})
		w.must("POST", root+"/f/versions", nil)
	}
	all := func(path, list string) string {
		var found []string
		for marker := ""; ; {
			out := w.must("GET", path+"MaxItems=4&Marker="+marker, nil)
			for _, c := range out[list].([]any) {
				found = append(found, strings.TrimPrefix(c.(fields)["FunctionArn"].(string), arnStart))
			}
			next, more := out["NextMarker"].(string)
			if !more {
				return strings.Join(found, " ")
			}
			marker = next
		}
	}
	const want = "f:$LATEST f:1 f:2 f:3 f:4 f:5 f:6 f:7 f:8 f:9 f:10 f:11"
	for range 2 {
		if got := all(root+"/f/versions?", "Versions"); got != want {
			t.Errorf("got %s", got)
		}
		if got := all(root+"?FunctionVersion=ALL&", "Functions"); got != want+" f-2:$LATEST" {
			t.Errorf("got %s", got)
		}
		w.reopen()
	}
}

func TestVersionsShareTheConcurrencyOfTheirFunction(t *testing.T) {
	w := newWorld(t)
	w.newFunction("f", "gate", func(in fields) { in["Publish"] = true })
	w.must("PUT", "/2017-10-31/functions/f/concurrency", fields{"ReservedConcurrentExecutions": 2})
	gate := filepath.Join(t.TempDir(), "gate")
	payload := fmt.Sprintf("%q", gate)
	calls := []<-chan result{w.soon("f", payload), w.soon("f:1", payload)}
	w.awaitLines(2, "at the gate")
	for _, name := range []string{"f", "f:1"} {
		r := w.send("POST", root+"/"+name+"/invocations", []byte(payload))
		if r.status != 429 || r.fields(t)["Reason"] != "ReservedFunctionConcurrentInvocationLimitExceeded" {
			t.Errorf("%s: %d %s", name, r.status, r.body)
		}
	}
	if err := os.WriteFile(gate, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range calls {
		if r := w.await(c); r.err != nil || r.answer.FunctionError != "" {
			t.Errorf("got %+v", r)
		}
	}
	// Idle workers hold nobody up.
	for range 2 {
		for _, name := range []string{"f", "f:1"} {
			if r := w.invokeNow(name, payload); r.FunctionError != "" {
				t.Errorf("%s: %+v", name, r)
			}
		}
	}
	w.must("PUT", "/2017-10-31/functions/f/concurrency", fields{"ReservedConcurrentExecutions": 0})
	if r := w.send("POST", root+"/f/invocations", nil); r.status != 429 {
		t.Errorf("a stopped function with idle workers: %d %s", r.status, r.body)
	}
}

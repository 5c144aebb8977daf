package lambda

import (
	"fmt"
	"strings"
	"testing"
)

func TestPermissionsAreKeptInTheWordsOfIAM(t *testing.T) {
	w := newWorld(t)
	w.newFunction("f", "echo", func(in fields) { in["Publish"] = true })
	path := root + "/f/policy"
	for _, tt := range []struct {
		in   fields
		want string
	}{
		{fields{"StatementId": "s3", "Principal": "s3.amazonaws.com", "SourceArn": "arn:aws:s3:::b", "SourceAccount": "000000000000"},
			`{"Action":"lambda:InvokeFunction","Condition":{"ArnLike":{"AWS:SourceArn":"arn:aws:s3:::b"},"StringEquals":{"AWS:SourceAccount":"000000000000"}},` +
				`"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Resource":"` + arnStart + `f","Sid":"s3"}`},
		{fields{"StatementId": "account", "Principal": "123456789012"},
			`{"Action":"lambda:InvokeFunction","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Resource":"` + arnStart + `f","Sid":"account"}`},
		{fields{"StatementId": "role", "Principal": testRole},
			`{"Action":"lambda:InvokeFunction","Effect":"Allow","Principal":{"AWS":"` + testRole + `"},"Resource":"` + arnStart + `f","Sid":"role"}`},
		{fields{"StatementId": "all", "Principal": "*"},
			`{"Action":"lambda:InvokeFunction","Effect":"Allow","Principal":"*","Resource":"` + arnStart + `f","Sid":"all"}`},
	} {
		tt.in["Action"] = "lambda:InvokeFunction"
		r := w.call("POST", path, tt.in)
		var got, want any
		got = r.fields(t)["Statement"]
		if want = tt.want; r.status != 201 || canonical(t, got.(string)) != canonical(t, want.(string)) {
			t.Errorf("%d %v, want %v", r.status, got, want)
		}
	}
	w.reopen()
	got := w.must("GET", path, nil)
	if text := got["Policy"].(string); !strings.HasPrefix(text, `{"Version":"2012-10-17","Id":"default","Statement":[{"Sid":"s3"`) || strings.Count(text, `"Sid"`) != 4 {
		t.Errorf("policy %s", text)
	}
	if r := w.call("GET", path+"?Qualifier=1", nil); r.status != 404 {
		t.Errorf("a version without: %d %s", r.status, r.body)
	}
	one := w.must("POST", path+"?Qualifier=1", fields{"StatementId": "s", "Principal": "*", "Action": "lambda:*"})
	if !strings.Contains(one["Statement"].(string), arnStart+`f:1"`) {
		t.Errorf("of a version: %v", one)
	}
	for _, id := range []string{"s3", "account", "role", "all"} {
		if r := w.call("DELETE", path+"/"+id, nil); r.status != 204 {
			t.Errorf("%s: %d %s", id, r.status, r.body)
		}
	}
	if r := w.call("GET", path, nil); r.status != 404 {
		t.Errorf("no statement is left: %d %s", r.status, r.body)
	}
}

func canonical(t *testing.T, text string) string {
	t.Helper()
	return fmt.Sprint(response{body: []byte(text)}.fields(t))
}

func TestPermissionsThatCannotBeAreToldWhy(t *testing.T) {
	w := newWorld(t)
	w.newFunction("f", "echo")
	path := root + "/f/policy"
	good := fields{"StatementId": "a", "Principal": "s3.amazonaws.com", "Action": "lambda:InvokeFunction"}
	w.must("POST", path, good)
	with := func(member string, value any) fields {
		in := fields{}
		for k, v := range good {
			in[k] = v
		}
		in["StatementId"] = "b"
		in[member] = value
		return in
	}
	for _, tt := range []struct {
		name, method, path string
		in                 any
		status             int
		code               string
	}{
		{"the same id", "POST", path, good, 409, "ResourceConflictException"},
		{"no id", "POST", path, with("StatementId", ""), 400, "ValidationException"},
		{"odd action", "POST", path, with("Action", "s3:GetObject"), 400, "ValidationException"},
		{"odd principal", "POST", path, with("Principal", "me"), 400, "ValidationException"},
		{"odd account", "POST", path, with("SourceAccount", "1"), 400, "ValidationException"},
		{"another revision", "POST", path, with("RevisionId", "x"), 412, "PreconditionFailedException"},
		{"no version", "POST", path + "?Qualifier=7", with("Action", "*"), 404, "ResourceNotFoundException"},
		{"too much", "POST", path, with("EventSourceToken", strings.Repeat("x", maxPolicy)), 400, "PolicyLengthExceededException"},
		{"no statement", "DELETE", path + "/no", nil, 404, "ResourceNotFoundException"},
	} {
		if r := w.call(tt.method, tt.path, tt.in); r.status != tt.status || r.code() != tt.code {
			t.Errorf("%s: %d %s %s", tt.name, r.status, r.code(), r.body)
		}
	}
}

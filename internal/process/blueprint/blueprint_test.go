package blueprint

import (
	"bytes"
	"compress/gzip"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

// named is the blueprint of a name.
func named(t testing.TB, name string) Blueprint {
	t.Helper()
	b, ok := Find(name)
	if !ok {
		t.Fatalf("there is no %s", name)
	}
	return b
}

func gz(t testing.TB, s string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(s)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestExamplesAreWhatBlueprintsDo(t *testing.T) {
	for _, b := range All() {
		in := []byte(b.Example.Input)
		if b.Example.Gzipped {
			in = gz(t, b.Example.Input)
		}
		out, result, reason := b.Transform([]byte("before"), in)
		if got := string(out); got != "before"+b.Example.Output || result != Ok || reason != "" {
			t.Errorf("%s: %v %s\n%s", b.Name, result, reason, got)
		}
	}
}

func TestFieldsAreThoseOfTheOutputAndAreExplained(t *testing.T) {
	for _, b := range All() {
		var want []string
		for _, f := range b.Fields {
			if f.Meaning == "" {
				t.Errorf("%s does not explain %s", b.Name, f.Name)
			}
			want = append(want, f.Name)
		}
		switch out := b.Example.Output; {
		case out[0] == '{':
			if got := strings.Join(names(t, out), " "); got != strings.Join(want, " ") {
				t.Errorf("%s makes %s", b.Name, got)
			}
		case want != nil:
			if n := strings.Count(out, ","); n != len(want)-1 {
				t.Errorf("%s makes %d columns", b.Name, n+1)
			}
		}
	}
}

// names are the names of an object's members.
func names(t *testing.T, object string) (list []string) {
	d := jsontext.NewDecoder(strings.NewReader(object))
	if _, err := d.ReadToken(); err != nil {
		t.Fatal(err)
	}
	for d.PeekKind() == '"' {
		name, err := d.ReadToken()
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, name.String())
		if err := d.SkipValue(); err != nil {
			t.Fatal(err)
		}
	}
	return list
}

func TestNamesAreUnique(t *testing.T) {
	seen := map[string]bool{}
	for _, b := range All() {
		for _, name := range append([]string{b.Name}, b.Aliases...) {
			if seen[name] {
				t.Errorf("%s is there twice", name)
			}
			seen[name] = true
			if got := named(t, name); got.Name != b.Name {
				t.Errorf("%s is %s", name, got.Name)
			}
		}
	}
}

func TestBlueprintsAreFoundByNameOrByTheARNOfAFunction(t *testing.T) {
	const name = "kinesis-firehose-syslog-to-csv"
	tests := []struct {
		given string
		found bool
	}{
		{name, true},
		{name + "-python", true},
		{"arn:aws:lambda:us-east-1:123456789012:function:" + name, true},
		{"arn:aws:lambda:us-east-1:123456789012:function:" + name + ":$LATEST", true},
		{"arn:aws-cn:lambda:cn-north-1:123456789012:function:" + name, true},
		{"arn:aws:lambda:us-east-1:123456789012:function:" + name + ":1", false},
		{"arn:aws:lambda:us-east-1:123456789012:function:" + name + ":$LATEST:x", false},
		{"arn:aws:lambda:us-east-1:123456789012:function:other", false},
		{"arn:aws:lambda:us-east-1:123456789012:function:", false},
		{"arn:aws:lambda:us-east-1:123456789012:layer:" + name, false},
		{"arn:aws:s3:us-east-1:123456789012:function:" + name, false},
		{"arn:" + name, false},
		{name + ":$LATEST", false},
		{strings.ToUpper(name), false},
		{"", false},
	}
	for _, test := range tests {
		if b, ok := Find(test.given); ok != test.found || ok && b.Name != name {
			t.Errorf("%s: %v %s", test.given, ok, b.Name)
		}
	}
}

func TestResultsAreCalledAsFunctionsCallThem(t *testing.T) {
	if got := Ok.String() + " " + Dropped.String() + " " + ProcessingFailed.String(); got != "Ok Dropped ProcessingFailed" {
		t.Error(got)
	}
}

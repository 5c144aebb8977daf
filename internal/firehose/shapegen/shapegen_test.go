package main

import (
	"bytes"
	"compress/gzip"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
)

// committed are the tables that the program is built with.
const committed = "../shapes_generated.go"

// TestTheTablesAreThoseOfTheModel makes the tables anew where the SDK for Python is. A model
// that says the same in other words is no other model.
func TestTheTablesAreThoseOfTheModel(t *testing.T) {
	want, err := os.ReadFile(committed)
	if err != nil {
		t.Fatal(err)
	}
	m, err := read(installedModel(t))
	if err != nil {
		t.Fatal(err)
	}
	got, err := generate(m)
	same := bytes.Contains(want, []byte(digestLine+m.digest+"\n"))
	if err != nil && same {
		t.Fatal(err)
	}
	d := cmp.Diff(tables(want), tables(got))
	switch {
	case d == "" && err == nil:
	case same:
		t.Errorf("go generate makes other tables:\n%s", d)
	default:
		t.Skipf("botocore has another model than the committed tables: %v\n%s", err, d)
	}
}

// installedModel is the model of the SDK for Python that is installed.
func installedModel(t *testing.T) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "python3", "-c", "import botocore; print(botocore.__file__)").Output()
	if err != nil {
		t.Skipf("there is no botocore to take the model of: %v", err)
	}
	found, err := filepath.Glob(filepath.Join(filepath.Dir(strings.TrimSpace(string(out))), "data", "firehose", "*", "service-2.json*"))
	if err != nil || len(found) == 0 {
		t.Skipf("botocore has no model of Firehose: %v", err)
	}
	return found[len(found)-1]
}

// tables are the lines of a source behind its head.
func tables(source []byte) []string {
	_, body, _ := strings.Cut(string(source), "package firehose\n")
	return strings.Split(body, "\n")
}

func TestWhatCannotBeSaidIsRefused(t *testing.T) {
	for _, c := range []struct{ name, shapes, want string }{
		{"a shape that is not there", `"In":{"type":"structure","members":{"A":{"shape":"B"}}}`, `there is no shape "B"`},
		{"a shape that contains itself", `"In":{"type":"structure","members":{"A":{"shape":"In"}}}`, "In contains itself"},
		{"a type that nobody knows", `"In":{"type":"document"}`, `nothing is known of type "document"`},
		{"a member that is required and not there", `"In":{"type":"structure","required":["A"],"members":{}}`, "it has no member A"},
		{"a map to something else", `"In":{"type":"map","key":{"shape":"S"},"value":{"shape":"N"}},"S":{"type":"string"},"N":{"type":"integer"}`, "only maps of strings"},
		{"a number that is no fraction", `"In":{"type":"double","min":0,"max":2}`, "only fractions can be said"},
		{"an enum with a pattern", `"In":{"type":"string","enum":["a"],"pattern":"a"}`, "an enum with more constraints"},
		{"a pattern without a matcher", `"In":{"type":"string","pattern":"(?!a)b"}`, "its pattern needs a matcher"},
		{"an order of other values", `"In":{"type":"structure","members":{"A":{"shape":"OrcCompression"}}},"OrcCompression":{"type":"string","enum":["ZLIB","SNAPPY"]}`,
			"its order names [ZLIB SNAPPY NONE], but the model has [ZLIB SNAPPY]"},
		{"an override of nothing", `"In":{"type":"structure","members":{}}`, "there is an override for"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var m model
			if err := json.Unmarshal([]byte(`{"operations":{"Op":{"input":{"shape":"In"}}},"shapes":{`+c.shapes+`}}`), &m); err != nil {
				t.Fatal(err)
			}
			if _, err := generate(&m); !errors.Is(err, errModel) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error that says %q", err, c.want)
			}
		})
	}
}

func TestAModelIsReadPackedOrNot(t *testing.T) {
	dir := t.TempDir()
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := w.Write([]byte("{}")); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"no.json": "{", "no.json.gz": "{}", "empty.json": "{}", "empty.json.gz": packed.String()} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, ok := range map[string]bool{"no.json": false, "no.json.gz": false, "empty.json": true, "empty.json.gz": true, "absent.json": false} {
		if _, err := read(filepath.Join(dir, name)); (err == nil) != ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

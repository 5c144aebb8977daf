package schema

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"hydrant/e2e/server"
)

// world is a node, a folder with files, and who works there.
type world struct {
	t      *testing.T
	server *server.Server
	binary string
	data   string
	folder string
}

func newWorld(t *testing.T, args ...string) *world {
	t.Helper()
	w := &world{t: t, binary: server.Build(t), data: t.TempDir(), folder: t.TempDir()}
	w.server = server.Start(t, server.Options{Binary: w.binary, Data: w.data, Args: args})
	return w
}

// file writes a file into the folder.
func (w *world) file(name, text string) {
	w.t.Helper()
	if err := os.WriteFile(filepath.Join(w.folder, name), []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// run runs hydrant schema in the folder, with input and the node.
func (w *world) run(input string, args ...string) (out, errs string, code int) {
	w.t.Helper()
	args = append(args, "--data", w.data)
	ctx, cancel := context.WithTimeout(w.t.Context(), 2*time.Minute)
	defer cancel()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, w.binary, append([]string{"schema"}, args...)...)
	cmd.Dir, cmd.Env = w.folder, []string{"PATH=" + os.Getenv("PATH")}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(input), &stdout, &stderr
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) || ctx.Err() != nil {
		w.t.Fatalf("%v: %v", args, err)
	}
	return stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()
}

// must fails unless the command did what it was asked, without a word of warning.
func (w *world) must(args ...string) string {
	w.t.Helper()
	out, errs, code := w.run("", args...)
	if code != 0 || errs != "" {
		w.t.Fatalf("hydrant schema %v ended with %d:\n%s%s", args, code, out, errs)
	}
	return out
}

// refuses fails unless the command ends with the code and says each of the words.
func (w *world) refuses(code int, words []string, args ...string) {
	w.t.Helper()
	out, errs, got := w.run("", args...)
	if got != code {
		w.t.Fatalf("hydrant schema %v ended with %d:\n%s%s", args, got, out, errs)
	}
	for _, word := range words {
		if !strings.Contains(errs, word) {
			w.t.Errorf("hydrant schema %v does not say %q: %s", args, word, errs)
		}
	}
}

const samples = `{"id":1,"user.name":"a","tags":["x"],"at":"2026-01-15T10:15:00Z"}
{"id":3000000000,"user.name":"b","tags":[],"at":"2026-01-15T10:16:00Z","odd":null}
`

func TestATableIsProposedCreatedAndReplaced(t *testing.T) {
	w := newWorld(t)
	if out := w.must("list"); !strings.Contains(out, "schema infer") {
		t.Errorf("an empty catalogue gives no hint: %s", out)
	}
	w.file("Clicks.json", samples)
	statement := w.must("infer", "Clicks.json", "--database", "web", "--location", "s3://events/clicks/")
	const want = `-- From 2 documents.
-- The stream's deserializer needs: OpenXJsonSerDe={"ConvertDotsInJsonKeysToUnderscores":true}
-- Note: odd is null in all documents: string may not be its type
` + "CREATE EXTERNAL TABLE `web`.`clicks` (\n  `id` bigint,\n  `user_name` string,\n  `tags` array<string>,\n  `at` timestamp,\n  `odd` string\n)\n" +
		"STORED AS PARQUET\nLOCATION 's3://events/clicks/'\nTBLPROPERTIES (\n  'classification' = 'parquet'\n);\n"
	if statement != want {
		t.Errorf("proposed\n%swant\n%s", statement, want)
	}
	w.file("clicks.sql", statement)
	w.refuses(1, []string{"Database web not found.", "--create-database"}, "create", "clicks.sql")
	if out := w.must("create", "clicks.sql", "--create-database"); out != "web.clicks: created\n" {
		t.Error(out)
	}
	w.refuses(1, []string{"Table already exists.", "--replace"}, "create", "clicks.sql")

	if got := w.must("show", "web.clicks", "--ddl"); got != want[strings.Index(want, "CREATE"):] {
		t.Errorf("the statement of the table is\n%s", got)
	}
	// The same table by way of JSON, under another name, and back over the first one.
	out, remarks, code := w.run(samples, "infer", "-", "--table", "again", "--format", "orc", "--json")
	if code != 0 || !strings.Contains(remarks, "From 2 documents.") {
		t.Fatalf("%d %s", code, remarks)
	}
	w.file("again.json", out)
	w.must("create", "again.json", "--database", "web")
	w.file("orc.json", w.must("show", "web.again", "--json"))
	if out := w.must("create", "orc.json", "--table", "clicks", "--replace", "--json"); !strings.Contains(out, `"outcome": "replaced"`) {
		t.Error(out)
	}
	w.server.Kill()
	w.server = server.Start(t, w.server.Again())
	list := w.must("list")
	for _, row := range []string{"web.again   0        5        orc     -", "web.clicks  1        5        orc     -"} {
		if !strings.Contains(list, row) {
			t.Errorf("the list has no line %q:\n%s", row, list)
		}
	}
	var all struct{ Tables []struct{ Name string } }
	if err := json.Unmarshal([]byte(strings.ReplaceAll(strings.ReplaceAll(w.must("list", "web", "--json"), `"tables"`, `"Tables"`), `"name"`, `"Name"`)), &all); err != nil || len(all.Tables) != 2 {
		t.Errorf("%v %+v", err, all)
	}
	if out := w.must("show", "web.clicks"); !strings.Contains(out, "web.clicks, version 1") || !strings.Contains(out, "user_name  string         -") {
		t.Error(out)
	}
}

func TestWhatIsWrongIsSaidWithItsPlace(t *testing.T) {
	w := newWorld(t)
	w.file("bad.sql", "CREATE TABLE web.t (\n  id int,\n  at timestmp\n)")
	w.file("bad.json", "{\"Name\": \"t\",\n \"StorageDescriptor\": {\"Column\": []}}")
	w.file("odd.json", `{"Name":"odd","StorageDescriptor":{"Columns":[{"Name":"a","Type":"uniontype<int>"}]}}`)
	w.file("cut.json", "{\"a\":1}\n{\"a\":")
	w.file("bare.sql", "CREATE TABLE IF NOT EXISTS t (a int)")
	w.refuses(1, []string{"bad.sql", "line 3, column 6", "timestmp"}, "create", "bad.sql")
	w.refuses(1, []string{"bad.json", "line 2", "Column"}, "create", "bad.json", "--database", "web")
	w.refuses(1, []string{"cut.json", "line 2, column 6", "does not end"}, "infer", "cut.json")
	w.refuses(2, []string{"--database is wanted"}, "create", "bare.sql")
	w.refuses(2, []string{"--format"}, "infer", "cut.json", "--format", "avro")
	w.refuses(2, []string{"database.table"}, "show", "clicks")
	w.refuses(1, []string{"Database web not found."}, "show", "web.clicks")
	w.refuses(1, []string{"no such file"}, "infer", "nothing.json")
	w.must("create", "bare.sql", "--database", "web", "--create-database")
	if out := w.must("create", "bare.sql", "--database", "web"); out != "web.t: left as it is\n" {
		t.Error(out)
	}
	w.refuses(1, []string{"Table clicks not found.", "schema list --data " + w.data}, "show", "web.clicks")
	if _, errs, code := w.run("", "create", "odd.json", "--database", "web"); code != 0 || !strings.Contains(errs, `no stream can convert to column "a"`) {
		t.Errorf("%d %s", code, errs)
	}
	w.server.Kill()
	w.refuses(1, []string{"hydrant serve --data " + w.data}, "list")
}

func TestCompressedSamplesAreTaken(t *testing.T) {
	w := &world{t: t, binary: server.Build(t), folder: t.TempDir()}
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte(samples)); err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	w.file("2026 events.json.gz", b.String())
	if out := w.must("infer", "2026 events.json.gz"); !strings.Contains(out, "TABLE `2026_events` (") {
		t.Error(out)
	}
}

func TestANodeThatUsesAnotherCatalogueSaysSo(t *testing.T) {
	config := filepath.Join(t.TempDir(), "hydrant.yaml")
	const text = "endpoints: {glue: {url: 'http://127.0.0.1:1', accessKey: key, secretKey: secret}}\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, "--config", config)
	w.refuses(1, []string{"uses a Glue Data Catalog elsewhere", "endpoints.glue"}, "list")
}

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hydrant/internal/node"
	"hydrant/internal/operate"
)

func TestCommandsAboutTablesSayWhatTheyCannotUse(t *testing.T) {
	for _, args := range []string{
		"schema infer", "schema infer a b", "schema infer a --format avro", "schema create", "schema show", "schema show clicks",
		"schema show web.clicks --ddl --json", "schema list --all",
	} {
		_, err := execute(t, strings.Fields(args)...)
		var usage usageError
		if !errors.As(err, &usage) {
			t.Errorf("%s: %v", args, err)
		}
	}
}

func TestCommandsAboutTablesSayThatThereIsNoNode(t *testing.T) {
	data := t.TempDir()
	file := filepath.Join(data, "t.sql")
	if err := os.WriteFile(file, []byte("CREATE TABLE web.t (a int)"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range []string{"schema list", "schema show web.t", "schema create " + file} {
		_, err := execute(t, strings.Fields(args+" --data "+data)...)
		if !errors.Is(err, node.ErrNoNode) || !strings.Contains(err.Error(), "hydrant serve --data "+data) {
			t.Errorf("%s: %v", args, err)
		}
	}
}

func TestErrorsAboutTablesNameTheNextCommand(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want string
	}{
		{operate.ErrNoCatalog, "endpoints.glue"},
		{operate.ErrNoDatabase, " schema create --data 'my data'"},
		{operate.ErrNoTable, " schema list --data 'my data'"},
		{operate.ErrTableExists, "--replace"},
		{operate.ErrNoAnswer, "hydrant serve --data 'my data'"},
	} {
		var o operator
		cmd := newSchemaShow()
		o.cmd, o.data = cmd, "my data"
		if err := cmd.ParseFlags([]string{"--data", "my data", "web.clicks"}); err != nil {
			t.Fatal(err)
		}
		if err := o.explainTable(fmt.Errorf("it is so: %w", tt.err)); !strings.Contains(err.Error(), tt.want) || !errors.Is(err, tt.err) {
			t.Errorf("%v", err)
		}
	}
}

func TestTablesAreNamedAfterTheirSamples(t *testing.T) {
	for path, want := range map[string]string{
		"clicks.json": "clicks", "/a/b/My Events.2026.json.gz": "my_events", "-": "records", "é.json": "records", "web-log": "web_log",
	} {
		if got := tableName(path); got != want {
			t.Errorf("%s: %q", path, got)
		}
	}
}

func TestAFileThatIsTooLargeIsNotRead(t *testing.T) {
	if _, err := readAll(strings.NewReader("12345"), 4); err == nil {
		t.Error("it was read")
	}
	if text, err := readAll(strings.NewReader("1234"), 4); err != nil || string(text) != "1234" {
		t.Error(err)
	}
}

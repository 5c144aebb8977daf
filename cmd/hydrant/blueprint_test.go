package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"hydrant/internal/process/blueprint"
)

// blueprints runs hydrant blueprint with an input.
func blueprints(t *testing.T, input string, args ...string) (out string, err error) {
	t.Helper()
	cmd := newBlueprint()
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	var b bytes.Buffer
	cmd.SetOut(&b)
	cmd.SetErr(t.Output())
	cmd.SetIn(strings.NewReader(input))
	cmd.SetArgs(args)
	err = cmd.ExecuteContext(t.Context())
	return b.String(), err
}

func TestBlueprintsAreListed(t *testing.T) {
	out, err := blueprints(t, "", "list")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(out, "\n")
	if len(lines) != len(blueprint.All())+2 {
		t.Error(out)
	}
	for i, b := range blueprint.All() {
		if !strings.HasPrefix(lines[i+1], b.Name+" ") || !strings.HasSuffix(lines[i+1], "  "+b.Summary()) {
			t.Errorf("%s: %s", b.Name, lines[i+1])
		}
	}
}

func TestTheListOfBlueprintsAsJSONHasAllOfThem(t *testing.T) {
	out, err := blueprints(t, "", "list", "--json")
	if err != nil {
		t.Fatal(err)
	}
	var list blueprintList
	if err := json.Unmarshal([]byte(out), &list); err != nil || len(list.Blueprints) != len(blueprint.All()) {
		t.Fatal(err, out)
	}
	for i, b := range blueprint.All() {
		got := list.Blueprints[i]
		if got.Name != b.Name || got.Example != b.Example || len(got.Fields) != len(b.Fields) || len(got.Aliases) != len(b.Aliases) {
			t.Errorf("%+v", got)
		}
	}
}

func TestABlueprintIsExplained(t *testing.T) {
	const want = `kinesis-firehose-syslog-to-csv
Syslog file to CSV without quotes. As the blueprint in Python makes it: without a process, processid is the word null.

Also called: kinesis-firehose-syslog-to-csv-python

Fields:
  timestamp  when it was logged, as logged
  hostname   the machine
  program    the program or the tag
  processid  the process
  message    the text

A record:
  Oct 11 22:14:15 mymachine su[230]: 'su root' failed for lonvick on /dev/pts/8
becomes:
  Oct 11 22:14:15,mymachine,su,230,'su root' failed for lonvick on /dev/pts/8
`
	for _, name := range []string{"kinesis-firehose-syslog-to-csv", "arn:aws:lambda:us-east-1:123456789012:function:kinesis-firehose-syslog-to-csv-python"} {
		if out, err := blueprints(t, "", "show", name); out != want || err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	}
	for _, b := range blueprint.All() {
		out, err := blueprints(t, "", "show", b.Name)
		if err != nil || strings.Contains(out, "The gzip of:") != b.Example.Gzipped {
			t.Errorf("%v\n%s", err, out)
		}
		if out, err = blueprints(t, "", "show", b.Name, "--json"); err != nil || strings.Count(out, "\n") != 1 || !strings.Contains(out, b.Name) {
			t.Errorf("%v\n%s", err, out)
		}
	}
}

func TestABlueprintIsTriedOnTheLinesOfAFile(t *testing.T) {
	const syslog = "Oct 11 22:14:15 mymachine su[230]: hello\r\nno syslog\n\nOct 11 22:14:16 mymachine cron: \xff"
	const cloudWatch = `{"messageType":"DATA_MESSAGE","logEvents":[{"message":"a"},{"message":"b"}]}` + "\n" + `{"messageType":"CONTROL_MESSAGE"}`
	const noMoment = "it does not begin with a month, a day and a time, such as Oct 11 22:14:15"
	tests := []struct {
		args, input, want string
	}{
		{"kinesis-firehose-syslog-to-csv", syslog, "" +
			"Ok                Oct 11 22:14:15,mymachine,su,230,hello\n" +
			"ProcessingFailed  " + noMoment + "\n" +
			"ProcessingFailed  " + noMoment + "\n" +
			"Ok                Oct 11 22:14:16,mymachine,cron,null,\xff\n" +
			"\nRecords: 4. Ok: 2. Dropped: 0. ProcessingFailed: 2.\n"},
		{"kinesis-firehose-syslog-to-csv --json", syslog, "" +
			`{"result":"Ok","data":"Oct 11 22:14:15,mymachine,su,230,hello\n"}` + "\n" +
			`{"result":"ProcessingFailed","reason":"` + noMoment + `"}` + "\n" +
			`{"result":"ProcessingFailed","reason":"` + noMoment + `"}` + "\n" +
			`{"result":"Ok","data":"Oct 11 22:14:16,mymachine,cron,null,` + "\ufffd" + `\n"}` + "\n" +
			`{"records":4,"ok":2,"dropped":0,"processingFailed":2}` + "\n"},
		{"kinesis-firehose-cloudwatch-logs-processor", cloudWatch, "" +
			"Ok                a\n                  b\nDropped\n\nRecords: 2. Ok: 1. Dropped: 1. ProcessingFailed: 0.\n"},
		{"kinesis-firehose-process-record", "", "\nRecords: 0. Ok: 0. Dropped: 0. ProcessingFailed: 0.\n"},
	}
	file := filepath.Join(t.TempDir(), "records")
	for _, tt := range tests {
		args := strings.Fields("try " + tt.args)
		if out, err := blueprints(t, tt.input, append(args, "-")...); out != tt.want || err != nil {
			t.Errorf("%s: %v\n%s", tt.args, err, out)
		}
		if err := os.WriteFile(file, []byte(tt.input), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := blueprints(t, "", append(args, file)...); out != tt.want || err != nil {
			t.Errorf("%s: %v\n%s", tt.args, err, out)
		}
	}
}

func TestWhatABlueprintCannotBeTriedOnIsTold(t *testing.T) {
	for _, args := range []string{"show", "show other", "show a b", "try", "try kinesis-firehose-process-record", "try other -", "try a b c", "try a b --json=x"} {
		_, err := blueprints(t, "", strings.Fields(args)...)
		var usage usageError
		if !errors.As(err, &usage) && !strings.Contains(args, "=x") || err == nil {
			t.Errorf("%s: %v", args, err)
		}
	}
	if _, err := blueprints(t, "", "try", "kinesis-firehose-process-record", filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	out, err := blueprints(t, "a\n"+strings.Repeat("b", maxLine+1), "try", "kinesis-firehose-process-record", "-")
	if err == nil || err.Error() != "line 2 is longer than 16 MiB" || out != "Ok                a\n" {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestTheShellIsToldTheNamesOfBlueprints(t *testing.T) {
	names, _ := completeBlueprint(nil, nil, "")
	if len(names) != len(blueprint.All()) || names[0] != "kinesis-firehose-process-record" {
		t.Error(names)
	}
	if names, _ = completeBlueprint(nil, []string{"a"}, ""); names != nil {
		t.Error(names)
	}
}

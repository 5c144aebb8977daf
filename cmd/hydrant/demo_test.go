package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// execute runs a command line and returns what it printed.
func execute(t *testing.T, args ...string) (out string, err error) {
	t.Helper()
	root := newRoot()
	var b bytes.Buffer
	root.SetOut(&b)
	root.SetErr(t.Output())
	root.SetArgs(args)
	err = root.ExecuteContext(t.Context())
	return b.String(), err
}

func TestADemoIsToldWhatItCannotUse(t *testing.T) {
	for _, args := range [][]string{
		{"--records", "0"},
		{"--records", "5", "--input", "-"},
		{"--records", "many"},
		{"--listen", "0.0.0.0:0"},
		{"--memory", "1MiB"},
		{"--endpoint", "s3"},
	} {
		args = append([]string{"demo", "--data", t.TempDir()}, args...)
		_, err := execute(t, args...)
		var usage usageError
		if !errors.As(err, &usage) {
			t.Errorf("%v: %v", args, err)
		}
	}
}

func TestTheDemoSuggestsCommandsThatFindItAgain(t *testing.T) {
	for _, c := range []struct {
		args       string
		serve, env string
	}{
		{"", "serve", `env)"`},
		{"--data=/var/lib/hydrant", "serve --data /var/lib/hydrant", `env --data /var/lib/hydrant)"`},
		{
			"--config=a.yaml --memory=128MiB --endpoint=s3=http://store:9000",
			"serve --config=a.yaml --memory=128MiB --endpoint s3=http://store:9000", `env)"`,
		},
		{"--data=it's", `serve --data 'it'\''s'`, `env --data 'it'\''s')"`},
	} {
		var s settings
		cmd := &cobra.Command{}
		s.register(cmd)
		if err := cmd.ParseFlags(strings.Fields(c.args)); err != nil {
			t.Fatal(err)
		}
		serve, env := s.again(cmd)
		if !strings.HasSuffix(serve, " "+c.serve) || !strings.HasSuffix(env, " "+c.env) {
			t.Errorf("%s: %s and %s", c.args, serve, env)
		}
	}
}

func TestTheDemoTakesFreePortsUnlessToldOtherwise(t *testing.T) {
	var s settings
	cmd := &cobra.Command{}
	s.register(cmd)
	if err := cmd.ParseFlags([]string{"--console=127.0.0.1:9"}); err != nil {
		t.Fatal(err)
	}
	c, err := s.demoConfig(cmd)
	if err != nil || c.Listen != freePort || c.Console != "127.0.0.1:9" {
		t.Fatalf("%s, %s, %v", c.Listen, c.Console, err)
	}
}

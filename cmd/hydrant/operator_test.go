package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"hydrant/internal/node"
	"hydrant/internal/operate"
	"hydrant/internal/record"
)

func TestCommandsAboutStreamsSayWhatTheyCannotUse(t *testing.T) {
	for _, args := range []string{
		"flush", "pause", "resume", "flush a b", "flush a --timeout -1s", "flush a --timeout soon",
		"flush a --no-wait --timeout 1s", "streams --all", "streams --watch --json",
	} {
		_, err := execute(t, strings.Fields(args+" --data "+t.TempDir())...)
		var usage usageError
		if !errors.As(err, &usage) {
			t.Errorf("%s: %v", args, err)
		}
	}
}

func TestCommandsAboutStreamsSayThatThereIsNoNode(t *testing.T) {
	data := t.TempDir()
	for _, args := range []string{"streams", "flush a", "pause a", "resume a"} {
		_, err := execute(t, strings.Fields(args+" --data "+data)...)
		if !errors.Is(err, node.ErrNoNode) || !strings.Contains(err.Error(), "hydrant serve --data "+data) {
			t.Errorf("%s: %v", args, err)
		}
	}
}

func TestErrorsNameTheNextCommand(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want string
	}{
		{operate.ErrNoAnswer, "hydrant serve --data 'my data'"},
		{operate.ErrStranger, "another node answers where that of 'my data' listened last"},
		{operate.ErrNoStream, " streams --data 'my data'"},
		{operate.ErrPaused, " resume --data 'my data' clicks"},
	} {
		var o operator
		cmd := newFlush()
		o.cmd, o.data = cmd, "my data"
		if err := cmd.ParseFlags([]string{"--data", "my data", "clicks"}); err != nil {
			t.Fatal(err)
		}
		if err := o.explain(fmt.Errorf("it is so: %w", tt.err)); !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%v: %v", tt.err, err)
		}
	}
}

func TestAFlushIsALineEveryFewSecondsWhereThereIsNoTerminal(t *testing.T) {
	var out strings.Builder
	now := time.Unix(0, 0)
	m := newMeter(&out, func() time.Time { return now })
	for done := range uint64(12) {
		m.show("clicks", progress(done, 20, ""))
		now = now.Add(time.Second)
	}
	m.clear()
	want := "clicks: 5 of 20 records (200 B)\nclicks: 10 of 20 records (200 B)\n"
	if d := cmp.Diff(want, out.String()); d != "" {
		t.Error(d)
	}
}

func TestAFlushIsABarOnATerminal(t *testing.T) {
	var out strings.Builder
	m := &meter{out: &out, width: func() int { return 70 }, now: time.Now}
	m.show("clicks", progress(10, 20, ""))
	m.show("clicks", progress(20, 20, "the store\nis away"))
	m.clear()
	m.clear()
	want := clearLine + "clicks [============            ] 10 of 20 records (200 B)" +
		clearLine + "clicks [========================] 20 of 20 records (200 B); tried ag…" + clearLine
	if d := cmp.Diff(want, out.String()); d != "" {
		t.Error(d)
	}
}

func progress(done, total uint64, trouble string) operate.Progress {
	return operate.Progress{LastError: trouble, Outputs: []operate.OutputProgress{{
		Output: "data", Done: record.Counts{Records: done, Bytes: 10 * done}, Total: record.Counts{Records: total, Bytes: 10 * total},
	}}}
}

func TestANodeWithoutStreamsGivesAHint(t *testing.T) {
	var out strings.Builder
	o := operator{cmd: newStreams()}
	if err := o.printStreams(&out, nil); err != nil || !strings.Contains(out.String(), "aws firehose create-delivery-stream") {
		t.Errorf("%v %s", err, out.String())
	}
}

func TestWatchingShowsTheTableUntilItIsStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 2*watchInterval+time.Second)
		defer cancel()
		var out strings.Builder
		o, looks := operator{cmd: newStreams()}, 0
		err := o.watch(ctx, &out, func(context.Context) ([]operate.Stream, error) {
			looks++
			return []operate.Stream{{Name: fmt.Sprint("look-", looks), Status: "ACTIVE", Version: 1}}, nil
		})
		if err != nil || strings.Count(out.String(), "STREAM ") != 3 || !strings.Contains(out.String(), "\n\nSTREAM") || !strings.Contains(out.String(), "look-3") {
			t.Errorf("%v\n%s", err, out.String())
		}
		err = o.watch(t.Context(), &out, func(context.Context) ([]operate.Stream, error) { return nil, operate.ErrNoAnswer })
		if !errors.Is(err, operate.ErrNoAnswer) {
			t.Errorf("a node that went away: %v", err)
		}
	})
}

func TestAuthoritiesAreReadAsAWSToolsDo(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ file, want string }{
		{"", ""}, {empty, "holds no certificate"}, {empty + ".not", "AWS_CA_BUNDLE"},
	} {
		if _, err := newSender(tt.file); (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: %v", tt.file, err)
		}
	}
}

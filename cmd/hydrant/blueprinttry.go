package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"hydrant/internal/process/blueprint"
)

func newBlueprintTry() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "try NAME FILE",
		Short: "Show what a blueprint makes of the lines of a file",
		Long: "Show what a blueprint makes of the lines of a file, or of its input if the file is -. Each line is a\n" +
			"record, without its line break. For a blueprint of gzipped records each line is what is in the gzip.\n" +
			"Records that fail are part of the answer: the exit code is 0.",
		Example: "  hydrant blueprint try hydrant-syslog-to-csv /var/log/syslog\n" +
			"  tail access.log | hydrant blueprint try hydrant-apachelog-to-json -",
		Args:              nameAnd(1),
		ValidArgsFunction: completeBlueprint,
		RunE: func(cmd *cobra.Command, args []string) error {
			b, err := findBlueprint(args[0])
			if err != nil {
				return err
			}
			t := trial{blueprint: b, out: bufio.NewWriter(cmd.OutOrStdout()), asJSON: asJSON}
			if args[1] == "-" {
				return t.run(cmd.InOrStdin())
			}
			file, err := os.Open(args[1])
			if err != nil {
				return err
			}
			defer file.Close()
			return t.run(file)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON: a line for each record, and one that counts them")
	return cmd
}

// maxLine bounds the lines that are tried.
const maxLine = 16 << 20

// trial is a blueprint that is tried, and what has come of it.
type trial struct {
	blueprint blueprint.Blueprint
	out       *bufio.Writer
	asJSON    bool
	count     tally
}

// tally counts records. It is the last line that --json prints.
type tally struct {
	Records int `json:"records"`
	Ok      int `json:"ok"`
	Dropped int `json:"dropped"`
	Failed  int `json:"processingFailed"`
}

// tried is what --json prints of a record.
type tried struct {
	Result string  `json:"result"`
	Reason string  `json:"reason,omitzero"`
	Data   *string `json:"data,omitzero"`
}

// run tries the lines of in, as they come.
func (t *trial) run(in io.Reader) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxLine)
	var buf []byte
	for lines.Scan() {
		record := lines.Bytes()
		if t.blueprint.Example.Gzipped {
			record = gzipped(record)
		}
		out, result, reason := t.blueprint.Transform(buf[:0], record)
		t.count.add(result)
		if err := t.print(out, result, reason); err != nil {
			return err
		}
		buf = out
	}
	if err := lines.Err(); err != nil {
		if errors.Is(err, bufio.ErrTooLong) {
			err = fmt.Errorf("line %d is longer than %d MiB", t.count.Records+1, maxLine>>20)
		}
		return errors.Join(t.out.Flush(), err)
	}
	return errors.Join(t.sum(), t.out.Flush())
}

func gzipped(b []byte) []byte {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	w.Write(b) // into memory, which does not fail
	w.Close()
	return packed.Bytes()
}

func (c *tally) add(r blueprint.Result) {
	c.Records++
	switch r {
	case blueprint.Ok:
		c.Ok++
	case blueprint.Dropped:
		c.Dropped++
	default:
		c.Failed++
	}
}

// print tells what has become of a record.
func (t *trial) print(data []byte, result blueprint.Result, reason string) error {
	text := string(data)
	if t.asJSON {
		line := tried{Result: result.String(), Reason: reason}
		if result == blueprint.Ok {
			line.Data = &text
		}
		return printLine(t.out, line)
	}
	const width = 2 + len("ProcessingFailed")
	text = strings.TrimSuffix(text, "\n") + reason
	text = strings.ReplaceAll(text, "\n", "\n"+strings.Repeat(" ", width))
	_, err := fmt.Fprintln(t.out, strings.TrimRight(fmt.Sprintf("%-*s%s", width, result, text), " "))
	return err
}

// sum tells how many records there were.
func (t *trial) sum() error {
	if t.asJSON {
		return printLine(t.out, t.count)
	}
	c := t.count
	_, err := fmt.Fprintf(t.out, "\nRecords: %d. Ok: %d. Dropped: %d. ProcessingFailed: %d.\n", c.Records, c.Ok, c.Dropped, c.Failed)
	return err
}
